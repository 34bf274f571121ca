"""How white and colours of SDR look in HDR: as bright as ITU-R BT.2408 says, not as bright as can be. Pure."""

from __future__ import annotations

import math

PQ, HLG = 16, 18
"""Transfer characteristics in ITU-T H.273."""

_WHITE_OF_PQ = 203 / 10_000
"""Diffuse white, of the brightest that PQ can say."""

_WHITE_OF_HLG = 0.265
"""Diffuse white of the scene, as a part of HLG's peak; its signal is 75 %."""

_TO_BT2020 = ((0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956))
"""From the primaries of BT.709 (ITU-R BT.2087)."""


def is_hdr(transfer: int) -> bool:
    """Whether a transfer characteristic is that of HDR."""
    return transfer in {PQ, HLG}


def signal_of_white(transfer: int) -> float:
    """Return the signal of diffuse white, from 0 to 1."""
    return _signal(1.0, transfer) if is_hdr(transfer) else 1.0


def as_hdr(red: float, green: float, blue: float, transfer: int) -> tuple[float, float, float]:
    """Convert a colour of sRGB, from 0 to 1, to the signal of HDR in BT.2020."""
    linear = [_linear(each) for each in (red, green, blue)]
    wide = [sum(factor * each for factor, each in zip(row, linear, strict=True)) for row in _TO_BT2020]
    first, second, third = (_signal(each, transfer) for each in wide)
    return first, second, third


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _signal(light: float, transfer: int) -> float:
    """Return the signal of light, of which diffuse white has 1."""
    if transfer == PQ:  # SMPTE ST 2084
        power = (max(light, 0.0) * _WHITE_OF_PQ) ** 0.1593017578125
        return float(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)
    scene = max(light, 0.0) * _WHITE_OF_HLG  # ARIB STD-B67
    return math.sqrt(3 * scene) if scene <= 1 / 12 else 0.17883277 * math.log(12 * scene - 0.28466892) + 0.55991073
