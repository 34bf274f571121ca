"""The light of the scene: colours that go from dawn to golden morning.

Pictures are drawn straight into planar Y'CbCr (BT.709, limited range), so that no frame is ever
converted; the few RGB colours and images there are pass through here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from PIL import Image

RGB: TypeAlias = tuple[int, int, int]
YUV: TypeAlias = tuple[int, int, int]

_BLACK, _LUMA, _GREY, _CHROMA = 16.0, 219 / 255, 128.0, 224 / 255
_KR, _KG, _KB = 0.2126, 0.7152, 0.0722
_CB, _CR = _CHROMA / (2 * (1 - _KB)), _CHROMA / (2 * (1 - _KR))
_MATRIX = (
    (_LUMA * _KR, _LUMA * _KG, _LUMA * _KB, _BLACK),
    (-_CB * _KR, -_CB * _KG, _CB * (1 - _KB), _GREY),
    (_CR * (1 - _KR), -_CR * _KG, -_CR * _KB, _GREY),
)


def yuv(colour: RGB) -> YUV:
    """Return an RGB colour as limited-range BT.709 Y'CbCr."""
    red, green, blue = colour
    y, u, v = (round(a * red + b * green + c * blue + d) for a, b, c, d in _MATRIX)
    return y, u, v


def planes(image: Image.Image, size: tuple[int, int]) -> tuple[Image.Image, ...]:
    """Convert a small RGB image to Y, U and V planes of a 4:2:0 picture of `size` pixels."""
    y, u, v = image.convert("RGB", tuple(sum(_MATRIX, ()))).split()
    half = (size[0] // 2, size[1] // 2)
    return (
        y.resize(size, Image.Resampling.BILINEAR),
        u.resize(half, Image.Resampling.BILINEAR),
        v.resize(half, Image.Resampling.BILINEAR),
    )


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """Return the colour `share` of the way from `first` to `second` (share 0..1)."""
    red, green, blue = (round(a + (b - a) * min(1.0, max(0.0, share))) for a, b in zip(first, second, strict=True))
    return red, green, blue


def gradient(stops: list[tuple[float, RGB]], steps: int) -> list[RGB]:
    """Return `steps` colours along `stops`, pairs of a place (0..1, ascending) and a colour."""
    colours = []
    for step in range(steps):
        place = step / max(1, steps - 1)
        for (start, first), (end, second) in pairwise(stops):
            if place <= end or end == stops[-1][0]:
                colours.append(mix(first, second, (place - start) / (end - start)))
                break
    return colours


@dataclass(frozen=True, slots=True)
class Light:
    """The colours of one moment."""

    zenith: RGB
    sky: RGB
    low: RGB
    glow: RGB
    sun: RGB
    cloud_lit: RGB
    cloud_shade: RGB
    sea_far: RGB
    sea_mid: RGB
    sea_near: RGB
    face_dark: RGB
    face: RGB
    face_glow: RGB
    foam: RGB
    foam_shade: RGB
    sand_wet: RGB
    sand: RGB
    land: RGB


def _hex(value: str) -> RGB:
    return int(value[0:2], 16), int(value[2:4], 16), int(value[4:6], 16)


# One row a colour, one column a moment; the moments are in _AT, as shares of the recording.
_AT = (0.0, 0.22, 0.45, 0.7, 1.0)
_COLOURS = {
    "zenith": "1b2750 263c6e 3a639f 4a80bd 5a97cf",
    "sky": "4b4577 74648f 9a9cb8 a5c0d2 a9d0e2",
    "low": "e0846a f59d6e fdbb7c ffd795 ffe6b8",
    "glow": "ff9e6a ffb366 ffc873 ffd98c ffe7b0",
    "sun": "ffb070 ffd08a ffe6ad fff2cc fffae6",
    "cloud_lit": "d97b6b ff9f72 ffc08a ffdcae fff0d6",
    "cloud_shade": "2e2d54 5a4f7d 8182a4 9db0c6 b9cfdf",
    "sea_far": "8a6272 b98379 c4a08f b5b9b0 a3c3c6",
    "sea_mid": "3a4a70 46597c 4c7892 4689a0 3f93a8",
    "sea_near": "1e3458 20455f 256079 23708a 1f7a90",
    "face_dark": "102340 0f2d42 123f52 114a5c 0f5064",
    "face": "1f4260 22566a 2a7280 2a818c 2a8c96",
    "face_glow": "5f7486 8fa88f b4cda0 bfe0b4 c4ebc4",
    "foam": "d3bec9 ffd9c2 ffeeda fff8ea fffdf6",
    "foam_shade": "535a80 8a87a6 a3aec4 a9c3d2 b0d0dc",
    "sand_wet": "3a3a56 5a4a58 7d6860 8e7b68 98866f",
    "sand": "4d4455 73604f 9c8062 b59a73 c6ab80",
    "land": "10152c 1b2340 2a3550 33465a 3a5260",
}


def light_at(share: float) -> Light:
    """Return the light at `share` of the recording, 0 (dawn) to 1 (golden morning)."""
    moments = {name: [_hex(value) for value in row.split()] for name, row in _COLOURS.items()}
    index = max(index for index, at in enumerate(_AT[:-1]) if share >= at)
    step = (share - _AT[index]) / (_AT[index + 1] - _AT[index])
    return Light(**{name: mix(row[index], row[index + 1], step) for name, row in moments.items()})
