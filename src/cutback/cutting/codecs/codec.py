"""What the cutter must know of a codec to put copied and encoded pictures into one track."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal, Protocol

from cutback.cutting.index import Track

Entry = Literal["clean", "open", "none"]
"""A keyframe as a place to begin copying: as it is, after it was made an IDR picture, or not at all."""


class HeaderRewriter(Protocol):
    """Makes a decoder start cleanly at a keyframe in the midst of a stream."""

    finished: bool
    """Whether samples need not be rewritten any more; `rewrite` then gives back the very object it was given."""

    def rewrite(self, sample: bytes) -> bytes:
        """A sample with changed headers, in decoding order, the keyframe first.

        Raises:
            UnusualStreamError: it uses something that is not followed.
        """
        ...


class UnusualStreamError(Exception):
    """A stream uses something that Cutback does not rewrite; what is in it is not copied from there."""


class WholeIndexNeededError(Exception):
    """What is to be cut depends on pictures further away than the part of the index that was read."""


class Codec(Protocol):
    """One codec. `track` is always one of its tracks."""

    encoder: str
    """FFmpeg's name of the encoder for pictures beside copied ones."""

    def joinable(self, track: Track) -> bool:
        """Whether pictures that the encoder makes may stand beside this track's samples."""
        ...

    def entry(self, track: Track, head: bytes) -> Entry:
        """How a decoder that knows nothing of what went before may start at a keyframe; `head` begins it."""
        ...

    def header_rewriter(self, track: Track) -> HeaderRewriter | None:
        """Rewrites a run from an `open` entry on."""
        ...

    def options(self, track: Track | None, rate: Fraction, *, interlaced: bool) -> Mapping[str, str]:
        """The encoder's options: beside a track's samples, or, for None, for a clip that is encoded as a whole."""
        ...

    def sample(self, annex_b: bytes) -> bytes:
        """What the encoder made, as it stands in the file."""
        ...

    def message_unit(self, messages: bytes) -> bytes:
        """A NAL unit of SEI messages, as it stands in a sample before the picture."""
        ...

    def joined_entries(self, track: Track, header: bytes) -> tuple[list[bytes], int]:
        """Sample entries for copied and encoded samples, and the number of the encoded ones'."""
        ...

    def own_entry(self, width: int, height: int, header: bytes, boxes: bytes) -> bytes:
        """The sample entry of a clip that is encoded as a whole; `header` is the encoder's, Annex B."""
        ...
