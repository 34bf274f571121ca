"""The outputs of a job: plain values, one class for each format. Their fields are those of the request's models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Mp4:
    """An MP4."""


OutputValue: TypeAlias = Mp4

FORMATS: Mapping[str, type[OutputValue]] = {"mp4": Mp4}
"""The classes by the names that requests use."""
