"""The database's primary steps down under load: writes and reads are refused for a while, and nothing is lost.

A stand-in plays it: a proxy before nx-27017 answers as a server does that is no longer primary, and then drops
connections. That another member takes over with the same data cannot be played without MongoDB.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from tests.support.fake_cutter import FakeCutter
from tests.support.mongo_proxy import DROP, PASS, STEPPED_DOWN, MongoProxy, between
from tests.support.mongo_server import MongoServer, need_nx
from tests.support.uvicorn_server import serving_app
from tests.support.waiting import Progress, eventually

from cutback import client as client_module
from cutback.adapters.build import build
from cutback.client import Client
from cutback.services import Services
from cutback.settings.settings import Settings
from cutback.web.api.app import create_app
from cutback.worker.poll import Worker

pytestmark = pytest.mark.slow

CLIENTS, CLIPS = 3, 5
MET = {f"{STEPPED_DOWN} insert", f"{STEPPED_DOWN} update"}


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[MongoProxy]:
    need_nx()
    server = MongoServer(tmp_path / "mongodb")
    server.start()
    try:
        with between(server.port) as proxy:
            yield proxy
    finally:
        server.kill()


def node(stack: ExitStack, folder: Path, proxy: MongoProxy) -> Services:
    settings = Settings.model_validate(
        {
            "data": folder,
            "records_url": f"mongodb://127.0.0.1:{proxy.port}/cutback?serverSelectionTimeoutMS=2000",
            "retry_delay": 0,
            "max_tries": 100,
            "lease": 3,
            "visibility": 5,
            "rate_limit": 0,
        }
    )
    return stack.enter_context(build(settings, cutter=FakeCutter()))


def test_requests_and_clips_survive_primaries_that_step_down(
    tmp_path: Path, proxy: MongoProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients repeat what was refused; every accepted clip becomes ready; no event is lost or there twice."""
    monkeypatch.setattr(client_module, "_TRIES", 1000)
    monkeypatch.setattr(client_module, "_LONGEST_PAUSE", 0.2)
    met: set[str] = set()
    stop, over = threading.Event(), threading.Event()

    with ExitStack() as stack:
        api = node(stack, tmp_path / "data", proxy)
        (tmp_path / "data" / "recordings" / "sea.mp4").write_bytes(bytes(4096))
        url = stack.enter_context(serving_app(create_app(api)))
        workers = [
            threading.Thread(target=Worker(node(stack, tmp_path / "data", proxy)).run, args=[stop]) for _ in range(2)
        ]

        def meet(fault: str) -> None:
            def plan(command: str) -> str:
                met.add(f"{fault} {command}")
                return fault

            proxy.plan = plan

        def step_down() -> None:
            """Again and again: refuse everything, then drop every connection, then take over."""
            while not over.is_set():
                for fault, commands in ((PASS, 60), (STEPPED_DOWN, 15), (DROP, 5)):
                    meet(fault)
                    goal = len(proxy.seen) + commands
                    while len(proxy.seen) < goal and not over.wait(0.01):
                        pass
            meet(PASS)

        def request(number: int) -> list[str]:
            with Client(url) as client:
                source = {"recording": "sea.mp4", "start": 1, "end": 3}
                return [client.submit({"id": f"c{number}-{each}", "source": source}).id for each in range(CLIPS)]

        for worker in workers:
            worker.start()
        try:
            with ThreadPoolExecutor(CLIENTS + 1) as pool:
                disturbing = pool.submit(step_down)
                try:
                    accepted = [name for names in pool.map(request, range(CLIENTS)) for name in names]
                    more, progress = count(CLIENTS), Progress("a refused insert and update", lambda: len(accepted))
                    while not met >= MET:  # which command meets which fault is chance
                        progress.check()
                        accepted += request(next(more))
                    with Client(url) as client:
                        for name in accepted:
                            eventually(
                                lambda name=name: client.get(name).state == "ready",  # type: ignore[misc]
                                f"{name} is ready",
                                moves=lambda: len(proxy.seen),
                            )
                finally:
                    over.set()
                disturbing.result()
        finally:
            stop.set()
            for worker in workers:
                worker.join()
        api.records.unannounced()
        events = [event for _, event in api.records.events_after(0, limit=10_000)]
    ids = [event.id for event in events]
    assert len(set(ids)) == len(ids)
    assert {event.subject for event in events if event.type == "clip.ready"} == set(accepted)
