"""How much address space a process has taken, and how near it came to its limit.

A failed allocation ends encoders in many ways: by a signal, with an error that says nothing, or never. What these have
in common is that the address space was nearly used up. The kernel does not tell how much a dead process used.
"""

from __future__ import annotations

import os
import re
import resource
import time
from dataclasses import dataclass
from pathlib import Path

_STATUS, _LIMITS = "/proc/{}/status", "/proc/{}/limits"
_SIZE = re.compile(rb"^VmSize:\s*(\d+) kB$", re.MULTILINE)
_PEAK = re.compile(rb"^VmPeak:\s*(\d+) kB$", re.MULTILINE)
_LIMIT = re.compile(rb"^Max address space\s+(\d+)", re.MULTILINE)
_PAUSE = 0.02
"""Minimum seconds between two looks at a process."""


@dataclass(frozen=True, slots=True)
class AddressSpace:
    """All in bytes."""

    size: int
    peak: int
    """The largest size so far."""
    limit: int

    @property
    def room(self) -> int:
        """How much more may be allocated."""
        return max(0, self.limit - self.size)

    @property
    def least_room(self) -> int:
        """The least room so far."""
        return max(0, self.limit - self.peak)


def is_short(left: int, memory: int) -> bool:
    """Whether a process that once had this many bytes left probably failed because an allocation did.

    `memory` is how much a job may add; an allocation is much smaller than a quarter of it.
    """
    return left <= memory // 4


class OwnAddressSpace:
    """That of this process, which may be confined after this was made: the file stays open."""

    def __init__(self) -> None:
        """Open what tells it.

        Raises:
            OSError: this system has no /proc.
        """
        self._file = os.open(_STATUS.format("self"), os.O_RDONLY | os.O_CLOEXEC)

    def read(self) -> AddressSpace:
        """Look at it now."""
        text = os.pread(self._file, 8192, 0)
        return AddressSpace(_kilobytes(_SIZE, text), _kilobytes(_PEAK, text), resource.getrlimit(resource.RLIMIT_AS)[0])


class ChildAddressSpace:
    """That of a child, as far as its parent has seen it while the child was alive."""

    def __init__(self, pid: int, memory: int) -> None:
        """`memory` is how many bytes the child's job may add."""
        self._pid, self._memory = pid, memory
        self._left = memory
        self._next_look = 0.0

    def look(self) -> None:
        """Look at it now, unless that was done a moment ago. Nothing changes if the child has ended."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _PAUSE
        try:
            peak = _kilobytes(_PEAK, Path(_STATUS.format(self._pid)).read_bytes())
            limit = _LIMIT.search(Path(_LIMITS.format(self._pid)).read_bytes())
        except OSError:  # no /proc, or none of this process
            return
        if limit is not None:  # the child has begun its job
            self.expect(int(limit[1]) - peak)

    def expect(self, left: int) -> None:
        """Note that the child will soon have only this many bytes left."""
        self._left = min(self._left, left)

    @property
    def was_short(self) -> bool:
        """See `is_short`."""
        return is_short(self._left, self._memory)


def _kilobytes(pattern: re.Pattern[bytes], text: bytes) -> int:
    found = pattern.search(text)
    return int(found[1]) * 1024 if found else 0
