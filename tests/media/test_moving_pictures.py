"""GIFs and animated WebPs of clips: which frames they show when, in which size."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from tests.media.cuts import ask
from tests.media.outputs import OutputMade, bench, make_output
from tests.media.recordings import ReferenceRecording
from tests.support.media import read_luma_counter

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.time import Speed
from cutback.cutting.job import CutProgress, Limits
from cutback.cutting.output_values import Gif, Webp
from cutback.cutting.outputs.known import format_of
from cutback.domain.errors import MediaTooLargeError, OutputImpossibleError

Recordings = Callable[[str], ReferenceRecording]

FIRST, STOP, RATE = 40, 130, 30
"""Frames of the clip."""


def moving(one: ReferenceRecording, kind: str, *edits: Edit, fps: int = 10, most: int | None = None) -> OutputMade:
    """Three seconds."""
    value = Gif(240, fps, 0, most) if kind == "gif" else Webp(240, fps, 0, most, None)
    return make_output([one.path], ask((0, Fraction(FIRST, RATE), Fraction(STOP, RATE))), value, edits=edits)


def frames(data: bytes) -> list[tuple[int, int]]:
    """The counter and the milliseconds of each frame."""
    shown = Image.open(io.BytesIO(data))
    found = []
    for number in range(getattr(shown, "n_frames", 1)):
        shown.seek(number)
        luma = np.asarray(shown.convert("RGB").convert("L"))
        found.append((read_luma_counter(luma), int(shown.info["duration"])))
    return found


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_shows_the_frames_of_the_clip_at_their_times(recording: Recordings, kind: str) -> None:
    one = recording("pyramid")
    made = moving(one, kind)
    shown = frames(made.data)
    assert [counter for counter, _ in shown] == one.counters[FIRST:STOP:3]
    assert [lasts for _, lasts in shown] == [100] * 30
    assert (made.facts.width, made.facts.height, made.facts.frames) == (240, 135, 30)
    assert made.facts.duration == 3


@pytest.mark.parametrize(("kind", "passes"), [("gif", 2), ("webp", 1)])
def test_reports_that_it_is_alive_while_it_writes(recording: Recordings, kind: str, passes: int) -> None:
    """A child that is silent for too long is ended, and large animations take longer than that."""
    reports: list[CutProgress] = []
    value = Gif(64, 10, 0, None) if kind == "gif" else Webp(64, 10, 0, None, None)
    with bench([recording("pyramid").path], ask((0, Fraction(0), Fraction(1)))) as made_with:
        format_of(value).make(value, "clip", replace(made_with, progress=reports.append))
    written = [each for each in reports if each.fraction == 1]
    assert len(written) == passes * 10, "the palette looks at each frame, too"


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_keeps_all_frames_if_there_are_few(recording: Recordings, kind: str) -> None:
    """30 frames a second do not fit into hundredths or thousandths of a second, but nothing drifts."""
    one = recording("pyramid")
    shown = frames(moving(one, kind, fps=50).data)
    assert [counter for counter, _ in shown] == one.counters[FIRST:STOP]
    assert sum(lasts for _, lasts in shown) == 3000


def test_goes_through_the_edits(recording: Recordings) -> None:
    one = recording("pyramid")
    shown = frames(moving(one, "gif", Speed(Fraction(2), (), None)).data)
    assert sum(lasts for _, lasts in shown) == 1500
    assert [counter for counter, _ in shown] == one.counters[FIRST:STOP:6]


@pytest.mark.parametrize("kind", ["gif", "webp"])
@pytest.mark.parametrize("part", [0.8, 0.3])
def test_keeps_the_maximum_size_and_says_how(recording: Recordings, kind: str, part: float) -> None:
    one = recording("pyramid")
    most = int(moving(one, kind).facts.size * part)
    made = moving(one, kind, most=most)
    assert most * 0.4 < len(made.data) <= most
    assert any(note.startswith("To keep max_size: ") for note in made.facts.notes)
    shown = Image.open(io.BytesIO(made.data))
    assert shown.size == (made.facts.width, made.facts.height)
    assert getattr(shown, "n_frames", 1) == made.facts.frames


def test_a_size_that_cannot_be_met_fails_by_name(recording: Recordings) -> None:
    with pytest.raises(OutputImpossibleError, match="max_size"):
        moving(recording("pyramid"), "gif", most=1_000)


def test_too_many_pixels_are_refused(recording: Recordings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutback.cutting.outputs.moving._MOST_PIXELS", 240 * 135 * 29)
    with pytest.raises(MediaTooLargeError, match="lower width or fps"):
        moving(recording("pyramid"), "gif")


def test_sound_has_no_pictures(tone: object) -> None:
    with pytest.raises(OutputImpossibleError, match="no pictures"):
        make_output([tone], ask((0, Fraction(1), Fraction(2))), Gif(240, 10, 0, None), limits=Limits())  # type: ignore[list-item]


def test_a_webp_of_a_moment_is_a_still(recording: Recordings) -> None:
    one = recording("pyramid")
    ranges = ask((0, Fraction(FIRST, RATE), Fraction(STOP, RATE)))
    made = make_output([one.path], ranges, Webp(None, 12, 0, None, Fraction(1)))
    shown = Image.open(io.BytesIO(made.data))
    assert (shown.size, getattr(shown, "n_frames", 1)) == ((one.spec.width, one.spec.height), 1)
    assert read_luma_counter(np.asarray(shown.convert("L"))) == one.counters[FIRST + 30]
