"""Rotate, crop and scale: every pixel is where it should be, at any size, rotation and shape of pixels."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.media.cuts import BytesSource, CutResult, ask, cut_in_child, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.support.decode import decode_presented, decode_warnings, psnr
from tests.support.media import MediaSpec, cached_media
from tests.support.sampling import slow_except
from tests.support.shape import shape_of

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.crop import Crop
from cutback.cutting.edit_values.rotate import Rotate
from cutback.cutting.edit_values.scale import Scale
from cutback.cutting.edits.graph import Filter, PictureGraph
from cutback.cutting.job import CutGap, CutJob, CutRange
from cutback.cutting.preview import preview
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import Measure, Percent, Place
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]
Luma = NDArray[np.uint8]

SHORT = ask((0, Fraction(1), Fraction(2)))
FIRST, STOP = 30, 60


def crop(
    x: Measure | None = None,
    y: Measure | None = None,
    width: Measure | None = None,
    height: Measure | None = None,
    *,
    aspect: Fraction | None = None,
    gravity: Place | None = None,
) -> Crop:
    return Crop(aspect, gravity, x, y, width, height)


def edited(recording: Path | bytes, *edits: Edit) -> CutResult:
    return cut_ranges([recording], SHORT, edits=edits)


def check(clip: CutResult, expected: list[Luma], *, least: float = 33) -> None:
    """The clip shows these pictures, none more and none less, at the recording's times."""
    shown = decode_presented(clip.data, luma=True)
    assert len(shown.frames) == len(expected) == clip.facts.frames
    heights = {(frame.luma.shape[1], frame.luma.shape[0]) for frame in shown.frames if frame.luma is not None}
    assert heights == {(clip.facts.width, clip.facts.height)}
    for frame, picture in zip(shown.frames, expected, strict=True):
        assert frame.luma is not None
        assert psnr(frame.luma, picture) > least
    assert decode_warnings(clip.data) == []


def originals(one: ReferenceRecording) -> list[Luma]:
    """The pictures of the range, as they are coded."""
    return [frame.luma for frame in one.shown.frames[FIRST:STOP] if frame.luma is not None]


# --- crop ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "box"),
    [
        (crop(16, 40, 200, 100), (16, 40, 200, 100)),
        (crop(Percent(Fraction(10)), 40, Percent(Fraction(50)), Percent(Fraction(50))), (32, 40, 160, 90)),
        (crop(width=100, height=100, gravity="bottom-right"), (220, 80, 100, 100)),
        (crop(aspect=Fraction(9, 16)), (110, 0, 102, 180)),
        (crop(aspect=Fraction(1), gravity="left"), (0, 0, 180, 180)),
        (crop(aspect=Fraction(3), gravity="top"), (0, 0, 320, 106)),
        (crop(17, 41, 101, 51), (16, 40, 100, 52)),
    ],
)
def test_a_crop_shows_exactly_its_part(recording: Recordings, edit: Crop, box: tuple[int, int, int, int]) -> None:
    x, y, width, height = box
    one = recording("pyramid")
    clip = edited(one.path, edit)
    check(clip, [luma[y : y + height, x : x + width] for luma in originals(one)])
    assert clip.facts.edits == (f"crop: {width}×{height} pixels at {x}, {y} of 320×180",)
    assert (clip.facts.frames_copied, clip.facts.frames_encoded) == (0, STOP - FIRST)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (crop(300, 0, 40, 40), "40×40 pixels at 300, 0 are not within the picture, which has 320×180"),
        (crop(0, 170, 40, 40), "not within the picture"),
        (crop(width=400, height=100), "not within the picture"),
        (crop(0, 0, 4, 40), "at least 16×16"),
    ],
)
def test_a_crop_outside_of_the_picture_is_refused(recording: Recordings, edit: Crop, said: str) -> None:
    with pytest.raises(EditImpossibleError, match=said):
        edited(recording("pyramid").path, edit)


def test_the_child_reports_that_an_edit_does_not_fit(recording: Recordings, cutter: ChildCutter) -> None:
    with pytest.raises(EditImpossibleError, match="crop: 40×40"):
        cut_in_child(cutter, [recording("pyramid").path], (0, Fraction(1), Fraction(2)), edits=[crop(300, 0, 40, 40)])


# --- scale -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "size"),
    [
        (Scale(160, None, "fit", enlarge=False), (160, 90)),
        (Scale(None, 120, "fit", enlarge=False), (214, 120)),
        (Scale(100, 100, "fit", enlarge=False), (100, 56)),
        (Scale(100, 100, "fill", enlarge=False), (100, 100)),
        (Scale(100, 100, "pad", enlarge=False), (100, 100)),
        (Scale(640, None, "fit", enlarge=False), (320, 180)),
        (Scale(640, None, "fit", enlarge=True), (640, 360)),
        (Scale(720, 1280, "fill", enlarge=False), (102, 180)),
        (Scale(400, 400, "pad", enlarge=False), (400, 400)),
    ],
)
def test_pictures_are_scaled_and_never_enlarged_unasked(
    recording: Recordings, edit: Scale, size: tuple[int, int]
) -> None:
    clip = edited(recording("pyramid").path, edit)
    shown = decode_presented(clip.data, luma=True)
    assert (clip.facts.width, clip.facts.height) == size == shape_of(clip.data).size
    assert len(shown.frames) == STOP - FIRST
    if edit.mode == "fit":  # nothing is cut off, so the numbers in the pictures can be read
        assert shown.counters == recording("pyramid").counters[FIRST:STOP]


