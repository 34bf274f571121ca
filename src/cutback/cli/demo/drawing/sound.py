"""The sound of the scene: surf that swells as waves break, and a soft note every five seconds.

The surf is noise shaped by FFmpeg's filters. The notes tell by ear where in the recording one is:
neighbours always differ, and the tune does not repeat within a minute.
"""

from __future__ import annotations

import math
from array import array
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import av
from av.filter import Graph

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.filter.context import FilterContext

    from cutback.cli.demo.drawing.swell import Wave

RATE = 48_000
_NOTE_RATE = 8_000  # the notes are low: FFmpeg's resampler is quicker than Python's loop
_BLOCK = 256
_NOTE_SECONDS = 5
# Steps of a pentatonic scale on D3; twelve notes a minute.
_TUNE = (0, 4, 2, 7, 5, 3, 8, 6, 1, 5, 9, 4)
_SCALE = (0, 2, 4, 7, 9)
_ROOT = 146.832


@cache
def _note(step: int) -> bytes:
    """Return one soft, bell-like note as 16-bit mono samples."""
    octave, degree = divmod(step, len(_SCALE))
    pitch = _ROOT * 2 ** (octave + _SCALE[degree] / 12)
    turn = 2 * math.pi * pitch / _NOTE_RATE
    count = _NOTE_SECONDS * _NOTE_RATE
    samples = array("h", bytes(2 * count))
    for index in range(count):
        time = index / _NOTE_RATE
        swell = min(1.0, time / 0.06) * min(1.0, (_NOTE_SECONDS - time) / 0.4)
        angle = turn * index
        tone = math.exp(-0.55 * time) * math.sin(angle) + 0.24 * math.exp(-1.6 * time) * math.sin(2 * angle)
        samples[index] = round(3100 * swell * tone)
    return samples.tobytes()


def _notes(seconds: int) -> Iterator[bytes]:
    """Yield the tune in blocks of samples, `seconds` long altogether."""
    left = seconds * _NOTE_RATE * 2
    pending = b""
    for number in range(math.ceil(seconds / _NOTE_SECONDS)):
        note = _note(_TUNE[number % len(_TUNE)])
        pending += note[:left]
        left -= min(left, len(note))
        for start in range(0, len(pending) - 2 * _BLOCK + 1, 2 * _BLOCK):
            yield pending[start : start + 2 * _BLOCK]
        pending = pending[len(pending) // (2 * _BLOCK) * (2 * _BLOCK) :]
    if pending:
        yield pending


def _surf_levels(time: float, waves: list[Wave]) -> tuple[float, float, float]:
    """Return how loud the rumble, and the hiss on the left and on the right, are at `time`."""
    rumble, left, right = 0.10, 0.022, 0.022
    for wave in waves:
        if not wave.heard(time):
            continue
        crash = wave.loudness(time)
        if crash > 0:
            # The sound travels with the curl, from left to right.
            place = min(1.0, max(0.0, (wave.front(time) + 150) / 1900))
            rumble += 0.46 * crash
            left += 0.20 * crash * math.cos(place * math.pi / 2.6)
            right += 0.20 * crash * math.sin(0.36 + place * math.pi / 2.6)
        hiss = 0.045 * wave.wash(time)
        left += hiss
        right += hiss
    return rumble, left, right


class _Mixer:
    """The filter graph: two noises, each split in rumble and hiss, and the notes on top."""

    def __init__(self, seed: int) -> None:
        self.graph = graph = Graph()
        self.notes = graph.add_abuffer(
            sample_rate=_NOTE_RATE, format="s16", layout="mono", time_base=Fraction(1, _NOTE_RATE)
        )
        self.rumbles: list[FilterContext] = []
        self.hisses: list[FilterContext] = []
        join = graph.add("join", "inputs=2:channel_layout=stereo")
        for side in range(2):
            source = graph.add(
                "anoisesrc",
                f"color=pink:sample_rate={RATE}:nb_samples=1024:seed={(seed + side) % 2**31}",
            )
            split = graph.add("asplit", "2")
            low = self._chain(("lowpass", "f=420"), ("volume", "volume=0:precision=float"))
            high = self._chain(("highpass", "f=700"), ("lowpass", "f=6500"), ("volume", "volume=0:precision=float"))
            mix = graph.add("amix", "inputs=2:normalize=0")
            source.link_to(split)
            for index, chain in enumerate((low, high)):
                split.link_to(chain[0], index, 0)
                chain[-1].link_to(mix, 0, index)
            self.rumbles.append(low[-1])
            self.hisses.append(high[-1])
            mix.link_to(join, 0, side)
        full = graph.add("aresample", str(RATE))
        stereo = graph.add("pan", "stereo|c0=c0|c1=c0")
        self.notes.link_to(full)
        full.link_to(stereo)
        total = graph.add("amix", "inputs=2:normalize=0:duration=first")
        stereo.link_to(total, 0, 0)
        join.link_to(total, 0, 1)
        shape = graph.add("aformat", f"sample_fmts=fltp:sample_rates={RATE}:channel_layouts=stereo")
        self.sink = graph.add("abuffersink")
        total.link_to(shape)
        shape.link_to(self.sink)
        graph.configure()

    def _chain(self, *filters: tuple[str, str]) -> list[FilterContext]:
        contexts = [self.graph.add(name, arguments) for name, arguments in filters]
        for first, second in pairwise(contexts):
            first.link_to(second)
        return contexts

    def set_levels(self, rumble: float, left: float, right: float) -> None:
        """Set how loud the surf is from here on."""
        for context, level in zip([*self.rumbles, *self.hisses], [rumble, rumble, left, right], strict=True):
            context.process_command("volume", f"{1.5 * level:.4f}")


def encode_sound(path: Path, seconds: int, waves: list[Wave], seed: int) -> Iterator[float]:
    """Write `seconds` of the scene's sound to `path`: AAC in MP4, stereo, 48 kHz.

    Yields the seconds done, now and then.
    """
    mixer = _Mixer(seed)
    with av.open(str(path), "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=RATE, layout="stereo")
        stream.bit_rate = 160_000
        # Left and right are different noise: looking for what they share only takes time.
        stream.options = {"aac_ms": "0"}
        position = 0
        for block in _notes(seconds):
            frame = av.AudioFrame(format="s16", layout="mono", samples=len(block) // 2)
            frame.planes[0].update(block)
            frame.sample_rate, frame.pts = _NOTE_RATE, position
            frame.time_base = Fraction(1, _NOTE_RATE)
            mixer.set_levels(*_surf_levels(position / _NOTE_RATE, waves))
            position += frame.samples
            mixer.notes.push(frame)
            for mixed in _pull(mixer.sink):
                output.mux(stream.encode(mixed))
            if position % (_BLOCK * _NOTE_RATE // 16) == 0:
                yield position / _NOTE_RATE
        mixer.notes.push(None)
        for mixed in _pull(mixer.sink):
            output.mux(stream.encode(mixed))
        output.mux(stream.encode(None))


def _pull(sink: FilterContext) -> Iterator[av.AudioFrame]:
    """Yield what the graph has ready."""
    while True:
        try:
            frame = sink.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        if isinstance(frame, av.AudioFrame):
            yield frame
