"""A clip's sound on its way from the decoder to the encoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import av

from cutback.cutting.edits import graph


@dataclass(frozen=True, slots=True)
class Sound:
    """One audio track of the clip, as planar floats."""

    rate: int
    """Hz."""
    layout: str
    duration: Fraction
    """Seconds."""
    blocks: Callable[[], Iterator[av.AudioFrame]]
    """Begins to read it; can be called more than once."""

    def filtered(self, *filters: graph.Filter) -> Sound:
        """The same sound through filters that keep its length."""
        blocks = self.blocks

        def changed() -> Iterator[av.AudioFrame]:
            yield from graph.sound_through(blocks(), self.rate, self.layout, filters)

        return replace(self, blocks=changed)

    @property
    def samples(self) -> int:
        """The number of samples."""
        return round(self.duration * self.rate)


@dataclass(frozen=True, slots=True)
class Volume:
    """A change of nothing but loudness, in parts of the clip."""

    parts: tuple[tuple[Fraction, Fraction], ...]
    """Seconds of the clip; the rest of the sound stays as it is."""
    gain: Callable[[float], float]
    """What samples at a time in the clip, in seconds, are multiplied with."""


def fading_volume(fade_in: Fraction, fade_out: Fraction, duration: Fraction) -> Volume:
    """Return the volume of a clip of `duration` seconds that fades in and out; 0 for none."""
    begins, ends = fade_in, duration - fade_out

    def gain(at: float) -> float:
        # Packets reach beyond both ends of the clip.
        coming = at / float(fade_in) if fade_in and at < begins else 1.0
        going = (float(duration) - at) / float(fade_out) if fade_out and at > ends else 1.0
        return max(0.0, min(coming, going))

    return Volume(tuple(part for part in ((Fraction(0), begins), (ends, duration)) if part[0] < part[1]), gain)


def faded_ends(sound: Sound, fade_in: Fraction, fade_out: Fraction) -> Sound:
    """The same sound, faded in and out over so many seconds; 0 for none."""
    filters = []
    if count := round(fade_in * sound.rate):
        filters.append(graph.Filter("afade", {"type": 0, "start_sample": 0, "nb_samples": count}))
    if count := round(fade_out * sound.rate):
        start = max(0, sound.samples - count)
        filters.append(graph.Filter("afade", {"type": 1, "start_sample": start, "nb_samples": count}))
    return sound.filtered(*filters)


class SoundReader:
    """Reads sound in portions."""

    def __init__(self, blocks: Iterator[av.AudioFrame]) -> None:
        """`blocks` are planar floats."""
        self._blocks = blocks
        self._fifo = av.AudioFifo()

    def read(self, samples: int) -> Iterator[av.AudioFrame]:
        """Yield the next samples, fewer only at the end of the sound."""
        while samples > 0:
            if not self._fifo.samples:
                block = next(self._blocks, None)
                if block is None:
                    return
                self._write(block)
            part = self._fifo.read(min(samples, self._fifo.samples))
            assert part is not None
            samples -= part.samples
            yield part

    def _write(self, block: av.AudioFrame) -> None:
        block.pts = None
        block.time_base = Fraction(1, block.sample_rate)  # the queue accepts only one time base
        self._fifo.write(block)


def exactly(blocks: Iterator[av.AudioFrame], samples: int, rate: int, layout: str) -> Iterator[av.AudioFrame]:
    """Yield exactly as many samples: the rest is dropped, what is missing is silent. Reads all blocks."""
    left = samples
    reader = SoundReader(blocks)
    for part in reader.read(samples):
        left -= part.samples
        yield part
    for _ in blocks:
        pass
    yield from silence(left, rate, layout)


def silence(samples: int, rate: int, layout: str) -> Iterator[av.AudioFrame]:
    """Yield silent samples."""
    while samples > 0:
        frame = av.AudioFrame("fltp", layout, min(samples, rate))
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate = rate
        samples -= frame.samples
        yield frame
