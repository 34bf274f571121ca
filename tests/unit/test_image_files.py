"""Images of one picture: their colours, read by Pillow, whatever the colours of the recording."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.outputs.image_file import ImageKind, image_of
from cutback.cutting.posters.still import Still, still_with
from cutback.cutting.turns import turns_clockwise

PATCHES = [(255, 255, 255), (0, 0, 0), (128, 128, 128), (255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 120, 40)]
BT709, BT601 = (0.2126, 0.0722), (0.299, 0.114)
MATRICES = {1: BT709, 6: BT601, 2: BT601}
"""What a number for the matrix means; 2, unspecified, is BT.601 for pictures of this size."""


def picture(matrix: int, *, full: bool, depth: int = 8) -> Picture:
    """A picture with a column of 32 pixels for each patch."""
    red, blue = MATRICES[matrix]
    rgb = np.repeat(np.array(PATCHES, float) / 255, 32, axis=0)
    luma = rgb @ np.array([red, 1 - red - blue, blue])
    cb, cr = (rgb[:, 2] - luma) / (2 * (1 - blue)), (rgb[:, 0] - luma) / (2 * (1 - red))
    scale = 2 ** (depth - 8)
    light, colour, black = (255, 255, 0) if full else (219, 224, 16)
    rows = [luma * light + black, cb * colour + 128, cr * colour + 128]
    frame = av.VideoFrame(len(luma), 64, "yuv420p" if depth == 8 else "yuv420p10le")
    for plane, row in zip(frame.planes, rows, strict=True):
        values = np.clip(np.round(row * scale), 0, 2**depth - 1).astype("<u2" if depth > 8 else np.uint8)[
            :: len(luma) // plane.width
        ]
        line = np.zeros((plane.height, plane.line_size // values.itemsize), values.dtype)
        line[:, : plane.width] = values
        plane.update(line.tobytes())
    frame.colorspace, frame.color_range = matrix, 2 if full else 1
    return Picture(frame, None)


def opened(data: bytes) -> Image.Image:
    """An image, as Pillow shows it."""
    return Image.open(io.BytesIO(data)).convert("RGB")


def difference(shown: Image.Image, x: int, y: int, wanted: tuple[int, int, int]) -> int:
    """How far a pixel is from a colour, at most."""
    return int(np.abs(np.asarray(shown)[y, x].astype(int) - wanted).max())


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
@pytest.mark.parametrize(("matrix", "range_", "depth"), [(1, "tv", 8), (6, "tv", 8), (1, "pc", 8), (2, "tv", 10)])
def test_has_the_colours_of_the_recording(kind: ImageKind, matrix: int, range_: str, depth: int) -> None:
    still = still_with(picture(matrix, full=range_ == "pc", depth=depth), Fraction(1), ())
    made = image_of(still, kind)
    shown = opened(made.data)
    assert shown.size == (made.width, made.height) == (32 * len(PATCHES), 64)
    for number, wanted in enumerate(PATCHES):
        assert difference(shown, 32 * number + 16, 32, wanted) <= (2 if kind == "png" else 6), number


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_is_narrower_on_request_but_never_wider(kind: ImageKind) -> None:
    still = still_with(picture(1, full=False), Fraction(1), ())
    small, large = image_of(still, kind, 112), image_of(still, kind, 4000)
    assert (small.width, small.height) == (112, 32)
    assert (large.width, large.height) == (224, 64)
    assert Image.open(io.BytesIO(small.data)).size == (112, 32)


def test_is_upright_with_square_pixels() -> None:
    still: Still = still_with(picture(1, full=False), Fraction(2), turns_clockwise(90))
    made = image_of(still, "png")
    shown = opened(made.data)
    assert shown.size == (32, 224)
    assert difference(shown, 16, 3 * 32 + 16, PATCHES[3]) <= 2  # red is fourth from the top
