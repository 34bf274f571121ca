"""The clock of an MPEG-TS may jump: a camera starts anew, an encoder is exchanged, two files become one.

Such a jump is no time that anybody waited: what follows it is presented right after what came before, in all streams
by the same difference, as `ffmpeg` itself does when it copies.
"""

from __future__ import annotations

TICKS = 90_000
"""A second's, in MPEG-TS (ISO/IEC 13818-1, 2.4.3.6). Integers: a recording has hundreds of thousands of packets."""

FORWARD = 10 * TICKS
"""Ticks without a packet that are a jump of the clock; less is a gap in the recording, which stays."""

BACK = TICKS // 2
"""Ticks by which decoding times may go back before it is a jump: they should not at all."""

_TOGETHER = 2 * TICKS
"""Ticks by which streams may be apart behind a jump."""


class Clock:
    """Follows the packets of all streams in the order of the file."""

    def __init__(self) -> None:
        self._due: dict[int, int] = {}
        self._offsets: dict[int, int] = {}
        self._latest = 0
        self.jumps = 0
        """How often it jumped, for the streams together."""

    def offset(self, stream: int, time: int, duration: int) -> int:
        """Ticks to add to the times of this stream's packets from this one on; `time` is its decoding time."""
        offset = self._offsets.get(stream, self._latest)
        due = self._due.get(stream, time + offset)
        if not -BACK <= time + offset - due <= FORWARD:
            another = offset != self._latest  # another stream has met the jump already
            offset = self._latest if another and abs(time + self._latest - due) <= _TOGETHER else due - time
            if offset != self._latest:
                self.jumps += 1
            self._latest = offset
        self._offsets[stream] = offset
        self._due[stream] = time + offset + duration
        return offset
