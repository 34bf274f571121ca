"""The filter allows the listed calls and no others, on both architectures, and on this kernel in fact."""

from __future__ import annotations

import errno
import json
import os
import struct
import subprocess
import sys

import pytest
from tests.support.waiting import PATIENCE

from cutback.sandbox import seccomp
from cutback.sandbox.syscalls import ANY, CHECKED, CLONE3, NEWEST_KNOWN

PID = 4711
ALLOWED, REFUSED, UNKNOWN = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}


def answer(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the filter answers, by an interpreter of the few instructions that it is made of."""
    code = list(struct.iter_unpack("HBBI", seccomp.program(machine, PID)))
    given = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("<iIQ6Q", number, MACHINES[machine][0] if audit is None else audit, 0, *given)
    at = accumulator = 0
    while True:
        kind, yes, no, value = code[at]
        at += 1
        match kind:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x15:
                at += yes if accumulator == value else no
            case 0x35:
                at += yes if accumulator >= value else no
            case 0x45:
                at += yes if accumulator & value else no
            case 0x06:
                return int(value)


@pytest.mark.parametrize("machine", MACHINES)
def test_exactly_the_listed_calls_are_allowed(machine: str) -> None:
    column = MACHINES[machine][1]
    listed = {numbers[column] for numbers in ANY.values()} - {None}
    checked = {numbers[column] for numbers in CHECKED.values()}
    assert not listed & checked
    for number in range(1024):
        if number in checked:
            continue
        expected = (
            ALLOWED if number in listed else UNKNOWN if number in {CLONE3, *range(NEWEST_KNOWN, 1024)} else REFUSED
        )
        assert answer(machine, number, 2**64 - 1, 2**64 - 1, 2**64 - 1) == expected, number
        assert answer(machine, number | 0x40000000) == REFUSED, "32-bit pointers"
        assert answer(machine, number, audit=0x40000003) == REFUSED, "another machine's calls"


READ_WRITE, EXECUTABLE, THREAD = 0x3, 0x4, 0x00010000
ARGUMENTS = [
    ("mmap", (0, 4096, READ_WRITE), ALLOWED),
    ("mmap", (0, 4096, READ_WRITE | EXECUTABLE), REFUSED),
    ("mprotect", (4096, 4096, READ_WRITE), ALLOWED),
    ("mprotect", (4096, 4096, EXECUTABLE), REFUSED),
    ("sendto", (3, 4096, 10, 0, 0, 0), ALLOWED),
    ("sendto", (3, 4096, 10, 0, 4096, 16), REFUSED),
    ("sendto", (3, 4096, 10, 0, 2**32, 16), REFUSED),
    ("clone", (0x3D0F00 | THREAD,), ALLOWED),
    ("clone", (17,), REFUSED),
    ("fcntl", (3, 3), ALLOWED),
    ("fcntl", (3, 8, 1), REFUSED),
    ("fcntl", (3, 10, 9), REFUSED),
    ("fcntl", (3, 15, 1), REFUSED),
    ("fcntl", (3, 1024, 1), REFUSED),
    ("ioctl", (3, 0x5401), ALLOWED),
    ("ioctl", (3, 0x5412), REFUSED),
    ("prctl", (15,), ALLOWED),
    ("prctl", (4, 1), REFUSED),
    ("prctl", (22, 2), REFUSED),
    ("prlimit64", (0, 3, 0, 4096), ALLOWED),
    ("prlimit64", (PID, 3, 0, 4096), ALLOWED),
    ("prlimit64", (0, 3, 4096, 0), REFUSED),
    ("prlimit64", (0, 3, 2**32, 0), REFUSED),
    ("prlimit64", (PID + 1, 3, 0, 4096), REFUSED),
    ("sched_getaffinity", (0,), ALLOWED),
    ("sched_getaffinity", (PID + 1,), REFUSED),
    ("sched_getparam", (0,), ALLOWED),
    ("sched_getparam", (PID + 1,), REFUSED),
    ("sched_getscheduler", (PID,), ALLOWED),
    ("sched_getscheduler", (1,), REFUSED),
    ("getpriority", (0, 0), ALLOWED),
    ("getpriority", (0, 1), REFUSED),
    ("getpriority", (2, 0), REFUSED),
    ("setpriority", (0, 0, 5), ALLOWED),
    ("setpriority", (0, 1, 5), REFUSED),
    ("setpriority", (1, 0, 5), REFUSED),
    ("tgkill", (PID, PID, 6), ALLOWED),
    ("tgkill", (PID + 1, PID + 1, 6), REFUSED),
    ("tgkill", (0, PID, 6), REFUSED),
]


@pytest.mark.parametrize("machine", MACHINES)
def test_arguments_are_checked_where_they_matter(machine: str) -> None:
    assert {name for name, _, _ in ARGUMENTS} == set(CHECKED)
    for name, arguments, expected in ARGUMENTS:
        assert answer(machine, CHECKED[name][MACHINES[machine][1]], *arguments) == expected, (name, arguments)


PROGRAM = """
import ctypes, json, os, sys
from cutback.cutting.job import Limits
from cutback.sandbox.confine import confine

allowed, parent = set(json.loads(sys.argv[1])), int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
page = ctypes.create_string_buffer(4096)
at = ctypes.addressof(page)
held = confine(Limits())

def call(number, *arguments):
    ctypes.set_errno(0)
    given = [ctypes.c_long(number), *map(ctypes.c_long, (*arguments, 0, 0, 0, 0, 0, 0)[:6])]
    result = libc.syscall(*given)
    return ctypes.get_errno() if result == -1 else "done"

outcome = {str(number): call(number) for number in range(1024) if number not in allowed}
attacks = {name: call(*numbers) for name, numbers in json.loads(sys.argv[3]).items()}
sys.stdout.write(json.dumps({"held": held, "outcome": outcome, "attacks": attacks}))
"""


@pytest.mark.skipif(not seccomp.supported(), reason="the filter is for Linux on x86-64 and arm64")
def test_every_other_call_is_refused_by_this_kernel() -> None:
    """As a taken-over child would try them, with the numbers of this machine."""
    column = MACHINES[os.uname().machine][1]
    listed = [numbers[column] for numbers in (*ANY.values(), *CHECKED.values()) if numbers[column] is not None]
    parent = os.getpid()
    x86 = column == 0
    attacks = {
        "signal the parent": (CHECKED["tgkill"][column], parent, parent, 0),
        "have the parent signalled by a socket": (CHECKED["fcntl"][column], 0, 8, parent),
        "raise the parent's limits": (CHECKED["prlimit64"][column], parent, 7, 0, 0),
        "look at the parent's processors": (CHECKED["sched_getaffinity"][column], parent, 8, 0),
        "fork": (CHECKED["clone"][column], 17),
        "make memory executable": (CHECKED["mmap"][column], 0, 4096, 7, 0x22, -1, 0),
        "send to an address": (CHECKED["sendto"][column], 0, 0, 0, 0, 1, 16),
        "look into the parent again": (CHECKED["prctl"][column], 4, 1),
        "queue a signal": (129 if x86 else 138, parent, 0, 0),
        "take the parent's descriptor": (438, 0, 0, 0),
        "ask the socket for a descriptor of the parent": (55 if x86 else 209, 0, 1, 77, 0, 0),
        "make a pair of datagram sockets": (53 if x86 else 199, 1, 2, 0, 0),
        "ask about a path": (262 if x86 else 79, -100, 0, 0, 0x1000),
        "ask about a path anew": (332 if x86 else 291, -100, 0, 0, 0, 0),
        "change a file's mode": (452, -100, 0, 0, 0),
        "change a file's times": (280 if x86 else 88, -100, 0, 0, 0),
        "set an attribute": (188 if x86 else 5, 0, 0, 0, 0, 0),
        "open a tree": (467, -100, 0, 0, 0, 0),
        "change the parent's priority": (141 if x86 else 140, 0, parent, 0),
        "change the parent's processors": (203 if x86 else 122, parent, 8, 0),
    }
    # Newer kernels let these two pass any filter; they kill a process that calls them other than for a probe.
    passed = [335, 336] if x86 else []
    command = [sys.executable, "-c", PROGRAM, json.dumps([*listed, *passed]), str(parent), json.dumps(attacks)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    found = json.loads(done.stdout)
    assert "seccomp" in found["held"]
    tried = found["outcome"]
    assert len(tried) == 1024 - len({*listed, *passed})
    assert {number: code for number, code in tried.items() if code not in {errno.EPERM, errno.ENOSYS}} == {}
    assert {code for number, code in tried.items() if int(number) < NEWEST_KNOWN and int(number) != CLONE3} == {
        errno.EPERM
    }
    assert set(found["attacks"].values()) == {errno.EPERM}, found["attacks"]
    if os.geteuid() == 0:
        assert "user" in found["held"]
