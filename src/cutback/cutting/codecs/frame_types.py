"""Reads from its first slice header whether a coded picture is an I, P or B picture. Pure.

A lower-case `b` is a B picture to which no other picture refers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cutback.cutting.bits import BitReader, unescape
from cutback.cutting.codecs.h264 import nal as h264
from cutback.cutting.codecs.h264 import slice as h264_slice
from cutback.cutting.codecs.hevc import nal as hevc
from cutback.cutting.index import Description
from cutback.domain.errors import MediaUnreadableError

UNKNOWN = ""
_BEGINNING = 64
"""Bytes of a slice that are read: more than the fields up to its type need."""

_LAST_IRAP = 23
"""The last NAL unit type of pictures at which decoding can begin (ITU-T H.265, table 7-1)."""


def letter_reader(description: Description) -> Callable[[bytes], str] | None:
    """Return a function that maps the beginning of a sample to `I`, `P`, `B` or `b`, or `UNKNOWN` if it is unreadable.

    None for other codecs, and if the configuration is missing or damaged.
    """
    try:
        match description.codec:
            case "h264":
                size = h264.parse_configuration(description.extradata).length_size
                return lambda head: _safely(_h264, h264.split_sample(head, size))
            case "hevc":
                configuration = hevc.parse_configuration(description.extradata)
                extra = _extra_bits(configuration)
                return lambda head: _safely(
                    lambda units: _hevc(units, extra), h264.split_sample(head, configuration.length_size)
                )
    except (MediaUnreadableError, IndexError):
        return None
    return None


def _safely(read: Callable[[Iterator[bytes]], str], units: Iterator[bytes]) -> str:
    try:
        return read(units)
    except IndexError:  # it is truncated
        return UNKNOWN


def _h264(units: Iterator[bytes]) -> str:
    for unit in units:
        if unit and unit[0] & 31 in {h264.SLICE, h264.IDR}:
            reader = BitReader(unescape(unit[1:_BEGINNING]))
            reader.unsigned()  # first_mb_in_slice
            kind = reader.unsigned() % 5
            if kind == h264_slice.B:
                return "B" if unit[0] & 0x60 else "b"
            return {h264_slice.P: "P", h264_slice.INTRA: "I"}.get(kind, UNKNOWN)
    return UNKNOWN


def _hevc(units: Iterator[bytes], extra: dict[int, int]) -> str:
    for unit in units:
        if not unit or hevc.unit_type(unit) > hevc.LAST_SLICE:
            continue
        kind = hevc.unit_type(unit)
        reader = BitReader(unescape(unit[2:_BEGINNING]))
        if not reader.flag():  # the picture's first slice is missing
            return UNKNOWN
        if hevc.BLA_W_LP <= kind <= _LAST_IRAP:
            reader.flag()  # no_output_of_prior_pics_flag
        skipped = extra.get(reader.unsigned())
        if skipped is None:
            return UNKNOWN
        reader.bits(skipped)
        found = {0: "B", 1: "P", 2: "I"}.get(reader.unsigned(), UNKNOWN)
        # Nothing in their own temporal layer refers to even types below 16 (ITU-T H.265, table 7-1).
        return "b" if found == "B" and kind < hevc.BLA_W_LP and kind % 2 == 0 else found
    return UNKNOWN


def _extra_bits(configuration: hevc.HevcConfiguration) -> dict[int, int]:
    """Return num_extra_slice_header_bits of each picture parameter set (ITU-T H.265, 7.3.2.3.1)."""
    found = {}
    for kind, units in configuration.arrays:
        for unit in units if kind == hevc.PPS else ():
            reader = BitReader(unescape(unit[2:_BEGINNING]))
            number = reader.unsigned()
            reader.unsigned()
            reader.bits(2)
            found[number] = reader.bits(3)
    return found
