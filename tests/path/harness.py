"""The harness for tests of the path: everything is real except the cutter, in a folder, with a clock to set."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_cutter import FakeCutter

from cutback.adapters.build import build
from cutback.domain.base import utc_now
from cutback.domain.clips.clip import Clip
from cutback.domain.clips.event import Event
from cutback.domain.requests.request import ClipRequest, validate_request
from cutback.lifecycle import accept
from cutback.ports import Queue
from cutback.services import Services
from cutback.settings.settings import Settings
from cutback.worker.poll import Worker

RECORDING = b"a recording, or at least some bytes " * 1000


class Died(BaseException):
    """Stands for the end of the process: nothing of ours may catch it."""


class PathHarness:
    """Everything a test of the path needs, over one folder."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        quick = {"lease": 5, "visibility": 10, "max_tries": 3, "retry_delay": 1, "retry_patience": 0}
        chosen: dict[str, Any] = {**quick, **settings}
        self.settings = Settings(data=folder, **chosen)
        self.cutter = FakeCutter()
        self.offset = timedelta()
        self.at_stage: Callable[[str], None] = lambda _stage: None
        self.stop = threading.Event()
        (folder / "recordings").mkdir(parents=True, exist_ok=True)
        (folder / "recordings" / "sea.mp4").write_bytes(RECORDING)
        self.services = self.another()

    def another(self, **changes: Any) -> Services:
        """Services as another process would have them."""
        services = build(self.settings, cutter=self.cutter, clock=self.now, checkpoint=self.reach)
        return dataclasses.replace(services, **changes)

    def reach(self, stage: str) -> None:
        self.at_stage(stage)

    def now(self) -> datetime:
        return utc_now() + self.offset

    def pass_time(self, seconds: float) -> None:
        self.offset += timedelta(seconds=seconds)

    def submit(self, **fields: Any) -> Clip:
        return accept.submit(self.services, request(**fields))

    def clip(self, clip_id: str) -> Clip:
        clip = self.services.records.get_clip(clip_id)
        assert clip is not None
        return clip

    def work(self, services: Services | None = None) -> int:
        """Work until the queue shows no message, or until told to stop; how many there were."""
        worker, count = Worker(services or self.services), 0
        while not self.stop.is_set() and worker.work_once(self.stop, wait=timedelta()):
            count += 1
        return count

    def die_at(self, stage: str) -> None:
        """Work until `stage` is reached, and break off there as if the process had been killed."""

        def die(reached: str) -> None:
            if reached == stage:
                raise Died

        self.at_stage = die
        try:
            with pytest.raises(Died):
                self.work()
        finally:
            self.at_stage = lambda _stage: None

    def objects(self) -> list[str]:
        """Every file in the clip store, whichever attempt made it."""
        root = self.settings.data / "clips"
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())

    def events(self) -> list[Event]:
        return [event for _, event in self.services.records.events_after(0, limit=1000)]

    def types(self) -> list[str]:
        return [event.type.removeprefix("clip.") for event in self.events()]

    def depth(self) -> tuple[int, int, int, int]:
        """Messages: visible, in flight, delayed, dead."""
        depth = self.services.queue.depth()
        return depth.visible, depth.in_flight, depth.delayed, depth.dead

    @property
    def webhooks(self) -> Queue:
        """The queue of deliveries to webhooks."""
        assert self.services.webhooks is not None
        return self.services.webhooks

    def dead_reasons(self) -> list[str]:
        return [letter.reason for letter in self.services.queue.dead_letters()]


def request(**fields: Any) -> ClipRequest:
    return validate_request({"id": "wave", "source": {"recording": "sea.mp4", "start": 1, "end": 3}, **fields})
