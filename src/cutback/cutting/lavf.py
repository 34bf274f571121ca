"""Recordings in containers that libavformat takes apart for us: Matroska, WebM, MPEG-TS, unusual MP4.

Opened by content, from I/O without a name, with whitelisted formats and no protocols: libavformat takes a file
object's name for a URL and would follow it.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
import av.subtitles.stream  # PyAV loads it when it meets a container; a confined process cannot open files
from av.container import InputContainer

from cutback.cutting.endings import TS_PACKET, ts_endings
from cutback.cutting.faults import media_error
from cutback.cutting.index import Track
from cutback.cutting.job import Limits, Source
from cutback.cutting.lavf_entries import unwrap
from cutback.cutting.lavf_scan import scan
from cutback.cutting.mp4.layout import SPOOL, Extent
from cutback.cutting.pictures import FFMPEG_PIXELS, THREADS, Picture, check_size
from cutback.cutting.plan import decode_start
from cutback.cutting.spool import Spool
from cutback.errors import CutbackError, MediaTooLargeError, MediaUnreadableError, MediaUnsupportedError

FORMATS = "mov,matroska,webm,mpegts"
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
        MediaTooLargeError: it has too many streams.
    """
    try:
        container = av.open(
            _Bytes(source),
            options={"format_whitelist": FORMATS, "protocol_whitelist": "", "max_streams": str(limits.streams + 1)},
            buffer_size=_BUFFER,
        )
    except av.FFmpegError as error:
        if _looks_like_text(source):
            raise MediaUnsupportedError("It is not a video at all.") from error
        raise media_error("It cannot be opened", error) from error
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
    """A recording that is read packet by packet; what is copied passes through the spool."""

    def __init__(self, source: Source, limits: Limits) -> None:
        """Read all packets' times once. Raises as `open_container`, and MediaTooLargeError."""
        self.source = source
        self._limits = limits
        with open_container(source, limits) as container:
            if container.format.name != "mpegts":
                self.index, self._jumps = scan(container, limits)
                return
            endings = ts_endings(source)
            broken = {pid for pid, ending in endings.items() if ending == "broken"}
            self.index, self._jumps = scan(container, limits, broken, grows=True)
            video = self.index.video
            pid = -1 if video is None else container.streams[video.id].id
        if video is not None and endings.get(pid) == "unsure" and not self._decodes_to_the_end(video):
            with open_container(source, limits) as container:
                self.index, self._jumps = scan(container, limits, broken | {pid}, grows=True)
        if source.size % TS_PACKET:
            self.index = replace(self.index, truncated=True)

    def _decodes_to_the_end(self, video: Track) -> bool:
        """Where nothing else tells whether the last picture is whole, decoding does."""
        last = len(video.pts) - 1
        with open_container(self.source, self._limits) as container:
            stream = container.streams[video.id]
            stream.codec_context.thread_count = 1  # with more, errors in the last pictures are swallowed
            stream.codec_context.options = {"err_detect": "explode", **_within(self._limits)}
            try:
                frames = [frame.pts for frame in self._decoded(container, stream, video, decode_start(video, last))]
            except CutbackError:
                return False
        return video.pts[last] in frames

    @property
    def copies(self) -> bool:
        """Whether there is a sample entry for its pictures."""
        video = self.index.video
        return video is None or bool(video.descriptions[0].raw)

    def read(self, track: Track, numbers: Sequence[int]) -> Iterator[bytes]:
        """See `Footage.read`."""
        with open_container(self.source, self._limits) as container:
            stream = container.streams[track.id]
            to_sample = unwrap(stream, track.descriptions[0].extradata)
            wanted = dict.fromkeys(numbers)
            last = max(wanted)
            for number, packet in self._packets(container, stream, track, min(wanted)):
                if number in wanted:
                    yield to_sample(bytes(packet))
                if number >= last:
                    return
        raise MediaUnreadableError("A packet that was there is not found again.")

    def copy(self, track: Track, numbers: Sequence[int], spool: Spool) -> Iterator[Extent]:
        """See `Footage.copy`."""
        for sample in self.read(track, numbers):
            yield Extent(SPOOL, spool.append(sample), len(sample))

    def head(self, track: Track, sample: int) -> bytes:
        """See `Footage.head`."""
        return next(self.read(track, [sample]))

    def expect(self, first: int, stop: int) -> None:
        """See `Footage.expect`; there is nothing to fetch by offset."""

    def frames(self, first: int, stop: int) -> Iterator[Picture]:
        """See `Footage.frames`."""
        track = self.index.video
        assert track is not None
        wanted = {track.pts[sample] for sample in track.order[first:stop]}
        with open_container(self.source, self._limits) as container:
            stream = container.streams[track.id]
            assert isinstance(stream, av.VideoStream)
            stream.codec_context.thread_count = THREADS
            stream.codec_context.thread_type = "FRAME"
            stream.codec_context.options = _within(self._limits)
            begin = decode_start(track, track.order[first])
            for frame in self._decoded(container, stream, track, begin):
                check_size(frame, self._limits)
                if frame.pts in wanted:
                    wanted.discard(frame.pts)
                    yield Picture(frame, stream.codec_context.sample_aspect_ratio or None)
                if not wanted:
                    return

    def sound(self, track: Track, start: Fraction, end: Fraction) -> Iterator[av.AudioFrame]:
        """See `Footage.sound`."""
        with open_container(self.source, self._limits) as container:
            stream = container.streams[track.id]
            begin = max(0, track.rank_at(track.ticks(start) - track.timescale // 10) - 1)
            limit = track.ticks(end)
            for frame in self._decoded(container, stream, track, track.order[min(begin, len(track.order) - 1)]):
                if frame.pts is not None:
                    frame.pts = round(frame.pts * frame.time_base * track.timescale)
                    if frame.pts >= limit:
                        return
                yield frame

    def _decoded(self, container: InputContainer, stream: Any, track: Track, first: int) -> Iterator[Any]:
        try:
            for number, packet in self._packets(container, stream, track, first):
                if number >= first:  # what comes before may need parameter sets that have changed since
                    yield from packet.decode()
            yield from stream.codec_context.decode(None)
        except av.FFmpegError as error:
            video = self.index.video
            if video is not None and video.descriptions[0].width * video.descriptions[0].height > self._limits.pixels:
                raise MediaTooLargeError("Its pictures have more pixels than the limit allows.") from error
            raise media_error("It cannot be decoded", error) from error

    def _packets(self, container: InputContainer, stream: Any, track: Track, first: int) -> Iterator[tuple[int, Any]]:
        """Packets from at or before the sample `first`, each with its number in the index."""
        if jumps := self._jumps.get(track.id):
            yield from self._counted(container, stream, track, jumps)
            return
        scale = Fraction(track.timescale) * stream.time_base
        by_time = {time: number for number, time in enumerate(track.pts)}
        for sample in _places(track, first):
            if sample:
                container.seek(int(track.pts[sample] / scale), stream=stream, backward=True)
            else:
                container.seek(int(min(track.pts) / scale) - 10 * track.timescale, stream=stream, backward=True)
            number = -1
            for packet in container.demux(stream):
                if not packet.size:
                    continue
                if number < 0:
                    time = packet.pts if packet.pts is not None else packet.dts
                    number = _nearest(by_time, round((time or 0) * scale), track)
                    if number > first:
                        break  # a seek in MPEG-TS, or without an index, is by guess: further back, then
                else:
                    number += 1
                if number >= len(track.sizes):
                    return
                if track.sizes[number] != packet.size:
                    raise MediaUnreadableError("A packet that was there is not found again.")
                yield number, packet
            else:
                return
        raise MediaUnreadableError("A packet that was there is not found again.")

    def _counted(
        self, container: InputContainer, stream: Any, track: Track, jumps: list[tuple[int, int]]
    ) -> Iterator[tuple[int, Any]]:
        """All packets of a stream whose clock jumps, which no seek by time finds its way in; at the index's times."""
        coming, offset = deque(jumps), 0
        packets = (packet for packet in container.demux(stream) if packet.size)
        for number, packet in enumerate(packets):
            if number >= len(track.sizes):
                return
            if coming and number == coming[0][0]:
                offset = coming.popleft()[1]
            packet.pts = None if packet.pts is None else packet.pts + offset
            packet.dts = None if packet.dts is None else packet.dts + offset
            yield number, packet


def _within(limits: Limits) -> dict[str, str]:
    return {"max_pixels": str(FFMPEG_PIXELS * limits.pixels)}


def _places(track: Track, first: int) -> Iterator[int]:
    """Samples to seek to, ever earlier; 0 is the very beginning."""
    number = bisect_right(track.sync, first) - 1
    for back in (0, 2, 8):
        if number - back > 0:
            yield track.sync[number - back]
    yield 0


def _nearest(by_time: dict[int, int], time: int, track: Track) -> int:
    """The sample whose time is a packet's; sound's times were smoothed, so the nearest."""
    if time in by_time:
        return by_time[time]
    place = track.rank_at(time)
    around = track.order[max(0, place - 1) : place + 1]
    return min(around, key=lambda sample: abs(track.pts[sample] - time))
