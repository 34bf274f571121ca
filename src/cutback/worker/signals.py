"""Makes the kernel pass a signal to its handler only once.

Python runs a handler between two of its instructions. A process that hangs in a library would therefore ignore all
further signals.
"""

from __future__ import annotations

import ctypes
import signal
import sys


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
