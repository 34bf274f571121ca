"""Says where pictures of a clip are converted between HDR and SDR, in its plan as in its record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import av

from cutback.cutting.codecs.coding import VideoCoding
from cutback.cutting.codecs.colours import shows_hdr
from cutback.cutting.codecs.encoder import depth_of
from cutback.cutting.plan.pieces import Located, first_pictures, of_each_kind
from cutback.domain.errors import MediaUnreadableError


def all_to_sdr(becomes: str) -> str:
    """Say that all pictures become SDR, because what they become holds no HDR."""
    return f"Pictures are converted from HDR to SDR: {becomes} holds 8 bits."


def some_converted(what: str) -> str:
    """Say that pictures of some ranges are converted to the dynamic range of the first one."""
    return f"Some pictures are converted: {what}."


def planned_conversions(pieces: Sequence[Located], coding: VideoCoding, drawn_as: str = "") -> Iterator[str]:
    """Say how the pictures of these ranges are converted if all of them are encoded.

    The first range decides for the others. `drawn_as` is what they are drawn as instead, without HDR. Decodes a picture
    of each kind of recording, if it depends on them.
    """
    kinds = of_each_kind(pieces)
    if len(kinds) == 1 and coding.holds(10) and not drawn_as:
        return
    try:
        frames = [picture.frame for pictures in first_pictures(kinds, 1) for picture in pictures]
    except MediaUnreadableError:
        return  # the clip itself may need other pictures only
    if not frames:
        return
    first = frames[0]
    if shows_hdr(first) and (drawn_as or not coding.holds(depth_of(first))):
        yield all_to_sdr(drawn_as or str(coding.codec))
        return
    for frame in frames[1:]:
        if int(frame.color_trc) != int(first.color_trc) and (shows_hdr(frame) or shows_hdr(first)):
            yield some_converted(f"{_range_of(frame)} to {_range_of(first)}")


def _range_of(frame: av.VideoFrame) -> str:
    return "HDR" if shows_hdr(frame) else "SDR"
