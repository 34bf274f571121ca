"""The peaks of a recording's sound, for drawing it. Runs in the child process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any, TypeAlias

import av
from PIL import Image

from cutback.cutting.index import Track
from cutback.cutting.job import ByteSource, Limits
from cutback.cutting.source.footage import MediaSource, open_media
from cutback.cutting.source.sound_file import SoundFile
from cutback.domain.errors import RangeOutsideRecordingError

SCALE = 1000
"""The value of full scale."""
MOST_PEAKS = 20_000
"""In the finer resolution."""
FEWEST_PEAKS = 1000
"""The coarser resolution has at most so many."""
_RATES = (100, 50, 20, 10, 5, 2, 1)
"""Peaks per second, in the finer resolution, as long as there are not too many."""
_AT_ONCE = Fraction(60)
"""Seconds of sound that are fetched together."""


Sound: TypeAlias = Iterable[tuple[int, int, list[memoryview], int]]
"""Decoded frames: the first sample, counted from time zero, the rate, the channels as floats, and their length."""


def waveform(source: ByteSource, limits: Limits, alive: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """Return the lowest and the highest value of the first sound track in each part of a second, of all channels.

    `fine` and `coarse` have `seconds` per peak, as a fraction of integers, and `peaks`: low, high, low, high and so on,
    in thousandths of full scale, from the recording's time zero. What is not heard is 0. `alive` is called at times.

    Raises:
        RangeOutsideRecordingError: the recording has no sound.
        CutbackError: like `open_media`, or its sound cannot be decoded.
    """
    media = open_media(source, limits)
    if not media.index.audio:
        raise RangeOutsideRecordingError("The recording has no sound.")
    track = media.index.audio[0]
    return _drawn(_sound(media, track, alive), track.end)


def waveform_of_file(source: ByteSource, duration: Fraction, limits: Limits) -> dict[str, Any]:
    """Return the same for a file that has nothing but sound, such as MP3.

    Raises:
        CutbackError: its sound cannot be decoded.
    """
    file = SoundFile(source, limits)
    return _drawn(_of_file(file), duration)


def _of_file(file: SoundFile) -> Sound:
    first = 0
    for block in file.blocks(file.rate, file.layout, Fraction(0)):
        yield first, file.rate, _planes(block), block.samples
        first += block.samples


def _drawn(sound: Sound, end: Fraction) -> dict[str, Any]:
    step = _step(end)
    count = max(1, -(-end // step))
    peaks = _Peaks(count, step)
    for first, rate, planes, samples in sound:
        peaks.add(first, rate, planes, samples)
    lows, highs = peaks.found()
    fine = [_scaled(value) for pair in zip(lows, highs, strict=True) for value in pair]
    times = -(-count // FEWEST_PEAKS)
    coarse = [
        _scaled(value)
        for first in range(0, count, times)
        for value in (min(lows[first : first + times]), max(highs[first : first + times]))
    ]
    return {
        "scale": SCALE,
        "fine": {"seconds": _seconds(step), "peaks": fine},
        "coarse": {"seconds": _seconds(step * times), "peaks": coarse},
    }


def _step(end: Fraction) -> Fraction:
    for rate in _RATES:
        if end * rate <= MOST_PEAKS:
            return Fraction(1, rate)
    return Fraction(-(-end // MOST_PEAKS))


def _seconds(step: Fraction) -> list[int]:
    return [step.numerator, step.denominator]


def _scaled(value: float) -> int:
    return round(max(-1.0, min(1.0, value)) * SCALE)


def _sound(
    media: MediaSource, track: Track, alive: Callable[[], None]
) -> Iterator[tuple[int, int, list[memoryview], int]]:
    begin = Fraction(0)
    moved, parts = track.shift.numerator * track.timescale, track.shift.denominator * track.timescale
    while begin < track.end:
        alive()
        end = min(track.end, begin + _AT_ONCE)
        heard = int(begin)
        resampler: av.AudioResampler | None = None
        for frame in media.sound(track, begin, end):
            rate = frame.sample_rate
            # The number of the first sample, counted from time zero.
            first = ((frame.pts or 0) * track.shift.denominator + moved) * rate // parts
            if first + frame.samples <= heard * rate:
                continue  # it only prepared the decoder
            if frame.format.name == "fltp":
                yield first, rate, _planes(frame), frame.samples
                continue
            resampler = resampler or av.AudioResampler(format="fltp", layout=frame.layout, rate=rate)
            for each in resampler.resample(frame):
                yield first, rate, _planes(each), each.samples
        begin = end


def _planes(frame: av.AudioFrame) -> list[memoryview]:
    return [memoryview(plane)[: frame.samples * 4] for plane in frame.planes]


class _Peaks:
    """The lowest and the highest sample of each peak's time. Samples are collected until their time is over."""

    def __init__(self, count: int, step: Fraction) -> None:
        self._lows, self._highs = [0.0] * count, [0.0] * count
        self._times, self._of = step.denominator, step.numerator
        self._peak = 0
        self._collected: list[memoryview] = []

    def add(self, first: int, rate: int, planes: list[memoryview], samples: int) -> None:
        """Add a frame; see `_sound`."""
        times, per_peak = self._times, rate * self._of
        if (first + samples) * times < (self._peak + 1) * per_peak and first * times >= self._peak * per_peak:
            self._collected += planes  # nearly always
            return
        done = 0
        while done < samples:
            peak = (first + done) * times // per_peak
            stop = min(samples, -(-(peak + 1) * per_peak // times) - first)
            if peak != self._peak:
                self._note()
                self._peak = peak
            self._collected += [plane[done * 4 : stop * 4] for plane in planes]
            done = stop

    def found(self) -> tuple[list[float], list[float]]:
        """Return the lowest and the highest values."""
        self._note()
        return self._lows, self._highs

    def _note(self) -> None:
        data, peak = b"".join(self._collected), self._peak
        self._collected.clear()
        if not data or not 0 <= peak < len(self._lows):
            return
        extrema: Any = Image.frombuffer("F", (len(data) // 4, 1), data, "raw", "F", 0, 1).getextrema()
        self._lows[peak] = min(self._lows[peak], extrema[0])
        self._highs[peak] = max(self._highs[peak], extrema[1])
