"""Slow motion that shows something between frames, and speeds that lead into each other."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.media.cuts import CutResult, ask, cut_in_child, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.support.decode import decode_presented, decode_warnings

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.crop import Crop
from cutback.cutting.edit_values.time import Speed, SpeedSpan
from cutback.cutting.job import CutGap, CutRange, Limits
from cutback.domain.errors import EditImpossibleError
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]
WHOLE = ask((0, Fraction(0), Fraction(1)))
STEP = 8


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A soft bright patch that moves by 8 pixels a frame."""
    path = tmp_path_factory.mktemp("moving") / "moving.mp4"
    rows, columns = np.mgrid[0:96, 0:320]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "8", "preset": "ultrafast", "g": "10"})
        stream.width, stream.height, stream.pix_fmt = 320, 96, "yuv420p"
        for number in range(30):
            picture = np.full((144, 320), 128, np.uint8)
            far = (columns - place(number)) ** 2 + (rows - 48) ** 2
            picture[:96] = (60 + 150 * np.exp(-far / 128)).round()
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "yuv420p")))
        container.mux(stream.encode(None))
    return path


def place(number: float) -> float:
    return 40 + STEP * number


def slow(between: str, pace: str = "0.5") -> Speed:
    return Speed(Fraction(pace), (), None, between)  # type: ignore[arg-type]


def pictures(clip: CutResult) -> tuple[list[Fraction], list[NDArray[Any]]]:
    assert decode_warnings(clip.data) == []
    assert not clip.facts.remade
    found = decode_presented(clip.data, luma=True)
    assert len(found.frames) == clip.facts.frames
    return [frame.time for frame in found.frames], [
        frame.luma.astype(float) for frame in found.frames if frame.luma is not None
    ]


def middle(luma: NDArray[Any]) -> float:
    weight = np.clip(luma - 90, 0, None)
    return float((weight * np.arange(luma.shape[1])).sum() / weight.sum())