def test_padding_is_black_and_the_picture_in_the_middle(recording: Recordings) -> None:
    one = recording("pyramid")
    clip = edited(one.path, Scale(400, 220, "pad", enlarge=False))
    check(clip, [np.pad(luma, ((20, 20), (40, 40)), constant_values=16) for luma in originals(one)])


def test_filling_cuts_off_the_same_on_both_sides(recording: Recordings) -> None:
    one = recording("pyramid")
    clip = edited(one.path, Scale(180, 180, "fill", enlarge=False))
    check(clip, [luma[:, 70:250] for luma in originals(one)])


# --- rotate ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("degrees", "counter_clockwise"), [(90, -90), (180, -180), (270, 90)])
def test_a_rotation_alone_is_told_to_players(recording: Recordings, degrees: int, counter_clockwise: int) -> None:
    one = recording("pyramid")
    plain, turned = edited(one.path), edited(one.path, Rotate(degrees, None))  # type: ignore[arg-type]
    assert shape_of(turned.data).rotation == counter_clockwise
    assert turned.facts.frames_copied == plain.facts.frames_copied > 0
    assert turned.facts.edits == (f"rotate: {degrees}° clockwise, by the clip's header, without re-encoding",)
    pairs = zip(decode_presented(plain.data).frames, decode_presented(turned.data).frames, strict=True)
    assert all(before.counter == after.counter for before, after in pairs)


