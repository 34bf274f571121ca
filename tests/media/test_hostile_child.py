"""A compromised child: whatever it sends or does not send, its parent ends it in time and is not affected."""

from __future__ import annotations

import ast
import json
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.cuts import BytesSource, KeepingSource, cut_in_child

import cutback.cutting
from cutback.cutting.job import CutJob, CutProgress, CutRange, Limits
from cutback.cutting.mp4.boxes import MOST_BOXES, top_level
from cutback.domain import errors
from cutback.domain.errors import (
    CutbackError,
    MediaCrashedError,
    MediaTooLargeError,
    MediaTooSlowError,
    MediaUnreadableError,
    StoppedError,
)
from cutback.sandbox import cutter as parent
from cutback.sandbox.budget import ReadBudget
from cutback.sandbox.cutter import ChildCutter
from cutback.sandbox.start_child import Child

WHOLE = (0, Fraction(0), Fraction(1000))
SOURCE = bytes(100_000)

BEGIN = """
import json, socket, struct, sys, time
sock = socket.socket(fileno=int(sys.argv[1]))

def say(text, payload=b"", claimed=None):
    text = text if isinstance(text, bytes) else json.dumps(text).encode()
    sock.sendall(struct.pack(">II", len(text), len(payload) if claimed is None else claimed) + text + payload)

def read(offset, length):
    say({"type": "ReadRequest", "source": 0, "offset": offset, "length": length, "index": False})

FACTS = {"size": 1, "duration": "1", "width": 1, "height": 1, "frames": 1, "frames_copied": 1, "frames_encoded": 0,
         "spans": [], "remade": False, "notes": []}
"""

SLOW = {
    "talks byte by byte": """
        text = json.dumps({"type": "ProgressReport", "fraction": 0.1, "frames": 1}).encode()
        for byte in struct.pack(">II", len(text) + 10**6, 0) + text + b" " * 10**6:
            sock.sendall(bytes([byte]))
            time.sleep(0.05)
    """,
    "talks without end": """
        while True:
            say({"type": "ProgressReport", "fraction": 0.1, "frames": 1})
    """,
    "hints without end": """
        while True:
            say({"type": "PrefetchHint", "source": 0, "ranges": []})
    """,
    "never reads what it asks for": """
        for number in range(10_000):
            read(0, 100_000)
        time.sleep(1000)
    """,
    "announces more than it sends": """
        say({"type": "Findings", "found": {}}, claimed=500_000_000)
        time.sleep(1000)
    """,
    "says nothing": "time.sleep(1000)",
}

LIES = {
    "a number of an endless exponent": """
        say({"type": "FinishedCut", "facts": {**FACTS, "duration": "1e999999999"}, "extents": []}, b"x")
    """,
    "a number of endless digits": """
        say({"type": "FinishedCut", "facts": {**FACTS, "duration": "9" * 10**6}, "extents": []}, b"x")
    """,
    "a span of a recording that is not there": """
        say({"type": "FinishedCut", "facts": {**FACTS, "spans": [[7, "0", "1", False]]}, "extents": []}, b"x")
    """,
    "a negative recording": """
        say({"type": "FinishedCut", "facts": {**FACTS, "spans": [[-1, "0", "1", False]]}, "extents": []}, b"x")
    """,
    "a size that is not the clip's": """
        say({"type": "FinishedCut", "facts": {**FACTS, "size": 10**15}, "extents": []}, b"x")
    """,
    "a read of everything": "read(0, 10**12)",
    "a negative read": "read(-1, 10)",
    "an offset that is no number": "read(True, 10)",
    "a fraction that is no number": """
        say(b'{"type": "ProgressReport", "fraction": NaN, "frames": 1}')
    """,
    "a list that fills the memory": """
        say(b'{"type": "FinishedCut", "extents": [' + b"[]," * 5_000_000 + b"[]]}")
    """,
    "a message that fills the memory": """
        sock.sendall(struct.pack(">II", 2**32 - 1, 2**32 - 1))
    """,
    "a list for an object": "say([1, 2])",
    "a reason that is the parent's": 'say({"type": "FailureReport", "reason": "stopped", "detail": ""})',
    "another such reason": 'say({"type": "FailureReport", "reason": "lease_lost", "detail": ""})',
}


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ChildCutter]:
    def with_child(program: str) -> ChildCutter:
        code = f"{BEGIN}\nsocket.recv_fds(sock, 1, 1)\n{textwrap.dedent(program)}\nsock.recv(1)\n"
        monkeypatch.setattr("cutback.sandbox.cutter.start_child", lambda: _start(code))
        return ChildCutter(warm=False)

    return with_child


def _start(code: str) -> Child:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen([sys.executable, "-c", code, str(theirs.fileno())], pass_fds=[theirs.fileno()])
    return Child(process, ours, tempfile.TemporaryFile(buffering=0))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("program", SLOW.values(), ids=SLOW.keys())
def test_a_limit_on_time_holds_whatever_the_child_does(program: str, hostile: Callable[[str], ChildCutter]) -> None:
    began = time.monotonic()
    with pytest.raises((MediaTooSlowError, MediaTooLargeError)):
        cut_in_child(hostile(program), [BytesSource(SOURCE)], WHOLE, limits=Limits(seconds=3, stall_seconds=2))
    assert time.monotonic() - began < 6


@pytest.mark.timeout(60)
@pytest.mark.parametrize("program", SLOW.values(), ids=SLOW.keys())
def test_a_cancel_takes_effect_within_a_second_whatever_the_child_does(
    program: str, hostile: Callable[[str], ChildCutter]
) -> None:
    started = time.monotonic()

    def stopped() -> bool:
        return time.monotonic() - started > 1.5

    with pytest.raises((StoppedError, MediaTooLargeError)):
        cut_in_child(hostile(program), [BytesSource(SOURCE)], WHOLE, stopped=stopped)
    assert time.monotonic() - started < 2.5


