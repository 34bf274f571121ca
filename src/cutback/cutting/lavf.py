"""Recordings in containers that libavformat takes apart for us: Matroska, WebM, MPEG-TS, unusual MP4.

Opened by content, from I/O without a name, with whitelisted formats and no protocols: libavformat takes a file
object's name for a URL and would follow it.
"""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer

from cutback.cutting.index import Description, Index, Kind, Track, presented_order
from cutback.cutting.job import Limits, Source
from cutback.cutting.pictures import THREADS, Picture, check_size
from cutback.errors import MediaTooLargeError, MediaUnreadableError, MediaUnsupportedError

FORMATS = "mov,matroska,webm,mpegts"
_FOREVER = 2**62
_BUFFER = 256 * 1024


class _Bytes(io.RawIOBase):
    """A source as a file object, without a name."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read_at(self._at, self._source.size - self._at if size < 0 else size)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at


def open_container(source: Source, limits: Limits) -> InputContainer:
    """Open a recording with libavformat.

    Raises:
        MediaUnreadableError: it is damaged or not a video.
        MediaUnsupportedError: its container is not on the list.
    """
    try:
        container = av.open(
            _Bytes(source),
            options={"format_whitelist": FORMATS, "protocol_whitelist": "", "max_streams": str(limits.streams)},
            buffer_size=_BUFFER,
        )
    except av.FFmpegError as error:
        if _looks_like_text(source):
            raise MediaUnsupportedError("It is not a video at all.") from error
        raise MediaUnreadableError(f"({error.strerror})") from error
    except (ValueError, AttributeError, UnicodeError) as error:  # hostile files raise these, too
        raise MediaUnreadableError("Its headers are damaged.") from error
    if not set(container.format.name.split(",")) <= {*FORMATS.split(","), "mp4", "m4a", "3gp", "3g2", "mj2"}:
        container.close()
        raise MediaUnsupportedError(f"It is {container.format.long_name}.")
    if len(container.streams) > limits.streams:
        container.close()
        raise MediaTooLargeError(f"It has {len(container.streams)} streams; the limit is {limits.streams}.")
    assert isinstance(container, InputContainer)
    return container


def _looks_like_text(source: Source) -> bool:
    head = source.read_at(0, 512)
    return bool(head) and all(byte >= 32 or byte in b"\t\r\n\f" for byte in head)


class LavfFootage:
    """A recording that is read packet by packet and always re-encoded."""

    copies = False

    def __init__(self, source: Source, limits: Limits) -> None:
        """Read all packets' times once. Raises as `open_container`, and MediaTooLargeError."""
        self.source = source
        self._limits = limits
        with open_container(source, limits) as container:
            self.index = _scan(container, limits)

    def frames(self, first: int, stop: int) -> Iterator[Picture]:
        """See `Footage.frames`."""
        track = self.index.video
        assert track is not None
        wanted = {track.pts[sample] for sample in track.order[first:stop]}
        last = max(wanted)
        with open_container(self.source, self._limits) as container:
            stream = container.streams[track.id]
            assert isinstance(stream, av.VideoStream)
            stream.codec_context.thread_count = THREADS
            stream.codec_context.thread_type = "FRAME"
            stream.codec_context.options = {"max_pixels": str(self._limits.pixels)}
            for frame in self._decode(container, stream, track, min(wanted), 0):
                assert isinstance(frame, av.VideoFrame)
                check_size(frame, self._limits)
                if frame.pts in wanted:
                    wanted.discard(frame.pts)
                    yield Picture(frame, stream.codec_context.sample_aspect_ratio or None)
                if not wanted or (frame.pts is not None and frame.pts > last):
                    return

    def sound(self, track: Track, start: Fraction, end: Fraction) -> Iterator[av.AudioFrame]:
        """See `Footage.sound`."""
        with open_container(self.source, self._limits) as container:
            stream = container.streams[track.id]
            limit = track.ticks(end)
            lead = Fraction(track.timescale, 10)
            for frame in self._decode(container, stream, track, int(track.ticks(start)), int(lead)):
                assert isinstance(frame, av.AudioFrame)
                if frame.pts is not None and frame.pts >= limit:
                    return
                yield frame

    def _decode(self, container: InputContainer, stream: Any, track: Track, start: int, lead: int) -> Iterator[Any]:
        """Decode from a keyframe safely before `start`: the first try may land behind it."""
        target = start - lead
        earlier = [track.pts[sample] for sample in track.sync if track.pts[sample] <= target]
        # One keyframe further back: a seek in MPEG-TS is by guess, and open GOPs need the group before.
        if len(earlier) > 2:
            container.seek(earlier[-2], stream=stream, backward=True)
        try:
            for packet in container.demux(stream):
                yield from packet.decode()
        except av.FFmpegError as error:
            raise MediaUnreadableError(f"It cannot be decoded ({error.strerror}).") from error


