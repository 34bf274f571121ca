"""`music`: a track from the assets, mixed into the sound of the clip or instead of it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from math import sqrt
from operator import add, mul

import av

from cutback.cutting.edit_values.sound import Music
from cutback.cutting.edits.assets import Assets, naming
from cutback.cutting.edits.sound_stream import Sound, exactly, faded_ends
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart
from cutback.cutting.edits.steps.gain import amplified
from cutback.cutting.source.sound_file import SoundFile
from cutback.domain.errors import EditImpossibleError
from cutback.domain.times import format_seconds

_SEAM = Fraction(5, 1000)
"""Seconds over which a repeated track fades out and in, so that it does not click."""

SHORTEST_LOOP = Fraction(1, 10)
"""Seconds. What is shorter is not repeated."""

WINDOW = Fraction(20, 1000)
"""Seconds of which the level is measured for ducking."""

ATTACK, HOLD, RELEASE = Fraction(1, 5), Fraction(1, 2), Fraction(1)
"""Seconds in which the track becomes quieter, for how long it stays so in quiet, and in which it becomes louder."""


class MusicStep(EditStep[Music]):
    """Repeats, ducks and mixes the track."""

    edit = Music
    changes_sound = True

    def painted(self, edit: Music, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`. Pictures stay as they are."""
        if edit.fade_in + edit.fade_out > scene.duration:
            raise EditImpossibleError(
                f"music: fades of {format_seconds(edit.fade_in + edit.fade_out, 3)} s are longer than the clip: "
                f"{format_seconds(scene.duration, 3)} s."
            )
        scene.assets.sound(edit.asset)
        return ()

    def added_track(self, edit: Music, assets: Assets) -> SoundFile:
        """See `EditStep`."""
        return assets.sound(edit.asset)

    def replaces_sound(self, edit: Music) -> bool:
        """See `EditStep`."""
        return edit.mode == "replace"

    def sound(self, edit: Music, sound: Sound, scene: PaintedClip, said: list[str]) -> Sound:
        """See `EditStep`."""
        said.append(_described(edit))
        track = _Track(edit, scene.assets.sound(edit.asset), sound)
        music = faded_ends(amplified(track.sound, float(edit.db)), edit.fade_in, edit.fade_out)

        def mixed() -> Iterator[av.AudioFrame]:
            size, rate, layout = round(WINDOW * sound.rate), sound.rate, sound.layout
            own = windows(exactly(sound.blocks(), sound.samples, rate, layout), size)
            added = windows(exactly(music.blocks(), sound.samples, rate, layout), size)
            ducking = Ducking(edit.duck, edit.duck_above, rate) if edit.duck else None
            for heard, with_it in zip(own, added, strict=True):
                _mix(heard, with_it, None if ducking is None else ducking.gains(heard))
                yield heard

        return replace(sound, blocks=mixed)


def _described(edit: Music) -> str:
    how = ["mixed in" if edit.mode == "mix" else "instead of the recording's sound"]
    if edit.db:
        how.append(f"{float(edit.db):+g} dB")
    if edit.duck:
        how.append(f"{float(edit.duck):g} dB quieter under sound")
    return f"music: {edit.asset}, {', '.join(how)}"


class _Track:
    """A file's sound from the edit's start on, as long as the clip."""

    def __init__(self, edit: Music, file: SoundFile, like: Sound) -> None:
        """`like` is the clip's sound, whose rate, channels and length it gets."""
        self._edit, self._file, self._like = edit, file, like
        self.sound = replace(like, blocks=self._blocks)

    def _blocks(self) -> Iterator[av.AudioFrame]:
        with naming(self._edit.asset):
            yield from self._repeated()

    def _repeated(self) -> Iterator[av.AudioFrame]:
        left = self._like.samples
        first = True
        while left > 0 and (first or self._edit.loop):
            length = 0
            for block in self._once(first=first):
                length += block.samples
                left -= block.samples
                yield block
                if left <= 0:
                    return
            if length < SHORTEST_LOOP * self._like.rate and (first or self._edit.loop):
                self._refuse(length)
            first = False

    def _refuse(self, length: int) -> None:
        name, seconds = self._edit.asset, Fraction(length, self._like.rate)
        if not length:
            start = format_seconds(self._edit.start, 3)
            raise EditImpossibleError(f"music: {name} has no sound at {start} s, where it should begin.")
        if self._edit.loop:
            raise EditImpossibleError(f"music: {name} is too short to be repeated: {format_seconds(seconds, 3)} s.")

    def _once(self, *, first: bool) -> Iterator[av.AudioFrame]:
        """Yield the file's sound once, with soft ends where it is repeated."""
        rate, edge = self._like.rate, round(_SEAM * self._like.rate)
        blocks = self._file.blocks(rate, self._like.layout, self._edit.start)
        if not self._edit.loop:
            yield from blocks
            return
        fifo, position = av.AudioFifo(), 0
        for block in blocks:
            block.pts, block.time_base = None, Fraction(1, rate)
            fifo.write(block)
            if fifo.samples <= edge:
                continue
            made = fifo.read(fifo.samples - edge)
            assert made is not None
            if not first and position < edge:
                rising = (min(1.0, number / edge) for number in range(position, position + made.samples))
                multiplied(made, array("f", rising))
            position += made.samples
            yield made
        if (tail := fifo.read(partial=True)) is not None:
            multiplied(tail, array("f", (1 - (number + 1) / tail.samples for number in range(tail.samples))))
            yield tail


