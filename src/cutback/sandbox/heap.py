"""Returns freed memory to the system: a worker runs for weeks, and its threads' heaps would keep all memory.

With every large block that is freed, glibc raises the size above which it allocates blocks directly from the system. In
the end, megabytes of media come from heaps that never shrink. Other C libraries lack these calls and do not need them.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8  # M_MMAP_THRESHOLD and others of malloc.h
_LARGE = 1280 * 1024
"""Bytes. Chunks of files are smaller: allocating each one from the system would double the cost of copying it."""
_KEPT = 4 * 1024 * 1024
"""Free bytes that a heap keeps at its end."""


@cache
def _libc() -> ctypes.CDLL | None:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if hasattr(libc, "malloc_trim") else None


def keep_small() -> None:
    """Allocate large blocks directly from the system from now on. Call this once, early."""
    libc = _libc()
    if libc is not None:
        libc.mallopt(_MMAP_THRESHOLD, _LARGE)
        libc.mallopt(_TRIM_THRESHOLD, _KEPT)


def use_one_heap() -> None:
    """Let all threads share one heap. Call this before the first thread starts.

    Otherwise, each thread reserves 64 MiB of address space for a heap of its own, which it hardly uses but which counts
    against the limit: small jobs failed for want of memory that was free.
    """
    libc = _libc()
    if libc is not None:
        libc.mallopt(_ARENA_MAX, 1)


def give_back() -> None:
    """Return free memory to the system. Call this between jobs; it takes a few milliseconds at most."""
    libc = _libc()
    if libc is not None:
        libc.malloc_trim(0)
