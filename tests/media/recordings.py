"""The catalogue of generated recordings: one of each kind that the cutter has to get right."""

from __future__ import annotations

import functools
import random
import struct
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from statistics import median

import av
from tests.media.rig import find_boxes
from tests.support.decode import Presented, decode_presented, decode_warnings
from tests.support.media import (
    FASTSTART,
    FRAGMENTED,
    FRAGMENTED_DELAYED,
    MediaSpec,
    cached_media,
    match_sound,
)

Change = str
"""How a generated file is changed afterwards: see `_changed`."""


@dataclass(frozen=True)
class Recipe:
    """A generated recording and what is done to it."""

    spec: MediaSpec
    change: Change = ""
    copies: bool = False
    """Whether whole groups of pictures can be copied out of it, so that not doing so is a fault."""


def _vfr(frames: int) -> tuple[int, ...]:
    chance = random.Random(5)
    ticks = [0]
    while len(ticks) < frames:
        ticks.append(ticks[-1] + chance.choice([1500, 3000, 3003, 6000, 9001]))
    return tuple(ticks)


def _spec(frames: int = 200, **choices: object) -> MediaSpec:
    return MediaSpec(frames=frames, **choices)  # type: ignore[arg-type]


_PYRAMID = {"x264-params": "b-pyramid=normal:ref=4:b-adapt=0"}

RECIPES: dict[str, Recipe] = {
    "pyramid": Recipe(_spec(gop=48, bframes=3, codec_options=_PYRAMID, muxer_options=FASTSTART), copies=True),
    "no-b-frames": Recipe(_spec(gop=25, bframes=0, fps=Fraction(25)), copies=True),
    "open-gop": Recipe(_spec(gop=40, bframes=3, open_gop=True)),
    "fragmented": Recipe(_spec(gop=30, muxer_options=FRAGMENTED), copies=True),
    "fragmented-delayed": Recipe(_spec(gop=30, muxer_options=FRAGMENTED_DELAYED), copies=True),
    "mkv": Recipe(_spec(suffix=".mkv", gop=36)),
    "ts": Recipe(_spec(suffix=".ts", gop=36, start=Fraction(21, 2))),
    "vfr": Recipe(_spec(gop=30, bframes=3, pts=_vfr(200), time_base=Fraction(1, 90000)), copies=True),
    "23.976": Recipe(_spec(gop=48, fps=Fraction(24000, 1001)), copies=True),
    "29.97": Recipe(_spec(gop=30, fps=Fraction(30000, 1001)), copies=True),
    "59.94": Recipe(_spec(frames=300, gop=60, fps=Fraction(60000, 1001), bframes=3), copies=True),
    "no-sound": Recipe(_spec(audio=None), copies=True),
    "sound-alone": Recipe(_spec(codec=None, suffix=".mp4")),
    "hevc": Recipe(_spec(codec="libx265", tag="hvc1", gop=30)),
    "44.1-mono": Recipe(_spec(sample_rate=44100, channels=1), copies=True),
    "sound-late": Recipe(_spec(gop=30), "audio +0.37"),
    "picture-late": Recipe(_spec(gop=30), "video +0.3"),
    "edit-list": Recipe(_spec(gop=30), "both -0.7"),
    "ends-early": Recipe(_spec(gop=30), "first 4.1 s"),
    "mp3": Recipe(_spec(audio="libmp3lame"), copies=True),
    "opus-vp9": Recipe(_spec(frames=120, codec="libvpx-vp9", audio="libopus", suffix=".webm")),
    "ac3-ts": Recipe(_spec(audio="ac3", suffix=".ts", bframes=0)),
    "rotated": Recipe(_spec(rotation=90), copies=True),
    "one-gop": Recipe(_spec(gop=1000)),
    "intra-refresh": Recipe(_spec(gop=40, bframes=0, codec_options={"x264-params": "intra-refresh=1"})),
    "slices": Recipe(_spec(gop=20, codec_options={"x264-params": "slices=4:sps-id=31"}), copies=True),
    "slices-2": Recipe(
        _spec(120, gop=20, first_counter=200, codec_options={"x264-params": "slices=4:sps-id=31"}),
        copies=True,
    ),
    "baseline": Recipe(
        _spec(bframes=0, codec_options={"profile": "baseline"}, muxer_options={"video_track_timescale": "30"}),
        copies=True,
    ),
    "interlaced": Recipe(_spec(codec_options={"x264-params": "tff=1"})),
    "4:4:4": Recipe(_spec(pix_fmt="yuv444p", frames=120)),
    "mov": Recipe(_spec(suffix=".mov", audio="pcm_s16le", gop=24, fps=Fraction(24)), copies=True),
}


