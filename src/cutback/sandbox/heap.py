"""Memory that is freed goes back to the system: a worker lives for weeks, and its threads' heaps keep what they had.

glibc raises the size from which it takes memory from the system piece by piece with every large piece that is freed;
in the end megabytes of media come out of heaps that never shrink. Other C libraries have neither call, and need none.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of malloc.h
_LARGE = 1280 * 1024
"""Bytes; a piece of a folder's file is smaller: each one new from the system would double what copying it costs."""
_KEPT = 4 * 1024 * 1024
"""Bytes that a heap keeps at its end between one piece and the next."""


@cache
def _libc() -> ctypes.CDLL | None:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if hasattr(libc, "malloc_trim") else None


def keep_small() -> None:
    """Large pieces are the system's own from now on. Call it once, early."""
    libc = _libc()
    if libc is not None:
        libc.mallopt(_MMAP_THRESHOLD, _LARGE)
        libc.mallopt(_TRIM_THRESHOLD, _KEPT)


def give_back() -> None:
    """Hand back what is free. Call it between jobs; it takes a few milliseconds at most."""
    libc = _libc()
    if libc is not None:
        libc.malloc_trim(0)
