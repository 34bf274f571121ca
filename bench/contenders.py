"""The programs that are measured: each makes a clip and reports its cost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bench.meter import Measured, ToolFailedError, measure, sampling, settle
from bench.sources import Source

START = "101.366667"
"""Where all clips begin, in seconds: frame 3041 of an even 30 a second, 1.37 s into a GOP."""

SMARTCUT = "1.7"


@dataclass(frozen=True, slots=True)
class Work:
    """A clip to be made."""

    source: Source
    seconds: int

    @property
    def end(self) -> str:
        """In seconds, written as `START` is."""
        whole, _, part = START.partition(".")
        return f"{int(whole) + self.seconds}.{part}"

    def __str__(self) -> str:
        """`g2, 30 s`."""
        return f"{self.source.name}, {self.seconds} s"


@dataclass(frozen=True, slots=True)
class Run:
    """One clip made, and its cost."""

    clip: Path
    wall: float
    """Seconds."""
    cpu: float
    """Seconds."""
    peak: int | None
    """Bytes of memory; None where it was not sampled."""
    bytes_read: int
    """Of the source; of peers, by the kernel's count of what the process read from files."""
    requests: int | None = None
    """Requests to the store; None without a store."""
    frames_encoded: int | None = None
    """As the tool itself tells; None where it does not."""


class Contender(Protocol):
    """A way to make a clip."""

    @property
    def name(self) -> str:
        """What the tables call it."""
        ...

    def takes(self, work: Work) -> bool:
        """Whether it is measured at this work."""
        ...

    def run(self, work: Work, folder: Path, /, *, sampled: bool) -> Run:
        """Make the clip, in `folder` or in the contender's own store.

        Raises:
            ToolFailedError: it could not.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that is started for each clip."""

    name: str
    command: Callable[[Work, Path], list[str]]
    takes: Callable[[Work], bool]
    tells: Callable[[Measured], dict[str, int]] = lambda _: {}
    """What of `Run` its output tells better than the kernel does."""

    def run(self, work: Work, folder: Path, /, *, sampled: bool) -> Run:
        """See `Contender.run`."""
        clip = folder / "clip.mp4"
        measured = measure(self.command(work, clip), cwd=folder, sampled=sampled)
        if not clip.exists():
            raise ToolFailedError(f"{self.name} made no file: {measured.output.strip()[-500:]}")
        found: dict[str, Any] = {"bytes_read": measured.bytes_read, **self.tells(measured)}
        return Run(clip, measured.wall, measured.cpu, measured.peak, **found)


