"""Memory that is freed goes back to the system: a worker lives for weeks, and its threads' heaps keep what they had."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any


@cache
def _trim() -> Any:
    """Glibc's `malloc_trim`; other C libraries have none, and need none."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


def give_back() -> None:
    """Call it between jobs; it takes a few milliseconds at most."""
    trim = _trim()
    if trim is not None:
        trim(0)