@pytest.mark.timeout(60)
@pytest.mark.parametrize("program", LIES.values(), ids=LIES.keys())
def test_what_the_child_says_is_checked_before_it_is_used(program: str, hostile: Callable[[str], ChildCutter]) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MediaCrashedError):
        cut_in_child(hostile(program), [BytesSource(SOURCE)], WHOLE)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 300 * 1024


def test_what_the_child_found_is_cleaned(hostile: Callable[[str], ChildCutter]) -> None:
    found = {"codec": "h264\x1b[2J\u202e", "streams": [{"n": 1, "x": 0.5, "none": None, "yes": True}]}
    with hostile_probe(hostile, found) as result:
        assert result == {"codec": "h264\\x1b[2J\\u202e", "streams": found["streams"]}


@pytest.mark.parametrize("found", ["[" * 50 + "]" * 50, '{"a": 1e999}', '{"a": 1' + "0" * 40 + "}", "7"])
def test_findings_of_a_wrong_form_are_refused(found: str, hostile: Callable[[str], ChildCutter]) -> None:
    program = f'say(b\'{{"type": "Findings", "found": \' + {found.encode()!r} + b\'}}\')'
    with pytest.raises(MediaCrashedError):
        hostile(program).probe(BytesSource(SOURCE), limits=Limits(), stopped=lambda: False)


class hostile_probe:  # noqa: N801 - reads as a function
    """What a probe by a child that says this gives."""

    def __init__(self, hostile: Callable[[str], ChildCutter], found: object) -> None:
        self._cutter = hostile(f"say({json.dumps({'type': 'Findings', 'found': found})!r}.encode())")

    def __enter__(self) -> object:
        return self._cutter.probe(BytesSource(SOURCE), limits=Limits(), stopped=lambda: False)

    def __exit__(self, *_: object) -> None:
        self._cutter.close()


@pytest.mark.parametrize("others", [0, 1])
def test_a_child_of_several_recordings_keeps_nothing_about_any_of_them(
    others: int, hostile: Callable[[str], ChildCutter]
) -> None:
    cutter = hostile("""
        say({"type": "KeptScan", "source": 0}, b"invented")
        say({"type": "FailureReport", "reason": "media_unreadable", "detail": ""})
    """)
    source = KeepingSource(SOURCE)
    with pytest.raises(MediaUnreadableError):
        cut_in_child(cutter, [source, *[BytesSource(SOURCE)] * others], WHOLE)
    assert source.kept == (b"" if others else b"invented")
    cutter.close()


def test_a_child_may_read_only_so_often_and_so_much() -> None:
    budget = ReadBudget(CutJob(sizes=(1000,), ranges=()))
    budget.spend(500, 500)
    with pytest.raises(MediaTooLargeError):
        budget.spend(10**9)
    budget = ReadBudget(CutJob(sizes=(), ranges=()))
    for _ in range(50_000):
        budget.spend(0)
    with pytest.raises(MediaTooLargeError):
        budget.spend(0)


def test_a_job_may_read_a_recording_again_for_each_of_its_ranges() -> None:
    size = 10**8
    ranges = (CutRange(0, Fraction(0), Fraction(20)),) * 50
    budget = ReadBudget(CutJob(sizes=(size,), ranges=ranges))
    for _ in ranges:
        budget.spend(size, size)
    with pytest.raises(MediaTooLargeError):
        ReadBudget(CutJob(sizes=(size,), ranges=ranges[:1])).spend(20 * size)


def test_every_error_of_the_cutting_code_may_be_reported_by_a_child() -> None:
    named = set()
    for path in Path(cutback.cutting.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name):
                named.add(node.exc.func.id)
    known = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)}
    raised = {known[name] for name in named & set(known) if issubclass(known[name], CutbackError)}
    assert len(raised) > 3
    assert raised <= set(parent._REASONS.values())


@pytest.mark.timeout(60)
def test_many_empty_boxes_take_few_reads_and_little_time(cutter: ChildCutter) -> None:
    boxes = struct.pack(">I4sI4s", 16, b"ftyp", 0, b"isom") + struct.pack(">I4s", 8, b"free") * 50_000
    source = BytesSource(boxes)
    reads: list[int] = []
    read = source.read_at

    def read_at(offset: int, length: int) -> bytes:
        reads.append(length)
        return read(offset, length)

    source.read_at = read_at  # type: ignore[method-assign]
    with pytest.raises(MediaUnreadableError):
        cut_in_child(cutter, [source], WHOLE, limits=Limits(seconds=30))
    assert len(reads) < 60
    assert sum(reads) < 2 * len(boxes)


def test_boxes_without_end_are_too_many() -> None:
    with pytest.raises(MediaTooLargeError):
        list(top_level(BytesSource(struct.pack(">I4s", 8, b"free") * (MOST_BOXES + 1))))


def test_progress_is_bounded(hostile: Callable[[str], ChildCutter]) -> None:
    said: list[CutProgress] = []
    program = """
        say({"type": "ProgressReport", "fraction": 1e300, "frames": 1})
        say({"type": "ProgressReport", "fraction": -5, "frames": 2})
        say({"type": "FailureReport", "reason": "media_unreadable", "detail": "x\\x1b]0;y" * 1000})
    """
    with pytest.raises(MediaUnreadableError) as failure:
        cut_in_child(hostile(program), [BytesSource(SOURCE)], WHOLE, on_progress=said.append)
    assert said == [CutProgress(1.0, 1), CutProgress(0.0, 2)]
    assert "\x1b" not in failure.value.detail
    assert len(failure.value.detail) <= 500
