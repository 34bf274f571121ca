"""What an output demands of the tracks that are cut for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClipForm:
    """Which tracks a clip has. These defaults are those of an MP4."""

    pictures: bool = True
    sound: bool = True
    texts: bool = True
    """Whether it has the subtitles that edits make."""


AS_MP4 = ClipForm()
