"""`cutback migrate`: records go from SQLite to MongoDB and back, whole, also if it is killed in between."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from tests.contract.mongo_fixtures import mongo_server, mongo_url
from tests.path.harness import PathHarness
from tests.path.shell import Shell
from tests.support.waiting import eventually

from cutback.adapters.build import build, copies_of
from cutback.adapters.mongodb.client import Mongo
from cutback.adapters.sqlite.database import Database
from cutback.domain.base import utc_now
from cutback.domain.cameras.recording import CameraRecording, PlaceEvidence
from cutback.domain.errors import MigrationRefusedError, RecordsUnavailableError
from cutback.domain.workers import GONE_AFTER, KIND
from cutback.lifecycle import migration
from cutback.lifecycle.migration import Copied, migrate
from cutback.ports import COPIED_KINDS, ClipQuery, CopiedKind, Copies, Item
from cutback.services import Services
from cutback.worker.presence import present

__all__ = ["mongo_server", "mongo_url"]


@pytest.fixture
def harness(tmp_path: Path) -> PathHarness:
    """Records of every kind and state, in SQLite."""
    harness = PathHarness(tmp_path / "cutback-data")
    for number in range(6):
        harness.submit(id=f"wave-{number}", tags=["left", f"n{number}"], labels={"a.b$c": "é"}, title="Größe")
    harness.work()
    harness.work()
    harness.submit(id="broken", source={"recording": "none.mp4", "start": 0, "end": 1})
    services = harness.services
    for key in ("a.mp4", "b.mp4", "gone.mp4", "by-hand.mp4"):
        services.catalogue.put_recording(_recording(key, by_hand=key == "by-hand.mp4"))
    for key in ("gone.mp4", "by-hand.mp4"):
        services.catalogue.remove_recording(key, at=utc_now())
    first = services.registry.put_new("share", "one", {"url": "https://example.com", "a.b": 1}, owner="pipeline")
    assert first is not None
    services.registry.replace(first, {"url": "https://example.org"})
    services.registry.put_new("key", "two", {"name": "two"})
    return harness


def _recording(key: str, *, by_hand: bool) -> CameraRecording:
    start = utc_now() - timedelta(days=1)
    return CameraRecording(
        key=key,
        etag="1",
        size=1000,
        camera="north",
        start=start,
        duration=Fraction(60),
        stored_at=start,
        evidence=PlaceEvidence(camera="north" if by_hand else ""),
    )


def both(harness: PathHarness, url: str, *, into: str) -> tuple[Copies, Copies]:
    settings = harness.settings.model_copy(update={"records_url": url})
    sqlite, mongodb, _ = copies_of(settings, into=into)
    return (sqlite, mongodb) if into == "mongodb" else (mongodb, sqlite)


def everything(services: Services) -> dict[str, object]:
    """All that users and workers see of the records."""
    page = services.records.list_clips(ClipQuery(deleted=True), limit=100)
    return {
        "clips": list(page.clips),
        "tagged": [clip.id for clip in services.records.list_clips(ClipQuery(tag="n3")).clips],
        "found": [clip.id for clip in services.records.list_clips(ClipQuery(text="größe")).clips],
        "settled": [clip.id for clip in services.records.settled_before(utc_now() + timedelta(days=9))],
        "events": services.records.events_after(0, limit=1000),
        "last": services.records.last_position(),
        "unannounced": [event.id for event in services.records.unannounced(limit=1000)],
        "recordings": list(services.catalogue.list_recordings().recordings),
        "covering": services.catalogue.covering("north", utc_now() - timedelta(days=2), utc_now()),
        "by hand": services.catalogue.removed_by_hand(["by-hand.mp4", "gone.mp4"]),
        "share": services.registry.get("share", "one"),
        "key": services.registry.get("key", "two"),
    }


def opened(harness: PathHarness, url: str) -> Services:
    return build(harness.settings.model_copy(update={"records_url": url}), cutter=harness.cutter)


def run(harness: PathHarness, url: str, *, into: str = "mongodb", **options: object) -> list[Copied]:
    source, target = both(harness, url, into=into)
    try:
        return migrate(source, target, now=utc_now(), **options)  # type: ignore[arg-type]
    finally:
        source.close()
        target.close()


def test_records_are_the_same_in_mongodb_and_after_the_way_back(
    harness: PathHarness, mongo_url: str, tmp_path: Path
) -> None:
    before = everything(harness.services)
    copied = run(harness, mongo_url)
    assert [each.kind for each in copied] == list(COPIED_KINDS)
    assert all(each.count == each.written > 0 for each in copied)
    with opened(harness, mongo_url) as services:
        assert everything(services) == before
        assert not services.records.put_clip(harness.clip("wave-0"))
    back = PathHarness(tmp_path / "back")
    assert [(each.count, each.digest) for each in run(back, mongo_url, into="sqlite")] == [
        (each.count, each.digest) for each in copied
    ]
    assert everything(back.services) == before
    harness.submit(id="later")
    back.submit(id="later")
    assert back.services.records.last_position() == harness.services.records.last_position()


def note_worker(services: Services, name: str, beat_at: datetime) -> None:
    moment = beat_at.isoformat()
    content = {"name": name, "started_at": moment, "beat_at": moment}
    assert services.registry.put_new(KIND, name, content) is not None


def test_notes_of_workers_are_not_copied_and_hinder_no_second_run(harness: PathHarness, mongo_url: str) -> None:
    gone = utc_now() - GONE_AFTER - timedelta(seconds=1)
    note_worker(harness.services, "surf-1-a", gone)
    first = run(harness, mongo_url)
    assert {each.kind: each.count for each in first}["documents"] == 2
    with opened(harness, mongo_url) as services:
        assert services.registry.get(KIND, "surf-1-a") is None
        note_worker(services, "surf-2-b", gone)
    assert [each.written for each in run(harness, mongo_url)] == [0] * len(COPIED_KINDS)


def test_a_worker_of_another_machine_prevents_the_migration(harness: PathHarness, mongo_url: str) -> None:
    note_worker(harness.services, "surf-1-a", utc_now())
    with pytest.raises(MigrationRefusedError, match="The worker surf-1-a runs"):
        run(harness, mongo_url)


def test_work_goes_on_in_mongodb(harness: PathHarness, mongo_url: str) -> None:
    run(harness, mongo_url)
    with opened(harness, mongo_url) as services:
        harness.work(services)
        assert {clip.state.value for clip in services.records.list_clips(ClipQuery()).clips} <= {"ready", "failed"}
        positions = [position for position, _ in services.records.events_after(0, limit=1000)]
        assert positions == list(range(1, len(positions) + 1))


class _Died(BaseException):
    pass


def _dying(copies: Copies, *, after_storing: bool) -> Callable[[CopiedKind, Sequence[Item]], None]:
    """A `store` that dies the second time it is called, before or after it has stored."""
    store = copies.store
    calls: list[CopiedKind] = []

    def dying(kind: CopiedKind, items: Sequence[Item]) -> None:
        calls.append(kind)
        if len(calls) == 2 and not after_storing:
            raise _Died
        store(kind, items)
        if len(calls) == 2:
            raise _Died

    return dying


@pytest.mark.slow
@pytest.mark.parametrize("after_storing", [False, True])
@pytest.mark.parametrize("into", ["mongodb", "sqlite"])
def test_it_goes_on_after_it_died_anywhere(
    harness: PathHarness,
    mongo_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    into: str,
    *,
    after_storing: bool,
) -> None:
    monkeypatch.setattr(migration, "PAGE", 3)
    before = everything(harness.services)
    target = harness
    if into == "sqlite":
        run(harness, mongo_url)
        target = PathHarness(tmp_path / "back")
    deaths = 0
    while True:
        source, copies = both(target, mongo_url, into=into)
        monkeypatch.setattr(copies, "store", _dying(copies, after_storing=after_storing))
        try:
            copied = migrate(source, copies, now=utc_now())
            break
        except _Died:
            deaths += 1
        finally:
            source.close()
            copies.close()
    written = sum(each.written for each in copied)
    assert deaths > 4
    assert written < sum(each.count for each in copied), "it began anew"
    services = opened(target, mongo_url if into == "mongodb" else "")
    with services:
        assert everything(services) == before


def test_a_target_with_other_records_is_refused(harness: PathHarness, mongo_url: str) -> None:
    with opened(harness, mongo_url) as services:
        services.registry.put_new("key", "other", {})
    with pytest.raises(MigrationRefusedError, match=r"documents .* such as key/other"):
        run(harness, mongo_url)


def test_it_is_refused_while_a_worker_makes_a_clip(harness: PathHarness, mongo_url: str) -> None:
    harness.submit(id="busy")
    with pytest.raises(MigrationRefusedError, match="making the clip"):
        harness_at_work(harness, lambda: run(harness, mongo_url))


def harness_at_work(harness: PathHarness, do: Callable[[], object]) -> None:
    """Do something while a worker makes a clip."""
    failed: list[BaseException] = []

    def at_stage(stage: str) -> None:
        if stage == "rendered" and not failed:
            try:
                do()
            except BaseException as error:  # noqa: BLE001 - raised below, outside of the worker
                failed.append(error)

    harness.at_stage = at_stage
    harness.work()
    raise failed[0]


def test_nobody_can_write_into_sqlite_meanwhile(
    harness: PathHarness, mongo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = build(harness.settings, cutter=harness.cutter)
    patience = timedelta(milliseconds=20)
    impatient = Database(harness.settings.database_path, unavailable=RecordsUnavailableError, patience=patience)
    monkeypatch.setattr(other.records, "_database", impatient)
    refused = []

    def on_progress(_fraction: float, _remark: str) -> None:
        try:
            other.records.commit(harness.clip("wave-0"))
        except RecordsUnavailableError:
            refused.append(1)

    run(harness, mongo_url, on_progress=on_progress)
    assert refused


def test_a_change_in_mongodb_meanwhile_is_noticed(harness: PathHarness, mongo_url: str, tmp_path: Path) -> None:
    run(harness, mongo_url)
    back = PathHarness(tmp_path / "back")
    with opened(harness, mongo_url) as services:
        changed: list[object] = []

        def on_progress(_fraction: float, remark: str) -> None:
            if remark == "comparing clips" and not changed:
                changed.append(services.registry.put_new("key", "three", {}))

        with pytest.raises(MigrationRefusedError, match="documents changed while they were copied"):
            run(back, mongo_url, into="sqlite", on_progress=on_progress)
    assert run(back, mongo_url, into="sqlite")


@pytest.mark.slow
def test_the_command_reports_counts_and_goes_on_after_a_kill(
    harness: PathHarness, mongo_url: str, tmp_path: Path
) -> None:
    for number in range(300):
        harness.submit(id=f"many-{number}")
    shell = Shell(tmp_path)
    assert shell.run("migrate", "mongodb")[0] == 2, "no MongoDB is named"
    shell.environment["CUTBACK_RECORDS_URL"] = mongo_url
    killed = shell.start("migrate", "mongodb")
    mongo = Mongo(mongo_url)
    eventually(lambda: mongo.collection("clips").count_documents({}) or killed.poll() is not None)
    mongo.close()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    found = shell.json("migrate", "mongodb")
    counts = {each["kind"]: each["count"] for each in found["copied"]}
    assert counts["clips"] == 307
    assert counts["events"] == harness.services.records.last_position()
    assert all(len(each["digest"]) == 64 for each in found["copied"])
    code, out, err = shell.run("migrate", "mongodb")
    assert (code, out.count("✓")) == (0, 5)
    assert "0 written" in out
    assert "messages are in the queue" in " ".join(err.split())


def test_the_command_is_refused_while_workers_run(harness: PathHarness, mongo_url: str, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.environment["CUTBACK_RECORDS_URL"] = mongo_url
    with present(harness.settings.data, "worker-7"):
        code, out, _ = shell.run("migrate", "mongodb", "--json")
    assert code == 1
    assert json.loads(out)["error"]["reason"] == "migration_refused"
