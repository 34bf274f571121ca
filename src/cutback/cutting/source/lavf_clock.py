"""Removes clock jumps in MPEG-TS, such as after a camera restarts, an encoder is replaced or files are concatenated.

A jump is not time that passed: what follows it is presented right after what precedes it, with the same offset for all
streams, as `ffmpeg` itself does when it copies.
"""

from __future__ import annotations

TICKS = 90_000
"""Ticks per second in MPEG-TS (ISO/IEC 13818-1, 2.4.3.6). Integers, because recordings have very many packets."""

FORWARD = 10 * TICKS
"""Ticks without a packet that count as a clock jump; a shorter gap in the recording stays."""

BACK = TICKS // 2
"""Ticks by which DTS may go back without being a jump; they should never go back."""

_TOGETHER = 2 * TICKS
"""Ticks by which streams may differ after a jump."""


class Clock:
    """Tracks the clock over the packets of all streams, in the order of the file."""

    def __init__(self) -> None:
        self._due: dict[int, int] = {}
        self._offsets: dict[int, int] = {}
        self._latest = 0
        self.jumps = 0
        """The number of jumps, counted once for all streams."""

    def offset(self, stream: int, time: int, duration: int) -> int:
        """Return the ticks to add to the times of this stream's packets from this one on; `time` is its DTS."""
        offset = self._offsets.get(stream, self._latest)
        due = self._due.get(stream, time + offset)
        if not -BACK <= time + offset - due <= FORWARD:
            another = offset != self._latest  # another stream has already had this jump
            offset = self._latest if another and abs(time + self._latest - due) <= _TOGETHER else due - time
            if offset != self._latest:
                self.jumps += 1
            self._latest = offset
        self._offsets[stream] = offset
        self._due[stream] = time + offset + duration
        return offset
