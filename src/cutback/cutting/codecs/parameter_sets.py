"""Checks for the parameter sets that decoders of H.264 and HEVC need before the first picture."""

from __future__ import annotations

from collections.abc import Iterable

from cutback.cutting.codecs.h264 import nal as h264
from cutback.cutting.codecs.hevc import nal as hevc
from cutback.domain.errors import MediaUnreadableError

CODECS = frozenset({"h264", "hevc"})

MISSING = "Its video has no parameter sets (SPS), so no decoder can read it."


def in_configuration(codec: str, extradata: bytes) -> bool:
    """Whether a decoder configuration (avcC, hvcC or Annex B) contains a sequence parameter set."""
    if extradata[:1] != b"\1":
        return _any_sps(codec, h264.split_annex_b(extradata))
    try:
        if codec == "h264":
            return bool(h264.parse_configuration(extradata).sps)
        arrays = hevc.parse_configuration(extradata).arrays
    except (MediaUnreadableError, IndexError):
        return False
    return any(kind == hevc.SPS and units for kind, units in arrays)


def length_size(codec: str, extradata: bytes) -> int:
    """Return the bytes of a NAL unit's length prefix in samples of a configuration; 4 if it does not say."""
    at = 4 if codec == "h264" else 21
    return (extradata[at] & 3) + 1 if len(extradata) > at else 4


def in_sample(codec: str, sample: bytes, length_size: int = 0) -> bool:
    """Whether a sample contains a sequence parameter set. It is in Annex B if `length_size` is 0."""
    units = h264.split_sample(sample, length_size) if length_size else h264.split_annex_b(sample)
    return _any_sps(codec, units)


def _any_sps(codec: str, units: Iterable[bytes]) -> bool:
    if codec == "h264":
        return any(unit and unit[0] & 31 == h264.SPS for unit in units)
    return any(unit and hevc.unit_type(unit) == hevc.SPS for unit in units)
