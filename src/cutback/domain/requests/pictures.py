"""The pictures that can come with a clip."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator

PictureKind: TypeAlias = Literal["poster", "sprites", "preview", "waveform"]


def _each_once(kinds: tuple[PictureKind, ...]) -> tuple[PictureKind, ...]:
    if len(set(kinds)) < len(kinds):
        raise ValueError("names one of them twice")
    return kinds


Pictures = Annotated[tuple[PictureKind, ...], AfterValidator(_each_once)]
"""What comes with a clip; nothing if it is empty."""
