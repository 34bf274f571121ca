"""Colour, denoise and blur: every pixel is what it should be, the rest stays, and only what changes is re-encoded."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.media.cuts import CutResult, ask, cut_in_child, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.support.decode import decode_warnings
from tests.support.media import MediaSpec, make_media

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.colour import Blur, Colour, Denoise
from cutback.cutting.edit_values.crop import Crop
from cutback.cutting.edit_values.rotate import Rotate
from cutback.cutting.edit_values.time import Speed
from cutback.cutting.job import CutGap, CutRange
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import Finished, Percent
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]
Planes = list[NDArray[Any]]

SHORT = ask((0, Fraction(0), Fraction(1)))


def colour(brightness: int = 0, contrast: int = 0, saturation: int = 0, temperature: int = 0) -> Colour:
    return Colour(Fraction(brightness), Fraction(contrast), Fraction(saturation), Fraction(temperature))


def blur(x: int, y: int, width: int, height: int, mode: str = "blur", **times: Any) -> Blur:
    when = {"start": None, "duration": None} | times
    return Blur(x, y, width, height, mode, Percent(Fraction(20)), **when)  # type: ignore[arg-type]


def edited(recording: Path, *edits: Edit, ranges: Any = SHORT) -> CutResult:
    return cut_ranges([recording], ranges, edits=edits)


def planes(clip: CutResult) -> list[Planes]:
    """The planes of every picture; the clip decodes without complaint."""
    assert decode_warnings(clip.data) == []
    assert not clip.facts.remade
    shown = []
    with av.open(io.BytesIO(clip.data), "r") as container:
        for frame in container.decode(video=0):
            kind = "<u2" if frame.format.components[0].bits > 8 else "u1"
            size = np.dtype(kind).itemsize
            shown.append(
                [
                    np.frombuffer(bytes(plane), kind).reshape(plane.height, plane.line_size // size)[:, : plane.width]
                    for plane in frame.planes
                ]
            )
    assert len(shown) == clip.facts.frames
    return shown


def affine(plane: NDArray[Any], factor: float, constant: float, low: int, high: int) -> NDArray[Any]:
    return np.clip(np.floor(plane.astype(np.float64) * factor + constant + 0.5), low, high)


def alike(found: NDArray[Any], expected: NDArray[Any], within: float) -> bool:
    """Whether two planes differ by no more on average; encoding costs a little."""
    return float(np.abs(found.astype(np.float64) - expected).mean()) < within


def full_range(folder: Path) -> Path:
    """A recording in which black is 0 and white is 255."""
    spec = MediaSpec(frames=30, audio=None, codec_options={"x264-params": "fullrange=on"})
    return make_media(spec, folder / "full.mp4")


# --- colour ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "unit", "black", "white"),
    [("pyramid", 1, 16, 235), ("full-range", 1, 0, 255), ("hevc-hdr10", 4, 64, 940)],
)
def test_colours_change_as_they_say_in_every_range_and_depth(
    recording: Recordings, tmp_path: Path, name: str, unit: int, black: int, white: int
) -> None:
    one = full_range(tmp_path) if name == "full-range" else recording(name).path
    high = 240 * unit if black else white
    [before, *_], [after, *_] = planes(edited(one)), planes(edited(one, colour(10, 20, -50, 25)))
    luma = affine(before[0], 1.2, -0.2 * (black + white) / 2 + 0.1 * (white - black), black, white)
    blue = affine(before[1], 0.5, 64 * unit - 8 * unit, black, high)
    red = affine(before[2], 0.5, 64 * unit + 8 * unit, black, high)
    for found, expected in zip(after, (luma, blue, red), strict=True):
        assert alike(found, expected, 2.5 * unit)
    assert not alike(after[0], before[0].astype(np.float64), 6 * unit), "it changes"


def test_without_saturation_nothing_has_a_colour(recording: Recordings) -> None:
    for _, blue, red in planes(edited(recording("pyramid").path, colour(saturation=-100))):
        assert np.abs(blue.astype(int) - 128).max() <= 3
        assert np.abs(red.astype(int) - 128).max() <= 3


def test_colour_re_encodes_all_and_keeps_the_tags(recording: Recordings) -> None:
    one = recording("hevc-hdr10").path
    plain, clip = edited(one), edited(one, colour(contrast=10))
    assert (clip.facts.frames_copied, clip.facts.frames_encoded) == (0, 30)
    assert clip.facts.edits == ("colour: contrast +10 %",)
    tags = []
    for each in (plain, clip):
        with av.open(io.BytesIO(each.data), "r") as container:
            context = container.streams.video[0].codec_context
            tags.append((context.color_primaries, context.color_trc, context.colorspace, context.color_range))
    assert tags[0] == tags[1]


def test_a_filled_gap_has_the_colours_of_the_clip(recording: Recordings) -> None:
    ranges: list[CutRange | CutGap] = [CutRange(0, Fraction(0), Fraction(1)), CutGap(Fraction(1), "freeze")]
    shown = planes(edited(recording("pyramid").path, colour(saturation=-100), ranges=ranges))
    assert len(shown) == 60
    assert np.abs(shown[-1][1].astype(int) - 128).max() <= 3
    assert alike(shown[-1][0], shown[29][0].astype(np.float64), 2)


# --- denoise ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise on grey, and a bright square that moves by 8 pixels a frame."""
    path = tmp_path_factory.mktemp("noisy") / "noisy.mp4"
    random = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "8", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 96, "yuv420p"
        for number in range(30):
            picture = np.full((144, 320), 128, np.uint8)
            picture[:96] = np.clip(100 + random.normal(0, 5, (96, 320)), 0, 255)
            picture[40:56, 8 * number : 8 * number + 16] = 235
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "yuv420p")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("strength", "left"), [("light", 0.95), ("strong", 0.6)])
def test_noise_is_reduced_and_what_moves_stays_in_its_place(noisy: Path, strength: str, left: float) -> None:
    before, after = planes(edited(noisy)), planes(edited(noisy, Denoise(strength)))  # type: ignore[arg-type]
    assert len(before) == len(after) == 30
    still = (slice(0, 32), slice(0, 320))
    noise = [float(np.mean([each[0][still].astype(float).std() for each in shown])) for shown in (before, after)]
    assert noise[1] < noise[0] * left
    for number, new in enumerate(after):
        bright = np.argwhere(new[0] > 200)
        assert bright.min(axis=0).tolist() == pytest.approx([40, 8 * number], abs=1)
        assert bright.max(axis=0).tolist() == pytest.approx([55, 8 * number + 15], abs=1)


