"""Decodes runs of coded pictures, and encodes pictures to be joined with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, groupby
from typing import Any

import av
from av.codec.context import Flags
from av.video.frame import PictureType

from cutback.cutting.codecs.h264 import nal
from cutback.cutting.codecs.memory import decoder_threads, pixels_of
from cutback.cutting.ffmpeg_errors import media_error
from cutback.cutting.index import Description, Track, byte_ranges
from cutback.cutting.job import ByteSource, Limits
from cutback.cutting.mp4.entries import aspect_of
from cutback.domain.errors import MediaTooLargeError, MediaUnreadableError

FFMPEG_PIXELS = 4
"""FFmpeg's limit as a multiple of Cutback's, so that Cutback itself finds and reports what is too large."""

THREADS = 2
"""A worker should have two cores; more threads only use memory for more frames."""

_MOST_REORDERED = 16

_DECODERS = {"av1": "libdav1d"}
"""FFmpeg's own decoder with that name supports only hardware."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture and its pixel aspect ratio."""

    frame: av.VideoFrame
    aspect: Fraction | None
    """Width of a pixel divided by its height; None if the stream does not say."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A coded picture from an encoder."""

    data: bytes
    pts: int
    keyframe: bool


def decode(
    track: Track, source: ByteSource, samples: Iterable[int], wanted: Callable[[int], bool], limits: Limits
) -> Iterator[Picture]:
    """Decode samples of a track, in order, and yield the pictures with wanted PTS, in order of presentation.

    Raises:
        MediaUnreadableError: the decoder rejects a sample.
        MediaTooLargeError: a picture is larger than the limit.
    """
    numbers = list(samples)
    source.prefetch(byte_ranges(track, numbers))
    for description, run in groupby(numbers, key=track.description_of):
        entry = track.descriptions[description]
        samples_of_run = list(run)
        depth = reorder_depth(track, range(samples_of_run[0], samples_of_run[-1] + 1))
        threads = decoder_threads(pixels_of(entry), limits.memory)
        decoder = open_decoder(entry.codec, entry.extradata, limits, depth, threads)
        aspect = aspect_of(entry.raw)
        for number in chain(samples_of_run, [None]):
            packet = None
            if number is not None:
                sample = source.read_at(track.offsets[number], track.sizes[number])
                if not wanted(track.pts[number]) and _disposable(entry, sample):
                    continue
                packet = _packet(track, sample, number)
            try:
                frames = decoder.decode(packet)
            except av.FFmpegError as error:
                if entry.width * entry.height > limits.pixels:
                    raise MediaTooLargeError(f"Its pictures have {entry.width}×{entry.height} pixels.") from error
                raise media_error("Its pictures cannot be decoded", error) from error
            for frame in frames:
                check_size(frame, limits)
                if frame.pts is not None and wanted(frame.pts):
                    yield Picture(frame, aspect or decoder.sample_aspect_ratio or None)


def _disposable(entry: Description, sample: bytes) -> bool:
    if entry.codec != "h264" or len(entry.extradata) < 7:
        return False
    return nal.is_disposable(sample, (entry.extradata[4] & 3) + 1)  # lengthSizeMinusOne


def packet_of(sample: bytes) -> Any:
    """Return a packet whose bytes belong to FFmpeg.

    Freeing a packet of Python's bytes needs the interpreter's lock. If a decoder's thread frees one while the decoder
    itself is being freed with the lock held, both wait for ever (PyAV 18.1).
    """
    packet = av.Packet(len(sample))
    packet.update(sample)
    return packet


def _packet(track: Track, sample: bytes, number: int) -> Any:
    packet = packet_of(sample)
    packet.pts, packet.dts = track.pts[number], track.dts[number]
    packet.time_base = Fraction(1, track.timescale)
    return packet


def reorder_depth(track: Track, samples: range) -> int:
    """By how many pictures decoding is ahead of presentation in a run of samples, at most 16, as H.264 allows.

    FFmpeg's decoder of H.264 has to know it: if the SPS does not say it, pictures are dropped until it has learnt it.
    """
    times = track.pts[samples.start : samples.stop]
    rank = {time: place for place, time in enumerate(sorted(times))}
    return min(_MOST_REORDERED, max((number - rank[time] for number, time in enumerate(times)), default=0))


def tell_reorder_depth(decoder: av.VideoCodecContext, depth: int) -> None:
    """Tell a decoder the least reorder depth. Decoders of other codecs read it from the stream, where it is always."""
    if decoder.name == "h264":
        decoder.reorder_depth = max(decoder.reorder_depth, depth)


def open_decoder(
    codec: str, extradata: bytes, limits: Limits, depth: int, threads: int = THREADS
) -> av.VideoCodecContext:
    """Open a decoder of pictures that are reordered by up to `depth`.

    Raises:
        MediaUnreadableError: there is none for this codec, or it rejects the configuration.
    """
    try:
        decoder = av.CodecContext.create(_DECODERS.get(codec, codec), "r")
        assert isinstance(decoder, av.VideoCodecContext)
        if extradata:
            decoder.extradata = extradata
        decoder.options = {"max_pixels": str(FFMPEG_PIXELS * limits.pixels)}
        decoder.thread_type = "FRAME"
        decoder.thread_count = threads
        tell_reorder_depth(decoder, depth)
        decoder.open()
    except (av.FFmpegError, ValueError) as error:
        raise MediaUnreadableError(f"There is no decoder for its pictures ({codec}).") from error
    return decoder


def check_size(frame: av.VideoFrame, limits: Limits) -> None:
    """Enforce the limit on pixels on a decoded picture.

    Raises:
        MediaTooLargeError: the picture is larger.
    """
    if frame.width * frame.height > limits.pixels:
        raise MediaTooLargeError(f"A picture has {frame.width}×{frame.height} pixels.")


class PictureEncoder:
    """Encodes pictures that can be joined with copied ones in one track."""

    def __init__(
        self,
        codec: str,
        like: av.VideoFrame,
        *,
        timescale: int,
        rate: Fraction,
        options: Mapping[str, str],
        aspect: Fraction | None,
        threads: int = THREADS,
    ) -> None:
        """`like` gives size and colours; PTS are ticks of `timescale`; `rate` is the approximate frame rate."""
        encoder = av.CodecContext.create(codec, "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width, encoder.height = like.width, like.height
        encoder.pix_fmt = like.format.name
        encoder.time_base = Fraction(1, timescale)
        encoder.framerate = rate
        encoder.color_range = like.color_range
        encoder.colorspace = like.colorspace
        encoder.color_primaries = like.color_primaries
        encoder.color_trc = like.color_trc
        if aspect:
            encoder.sample_aspect_ratio = aspect
        encoder.thread_count = threads
        encoder.flags |= Flags.global_header
        encoder.options = dict(options)
        encoder.open()
        self._encoder = encoder
        self._time_base = encoder.time_base
        self.header = encoder.extradata or b""
        """Parameter sets in Annex B."""

    def encode(self, frame: av.VideoFrame | None, *, keyframe: bool = False) -> Iterator[Coded]:
        """Encode a picture, as a keyframe if wanted; None flushes."""
        if frame is not None:
            # Otherwise the source's picture type would be forced on the encoder.
            frame.pict_type = PictureType.I if keyframe else PictureType.NONE
            frame.time_base = self._time_base
        for packet in self._encoder.encode(frame):
            assert packet.pts is not None
            yield Coded(bytes(packet), packet.pts, packet.is_keyframe)
