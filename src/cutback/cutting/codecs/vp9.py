"""VP9 as a `Codec` for whole clips, by libvpx (VP Codec ISO Media File Format Binding 1.0)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from fractions import Fraction

from cutback.cutting.codecs.never_joined import NeverJoined
from cutback.cutting.index import Track
from cutback.cutting.mp4.entries import visual_entry

_LEVELS = ((36_864, 10), (122_880, 20), (245_760, 21), (552_960, 30), (983_040, 31), (2_228_224, 41), (8_912_896, 51))
"""Most pixels of a picture, and the level for it at 60 frames a second."""

_LARGEST = 62


class Vp9(NeverJoined):
    """See `Codec`."""

    encoder = "libvpx-vp9"

    def options(self, track: Track | None, rate: Fraction, *, lookahead: int, interlaced: bool) -> Mapping[str, str]:
        """As fast as for live video: the best effort takes six times as long."""
        del track, lookahead, interlaced
        return {
            "deadline": "realtime",
            "cpu-used": "8",
            "row-mt": "1",
            "lag-in-frames": "0",
            "crf": "32",
            "b": "0",
            "g": str(max(1, round(2 * rate))),
        }

    def sample(self, annex_b: bytes) -> bytes:
        """Samples are as the encoder makes them."""
        return annex_b

    def own_entry(self, width: int, height: int, header: bytes, boxes: bytes) -> bytes:
        """Return a `vp09` entry, for 4:2:0 with 8 bits."""
        del header
        level = next((level for pixels, level in _LEVELS if width * height <= pixels), _LARGEST)
        configuration = struct.pack(">IBBBBBBH", 1 << 24, 0, level, 8 << 4 | 1 << 1, 2, 2, 2, 0)
        return visual_entry(b"vp09", width, height, b"vpcC", configuration, boxes)
