"""A crop that moves: what it follows stays in its place, without a tremble."""

from __future__ import annotations

import io
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.media.cuts import CutResult, ask, cut_in_child, cut_ranges
from tests.support.decode import decode_warnings

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.crop import Crop, CropPoint
from cutback.cutting.edit_values.scale import Scale
from cutback.cutting.edit_values.time import Speed
from cutback.cutting.edits.moving_part import Glide
from cutback.cutting.job import CutGap, CutRange
from cutback.domain.errors import EditImpossibleError
from cutback.sandbox.cutter import ChildCutter

FRAMES, SIZE = 60, (320, 180)
WHOLE = ask((0, Fraction(0), Fraction(2)))
BEGIN, END = (40.0, 60.0), (251.0, 95.0)
"""Where the centre of the patch is at first and after 1.5 s."""

POINTS = ((Fraction(1, 4), BEGIN), (Fraction(3, 2), END))


def centre(number: int) -> tuple[float, float]:
    """Where the patch is: it follows the same curve."""
    time = Fraction(number, 30)
    times = [point[0] for point in POINTS]
    x, y = (Glide(times, [Fraction(point[1][axis]) for point in POINTS]).at(time) for axis in (0, 1))
    return float(x), float(y)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bright, soft, orange patch that moves to a fraction of a pixel, on grey."""
    path = tmp_path_factory.mktemp("followed") / "patch.mp4"
    width, height = SIZE
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "8", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        rows, columns = np.mgrid[0:height, 0:width]
        for number in range(FRAMES):
            x, y = centre(number)
            luma = 60 + 150 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 72)
            near = np.exp(-((columns[::2, ::2] + 0.5 - x) ** 2 + (rows[::2, ::2] + 0.5 - y) ** 2) / 72)
            planes = [luma, 128 - 60 * near, 128 + 60 * near]
            flat = np.concatenate([plane.round().astype(np.uint8).ravel() for plane in planes])
            picture = flat.reshape(height * 3 // 2, width)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "yuv420p")))
        container.mux(stream.encode(None))
    return path


def follow(width: int = 80, height: int = 60) -> Crop:
    path = (
        CropPoint(POINTS[0][0], round(BEGIN[0]) - width // 2, round(BEGIN[1]) - height // 2),
        CropPoint(POINTS[1][0], round(END[0]) - width // 2, round(END[1]) - height // 2),
    )
    return Crop(None, None, None, None, width, height, path)


def planes(clip: CutResult) -> list[list[NDArray[np.float64]]]:
    assert decode_warnings(clip.data) == []
    shown = []
    with av.open(io.BytesIO(clip.data), "r") as container:
        for frame in container.decode(video=0):
            rows = [np.frombuffer(bytes(plane), "u1").reshape(plane.height, -1) for plane in frame.planes]
            shown += [[each[:, : plane.width] * 1.0 for each, plane in zip(rows, frame.planes, strict=True)]]
    return shown


def middle(plane: NDArray[np.float64], floor: float) -> tuple[float, float]:
    """The centre of what is brighter than the background."""
    weight = np.clip(plane - floor, 0, None)
    rows, columns = np.mgrid[0 : plane.shape[0], 0 : plane.shape[1]]
    return float((weight * columns).sum() / weight.sum()), float((weight * rows).sum() / weight.sum())


def test_what_a_crop_follows_stays_in_its_place(followed: Path) -> None:
    clip = cut_ranges([followed], WHOLE, edits=[follow()])
    shown = planes(clip)
    assert (clip.facts.width, clip.facts.height, len(shown)) == (80, 60, FRAMES)
    assert clip.facts.edits == ("crop: 80×60 pixels that move over 320×180, by 2 points",)
    bright = [middle(luma, 75) for luma, _, _ in shown]
    red = [middle(each, 136) for _, _, each in shown]
    for x, y in bright:
        assert (x, y) == pytest.approx((40, 30), abs=0.25), "within a quarter of a pixel"
    for x, y in red:
        assert (2 * x + 0.5, 2 * y + 0.5) == pytest.approx((40, 30), abs=0.5), "colours are with what they belong to"
    assert max(abs(a[0] - b[0]) for a, b in pairwise(bright)) < 0.2, "no tremble"


def test_a_shape_moves_like_the_part_of_the_same_size(followed: Path) -> None:
    path = (CropPoint(Fraction(0), 0, None), CropPoint(Fraction(1), 80, None))
    shape = cut_ranges([followed], WHOLE, edits=[Crop(Fraction(4, 3), None, None, None, None, None, path)])
    part = cut_ranges([followed], WHOLE, edits=[Crop(None, None, None, None, 240, 180, path)])
    assert shape.facts.edits == part.facts.edits
    moved = [planes(clip) for clip in (shape, part)]
    assert all(
        np.array_equal(one, other) for each in zip(*moved, strict=True) for one, other in zip(*each, strict=True)
    )
    still = planes(cut_ranges([followed], WHOLE, edits=[Crop(Fraction(4, 3), "left", None, None, None, None)]))
    assert not np.array_equal(still[-1][0], moved[0][-1][0])


def test_a_crop_that_moves_goes_on_to_scale_and_follows_the_speed(followed: Path) -> None:
    edits: list[Edit] = [follow(), Scale(40, None, "fit", enlarge=False), Speed(Fraction("0.5"), (), None)]
    shown = planes(cut_ranges([followed], WHOLE, edits=edits))
    assert len(shown) == FRAMES
    for luma, _, _ in shown:
        assert luma.shape == (30, 40)
        assert middle(luma, 75) == pytest.approx((19.75, 14.75), abs=0.3)


def test_a_crop_that_moves_can_reach_every_edge(followed: Path) -> None:
    path = (CropPoint(Fraction(0), 0, 0), CropPoint(Fraction(1), 160, 90))
    shown = planes(cut_ranges([followed], WHOLE, edits=[Crop(None, None, None, None, 160, 90, path)]))
    still = planes(cut_ranges([followed], WHOLE, edits=[Crop(None, None, 160, 90, 160, 90)]))
    for found, expected in zip(shown[31:], still[31:], strict=True):
        assert np.abs(found[0] - expected[0]).mean() < 1


def test_a_path_outside_of_the_clip_or_the_picture_is_refused(followed: Path) -> None:
    for points, said in (
        ((CropPoint(Fraction(9), 0, 0),), "crop: 9 s is not within the clip"),
        ((CropPoint(Fraction(0), 300, 0),), "crop: 80×60 pixels at 300, 0 are not within the picture"),
    ):
        with pytest.raises(EditImpossibleError, match=said):
            cut_ranges([followed], WHOLE, edits=[Crop(None, None, None, None, 80, 60, points)])
    ranges: list[CutRange | CutGap] = [CutRange(0, Fraction(0), Fraction(1)), CutGap(Fraction(1), "freeze")]
    with pytest.raises(EditImpossibleError, match="a part that moves would be on a filled gap"):
        cut_ranges([followed], ranges, edits=[Crop(None, None, None, None, 80, 60, (CropPoint(Fraction(0), 0, 0),))])


def test_the_child_moves_a_crop(followed: Path, cutter: ChildCutter) -> None:
    clip = cut_in_child(cutter, [followed], (0, Fraction(0), Fraction(2)), edits=[follow()])
    assert middle(planes(clip)[20][0], 75) == pytest.approx((40, 30), abs=0.25)


def test_a_glide_rests_at_both_ends_and_never_overshoots() -> None:
    glide = Glide([Fraction(0), Fraction(1), Fraction(3)], [Fraction(0), Fraction(100), Fraction(90)])
    found = [glide.at(Fraction(n, 100)) for n in range(-10, 320)]
    assert [found[n] for n in (0, 10, 110, -1)] == [0, 0, 100, 90]
    assert min(found) == 0
    assert max(found) == 100
    assert found[11] - found[10] < 1, "it begins at rest"
