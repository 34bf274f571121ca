"""Moving pictures that carry their own number, and the reader of that number.

Two strips of cells, along the top and along the bottom edge, black for 0 and white for 1. The top one holds the
number's 20 bits, the highest to the left; the bottom one holds the same number scrambled, so that neighbouring
numbers differ in about ten of its cells. A picture put together from two frames, a faded one or one with a
lost strip therefore does not read as any number. All sizes are fractions of the picture: a scaled picture reads
like the original.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.video.plane import VideoPlane
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tests.support.spec import MediaSpec

COUNTER_BITS = 20
COUNTER_LIMIT = 1 << COUNTER_BITS
"""One more than the greatest number a picture can carry."""

_BLACK, _GUARD, _WHITE = 24, 126, 228
_CELL_SHARE = 0.76  # of the pitch; the rest is guard
_READ_SHARE = 0.5  # of the pitch, in the middle of the cell
_MIN_CELL = 12  # pixels
_MARGIN = 64  # pixels by which the scene is larger than the picture
_WEIGHTS = 2 ** np.arange(2 * COUNTER_BITS, dtype=np.int64)[::-1]

Plane = NDArray[np.uint8]


class CounterUnreadableError(ValueError):
    """This picture carries no number, or a damaged one."""


# --- the counter -----------------------------------------------------------------------------------


def _scramble(number: int) -> int:
    """Another 20-bit number, one to one; close numbers come out far apart."""
    mask = COUNTER_LIMIT - 1
    mixed = ((number ^ 0x5A5A5) * 0x9E375) & mask
    mixed ^= mixed >> 11
    mixed = (mixed * 0x85EBB) & mask
    return mixed ^ (mixed >> 9)


def _layout(width: int, height: int) -> tuple[int, float]:
    """How many cells stand side by side, and their pitch in pixels."""
    columns = COUNTER_BITS if width >= 1.2 * height else COUNTER_BITS // 2
    return columns, width / columns


@functools.lru_cache(maxsize=4096)
def _cell(index: int, width: int, height: int, share: float) -> tuple[slice, slice]:
    """Rows and columns of cell `index`: 0 to 19 in the top strip, 20 to 39 in the bottom one."""
    columns, pitch = _layout(width, height)
    row, column = divmod(index % COUNTER_BITS, columns)
    top = row * pitch
    if index >= COUNTER_BITS:
        top += height - pitch * (COUNTER_BITS // columns)
    inset = pitch * (1 - share) / 2
    left = column * pitch
    return (
        slice(round(top + inset), round(top + pitch - inset)),
        slice(round(left + inset), round(left + pitch - inset)),
    )


def _bits(number: int) -> list[bool]:
    """All 40 cells of a number."""
    word = number << COUNTER_BITS | _scramble(number)
    return [bool(word >> shift & 1) for shift in reversed(range(2 * COUNTER_BITS))]


def _draw_counter(luma: Plane, number: int) -> None:
    height, width = luma.shape
    columns, pitch = _layout(width, height)
    strip = round(pitch * (COUNTER_BITS // columns))
    luma[:strip] = luma[height - strip :] = _GUARD
    for index, bit in enumerate(_bits(number)):
        luma[_cell(index, width, height, _CELL_SHARE)] = _WHITE if bit else _BLACK


@functools.lru_cache(maxsize=64)
def _read_rows(width: int, height: int) -> list[tuple[slice, NDArray[np.int64], NDArray[np.int64]]]:
    """What is read of the cells that stand side by side, for each row of them: the lines, and where columns are."""
    columns, _ = _layout(width, height)
    cells = [_cell(index, width, height, _READ_SHARE) for index in range(2 * COUNTER_BITS)]
    return [
        (
            cells[first][0],
            np.array([across.start for _, across in cells[first : first + columns]]),
            np.array([across.stop for _, across in cells[first : first + columns]]),
        )
        for first in range(0, 2 * COUNTER_BITS, columns)
    ]


def _means(lines: NDArray[Any], begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean of each range of columns. One call for all of them: a call of numpy costs more than what it adds."""
    sums = np.concatenate([[0.0], np.cumsum(lines.sum(axis=0, dtype=np.float64))])
    means: NDArray[np.float64] = (sums[ends] - sums[begins]) / (ends - begins) / len(lines)
    return means


def read_luma_counter(luma: NDArray[np.uint8] | NDArray[np.uint16]) -> int:
    """The number in a picture's luma plane (see `luma_of`).

    Raises:
        CounterUnreadableError: cells are grey, or the two strips contradict each other.
    """
    height, width = luma.shape
    cells = np.concatenate([_means(luma[rows], begins, ends) for rows, begins, ends in _read_rows(width, height)])
    low, high = cells.min(), cells.max()
    if not high - low >= 70:
        raise CounterUnreadableError(f"no counter: cells range from {low:.0f} to {high:.0f}")
    level = (cells - low) / (high - low)
    if doubtful := [int(index) for index in np.flatnonzero((level > 0.38) & (level < 0.62))]:
        raise CounterUnreadableError(f"cells {doubtful} are neither black nor white")
    word = int((level > 0.5) @ _WEIGHTS)
    number, check = divmod(word, COUNTER_LIMIT)
    if check != _scramble(number):
        raise CounterUnreadableError(f"the top strip reads {number}, the bottom strip contradicts it")
    return number


