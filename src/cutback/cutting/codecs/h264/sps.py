"""The part of an H.264 sequence parameter set that decides which pictures can be joined."""

from __future__ import annotations

from dataclasses import dataclass

from cutback.cutting.bits import BitReader, unescape
from cutback.cutting.codecs.h264.nal import PROFILES_WITH_CHROMA
from cutback.domain.errors import MediaUnreadableError


@dataclass(frozen=True, slots=True)
class Sps:
    """Fields of seq_parameter_set_data (ITU-T H.264, 7.3.2.1.1)."""

    profile: int
    level: int
    id: int
    chroma_format: int
    """1 is 4:2:0."""
    bit_depth: int
    """The greater of luma's and chroma's."""
    frame_num_bits: int
    poc_type: int
    poc_lsb_bits: int
    references: int
    frames_only: bool
    """False if pictures may be interlaced fields."""

    @property
    def ordinary(self) -> bool:
        """Whether it is progressive 4:2:0 with 8 or 10 bits, like the encoder's output for edges."""
        return self.chroma_format == 1 and self.bit_depth in {8, 10} and self.frames_only


def parse_sps(unit: bytes) -> Sps:
    """Parse an SPS NAL unit.

    Raises:
        MediaUnreadableError: it is truncated.
    """
    try:
        return _parse(BitReader(unescape(unit)[1:]))
    except IndexError:
        raise MediaUnreadableError("A sequence parameter set is truncated.") from None


def _parse(reader: BitReader) -> Sps:
    profile = reader.bits(8)
    reader.bits(8)
    level = reader.bits(8)
    number = reader.unsigned()
    chroma, depth = 1, 8
    if profile in PROFILES_WITH_CHROMA:
        chroma = reader.unsigned()
        if chroma == 3:
            reader.flag()
        depth = 8 + max(reader.unsigned(), reader.unsigned())
        reader.flag()
        if reader.flag():
            for size in [16] * 6 + [64] * (2 if chroma != 3 else 6):
                if reader.flag():
                    _skip_scaling_list(reader, size)
    frame_num_bits = reader.unsigned() + 4
    poc_type = reader.unsigned()
    poc_lsb_bits = 0
    if poc_type == 0:
        poc_lsb_bits = reader.unsigned() + 4
    elif poc_type == 1:
        reader.flag()
        reader.signed()
        reader.signed()
        for _ in range(reader.unsigned()):
            reader.signed()
    references = reader.unsigned()
    reader.flag()
    reader.unsigned()
    reader.unsigned()
    return Sps(profile, level, number, chroma, depth, frame_num_bits, poc_type, poc_lsb_bits, references, reader.flag())


def _skip_scaling_list(reader: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + reader.signed()) % 256
        last = following or last
