"""How an output wants its pictures to be encoded. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

_EIGHT_BITS = frozenset({"h264", "vp9"})
"""Codecs that are encoded with 8 bits only: players do not show them otherwise."""

_CRF: Mapping[str, Mapping[str, int]] = {
    "libx264": {"small": 28, "good": 23, "best": 17},
    "libx265": {"small": 30, "good": 25, "best": 18},
    "libsvtav1": {"small": 48, "good": 36, "best": 24},
    "libvpx-vp9": {"small": 44, "good": 34, "best": 24},
}


_LEAST_CRF: Mapping[str, int] = {"libx264": 1, "libsvtav1": 1}
"""With 0, H.264 has a profile without loss that players do not decode, and SVT-AV1 chooses a quality itself."""


@dataclass(frozen=True, slots=True)
class VideoCoding:
    """The codec and the quality. These defaults leave both as they are, so that pictures can be copied."""

    codec: str | None = None
    """FFmpeg's name; None for the recording's own."""
    quality: Literal["small", "good", "best"] | None = None
    """A quality that means about the same for each codec."""
    crf: int | None = None
    """The quality, on the codec's own scale: lower is better."""
    bit_rate: int | None = None
    """Bits a second, on average."""
    most: int | None = None
    """Bits a second that pictures may need at most, over two seconds."""

    def copies(self, codec: str) -> bool:
        """Whether pictures of a codec can be copied."""
        asks = (self.quality, self.crf, self.bit_rate, self.most)
        return asks == (None, None, None, None) and self.codec in {None, codec}

    def holds(self, depth: int) -> bool:
        """Whether its codec holds pictures with so many bits."""
        return depth <= 8 or self.codec not in _EIGHT_BITS

    def changed(self, options: Mapping[str, str], encoder: str) -> dict[str, str]:
        """Return the options of an encoder with this quality."""
        made = dict(options)
        if self.quality is not None:
            made["crf"] = str(_CRF[encoder][self.quality])
        if self.crf is not None:
            made["crf"] = str(self._own_crf(encoder))
        if self.bit_rate is not None:
            made.pop("crf", None)
            made["b"] = str(self.bit_rate)
        if encoder == "libvpx-vp9" and self.most is not None:
            made["b"] = str(self.most)  # with a quality, its bit rate is a limit
        elif encoder == "libsvtav1" and self.bit_rate is not None:
            pass  # it takes a limit only with a quality
        elif self.most is not None:
            made |= {"maxrate": str(self.most), "bufsize": str(2 * self.most)}
        return made

    def _own_crf(self, encoder: str) -> int | None:
        return None if self.crf is None else max(self.crf, _LEAST_CRF.get(encoder, 0))

    def said(self, encoder: str) -> str:
        """Say what it is, for people."""
        crf = self._own_crf(encoder) if self.quality is None else _CRF[encoder][self.quality]
        words = [] if crf is None or self.bit_rate is not None else [f"crf {crf}"]
        words += [] if self.bit_rate is None else [f"{self.bit_rate // 1000} kbit/s"]
        words += [] if self.most is None else [f"at most {self.most // 1000} kbit/s"]
        return ", ".join([encoder, *words])


UNCHANGED = VideoCoding()
