"""Real worker processes, killed and paused: all that was accepted ends once, and nothing is left behind."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_cutter import FakeCutter

from cutback import accept
from cutback.clip import Clip, ClipState
from cutback.housekeeping import housekeep
from cutback.model import utc_now
from cutback.ports import ClipQuery
from cutback.request import ClipRequest, validate_request
from cutback.services import Services, build
from cutback.settings import Settings

ROOT = Path(__file__).parents[2]
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


class Yard:
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
            "housekeeping": 0.5,
            **settings,
        }
        self.settings = Settings(**chosen)
        recordings = folder / "data" / "recordings"
        recordings.mkdir(parents=True)
        (recordings / "sea.mp4").write_bytes(b"bytes of the sea" * 500)
        self.services = self.open()
        self.processes: list[subprocess.Popen[bytes]] = []
        self.kills = 0
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

    def stop(self) -> list[int]:
        """Ask every process to stop; their exit codes."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGTERM)
        codes = [process.wait(20) for process in self.processes]
        self.processes.clear()
        return codes

    def clips(self) -> list[Clip]:
        page = self.services.records.list_clips(ClipQuery(), limit=100)
        clips = list(page.clips)
        while page.next_cursor is not None:
            page = self.services.records.list_clips(ClipQuery(), limit=100, cursor=page.next_cursor)
            clips += page.clips
        return clips

    def idle(self) -> bool:
        """Whether nothing is left to do."""
        depth = self.services.queue.depth()
        return depth.visible + depth.in_flight + depth.delayed == 0 and all(clip.state.final for clip in self.clips())

    def event_ids(self) -> dict[str, set[str]]:
        """The ids of `clip.ready` events, by clip."""
        ids: dict[str, set[str]] = {}
        position = 0
        while events := self.services.records.events_after(position, limit=1000):
            position = events[-1][0]
            for _, event in events:
                if event.type == "clip.ready":
                    ids.setdefault(event.subject, set()).add(event.id)
        return ids

    def sweep(self) -> None:
        """Let the time of every sweep come."""
        later = self.open(self.settings.sweep_delay + timedelta(hours=2))
        housekeep(later)
        housekeep(later)

    def strays(self) -> list[str]:
        """Files that should not be there, and clips that should."""
        data = self.settings.data
        allowed = {"cutback.sqlite", "cutback.sqlite-wal", "cutback.sqlite-shm", "webhook-secret"}
        needed = {f"clips/{clip.result.key}" for clip in self.clips() if clip.result is not None}
        needed.add("recordings/sea.mp4")
        found = {str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()}
        missing = [f"{path} is missing" for path in sorted(needed - found)]
        return sorted(found - needed - allowed) + missing


def request(number: int, **fields: Any) -> ClipRequest:
    return validate_request(
        {
            "id": f"wave-{number}",
            "source": {"recording": "sea.mp4", "start": number, "end": number + 2},
            **fields,
        }
    )


