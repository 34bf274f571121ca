"""The child process ends when it should: stopped, killed, or at one of its limits; and never stays behind."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import pytest
from tests.media.cuts import BytesSource, CutResult, StuckSource, cut_in_child
from tests.media.recordings import ReferenceRecording
from tests.support.media import MediaSpec, cached_media
from tests.support.waiting import Stopwatch, slowdown

from cutback.cutting.job import CutProgress, Limits, Precision
from cutback.domain.errors import (
    CutbackError,
    InternalError,
    MediaCrashedError,
    MediaTooLargeError,
    MediaTooSlowError,
    StoppedError,
    StorageFullError,
    SurroundingsError,
)
from cutback.sandbox.cutter import ChildCutter
from cutback.sandbox.start_child import Child

Recordings = Callable[[str], ReferenceRecording]

WHOLE = (0, Fraction(0), Fraction(1000))
LONG = MediaSpec(width=640, height=360, frames=600, gop=1000, codec_options={"preset": "ultrafast"}, audio=None)
"""Takes seconds to cut, as all of it is re-encoded."""
FROM_SECOND_FRAME = (0, Fraction("0.033"), Fraction(20))


@pytest.fixture
def cutter(interpreter_cutter: ChildCutter) -> ChildCutter:
    """Its processes start as in a worker: they are what is tested here."""
    return interpreter_cutter


@pytest.fixture(scope="module")
def long_recording(media_folder: Path) -> Path:
    """A recording that keeps a cutter busy."""
    return cached_media(LONG, media_folder)


def children() -> set[int]:
    """Living processes whose parent is this one; zombies count."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            if int(fields[1]) == os.getpid():
                found.add(int(entry.name))
    return found


@pytest.fixture(autouse=True)
def nothing_left_behind() -> object:
    """Every test here ends with the children it began with."""
    before = children()
    yield
    assert children() <= before


def test_a_stopped_job_ends_within_a_second(long_recording: Path, cutter: ChildCutter) -> None:
    wish = threading.Event()
    since: list[Stopwatch] = []

    def on_progress(step: CutProgress) -> None:
        if step.frames >= 5 and not wish.is_set():
            since.append(Stopwatch())
            wish.set()

    with pytest.raises(StoppedError):
        cut_in_child(cutter, [long_recording], FROM_SECOND_FRAME, stopped=wish.is_set, on_progress=on_progress)
    assert since[0].seconds() < 1 * slowdown()


def test_a_child_that_does_nothing_but_read_is_stopped_at_its_next_read(
    recording: Recordings, cutter: ChildCutter
) -> None:
    """While an index is read, nothing is said of progress, and a quick store leaves nothing to wait for."""
    source = BytesSource(recording("pyramid").path.read_bytes())
    read = source.read_at
    reads: list[int] = []

    def read_at(offset: int, length: int) -> bytes:
        reads.append(offset)
        return read(offset, length)

    source.read_at = read_at  # type: ignore[method-assign]
    with pytest.raises(StoppedError):
        cut_in_child(cutter, [source], WHOLE, stopped=lambda: len(reads) == 2)
    assert len(reads) == 2


def test_a_job_can_be_stopped_while_its_store_hangs(recording: Recordings, cutter: ChildCutter) -> None:
    source = StuckSource(recording("pyramid").path.read_bytes(), after=2)
    since: list[Stopwatch] = []

    def stopped() -> bool:
        if source.stuck.is_set() and not since:
            since.append(Stopwatch())
        return source.stuck.is_set()

    try:
        with pytest.raises(StoppedError):
            cut_in_child(cutter, [source], WHOLE, stopped=stopped)
        assert since[0].seconds() < 1 * slowdown()
    finally:
        source.let_go.set()


def test_a_job_that_is_stopped_from_the_start_is_not_done(long_recording: Path, cutter: ChildCutter) -> None:
    watch = Stopwatch()
    with pytest.raises(StoppedError):
        cut_in_child(cutter, [long_recording], FROM_SECOND_FRAME, stopped=lambda: True)
    assert watch.seconds() < 2 * slowdown()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_child_that_is_killed_is_a_crash_and_the_next_job_works(
    number: signal.Signals, long_recording: Path, recording: Recordings, cutter: ChildCutter
) -> None:
    before = children()

    def on_progress(step: CutProgress) -> None:
        if step.frames >= 5:
            for child in children() - before:
                os.kill(child, number)

    with pytest.raises(MediaCrashedError) as crash:
        cut_in_child(cutter, [long_recording], FROM_SECOND_FRAME, on_progress=on_progress)
    assert crash.value.reason == "media_crashed"
    again = cut_in_child(cutter, [recording("pyramid").path], (0, Fraction(1), Fraction(2)))
    assert isinstance(again, CutResult)
    assert again.facts.frames == 30


