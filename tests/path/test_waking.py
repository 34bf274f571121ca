"""An arriving recording wakes the clips that it may help: all of them, however many wait, and no others."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from threading import Event
from typing import Any

import pytest
from tests.path.harness import PathHarness
from tests.path.text_recordings import NORTH, TEN, TextRecordings
from tests.support.waiting import PATIENCE

from cutback.catalogue.register import Arrival, Registered
from cutback.catalogue.scan import Scanner
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.errors import CutbackError, QueueUnavailableError, StorageUnavailableError
from cutback.lifecycle.arrivals import enter_recordings
from cutback.lifecycle.attempt import Done, GiveBack
from cutback.lifecycle.waiting import requeue_waiting_clips
from cutback.ports import Message, Page
from cutback.services import Services
from cutback.worker.receive import receive


def arrived(start: datetime = TEN, seconds: int = 600) -> CameraRecording:
    """A recording of the camera north, as its arrival event describes it."""
    return CameraRecording(
        key="north.mp4",
        etag="1",
        size=1,
        camera="north",
        start=start,
        duration=Fraction(seconds),
        stored_at=start + timedelta(seconds=seconds + 1),
        frame_rate=Fraction(30),
    )


def wait_for(harness: PathHarness, clip_id: str, begins: float, *, camera: str = "north") -> None:
    """A clip of ten seconds begins to wait; `begins` in seconds after ten o'clock."""
    start = TEN + timedelta(seconds=begins)
    source = {"camera": camera, "from": start.isoformat(), "to": (start + timedelta(seconds=10)).isoformat()}
    clip = harness.submit(id=clip_id, source=source)
    waiting = clip.waiting(
        camera=camera, expected_at=None, look_at=harness.now() + timedelta(hours=1), now=harness.now()
    )
    assert harness.services.records.commit(waiting)
    for message in harness.services.queue.receive(limit=10):
        harness.services.queue.delete(message)


def woken(harness: PathHarness) -> Counter[str]:
    """The ids of all requests in the queue, which is emptied."""
    found: Counter[str] = Counter()
    while messages := harness.services.queue.receive(limit=10):
        found.update(json.loads(message.body)["id"] for message in messages)
    return found


def multiply(harness: PathHarness, clip_id: str, times: int) -> None:
    """This many clips like this one, each with its own id."""
    with sqlite3.connect(harness.settings.data / "cutback.sqlite") as connection:
        connection.execute(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
            INSERT INTO clips (id, state, created_at, revision, attempt, sweep_at, waits_for, content)
            SELECT id || i, state, created_at + i / 7, revision, attempt, sweep_at, waits_for,
                   json_set(content, '$.id', id || i, '$.request.id', id || i)
            FROM n, clips WHERE id = ?
            """,
            (times - 1, clip_id),
        )
    connection.close()


def test_one_arrival_wakes_each_of_2500_clips_once_and_holds_few_of_them_at_a_time(
    harness: PathHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for(harness, "wave", 60)
    multiply(harness, "wave", 2_500)
    look, pages = harness.services.records.waiting_for, []

    def looking(camera: str, **which: Any) -> Page:
        page = look(camera, **which)
        pages.append(len(page.clips))
        return page

    monkeypatch.setattr(harness.services.records, "waiting_for", looking)
    assert requeue_waiting_clips(harness.services, arrived()) == 2_500
    assert pages == [500] * 5
    found = woken(harness)
    assert (len(found), set(found.values())) == (2_500, {1})
    assert {"wave", "wave1", "wave2499"} <= found.keys()


@pytest.mark.parametrize(
    ("begins", "helped"),
    [
        pytest.param(-7200, True, id="long before: what comes later makes the gap final"),
        pytest.param(-5, True, id="over its beginning"),
        pytest.param(300, True, id="within"),
        pytest.param(595, True, id="over its end"),
        pytest.param(600.02, True, id="where its last frame may still stand"),
        pytest.param(600.29, True, id="where its clock may have strayed to"),
        pytest.param(601, False, id="after its end"),
        pytest.param(86_400, False, id="tomorrow"),
    ],
)
def test_a_clip_is_woken_by_what_may_help_it(harness: PathHarness, begins: float, helped: bool) -> None:  # noqa: FBT001
    wait_for(harness, "wave", begins)
    wait_for(harness, "other", begins, camera="north2")
    assert requeue_waiting_clips(harness.services, arrived()) == helped
    assert woken(harness) == Counter(["wave"] if helped else [])


# --- news that could not be told ---------------------------------------------------------------------


@pytest.fixture
def text_recordings(harness: PathHarness) -> TextRecordings:
    """A clip waits for what has just come into the store."""
    wait_for(harness, "wave", 60)
    text_recordings = TextRecordings(harness)
    text_recordings.put()
    return text_recordings


def fail_once(text_recordings: TextRecordings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue takes nothing the next time."""

    def send_all(_bodies: object) -> list[str]:
        monkeypatch.undo()
        raise QueueUnavailableError

    monkeypatch.setattr(text_recordings.services.queue, "send_all", send_all)


def test_a_repeated_event_wakes_the_clips_that_the_first_could_not(
    text_recordings: TextRecordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalogue has the recording since the first time: that alone must not make it old news."""
    stored = {"key": NORTH, "eTag": text_recordings.services.sources.head(NORTH).etag.strip('"'), "sequencer": "01"}
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-11-23T10:10:01.000Z",
        "s3": {"bucket": {"name": ""}, "object": stored},
    }
    told = Message("m", "r", json.dumps({"Records": [record]}), 1, TEN)
    fail_once(text_recordings, monkeypatch)
    assert isinstance(receive(text_recordings.services, told), GiveBack)
    assert woken(text_recordings.harness) == Counter()
    assert receive(text_recordings.services, replace(told, receive_count=2)) == Done()
    assert woken(text_recordings.harness) == Counter(["wave"])
    assert receive(text_recordings.services, told) == Done()
    assert woken(text_recordings.harness) == Counter(), "the same told in another message is old news"


def test_a_later_scan_wakes_the_clips_that_an_earlier_one_could_not(
    text_recordings: TextRecordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner = Scanner(text_recordings.services, enter_recordings)
    fail_once(text_recordings, monkeypatch)
    with pytest.raises(QueueUnavailableError):
        scanner.scan()
    for expected in (["wave"], []):
        scanner.scan()
        assert woken(text_recordings.harness) == Counter(expected)


def test_a_scan_that_is_interrupted_keeps_recordings_registered_meanwhile(
    text_recordings: TextRecordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recordings are entered in parallel: an earlier one ends the scan, so this one's failure is not reported."""
    monkeypatch.setattr("cutback.catalogue.scan._BATCH", 1)
    text_recordings.put("a.20261123T100000.mp4")
    fail_once(text_recordings, monkeypatch)
    tried, failed = Event(), Event()

    def enter(services: Services, arrivals: Sequence[Arrival], /, **how: Any) -> list[Registered | CutbackError]:
        if arrivals[0].key == NORTH:
            try:
                return enter_recordings(services, arrivals, **how)
            finally:
                tried.set()
        assert tried.wait(PATIENCE)
        if not failed.is_set():
            failed.set()
            raise StorageUnavailableError
        return enter_recordings(services, arrivals, **how)

    scanner = Scanner(text_recordings.services, enter)
    with pytest.raises(StorageUnavailableError):
        scanner.scan()
    assert woken(text_recordings.harness) == Counter()
    scanner.scan()
    assert woken(text_recordings.harness) == Counter(["wave"])