class Ducking:
    """How much quieter a track is under other sound: never by more than a number of decibels."""

    def __init__(self, depth: Fraction, above: Fraction, rate: int) -> None:
        """`depth` is in decibels; `above` is the level, in dBFS (RMS), of sound under which the track is quieter."""
        self._depth = float(depth)
        self._least = 10 ** (float(above) / 20)
        self._rate = rate
        self._lowered, self._quiet = 0.0, float(HOLD)

    def gains(self, heard: av.AudioFrame) -> array[float]:
        """Return what each sample of the track is multiplied with while a window of other sound is heard."""
        seconds = heard.samples / self._rate
        before = self._lowered
        self._quiet = 0.0 if level(heard) > self._least else self._quiet + seconds
        if not self._quiet:
            self._lowered = min(self._depth, self._lowered + self._depth * seconds / float(ATTACK))
        elif self._quiet >= HOLD:
            self._lowered = max(0.0, self._lowered - self._depth * seconds / float(RELEASE))
        begin, end = (10 ** (-decibels / 20) for decibels in (before, self._lowered))
        if begin == end:
            return array("f", [begin]) * heard.samples
        step = (end - begin) / heard.samples
        return array("f", (begin + step * number for number in range(heard.samples)))


def level(block: av.AudioFrame) -> float:
    """Return the level (RMS) of planar floats, of its loudest channel; 1 is full scale."""
    planes = [_samples(plane, block.samples) for plane in block.planes]
    return sqrt(max(sum(map(mul, samples, samples)) / block.samples for samples in planes))


def windows(blocks: Iterable[av.AudioFrame], size: int) -> Iterator[av.AudioFrame]:
    """Yield the same samples in blocks of `size`; only the last one can be shorter."""
    fifo = av.AudioFifo()
    for block in blocks:
        block.pts, block.time_base = None, Fraction(1, block.sample_rate)
        fifo.write(block)
        while (window := fifo.read(size)) is not None:
            yield window
    if fifo.samples and (rest := fifo.read(partial=True)) is not None:
        yield rest


def multiplied(block: av.AudioFrame, gains: Iterable[float]) -> None:
    """Multiply each sample of planar floats, in every channel, with its gain."""
    block.make_writable()
    factors = list(gains)
    for plane in block.planes:
        _write(plane, array("f", map(mul, _samples(plane, block.samples), factors)))


def _mix(heard: av.AudioFrame, added: av.AudioFrame, gains: Iterable[float] | None) -> None:
    """Add sound of as many samples to a block, each of them multiplied with its gain."""
    heard.make_writable()
    factors = None if gains is None else list(gains)
    for plane, other in zip(heard.planes, added.planes, strict=True):
        more: Iterable[float] = _samples(other, added.samples)
        if factors is not None:
            more = map(mul, more, factors)
        _write(plane, array("f", map(add, _samples(plane, heard.samples), more)))


def _samples(plane: av.audio.plane.AudioPlane, count: int) -> array[float]:
    return array("f", bytes(plane)[: 4 * count])


def _write(plane: av.audio.plane.AudioPlane, samples: array[float]) -> None:
    data = samples.tobytes()
    plane.update(data + bytes(plane.buffer_size - len(data)))