@pytest.fixture
def odd_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An interpreter that starts only with LD_LIBRARY_PATH, as Lambda's does. Returns where it notes its variables."""
    noted, program = tmp_path / "variables", tmp_path / "python"
    program.write_text(
        f'#!/bin/sh\nenv > {noted}\n[ "$LD_LIBRARY_PATH" = /opt/odd/lib ] || exit 127\nexec {sys.executable} "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setenv("CUTBACK_RECORDS_URL", "mongodb://user:secret@host/")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return noted


def test_a_child_gets_what_its_interpreter_needs_to_start_and_nothing_else(
    odd_interpreter: Path, cutter: ChildCutter, recording: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/odd/lib")
    assert cut_in_child(cutter, [recording("pyramid").path], (0, Fraction(1), Fraction(2))).facts.frames == 30
    noted = {line.partition("=")[0] for line in odd_interpreter.read_text().splitlines()}
    assert {"LD_LIBRARY_PATH", "PYTHONPATH", "LANG"} <= noted
    assert noted - {"LD_LIBRARY_PATH", "PYTHONPATH", "LANG"} <= {"PWD", "OLDPWD", "SHLVL", "_", "SVT_LOG"}


def test_a_child_that_cannot_start_is_not_the_recordings_fault(
    odd_interpreter: Path, cutter: ChildCutter, recording: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    with pytest.raises(SurroundingsError) as caught:
        cut_in_child(cutter, [recording("pyramid").path], (0, Fraction(1), Fraction(2)))
    assert caught.value.reason == "surroundings"
    assert caught.value.transient


def test_a_child_that_is_silent_for_too_long_is_ended(long_recording: Path, cutter: ChildCutter) -> None:
    before = children()
    frozen: list[int] = []

    def on_progress(step: CutProgress) -> None:
        if step.frames >= 5 and not frozen:
            frozen.extend(children() - before)
            for child in frozen:
                os.kill(child, signal.SIGSTOP)

    limits = Limits(stall_seconds=1)
    with pytest.raises(MediaTooSlowError) as slow:
        cut_in_child(cutter, [long_recording], FROM_SECOND_FRAME, on_progress=on_progress, limits=limits)
    assert slow.value.reason == "media_too_slow"


def test_a_job_that_takes_too_long_is_ended(long_recording: Path, cutter: ChildCutter) -> None:
    watch = Stopwatch()
    with pytest.raises(MediaTooSlowError):
        cut_in_child(cutter, [long_recording], FROM_SECOND_FRAME, limits=Limits(seconds=1))
    assert watch.seconds() < 3 * slowdown()


@pytest.mark.parametrize("name", ["pyramid", "mkv", "ts"])
@pytest.mark.parametrize(
    "limits",
    [
        Limits(pixels=320 * 180 - 1),
        Limits(streams=1),
        Limits(frames=100),
        Limits(duration=5),
    ],
    ids=["pixels", "streams", "frames", "duration"],
)
def test_a_recording_beyond_a_limit_is_too_large(
    name: str, limits: Limits, recording: Recordings, cutter: ChildCutter
) -> None:
    reference = recording(name)
    # From the second frame on, so that some of it has to be decoded.
    with pytest.raises(CutbackError) as refused:
        cut_in_child(cutter, [reference.path], (0, reference.times[1], reference.times[-1]), limits=limits)
    assert isinstance(refused.value, MediaTooLargeError), refused.value


@pytest.mark.parametrize("name", ["pyramid", "fragmented"])
def test_an_index_beyond_its_limit_is_too_large(name: str, recording: Recordings, cutter: ChildCutter) -> None:
    with pytest.raises(MediaTooLargeError):
        cut_in_child(cutter, [recording(name).path], WHOLE, limits=Limits(index_bytes=500))


def test_a_recording_at_its_limits_is_cut(recording: Recordings, cutter: ChildCutter) -> None:
    reference = recording("pyramid")
    limits = dataclasses.replace(Limits(), pixels=320 * 180, streams=2, duration=7)
    clip = cut_in_child(cutter, [reference.path], (0, reference.times[1], reference.times[40]), limits=limits)
    assert clip.facts.frames == 39


def test_a_cutter_that_is_closed_leaves_no_waiting_child() -> None:
    before = children()
    cutter = ChildCutter(warm=True)
    cutter.warm_up()
    assert len(children() - before) == 1
    cutter.close()
    assert children() == before


def test_the_log_says_what_confines_a_child(
    recording: Recordings, cutter: ChildCutter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "cutback.sandbox.cutter")
    cut_in_child(cutter, [recording("pyramid").path], (0, Fraction(1), Fraction(2)))
    (said,) = [record.getMessage() for record in caplog.records if "is confined by" in record.getMessage()]
    assert "limits" in said


@pytest.mark.parametrize("precision", ["exact", "keyframe"])
def test_a_clip_is_made_although_no_process_can_start_for_the_next_one(
    precision: Precision, recording: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> NoReturn:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    cutter = ChildCutter()
    cutter.warm_up()
    monkeypatch.setattr("cutback.sandbox.cutter.start_child", refuse)
    path = recording("pyramid").path
    clip = cut_in_child(cutter, [path], (0, Fraction(1), Fraction(2)), precision=precision)
    assert clip.facts.frames >= 30
    with pytest.raises(SurroundingsError):
        cut_in_child(cutter, [path], (0, Fraction(1), Fraction(2)), precision=precision)
    cutter.close()


LIAR = """
import socket, sys
from cutback.sandbox import wire
from cutback.cutting.job import Facts
from cutback.sandbox.messages import *
from cutback.cutting.mp4.layout import Extent
from cutback.cutting.outputs.made import OutputFile, MadeOutput

def finished(*extents, name="clip.mp4", of="clip", size=10):
    facts = Facts(size=size, duration=1, width=1, height=1, frames=1, frames_copied=1, frames_encoded=0, spans=())
    return FinishedCut((MadeOutput(of, facts, (OutputFile(name, extents),)),))

sock = socket.socket(fileno=int(sys.argv[1]))
wire.receive_spool(sock)
wire.receive(sock)
wire.send(sock, eval(sys.argv[2]))
sock.recv(1)
"""
"""A child that says one thing, whatever it was told to do."""


def start_program(program: str, *arguments: str) -> Child:
    """A child that is another program; its first argument is the socket."""
    ours, theirs = socket.socketpair()
    stderr = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - lives as long as the child
    with theirs:
        command = [sys.executable, "-c", program, str(theirs.fileno()), *arguments]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=stderr)
    return Child(process, ours, stderr)


BUG = """
from cutback.cutting import cut
from cutback.sandbox.child import main

def broken(*arguments, **more):
    raise {error}

cut.cut = broken
main()
"""
"""A child whose cutting fails by a bug."""


@pytest.mark.parametrize("error", ["KeyError('stco')", "ValueError('zip() argument 2 is longer')", "ImportError('av')"])
def test_a_bug_in_the_child_is_no_crash_and_its_id_leads_to_the_log(
    error: str, recording: Recordings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("cutback.sandbox.cutter.start_child", lambda: start_program(BUG.format(error=error)))
    cutter = ChildCutter(warm=False)
    with pytest.raises(InternalError) as bug:
        cut_in_child(cutter, [recording("pyramid").path], (0, Fraction(1), Fraction(2)))
    cutter.close()
    assert bug.value.reason == "internal_error"
    (told,) = re.findall(r"Error id ([0-9a-f]{8})\.", bug.value.message)
    assert error.partition("(")[0] not in bug.value.message, "internals are for the log"
    (logged,) = [record for record in caplog.records if told in record.getMessage()]
    assert logged.levelname == "ERROR"
    assert "Traceback" in logged.getMessage()
    assert error.partition("(")[0] in logged.getMessage()


def test_a_full_disk_is_not_a_bug(recording: Recordings, monkeypatch: pytest.MonkeyPatch) -> None:
    program = BUG.format(error="OSError(28, 'No space left on device')")
    monkeypatch.setattr("cutback.sandbox.cutter.start_child", lambda: start_program(program))
    cutter = ChildCutter(warm=False)
    with pytest.raises(StorageFullError):
        cut_in_child(cutter, [recording("pyramid").path], (0, Fraction(1), Fraction(2)))
    cutter.close()


@pytest.mark.parametrize(
    "message",
    [
        "ReadRequest(1, 0, 10, index=False)",
        "PrefetchHint(1, [(0, 10)])",
        "CopyForecast(1, 0, 10)",
        "ScanRequest(1)",
        "KeptScan(1, b'found')",
        "SourceBytes(b'')",
        "Findings({})",
        "DrawnPosters(())",
        "finished(Extent(1, 0, 10))",
        "finished(Extent(-1, 0, 10))",
        "finished(Extent(0, 0, 10), size=11)",
        "finished(Extent(0, 0, 10), of='other')",
        "finished(Extent(0, 0, 10), name='../clip.mp4')",
        "FinishedCut(())",
    ],
)
def test_a_child_that_says_what_cannot_be_is_a_crash(
    message: str, recording: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names sources and bytes that are not there, or speaks out of turn."""
    cutter = ChildCutter(warm=False)
    monkeypatch.setattr("cutback.sandbox.cutter.start_child", lambda: start_program(LIAR, message))
    with pytest.raises(MediaCrashedError):
        cut_in_child(cutter, [recording("pyramid").path], (0, Fraction(1), Fraction(2)))
    cutter.close()
