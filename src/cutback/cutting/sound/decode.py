"""Decodes sound and places it exactly, to the sample."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from fractions import Fraction

import av

from cutback.cutting.edits.sound_stream import silence
from cutback.cutting.index import Track
from cutback.cutting.plan.plan import FrameRange
from cutback.cutting.source.footage import MediaSource

FADE = Fraction(5, 1000)
"""Seconds over which sound fades at a join, so that it does not click."""

_LOUDEST = 1e6
"""Full scale is 1."""

_TOLERANCE = Fraction(1, 100)
"""Seconds by which sound may deviate before it is moved (by inserting silence or dropping samples)."""


def exact_sound(
    media: MediaSource, track: Track | None, piece: FrameRange, rate: int, layout: str, wanted: int
) -> Iterator[av.AudioFrame]:
    """Yield exactly `wanted` samples of a track from the range's start, with silence where it has no sound.

    Every sample is at its own time. If times step back, the earlier sound stays, and the rest continues where its times
    say.
    """
    position = 0
    for at, block in _placed(media, track, piece, rate, layout) if track is not None else ():
        part = _part(block, max(0, position - at), wanted - at)
        if part is None:
            continue
        if at > position:
            yield from silence(at - position, rate, layout)
            position = at
        position += part.samples
        yield part
    yield from silence(wanted - position, rate, layout)


def _placed(
    media: MediaSource, track: Track, piece: FrameRange, rate: int, layout: str
) -> Iterator[tuple[int, av.AudioFrame]]:
    """Yield the track's sound around the range, each block with its position in samples from the range's start."""
    resampler = _Resampler(layout, rate)
    # The positions of the next decoded frame and the next resampled block if there is no jump.
    due: Fraction | None = None
    place = 0
    for decoded in media.sound(track, piece.start, piece.end):
        told = None if decoded.pts is None else (track.seconds(decoded.pts) - piece.start) * rate
        if told is not None and (due is None or abs(told - due) > _TOLERANCE * rate):
            for block in resampler.resample(None):
                yield place, block
                place += block.samples
            resampler = _Resampler(layout, rate)
            due, place = told, round(told)
        due = (due or Fraction(0)) + Fraction(decoded.samples * rate, decoded.sample_rate)
        decoded.pts = None
        for block in resampler.resample(decoded):
            yield place, block
            place += block.samples
    for block in resampler.resample(None):
        yield place, block
        place += block.samples


def _part(block: av.AudioFrame, begin: int, end: int) -> av.AudioFrame | None:
    """Return samples [begin, end) of a block, as far as it goes; None if there are none."""
    end = min(end, block.samples)
    if begin >= end:
        return None
    if not begin and end == block.samples:
        return block
    fifo = av.AudioFifo()
    block.pts = None
    fifo.write(block)
    if begin:
        fifo.read(begin)
    return fifo.read(end - begin)


class _Resampler:
    """Converts decoded sound to one layout and rate, even if its own change in the middle."""

    def __init__(self, layout: str, rate: int) -> None:
        self._layout, self._rate = layout, rate
        self._like: tuple[str, str, int] | None = None
        self._resampler = av.AudioResampler("fltp", layout, rate)

    def resample(self, frame: av.AudioFrame | None) -> Iterator[av.AudioFrame]:
        """Yield the output for a frame; None flushes."""
        like = None if frame is None else (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._like not in {like, None}:
            yield from self._resampler.resample(None)
            self._resampler = av.AudioResampler("fltp", self._layout, self._rate)
        self._like = like
        if frame is not None:
            yield from self._resampler.resample(frame)


def without_noise(samples: array[float]) -> array[float]:
    """The same samples; of damaged sound those beyond all measure, and what is no number, are silence.

    The AAC encoder rejects a whole packet of sound for one of them.
    """
    if abs(sum(samples)) < _LOUDEST:  # in C, and no number makes it none as well
        return samples
    return array("f", (sample if abs(sample) < _LOUDEST else 0.0 for sample in samples))


def faded(
    blocks: Iterator[av.AudioFrame], total: int, rate: int, *, at_start: bool, at_end: bool
) -> Iterator[av.AudioFrame]:
    """Yield the same sound (planar floats, `total` samples), faded in and out where other sound is joined."""
    length = min(round(FADE * rate), total // 2)
    position = 0
    for block in blocks:
        begin, end = position, position + block.samples
        position = end
        if length and ((at_start and begin < length) or (at_end and end > total - length)):
            block.make_writable()
            gains = array(
                "f",
                (_gain(number, total, length, at_start=at_start, at_end=at_end) for number in range(begin, end)),
            )
            for plane in block.planes:
                samples = array("f", bytes(plane)[: 4 * block.samples])
                scaled = array("f", map(float.__mul__, samples, gains)).tobytes()
                plane.update(scaled + bytes(plane.buffer_size - len(scaled)))
        yield block


def _gain(number: int, total: int, length: int, *, at_start: bool, at_end: bool) -> float:
    gain = 1.0
    if at_start:
        gain = min(gain, number / length)
    if at_end:
        gain = min(gain, (total - number) / length)
    return gain
