"""Moments of cameras, clips of them, and rules for recordings that arrive."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from tests.path.harness import PathHarness
from tests.path.text_recordings import TEN, TextRecordings

from cutback.domain.base import iso
from cutback.domain.cameras.moments import CameraMoment
from cutback.domain.clips.clip import Clip
from cutback.domain.errors import MediaCrashedError, QueueUnavailableError, RecordingNotFoundError, SettingsError
from cutback.domain.requests.moment_rule import MomentRule
from cutback.lifecycle import made_files
from cutback.lifecycle.arrivals import enter_recording
from cutback.lifecycle.housekeeping import housekeep
from cutback.lifecycle.moment_clips import clip_moments
from cutback.lifecycle.moments import camera_moments
from cutback.ports import ClipQuery
from cutback.services import Services
from cutback.settings.settings import Settings

RULE = '[[rule]]\ncamera = "nor*"\nstrength = 0.6\nbefore = 8\nafter = 12\npreset = "phone"\n'
LENGTH = 600


def activity(events: Sequence[int], seed: int = 1, length: int = LENGTH) -> list[int]:
    """A quiet recording in which something happens for eight seconds now and then."""
    rng = random.Random(seed)
    return [
        round(400 * rng.uniform(0.96, 1.04) * (2 if any(event <= second < event + 8 for event in events) else 1))
        for second in range(length)
    ]


def arrive(
    texts: TextRecordings,
    number: int,
    events: Sequence[int],
    *,
    again: bool = False,
    motion: tuple[int, int] | None = None,
) -> str:
    """The camera's recording of ten minutes, `number` recordings after the first.

    `motion` are the pairs of its pictures around a moment, and those that differ. None: looking at them crashes.
    """
    begins = TEN + timedelta(seconds=number * LENGTH)
    key = f"north.{begins:%Y%m%dT%H%M%S}.mp4"
    texts.put(key, duration=LENGTH, activity=activity(events, seed=number), motion=motion)
    enter_recording(texts.services, key, again=again)
    return key


def clips(services: Services) -> list[Clip]:
    found = services.records.list_clips(ClipQuery(), limit=100).clips
    return sorted(found, key=lambda clip: clip.id)


def found(texts: TextRecordings, seconds: int = 7200) -> list[CameraMoment]:
    return list(camera_moments(texts.services, "north", TEN, TEN + timedelta(seconds=seconds)).moments)


def seconds(moment: CameraMoment) -> float:
    return (moment.peak - TEN).total_seconds()


@pytest.fixture
def texts(harness: PathHarness) -> TextRecordings:
    return TextRecordings(harness)


@pytest.fixture
def ruled(make_harness: Callable[..., PathHarness], tmp_path: Path) -> TextRecordings:
    """An installation with a rule."""
    file = tmp_path / "moments.toml"
    file.write_text(RULE)
    return TextRecordings(make_harness(moment_rules=str(file)))


def test_moments_are_found_across_recordings_and_the_second_time_nothing_is_looked_into(texts: TextRecordings) -> None:
    arrive(texts, 0, [100, 594])
    arrive(texts, 1, [0, 300])
    moments = found(texts)
    assert [round(seconds(moment) / 10) for moment in moments] == [10, 60, 90], "one of them lies across the seam"
    looked = texts.prober.looked_into
    assert looked == 2
    assert found(texts) == moments
    texts.services.cache.close()  # another process, or an hour later
    assert found(texts) == moments
    assert texts.prober.looked_into == looked
    arrive(texts, 1, [450])
    assert [round(seconds(moment) / 10) for moment in found(texts)][-1] == 105, "a new version is looked into"


def test_a_recording_that_cannot_be_read_is_a_note(texts: TextRecordings) -> None:
    arrive(texts, 0, [100])
    key = f"north.{TEN + timedelta(seconds=LENGTH):%Y%m%dT%H%M%S}.mp4"
    texts.put(key, duration=LENGTH)
    enter_recording(texts.services, key)
    result = camera_moments(texts.services, "north", TEN, TEN + timedelta(seconds=2 * LENGTH))
    assert [round(seconds(moment) / 10) for moment in result.moments] == [10]
    [note] = result.notes
    assert key in note


def test_a_moment_that_cannot_be_confirmed_is_kept_with_a_note_and_spoils_no_other(texts: TextRecordings) -> None:
    motions = [(4, 2), None, (4, 1), (0, 0), (3, 1), (3, 0)]
    for number, motion in enumerate(motions):
        arrive(texts, number, [300], motion=motion)
    every = found(texts)
    assert len(every) == len(motions)
    result = camera_moments(texts.services, "north", TEN, TEN + timedelta(seconds=len(motions) * LENGTH), confirm=True)
    assert list(result.moments) == [every[number] for number in (0, 1, 3, 4)]
    crashed, unreadable = result.notes
    assert crashed.startswith(f"{iso(every[1].peak)}: not confirmed. ")
    assert str(MediaCrashedError()) in crashed
    assert unreadable == f"{iso(every[3].peak)}: not confirmed. No two pictures around it can be read."


def test_clips_of_moments_are_made_once(texts: TextRecordings) -> None:
    arrive(texts, 0, [100, 300])
    moments = found(texts)
    made = clip_moments(texts.services, "north", moments, MomentRule(camera="*"))
    assert [each.is_new for each in made] == [True, True]
    again = clip_moments(texts.services, "north", moments, MomentRule(camera="*", before=3))
    assert [(each.is_new, each.clip.id) for each in again] == [(False, each.clip.id) for each in made]
    assert len(clips(texts.services)) == 2


def test_a_rule_clips_the_moments_of_recordings_that_arrive(ruled: TextRecordings) -> None:
    arrive(ruled, 0, [100, 300])
    [first, second] = clips(ruled.services)
    assert first.id.startswith("moment-north-20261123T1001")
    assert first.id.endswith("Z-phone")
    [span] = first.request.spans
    assert (span.end - span.start, span.camera) == (timedelta(seconds=20), "north")
    assert first.request.tags == ("moment",)
    assert [edit.edit for edit in first.request.edits] == ["crop", "scale"], "those of the preset"
    arrive(ruled, 0, [100, 300], again=True)
    assert clips(ruled.services) == [first, second]


def test_a_moment_across_a_seam_is_clipped_once(ruled: TextRecordings) -> None:
    """The first recording leaves it to the second one, which also knows the end of the first."""
    arrive(ruled, 0, [100, 594])
    assert len(clips(ruled.services)) == 1
    arrive(ruled, 1, [0, 300])
    assert len(clips(ruled.services)) == 3
    arrive(ruled, 1, [0, 300], again=True)
    assert len(clips(ruled.services)) == 3


def test_a_rule_that_was_broken_off_is_finished_the_next_time(
    ruled: TextRecordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise QueueUnavailableError

    with monkeypatch.context() as broken:
        broken.setattr(ruled.services.queue, "send", fail)
        with pytest.raises(QueueUnavailableError):
            arrive(ruled, 0, [100])
    assert clips(ruled.services) == []
    arrive(ruled, 0, [100], again=True)
    assert len(clips(ruled.services)) == 1


def test_other_cameras_and_weak_moments_follow_no_rule(ruled: TextRecordings) -> None:
    key = f"south.{TEN:%Y%m%dT%H%M%S}.mp4"
    ruled.put(key, duration=LENGTH, activity=activity([100]))
    enter_recording(ruled.services, key)
    arrive(ruled, 0, [])
    assert clips(ruled.services) == []
    assert ruled.prober.looked_into == 1


def test_wrong_rules_are_refused_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "moments.toml"
    file.write_text('[[rule]]\ncamera = "a"\nbefor = 3\n')
    for value, problem in ((str(file), "rule 1: befor is not a field"), (str(tmp_path / "none"), "cannot be read")):
        with pytest.raises((SettingsError, ValueError), match=problem):
            Settings(data=tmp_path, moment_rules=value)


# --- kept files ------------------------------------------------------------------------------------


def test_kept_files_go_after_a_while(make_harness: Callable[..., PathHarness]) -> None:
    texts = TextRecordings(make_harness(keep_pictures="2d"))
    services = texts.services
    made_files.put(services, "a.mp4", "1", "activity-2.json", b"{}")
    housekeep(services)
    services.cache.close()
    assert made_files.find(services, "a.mp4", "1", "activity-2.json") == b"{}"
    texts.harness.pass_time(3 * 86400)
    services.cache.close()
    housekeep(services)
    services.cache.close()
    assert made_files.find(services, "a.mp4", "1", "activity-2.json") is None
    assert list(services.clips.list(made_files.FOLDER)) == []


def test_a_clip_store_that_fails_costs_only_time(texts: TextRecordings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RecordingNotFoundError

    arrive(texts, 0, [100])
    monkeypatch.setattr(texts.services.clips, "put", fail)
    monkeypatch.setattr(texts.services.clips, "get_bytes", fail)
    assert len(found(texts)) == 1
