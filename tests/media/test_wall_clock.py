"""Clips by wall clock over seams, overlaps, gaps and drift: every presented frame shows the right moment."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise, product
from pathlib import Path

import pytest
from tests.media.cameras import FILE, T0, Camera, Part, Shot, make_camera
from tests.media.cuts import CutResult, cut_ranges
from tests.support.decode import decode_presented
from tests.support.media import MediaSpec
from tests.support.sampling import each_once, slow_except

from cutback.cutting.job import CutRange
from cutback.domain.cameras.coverage import Coverage, cover
from cutback.domain.errors import RangeOutsideRecordingError
from cutback.domain.requests.request import validate_request
from cutback.reading.resolve import Wanted, pieces_of

CUTS = [2, pytest.param(16, marks=pytest.mark.slow)]
"""A camera."""
SOAKED = 84
"""The same of a soak; times the number of cameras, more than 500."""

F = Fraction
PLAIN = MediaSpec(gop=30, audio=None)
CAMERAS: dict[str, tuple[MediaSpec, list[Part]]] = {
    "seams": (PLAIN, [Part(120, F(4 * n)) for n in range(4)]),
    "seams, with sound": (MediaSpec(gop=25, fps=F(25)), [Part(100, F(4 * n)) for n in range(3)]),
    "overlaps": (PLAIN, [Part(150, F(4 * n) + F(n, 90)) for n in range(4)]),
    "gaps": (PLAIN, [Part(90, F(5 * n) + F(13 * n, 1000)) for n in range(4)]),
    "a frame missing": (PLAIN, [Part(119, F(4 * n)) for n in range(4)]),
    "drift": (PLAIN, [Part(120, F(n * 120, 30) / F(1005, 1000), F(1005, 1000)) for n in range(4)]),
    "short files of a transport stream": (
        MediaSpec(gop=30, suffix=".ts", start=F(7), audio=None),
        [Part(60, F(2 * n)) for n in range(8)],
    ),
}
"""What a camera's name stands for."""


@pytest.fixture(scope="module")
def camera(media_folder: Path) -> Callable[[str], Camera]:
    return cache(lambda name: make_camera(*CAMERAS[name], media_folder))


def covered(one: Camera, start: Fraction, end: Fraction) -> Coverage:
    def at(seconds: Fraction) -> timedelta:
        return timedelta(microseconds=round(seconds * 1_000_000))

    drift = F(1, 100) if one.parts[0].pace != 1 else F(500, 1_000_000)
    return cover(one.recordings, T0 + at(start), T0 + at(end), drift=drift)


def clip_of(one: Camera, coverage: Coverage, **fields: object) -> CutResult:
    begins, ends = coverage.stretches[0].begins, coverage.stretches[-1].ends
    span = {"camera": "camera", "from": begins.isoformat(), "to": ends.isoformat(), **fields}
    request = validate_request({"source": span})
    wanted = [piece for piece in pieces_of(request, [coverage]) if isinstance(piece, Wanted)]
    keys = list(dict.fromkeys(piece.key for piece in wanted))
    paths = dict(zip((recording.key for recording in one.recordings), one.paths, strict=True))
    ranges = [
        CutRange(keys.index(piece.key), piece.start, piece.end, piece.seam_before, piece.seam_after, optional=True)
        for piece in wanted
    ]
    return cut_ranges([paths[key] for key in keys], ranges)


def random_span(one: Camera, chance: random.Random) -> tuple[Fraction, Fraction]:
    """Around seams more often than not, and beyond both ends now and then."""
    starts = [part.start for part in one.parts]
    ends = [one.end(number) for number in range(len(one.parts))]
    frame = 1 / one.spec.fps
    if chance.random() < 0.7:
        seam = chance.choice([*starts, *ends])
        start = seam + chance.choice([-2, -1, -1, 0, 0, 1, 2]) * frame - chance.choice([F(0), frame / 3, F(2)])
    else:
        start = F(chance.randrange(-1000, round(ends[-1] * 1000)), 1000)
    end = start + F(chance.randrange(50, 6000), 1000)
    if chance.random() < 0.5:
        near = chance.choice([mark for mark in [*starts, *ends] if mark > start] or [end])
        end = max(start + frame, near + chance.choice([-2, -1, 0, 1, 2]) * frame)
    return F(round(start * 1000), 1000), F(round(end * 1000), 1000)


