"""Random cuts of every kind of recording show exactly the requested frames, with their sound."""

from __future__ import annotations

import math
import os
import random
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.check_clip import ExpectedRange, check_clip, expected_range
from tests.media.cuts import CutResult, cut_in_process
from tests.media.recordings import RECIPES, ReferenceRecording
from tests.support.sampling import slow_except

from cutback.domain.errors import RangeOutsideRecordingError
from cutback.domain.times import FrameNumber, Instant

CUTS = 2
"""A recording. `.ci/run` makes more than a thousand others, of all recordings."""

SAMPLE = [
    *("pyramid", "open-gop", "10-bit", "intra-refresh", "field-pictures", "ts-changing", "hevc-open", "hevc-hdr10"),
    *("av1", "opus-vp9", "vp8-hidden", "mjpeg", "fragmented-delayed", "hybrid-b-frames", "negative-cts", "mkv"),
    *("ts-wrap", "edit-list", "rotated", "vfr", "held-mkv", "twice-mp4", "29.97", "sound-alone", "5.1-said-stereo"),
    *("sbr", "ac3-ts", "mov"),
]
"""One recording of each kind of difficulty."""

Recordings = Callable[[str], ReferenceRecording]


def written(time: Fraction, way: int) -> Instant:
    """A frame's time in one of the forms in which people write it."""
    micro = time * 1_000_000
    return [
        time,
        Fraction(math.ceil(micro), 1_000_000),  # rounds just above: 1.366667
        Fraction(math.floor(micro), 1_000_000),
        Fraction(round(time * 1000), 1000),
    ][way % 4]


def random_range(reference: ReferenceRecording, chance: random.Random) -> tuple[Instant, Instant]:
    """A range within a recording: on frames or between them, short or long."""
    length = chance.choice([0.04, 0.1, 0.3, 0.8, 1.5, 2.5]) * chance.uniform(0.7, 1.5)
    count = len(reference.times)
    if not count or chance.random() < 0.4:
        start = Fraction(str(round(chance.uniform(0, float(reference.end) - 0.2), 3)))
        return start, start + Fraction(str(round(max(length, 0.2 if not count else 0.05), 3)))
    first = chance.choice([*reference.keyframes, *(chance.randrange(count) for _ in range(8))])
    stop = min(count, first + max(1, round(length * count / float(reference.times[-1] + Fraction(1, 30)))))
    if chance.random() < 0.25:
        return FrameNumber(first), FrameNumber(stop)
    end = reference.times[stop] if stop < count else reference.video_end
    return written(reference.times[first], chance.randrange(4)), written(end, chance.randrange(4))


def whole_groups(reference: ReferenceRecording, part: ExpectedRange) -> int:
    """Frames of the GOPs that are in a range together with the next keyframe."""
    inside = [n for n in reference.keyframes if part.first <= n <= part.stop]
    return inside[-1] - inside[0] if inside else 0


def check_one(reference: ReferenceRecording, start: Instant, end: Instant) -> CutResult | None:
    """Cut and judge; a range without a frame must be refused."""
    part = expected_range(reference, start, end)
    if part is None:
        with pytest.raises(RangeOutsideRecordingError):
            cut_in_process([reference.path], (0, start, end))
        return None
    clip = cut_in_process([reference.path], (0, start, end))
    check_clip(clip, [part])
    if reference.recipe.copies:
        assert clip.facts.frames_copied >= whole_groups(reference, part), "whole groups of pictures are copied"
    return clip


def check_many(reference: ReferenceRecording, cuts: int, seed: str) -> None:
    """All cuts are tried, so that one fault does not hide another."""
    chance = random.Random(f"{reference.name} {seed}")
    faults = []
    for number in range(cuts):
        start, end = random_range(reference, chance)
        try:
            check_one(reference, start, end)
        except Exception as error:  # noqa: BLE001 - reported below, all of them
            faults.append(f"cut {number}, {start!r} to {end!r}: {type(error).__name__}: {str(error)[:300]}")
    assert not faults, f"{len(faults)} of {cuts} cuts of {reference.name}:\n" + "\n".join(faults)


@pytest.mark.parametrize("name", slow_except(SAMPLE, *SAMPLE[::3]))
def test_random_cuts_are_exact(name: str, recording: Recordings) -> None:
    check_many(recording(name), CUTS, "first")


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", RECIPES)
def test_many_more_random_cuts_are_exact(name: str, recording: Recordings) -> None:
    """CUTBACK_TEST_CUTS cuts of each recording (100), CUTBACK_TEST_SEED chooses which."""
    check_many(
        recording(name),
        int(os.environ.get("CUTBACK_TEST_CUTS", "100")),
        os.environ.get("CUTBACK_TEST_SEED", "soak"),
    )


def test_a_run_of_ci_makes_more_than_1000_random_cuts() -> None:
    script = (Path(__file__).parents[2] / ".ci" / "run").read_text(encoding="utf-8")
    soaked = re.search(r"CUTBACK_TEST_CUTS=(\d+) part make media-soak", script)
    assert soaked
    assert len(RECIPES) * int(soaked[1]) >= 1000
