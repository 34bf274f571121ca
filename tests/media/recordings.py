"""Recordings of the catalogue, and everything a player shows of them."""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from statistics import median

import av
from tests.media.changes import changed, put_together
from tests.media.cuts import find_boxes
from tests.media.recipes import RECIPES, Recipe
from tests.support.decode import Presented, decode_presented, decode_warnings
from tests.support.made_once import made_once
from tests.support.media import MediaSpec, cached_media, match_sound
from tests.support.paff import make_paff
from tests.support.shape import Shape, shape_of

__all__ = ["RECIPES", "Recipe", "ReferenceRecording", "decode_reference", "edited_length", "reference_recording"]


@dataclass
class ReferenceRecording:
    """A recording, and everything a player shows of it."""

    name: str
    recipe: Recipe
    path: Path
    shown: Presented
    times: list[Fraction] = field(default_factory=list)
    """When each frame is shown, in seconds from the recording's time zero."""
    counters: list[int] = field(default_factory=list)
    sound_start: Fraction | None = None
    """Seconds from time zero; None without sound."""
    sound_end: Fraction = Fraction(0)
    video_end: Fraction = Fraction(0)
    reference_at_zero: float = 0.0
    """The recording's time zero in the reference signal, in seconds."""
    warnings: list[str] = field(default_factory=list)

    @property
    def spec(self) -> MediaSpec:
        """What it was made of."""
        return self.recipe.spec

    @property
    def end(self) -> Fraction:
        """Seconds from time zero to the end of the longer of picture and sound."""
        return max(self.video_end, self.sound_end)

    @property
    def audio_frame(self) -> Fraction:
        """The duration of a packet of its sound in seconds; of AAC if it is re-encoded."""
        samples = {"libmp3lame": 1152, "ac3": 1536}.get(self.spec.audio or "", 1024)
        if self.shown.sample_rate == 2 * self.spec.sample_rate:  # SBR
            samples *= 2
        return Fraction(samples, self.shown.sample_rate or 48000)

    @functools.cached_property
    def shape(self) -> Shape:
        """How its pictures are turned, shaped and coloured."""
        return shape_of(self.path)

    @functools.cached_property
    def keyframes(self) -> list[int]:
        """Numbers of the frames at which the container says decoding may begin."""
        with av.open(str(self.path)) as container:
            stream = container.streams.video[0]
            sync = {
                packet.pts * packet.time_base
                for packet in container.demux(stream)
                if packet.is_keyframe and packet.pts is not None
            }
        own = [frame.time + self.shown.zero for frame in self.shown.frames]
        return [n for n, time in enumerate(own) if any(abs(time - at) < Fraction(1, 2000) for at in sync)]


def reference_recording(name: str, folder: Path) -> ReferenceRecording:
    """Make a recording of the catalogue, unless it is there, and decode all of it."""
    recipe = RECIPES[name]
    path = made(recipe, folder)
    if recipe.shown_as:
        return replace(reference_recording(recipe.shown_as, folder), name=name, recipe=recipe, path=path)
    return decode_reference(name, recipe, path)


def made(recipe: Recipe, folder: Path) -> Path:
    """The file of a recipe."""
    if recipe.change == "paff":
        return made_once(folder / f"paff-{recipe.spec.digest()[:16]}.mp4", lambda path: make_paff(recipe.spec, path))
    if recipe.parts:
        path = put_together([cached_media(part, folder) for part in recipe.parts], recipe.change)
    else:
        path = cached_media(recipe.spec, folder)
    return path if recipe.change in {"", "entries"} else changed(path, recipe.change)


def decode_reference(name: str, recipe: Recipe, path: Path) -> ReferenceRecording:
    """Decode a recording. Its times must be those of its spec but for a common offset."""
    shown = decode_presented(path, luma=True)
    starts = [shown.frames[0].time] if shown.frames else []
    starts += [shown.audio_start] if shown.audio_start is not None else []
    zero = min(starts)
    times = [time - zero for time in shown.times]
    one = ReferenceRecording(name, recipe, path, shown, times, shown.counters)
    if shown.audio_start is not None and shown.audio_end is not None:
        one.sound_start, one.sound_end = shown.audio_start - zero, shown.audio_end - zero
        one.sound_end = min(one.sound_end, _last_packet_end(path) - shown.zero - zero)
        if (length := edited_length(path.read_bytes(), b"soun")) is not None:
            # FFmpeg plays the last packet whole, although the edit list ends within it.
            one.sound_end = min(one.sound_end, one.sound_start + length)
        one.reference_at_zero = _reference_at_zero(one)
    if times:
        own = [recipe.spec.times[n - recipe.spec.first_counter] for n in one.counters]
        offsets = {round((time - at) * 1000) for time, at in zip(times, own, strict=True)}
        assert max(offsets) - min(offsets) <= 1, "the generator's times"
        last = shown.frames[-1].duration or times[-1] - times[-2]
        one.video_end = times[-1] + last
    one.warnings = decode_warnings(path)
    return one


def _reference_at_zero(one: ReferenceRecording) -> float:
    """From a piece in the middle: the beginning may hold an encoder's priming."""
    rate, start = one.shown.sample_rate, one.sound_start
    assert start is not None
    offset = 0.0
    if one.times:
        n = one.counters[0]
        offset = float(one.spec.times[n - one.spec.first_counter] - one.times[0])
    found = []
    for at in (0.5, 1.0, 2.0):
        piece = one.shown.audio[round(at * rate) : round((at + 0.5) * rate)]
        match = match_sound(piece, rate, one.spec, float(start) + at + offset, search_s=1.0)
        assert match.quality > 0.6, "the generator's sound"
        found.append(match.start - at - float(start))
    return median(found)


def _last_packet_end(path: Path) -> Fraction:
    """When the last packet of sound ends as its container says: it may be padded by its encoder."""
    with av.open(str(path)) as container:
        ends = [
            (packet.pts + (packet.duration or 10**9)) * packet.time_base
            for packet in container.demux(container.streams.audio[0])
            if packet.pts is not None and packet.size
        ]
    return max(ends)


def edited_length(data: bytes, handler: bytes) -> Fraction | None:
    """Seconds that the edit list of the first track of a kind presents; None where there is none."""
    headers = find_boxes(data, b"moov", b"mvhd") if data[4:8] == b"ftyp" else []
    if not headers:
        return None
    at = headers[0][0]
    (timescale,) = struct.unpack_from(">I", data, at + (20 if data[at] == 1 else 12))
    for begin, end in find_boxes(data, b"moov", b"trak"):
        trak = b"\0\0\0\0moov" + data[begin - 8 : end]
        trak = struct.pack(">I", len(trak)) + trak[4:]
        (hdlr, _), *_ = find_boxes(trak, b"moov", b"trak", b"mdia", b"hdlr")
        lists = find_boxes(trak, b"moov", b"trak", b"edts", b"elst")
        if trak[hdlr + 8 : hdlr + 12] != handler or not lists:
            continue
        at = lists[0][0]
        version, count = trak[at], struct.unpack_from(">I", trak, at + 4)[0]
        form = ">Qqi" if version == 1 else ">Iii"
        edits = [struct.unpack_from(form, trak, at + 8 + n * struct.calcsize(form)) for n in range(count)]
        length = sum(duration for duration, media_time, _ in edits if media_time >= 0)
        return Fraction(length, timescale) if length else None
    return None