def check(one: Camera, start: Fraction, end: Fraction) -> bool:
    """Cut and compare; whether there was anything to show."""
    expected = one.shown(start, end)
    coverage = covered(one, start, end)
    if not coverage.takes:
        assert expected == []
        return False
    try:
        clip = clip_of(one, coverage)
    except RangeOutsideRecordingError:
        assert expected == []
        return False
    presented = decode_presented(clip.data)
    assert presented.counters == [shot.number for shot in expected]
    check_times(one, expected, presented.times, coverage)
    assert not clip.facts.remade
    return True


def check_times(one: Camera, expected: list[Shot], times: list[Fraction], coverage: Coverage) -> None:
    """Frames have the same distances in the clip as on the wall clock, except for skipped gaps."""
    frame = 1 / one.spec.fps
    holes = [((hole.begins - T0), (hole.ends - T0)) for hole in coverage.holes]
    pace = one.parts[0].pace
    drifted = F(0)
    for (before, earlier), (shot, time) in pairwise(zip(expected, times, strict=True)):
        hole = any(
            F(str(a.total_seconds())) >= before.moment and F(str(b.total_seconds())) <= shot.moment + F(1, 500)
            for a, b in holes
        )
        step = time - earlier
        if hole:
            assert 0 < step <= 2 * frame
        else:
            assert abs(step - (shot.moment - before.moment) * pace) <= F(1, 500), (shot, step)
            drifted += step - (shot.moment - before.moment) * pace
    # Over all seams together: nothing adds up.
    assert abs(drifted) <= F(1, 250)


@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize("name", CAMERAS)
def test_random_spans_show_the_very_frames_of_their_moments(
    name: str, cuts: int, camera: Callable[[str], Camera]
) -> None:
    assert random_checks(name, camera(name), cuts)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CAMERAS)
def test_many_random_spans_show_the_very_frames_of_their_moments(name: str, camera: Callable[[str], Camera]) -> None:
    assert random_checks(f"{name}, soaked", camera(name), SOAKED)


def random_checks(name: str, one: Camera, cuts: int) -> int:
    chance = random.Random(f"{name} {os.environ.get('CUTBACK_TEST_SEED', '1')}")
    cuts = int(os.environ.get("CUTBACK_TEST_CUTS", cuts))
    return sum(check(one, *random_span(one, chance)) for _ in range(cuts))


SEAMS = ["seams", "overlaps", "drift", "a frame missing"]


@pytest.mark.parametrize(
    "case",
    slow_except(
        product(SEAMS, product(range(-2, 3), repeat=2)),
        *each_once(SEAMS, [(-1, 1), (0, 0), (2, -2), (1, 2)]),
        slow_one_in=2,
    ),
    ids=str,
)
def test_within_two_frames_of_a_seam(case: tuple[str, tuple[int, int]], camera: Callable[[str], Camera]) -> None:
    name, (before, behind) = case
    one = camera(name)
    frame = 1 / one.spec.fps
    seam, next_seam = one.parts[1].start, one.parts[2].start
    start, end = seam + before * frame, next_seam + behind * frame
    assert check(one, F(round(start * 1000), 1000), F(round(end * 1000), 1000))


def test_a_span_that_begins_long_before_the_first_recording_begins_with_its_first_frame(
    camera: Callable[[str], Camera],
) -> None:
    one = camera("seams")
    clip = clip_of(one, covered(one, F(-219), F(2)))
    assert decode_presented(clip.data).counters == [FILE + n for n in range(60)]


def test_sound_continues_across_seams(camera: Callable[[str], Camera]) -> None:
    one = camera("seams, with sound")
    clip = clip_of(one, covered(one, F("2.5"), F("9.5")))
    presented = decode_presented(clip.data)
    assert not presented.audio_jumps
    assert presented.audio_end is not None
    assert abs(presented.audio_end - 7) <= F(1024 + 64, 48000)
