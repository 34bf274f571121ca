"""Light and signals of SDR and HDR: white of SDR is as bright in HDR as ITU-R BT.2408 says. Pure."""

from __future__ import annotations

import math

PQ, HLG = 16, 18
"""Transfer characteristics in ITU-T H.273."""

WHITE_NITS = 203
"""Diffuse white, such as paper, in candela per square metre."""

BRIGHTEST_NITS = 10_000
"""The brightest that PQ can say."""

HLG_PEAK_NITS = 1000
"""The brightest of HLG on the display for which ITU-R BT.2100 names it."""

HLG_GAMMA = 1.2
"""From the light of the scene to that of this display."""

BT2020_LUMA = (0.2627, 0.6780, 0.0593)
"""How much red, green and blue contribute to luminance."""

_TO_BT2020 = ((0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956))
"""From the primaries of BT.709 (ITU-R BT.2087)."""

# SMPTE ST 2084
_M1, _M2, _C1, _C2, _C3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
# ARIB STD-B67
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073


def is_hdr(transfer: int) -> bool:
    """Whether a transfer characteristic is that of HDR."""
    return transfer in {PQ, HLG}


def signal_of_white(transfer: int) -> float:
    """Return the signal of diffuse white, from 0 to 1."""
    return light_as_hdr(1.0, 1.0, 1.0, transfer)[1] if is_hdr(transfer) else 1.0


def as_hdr(red: float, green: float, blue: float, transfer: int) -> tuple[float, float, float]:
    """Convert a colour of sRGB, from 0 to 1, to the signal of HDR in BT.2020."""
    return light_as_hdr(_linear(red), _linear(green), _linear(blue), transfer)


def light_as_hdr(red: float, green: float, blue: float, transfer: int) -> tuple[float, float, float]:
    """Convert light in the primaries of BT.709, of which diffuse white has 1, to the signal of HDR in BT.2020."""
    wide = [sum(factor * each for factor, each in zip(row, (red, green, blue), strict=True)) for row in _TO_BT2020]
    if transfer == PQ:
        first, second, third = (pq_signal(each * WHITE_NITS) for each in wide)
        return first, second, third
    light = [max(each, 0.0) * WHITE_NITS / HLG_PEAK_NITS for each in wide]
    luminance = sum(factor * each for factor, each in zip(BT2020_LUMA, light, strict=True))
    gain = luminance ** (1 / HLG_GAMMA - 1) if luminance > 0 else 0.0
    first, second, third = (_hlg_signal(each * gain) for each in light)
    return first, second, third


def pq_signal(nits: float) -> float:
    """Return the signal of PQ, from 0 to 1."""
    power = (max(nits, 0.0) / BRIGHTEST_NITS) ** _M1
    return float(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2)


def pq_nits(signal: float) -> float:
    """Return the light of a signal of PQ."""
    power = max(signal, 0.0) ** (1 / _M2)
    return float(BRIGHTEST_NITS * (max(power - _C1, 0.0) / (_C2 - _C3 * power)) ** (1 / _M1))


def hlg_scene(signal: float) -> float:
    """Return the light of the scene of a signal of HLG, as a part of the brightest."""
    return signal * signal / 3 if signal <= 0.5 else (math.exp((signal - _C) / _A) + _B) / 12


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _hlg_signal(scene: float) -> float:
    return math.sqrt(3 * scene) if scene <= 1 / 12 else _A * math.log(12 * scene - _B) + _C
