"""Stills: which frame they show, in which colours, after which edits."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.media.cuts import ask
from tests.media.outputs import OutputMade, make_output
from tests.media.recordings import ReferenceRecording
from tests.support.media import read_luma_counter

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.colour import Denoise
from cutback.cutting.edit_values.scale import Scale
from cutback.cutting.edit_values.time import Reverse, Speed
from cutback.cutting.job import CutGap, CutRange
from cutback.cutting.output_values import JpegStill, OutputValue, PngStill
from cutback.domain.errors import EditImpossibleError, OutputImpossibleError
from cutback.domain.measures import Finished, Point
from cutback.domain.times import FromEnd

Recordings = Callable[[str], ReferenceRecording]

FIRST, STOP = 40, 130
"""Frames of the clip."""
RATE = 30


def still(
    one: ReferenceRecording,
    at: Point,
    *edits: Edit,
    kind: type[JpegStill | PngStill] = PngStill,
    width: int | None = None,
) -> OutputMade:
    """A still of three seconds."""
    ranges = ask((0, Fraction(FIRST, RATE), Fraction(STOP, RATE)))
    return make_output([one.path], ranges, kind(at, width), edits=edits)


def luma(data: bytes) -> NDArray[np.uint8]:
    """The luma of an image."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


def counter(data: bytes) -> int:
    """The number of the frame that an image shows."""
    return read_luma_counter(luma(data))


@pytest.mark.parametrize("kind", [JpegStill, PngStill])
@pytest.mark.parametrize(
    ("at", "frame"),
    [
        (Fraction(0), FIRST),
        (Fraction(1, RATE), FIRST + 1),
        (Fraction("0.998"), FIRST + 29),
        (Fraction(3), STOP - 1),
        (FromEnd(Fraction(1, RATE)), STOP - 1),
        (Finished(Fraction(1)), FIRST + 30),
    ],
)
def test_shows_the_frame_of_the_moment(recording: Recordings, kind: type[PngStill], at: Point, frame: int) -> None:
    one = recording("pyramid")
    made = still(one, at, kind=kind)
    assert counter(made.data) == one.counters[frame]
    assert (made.facts.frames, made.facts.duration) == (1, Fraction(0))


def test_colours_are_those_of_the_recording(recording: Recordings) -> None:
    """The same as FFmpeg's own conversion to RGB."""
    one = recording("no-b-frames")
    import av

    ranges = ask((0, Fraction(1), Fraction(2)))
    made = make_output([one.path], ranges, PngStill(Fraction(0), None))
    with av.open(str(one.path)) as container:
        frames = list(container.decode(video=0))
    shown = np.asarray(Image.open(io.BytesIO(made.data))).astype(int)
    reference = frames[25].to_ndarray(format="rgb24").astype(int)
    assert np.abs(shown - reference).mean() < 3


def test_is_of_the_finished_clip(recording: Recordings) -> None:
    """Points are in cut time: the frame is the same, however fast or backwards it is shown."""
    one = recording("pyramid")
    at = Fraction(1)
    assert counter(still(one, at, Speed(Fraction(2), (), None)).data) == one.counters[FIRST + 30]
    assert counter(still(one, Finished(Fraction(1, 2)), Speed(Fraction(2), (), None)).data) == one.counters[FIRST + 30]
    assert counter(still(one, Finished(Fraction(0)), Reverse()).data) == one.counters[STOP - 1]


@pytest.mark.parametrize(
    ("at", "frame"),
    [
        (Fraction(0), FIRST),
        (Fraction(1), FIRST + 30),
        (Fraction("1.01"), FIRST + 30),
        (Fraction(3), STOP - 1),
        (Finished(Fraction(1)), STOP - 31),
    ],
)
def test_is_the_same_frame_in_a_reversed_clip(recording: Recordings, at: Point, frame: int) -> None:
    one = recording("pyramid")
    assert counter(still(one, at, Reverse()).data) == one.counters[frame]


def test_is_edited(recording: Recordings) -> None:
    one = recording("pyramid")
    made = still(one, Fraction(1), Scale(160, None, "fit", enlarge=False), Denoise("light"))
    assert (made.facts.width, luma(made.data).shape[1]) == (160, 160)
    assert any(words.startswith("scale") for words in made.facts.edits)


def test_is_narrower_on_request(recording: Recordings) -> None:
    made = still(recording("pyramid"), Fraction(1), width=100)
    assert (made.facts.width, luma(made.data).shape[1]) == (100, 100)


@pytest.mark.parametrize("at", [Fraction(3) + Fraction(1, 100), FromEnd(Fraction(4)), Finished(Fraction(10))])
def test_beyond_the_end_is_refused_by_name(recording: Recordings, at: Point) -> None:
    with pytest.raises(EditImpossibleError, match="not within the clip"):
        still(recording("pyramid"), at)


def test_sound_has_no_pictures(tone: object) -> None:
    value: OutputValue = PngStill(Fraction(0), None)
    with pytest.raises(OutputImpossibleError, match="no pictures"):
        make_output([tone], ask((0, Fraction(1), Fraction(2))), value)  # type: ignore[list-item]


def test_of_a_gap_is_what_fills_it(recording: Recordings) -> None:
    one = recording("pyramid")
    for fill, wanted in (("freeze", one.counters[59]), ("black", None)):
        gap = CutGap(Fraction(1), fill)  # type: ignore[arg-type]
        ranges: list[CutRange | CutGap] = [*ask((0, Fraction(1), Fraction(2))), gap]
        made = make_output([one.path], ranges, PngStill(Fraction(3, 2), None))
        assert luma(made.data).max() == 0 if wanted is None else counter(made.data) == wanted
