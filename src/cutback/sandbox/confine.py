"""Confines a child process before it reads the first byte of a recording.

Resource limits apply everywhere. On Linux (x86-64 and arm64), a seccomp filter prevents the process from opening files
or sockets, starting programs, and forking or signalling processes; decoding needs none of that. If the kernel allows it
to ordinary users, the process also gets its own namespaces, without a network.

Numbers: Linux `unistd_64.h` and `asm-generic/unistd.h`, `seccomp.h`, `bpf_common.h`, `audit.h`, `sched.h`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
import sys
import tempfile
from pathlib import Path

from cutback.cutting.job import Limits

LARGEST_SPOOL = 64 * 1024**3
"""Maximum bytes of re-encoded media in one clip."""

_OPEN_FILES = 64

_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER_MODE = 38, 22, 2
_NEW_NAMESPACES = 0x10000000 | 0x40000000 | 0x08000000 | 0x04000000  # user, network, IPC, host name
_THREAD = 0x00010000  # CLONE_THREAD

_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06

# For each architecture: its audit number, `clone`, `clone3`, and the calls that are refused.
_X86 = (
    0xC000003E,
    56,
    435,
    """
    2 85 257 437  open creat openat openat2
    41 42 43 49 50 288 307  socket connect accept bind listen accept4 sendmmsg
    57 58 59 322  fork vfork execve execveat
    62 200 101 310 311 434 424  kill tkill ptrace process_vm_readv process_vm_writev pidfd_open pidfd_send_signal
    82 264 316 83 258 84 86 265 87 263 88 266  rename mkdir rmdir link unlink symlink and their at-forms
    90 268 92 94 260 76 133 259  chmod chown truncate mknod and their at-forms
    165 166 161 155 428 429 430 431 432 442  mount umount chroot pivot_root and the newer forms of mount
    272 308 321 298 323 425  unshare setns bpf perf_event_open userfaultfd io_uring_setup
    248 249 250 303 304  add_key request_key keyctl name_to_handle_at open_by_handle_at
    175 313 246 169 163 167 168  init_module finit_module kexec_load reboot acct swapon swapoff
    """,
)
_ARM = (
    0xC00000B7,
    220,
    435,
    """
    56 437  openat openat2
    198 203 202 200 201 242 269  socket connect accept bind listen accept4 sendmmsg
    221 281  execve execveat
    129 130 117 270 271 434 424  kill tkill ptrace process_vm_readv process_vm_writev pidfd_open pidfd_send_signal
    38 276 34 37 35 36  renameat renameat2 mkdirat linkat unlinkat symlinkat
    52 53 55 54 45 33  fchmod fchmodat fchown fchownat truncate mknodat
    40 39 51 41 428 429 430 431 432 442  mount umount chroot pivot_root and the newer forms of mount
    97 268 280 241 282 425  unshare setns bpf perf_event_open userfaultfd io_uring_setup
    217 218 219 264 265  add_key request_key keyctl name_to_handle_at open_by_handle_at
    105 273 104 142 89 224 225  init_module finit_module kexec_load reboot acct swapon swapoff
    """,
)
_MACHINES = {"x86_64": _X86, "aarch64": _ARM}


def confine(limits: Limits) -> tuple[str, ...]:
    """Permanently drop what decoding does not need. Call this while the process has a single thread.

    Returns what is in effect: `limits`, `namespaces` and `seccomp`, as far as this system supports them.
    """
    held = ["limits"]
    _limit(limits)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_NEW_NAMESPACES) == 0:
            held.append("namespaces")
        if _refuse_calls(libc):
            held.append("seccomp")
    return tuple(held)


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


def _refuse_calls(libc: ctypes.CDLL) -> bool:
    machine = _MACHINES.get(platform.machine())
    if machine is None or sys.maxsize < 2**32:
        return False
    audit, clone, clone3, table = machine
    program = _program(audit, clone, clone3, [int(word) for word in table.split() if word.isdigit()])
    buffer = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer)), ctypes.sizeof(ctypes.c_void_p) * 2
    )
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_SECCOMP, _FILTER_MODE, ctypes.byref(header), 0, 0) == 0)


def _program(audit: int, clone: int, clone3: int, refused: list[int]) -> bytes:
    """A BPF program over `struct seccomp_data` {int nr; u32 arch; u64 ip; u64 args[6]}."""
    refuse = _REFUSE | errno.EPERM
    code: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, audit),
        (_RETURN, 0, 0, refuse),  # calls of another architecture: 32-bit calls on a 64-bit kernel
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 1, 0x40000000),  # the same calls with the numbers of x32
        (_RETURN, 0, 0, refuse),
    ]
    # glibc falls back to clone, whose flags the filter can check.
    code += [(_EQUAL, 0, 1, clone3), (_RETURN, 0, 0, _REFUSE | errno.ENOSYS)]
    for number in refused:
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, refuse)]
    code += [
        (_EQUAL, 0, 3, clone),
        (_LOAD, 0, 0, 16),
        (_ANY_BIT, 1, 0, _THREAD),
        (_RETURN, 0, 0, refuse),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in code)


def into_nowhere() -> None:
    """Change to a deleted directory: relative paths fail there, and nothing can be created."""
    folder = Path(tempfile.mkdtemp())
    os.chdir(folder)
    folder.rmdir()
