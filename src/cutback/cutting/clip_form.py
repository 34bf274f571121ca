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
    sound_codecs: frozenset[str] | None = None
    """FFmpeg's names of the codecs of sound that are copied; all other sound is encoded. None: any that an MP4 has."""
    one_entry: bool = False
    """Whether its pictures have one sample entry; where copied and encoded ones need two, all of them are encoded."""
    closed_gops: bool = False
    """Whether pictures with open GOPs are all encoded."""


AS_MP4 = ClipForm()
