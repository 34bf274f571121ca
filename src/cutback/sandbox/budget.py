"""How much a job may read: enough for every honest recording, not enough to read for ever."""

from __future__ import annotations

from collections.abc import Sequence

from cutback.domain.errors import MediaTooLargeError

_FREE_READS = 50_000
_BYTES_A_READ = 1024
"""A job may read once more for each so many bytes of its recordings."""
_TIMES = 8
"""A job reads the index, what it decodes and what it checks; each byte may come so often."""
_FREE_BYTES = 64 * 1024 * 1024


class ReadBudget:
    """Counts the reads of one job, and their bytes."""

    def __init__(self, sizes: Sequence[int]) -> None:
        """`sizes` are the bytes of the job's recordings."""
        self._reads = _FREE_READS + sum(sizes) // _BYTES_A_READ
        self._bytes = _FREE_BYTES + _TIMES * sum(sizes)

    def spend(self, *lengths: int) -> None:
        """Note reads of so many bytes each.

        Raises:
            MediaTooLargeError: more than the job may read.
        """
        self._reads -= max(1, len(lengths))
        self._bytes -= sum(lengths)
        if self._reads < 0 or self._bytes < 0:
            raise MediaTooLargeError("It takes more reads than a recording of its size should.")
