"""HEVC as a `Codec`: a sample entry for the recording's samples and another for the encoder's.

x265 cannot use other parameter set ids, and changing the id in its slices would shift all their bits. So each of the
two kinds of samples has its own entry (`hvc1`), which is how ISO/IEC 14496-15 intends parameter sets to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from cutback.cutting.bits import escape
from cutback.cutting.codecs.codec import Entry, UnusualStreamError
from cutback.cutting.codecs.h264.nal import prefixed, split_annex_b, split_sample
from cutback.cutting.codecs.hevc import nal
from cutback.cutting.index import Track
from cutback.cutting.mp4.entries import visual_entry, with_configuration
from cutback.domain.errors import MediaUnreadableError

_COMMON = "log-level=none:info=0:aud=0:hrd=0"
_EDGE = (
    f"{_COMMON}:keyint={{keyint}}:min-keyint=1:open-gop=0:scenecut=0:bframes=0:ref=1:rc-lookahead=0:"
    "lookahead-slices=0:frame-threads=2"
)
_WHOLE = f"{_COMMON}:keyint={{keyint}}:min-keyint=1:bframes={{b}}:open-gop=0:rc-lookahead={{ahead}}"


class Hevc:
    """See `Codec`."""

    encoder = "libx265"
    one_entry = False

    def joinable(self, track: Track) -> bool:
        """Whether it is 4:2:0 with 8 or 10 bits and 4-byte NAL lengths."""
        try:
            configuration = _configuration(track)
        except (MediaUnreadableError, IndexError):
            return False
        return configuration.length_size == 4 and configuration.ordinary

    def entry(self, track: Track, head: bytes) -> Entry:
        """IDR and BLA pictures are clean; CRA pictures become BLA pictures."""
        for unit in split_sample(head, _configuration(track).length_size):
            if not unit or nal.unit_type(unit) > nal.LAST_SLICE:
                continue
            kind = nal.unit_type(unit)
            if kind in {nal.BLA_N_LP, nal.IDR_N_LP}:
                return "clean"
            return "open" if kind in {nal.CRA, nal.BLA_W_LP, nal.BLA_W_RADL, nal.IDR_W_RADL} else "none"
        return "none"

    def header_rewriter(self, track: Track) -> _BrokenLinkRewriter | None:
        """Return a rewriter, which changes only the first sample."""
        del track
        return _BrokenLinkRewriter()

    def options(self, track: Track | None, rate: Fraction, *, lookahead: int, interlaced: bool) -> Mapping[str, str]:
        """For joining: no reordering delay. Fully encoded: GOPs of two seconds."""
        del interlaced
        form = _EDGE if track is not None else _WHOLE
        # x265 refuses more B-frames in a row than it looks ahead.
        params = form.format(keyint=max(1, round(2 * rate)), ahead=lookahead, b=3 if lookahead > 3 else 0)
        return {"preset": "superfast", "crf": "16", "forced-idr": "1", "x265-params": params}

    def sample(self, annex_b: bytes) -> bytes:
        """Convert to length prefixes, without parameter sets and SEI."""
        units = (unit for unit in split_annex_b(annex_b) if nal.unit_type(unit) <= nal.LAST_SLICE)
        return prefixed(units, 4)

    def message_unit(self, messages: bytes) -> bytes:
        """See `Codec.message_unit`."""
        return bytes([nal.PREFIX_SEI << 1, 1]) + escape(messages + b"\x80")

    def joined_entries(self, track: Track, header: bytes) -> tuple[list[bytes], int]:
        """Return the recording's entry, and the same entry with the encoder's parameter sets."""
        own = nal.configuration_of(split_annex_b(header)).pack()
        raw = track.descriptions[0].raw
        return [raw, with_configuration(raw, b"hvcC", own)], 1

    def own_entry(self, width: int, height: int, header: bytes, boxes: bytes) -> bytes:
        """Return an `hvc1` entry."""
        own = nal.configuration_of(split_annex_b(header)).pack()
        return visual_entry(b"hvc1", width, height, b"hvcC", own, boxes)


class _BrokenLinkRewriter:
    """Turns a CRA picture into a BLA picture, so that decoders need nothing from before it (ITU-T H.265, 8.1.3)."""

    def __init__(self) -> None:
        self.finished = False

    def rewrite(self, sample: bytes) -> bytes:
        if self.finished:
            return sample
        self.finished = True
        units = []
        for unit in split_sample(sample, 4):
            kind = nal.unit_type(unit)
            if kind in {nal.CRA, nal.BLA_W_LP, nal.BLA_W_RADL}:
                units.append(nal.with_type(unit, nal.BLA_N_LP))
            elif kind == nal.IDR_W_RADL:
                units.append(nal.with_type(unit, nal.IDR_N_LP))
            elif kind <= nal.LAST_SLICE:
                raise UnusualStreamError("a keyframe that is not a random access point")
            else:
                units.append(unit)
        return prefixed(units, 4)


def _configuration(track: Track) -> nal.HevcConfiguration:
    return nal.parse_configuration(track.descriptions[0].extradata)