def test_blending_shows_mixes_of_neighbours_at_the_usual_rate(moving: Path) -> None:
    _, plain = pictures(cut_ranges([moving], WHOLE))
    clip = cut_ranges([moving], WHOLE, edits=[slow("blend")])
    times, found = pictures(clip)
    assert clip.facts.duration == 2
    assert len(found) == 60
    assert all(abs(time - Fraction(n, 30)) < Fraction(1, 1000) for n, time in enumerate(times))
    for number, luma in enumerate(found):
        low, high = plain[number // 2], plain[min((number + 1) // 2, 29)]
        assert np.abs(luma - (low + high) / 2).mean() < 0.3
    assert clip.facts.edits == ("speed: 0.5; pictures between frames are blended",)


def test_blending_weighs_neighbours_by_time(moving: Path) -> None:
    _, plain = pictures(cut_ranges([moving], WHOLE))
    _, found = pictures(cut_ranges([moving], WHOLE, edits=[slow("blend", "0.25")]))
    assert len(found) == 120
    expected = 0.75 * plain[10] + 0.25 * plain[11]
    assert np.abs(found[41] - expected).mean() < 0.3
    assert np.abs(found[43] - expected).mean() > 0.6


def test_interpolation_shows_what_moves_where_it_would_be(moving: Path) -> None:
    clip = cut_ranges([moving], ask((0, Fraction(0), Fraction(1, 2))), edits=[slow("interpolate")])
    times, found = pictures(clip)
    assert len(found) == len(times) == 30
    places = [middle(luma) for luma in found]
    for number in range(2, 26):
        assert places[number] == pytest.approx(place(number / 2), abs=1.5)
        assert found[number].max() > 180, "one patch, not two halves of it"
    assert clip.facts.edits == ("speed: 0.5; pictures between frames are interpolated",)


def test_too_much_interpolation_is_refused_with_the_bound(moving: Path) -> None:
    limits = Limits(interpolated_pixels=50 * 320 * 96)
    said = "interpolating 60 pictures of 320×96 takes too long; at most 50 of this size are possible"
    with pytest.raises(EditImpossibleError, match=said):
        cut_ranges([moving], WHOLE, edits=[slow("interpolate")], limits=limits)


def test_only_the_slow_part_is_encoded_and_other_edits_go_with_it(recording: Recordings) -> None:
    one = recording("pyramid").path
    span = SpeedSpan(Fraction(1), Fraction(2), Fraction("0.5"))
    edit = Speed(None, (span,), None, "blend")
    clip = cut_ranges([one], ask((0, Fraction(0), Fraction(5))), edits=[edit])
    times, _ = pictures(clip)
    assert clip.facts.duration == 6
    assert len(times) == 30 + 60 + 90
    assert clip.facts.frames_copied > 0
    square: list[Edit] = [Crop(Fraction(1), None, None, None, None, None), edit]
    assert cut_ranges([one], ask((0, Fraction(0), Fraction(5))), edits=square).facts.frames == 180


def test_fast_parts_are_not_blended(recording: Recordings) -> None:
    clip = cut_ranges([recording("pyramid").path], ask((0, Fraction(0), Fraction(5))), edits=[slow("blend", "2")])
    assert clip.facts.frames_copied > 0
    assert clip.facts.edits == ("speed: 2",)


def test_a_filled_gap_cannot_be_blended(recording: Recordings) -> None:
    ranges: list[CutRange | CutGap] = [CutRange(0, Fraction(1), Fraction(2)), CutGap(Fraction(1), "freeze")]
    with pytest.raises(EditImpossibleError, match="fills gaps"):
        cut_ranges([recording("pyramid").path], ranges, edits=[slow("blend")])


def test_a_ramp_leads_from_one_speed_to_the_next(recording: Recordings) -> None:
    one = recording("pyramid").path
    span = SpeedSpan(Fraction(2), Fraction(4), Fraction("0.25"))
    clip = cut_ranges([one], ask((0, Fraction(0), Fraction(5))), edits=[Speed(None, (span,), None, ramp=Fraction(1))])
    times, _ = pictures(clip)
    assert len(times) == 150, "all frames stay"
    assert clip.facts.frames_copied > 0
    steps = [float(b - a) * 30 for a, b in pairwise(times)]
    assert steps[:44] == pytest.approx([1] * 44, abs=0.05)
    assert steps[77:104] == pytest.approx([4] * 27, abs=0.05)
    ramp = steps[44:77]
    assert all(b > a - 0.05 for a, b in pairwise(ramp)), "slower and slower"
    assert max(b - a for a, b in pairwise(ramp)) < 0.7, "without a jerk"
    assert ramp[16] == pytest.approx(2, abs=0.3), "half way, half of the change"
    assert seconds_of_sound(clip) == pytest.approx(float(clip.facts.duration), abs=0.1)


def seconds_of_sound(clip: CutResult) -> float:
    with av.open(io.BytesIO(clip.data), "r") as container:
        frames = list(container.decode(audio=0))
    return sum(frame.samples for frame in frames) / frames[0].sample_rate


def test_a_ramp_needs_room(recording: Recordings) -> None:
    span = SpeedSpan(Fraction(1), Fraction("1.5"), Fraction("0.5"))
    with pytest.raises(EditImpossibleError, match=r"speed: the part from 1 to 1\.5 s is shorter than the ramps"):
        cut_ranges(
            [recording("pyramid").path],
            ask((0, Fraction(0), Fraction(5))),
            edits=[Speed(None, (span,), None, ramp=Fraction(1))],
        )


def test_the_child_blends_and_interpolates(moving: Path, cutter: ChildCutter) -> None:
    for between in ("blend", "interpolate"):
        clip = cut_in_child(cutter, [moving], (0, Fraction(0), Fraction(1, 3)), edits=[slow(between)])
        assert clip.facts.frames == 20
