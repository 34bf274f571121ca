"""The part of an H.264 picture parameter set on which slice headers depend."""

from __future__ import annotations

from dataclasses import dataclass

from cutback.cutting.bits import BitReader, unescape
from cutback.domain.errors import MediaUnreadableError


@dataclass(frozen=True, slots=True)
class Pps:
    """Fields of pic_parameter_set_rbsp (ITU-T H.264, 7.3.2.2), up to the last one that slice headers need."""

    id: int
    sps_id: int
    cabac: bool
    field_order_present: bool
    """bottom_field_pic_order_in_frame_present_flag."""
    slice_groups: int
    references: tuple[int, int]
    """num_ref_idx_l0/l1_default_active_minus1 + 1."""
    weighted_pred: bool
    weighted_bipred: int
    deblocking_control: bool
    redundant_pictures: bool


def parse_pps(unit: bytes) -> Pps:
    """Parse a PPS NAL unit.

    Raises:
        MediaUnreadableError: it is truncated, or uses slice groups (which only test streams do).
    """
    reader = BitReader(unescape(unit)[1:])
    try:
        number, sps = reader.unsigned(), reader.unsigned()
        cabac, field_order = reader.flag(), reader.flag()
        groups = reader.unsigned() + 1
        if groups > 1:
            raise MediaUnreadableError("It uses slice groups.")
        references = (reader.unsigned() + 1, reader.unsigned() + 1)
        weighted, bipred = reader.flag(), reader.bits(2)
        reader.signed()
        reader.signed()
        reader.signed()
        deblocking = reader.flag()
        reader.flag()
        return Pps(number, sps, cabac, field_order, groups, references, weighted, bipred, deblocking, reader.flag())
    except IndexError:
        raise MediaUnreadableError("A picture parameter set is truncated.") from None
