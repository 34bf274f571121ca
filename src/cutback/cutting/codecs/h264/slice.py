"""Parses H.264 slice headers (ITU-T H.264, 7.3.3): finds the fields that renumbering changes."""

from __future__ import annotations

from dataclasses import dataclass

from cutback.cutting.bits import BitReader, unescape
from cutback.cutting.codecs.codec import UnusualStreamError
from cutback.cutting.codecs.h264.pps import Pps
from cutback.cutting.codecs.h264.sps import Sps

P, B, INTRA = 0, 1, 2
HEADER_BYTES = 512
"""More bytes than any slice header that is parsed here."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice header. Positions are bits after the NAL unit's first byte, unescaped."""

    nal_type: int
    ref_idc: int
    kind: int
    """P, B or INTRA."""
    pps_id: int
    frame_num: int
    frame_num_at: int
    poc_lsb: int
    poc_lsb_at: int
    """-1 if the stream has none (picture order count type 2)."""
    idr_pic_id_at: int
    """Where idr_pic_id is, or would be inserted."""
    references: tuple[int, ...]
    """How many entries each reference list has; empty for an intra slice."""
    lists: tuple[int, int]
    """Where ref_pic_list_modification begins and ends."""
    changes: tuple[tuple[tuple[int, int], ...] | None, ...]
    """Its commands, for each list: (modification_of_pic_nums_idc, abs_diff_pic_num_minus1); None: not modified."""
    marking: tuple[int, int]
    """Where dec_ref_pic_marking begins and ends; equal if there is none."""
    operations: tuple[int, ...] | None
    """difference_of_pic_nums_minus1 of its memory management operations, which are all of type 1; None if the sliding
    window applies."""
    end: int
    """Where the slice data begin (for CABAC, the alignment bits before them)."""


def parse_slice(unit: bytes, sps: Sps, pps: Pps) -> Slice:
    """Parse a slice header from a NAL unit or its first `HEADER_BYTES`.

    Raises:
        UnusualStreamError: it uses a feature that Cutback cannot renumber.
        IndexError: the unit is truncated.
    """
    nal_type, ref_idc = unit[0] & 31, unit[0] >> 5 & 3
    reader = BitReader(unescape(unit[1:HEADER_BYTES]))
    reader.unsigned()  # first_mb_in_slice
    kind = reader.unsigned() % 5
    if kind > INTRA:
        raise UnusualStreamError("switching slices")
    pps_id = reader.unsigned()
    frame_num_at = reader.position
    frame_num = reader.bits(sps.frame_num_bits)
    if not sps.frames_only and reader.flag():
        raise UnusualStreamError("field pictures")
    idr_pic_id_at = reader.position
    if nal_type == 5:
        reader.unsigned()
    poc_lsb, poc_lsb_at = 0, -1
    if sps.poc_type == 0:
        poc_lsb_at = reader.position
        poc_lsb = reader.bits(sps.poc_lsb_bits)
        if pps.field_order_present:
            reader.signed()
    elif sps.poc_type == 1:
        raise UnusualStreamError("picture order count type 1")
    if pps.redundant_pictures:
        raise UnusualStreamError("redundant pictures")
    references = _reference_counts(reader, kind, pps)
    lists_at = reader.position
    changes = _list_changes(reader, kind)
    lists = (lists_at, reader.position)
    if (pps.weighted_pred and kind == P) or (pps.weighted_bipred == 1 and kind == B):
        _skip_weights(reader, kind, references, sps)
    marking_at = reader.position
    operations = None
    if ref_idc:
        operations = _marking(reader, nal_type)
    marking = (marking_at, reader.position)
    if pps.cabac and kind != INTRA:
        reader.unsigned()
    reader.signed()
    if pps.deblocking_control and reader.unsigned() != 1:
        reader.signed()
        reader.signed()
    return Slice(
        nal_type,
        ref_idc,
        kind,
        pps_id,
        frame_num,
        frame_num_at,
        poc_lsb,
        poc_lsb_at,
        idr_pic_id_at,
        references[: len(changes)],
        lists,
        changes,
        marking,
        operations,
        reader.position,
    )


def _reference_counts(reader: BitReader, kind: int, pps: Pps) -> tuple[int, int]:
    if kind == INTRA:
        return 0, 0
    if kind == B:
        reader.flag()  # direct_spatial_mv_pred_flag
    first, second = pps.references
    if reader.flag():
        first = reader.unsigned() + 1
        if kind == B:
            second = reader.unsigned() + 1
    return first, second if kind == B else 0


def _list_changes(reader: BitReader, kind: int) -> tuple[tuple[tuple[int, int], ...] | None, ...]:
    lists: list[tuple[tuple[int, int], ...] | None] = []
    for _ in range({P: 1, B: 2}.get(kind, 0)):
        if not reader.flag():
            lists.append(None)
            continue
        commands = []
        while (operation := reader.unsigned()) != 3:
            if operation not in {0, 1}:
                raise UnusualStreamError("long-term references")
            commands.append((operation, reader.unsigned()))
        lists.append(tuple(commands))
    return tuple(lists)


def _skip_weights(reader: BitReader, kind: int, references: tuple[int, int], sps: Sps) -> None:
    reader.unsigned()
    if sps.chroma_format:
        reader.unsigned()
    for count in references[: 2 if kind == B else 1]:
        for _ in range(count):
            if reader.flag():
                reader.signed()
                reader.signed()
            if sps.chroma_format and reader.flag():
                for _ in range(4):
                    reader.signed()


def _marking(reader: BitReader, nal_type: int) -> tuple[int, ...] | None:
    if nal_type == 5:
        reader.flag()
        if reader.flag():
            raise UnusualStreamError("long-term references")
        return None
    if not reader.flag():
        return None
    operations = []
    while (operation := reader.unsigned()) != 0:
        if operation != 1:
            raise UnusualStreamError("long-term references")
        operations.append(reader.unsigned())
    return tuple(operations)
