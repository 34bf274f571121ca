"""Sound whose time can be read back: band-limited noise that is found again by correlation.

The reference is endless and depends on the seed and the sample rate alone. Within any quarter of a second it is
like no other part of itself, so a decoded piece has one place in it, found to a fraction of a sample.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tests.support.spec import MediaSpec

Samples = NDArray[np.float32]

MIN_QUALITY = 0.6
"""Below this correlation (1 is identity, chance stays under 0.2) a sound is not the reference."""

_BAND_HZ = (300.0, 6000.0)
_LEVEL = 0.12  # RMS of full scale: peaks stay below clipping
_TAPS = 2047  # of the band-pass, odd, so that it delays by whole samples


class SoundNotRecognisedError(ValueError):
    """These samples are silence, garbage or another place of the recording than was searched."""


class SoundMatch(NamedTuple):
    """Where in the reference a piece of sound comes from."""

    start: float
    """The position of the block's first sample in the reference, in seconds."""
    quality: float
    """Normalised correlation there, 0 to 1."""


# --- the reference ---------------------------------------------------------------------------------


@functools.cache
def _band_pass(sample_rate: int) -> NDArray[np.float64]:
    n = np.arange(_TAPS) - _TAPS // 2
    low, high = (2 * hertz / sample_rate for hertz in _BAND_HZ)
    taps: NDArray[np.float64] = (high * np.sinc(high * n) - low * np.sinc(low * n)) * np.blackman(_TAPS)
    return taps


@functools.lru_cache(maxsize=64)
def _white_second(seed: int, sample_rate: int, second: int) -> NDArray[np.float64]:
    # One generator per second: any part of the endless signal can be made without the parts before it.
    return np.random.default_rng([seed, sample_rate, second + 1000]).standard_normal(sample_rate)


def reference_part(seed: int, sample_rate: int, start: int, count: int) -> Samples:
    """`count` samples of the reference, mono, from sample number `start` on (which may be negative)."""
    if count <= 0:
        return np.zeros(0, np.float32)
    first, last = start // sample_rate, (start + count - 1) // sample_rate
    seconds = np.concatenate([_reference_second(seed, sample_rate, second) for second in range(first, last + 1)])
    return seconds[start - first * sample_rate :][:count]


@functools.lru_cache(maxsize=64)
def _reference_second(seed: int, sample_rate: int, second: int) -> Samples:
    return _reference_piece(seed, sample_rate, second * sample_rate, sample_rate)


def _reference_piece(seed: int, sample_rate: int, start: int, count: int) -> Samples:
    half = _TAPS // 2
    begin, end = start - half, start + count + half
    first, last = begin // sample_rate, (end - 1) // sample_rate
    white = np.concatenate([_white_second(seed, sample_rate, second) for second in range(first, last + 1)])
    white = white[begin - first * sample_rate : end - first * sample_rate]
    taps = _band_pass(sample_rate)
    size = 1 << (len(white) + _TAPS - 1).bit_length()
    filtered = np.fft.irfft(np.fft.rfft(white, size) * np.fft.rfft(taps, size), size)
    level = _LEVEL / np.sqrt(np.sum(taps**2))
    samples: Samples = np.clip(filtered[2 * half : 2 * half + count] * level, -1, 1).astype(np.float32)
    return samples


def reference_sound(spec: MediaSpec) -> Samples:
    """The sound of a spec's recording: mono, `spec.duration` seconds at `spec.sample_rate`."""
    start = round(spec.sound_start * spec.sample_rate)
    return reference_part(spec.seed, spec.sample_rate, start, round(spec.duration * spec.sample_rate))


# --- the measurement -------------------------------------------------------------------------------


def _resample(samples: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The same stretch of time in `count` samples."""
    if count == len(samples):
        return samples
    spectrum = np.fft.rfft(samples)
    padded = np.zeros(count // 2 + 1, complex)
    shared = min(len(spectrum), len(padded))
    padded[:shared] = spectrum[:shared]
    return np.fft.irfft(padded, count) * (count / len(samples))


def match_sound(
    decoded: Samples, sample_rate: int, spec: MediaSpec, expected_start_s: float, search_s: float = 0.5
) -> SoundMatch:
    """Find where in the spec's recording some decoded mono samples come from.

    Args:
        decoded: mono, at least 0.1 s; of a longer piece the first two seconds are compared.
        sample_rate: of `decoded`, in Hz; may differ from the spec's.
        spec: the recording's.
        expected_start_s: seconds from the recording's start at which `decoded` should begin.
        search_s: seconds to look to either side of it.

    Returns:
        The place of the first sample in seconds from the recording's start, good to 0.1 ms, and the quality.
    """
    rate = spec.sample_rate
    piece = np.asarray(decoded[: 2 * sample_rate], dtype=np.float64)
    if len(piece) < sample_rate // 10:
        raise ValueError(f"{len(piece)} samples are too few to be recognised")
    piece = _resample(piece, round(len(piece) * rate / sample_rate))
    energy = float(np.sum(piece**2))
    reach = round(search_s * rate)
    origin = round(spec.sound_start * rate)
    begin = round(expected_start_s * rate) - reach
    window = reference_part(spec.seed, rate, origin + begin, len(piece) + 2 * reach).astype(np.float64)
    size = 1 << (len(window) - 1).bit_length()  # what wraps around is not looked at
    product = np.fft.rfft(window, size) * np.conj(np.fft.rfft(piece, size))
    correlation = np.fft.irfft(product, size)[: 2 * reach + 1]
    sums = np.concatenate([[0.0], np.cumsum(window**2)])
    energies = sums[len(piece) : len(piece) + 2 * reach + 1] - sums[: 2 * reach + 1]
    if energy < 1e-6 * len(piece):
        return SoundMatch(expected_start_s, 0.0)
    scores = correlation / np.sqrt(energies * energy)
    peak = int(np.argmax(scores))
    shift = 0.0
    if 0 < peak < len(scores) - 1:  # the vertex of the parabola through the three highest scores
        before, at, after = scores[peak - 1 : peak + 2]
        shift = float((before - after) / (2 * (before - 2 * at + after)))
    return SoundMatch((begin + peak + shift) / rate, float(scores[peak]))


def measure_audio_offset(
    decoded: Samples, sample_rate: int, spec: MediaSpec, expected_start_s: float, search_s: float = 0.5
) -> float:
    """Seconds from the recording's start at which `decoded` really begins; see `match_sound`.

    Raises:
        SoundNotRecognisedError: it is not found within `search_s` of `expected_start_s`.
    """
    match = match_sound(decoded, sample_rate, spec, expected_start_s, search_s)
    if match.quality < MIN_QUALITY:
        raise SoundNotRecognisedError(
            f"no part of the recording within {search_s} s of {expected_start_s:.3f} s sounds like this "
            f"(best correlation {match.quality:.2f} at {match.start:.4f} s)"
        )
    return match.start


def trace_sound(
    decoded: Samples,
    sample_rate: int,
    spec: MediaSpec,
    expected_start_s: float,
    *,
    step_s: float = 0.25,
    search_s: float = 0.1,
) -> list[tuple[float, SoundMatch]]:
    """Measure a long piece every `step_s` seconds, so that a jump at a join shows.

    Returns:
        Pairs: seconds from the beginning of `decoded`, and what was found there. Where nothing is amiss,
        `match.start - seconds` is the same everywhere.
    """
    step = round(step_s * sample_rate)
    return [
        (
            at / sample_rate,
            match_sound(decoded[at : at + step], sample_rate, spec, expected_start_s + at / sample_rate, search_s),
        )
        for at in range(0, len(decoded) - step + 1, step)
    ]
