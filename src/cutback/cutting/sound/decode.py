"""Decoding sound, and putting it where it belongs to the sample."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from fractions import Fraction

import av

from cutback.cutting.index import Track
from cutback.cutting.plan.plan import FrameRange
from cutback.cutting.source.footage import MediaSource

FADE = Fraction(5, 1000)
"""Seconds over which sound fades at a join: what was cut apart does not click."""

_TOLERANCE = Fraction(1, 100)
"""Seconds by which sound may be out of place before it is moved (silence put in, or some left out)."""


def exact_sound(
    media: MediaSource, track: Track | None, piece: FrameRange, rate: int, layout: str, wanted: int
) -> Iterator[av.AudioFrame]:
    """Exactly `wanted` samples of a track from the piece's start; silence where it has none."""
    position = 0
    for block in _placed(media, track, piece, rate, layout) if track is not None else ():
        part = _part(block, 0, wanted - position)
        if part is None:
            break
        position += part.samples
        yield part
    yield from _silence(wanted - position, rate, layout)


def _placed(media: MediaSource, track: Track, piece: FrameRange, rate: int, layout: str) -> Iterator[av.AudioFrame]:
    """The track's sound from the piece's start on, without holes and overlaps."""
    resampler = av.AudioResampler("fltp", layout, rate)
    position = 0
    skip = 0
    for decoded in media.sound(track, piece.start, piece.end):
        if decoded.pts is not None:
            due = round((track.seconds(decoded.pts) - piece.start) * rate)
            if due > position + _TOLERANCE * rate and (position or due > 0):
                yield from _silence(due - max(position, 0), rate, layout)
                position = due
            elif due < position - _TOLERANCE * rate or not position:
                skip = max(0, position - due)
        decoded.pts = None
        for block in resampler.resample(decoded):
            kept = _part(block, skip, block.samples)
            skip -= min(skip, block.samples)
            if kept is not None:
                position += kept.samples
                yield kept
    for block in resampler.resample(None):
        yield block


def _part(block: av.AudioFrame, skip: int, most: int) -> av.AudioFrame | None:
    """Samples [skip, skip + most) of a block; None when there are none."""
    if skip >= block.samples or most <= 0:
        return None
    if not skip and block.samples <= most:
        return block
    fifo = av.AudioFifo()
    block.pts = None
    fifo.write(block)
    if skip:
        fifo.read(skip)
    return fifo.read(min(most, fifo.samples))


def _silence(samples: int, rate: int, layout: str) -> Iterator[av.AudioFrame]:
    while samples > 0:
        frame = av.AudioFrame("fltp", layout, min(samples, rate))
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate = rate
        samples -= frame.samples
        yield frame


def faded(
    blocks: Iterator[av.AudioFrame], total: int, rate: int, *, at_start: bool, at_end: bool
) -> Iterator[av.AudioFrame]:
    """The same sound (planar floats, `total` samples), faded in and out where it is joined to other sound."""
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
