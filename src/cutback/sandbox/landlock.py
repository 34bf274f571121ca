"""Landlock, where the kernel has it: no file can be opened or changed and no port used, whatever call is made.

Numbers: Linux `landlock.h`.
"""

from __future__ import annotations

import ctypes
import struct
import sys

_CREATE, _RESTRICT = 444, 446
_VERSION = 1
_NO_NEW_PRIVILEGES = 38
_FILES = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many kinds of access to files a version of Landlock knows; later ones know those of 5."""
_NETWORK_SINCE, _SCOPES_SINCE = 4, 6


def forbid_all(libc: ctypes.CDLL) -> bool:
    """Permanently drop every access that this kernel's Landlock knows. Returns whether that worked."""
    if sys.platform != "linux":
        return False
    version = int(libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION)))
    if version < 1 or libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    files = (1 << _FILES.get(version, 16)) - 1
    network = 0b11 if version >= _NETWORK_SINCE else 0
    scopes = 0b11 if version >= _SCOPES_SINCE else 0
    attributes = struct.pack("QQQ", files, network, scopes)
    size = 24 if version >= _SCOPES_SINCE else 16 if version >= _NETWORK_SINCE else 8
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    ruleset = libc.syscall(_CREATE, ctypes.byref(buffer), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    taken = libc.syscall(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0
    libc.close(ctypes.c_int(ruleset))
    return bool(taken)