# --- blur ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["blur", "pixelate"])
def test_only_the_region_is_unrecognizable(recording: Recordings, mode: str) -> None:
    one = recording("pyramid").path
    before, after = planes(edited(one)), planes(edited(one, blur(40, 20, 80, 60, mode)))
    region = (slice(20, 80), slice(40, 120))
    for old, new in zip(before, after, strict=True):
        mask = np.ones(old[0].shape, bool)
        mask[18:82, 38:122] = False
        assert np.abs(old[0].astype(int) - new[0])[mask].mean() < 3
        assert sharpness(new[0][region]) < 0.4 * sharpness(old[0][region])


def sharpness(luma: NDArray[Any]) -> float:
    return float(np.abs(np.diff(luma.astype(float), axis=1)).mean())


def test_a_blur_for_a_part_of_the_time_re_encodes_only_that_part(recording: Recordings) -> None:
    one = recording("pyramid").path  # keyframes at 48 and 96
    wanted = ask((0, Fraction(0), Fraction(5)))
    plain = edited(one, ranges=wanted)
    clip = edited(one, blur(40, 20, 80, 60, start=Fraction(0), duration=Fraction(1)), ranges=wanted)
    before, after = planes(plain), planes(clip)
    region = (slice(20, 80), slice(40, 120))
    changed = [
        sharpness(new[0][region]) < 0.6 * sharpness(old[0][region]) for old, new in zip(before, after, strict=True)
    ]
    assert changed == [number < 30 for number in range(150)]
    assert clip.facts.frames_copied >= plain.facts.frames_copied - 48 > 0


@pytest.mark.parametrize("edits", [(), (Rotate(90, None),), (Crop(None, None, 16, 32, 140, 200), Rotate(0, None))])
def test_the_region_is_that_of_the_upright_picture(recording: Recordings, edits: tuple[Edit, ...]) -> None:
    edits = tuple(each for each in edits if not isinstance(each, Rotate) or each.degrees)
    one = recording("rotated").path
    before, after = upright(edited(one, *edits)), upright(edited(one, *edits, blur(10, 30, 60, 40)))
    mask = np.zeros(before.shape, bool)
    mask[30:70, 10:70] = True
    difference = np.abs(before.astype(int) - after)
    assert difference[mask].mean() > 4 * max(difference[~mask].mean(), 0.5)


def upright(clip: CutResult) -> NDArray[Any]:
    """The luma of the first picture as it is shown."""
    with av.open(io.BytesIO(clip.data), "r") as container:
        frame = next(container.decode(video=0))
        luma = frame.to_ndarray(format="gray")
        return np.rot90(luma, round(frame.rotation / 90))


def test_blur_follows_the_times_of_the_finished_clip(recording: Recordings) -> None:
    one = recording("pyramid").path
    slow = Speed(Fraction("0.5"), (), None)
    before = planes(edited(one, slow))
    after = planes(edited(one, blur(40, 20, 80, 60, start=Finished(Fraction(1))), slow))
    region = (slice(20, 80), slice(40, 120))
    changed = [
        sharpness(new[0][region]) < 0.6 * sharpness(old[0][region]) for old, new in zip(before, after, strict=True)
    ]
    assert changed == [number >= 15 for number in range(30)]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (blur(300, 20, 80, 60), "blur: 80×60 pixels at 300, 20 are not within the picture, which has 320×180"),
        (blur(0, 0, 2, 2), "blur: 2×2 pixels are too few"),
        (blur(0, 0, 20, 20, start=Fraction(9)), "blur: 9 s is not within the clip"),
    ],
)
def test_a_blur_that_does_not_fit_is_refused(recording: Recordings, edit: Blur, said: str) -> None:
    with pytest.raises(EditImpossibleError, match=said):
        edited(recording("pyramid").path, edit)


def test_the_child_changes_colours_and_blurs(recording: Recordings, cutter: ChildCutter) -> None:
    edits: list[Edit] = [colour(saturation=-100), Denoise("light"), blur(40, 20, 80, 60)]
    clip = cut_in_child(cutter, [recording("pyramid").path], (0, Fraction(0), Fraction(1)), edits=edits)
    assert np.abs(planes(clip)[0][1].astype(int) - 128).max() <= 3