@dataclass
class Known:
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
    """Where in the reference signal the recording's time zero lies, in seconds."""
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
        """Seconds that a packet of its sound lasts, of AAC where it is encoded anew."""
        samples = {"libmp3lame": 1152, "ac3": 1536}.get(self.spec.audio or "", 1024)
        return Fraction(samples, self.shown.sample_rate or 48000)

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


def know(name: str, folder: Path) -> Known:
    """Make a recording of the catalogue, unless it is there, and decode all of it."""
    recipe = RECIPES[name]
    path = cached_media(recipe.spec, folder)
    if recipe.change:
        path = _changed(path, recipe.change)
    return known(name, recipe, path)


def known(name: str, recipe: Recipe, path: Path) -> Known:
    """Decode a recording. Its times must be those of its spec but for a common offset."""
    shown = decode_presented(path, luma=True)
    starts = [shown.frames[0].time] if shown.frames else []
    starts += [shown.audio_start] if shown.audio_start is not None else []
    zero = min(starts)
    times = [time - zero for time in shown.times]
    one = Known(name, recipe, path, shown, times, shown.counters)
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


def _reference_at_zero(one: Known) -> float:
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


# --- changes ---------------------------------------------------------------------------------------


def _changed(path: Path, change: Change) -> Path:
    changed = path.with_name(f"{path.stem}-{change.replace(' ', '_')}{path.suffix}")
    if not changed.exists():
        making = changed.with_name(f"new-{changed.name}")
        which, _, amount = change.partition(" ")
        if which == "first":
            making.write_bytes(shorten_edits(path.read_bytes(), Fraction(amount.split()[0])))
        else:
            shift_streams(path, making, which, Fraction(amount))
        making.rename(changed)
    return changed


def shift_streams(path: Path, target: Path, which: str, by: Fraction) -> None:
    """Copy the packets, those of one kind (or `both`) later by `by` seconds; what falls below 0 is edited out."""
    options = {"movie_timescale": "48000", "avoid_negative_ts": "disabled"}
    with av.open(str(path)) as source, av.open(str(target), "w", container_options=options) as out:
        streams = {s.index: out.add_stream_from_template(s) for s in source.streams if s.type in {"video", "audio"}}
        for packet in source.demux():
            if packet.dts is None:
                continue
            if which in {"both", packet.stream.type}:
                ticks = round(by / packet.time_base)
                packet.pts, packet.dts = (packet.pts or 0) + ticks, packet.dts + ticks
            packet.stream = streams[packet.stream_index]
            out.mux(packet)


def shorten_edits(data: bytes, length: Fraction) -> bytes:
    """Let every track's edit list end after `length` seconds."""
    changed = bytearray(data)
    (mvhd, _), *_ = find_boxes(data, b"moov", b"mvhd")
    (timescale,) = struct.unpack_from(">I", data, mvhd + 12)
    for begin, _ in find_boxes(data, b"moov", b"trak", b"edts", b"elst"):
        assert struct.unpack_from(">II", data, begin) == (0, 1)
        struct.pack_into(">I", changed, begin + 8, round(length * timescale))
    return bytes(changed)
