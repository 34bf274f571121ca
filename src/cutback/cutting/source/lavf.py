"""Recordings in containers that libavformat reads: Matroska, WebM, MPEG-TS, unusual MP4.

They are opened by content, from I/O without a name, with allowed formats only and without protocols (`lavf_open`):
libavformat would take the name of a file object for a URL and open it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer

from cutback.cutting.codecs.memory import decoder_threads, pixels_of
from cutback.cutting.codecs.pictures import FFMPEG_PIXELS, Picture, check_size, reorder_depth, tell_reorder_depth
from cutback.cutting.endings import TS_PACKET, ts_endings
from cutback.cutting.ffmpeg_errors import media_error
from cutback.cutting.index import Track, decode_start, sound_entry
from cutback.cutting.job import ByteSource, KeepsScan, Limits
from cutback.cutting.mp4.layout import SPOOL, Extent
from cutback.cutting.source.encryption import check_clear
from cutback.cutting.source.kept_scan import pack, unpack
from cutback.cutting.source.lavf_entries import unwrap
from cutback.cutting.source.lavf_open import Reopening, open_container
from cutback.cutting.source.lavf_scan import scan
from cutback.cutting.spool import Spool
from cutback.domain.errors import CutbackError, MediaTooLargeError, MediaUnreadableError


class LavfSource:
    """A recording that is read packet by packet; copied samples go through the spool."""

    def __init__(self, source: ByteSource, limits: Limits, *, keep_open: bool = True) -> None:
        """Read the times of all packets, unless they are kept. Raises like `open_container`, and MediaTooLargeError."""
        self.source = source
        self._limits = limits
        self._opened = Reopening(source, limits, keep=keep_open)
        keeps = source if isinstance(source, KeepsScan) else None
        kept = unpack(keeps.kept_scan(), limits) if keeps else None
        if kept is not None:
            self.index, self._jumps = kept
            return
        self._scan()
        if keeps:
            keeps.keep_scan(pack(self.index, self._jumps))

    def _scan(self) -> None:
        source, limits = self.source, self._limits
        with self._opened.container() as container:
            check_clear(container, source)
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
        """Whether the last picture is complete, if only decoding can tell."""
        last = len(video.pts) - 1
        with open_container(self.source, self._limits) as container:
            stream = container.streams[video.id]
            stream.codec_context.thread_count = 1  # with more threads, errors in the last pictures are lost
            stream.codec_context.options = {"err_detect": "explode", **_within(self._limits)}
            try:
                frames = [frame.pts for frame in self._decoded(container, stream, video, decode_start(video, last))]
            except CutbackError:
                return False
        return video.pts[last] in frames

    def _reading(self, track: Track) -> AbstractContextManager[InputContainer]:
        if self._is_counted(track):
            return open_container(self.source, self._limits)  # only seeking to its very beginning is reliable
        return self._opened.container()

    def _is_counted(self, track: Track) -> bool:
        """Whether packets must be counted from the first one, because their times do not distinguish them."""
        return track.id in self._jumps

    @property
    def copies(self) -> bool:
        """Whether there is a sample entry for its video."""
        video = self.index.video
        return video is None or bool(video.descriptions[0].raw)

    def read(self, track: Track, numbers: Sequence[int]) -> Iterator[bytes]:
        """See `MediaSource.read`."""
        with self._reading(track) as container:
            stream = container.streams[track.id]
            to_sample = unwrap(stream, track.descriptions[0].extradata)
            wanted = dict.fromkeys(numbers)
            last = max(wanted)
            for number, packet in self._packets(container, stream, track, min(wanted)):
                if number in wanted:
                    yield to_sample(bytes(packet))
                if number >= last:
                    return
        raise MediaUnreadableError("A packet of its index cannot be found again.")

    def copy(self, track: Track, numbers: Sequence[int], spool: Spool) -> Iterator[Extent]:
        """See `MediaSource.copy`."""
        for sample in self.read(track, numbers):
            yield Extent(SPOOL, spool.append(sample), len(sample))

    def head(self, track: Track, sample: int) -> bytes:
        """See `MediaSource.head`."""
        return next(self.read(track, [sample]))

    def expect(self, first: int, stop: int) -> None:
        """See `MediaSource.expect`. Does nothing, because offsets are unknown."""

    def expect_copy(self, numbers: Sequence[int]) -> None:
        """See `MediaSource.expect_copy`. Does nothing either."""

    def frames(self, first: int, stop: int) -> Iterator[Picture]:
        """See `MediaSource.frames`."""
        track = self.index.video
        assert track is not None
        wanted = {track.pts[sample] for sample in track.order[first:stop]}
        with open_container(self.source, self._limits) as container:
            stream = container.streams[track.id]
            assert isinstance(stream, av.VideoStream)
            stream.codec_context.thread_count = decoder_threads(pixels_of(track.descriptions[0]), self._limits.memory)
            stream.codec_context.thread_type = "FRAME"
            stream.codec_context.options = _within(self._limits)
            begin = decode_start(track, track.order[first])
            last = max(track.order[first:stop])
            tell_reorder_depth(stream.codec_context, reorder_depth(track, range(begin, last + 1)))
            for frame in self._decoded(container, stream, track, begin):
                check_size(frame, self._limits)
                if frame.pts in wanted:
                    wanted.discard(frame.pts)
                    yield Picture(frame, stream.codec_context.sample_aspect_ratio or stream.sample_aspect_ratio)
                if not wanted:
                    return

    def sound(self, track: Track, start: Fraction, end: Fraction) -> Generator[av.AudioFrame, None, None]:
        """See `MediaSource.sound`."""
        with self._reading(track) as container:
            stream: Any = container.streams[track.id]
            if stream.codec_context.is_open:
                stream.codec_context.flush_buffers()  # discard the state of earlier decoding
            begin = max(0, track.rank_at(track.ticks(start) - track.timescale // 10) - 1)
            limit = track.ticks(end)
            first = sound_entry(track, track.order[min(begin, len(track.order) - 1)])
            for frame in self._decoded(container, stream, track, first):
                if frame.pts is not None:
                    frame.pts = round(frame.pts * frame.time_base * track.timescale)
                    if frame.pts >= limit:
                        return
                yield frame

    def _decoded(self, container: InputContainer, stream: Any, track: Track, first: int) -> Iterator[Any]:
        try:
            for number, packet in self._packets(container, stream, track, first):
                if number >= first:  # earlier packets may need parameter sets that have changed since
                    yield from packet.decode()
            yield from stream.codec_context.decode(None)
        except av.FFmpegError as error:
            video = self.index.video
            if video is not None and video.descriptions[0].width * video.descriptions[0].height > self._limits.pixels:
                raise MediaTooLargeError("Its pictures have more pixels than the limit allows.") from error
            raise media_error("It cannot be decoded", error) from error

    def _packets(self, container: InputContainer, stream: Any, track: Track, first: int) -> Iterator[tuple[int, Any]]:
        """Yield packets from the sample `first` or earlier, each with its number in the index."""
        if self._is_counted(track):
            yield from self._counted(container, stream, track, self._jumps[track.id])
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
                        break  # seeking in MPEG-TS, or without an index, is a guess: try further back
                else:
                    number += 1
                if number >= len(track.sizes):
                    return
                if track.sizes[number] != packet.size:
                    raise MediaUnreadableError("A packet of its index cannot be found again.")
                yield number, packet
            else:
                return
        raise MediaUnreadableError("A packet of its index cannot be found again.")

    def _counted(
        self, container: InputContainer, stream: Any, track: Track, jumps: list[tuple[int, int]]
    ) -> Iterator[tuple[int, Any]]:
        """Yield all packets of a stream in which seeking by time does not work, with the index's times."""
        coming, offset = deque(jumps), 0
        packets = (packet for packet in container.demux(stream) if packet.size)
        for number, packet in enumerate(packets):
            if number >= len(track.sizes):
                return
            if coming and number == coming[0][0]:
                offset = coming.popleft()[1]
            if track.kind == "video":
                packet.pts = track.pts[number]
            elif packet.pts is not None:
                packet.pts += offset
            packet.dts = None if packet.dts is None else packet.dts + offset
            yield number, packet


def _within(limits: Limits) -> dict[str, str]:
    return {"max_pixels": str(FFMPEG_PIXELS * limits.pixels)}


def _places(track: Track, first: int) -> Iterator[int]:
    """Yield samples to seek to, each earlier than the previous one; 0 is the very beginning."""
    number = bisect_right(track.sync, first) - 1
    for back in (0, 2, 8):
        if number - back > 0:
            yield track.sync[number - back]
    yield 0


def _nearest(by_time: dict[int, int], time: int, track: Track) -> int:
    """Return the sample with a packet's time, or the nearest one, because times of sound are smoothed."""
    if time in by_time:
        return by_time[time]
    place = track.rank_at(time)
    around = track.order[max(0, place - 1) : place + 1]
    return min(around, key=lambda sample: abs(track.pts[sample] - time))