@dataclass(slots=True)
class WarmWorker:
    """Cutback in a worker that has been running: a process takes one job after the other, as a worker does."""

    name: str
    precision: str
    takes: Callable[[Work], bool]
    home: Path
    """Where it keeps its clips and its database."""
    remote: bool = False
    """Whether it reads in the large pieces in which it reads from an object store, not in a folder's small ones."""
    _process: subprocess.Popen[str] | None = None
    _made: int = 0

    def run(self, work: Work, _folder: Path, /, *, sampled: bool) -> Run:
        """See `Contender.run`. The worker is idle at the beginning; its clip is in its own store."""
        process = self._process or self._start(work)
        settle(process.pid)
        self._made += 1
        key = f"bench/{self._made}/clip.mp4"
        span = {"recording": work.source.path.name, "start": START, "end": work.end}
        request = {"id": f"bench-{self._made}", "source": [span], "output": {"precision": self.precision}}
        with sampling(process.pid, enabled=sampled) as peak:
            answer = self._ask({"key": key, "request": json.dumps(request)})
        return Run(
            clip=Path(answer["path"]),
            wall=answer["wall"],
            cpu=answer["cpu"],
            peak=peak.value if sampled else None,
            bytes_read=answer["bytes_read"],
            requests=answer["requests"],
            frames_encoded=answer["frames_encoded"],
        )

    def stop(self) -> None:
        """End the worker; the next clip finds a new one, which knows no recording yet."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            process.wait(30)
            process.stdout.close()

    def _start(self, work: Work) -> subprocess.Popen[str]:
        where = [str(self.home), str(work.source.path.parent), *(["remote"] if self.remote else [])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.warm_worker", *where],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._hear()
        return self._process

    def _ask(self, task: dict[str, str]) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._process = None
            raise ToolFailedError(f"The worker ended with {code}; its last words are above.")
        answer: dict[str, Any] = json.loads(line)
        return answer


COPY = "`ffmpeg -c copy`"
REENCODE = "ffmpeg, full re-encode"
PEER = f"smartcut {SMARTCUT}"
EXACT_WARM = "Cutback exact, warm worker"
EXACT = "Cutback exact, process"
EXACT_REMOTE = "Cutback exact, object store reads"
KEYFRAME = "Cutback keyframe, warm worker"
INSTANT = "Cutback instant, warm worker"

FEWER_ROUNDS = {REENCODE: 3, EXACT_REMOTE: 1}
"""Who does not take part in all rounds: it takes long and varies little, or is there for what it counts."""


def contenders(smartcut: Path | None, home: Path) -> list[Contender]:
    """All of them, the limit first; workers keep their data in folders below `home`.

    `smartcut` is its program, None where it could not be installed.
    """
    found: list[Contender] = []
    if shutil.which("ffmpeg") is not None:
        found += [
            Tool(COPY, lambda work, clip: _ffmpeg(work, clip, "-c", "copy"), _always),
            Tool(REENCODE, _ffmpeg, lambda work: work.seconds <= 60 and not _is_long(work)),
        ]
    if smartcut is not None:
        program = str(smartcut)

        def keep(work: Work, clip: Path) -> list[str]:
            return [program, str(work.source.path), str(clip), "--keep", f"{START},{work.end}"]

        found.append(Tool(PEER, keep, lambda work: not _is_long(work)))
    found += [
        Tool(EXACT, _cutback, _always, _told_by_cutback),
        WarmWorker(EXACT_WARM, "exact", _always, home / "exact"),
        WarmWorker(KEYFRAME, "keyframe", _always, home / "keyframe"),
        WarmWorker(INSTANT, "instant", _always, home / "instant"),
        WarmWorker(EXACT_REMOTE, "exact", _always, home / "remote", remote=True),
    ]
    return found


def install_smartcut(cache: Path, say: Callable[[str], None]) -> Path | None:
    """Its program, in a separate virtual environment; None if it cannot be installed."""
    folder = cache / f"smartcut-{SMARTCUT}"
    program = folder / "bin" / "smartcut"
    if program.exists():
        return program
    say(f"installing smartcut {SMARTCUT}")
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(folder / "bin" / "pip"), "install", "--disable-pip-version-check", f"smartcut=={SMARTCUT}"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            say(f"smartcut cannot be installed: {done.stderr.strip()[-300:]}")
            return None
    return program


def _always(_work: Work) -> bool:
    return True


def _is_long(work: Work) -> bool:
    return work.source.name.endswith("h")


def _ffmpeg(work: Work, clip: Path, *how: str) -> list[str]:
    cut = ["-ss", START, "-i", str(work.source.path), "-t", str(work.seconds)]
    return ["ffmpeg", "-nostdin", "-v", "error", "-y", *cut, *how, str(clip)]


def _cutback(work: Work, clip: Path) -> list[str]:
    span = ["--from", START, "--to", work.end]
    return [sys.executable, "-m", "cutback", "cut", str(work.source.path), *span, "-o", str(clip), "--json"]


def _told_by_cutback(measured: Measured) -> dict[str, int]:
    told = json.loads(next(line for line in measured.output.splitlines() if line.startswith("{")))
    return {name: told[name] for name in ("bytes_read", "requests", "frames_encoded")}
