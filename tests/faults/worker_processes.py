"""What tests of worker processes share: a folder to work in, and ways to start, pause and kill workers."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults.child_processes import ROOT, ChildProcesses
from tests.support.fake_cutter import FakeCutter
from tests.support.waiting import PATIENCE, Progress, eventually, handles

from cutback.adapters.build import build
from cutback.domain.base import utc_now
from cutback.domain.clips.clip import Clip
from cutback.domain.clips.event import Event
from cutback.domain.clips.files import files_of
from cutback.domain.requests.request import ClipRequest, validate_request
from cutback.lifecycle.housekeeping import housekeep
from cutback.ports import ClipQuery
from cutback.services import Services
from cutback.settings.settings import Settings

STAGES = [
    "received",
    "parsed",
    "recorded",
    "claimed",
    "resolved",
    "rendering",
    "rendered",
    "storing",
    "stored",
    "committed",
    "announced",
    "acknowledged",
]


class WorkerProcesses:
    """A folder in which worker processes run, and what a test may know and do about them."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.plan = folder / "plan"
        self.plan.mkdir(parents=True)
        chosen = {
            "data": folder / "data",
            "lease": 1,
            "visibility": 1.5,
            "max_tries": 60,
            "retry_delay": 0.1,
            "retry_patience": 0,
            "housekeeping": 0.5,
            **settings,
        }
        self.settings = Settings(**chosen)
        recordings = folder / "data" / "recordings"
        recordings.mkdir(parents=True)
        (recordings / "sea.mp4").write_bytes(b"bytes of the sea" * 500)
        self.services = self.open()
        self._position = 0
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CUTBACK_")},
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "CUTBACK_LOG_LEVEL": "ERROR",
            **{f"CUTBACK_{name.upper()}": str(value) for name, value in chosen.items()},
        }

    def open(self, later: timedelta = timedelta()) -> Services:
        return build(self.settings, cutter=FakeCutter(), clock=lambda: utc_now() + later)

    def accident(self, stage: str, number: int, *, times: int = 1) -> None:
        for index in range(times):
            (self.plan / f"{stage}.{index}").write_text(str(int(number)))

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/faults/worker_program.py"), str(self.plan)],
            env={**self.environment, **environment},
        )
        self.processes.append(process)
        return process

    def children(self, name: str, **environment: str) -> ChildProcesses:
        """Workers that are cheap to start and kill, as children of one process."""
        program = "tests.faults.worker_program"
        return ChildProcesses(name, program, self.plan, "--children", environment={**self.environment, **environment})

    def stop(self) -> list[int]:
        """Ask every process to stop; their exit codes.

        One that was started a moment ago is asked once it handles signals: before that, SIGTERM kills it.
        """
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                eventually(partial(_ended_or_handles, process, signal.SIGTERM), "a worker's handler of signals")
                process.send_signal(signal.SIGTERM)
        codes = [process.wait(PATIENCE) for process in self.processes]
        self.processes.clear()
        return codes

    def clips(self) -> list[Clip]:
        page = self.services.records.list_clips(ClipQuery(), limit=100)
        clips = list(page.clips)
        while page.next_cursor is not None:
            page = self.services.records.list_clips(ClipQuery(), limit=100, cursor=page.next_cursor)
            clips += page.clips
        return clips

    def state(self) -> tuple[object, ...]:
        """Changes while the workers get on with their work."""
        depth = self.services.queue.depth()
        events = self.services.records.events_after(self._position, limit=1000)
        self._position = events[-1][0] if events else self._position
        return depth.visible, depth.delayed, depth.dead, self._position

    def idle(self) -> bool:
        """Whether nothing is left to do."""
        depth = self.services.queue.depth()
        return depth.visible + depth.in_flight + depth.delayed == 0 and all(clip.state.final for clip in self.clips())

    def events(self) -> list[Event]:
        """All there were."""
        found: list[Event] = []
        position = 0
        while page := self.services.records.events_after(position, limit=1000):
            position = page[-1][0]
            found += [event for _, event in page]
        return found

    def event_ids(self) -> dict[str, set[str]]:
        """The ids of `clip.ready` events, by clip."""
        ids: dict[str, set[str]] = {}
        for event in self.events():
            if event.type == "clip.ready":
                ids.setdefault(event.subject, set()).add(event.id)
        return ids

    def sweep(self) -> None:
        """Let the time of every sweep come."""
        later = self.open(self.settings.sweep_delay + timedelta(hours=2))
        housekeep(later)
        while later.records.due(later.clock(), limit=1):
            housekeep(later)

    def strays(self) -> list[str]:
        """Files that should not be there, and clips that should."""
        data = self.settings.data
        allowed = {"cutback.sqlite", "cutback.sqlite-wal", "cutback.sqlite-shm", "webhook-secret"}
        needed = {f"clips/{file.key}" for clip in self.clips() for file in files_of(clip)}
        needed.add("recordings/sea.mp4")
        found = {str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()}
        missing = [f"{path} is missing" for path in sorted(needed - found)]
        return sorted(found - needed - allowed) + missing


THREE_OUTPUTS = [{"name": "clip"}, {"name": "second"}, {"name": "third", "precision": "keyframe"}]
"""The outputs of a request with three."""


def request(number: int, **fields: Any) -> ClipRequest:
    return validate_request(
        {
            "id": f"wave-{number}",
            "source": {"recording": "sea.mp4", "start": number, "end": number + 2},
            **fields,
        }
    )


def _ended_or_handles(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    return process.poll() is not None or handles(process.pid, number)


def paused(process: subprocess.Popen[bytes]) -> bool:
    return os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None


def keep_two_alive(
    workers: WorkerProcesses,
    *,
    random_kills: int,
    feed: Callable[[], None] = lambda: None,
    **environment: str,
) -> Counter[int]:
    """Run two workers, starting another whenever one dies, until all is done. Returns how they ended.

    It may take as long as it likes; it fails when neither kills nor clips go on.

    `feed` is called again and again while there are kills to come, to see that there is work.
    """
    chance = random.Random(20261124)
    ends: Counter[int] = Counter()
    progress = Progress("two workers", lambda: (random_kills, len(list(workers.plan.iterdir())), *workers.state()))
    handles: dict[int, subprocess.Popen[bytes]] = {}
    poll = select.poll()
    while random_kills or list(workers.plan.iterdir()) or not workers.idle():
        progress.check()
        if random_kills or list(workers.plan.iterdir()):
            feed()
        while len(handles) < 2:
            process = workers.start(**environment)
            handle = os.pidfd_open(process.pid)
            handles[handle] = process
            poll.register(handle, select.POLLIN)
        ready = poll.poll(chance.uniform(50, 700))
        if not ready and random_kills:
            random_kills -= killed(chance.choice(list(handles.values())))
        for handle, _ in ready:
            process = handles.pop(handle)
            poll.unregister(handle)
            os.close(handle)
            ends[process.wait()] += 1
            workers.processes.remove(process)
    for handle, process in handles.items():
        os.close(handle)
        if process.poll() is not None:  # the last one to be killed
            ends[process.returncode] += 1
            workers.processes.remove(process)
    return ends


def killed(process: subprocess.Popen[bytes]) -> bool:
    """Kill a worker, unless it is dead already: it is stopped first, which tells one from the other."""
    process.send_signal(signal.SIGSTOP)
    found = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    if found is None or found.si_code != os.CLD_STOPPED:
        return False
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    return True
