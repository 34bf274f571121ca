"""Keeps the tests, and all that they start, from real-time priority.

SVT-AV1 takes the highest one for its threads, and for the thread that opens it, if it runs as root. The child process
that cuts clips is refused it (`cutback.sandbox.seccomp`); a test that encodes in its own process is not, and then
neither the rest of the tests nor the browsers that they start leave a processor to anything else.
"""

from __future__ import annotations

import ctypes
import os
import resource

_CAP_SYS_NICE = 23
_PR_CAPBSET_DROP = 24
_VERSION_3 = 0x20080522
"""Of capabilities: Linux `capability.h`."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def give_up() -> None:
    """Give up the right to real-time priority, for this process and those that it starts. Others do not have it."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_CAPBSET_DROP, _CAP_SYS_NICE, 0, 0, 0)  # what is started as root would have it again
    header, sets = _Header(_VERSION_3, 0), (_Sets * 2)()
    if libc.capget(ctypes.byref(header), sets) == 0:
        for kind, _ in _Sets._fields_:
            setattr(sets[0], kind, getattr(sets[0], kind) & ~(1 << _CAP_SYS_NICE))
        libc.capset(ctypes.byref(header), sets)
    resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
