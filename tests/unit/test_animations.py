"""GIF and animated WebP, decoded by Pillow: frames, times, loops, colours."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cutback.cutting.mp4.layout import Extent
from cutback.cutting.outputs.animation import AnimationFrames, kept, write_gif, write_webp
from cutback.cutting.outputs.pacing import Paced
from cutback.cutting.spool import Spool

SIZE = (66, 34)  # rows of FFmpeg's frames are padded at this width
COLOURS = [(250, 20, 20), (20, 200, 30), (30, 40, 220), (240, 240, 10), (128, 128, 128)]
Writer = Callable[[AnimationFrames, Spool, int], Extent]


def as_gif(frames: AnimationFrames, spool: Spool, loop: int) -> Extent:
    """Write a GIF."""
    return write_gif(frames, spool, size=SIZE, colours=256, dither="diffusion", loop=loop, alive=lambda: None)


def as_webp(frames: AnimationFrames, spool: Spool, loop: int) -> Extent:
    """Write a WebP."""
    return write_webp(frames, spool, size=SIZE, quality=90, loop=loop, alive=lambda: None)


WRITERS = pytest.mark.parametrize("write", [as_gif, as_webp])


def pictures() -> list[NDArray[np.uint8]]:
    """One picture for each colour: the left half has it, the right half is white."""
    made = []
    for colour in COLOURS:
        pixels = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
        pixels[:, : SIZE[0] // 2] = colour
        made.append(pixels)
    return made


def written(write: Writer, times: list[Fraction], end: Fraction, loop: int = 0) -> Image.Image:
    """An animation, opened."""
    with tempfile.TemporaryFile() as file:
        spool = Spool(file)
        spool.append(b"before")
        offsets = tuple(kept(av.VideoFrame.from_ndarray(each, "rgb24"), spool) for each in pictures()[: len(times)])
        paced = tuple(Paced(number, at) for number, at in enumerate(times))
        extent = write(AnimationFrames(*SIZE, offsets, paced, end), spool, loop)
        assert extent.offset + extent.length == spool.size
        return Image.open(io.BytesIO(spool.read_at(extent.offset, extent.length)))


@WRITERS
def test_shows_each_frame_in_its_colours_for_its_time(write: Writer) -> None:
    times = [Fraction(n, 12) for n in range(5)]
    shown = written(write, times, Fraction(1))
    assert (shown.size, getattr(shown, "n_frames", 1)) == (SIZE, 5)
    lasts = []
    for number, colour in enumerate(COLOURS):
        shown.seek(number)
        pixels = np.asarray(shown.convert("RGB")).astype(int)
        assert np.abs(pixels[17, 10] - colour).max() <= 12
        assert np.abs(pixels[17, 50] - 255).max() <= 6
        lasts.append(shown.info["duration"])
    assert lasts == ([80, 90, 80, 80, 670] if write is as_gif else [83, 84, 83, 83, 667])
    assert sum(lasts) == 1000


@WRITERS
@pytest.mark.parametrize("loop", [0, 1, 3])
def test_is_shown_as_often_as_asked(write: Writer, loop: int) -> None:
    found = written(write, [Fraction(0), Fraction(1, 2)], Fraction(1), loop).info.get("loop")
    # A GIF says how often it is shown again; one without a loop is shown once.
    assert found == ({0: 0, 1: None, 3: 2}[loop] if write is as_gif else loop)


@WRITERS
def test_can_be_one_frame(write: Writer) -> None:
    shown = written(write, [Fraction(0)], Fraction(2))
    assert getattr(shown, "n_frames", 1) == 1
