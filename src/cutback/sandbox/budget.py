"""Limits how much a job may read: enough for every normal recording, but not endlessly."""

from __future__ import annotations

from cutback.cutting.job import CutJob
from cutback.domain.errors import MediaTooLargeError

_FREE_READS = 50_000
_BYTES_A_READ = 1024
"""A job may do one more read for each of this many bytes of its recordings."""
_TIMES = 8
"""How often a job may read each byte: for the index, for decoding and for checks; and again for each range, since a
recording is decoded for each of its ranges."""
_FREE_BYTES = 64 * 1024 * 1024


class ReadBudget:
    """Counts the reads of one job and their bytes."""

    def __init__(self, job: CutJob) -> None:
        """The job's sizes and ranges say how much it may need."""
        size = sum(job.sizes) + sum(job.sizes[wanted.source] for wanted in job.footage)
        self._reads = _FREE_READS + size // _BYTES_A_READ
        self._bytes = _FREE_BYTES + _TIMES * size

    def spend(self, *lengths: int) -> None:
        """Note reads of these numbers of bytes.

        Raises:
            MediaTooLargeError: more than the job may read.
        """
        self._reads -= max(1, len(lengths))
        self._bytes -= sum(lengths)
        if self._reads < 0 or self._bytes < 0:
            raise MediaTooLargeError("It needs more reads than a recording of its size should.")
