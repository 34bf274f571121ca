"""What HDR looks like in SDR, and SDR in HDR: a table of colours for each direction. Pure.

From HDR to SDR, the brightest of red, green and blue is mapped by the curve of Report ITU-R BT.2390 (section 5.4.1, the
EETF). What is dark keeps its light, up to 88 nits if the brightest has 1000. What is brighter is compressed, so that
the brightest becomes SDR's white. The other two keep their proportion to it, so hues stay. The light of SDR's white is
that of diffuse white in HDR, 203 nits (Report ITU-R BT.2408). Colours outside of BT.709 lose saturation until they are
inside, and keep their luminance.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from cutback.cutting.codecs.hdr_levels import (
    BRIGHTEST_NITS,
    BT2020_LUMA,
    HLG,
    HLG_GAMMA,
    HLG_PEAK_NITS,
    WHITE_NITS,
    hlg_scene,
    light_as_hdr,
    pq_nits,
    pq_signal,
)

Rgb: TypeAlias = tuple[float, float, float]

NODES = 36
"""Colours of the table in each direction; the picture that holds it is square if this is a square number."""

SIDE = 216
"""Width and height of that picture: NODES³ pixels."""

_BITS = 10
_GAMMA = 2.4
"""Of a display of SDR (ITU-R BT.1886)."""

_FROM_BT2020 = ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187))
"""To the primaries of BT.709 (ITU-R BT.2087, inverted)."""

_BT709_LUMA = (0.2126, 0.7152, 0.0722)


def mapped_nits(nits: float, peak: float) -> float:
    """Return the light in SDR of light in HDR whose brightest is `peak`: the EETF of Report ITU-R BT.2390."""
    if peak <= WHITE_NITS:
        return min(nits, WHITE_NITS)
    brightest = pq_signal(peak)
    part = min(pq_signal(nits) / brightest, 1.0)
    most = pq_signal(WHITE_NITS) / brightest
    knee = 1.5 * most - 0.5
    if part < knee:
        return nits
    t = (part - knee) / (1 - knee)
    square, cube = t * t, t * t * t
    bent = (2 * cube - 3 * square + 1) * knee + (cube - 2 * square + t) * (1 - knee) + (3 * square - 2 * cube) * most
    return pq_nits(bent * brightest)


def as_sdr(red: float, green: float, blue: float, transfer: int, peak: float) -> Rgb:
    """Convert a colour of HDR in BT.2020 to SDR in BT.709; all are signals from 0 to 1, `peak` is in nits."""
    return _sdr_of_light(_light(red, green, blue, transfer), peak)


@lru_cache(maxsize=4)
def to_sdr_table(transfer: int, peak: float) -> tuple[bytes, bytes, bytes]:
    """Return the table from HDR to SDR: planes of red, green and blue, with 10 bits in 16."""
    return _table(lambda red, green, blue: as_sdr(red, green, blue, transfer, peak))


@lru_cache(maxsize=2)
def to_hdr_table(transfer: int) -> tuple[bytes, bytes, bytes]:
    """Return the table from SDR to HDR: planes of red, green and blue, with 10 bits in 16."""

    def hdr(red: float, green: float, blue: float) -> Rgb:
        return light_as_hdr(red**_GAMMA, green**_GAMMA, blue**_GAMMA, transfer)

    return _table(hdr)


def peak_within(mastered: float, brightest: float) -> float:
    """Return the brightest light that is expected, in nits, from what a stream says, or 0 for each."""
    said = min((nits for nits in (mastered, brightest) if nits > 0), default=float(HLG_PEAK_NITS))
    return min(max(said, WHITE_NITS), BRIGHTEST_NITS)


def _table(convert: Callable[[float, float, float], Rgb]) -> tuple[bytes, bytes, bytes]:
    top, steps = (1 << _BITS) - 1, [number / (NODES - 1) for number in range(NODES)]
    planes = array("H"), array("H"), array("H")
    for blue in steps:
        for green in steps:
            for red in steps:  # red changes first in a table for FFmpeg's haldclut
                made = convert(red, green, blue)
                for plane, value in zip(planes, made, strict=True):
                    plane.append(round(min(max(value, 0.0), 1.0) * top))
    red_plane, green_plane, blue_plane = (plane.tobytes() for plane in planes)
    return red_plane, green_plane, blue_plane


_nits_of_pq = lru_cache(maxsize=4 * NODES)(pq_nits)
_scene_of_hlg = lru_cache(maxsize=4 * NODES)(hlg_scene)


def _light(red: float, green: float, blue: float, transfer: int) -> Rgb:
    """Return what a display shows, in nits."""
    if transfer != HLG:
        return _nits_of_pq(red), _nits_of_pq(green), _nits_of_pq(blue)
    scene = _scene_of_hlg(red), _scene_of_hlg(green), _scene_of_hlg(blue)
    luminance = sum(factor * each for factor, each in zip(BT2020_LUMA, scene, strict=True))
    gain = float(HLG_PEAK_NITS * luminance ** (HLG_GAMMA - 1))
    return scene[0] * gain, scene[1] * gain, scene[2] * gain


def _share(nits: float, peak: float) -> float:
    """Return SDR's light, of which white has 1, divided by HDR's in nits."""
    return mapped_nits(nits, peak) / nits / WHITE_NITS if nits > 0 else 0.0


def _sdr_of_light(light: Rgb, peak: float) -> Rgb:
    share = _share(max(light), peak)
    red, green, blue = light[0] * share, light[1] * share, light[2] * share
    narrow = [row[0] * red + row[1] * green + row[2] * blue for row in _FROM_BT2020]
    grey = sum(factor * each for factor, each in zip(_BT709_LUMA, narrow, strict=True))
    grey = min(max(grey, 0.0), 1.0)
    # How much of the distance to grey stays, so that nothing is below black or above white.
    kept = 1.0
    for each in narrow:
        if each > 1:
            kept = min(kept, (1 - grey) / (each - grey))
        elif each < 0:
            kept = min(kept, grey / (grey - each))
    first, second, third = (max(grey + kept * (each - grey), 0.0) ** (1 / _GAMMA) for each in narrow)
    return first, second, third
