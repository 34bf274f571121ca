"""What codecs share whose encoded pictures are never joined with copied ones."""

from __future__ import annotations

from cutback.cutting.codecs.codec import Entry, HeaderRewriter
from cutback.cutting.index import Track


class NeverJoined:
    """See `Codec`: such a codec only encodes whole clips."""

    one_entry = False

    def joinable(self, track: Track) -> bool:
        """Never."""
        del track
        return False

    def entry(self, track: Track, head: bytes) -> Entry:
        """Nothing is copied beside what is encoded."""
        del track, head
        return "none"

    def header_rewriter(self, track: Track) -> HeaderRewriter | None:
        """There is none."""
        del track
        return None

    def joined_entries(self, track: Track, header: bytes) -> tuple[list[bytes], int]:
        """Never called: nothing is joined."""
        del header
        return [track.descriptions[0].raw], 0

    def message_unit(self, messages: bytes) -> bytes:
        """The messages of HDR are only in the container."""
        del messages
        return b""