def eventually(condition: Callable[[], object], *, seconds: float = 30) -> None:
    """Wait for `condition`, which asks other processes, until a deadline."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        pause.wait(0.05)


def paused(process: subprocess.Popen[bytes]) -> bool:
    return os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None


@pytest.fixture
def make_yard(tmp_path: Path) -> Iterator[Callable[..., Yard]]:
    yards: list[Yard] = []

    def make(**settings: Any) -> Yard:
        yards.append(Yard(tmp_path / str(len(yards)), **settings))
        return yards[-1]

    yield make
    for yard in yards:
        for process in yard.processes:
            process.kill()
            process.wait()


def keep_two_alive(
    yard: Yard, *, random_kills: int, seconds: float, feed: Callable[[], None] = lambda: None
) -> Counter[int]:
    """Run two workers, starting another whenever one dies, until all is done. Returns how they ended.

    `feed` is called again and again while there are kills to come, to see that there is work.
    """
    chance = random.Random(20261124)
    ends: Counter[int] = Counter()
    deadline = time.monotonic() + seconds
    handles: dict[int, subprocess.Popen[bytes]] = {}
    poll = select.poll()
    while random_kills or list(yard.plan.iterdir()) or not yard.idle():
        assert time.monotonic() < deadline, f"not done in time; {ends}, {yard.services.queue.depth()}"
        if random_kills or list(yard.plan.iterdir()):
            feed()
        while len(handles) < 2:
            process = yard.start()
            handle = os.pidfd_open(process.pid)
            handles[handle] = process
            poll.register(handle, select.POLLIN)
        ready = poll.poll(chance.uniform(50, 700))
        if not ready and random_kills:
            chance.choice(list(handles.values())).kill()
            random_kills -= 1
        for handle, _ in ready:
            process = handles.pop(handle)
            poll.unregister(handle)
            os.close(handle)
            ends[process.wait()] += 1
            yard.processes.remove(process)
    for handle in handles:
        os.close(handle)
    return ends


def test_a_hundred_kills_lose_nothing_and_double_nothing(make_yard: Callable[..., Yard]) -> None:
    yard = make_yard()
    for stage in STAGES:
        yard.accident(stage, signal.SIGKILL, times=6)
    accepted: list[str] = []

    def feed() -> None:
        while yard.services.queue.depth().visible < 4:
            wanted = request(len(accepted))
            accepted.append(accept.submit(yard.services, wanted).id)
            if len(accepted) % 4 == 0:  # some messages come twice
                yard.services.queue.send(wanted.model_dump_json())

    ends = keep_two_alive(yard, random_kills=32, seconds=90, feed=feed)
    assert set(yard.stop()) == {0}

    assert ends[-signal.SIGKILL] >= 100
    assert set(ends) == {-signal.SIGKILL}
    clips = yard.clips()
    assert sorted(clip.id for clip in clips) == sorted(accepted)
    assert {clip.state for clip in clips} == {ClipState.READY}
    assert yard.services.queue.depth().dead == 0
    assert {clip_id: len(ids) for clip_id, ids in yard.event_ids().items()} == dict.fromkeys(
        (clip.id for clip in clips), 1
    )
    yard.sweep()
    assert yard.strays() == []
    assert yard.services.records.unannounced() == []


def test_clips_that_kill_their_workers_too_often_end_as_named_failures(
    make_yard: Callable[..., Yard],
) -> None:
    yard = make_yard(max_tries=2)
    yard.accident("rendering", signal.SIGKILL, times=5)
    for number in range(3):
        accept.submit(yard.services, request(number))
    keep_two_alive(yard, random_kills=0, seconds=60)
    yard.stop()
    failed = [clip for clip in yard.clips() if clip.state is ClipState.FAILED]
    ready = [clip for clip in yard.clips() if clip.state is ClipState.READY]
    assert (len(failed), len(ready)) == (2, 1)
    assert {clip.failure.reason for clip in failed if clip.failure} == {"gave_up"}
    assert yard.services.queue.depth().dead == 2

    assert accept.redrive(yard.services) == len(failed)
    list(map(Path.unlink, yard.plan.iterdir()))
    yard.start()
    eventually(yard.idle)
    yard.stop()
    assert {clip.state for clip in yard.clips()} == {ClipState.READY}
    yard.sweep()
    assert yard.strays() == []


@pytest.mark.parametrize("stage", ["claimed", "rendered", "storing", "stored"])
def test_a_worker_paused_past_its_lease_changes_nothing_when_it_wakes(
    make_yard: Callable[..., Yard], stage: str
) -> None:
    yard = make_yard()
    yard.accident(stage, signal.SIGSTOP)
    accept.submit(yard.services, request(1))
    late = yard.start()
    eventually(lambda: paused(late))
    yard.start()
    eventually(yard.idle)
    [winner] = yard.clips()
    assert (winner.state, winner.attempt) == (ClipState.READY, 2)

    late.send_signal(signal.SIGCONT)
    accept.submit(yard.services, request(2))
    eventually(yard.idle)
    assert yard.stop() == [0, 0]
    [again] = [clip for clip in yard.clips() if clip.id == winner.id]
    assert (again.state, again.attempt, again.result) == (winner.state, winner.attempt, winner.result)
    assert [len(ids) for ids in yard.event_ids().values()] == [1, 1]
    assert yard.strays() == [], "gone before any sweep"


def test_twenty_messages_for_four_workers_have_one_effect(make_yard: Callable[..., Yard]) -> None:
    yard = make_yard()
    for _ in range(20):
        yard.services.queue.send(request(1).model_dump_json())
    for _ in range(4):
        yard.start()
    eventually(lambda: yard.clips() and yard.idle())
    assert yard.stop() == [0, 0, 0, 0]
    [clip] = yard.clips()
    assert (clip.state, clip.attempt) == (ClipState.READY, 1)
    assert [len(ids) for ids in yard.event_ids().values()] == [1]
    assert yard.services.queue.depth().dead == 0
    assert yard.strays() == []


@pytest.fixture
def heard() -> Iterator[tuple[str, list[str]]]:
    """A webhook's address, and the ids of the events it has heard of."""
    ids: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            ids.append(self.headers["webhook-id"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", ids
    server.shutdown()
    server.server_close()


def test_a_clip_whose_worker_died_before_announcing_it_is_announced_by_another(
    make_yard: Callable[..., Yard], heard: tuple[str, list[str]]
) -> None:
    url, ids = heard
    yard = make_yard()
    yard.accident("committed", signal.SIGKILL)
    accept.submit(yard.services, request(1, webhook=url))
    assert yard.start().wait(20) == -signal.SIGKILL
    assert yard.clips()[0].state is ClipState.READY
    assert [event.type for event in yard.services.records.unannounced()] == ["clip.ready"]
    yard.processes.clear()
    yard.start()
    [ready_id] = yard.event_ids()["wave-1"]
    eventually(lambda: ready_id in ids)
    eventually(yard.idle)
    assert yard.stop() == [0]
    assert yard.services.records.unannounced() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_asked_to_stop_gives_its_job_back_at_once(make_yard: Callable[..., Yard], number: int) -> None:
    yard = make_yard(lease=30, visibility=60)
    accept.submit(yard.services, request(1))
    process = yard.start(STEP_SECONDS="0.2")
    eventually(lambda: yard.clips()[0].state is ClipState.PROCESSING)
    process.send_signal(number)
    assert process.wait(5) == 0
    [clip] = yard.clips()
    assert clip.state is ClipState.QUEUED
    depth = yard.services.queue.depth()
    assert (depth.visible, depth.in_flight) == (1, 0)
    assert yard.strays() == []
