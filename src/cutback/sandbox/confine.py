"""Confines a child process before it reads the first byte of a recording.

Resource limits apply everywhere. On Linux (x86-64 and arm64), a seccomp filter allows only the system calls that
decoding needs. If the kernel has Landlock, it forbids all access to files and ports besides. If the process runs as
root, it changes to a user without rights. If the kernel allows it, the process also gets its own namespaces, without a
network.

Numbers: Linux `sched.h` and `prctl.h`.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import tempfile
from pathlib import Path

from cutback.cutting.job import Limits
from cutback.sandbox import landlock, seccomp

LARGEST_SPOOL = 64 * 1024**3
"""Maximum bytes of re-encoded media in one clip."""

_OPEN_FILES = 64

_DUMPABLE = 4  # PR_SET_DUMPABLE
_NEW_USERS = 0x10000000  # CLONE_NEWUSER
_NEW_NAMESPACES = 0x40000000 | 0x08000000 | 0x04000000  # network, IPC, host name

_NOBODY = 65534
"""The user without rights of every Linux distribution; user namespaces show it for users that they do not know."""


def confine(limits: Limits) -> tuple[str, ...]:
    """Permanently drop what decoding does not need. Call this while the process has a single thread.

    Returns what is in effect: `limits`, `namespaces`, `user`, `landlock` and `seccomp`, as far as this system
    supports them.
    """
    held = ["limits"]
    _limit(limits)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        separated = os.geteuid() == 0 and libc.unshare(_NEW_NAMESPACES) == 0
        dropped = _drop_root()
        libc.prctl(_DUMPABLE, 0, 0, 0, 0)  # other processes of the same user must not inspect this one
        separated = libc.unshare(_NEW_USERS | _NEW_NAMESPACES) == 0 or separated
        in_effect = {
            "namespaces": separated,
            "user": dropped,
            "landlock": landlock.forbid_all(libc),
            "seccomp": seccomp.install(libc, os.getpid()),
        }
        held += [name for name, holds in in_effect.items() if holds]
    return tuple(held)


def _drop_root() -> bool:
    """Change from root to the user nobody. If root is not allowed to do that, nothing changes."""
    if os.geteuid() != 0:
        return False
    try:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    except OSError:  # a container without such a user, or whose root lacks the permission
        return False
    return True


def _limit(limits: Limits) -> None:
    used = int(Path("/proc/self/statm").read_bytes().split()[0]) * resource.getpagesize()
    for kind, limit in (
        (resource.RLIMIT_AS, used + limits.memory),
        (resource.RLIMIT_CPU, 2 * limits.seconds),
        (resource.RLIMIT_FSIZE, LARGEST_SPOOL),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        lowest = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (lowest, lowest))


def into_nowhere() -> None:
    """Change to a deleted directory: relative paths fail there, and nothing can be created."""
    folder = Path(tempfile.mkdtemp())
    os.chdir(folder)
    folder.rmdir()
