"""Measures a process and its children: wall-clock and processor seconds, memory, bytes read. Only on Linux."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_SECONDS = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")


class ToolFailedError(Exception):
    """A program that is being measured failed; the message holds its last words."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a program."""

    wall: float
    """Seconds from its start to its end."""
    cpu: float
    """Seconds of processor time, its children's included."""
    peak: int | None
    """Bytes of memory, its children's included; None when it was not sampled, which would slow it."""
    bytes_read: int
    """From files, as the kernel counts `read` calls: its own program's files are among them."""
    output: str


def measure(command: Sequence[str], *, cwd: Path, sampled: bool) -> Measured:
    """Run a program to its end.

    Raises:
        ToolFailedError: it is not there, or answered anything but 0.
    """
    began = time.perf_counter()
    try:
        process = subprocess.Popen(
            command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:
        raise ToolFailedError(f"{command[0]}: {error.strerror}") from error
    assert process.stdout is not None
    with process.stdout, sampling(process.pid, enabled=sampled) as peak:
        output = process.stdout.read().decode(errors="replace")
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # still there, so that its counters are
        wall = time.perf_counter() - began
        bytes_read = _read_by(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ToolFailedError(f"{command[0]} ended with {process.returncode}: {output.strip()[-500:]}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, peak.value if sampled else None, bytes_read, output)


class Peak:
    """The greatest value seen."""

    value = 0


@contextmanager
def sampling(pid: int, *, enabled: bool) -> Iterator[Peak]:
    """Sample the memory of a process and its descendants, fifty times a second, until the block ends."""
    peak = Peak()
    done = threading.Event()

    def sample() -> None:
        while not done.wait(_SAMPLE_SECONDS):
            peak.value = max(peak.value, sum(_memory(each) for each in tree(pid)))

    if not enabled:
        yield peak
        return
    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield peak
    finally:
        done.set()
        sampler.join()


def settle(pid: int, *, quiet: float = 0.25, patience: float = 30.0) -> None:
    """Wait until a process and its descendants have been idle for `quiet` seconds, or `patience` has run out."""
    deadline = time.monotonic() + patience
    seen, since = processor_seconds(pid), time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - since < quiet:
        time.sleep(0.05)
        now = processor_seconds(pid)
        if now != seen:
            seen, since = now, time.monotonic()


def tree(pid: int) -> list[int]:
    """A process and all its descendants that live now."""
    found = [pid]
    for each in found:  # grows meanwhile
        for listing in Path(f"/proc/{each}/task").glob("*/children"):
            found += [int(child) for child in _text(listing).split()]
    return found


def processor_seconds(pid: int) -> float:
    """Of a process and its descendants that live now."""
    ticks = 0
    for each in tree(pid):
        fields = _text(Path(f"/proc/{each}/stat")).rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12]) if fields else 0
    return ticks / _TICKS


def _memory(pid: int) -> int:
    """Its share of what it and others have mapped (PSS), in bytes."""
    for line in _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _read_by(pid: int) -> int:
    for line in _text(Path(f"/proc/{pid}/io")).splitlines():
        if line.startswith("rchar:"):
            return int(line.split()[1])
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:  # it has just ended
        return ""
