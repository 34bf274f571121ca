"""Recordings for tests: every frame's number can be read from its pixels, every sound's time from its samples."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from tests.support.made_once import made_once
from tests.support.picture import (
    COUNTER_LIMIT,
    CounterUnreadableError,
    draw,
    luma_of,
    read_counter,
    read_luma_counter,
    to_frame,
)
from tests.support.sound import (
    MIN_QUALITY,
    SoundMatch,
    SoundNotRecognisedError,
    match_sound,
    measure_audio_offset,
    reference_sound,
    trace_sound,
)
from tests.support.spec import FASTSTART, FRAGMENTED, FRAGMENTED_DELAYED, MediaSpec

__all__ = [
    "COUNTER_LIMIT",
    "FASTSTART",
    "FRAGMENTED",
    "FRAGMENTED_DELAYED",
    "MIN_QUALITY",
    "CounterUnreadableError",
    "MediaSpec",
    "SoundMatch",
    "SoundNotRecognisedError",
    "cached_media",
    "draw",
    "luma_of",
    "make_media",
    "match_sound",
    "measure_audio_offset",
    "read_counter",
    "read_luma_counter",
    "reference_sound",
    "trace_sound",
]

_THREADS = 2  # fixed: x264 gives different bytes for different numbers of threads
_AUDIO_BLOCK = 1024  # samples
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def make_media(spec: MediaSpec, path: Path | str) -> Path:
    """Generate the recording of a spec at `path`, whose suffix should be the spec's.

    Raises:
        ValueError: the encoder does not know one of the options, or the picture is too small for a counter.
    """
    path = Path(path)
    # As container_options, so that they reach the muxer only: `options` would go to the encoders as well.
    muxing = {"fflags": "+bitexact", **spec.muxer_options}
    if spec.start and spec.suffix in {".mp4", ".mov", ".m4a"}:
        # An edit list counts in the movie's ticks, milliseconds by default: too coarse for a late sound.
        muxing.setdefault("movie_timescale", str(spec.sample_rate))
    with av.open(str(path), "w", container_options=muxing) as container:
        video = _add_video(container, spec) if spec.codec else None
        audio = _add_audio(container, spec) if spec.audio else None
        container.start_encoding()
        for stream in (video, audio):
            if stream is not None and (unknown := stream.codec_context.options):
                raise ValueError(f"{stream.codec_context.name} does not know {unknown}")
        _write(container, spec, video, audio)
    return path


def cached_media(spec: MediaSpec, cache_dir: Path | str) -> Path:
    """The recording of a spec, generated on first use only; `cache_dir` may be shared by processes."""
    cache_dir = Path(cache_dir)
    name = hashlib.sha256(f"{spec.digest()} {_generator_version()}".encode()).hexdigest()[:24]
    return made_once(cache_dir / f"{name}{spec.suffix}", lambda path: make_media(spec, path))


@functools.cache
def _generator_version() -> str:
    """Changes with this code and with FFmpeg, so that a cache never serves yesterday's files."""
    digest = hashlib.sha256(f"{av.__version__} {av.library_versions}".encode())
    for name in ("media.py", "picture.py", "sound.py", "spec.py"):
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()


# --- streams ---------------------------------------------------------------------------------------


def _encoder_options(spec: MediaSpec) -> dict[str, str]:
    """Fast settings, the spec's GOP structure, and silence on standard error."""
    gop = {} if spec.gop is None else {"g": str(spec.gop)}
    bframes = {"bf": str(spec.bframes)}
    own = dict(spec.codec_options)
    match spec.codec:
        case "libx264":
            steady = {"keyint_min": str(spec.gop), "sc_threshold": "0"} if spec.gop else {}
            params = {"open-gop": str(int(spec.open_gop))}
            own["x264-params"] = _join_params(params, own.get("x264-params"))
            return {"preset": "veryfast", "crf": "23", **bframes, **gop, **steady, **own}
        case "libx265":
            params = {"log-level": "none", "frame-threads": "1", "open-gop": str(int(spec.open_gop))}
            params |= {"bframes": str(spec.bframes)}
            if spec.gop:
                params |= {"keyint": str(spec.gop), "min-keyint": str(spec.gop), "scenecut": "0"}
            own["x265-params"] = _join_params(params, own.get("x265-params"))
            return {"preset": "ultrafast", "crf": "25", **own}
        case "libsvtav1":
            os.environ.setdefault("SVT_LOG", "-1")  # it writes to standard error past FFmpeg's log
            return {"preset": "9", "crf": "35", **gop, **own}
        case "libvpx-vp9":
            return {"deadline": "realtime", "cpu-used": "8", "b": "600k", **gop, **own}
        case "mpeg4":
            closed = {} if spec.open_gop else {"flags": "+cgop", "sc_threshold": "1000000000"}
            return {"b": "2M", **bframes, **closed, **gop, **own}
        case "mjpeg":
            return {"flags": "+qscale", "global_quality": str(4 * 118), **own}
        case _:
            return {**gop, **own}


