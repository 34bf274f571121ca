"""`cutback demo --serve`, which is `make run`: at a terminal it stays up; elsewhere it checks the pages and ends."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from tests.media.cuts import BytesSource
from tests.path.shell import LONG, Shell
from tests.support.spec import MediaSpec
from tests.support.waiting import PATIENCE, eventually

from cutback.cli.demo.drawing.ride import RIDE_END, RIDE_START
from cutback.cli.demo.drawing.sea import make_recording
from cutback.cli.demo.recordings import DAY, FIRST, SECOND
from cutback.cutting.activity import activity
from cutback.cutting.job import Limits
from cutback.domain.cameras.moments import ActivityLine, find_moments

pytestmark = pytest.mark.slow

COLUMNS = 80
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def drawn(shell: Shell, media: Callable[[MediaSpec], Path]) -> Shell:
    """A shell in whose folder the demo finds its recordings."""
    folder = shell.folder / "cutback-data" / "recordings"
    folder.mkdir(parents=True)
    for recording in (FIRST, SECOND, *DAY):
        shutil.copy(media(LONG), folder / recording.key)
    return shell


class Terminal:
    """A command at a terminal of 80 columns."""

    def __init__(self, shell: Shell, *arguments: str) -> None:
        own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cutback", *arguments],
            cwd=shell.folder,
            env={**shell.environment, "TERM": "xterm", "COLUMNS": ""},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._own = own
        self._seen = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while part := os.read(self._own, 1 << 16):
                self._seen += part
        except OSError:  # the other end is closed
            pass

    @property
    def text(self) -> str:
        return _CONTROL.sub("", self._seen.decode(errors="replace")).replace("\r", "\n")

    def interrupt(self) -> int:
        """Do what Ctrl-C does. Returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(PATIENCE)
        os.close(self._own)


@contextmanager
def terminal(shell: Shell, *arguments: str) -> Iterator[Terminal]:
    opened = Terminal(shell, *arguments)
    try:
        yield opened
    finally:
        opened.close()


def test_without_a_terminal_it_checks_the_pages_and_at_one_it_stays_up(drawn: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = drawn.run("demo", "--serve", "--listen", f"127.0.0.1:{port}")
        assert code == 0, out + err
        (url,) = set(re.findall(r"http://127\.0\.0\.1:\d+", out))
        assert f"Port {port} is taken by another program; {url.rpartition(':')[2]} is the next free one." in err
    assert url != f"http://127.0.0.1:{port}"
    assert f"✓ {url}/ answers, and 13 clips are ready to play." in out
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    known = drawn.json("recordings")["recordings"]
    assert {each["key"] for each in known} == {each.key for each in (FIRST, SECOND, *DAY)}
    before = {each["id"] for each in drawn.json("clips")["clips"]}
    assert len(before) == 14

    with terminal(drawn, "demo", "--serve") as opened:
        eventually(lambda: "Ctrl-C stops" in opened.text or opened.process.poll() is not None, "it stays up")
        assert opened.process.poll() is None, opened.text
        (address,) = set(re.findall(r"The pages are at (http://127\.0\.0\.1:\d+/)", opened.text))
        assert "<title>Cutback</title>" in httpx.get(address).text
        clips = httpx.get(f"{address}v1/clips").json()["items"]
        assert {each["id"] for each in clips} == before, "nothing is requested again"
        assert opened.interrupt() == 0, opened.text
        assert "The clips are there from an earlier start." in opened.text
        assert "cutback demo" in opened.text
        assert "Stopped." in opened.text
        assert max(map(len, opened.text.splitlines())) <= COLUMNS

    shutil.rmtree(drawn.folder / "cutback-data" / "clips" / "first-light-1")
    code, _, err = drawn.run("demo", "--serve")
    assert code == 1
    assert err.splitlines()[-1].startswith("demo_failed: ")
    assert "first-light-1" in err, "the clip is in the records, but it does not play"


def test_the_only_wave_of_the_second_camera_is_its_moment(tmp_path: Path) -> None:
    """So the strip of the day shows one. It is drawn smaller than in the demo."""
    path, breaks = tmp_path / SECOND.key, SECOND.only
    assert breaks is not None
    make_recording(path, seconds=SECOND.seconds, size=(640, 360), camera=SECOND.camera, start=SECOND.start, only=breaks)
    found = activity(BytesSource(path.read_bytes()), Limits())
    line = ActivityLine(SECOND.start, found["step"], found["values"], "h264")
    [moment] = find_moments([line], SECOND.start, SECOND.start + timedelta(seconds=SECOND.seconds))
    peak = (moment.peak - SECOND.start).total_seconds() - breaks
    assert RIDE_START <= peak <= RIDE_END
