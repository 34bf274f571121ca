"""A seccomp filter that allows the listed system calls, with checked arguments, and refuses all others.

Numbers: Linux `seccomp.h`, `bpf_common.h`, `audit.h`, `sched.h`, `mman.h`, `fcntl.h`, `prctl.h`.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys

from cutback.sandbox.syscalls import ANY, CHECKED, CLONE3, NEWEST_KNOWN

_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER_MODE = 38, 22, 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE = 0, 4
_X32 = 0x40000000
"""Added to a number on x86-64, it means the same call with 32-bit pointers."""

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""The machine's number in `audit.h`, and which of the two numbers of a call is its own."""

_EXECUTABLE = 0x4  # PROT_EXEC
_THREAD = 0x00010000  # CLONE_THREAD
_FCNTL = (1, 2, 3, 1030)  # F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC; F_SETOWN and F_SETSIG would send signals
_IOCTL = (0x5401,)  # TCGETS: whether a descriptor is a terminal
_PRCTL = (15, 16, 0x53564D41)  # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA: names of threads and of memory

Line = tuple[int, int, int, int]


def supported() -> bool:
    """Whether there is a list of calls for this system."""
    return sys.platform == "linux" and platform.machine() in _MACHINES and sys.maxsize > 2**32


def install(libc: ctypes.CDLL, pid: int) -> bool:
    """Apply the filter permanently to this process and its future threads. Returns whether the kernel accepted it."""
    if not supported() or libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    code = program(platform.machine(), pid)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer)), ctypes.sizeof(ctypes.c_void_p) * 2
    )
    return bool(libc.prctl(_SECCOMP, _FILTER_MODE, ctypes.byref(header), 0, 0) == 0)


def program(machine: str, pid: int) -> bytes:
    """The filter for `x86_64` or `aarch64`: BPF over `struct seccomp_data` {int nr; u32 arch; u64 ip; u64 args[6]}.

    `pid` is the process that may signal itself, as `abort` does.
    """
    audit, column = _MACHINES[machine]
    refused = _RETURN, 0, 0, _REFUSE | errno.EPERM
    unknown = _RETURN, 0, 0, _REFUSE | errno.ENOSYS
    allowed = _RETURN, 0, 0, _ALLOW
    code: list[Line] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, audit),
        refused,  # calls of another architecture: 32-bit calls on a 64-bit kernel
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        refused,
        (_EQUAL, 0, 1, CLONE3),
        unknown,
        (_AT_LEAST, 0, 1, NEWEST_KNOWN),
        unknown,
    ]
    for numbers in ANY.values():
        number = numbers[column]
        if number is not None:
            code += [(_EQUAL, 0, 1, number), allowed]
    for name, check in _checks(pid).items():
        body = [*check, refused]
        code += [(_EQUAL, 0, len(body), CHECKED[name][column]), *body]
    code.append(refused)
    return b"".join(struct.pack("HBBI", *line) for line in code)


def _checks(pid: int) -> dict[str, list[Line]]:
    """For each call, instructions that end with a decision or fall through to a refusal."""
    none, own = (0,), (0, pid)
    return {
        "mmap": _without(2, _EXECUTABLE),
        "mprotect": _without(2, _EXECUTABLE),
        "sendto": [*_high_is_zero(4), *_one_of(4, none)],  # no address: only where the socket leads
        "clone": _with(0, _THREAD),
        "fcntl": _one_of(1, _FCNTL),
        "ioctl": _one_of(1, _IOCTL),
        "prctl": _one_of(0, _PRCTL),
        # Reading its own limits is allowed, but not those of other processes, and not setting them.
        "prlimit64": [*_is_one_of(0, own), *_high_is_zero(2), *_one_of(2, none)],
        "sched_getaffinity": _one_of(0, own),
        "sched_getparam": _one_of(0, own),
        "sched_getscheduler": _one_of(0, own),
        # Some encoders set the priority of their own threads: PRIO_PROCESS, and 0 for the calling one.
        "getpriority": [*_is_one_of(0, none), *_one_of(1, none)],
        "setpriority": [*_is_one_of(0, none), *_one_of(1, none)],
        "tgkill": _one_of(0, (pid,)),
    }


def _low(argument: int) -> Line:
    return _LOAD, 0, 0, 16 + 8 * argument


def _with(argument: int, bits: int) -> list[Line]:
    return [_low(argument), (_ANY_BIT, 0, 1, bits), (_RETURN, 0, 0, _ALLOW)]


def _without(argument: int, bits: int) -> list[Line]:
    return [_low(argument), (_ANY_BIT, 1, 0, bits), (_RETURN, 0, 0, _ALLOW)]


def _one_of(argument: int, values: tuple[int, ...]) -> list[Line]:
    lines = [_low(argument)]
    for value in values:
        lines += [(_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW)]
    return lines


def _is_one_of(argument: int, values: tuple[int, ...]) -> list[Line]:
    """Continue if it is, refuse otherwise."""
    lines = [_low(argument)]
    lines += [(_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)]
    return [*lines, (_RETURN, 0, 0, _REFUSE | errno.EPERM)]


def _high_is_zero(argument: int) -> list[Line]:
    """Continue if the upper half of a 64-bit argument is 0, refuse otherwise. Both architectures are little-endian."""
    return [(_LOAD, 0, 0, 20 + 8 * argument), (_EQUAL, 1, 0, 0), (_RETURN, 0, 0, _REFUSE | errno.EPERM)]
