"""Every machine knows the workers of all machines, by what they note about themselves."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.contract.mongo_fixtures import mongo_server, mongo_url
from tests.path.harness import PathHarness
from tests.path.shell import Shell
from tests.support.waiting import PATIENCE, eventually

from cutback.adapters.build import build
from cutback.domain.errors import RecordsUnavailableError
from cutback.domain.workers import GONE_AFTER, KIND
from cutback.ports import every_document
from cutback.services import Services
from cutback.settings.settings import Settings
from cutback.worker import notes
from cutback.worker.notes import known_workers
from cutback.worker.poll import Worker
from cutback.worker.status import gather

__all__ = ["mongo_server", "mongo_url"]


@pytest.fixture
def shared(tmp_path: Path, shell: Shell) -> dict[str, Any]:
    """Settings of records that machines share, here as one file; each machine has its own data folder."""
    shell.environment["CUTBACK_DATABASE"] = str(tmp_path / "shared.sqlite")
    return {"database": tmp_path / "shared.sqlite"}


@pytest.fixture
def shared_mongo(shell: Shell, tmp_path: Path, mongo_url: str) -> dict[str, Any]:
    shell.environment["CUTBACK_DATABASE"] = str(tmp_path / "shared.sqlite")
    shell.environment["CUTBACK_RECORDS_URL"] = mongo_url
    return {"database": tmp_path / "shared.sqlite", "records_url": mongo_url}


def two_workers_and_a_kill(shell: Shell, settings: dict[str, Any]) -> None:
    folder = shell.folder
    killed, stopped = (shell.start("worker", "--data", str(folder / name)) for name in ("one", "two"))
    with build(Settings(data=folder / "three", **settings)) as node:
        eventually(lambda: len(known_workers(node)) == 2, "two workers")
        pids = {int(each["name"].split("-")[-2]): each["name"] for each in known_workers(node)}
        assert set(pids) == {killed.pid, stopped.pid}
        for each in known_workers(node):
            assert each["host"] == each["name"].rsplit("-", 2)[0]
            assert (each["clip"], each["stage"]) == (None, None)
            assert 0 <= each["beat_seconds"] < GONE_AFTER.total_seconds()

        killed.kill()
        killed.communicate()
        later = dataclasses.replace(node, clock=lambda: node.clock() + GONE_AFTER)
        assert pids[killed.pid] in {each["name"] for each in known_workers(node)}
        assert known_workers(later) == []

        with build(Settings(data=folder / "one", **settings)) as here:
            assert [each["name"] for each in known_workers(here)] == [pids[stopped.pid]]

        stopped.terminate()
        stopped.communicate(timeout=PATIENCE)
        assert stopped.returncode == 0
        assert [document.id for document in every_document(node.registry, KIND)] == [pids[killed.pid]]
        assert known_workers(later) == []


@pytest.mark.slow
def test_two_workers_are_known_elsewhere_until_they_stop_or_die(shell: Shell, shared: dict[str, Any]) -> None:
    two_workers_and_a_kill(shell, shared)


@pytest.mark.slow
def test_the_same_with_records_in_mongodb(shell: Shell, shared_mongo: dict[str, Any]) -> None:
    two_workers_and_a_kill(shell, shared_mongo)


# --- in one process, with a clock to set -----------------------------------------------------------


@pytest.fixture(params=["sqlite", "mongodb"])
def both(request: pytest.FixtureRequest, make_harness: Callable[..., PathHarness]) -> Iterator[PathHarness]:
    url = request.getfixturevalue("mongo_url") if request.param == "mongodb" else ""
    harness = make_harness(records_url=url)
    yield harness
    harness.services.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "BEAT_SECONDS", 0.05)


@contextmanager
def running(services: Services, stop: threading.Event) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=Worker(services).run, args=[stop])
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        services.close()


def names(services: Services) -> list[str]:
    return [each["name"] for each in known_workers(services)]


@pytest.mark.usefixtures("quick")
def test_a_worker_notes_itself_again_and_again_and_no_more_at_its_end(both: PathHarness) -> None:
    elsewhere = both.another(worker="surf-7-ab12cd")
    with running(elsewhere, both.stop):
        eventually(lambda: names(both.services) == ["surf-7-ab12cd"], "the first note")
        both.pass_time(GONE_AFTER.total_seconds() + 1)
        eventually(lambda: names(both.services) == ["surf-7-ab12cd"], "a later note")
        (shown,) = known_workers(both.services)
        assert shown["host"] == "surf"
        assert gather(both.services, timedelta(minutes=10))["workers"][0]["name"] == "surf-7-ab12cd"
    assert names(both.services) == []
    assert list(every_document(both.services.registry, KIND)) == []


@pytest.mark.usefixtures("quick")
def test_a_note_says_which_clip_is_made_and_what_is_done_with_it(harness: PathHarness) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def hold(stage: str) -> None:
        if stage == "resolved":
            reached.set()
            assert go_on.wait(PATIENCE)

    harness.at_stage = hold
    harness.submit(id="wave")
    with running(harness.another(worker="surf-7-ab12cd"), harness.stop):
        assert reached.wait(PATIENCE)

        def doing() -> list[tuple[str | None, str | None]]:
            return [(each["clip"], each["stage"]) for each in known_workers(harness.services)]

        eventually(lambda: doing() == [("wave", "cut")], "the clip in the note")
        go_on.set()
        eventually(lambda: doing() == [(None, None)], "the end of the clip")


def test_a_worker_that_starts_removes_the_notes_of_workers_that_are_gone(harness: PathHarness) -> None:
    put_note(harness, "gone-1-a")
    harness.pass_time(GONE_AFTER.total_seconds() + 1)
    put_note(harness, "surf-1-b")
    with running(harness.another(worker="surf-7-ab12cd"), harness.stop):
        eventually(
            lambda: (
                {each.id for each in every_document(harness.services.registry, KIND)} == {"surf-1-b", "surf-7-ab12cd"}
            ),
            "its notes",
        )


@pytest.mark.usefixtures("quick")
def test_a_worker_whose_note_was_removed_while_it_was_frozen_notes_itself_again(harness: PathHarness) -> None:
    with running(harness.another(worker="surf-7-ab12cd"), harness.stop):
        eventually(lambda: names(harness.services) != [], "the first note")

        def remove() -> bool:  # it may be replaced between the two calls
            found = harness.services.registry.get(KIND, "surf-7-ab12cd")
            return found is not None and harness.services.registry.remove(found)

        eventually(remove, "the removal", every=0)
        eventually(lambda: names(harness.services) == ["surf-7-ab12cd"], "another note")


@pytest.mark.usefixtures("quick")
def test_notes_that_fail_are_logged_once_and_disturb_no_clip(
    harness: PathHarness, caplog: pytest.LogCaptureFixture
) -> None:
    tries = threading.Semaphore(0)

    class Broken:
        def close(self) -> None: ...

        def __getattr__(self, name: str) -> Any:
            def fail(*_: object, **__: object) -> None:
                tries.release()
                raise RecordsUnavailableError

            return fail

    harness.submit(id="wave")
    broken: Any = Broken()
    with (
        caplog.at_level(logging.WARNING, logger="cutback.worker.notes"),
        running(harness.another(registry=broken), harness.stop),
    ):
        assert all(tries.acquire(timeout=PATIENCE) for _ in range(5))
        eventually(lambda: harness.clip("wave").state.final, "the clip")
    assert harness.clip("wave").state.value == "ready"
    assert len([each for each in caplog.records if each.name == "cutback.worker.notes"]) == 1


def put_note(harness: PathHarness, name: str) -> None:
    moment = harness.now().isoformat()
    content = {"name": name, "started_at": moment, "beat_at": moment, "of_a_later_version": {"a": 1}}
    assert harness.services.registry.put_new(KIND, name, content) is not None


def test_a_note_of_a_later_version_is_read(harness: PathHarness) -> None:
    put_note(harness, "surf-1-b")
    assert names(harness.services) == ["surf-1-b"]