def _join_params(params: dict[str, str], own: str | None) -> str:
    """x264's and x265's own option syntax; the later value wins."""
    pairs = [f"{key}={value}" for key, value in params.items()]
    return ":".join([*pairs, own] if own else pairs)


def _add_video(container: OutputContainer, spec: MediaSpec) -> VideoStream:
    stream = container.add_stream(
        str(spec.codec), spec.fps, options=_encoder_options(spec), width=spec.width, height=spec.height
    )
    assert isinstance(stream, VideoStream)
    full_range = spec.codec == "mjpeg" and spec.pix_fmt == "yuv420p"
    stream.pix_fmt = "yuvj420p" if full_range else spec.pix_fmt
    stream.codec_context.time_base = stream.time_base = spec.tick
    stream.codec_context.thread_count = _THREADS
    if spec.tag:
        stream.codec_context.codec_tag = spec.tag
    if spec.rotation:
        stream.set_display_rotation(spec.rotation)
    return stream


def _add_audio(container: OutputContainer, spec: MediaSpec) -> AudioStream:
    stream = container.add_stream(str(spec.audio), spec.sample_rate, bit_rate=spec.audio_bitrate)
    assert isinstance(stream, AudioStream)
    stream.codec_context.layout = _LAYOUTS[spec.channels]
    return stream


# --- packets ---------------------------------------------------------------------------------------


def _write(container: OutputContainer, spec: MediaSpec, video: VideoStream | None, audio: AudioStream | None) -> None:
    """Encode and write in the order of time: the muxer would hold back a track that runs ahead."""
    sound = _sound_packets(spec, audio) if audio else iter(())
    heard, durations = Fraction(0), _durations(spec)
    for n, seen in enumerate(spec.times if video else ()):
        assert video is not None
        frame = to_frame(draw(spec, spec.first_counter + n), str(video.pix_fmt))
        frame.pts, frame.time_base = spec.ticks[n] + round(spec.start / spec.tick), spec.tick
        container.mux(_timed(durations, video.encode(frame)))
        while heard <= seen and (block := next(sound, None)):
            heard, packets = block
            container.mux(packets)
    if video:
        container.mux(_timed(durations, video.encode(None)))
    for _, packets in sound:
        container.mux(packets)


def _timed(durations: dict[int | None, int], packets: list[Packet[VideoStream]]) -> list[Packet[VideoStream]]:
    """Give packets their durations: the last frame of a file is shown for as long as its packet says."""
    for packet in packets:
        packet.duration = durations[packet.pts]
    return packets


def _durations(spec: MediaSpec) -> dict[int | None, int]:
    offset = round(spec.start / spec.tick)
    return {tick + offset: long for tick, long in zip(spec.ticks, spec.tick_durations, strict=True)}


def _sound_packets(spec: MediaSpec, stream: AudioStream) -> Iterator[tuple[Fraction, list[Packet[AudioStream]]]]:
    """Encoded packets block by block, each with the seconds of sound that went in before it and with it."""
    sound = reference_sound(spec)
    offset = round(spec.start * spec.sample_rate)
    for begin in range(0, len(sound), _AUDIO_BLOCK):
        block = np.tile(sound[begin : begin + _AUDIO_BLOCK], (spec.channels, 1))
        frame = av.AudioFrame.from_ndarray(block, "fltp", _LAYOUTS[spec.channels])
        frame.sample_rate = spec.sample_rate
        frame.pts, frame.time_base = begin + offset, Fraction(1, spec.sample_rate)
        yield Fraction(begin + _AUDIO_BLOCK, spec.sample_rate), stream.encode(frame)
    yield spec.duration, stream.encode(None)