def test_a_rotation_adds_to_that_of_the_recording(recording: Recordings) -> None:
    one = recording("rotated")
    before = shape_of(one.path).rotation
    assert before % 360
    after = shape_of(edited(one.path, Rotate(90, None)).data).rotation
    assert (before - 90 - after) % 360 == 0


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_mirrored_picture_is_drawn(recording: Recordings, degrees: int) -> None:
    one = recording("pyramid")
    clip = edited(one.path, Rotate(degrees, "horizontal"))  # type: ignore[arg-type]
    check(clip, [np.fliplr(np.rot90(luma, -degrees // 90)) for luma in originals(one)])
    assert shape_of(clip.data).rotation == 0


def test_a_crop_of_a_rotated_recording_is_measured_upright(recording: Recordings) -> None:
    one = recording("rotated")
    upright = [np.rot90(luma, shape_of(one.path).rotation // 90) for luma in originals(one)]
    clip = edited(one.path, crop(10, 20, 100, 60))
    check(clip, [luma[20:80, 10:110] for luma in upright])
    assert shape_of(clip.data).rotation == 0


def test_rotate_crop_and_scale_are_done_in_order(recording: Recordings) -> None:
    one = recording("pyramid")
    clip = edited(one.path, Rotate(90, None), crop(20, 40, 120, 240), Scale(60, None, "fit", enlarge=False))
    turned = [np.rot90(luma, -1)[40:280, 20:140] for luma in originals(one)]
    check(clip, [luma.reshape(120, 2, 60, 2).mean((1, 3)).astype(np.uint8) for luma in turned], least=28)
    assert [said.split(":")[0] for said in clip.facts.edits] == ["rotate", "crop", "scale"]


# --- unusual sources -------------------------------------------------------------------------------


def test_pixels_that_are_not_square_become_square(media_folder: Path) -> None:
    params = {"x264-params": "sar=4/3"}
    path = cached_media(MediaSpec(frames=60, codec_options=params), media_folder)
    assert shape_of(path).aspect == Fraction(4, 3)
    clip = edited(path, crop(0, 0, Percent(Fraction(100)), Percent(Fraction(100))))
    assert shape_of(clip.data).size == (320, 136)  # 180 rows of 4:3 pixels are 135 of square ones; even
    assert shape_of(clip.data).aspect == 1


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_other_containers_are_edited_too(media_folder: Path, suffix: str) -> None:
    path = cached_media(MediaSpec(frames=70, suffix=suffix), media_folder)
    clip = edited(path, Scale(160, None, "fit", enlarge=False))
    assert (clip.facts.width, clip.facts.height) == (160, 90)
    assert len(decode_presented(clip.data).frames) == clip.facts.frames == 30


def test_ten_bits_and_full_range_stay(recording: Recordings) -> None:
    one = recording("hevc-hdr10")
    before = shape_of(one.path)
    after = shape_of(edited(one.path, crop(aspect=Fraction(1))).data)
    assert (after.colours, after.full_range, after.light) == (before.colours, before.full_range, before.light)
    with av.open(io.BytesIO(edited(one.path, crop(aspect=Fraction(1))).data), "r") as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p10le"


def test_pictures_of_a_filled_gap_are_edited_too(recording: Recordings) -> None:
    wanted: list[CutRange | CutGap] = [CutRange(0, Fraction(1), Fraction(2)), CutGap(Fraction(1), "freeze")]
    clip = cut_ranges([recording("pyramid").path], wanted, edits=[crop(aspect=Fraction(1))])
    shown = decode_presented(clip.data, luma=True)
    assert {frame.luma.shape for frame in shown.frames if frame.luma is not None} == {(180, 180)}
    assert len(shown.frames) == 60


# --- what changes nothing ----------------------------------------------------------------------------


KEPT: list[tuple[list[Edit], str]] = [
    ([Scale(1280, 720, "fit", enlarge=False)], "scale: 320×180 to 320×180 pixels, unchanged"),
    ([Scale(None, 180, "fit", enlarge=True)], "scale: 320×180 to 320×180 pixels, unchanged"),
    ([Scale(1280, 720, "fill", enlarge=False)], "scale: 320×180 to 320×180 pixels, unchanged"),
    ([Scale(320, 180, "pad", enlarge=False)], "scale: 320×180 to 320×180 pixels, unchanged"),
    ([crop(aspect=Fraction(16, 9))], "crop: all of 320×180 pixels, unchanged"),
    ([crop(0, 0, Percent(Fraction(100)))], "crop: all of 320×180 pixels, unchanged"),
    ([Rotate(0, None)], "rotate: 0° clockwise"),
]


@pytest.mark.parametrize("case", slow_except(KEPT, KEPT[0], KEPT[-2]), ids=str)
def test_pictures_that_keep_their_shape_are_copied(recording: Recordings, case: tuple[list[Edit], str]) -> None:
    edits, said = case
    one = recording("pyramid")
    wanted = ask((0, Fraction(1), Fraction(4)))
    clip, plain = cut_ranges([one.path], wanted, edits=edits), cut_ranges([one.path], wanted)
    assert clip.facts.edits == (said,)
    assert clip.facts.frames_copied == plain.facts.frames_copied > 0
    source = BytesSource(one.path.read_bytes())
    assert preview(CutJob((source.size,), wanted, edits=tuple(edits)), [source])["notes"] == [said]


def test_a_scale_that_changes_nothing_leaves_a_rotation_to_players(recording: Recordings) -> None:
    clip = edited(recording("pyramid").path, Rotate(90, None), Scale(None, 320, "fit", enlarge=False))
    assert clip.facts.frames_copied > 0
    assert shape_of(clip.data).rotation == -90
    assert clip.facts.edits == (
        "rotate: 90° clockwise, by the clip's header, without re-encoding",
        "scale: 180×320 to 180×320 pixels, unchanged",
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "edits", "size"),
    [
        ("pyramid", [Rotate(90, None), Scale(320, 180, "fit", enlarge=False)], (102, 180)),
        ("anamorphic", [Scale(1280, 720, "fit", enlarge=False)], (320, 126)),
        ("pyramid", [crop(aspect=Fraction(1)), Scale(1280, 720, "fit", enlarge=False)], (180, 180)),
    ],
)
def test_a_shape_that_only_the_recording_seems_to_have_already_is_made(
    recording: Recordings, name: str, edits: list[Edit], size: tuple[int, int]
) -> None:
    clip = edited(recording(name).path, *edits)
    assert (clip.facts.frames_copied, clip.facts.width, clip.facts.height) == (0, *size)


@pytest.mark.slow
def test_a_scale_is_done_if_one_of_the_recordings_needs_it(recording: Recordings) -> None:
    one = recording("pyramid")
    large = edited(one.path, Scale(400, None, "fit", enlarge=True)).data
    recordings: list[Path | bytes] = [one.path, large]
    wanted = ask((0, Fraction(1), Fraction(2)), (1, Fraction(0), Fraction(1)))
    for ranges in (wanted, wanted[::-1]):
        clip = cut_ranges(recordings, ranges, edits=[Scale(320, None, "fit", enlarge=False)])
        assert (clip.facts.frames, clip.facts.frames_copied, clip.facts.width, clip.facts.height) == (60, 0, 320, 180)


@pytest.mark.parametrize("filters", [["vflip"], ["hflip", "vflip"]])
def test_mirrored_pictures_can_be_written_to(filters: list[Literal["vflip", "hflip"]]) -> None:
    """Their rows must be in order in memory: filling a gap with black writes to them."""
    frame = av.VideoFrame(64, 48, "yuv420p")
    made = PictureGraph(frame, [Filter(name) for name in filters]).apply(frame)
    assert all(plane.line_size > 0 for plane in made.planes)