def _scan(container: InputContainer, limits: Limits) -> Index:
    """Every packet's times; reads the whole file once."""
    columns: dict[int, _Column] = {}
    for stream in container.streams:
        if stream.type in {"video", "audio"} and not _is_cover(stream):
            columns[stream.index] = _Column()
    if not columns:
        raise MediaUnreadableError("It holds no picture and no sound.")
    try:
        for packet in container.demux([container.streams[number] for number in columns]):
            if packet.size and packet.pts is not None:
                columns[packet.stream.index].add(packet)
                if len(columns[packet.stream.index].pts) > limits.frames:
                    raise MediaTooLargeError(f"A stream has more than {limits.frames} packets.")
    except av.FFmpegError as error:
        raise MediaUnreadableError(f"It is damaged ({error.strerror}).") from error
    tracks = [column.track(container.streams[number]) for number, column in columns.items() if len(column.pts)]
    if not tracks:
        raise MediaUnreadableError("It holds no picture and no sound.")
    zero = min(track.start for track in tracks)
    tracks = [replace(track, shift=-zero, start=track.start - zero, end=track.end - zero) for track in tracks]
    index = Index(container.format.name, tuple(tracks))
    if index.end > limits.duration:
        raise MediaTooLargeError(f"It claims to last longer than {limits.duration} seconds.")
    return index


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & stream.disposition.attached_pic)


class _Column:
    """One stream's packets while they are being collected."""

    def __init__(self) -> None:
        self.pts, self.sizes = array("q"), array("I")
        self.sync = array("I")
        self.skip = 0
        self.duration = 1

    def add(self, packet: Any) -> None:
        assert packet.pts is not None
        if not self.pts and packet.has_sidedata("skip_samples"):
            # The first 4 bytes: samples to skip at the start (FFmpeg's AV_PKT_DATA_SKIP_SAMPLES).
            self.skip = int.from_bytes(bytes(packet.get_sidedata("skip_samples"))[:4], "little")
        if packet.is_keyframe:
            self.sync.append(len(self.pts))
        self.pts.append(packet.pts)
        self.sizes.append(packet.size)
        self.duration = packet.duration or self.duration

    def track(self, stream: Any) -> Track:
        time_base = stream.time_base
        # A whole number of ticks a second is what the rest of Cutback counts in; containers give 1/n.
        timescale = round(1 / time_base)
        first = min(self.pts)
        if self.skip:
            first += round(Fraction(self.skip, stream.codec_context.sample_rate) / time_base)
        window = (first, _FOREVER)
        kind: Kind = stream.type
        context = stream.codec_context
        description = Description(
            context.name,
            b"",
            context.extradata or b"",
            width=context.width if kind == "video" else 0,
            height=context.height if kind == "video" else 0,
            sample_rate=context.sample_rate if kind == "audio" else 0,
            channels=context.layout.nb_channels if kind == "audio" else 0,
        )
        order = presented_order(self.pts, (min(self.pts), _FOREVER))
        return Track(
            id=stream.index,
            kind=kind,
            descriptions=(description,),
            timescale=timescale,
            dts=self.pts,
            pts=self.pts,
            sizes=self.sizes,
            offsets=array("q"),
            last_duration=self.duration,
            sync=self.sync,
            described=((0, 0),),
            shift=Fraction(0),
            window=window,
            start=Fraction(first, timescale),
            end=Fraction(self.pts[order[-1]] + self.duration, timescale),
            frames=len(order),
            language=(stream.language or "und")[:3],
            order=order,
        )
