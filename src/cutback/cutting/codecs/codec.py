"""What the cutter needs to know about a codec to put copied and encoded pictures into one track."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal, Protocol

from cutback.cutting.index import Track

Entry = Literal["clean", "open", "none"]
"""How copying may begin at a keyframe: as it is, after turning it into an IDR picture, or not at all."""


class HeaderRewriter(Protocol):
    """Rewrites headers so that a decoder starts cleanly at a keyframe in the middle of a stream."""

    finished: bool
    """Whether no more samples need rewriting; `rewrite` then returns the same object that it was given."""

    def rewrite(self, sample: bytes) -> bytes:
        """Rewrite the headers of the next sample, in decoding order, starting with the keyframe.

        Raises:
            UnusualStreamError: it uses a feature that is not supported here.
        """
        ...


class UnusualStreamError(Exception):
    """A stream uses a feature that Cutback cannot rewrite, so copying cannot begin there."""


class WholeIndexNeededError(Exception):
    """The cut needs pictures outside of the part of the index that was read."""


class Codec(Protocol):
    """One codec. `track` is always one of its tracks."""

    encoder: str
    """FFmpeg's name of the encoder for pictures next to copied ones."""

    one_entry: bool
    """Whether copied and encoded pictures of one track share a sample entry."""

    def joinable(self, track: Track) -> bool:
        """Whether encoded pictures can be joined with this track's samples."""
        ...

    def entry(self, track: Track, head: bytes) -> Entry:
        """Return how a new decoder can start at a keyframe; `head` is the beginning of its sample."""
        ...

    def header_rewriter(self, track: Track) -> HeaderRewriter | None:
        """Return a rewriter for a run that begins at an `open` entry."""
        ...

    def options(self, track: Track | None, rate: Fraction, *, lookahead: int, interlaced: bool) -> Mapping[str, str]:
        """Return the encoder's options: for joining with a track's samples or, for None, for a fully encoded clip."""
        ...

    def sample(self, annex_b: bytes) -> bytes:
        """Convert the encoder's output to a sample of the file."""
        ...

    def message_unit(self, messages: bytes) -> bytes:
        """Return a NAL unit of SEI messages, in the form in which it precedes the picture in a sample."""
        ...

    def joined_entries(self, track: Track, header: bytes) -> tuple[list[bytes], int]:
        """Return the sample entries of copied and encoded samples, and the number of the encoded ones' entry."""
        ...

    def own_entry(self, width: int, height: int, header: bytes, boxes: bytes) -> bytes:
        """Return the sample entry of a fully encoded clip; `header` is the encoder's, in Annex B."""
        ...
