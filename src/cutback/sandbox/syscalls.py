"""The system calls that a confined process may make: everything else is refused.

The list was made by recording what cuts, probes and posters of the whole media matrix call once they are confined.
Calls that other versions of the C library, the interpreter and the kernel use for the same purposes are added.

Numbers: Linux `unistd_64.h` (x86-64) and `asm-generic/unistd.h` (arm64); None if the architecture has no such call.
"""

from __future__ import annotations

ANY = {
    # the descriptors it holds
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "readv": (19, 65),
    "writev": (20, 66),
    "preadv": (295, 69),
    "pwritev": (296, 70),
    "ftruncate": (77, 46),
    "recvfrom": (45, 207),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    # memory
    "brk": (12, 214),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    # threads
    "exit": (60, 93),
    "exit_group": (231, 94),
    "futex": (202, 98),
    "futex_waitv": (449, 449),
    "futex_wake": (454, 454),
    "futex_wait": (455, 455),
    "futex_requeue": (456, 456),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "membarrier": (324, 283),
    "sched_yield": (24, 124),
    "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126),
    "getcpu": (309, 168),
    # its own signals
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    # who it is and what time it is
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "times": (100, 153),
    "time": (201, None),
    "gettimeofday": (96, 169),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "getrandom": (318, 278),
}
"""Allowed with any arguments: they reach only what the process has already. (x86-64, arm64)"""

CHECKED = {
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "sendto": (44, 206),
    "clone": (56, 220),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120),
    "getpriority": (140, 141),
    "setpriority": (141, 140),
    "tgkill": (234, 131),
}
"""Allowed with some arguments only; see `seccomp.program`."""

CLONE3 = 435
"""Its flags lie in memory, where a filter cannot see them. The C library falls back to `clone`."""

NEWEST_KNOWN = 470
"""Calls beyond are unknown, not forbidden: the C library tries an older one instead."""
