"""What an output demands of the tracks that are cut for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from cutback.cutting.codecs.coding import UNCHANGED, VideoCoding


@dataclass(frozen=True, slots=True)
class ClipForm:
    """Which tracks a clip has. These defaults are those of an MP4."""

    pictures: bool = True
    sound: bool = True
    texts: bool = True
    """Whether it has the subtitles that edits make."""
    height: int | None = None
    """Pixels of its height, at most; pictures that are higher are all encoded. None: as high as they are."""
    coding: VideoCoding = UNCHANGED
    """The codec and the quality of its pictures."""


AS_MP4 = ClipForm()
