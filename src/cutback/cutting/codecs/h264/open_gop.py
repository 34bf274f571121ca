"""Starts copying H.264 at a keyframe that is not an IDR picture (an open GOP), without encoding anything.

A decoder that has just decoded other pictures takes such a keyframe for a continuation: frame_num jumps, and the
picture order count is compared with the wrong pictures. So the keyframe becomes an IDR picture (NAL unit type of its
slices, idr_pic_id, reference marking), and everything that follows, up to the next real IDR picture, is counted from
it: frame_num, pic_order_cnt_lsb, and the differences of picture numbers in commands that reorder or remove references.
Commands that remove pictures from before the keyframe are dropped, because those pictures no longer exist. The slice
data, and therefore every pixel, stay unchanged. (ITU-T H.264, 7.3.3, 7.4.3, 8.2.1, 8.2.4, 8.2.5.)

Pictures that are decoded after the keyframe but presented before it (leading pictures) must be removed first: they
need the previous GOP.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

from cutback.cutting.bits import BitReader, BitWriter, escape, unescape
from cutback.cutting.codecs.codec import UnusualStreamError
from cutback.cutting.codecs.h264.nal import IDR, SLICE, AvcConfiguration, prefixed, split_sample
from cutback.cutting.codecs.h264.pps import Pps, parse_pps
from cutback.cutting.codecs.h264.slice import HEADER_BYTES, INTRA, Slice, parse_slice
from cutback.cutting.codecs.h264.sps import Sps, parse_sps
from cutback.domain.errors import MediaUnreadableError

_OTHER_SLICES = {2, 3, 4, 19, 20}


class OpenGopRewriter:
    """Rewrites the samples of a run, in decoding order, starting with the keyframe."""

    def __init__(self, sps: Mapping[int, Sps], pps: Mapping[int, Pps]) -> None:
        """Take parameter sets by their ids."""
        self._sps, self._pps = sps, pps
        self._poc_base: int | None = None
        self._references: dict[int, int] = {}
        """frame_num of the reference pictures since the keyframe: old → new."""
        self._count = 0
        self.finished = False
        """True from the first real IDR picture on: the rest is copied unchanged."""

    def rewrite(self, sample: bytes) -> bytes:
        """Rewrite a sample, given that the keyframe became an IDR picture.

        Raises:
            UnusualStreamError: it uses a feature that is not supported here.
        """
        units = []
        picture: Slice | None = None
        for unit in split_sample(sample, 4):
            kind = unit[0] & 31
            if self.finished or (kind == IDR and self._poc_base is not None):
                self.finished = True
                return sample
            if kind in _OTHER_SLICES:
                raise UnusualStreamError("data partitioning or layers")
            if kind != SLICE:
                units.append(unit)
                continue
            picture = self._parse(unit)
            units.append(self._slice(unit, picture))
        if picture is None:
            raise UnusualStreamError("a sample without a slice")
        self._after(picture)
        return prefixed(units, 4)

    def _parse(self, unit: bytes) -> Slice:
        try:
            reader = BitReader(unescape(unit[1:24]))
            reader.unsigned()
            reader.unsigned()
            pps = self._pps[reader.unsigned()]
            return parse_slice(unit, self._sps[pps.sps_id], pps)
        except (IndexError, KeyError) as error:
            raise UnusualStreamError("a slice header that cannot be read") from error

    def _after(self, picture: Slice) -> None:
        """Note how this picture changes the decoded picture buffer."""
        if self._poc_base is None:
            self._poc_base = picture.poc_lsb
        for difference in picture.operations or ():
            self._references.pop(self._old_number(picture, -difference - 1), None)
        if picture.ref_idc:
            self._references[picture.frame_num] = self._count % self._modulus(picture)
            self._count += 1

    def _modulus(self, picture: Slice) -> int:
        return 1 << self._sps[self._pps[picture.pps_id].sps_id].frame_num_bits

    def _old_number(self, picture: Slice, offset: int) -> int:
        return (picture.frame_num + offset) % self._modulus(picture)

    def _slice(self, unit: bytes, head: Slice) -> bytes:
        entry = self._poc_base is None
        if entry and (head.kind != INTRA or not head.ref_idc):
            raise UnusualStreamError("a keyframe that is not intra")
        for length, commands in zip(head.references, head.changes, strict=True):
            # Each command moves one entry to the front; a picture may be moved several times (weighted prediction).
            repeated = len(commands or ()) - len(self._named(head, commands or ()))
            if length > len(self._references) + repeated:
                raise UnusualStreamError("references to pictures from before the keyframe")
        pps = self._pps[head.pps_id]
        sps = self._sps[pps.sps_id]
        payload = unescape(unit[1:])
        # Slice data of CABAC begin at a byte boundary and are moved as bytes; those of CAVLC are moved as bits.
        source = BitReader(payload[:HEADER_BYTES] if pps.cabac else payload)
        writer = BitWriter()
        writer.copy(source, head.frame_num_at)
        writer.put(self._count % self._modulus(head), sps.frame_num_bits)
        source.position += sps.frame_num_bits
        writer.copy(source, head.idr_pic_id_at)
        if entry:
            writer.unsigned(0)  # idr_pic_id
        if head.poc_lsb_at >= 0:
            writer.copy(source, head.poc_lsb_at)
            base = head.poc_lsb if self._poc_base is None else self._poc_base
            writer.put((head.poc_lsb - base) % (1 << sps.poc_lsb_bits), sps.poc_lsb_bits)
            source.position += sps.poc_lsb_bits
        writer.copy(source, head.lists[0])
        self._lists(writer, head)
        source.position = head.lists[1]
        writer.copy(source, head.marking[0])
        self._marking(writer, source, head, entry=entry)
        writer.copy(source, head.end)
        if pps.cabac:
            writer.align(1)
            body = writer.bytes() + payload[(head.end + 7) // 8 :]
        else:
            body = _moved(writer, source, payload)
        return bytes([unit[0] & 0xE0 | IDR if entry else unit[0]]) + escape(body)

    def _named(self, head: Slice, commands: tuple[tuple[int, int], ...]) -> set[int]:
        """Return the frame_num of the pictures in reordering commands."""
        steps = accumulate((value + 1 if operation else -value - 1 for operation, value in commands), initial=0)
        return {self._old_number(head, step) for step in list(steps)[1:]}

    def _lists(self, writer: BitWriter, head: Slice) -> None:
        """Rewrite reordering commands, which name pictures by frame_num relative to the previous one (8.2.4.3)."""
        modulus = self._modulus(head)
        for commands in head.changes:
            writer.put(commands is not None, 1)
            if commands is None:
                continue
            old, new = head.frame_num, self._count % modulus
            for operation, value in commands:
                old = (old + (value + 1 if operation else -value - 1)) % modulus
                if old not in self._references:
                    raise UnusualStreamError("references to pictures from before the keyframe")
                wanted = self._references[old]
                # A difference of 0 is written as the modulus.
                writer.unsigned(0)
                writer.unsigned(((new - wanted) % modulus or modulus) - 1)
                new = wanted
            writer.unsigned(3)

    def _marking(self, writer: BitWriter, source: BitReader, head: Slice, *, entry: bool) -> None:
        begin, end = head.marking
        if entry:
            writer.put(0, 2)  # no_output_of_prior_pics_flag, long_term_reference_flag
        elif head.operations is not None:
            writer.put(1, 1)
            for difference in head.operations:
                now = self._references.get(self._old_number(head, -difference - 1))
                if now is not None:
                    writer.unsigned(1)
                    writer.unsigned((self._count - now) % self._modulus(head) - 1)
            writer.unsigned(0)
        elif begin != end:
            writer.put(0, 1)
        source.position = end


def _moved(writer: BitWriter, source: BitReader, payload: bytes) -> bytes:
    """Move the slice data of CAVLC bit by bit, up to and including the stop bit."""
    last = payload.rstrip(b"\0")
    zeros = (last[-1] & -last[-1]).bit_length() - 1
    writer.copy(source, len(last) * 8 - zeros)
    writer.align(0)
    return writer.bytes()


def rewriter_of(configuration: AvcConfiguration) -> OpenGopRewriter | None:
    """Return a rewriter for a track with these parameter sets; None if they are unusual."""
    try:
        sps = [parse_sps(unit) for unit in configuration.sps]
        pps = [parse_pps(unit) for unit in configuration.pps]
    except MediaUnreadableError:
        return None
    return OpenGopRewriter({one.id: one for one in sps}, {one.id: one for one in pps})
