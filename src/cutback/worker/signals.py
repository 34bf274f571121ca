"""Stopping on signals: the first one asks, the second one ends the process, even one that hangs in a library.

Python runs a handler between two of its instructions, so a process that hangs in a library would ignore all further
signals; the kernel passes a signal to its handler only once. Imports little, so that `cutback cut` starts quickly.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class _LinuxAction(ctypes.Structure):
    """`struct sigaction` of glibc and musl, on 64-bit machines."""

    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_ubyte * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


class _MacAction(ctypes.Structure):
    """`struct sigaction` of macOS."""

    _fields_ = (("handler", ctypes.c_void_p), ("mask", ctypes.c_uint32), ("flags", ctypes.c_int))


_RESET_AFTER_ONE = {"linux": 0x80000000, "darwin": 0x0004}  # SA_RESETHAND of signal.h


def handle_only_once(number: signal.Signals) -> bool:
    """Keep the signal's handler, but let the kernel end the process if the signal is sent again.

    Returns whether this system supports that.
    """
    flag = _RESET_AFTER_ONE.get(sys.platform)
    if flag is None or sys.maxsize < 2**32:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    action = _LinuxAction() if sys.platform == "linux" else _MacAction()
    if libc.sigaction(int(number), None, ctypes.byref(action)) != 0:
        return False
    action.flags = ctypes.c_int(action.flags | flag).value
    return bool(libc.sigaction(int(number), ctypes.byref(action), None) == 0)


_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl.h


def die_with_parent() -> bool:
    """Let the kernel kill this process as soon as the thread that started it ends. Returns whether it will.

    This process need not run for that: it may be frozen, or hang in a library. Only Linux can do it. A parent that has
    ended already is not noticed.
    """
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0) == 0)


@contextmanager
def stopping_on_signals(stop: threading.Event) -> Iterator[None]:
    """Make the first SIGINT or SIGTERM set `stop`, and the second end the process. Only for the main thread.

    The same signal twice always ends the process, even if it hangs in a library.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(_number: int, _frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        # In another thread, because the interrupted thread may hold the event's lock.
        threading.Thread(target=stop.set, daemon=True).start()

    for number in before:
        signal.signal(number, handle)
        handle_only_once(number)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
