"""What an output demands of the tracks that are cut for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cutback.cutting.codecs.coding import UNCHANGED, VideoCoding
from cutback.cutting.index import Index
from cutback.cutting.plan.pieces import Located
from cutback.cutting.plan.plan import FrameRange, has_leading
from cutback.cutting.sound.soundtrack import BIT_RATE_A_CHANNEL
from cutback.cutting.turns import sideways, turns_of
from cutback.domain.errors import CutbackError, MediaUnsupportedError, OutputImpossibleError


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
    sound_becomes: str = "AAC"
    """What sound that is not copied becomes, for people."""
    bit_rate_a_channel: int = BIT_RATE_A_CHANNEL
    """Of that sound, in bits a second."""
    drawn_as: str = ""
    """What its pictures are drawn as, for people; then none is copied. Empty for video."""
    one_entry: bool = False
    """Whether its pictures have one sample entry; where copied and encoded ones need two, all of them are encoded."""
    closed_gops: bool = False
    """Whether pictures with open GOPs are all encoded."""


AS_MP4 = ClipForm()


def encoded_because(pieces: Sequence[Located], form: ClipForm) -> str:
    """Return why none of a clip's pictures may be copied into this form; empty if some may."""
    index = pieces[0][0].index
    if form.drawn_as:
        return f"becomes {form.drawn_as}"
    if form.closed_gops and any(_has_open_gop(media.index, piece) for media, _, piece in pieces):
        return "its GOPs are open, and segments need closed ones"
    codec = index.video.descriptions[0].codec if index.video is not None else ""
    if form.coding.codec not in {None, codec}:
        return f"becomes {form.coding.codec}"
    if not form.coding.copies(codec):
        return "has a quality or a size of its own"
    if _is_higher(index, form.height):
        return f"becomes {form.height} pixels high"
    return ""


def _has_open_gop(index: Index, piece: FrameRange) -> bool:
    track = index.video
    if track is None or piece.fill is not None:
        return False
    samples = track.order[piece.first : piece.stop]
    first, last = min(samples), max(samples)
    return any(first <= sample <= last and has_leading(track, k) for k, sample in enumerate(track.sync))


def _is_higher(index: Index, height: int | None) -> bool:
    """Whether a recording's pictures are higher than `height` when they are shown."""
    if height is None or index.video is None:
        return False
    track = index.video
    wide, high = (side >> 16 for side in track.display_size)
    if not (wide and high):
        wide, high = track.descriptions[0].width, track.descriptions[0].height
    return (wide if sideways(turns_of(track.matrix)) else high) > height


def nothing_in(form: ClipForm) -> CutbackError:
    """Return what is raised if a clip has no track for a form."""
    if form.pictures:
        return MediaUnsupportedError("It has nothing in this range.")
    return OutputImpossibleError("The clip has no sound; choose a format with pictures, such as mp4.")