def read_counter(frame: av.VideoFrame) -> int:
    """The number a decoded frame carries; 8 or more bits per sample, scaled or not.

    Raises:
        CounterUnreadableError: it carries none, or a damaged one.
    """
    return read_luma_counter(luma_of(frame))


def luma_of(frame: av.VideoFrame) -> Plane:
    """A frame's luma as 8-bit rows, without padding; planar YUV keeps its values, others are converted."""
    layout = frame.format
    component = layout.components[0]
    if not layout.is_rgb and component.plane == 0 and layout.name.startswith(("yuv", "gray", "nv")):
        if layout.is_big_endian:
            raise ValueError(f"{layout.name} is not expected here")
        plane = frame.planes[0]
        if component.bits == 8 and "yuyv" not in layout.name:
            return plane_rows(plane)[:, : frame.width].copy()
        if component.bits > 8:
            wide = plane_rows(plane).view(np.uint16)[:, : frame.width]
            return (wide >> (component.bits - 8)).astype(np.uint8)
    return np.asarray(frame.to_ndarray(format="gray"), dtype=np.uint8)


def plane_rows(plane: VideoPlane) -> Plane:
    """A plane's bytes, row by row with their padding; writing to them writes to the frame."""
    buffer: Any = plane
    rows: Plane = np.frombuffer(buffer, np.uint8).reshape(plane.height, plane.line_size)
    return rows


# --- the scene -------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4)
def _scene(width: int, height: int, seed: int) -> tuple[NDArray[np.int16], ...]:
    """A still scene larger than the picture (luma, two chromas), and noise to lay over its luma."""
    random = np.random.default_rng([seed, width, height])
    rows, columns = height + _MARGIN, width + _MARGIN
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    y, x = y / rows, x / columns
    waves = sum(
        18 / (k + 1) * np.sin(2 * np.pi * (random.uniform(1, 3 + k) * x + random.uniform(1, 4 + k) * y) + k)
        for k in range(5)
    )
    grain = random.normal(0, 1, (rows, columns)).astype(np.float32)
    for axis in (0, 1):
        grain = (grain + np.roll(grain, 1, axis) + np.roll(grain, 2, axis)) / np.float32(3**0.5)
    luma = 90 + 70 * y + waves + 5 * grain
    blue = 128 + 40 * np.sin(2 * np.pi * x) * (1 - y)
    red = 128 + 40 * np.cos(2 * np.pi * (x + y))
    noise = random.normal(0, 1.5, (rows, columns))
    return tuple(np.rint(plane).astype(np.int16) for plane in (luma, blue, red, noise))


def _shapes(number: int, width: int, height: int) -> list[tuple[slice, slice, tuple[int, int, int]]]:
    """Three boxes on their ways: rows, columns, colour."""
    boxes = []
    for k, colour in enumerate(((210, 100, 150), (40, 160, 110), (150, 90, 90))):
        high, wide = height // (5 + k), width // (6 + k)
        top = round((height - high) * (0.5 + 0.3 * np.sin(number / (17 + 5 * k) + k)))
        left = round((width - wide) * (0.5 + 0.5 * np.cos(number / (23 + 7 * k) + 2 * k)))
        boxes.append((slice(top, top + high), slice(left, left + wide), colour))
    return boxes


def draw(spec: MediaSpec, number: int) -> tuple[Plane, Plane, Plane]:
    """The picture that carries `number`: luma and two chromas, all at full size, 8 bits."""
    width, height = spec.width, spec.height
    if _layout(width, height)[1] * _CELL_SHARE < _MIN_CELL:
        raise ValueError(f"{width}x{height} is too small for a counter")
    if not 0 <= number < COUNTER_LIMIT:
        raise ValueError(f"{number} does not fit the counter")
    *scene, noise = _scene(width, height, spec.seed)
    half = _MARGIN // 2
    down = half + round((half - 1) * np.sin(number / 31))
    right = half + round((half - 1) * np.cos(number / 43))
    planes = [plane[down : down + height, right : right + width].copy() for plane in scene]
    for rows, columns, colour in _shapes(number, width, height):
        for plane, value in zip(planes, colour, strict=True):
            plane[rows, columns] = value
    jitter = _scramble(number)
    down, right = jitter % _MARGIN, jitter // _MARGIN % _MARGIN
    planes[0] += noise[down : down + height, right : right + width]
    luma, blue, red = (np.clip(plane, 16, 235).astype(np.uint8) for plane in planes)
    _draw_counter(luma, number)
    return luma, blue, red


def to_frame(planes: tuple[Plane, Plane, Plane], pix_fmt: str) -> av.VideoFrame:
    """A frame in any planar YUV format (8 or more bits) from planes at full size."""
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, pix_fmt)
    for target, source, component in zip(frame.planes, planes, frame.format.components, strict=False):
        step_y, step_x = height // target.height, width // target.width
        values = source[::step_y, ::step_x]
        if component.bits == 8:
            plane_rows(target)[:, : target.width] = values
        else:
            wide = plane_rows(target).view(np.uint16)
            wide[:, : target.width] = values.astype(np.uint16) << (component.bits - 8)
    return frame
