"""Requests by camera: from the catalogue to the clip, and how clips wait for footage that has not arrived."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.path.harness import RECORDING, PathHarness

from cutback.cutting.job import CutRange
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.requests.request import validate_request
from cutback.lifecycle.housekeeping import housekeep
from cutback.lifecycle.waiting import patience_of, requeue_waiting_clips
from cutback.ports import ClipQuery


def enter(
    harness: PathHarness, key: str, start: datetime, seconds: float, *, camera: str = "north", lag: float = 1
) -> CameraRecording:
    """A recording comes into the store and the catalogue."""
    path = harness.settings.data / "recordings" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(RECORDING)
    recording = CameraRecording(
        key=key,
        etag=harness.services.sources.head(key).etag,
        size=len(RECORDING),
        camera=camera,
        start=start,
        duration=Fraction(str(seconds)),
        stored_at=start + timedelta(seconds=seconds + lag),
        frame_rate=Fraction(30),
    )
    harness.services.catalogue.put_recording(recording)
    return recording


def span(start: datetime, end: datetime, **fields: object) -> dict[str, object]:
    return {"camera": "north", "from": start.isoformat(), "to": end.isoformat(), **fields}


@pytest.fixture
def hour(harness: PathHarness) -> datetime:
    """An hour ago, to the second."""
    return harness.now().replace(microsecond=0) - timedelta(hours=1)


def after(moment: datetime, seconds: float) -> datetime:
    return moment + timedelta(seconds=seconds)


def ready(harness: PathHarness, clip_id: str = "wave") -> Clip:
    clip = harness.clip(clip_id)
    assert (clip.state, clip.failure) == (ClipState.READY, None)
    assert clip.result is not None
    return clip


def test_a_span_is_cut_out_of_the_recordings_that_show_it(harness: PathHarness, hour: datetime) -> None:
    enter(harness, "a.mp4", hour, 60)
    enter(harness, "b.mp4", after(hour, 60), 60)
    harness.submit(source=span(after(hour, 50), after(hour, 70)))
    harness.work()
    result = ready(harness).result
    assert result is not None
    assert [(each.recording, each.start, each.end) for each in result.spans] == [
        ("a.mp4", Fraction(50), Fraction(60)),
        ("b.mp4", Fraction(0), Fraction(10)),
    ]
    assert [each.begins for each in result.spans] == [after(hour, 50), after(hour, 60)]
    (job,) = harness.cutter.jobs
    assert [(each.seam_before, each.seam_after) for each in job.ranges if isinstance(each, CutRange)] == [
        (False, True),
        (True, False),
    ]


def test_gaps_are_listed_in_the_record(harness: PathHarness, hour: datetime) -> None:
    enter(harness, "a.mp4", hour, 60)
    enter(harness, "b.mp4", after(hour, 63.5), 60)
    harness.submit(source=span(after(hour, 50), after(hour, 70)))
    harness.work()
    result = ready(harness).result
    assert result is not None
    assert [(gap.begins, gap.ends, gap.filled) for gap in result.gaps] == [(after(hour, 60), after(hour, 63.5), "skip")]


def test_a_gap_fails_a_clip_that_does_not_allow_it_and_says_what_was_found(
    harness: PathHarness, hour: datetime
) -> None:
    enter(harness, "a.mp4", hour, 60)
    enter(harness, "b.mp4", after(hour, 63.5), 60)
    harness.submit(source=span(after(hour, 50), after(hour, 70), gaps="fail"))
    harness.work()
    failure = harness.clip("wave").failure
    assert failure is not None
    assert failure.reason == "footage_missing"
    assert f"{after(hour, 60):%H:%M:%S}" in failure.message


def test_a_request_that_begins_before_the_first_recording_is_clamped_and_says_so(
    harness: PathHarness, hour: datetime
) -> None:
    enter(harness, "a.mp4", after(hour, 219), 60)
    harness.submit(source=span(hour, after(hour, 240)))
    harness.work()
    result = ready(harness).result
    assert result is not None
    assert [(each.recording, each.start, each.end) for each in result.spans] == [("a.mp4", Fraction(0), Fraction(21))]
    assert [(gap.begins, gap.ends) for gap in result.gaps] == [(hour, after(hour, 219))]


def test_footage_that_is_not_there_is_waited_for_and_its_arrival_makes_the_clip(harness: PathHarness) -> None:
    soon = harness.now().replace(microsecond=0)
    enter(harness, "a.mp4", after(soon, -60), 60)
    harness.submit(source=span(after(soon, 10), after(soon, 20)))
    assert harness.work() == 1
    waiting = harness.clip("wave")
    assert waiting.state is ClipState.WAITING
    assert waiting.waits_for == "north"
    assert waiting.expected_at == after(soon, 61)
    assert waiting.waits_for_new_camera is None
    assert waiting.waits_until is not None
    assert waiting.waits_until > waiting.expected_at
    assert harness.depth() == (0, 0, 0, 0)
    harness.pass_time(62)
    assert requeue_waiting_clips(harness.services, enter(harness, "b.mp4", soon, 60)) == 1
    harness.work()
    result = ready(harness).result
    assert result is not None
    assert [each.recording for each in result.spans] == ["b.mp4"]
    assert harness.types() == ["queued", "waiting", "processing", "ready"]


def test_footage_of_another_camera_wakes_no_clip(harness: PathHarness) -> None:
    harness.submit(source=span(harness.now(), after(harness.now(), 5)))
    harness.work()
    assert requeue_waiting_clips(harness.services, enter(harness, "s.mp4", harness.now(), 60, camera="south")) == 0


def test_the_schedule_finds_footage_without_an_event(harness: PathHarness) -> None:
    soon = harness.now().replace(microsecond=0)
    harness.submit(source=span(after(soon, 10), after(soon, 20)))
    harness.work()
    enter(harness, "b.mp4", soon, 60)
    for _ in range(3):
        harness.pass_time(60)
        housekeep(harness.services)
        harness.work()
    ready(harness)


def test_waiting_is_announced_only_once(harness: PathHarness) -> None:
    soon = harness.now().replace(microsecond=0)
    harness.submit(source=span(soon, after(soon, 10)))
    harness.work()
    for _ in range(5):
        harness.pass_time(1000)
        housekeep(harness.services)
        harness.work()
    waiting = harness.clip("wave")
    assert waiting.state is ClipState.WAITING
    assert harness.types() == ["queued", "waiting"]
    assert waiting.public()["waits_for_new_camera"] is True, "no recording of the camera was ever there"
    assert waiting.waits_until == max(waiting.created_at, after(soon, 10)) + patience_of(harness.services).deadline


def test_past_the_deadline_missing_footage_is_named(harness: PathHarness) -> None:
    soon = harness.now().replace(microsecond=0)
    harness.submit(source=span(soon, after(soon, 10)))
    harness.work()
    for _ in range(10):
        harness.pass_time(3600)
        housekeep(harness.services)
        harness.work()
    clip = harness.clip("wave")
    assert clip.state is ClipState.FAILED
    assert clip.failure is not None
    assert clip.failure.reason == "footage_missing"


def test_footage_older_than_recordings_are_kept_fails_at_once(
    make_harness: Callable[..., PathHarness], hour: datetime
) -> None:
    harness = make_harness(retention=600)
    harness.submit(source=span(hour, after(hour, 10)))
    harness.work()
    failure = harness.clip("wave").failure
    assert failure is not None
    assert failure.reason == "footage_expired"


def test_what_arrives_while_a_clip_begins_to_wait_is_not_overlooked(harness: PathHarness) -> None:
    soon = harness.now().replace(microsecond=0)
    harness.submit(source=span(soon, after(soon, 10)))
    commit = harness.services.records.commit

    def arriving(clip: Clip, *, announce: bool = True) -> bool:
        done = commit(clip, announce=announce)
        if clip.state is ClipState.WAITING and harness.services.catalogue.get_recording("b.mp4") is None:
            # It arrives just before the record says that the clip waits, so no clip is woken.
            enter(harness, "b.mp4", soon, 60)
        return done

    records = harness.services.records
    records.commit = arriving  # type: ignore[method-assign]
    harness.work()
    ready(harness)


def test_a_waiting_clip_can_be_cancelled_and_is_not_made_when_its_footage_comes(harness: PathHarness) -> None:
    from cutback.lifecycle import accept

    soon = harness.now().replace(microsecond=0)
    harness.submit(source=span(soon, after(soon, 10)))
    harness.work()
    accept.cancel(harness.services, "wave")
    assert requeue_waiting_clips(harness.services, enter(harness, "b.mp4", soon, 60)) == 0
    assert harness.clip("wave").state is ClipState.CANCELLED


@pytest.mark.parametrize("stage", ["recorded", "waiting", "claimed", "resolved", "stored", "committed"])
def test_a_worker_that_dies_anywhere_leaves_a_clip_that_is_made_once(harness: PathHarness, stage: str) -> None:
    soon = harness.now().replace(microsecond=0)
    harness.submit(source=span(soon, after(soon, 10)))
    if stage in {"recorded", "waiting"}:
        harness.die_at(stage)
        harness.pass_time(70)
        harness.work()
        assert harness.clip("wave").state is ClipState.WAITING
        requeue_waiting_clips(harness.services, enter(harness, "b.mp4", soon, 60))
    else:
        enter(harness, "b.mp4", soon, 60)
        harness.die_at(stage)
    harness.pass_time(70)
    harness.work()
    ready(harness)
    assert harness.types().count("ready") == 1


def test_the_older_format_is_answered_in_its_own_shape(make_harness: Callable[..., PathHarness]) -> None:
    harness = make_harness(webhook_urls="http://127.0.0.1:9/hook", clip_address="https://clips.example")
    soon = harness.now().replace(microsecond=0)
    start = int(soon.timestamp() * 1000)
    message = {
        "clipId": "5f1e",
        "cameraId": "north",
        "startTimestampInMs": start + 1000,
        "endTimestampInMs": start + 9000,
        "retryTimestamps": [],
    }
    harness.services.queue.send(repr(message))
    harness.work()
    assert harness.clip("5f1e").state is ClipState.WAITING
    enter(harness, "b.mp4", soon, 60)
    harness.services.queue.send(json.dumps({**message, "retryTimestamps": [start + 60_000]}))
    harness.work()
    ready(harness, "5f1e")
    told = [json.loads(each.body) for each in harness.webhooks.receive(limit=10)]
    answers = {each["id"]: each["event"] for each in told if each["id"].endswith(".legacy")}
    assert [each["status"] for each in answers.values()] == ["PENDING", "CLIP_AVAILABLE"]
    available = list(answers.values())[-1]
    assert available["clip"] == {"url": "https://clips.example/5f1e/1/clip.mp4", "key": "5f1e/1/clip.mp4"}
    assert (available["startTimestampInMs"], available["cameraId"]) == (start + 1000, "north")
    assert len(told) == len(answers) + 4  # in addition to every CloudEvent


def test_several_cameras_are_a_clip_each_with_its_own_outcome(harness: PathHarness, hour: datetime) -> None:
    enter(harness, "a.mp4", hour, 60)
    batch = {
        "id": "wave",
        "source": {
            "camera": ["north", "south"],
            "from": after(hour, 10).isoformat(),
            "to": after(hour, 20).isoformat(),
        },
    }
    harness.services.queue.send(json.dumps(batch))
    harness.work()
    ready(harness, "wave-north")
    assert harness.clip("wave-south").state is ClipState.WAITING


def test_valid_requests_of_a_list_are_made_and_the_poison_becomes_a_dead_letter(harness: PathHarness) -> None:
    good = [{"id": f"g{number}", "source": {"recording": "sea.mp4", "start": number, "end": 9}} for number in range(3)]
    harness.services.queue.send(json.dumps([good[0], {"id": "bad", "source": []}, good[1], 7, good[2]]))
    harness.work()
    for each in good:
        ready(harness, str(each["id"]))
    assert harness.depth() == (0, 0, 0, 2)
    assert any("source" in reason for reason in harness.dead_reasons())


def test_a_message_too_large_for_the_queue_is_fetched_from_its_store_and_from_no_other(
    make_harness: Callable[..., PathHarness], tmp_path: Path
) -> None:
    harness = make_harness()
    big = tmp_path / "big"
    big.mkdir()
    (big / "0b6e").write_text(json.dumps({"id": "big", "source": {"recording": "sea.mp4", "start": 1, "end": 2}}))
    from cutback.storage.store import Store

    pointer = ["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "big", "s3Key": "0b6e"}]
    harness.settings = harness.settings.model_copy(update={"message_store": "s3://big"})
    services = harness.another(messages=Store.open(str(big)), settings=harness.settings)
    services.queue.send(json.dumps(pointer))
    services.queue.send(json.dumps([pointer[0], {"s3BucketName": "other", "s3Key": "0b6e"}]))
    harness.work(services)
    ready(harness, "big")
    assert harness.depth() == (0, 0, 0, 1)
    assert "other" in harness.dead_reasons()[0]


def test_a_message_without_an_offset_is_on_the_cameras_clock_and_its_record_is_in_utc(
    make_harness: Callable[..., PathHarness],
) -> None:
    harness = make_harness(time_zone="UTC,north=Australia/Melbourne")
    start = harness.now().replace(microsecond=0, minute=30) - timedelta(hours=3)
    enter(harness, "a.mp4", start, 60)
    local = start.astimezone(ZoneInfo("Australia/Melbourne"))
    written = {"camera": "north", "from": f"{local:%Y-%m-%dT%H:%M:%S}", "to": "+5s"}
    for _ in range(2):
        harness.services.queue.send(json.dumps({"source": written}))
    harness.work()
    (clip,) = harness.services.records.list_clips(ClipQuery()).clips
    assert clip.state is ClipState.READY
    assert [(each.start, each.end) for each in clip.request.spans] == [(start, after(start, 5))]
    assert clip.id == validate_request({"source": span(start, after(start, 5))}).id


def test_edits_reach_the_cutter_with_the_clocks_of_the_cameras(harness: PathHarness, hour: datetime) -> None:
    enter(harness, "a.mp4", hour, 60)
    enter(harness, "b.mp4", after(hour, 60), 60)
    moments = [after(hour, seconds).isoformat() for seconds in (55, 65)]
    speed = {"edit": "speed", "spans": [{"from": moments[0], "to": moments[1], "speed": 0.5}]}
    harness.submit(source=span(after(hour, 50), after(hour, 70)), edits=[speed, {"edit": "clock", "zone": "UTC"}])
    harness.work()
    ready(harness)
    [job] = harness.cutter.jobs
    assert [type(edit).__name__ for edit in job.edits] == ["Speed", "ClockOverlay"]
    clocks = [clock for clock in job.wall_clocks if clock is not None]
    assert [clock.camera for clock in clocks] == ["north", "north"]
    assert [clock.epoch for clock in clocks] == [hour.timestamp(), after(hour, 60).timestamp()]
