"""Moments are found as peaks over the camera's own baseline."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cutback.cli.demo.drawing.ride import RIDE_END, RIDE_START
from cutback.cli.demo.drawing.swell import seed_of, swell
from cutback.domain.cameras.moments import LEAST_STRENGTH, ActivityLine, CameraMoment, find_moments
from cutback.domain.requests.moment_rule import MomentRule, clip_id, read_rules
from cutback.domain.requests.request import validate_request

SEAS: dict[str, list[int]] = json.loads(Path(__file__).with_name("sea_activity.json").read_text())
START = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def quiet(seconds: int, level: float = 400, seed: int = 1) -> list[int]:
    rng = random.Random(seed)
    return [round(level * rng.uniform(0.95, 1.05)) for _ in range(seconds)]


def with_events(values: list[int], at: Sequence[int], factor: float = 1.8, seconds: int = 8) -> list[int]:
    for begin in at:
        for second in range(begin, begin + seconds):
            values[second] = round(values[second] * factor)
    return values


def found(*lines: ActivityLine, **options: float) -> list[CameraMoment]:
    return find_moments(lines, START - DAY, START + DAY, **options)


def seconds(moments: Sequence[CameraMoment]) -> list[int]:
    return [round((moment.peak - START).total_seconds()) for moment in moments]


EVENTS = (300, 900, 1500, 2900)


def assert_finds(moments: Sequence[CameraMoment], events: Sequence[int] = EVENTS) -> None:
    assert len(moments) == len(events), seconds(moments)
    for moment, event in zip(moments, events, strict=True):
        assert event <= (moment.peak - START).total_seconds() < event + 8
        assert abs((moment.begins - START).total_seconds() - event) <= 6
        assert abs((moment.ends - START).total_seconds() - event - 8) <= 6
        assert LEAST_STRENGTH <= moment.strength <= 1


def test_events_in_a_quiet_hour_are_found_and_nothing_else() -> None:
    assert_finds(found(ActivityLine(START, 1, with_events(quiet(3600), EVENTS), "h264")))


def test_a_quiet_hour_has_no_moments() -> None:
    for seed in range(5):
        assert found(ActivityLine(START, 1, quiet(3600, seed=seed), "h264")) == []
    assert found(ActivityLine(START, 1, [0] * 3600, "h264")) == []
    assert found() == []


def test_daylight_and_rain_move_the_baseline_and_are_no_moments() -> None:
    values = quiet(4 * 3600)
    dawn = [round(value * (1 + 1.5 * second / len(values))) for second, value in enumerate(values)]
    events = (1000, 5000, 9000, 13000)
    assert_finds(found(ActivityLine(START, 1, with_events(dawn, events), "h264")), events)


def test_a_change_of_the_codec_is_no_moment() -> None:
    first = ActivityLine(START, 1, with_events(quiet(3600, 400), EVENTS), "h264 1920x1080")
    second = ActivityLine(START + timedelta(hours=1), 1, quiet(3600, 2000), "hevc 1920x1080")
    assert_finds(found(first, second))


def test_recordings_that_follow_one_another_are_one_line() -> None:
    values = with_events(quiet(3600), EVENTS)
    parts = [
        ActivityLine(START + timedelta(seconds=first), 1, values[first : first + 60], "h264")
        for first in range(0, 3600, 60)
    ]
    assert found(*parts) == found(ActivityLine(START, 1, values, "h264"))


def test_where_something_happens_all_the_time_the_higher_group_of_peaks_counts() -> None:
    """Waves break every twelve seconds; some are ridden."""
    rng = random.Random(3)
    values, ridden = quiet(1200, 1000), []
    for begin in range(10, 1180, 12):
        factor = 1.5 if rng.random() < 0.4 else 1.2
        if factor > 1.3:
            ridden.append(begin)
        with_events(values, [begin], factor * rng.uniform(0.97, 1.03))
    waves = {second // 12 for second in seconds(found(ActivityLine(START, 1, values, "h264")))}
    expected = {(begin + 2) // 12 for begin in ridden}
    assert expected <= waves
    assert len(waves - expected) <= 1


def test_strength_grows_with_the_peak_and_filters() -> None:
    values = with_events(with_events(quiet(3600), [600], 1.5), [1200], 4)
    weak, strong = found(ActivityLine(START, 1, values, "h264"))
    assert weak.strength < strong.strength
    assert found(ActivityLine(START, 1, values, "h264"), least=strong.strength - 0.01) == [strong]


def test_only_peaks_in_the_span_count_but_the_baseline_is_of_the_hour() -> None:
    line = ActivityLine(START, 1, with_events(quiet(3600), EVENTS), "h264")
    some = find_moments([line], START + timedelta(seconds=600), START + timedelta(seconds=1600))
    assert some == found(line)[1:3]


@pytest.mark.parametrize("camera", SEAS)
def test_rides_of_a_drawn_sea_are_found_without_false_alarms(camera: str) -> None:
    """Five minutes as `python -m bench moments` draws and measures them; no constant was chosen with them."""
    values = SEAS[camera]
    waves = swell(seed_of(camera), len(values))
    rides = [(wave.breaks_at + RIDE_START - 1, wave.breaks_at + RIDE_END + 1) for wave in waves if wave.ridden]
    peaks = seconds(found(ActivityLine(START, 1, values, "h264")))
    whole = [(begin, end) for begin, end in rides if begin >= 0 and end <= len(values)]
    assert len(whole) >= 15
    assert sum(any(begin <= peak <= end for peak in peaks) for begin, end in whole) >= 0.9 * len(whole)
    assert all(any(begin <= peak <= end for begin, end in rides) for peak in peaks)


# --- rules -----------------------------------------------------------------------------------------


MOMENT = CameraMoment(START, START + timedelta(seconds=8), START + timedelta(seconds=4), 0.7)


def test_a_rule_makes_a_valid_request_with_an_id_of_camera_and_moment() -> None:
    rule = MomentRule(camera="north-*", strength=0.6, preset="phone", tags=("surf",))
    request = validate_request(rule.request("north-point", MOMENT))
    assert request.id == "moment-north-point-20260621T053004Z-phone"
    [span] = request.spans
    assert (span.camera, span.start, span.end) == (
        "north-point", MOMENT.peak - timedelta(seconds=8), MOMENT.peak + timedelta(seconds=12),
    )  # fmt: skip
    assert request.tags == ("moment", "surf")
    assert rule.is_for("north-point")
    assert not rule.is_for("south-point")


def test_cameras_with_similar_names_have_different_ids() -> None:
    ids = {clip_id(name, MOMENT, None) for name in ("a/b", "a-b", "a b", "ä", "A-b")}
    assert len(ids) == 5
    assert all(each.isascii() for each in ids)


def test_rules_are_read_from_toml_and_json() -> None:
    toml = '[[rule]]\ncamera = "north-*"\nstrength = 0.6\nbefore = 8\nafter = 12\npreset = "phone"\n'
    json = '[{"camera": "north-*", "strength": 0.6, "before": 8, "after": 12, "preset": "phone"}]'
    assert read_rules(toml) == read_rules(json) == (MomentRule(camera="north-*", strength=0.6, preset="phone"),)
    assert read_rules("") == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '[[rule]]\ncamera = "a"\nstrenght = 1',
            "rule 1: strenght is not a field of a rule; these are camera,",
        ),
        ('[[rule]]\nstrength = 2\ncamera = "a"', "rule 1: strength must be at most 1"),
        ('[[rule]]\ncamera = "a"\n[[rule]]\n', "rule 2: camera is missing"),
        ('[[rule]]\ncamera = "a"\npreset = "fone"', "rule 1: preset is not a preset; did you mean 'phone'?"),
        ('camera = "a"', "has camera; write a table [[rule]] for each rule"),
        ("[[rule", "is not valid TOML"),
        ("[1, 2", "is not a valid JSON list"),
        ("[1]", "rule 1: it must be an object"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_number_and_field(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        read_rules(text)
