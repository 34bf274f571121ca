"""Posters: a good frame of the clip, upright and never enlarged, whatever the clip was cut from."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.media.check_clip import TOLERANCE
from tests.media.cuts import BytesSource
from tests.media.recordings import ReferenceRecording
from tests.support.picture import read_luma_counter
from tests.support.sampling import each_once, slow_except

from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.index import Track
from cutback.cutting.job import CutJob, CutRange, Facts, Poster, Precision
from cutback.cutting.posters.choose import WIDTHS, Choice
from cutback.cutting.posters.still import jpeg_of
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]

SHAPES = ["pyramid", "open-gop", "hevc", "vfr", "ts", "opus-vp9", "4:4:4", "interlaced", "intra-refresh", "one-gop"]
PRECISIONS: list[Precision] = ["exact", "keyframe", "instant"]


def posters_of(
    cutter: ChildCutter, data: bytes, start: str, end: str, precision: Precision = "exact"
) -> tuple[tuple[Poster, ...], list[Image.Image], Facts]:
    """The posters of a clip, as the child process made them, and what the clip is."""
    source = BytesSource(data)
    job = CutJob((source.size,), (CutRange(0, Fraction(start), Fraction(end)),), precision)
    with cutter.render(job, [source], on_progress=lambda _: None, stopped=lambda: False) as rendition:
        posters = rendition.posters()
        images: list[Image.Image] = [Image.open(io.BytesIO(rendition.read_poster(poster))) for poster in posters]
    for poster, image in zip(posters, images, strict=True):
        assert image.format == "JPEG"
        assert image.size == (poster.width, poster.height)
    return posters, images, rendition.facts


def levels(image: Image.Image) -> NDArray[np.uint8]:
    """Its luma."""
    return np.asarray(image.convert("L"))


@pytest.mark.parametrize("case", slow_except(product(SHAPES, PRECISIONS), *each_once(SHAPES, PRECISIONS)), ids=str)
def test_posters_show_a_frame_of_the_clip_in_every_size(
    case: tuple[str, Precision], recording: Recordings, cutter: ChildCutter
) -> None:
    name, precision = case
    reference = recording(name)
    posters, images, facts = posters_of(cutter, reference.path.read_bytes(), "1.1", "2.6", precision)
    assert [poster.fits for poster in posters] == list(WIDTHS)
    assert [poster.width for poster in posters] == [300, 320, 320, 320]
    assert posters[-1].height == 180
    (span,) = facts.spans
    shown = {
        reference.counters[n]
        for n, time in enumerate(reference.times)
        if -TOLERANCE <= time - span.start < span.end - span.start
    }
    assert read_luma_counter(levels(images[-1])) in shown, "a picture that the clip does not present"


def test_a_poster_has_the_colours_of_the_frame(recording: Recordings, cutter: ChildCutter) -> None:
    reference = recording("pyramid")
    _, images, _ = posters_of(cutter, reference.path.read_bytes(), "1.1", "2.6")
    number = reference.counters.index(read_luma_counter(levels(images[-1])))
    with av.open(str(reference.path)) as container:
        frame = next(frame for n, frame in enumerate(container.decode(video=0)) if n == number)
    wanted = np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.int16)
    assert np.abs(np.asarray(images[-1], dtype=np.int16) - wanted).mean() < 4


def test_a_turned_recording_has_upright_posters(recording: Recordings, cutter: ChildCutter) -> None:
    reference = recording("rotated")
    posters, images, facts = posters_of(cutter, reference.path.read_bytes(), "1.1", "2.6")
    assert (facts.width, facts.height) == (320, 180), "the clip keeps its pixels, and says how to turn them"
    assert [(poster.width, poster.height) for poster in posters] == [(180, 320)] * 4
    # A player turns the recording counter-clockwise, by 90 degrees.
    back = levels(images[0].transpose(Image.Transpose.ROTATE_270))
    assert read_luma_counter(back) in reference.counters


def test_sound_alone_has_no_posters(recording: Recordings, cutter: ChildCutter) -> None:
    posters, _, _ = posters_of(cutter, recording("sound-alone").path.read_bytes(), "1.1", "2.6")
    assert posters == ()


# --- the choice ------------------------------------------------------------------------------------


def plain(*, aspect: Fraction | None = None, level: int = 0, sharp: int = 0, width: int = 640) -> Picture:
    """A picture of noise about a level; the higher `sharp`, the finer and stronger it is."""
    chance = np.random.default_rng(1)
    rows = np.full((width * 9 // 16, width, 3), level, np.int16)
    if sharp:
        grain = chance.integers(-80, 80, (rows.shape[0] // sharp + 1, rows.shape[1] // sharp + 1, 1))
        rows += np.kron(grain, np.ones((sharp, sharp, 1), np.int16))[: rows.shape[0], : rows.shape[1]]
    pixels = np.clip(rows, 0, 255).astype(np.uint8)
    return Picture(av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p"), aspect)


def track_of(reference: ReferenceRecording) -> Track:
    """Any clip's track."""
    from cutback.cutting.job import Limits
    from cutback.cutting.mp4.read import read_index

    video = read_index(BytesSource(reference.path.read_bytes()), Limits()).video
    assert video is not None
    return video


@pytest.mark.parametrize("first", [0, 1, 2, 3])
def test_neither_a_black_nor_a_white_nor_a_blurred_picture_is_chosen(first: int, recording: Recordings) -> None:
    black, white = plain(level=16), plain(level=252, sharp=2)
    blurred, sharp = plain(level=128, sharp=64), plain(level=128, sharp=2)
    seen = [black, white, blurred, sharp]
    choice = Choice()
    for picture in seen[first:] + seen[:first]:
        choice.look(track_of(recording("pyramid")), picture)
    assert choice.best is not None
    assert choice.best.picture is sharp


def test_pixels_that_are_not_square_shrink_in_one_direction(recording: Recordings) -> None:
    track = track_of(recording("pyramid"))
    for aspect, size in {Fraction(4, 3): (640, 270), Fraction(3, 4): (480, 360)}.items():
        choice = Choice()
        choice.look(track, plain(aspect=aspect, level=128, sharp=2))
        assert choice.best is not None
        jpeg = jpeg_of(choice.best.shown(3000))
        assert (jpeg.width, jpeg.height) == size


def test_a_recording_that_begins_black_gets_a_poster_that_is_not_black(tmp_path: Path, cutter: ChildCutter) -> None:
    path = tmp_path / "dark.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=30, options={"g": "15", "sc_threshold": "0", "preset": "ultrafast"}
        )
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        dark, light = plain(level=10), plain(level=120, sharp=4)
        for number in range(120):
            frame = (dark if number < 60 else light).frame
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for start, end, precision in (("0.1", "3.9", "exact"), ("0", "4", "keyframe"), ("0.1", "3.9", "instant")):
        _, images, _ = posters_of(cutter, path.read_bytes(), start, end, precision)  # type: ignore[arg-type]
        assert levels(images[1]).mean() > 80, precision
