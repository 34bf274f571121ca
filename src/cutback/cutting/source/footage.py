"""A recording that is open for cutting: its index, and its pictures and sound, decoded range by range."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import chain, groupby, repeat
from operator import add
from typing import Protocol

import av

from cutback.cutting.codecs import pictures
from cutback.cutting.codecs.codec import WholeIndexNeededError
from cutback.cutting.codecs.h264 import nal
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.ffmpeg_errors import media_error
from cutback.cutting.index import Description, Hull, Index, Track, byte_ranges, decode_start, sound_entry
from cutback.cutting.job import ByteSource, Limits, ReadsAhead
from cutback.cutting.job import read_index as read_index_bytes
from cutback.cutting.mp4.layout import BATCH, Extent
from cutback.cutting.mp4.read import is_mp4
from cutback.cutting.source import lavf
from cutback.cutting.source.own_index import is_direct, read_head, read_own_index, shows_all
from cutback.cutting.spool import Spool
from cutback.domain.byte_ranges import coalesced
from cutback.domain.errors import MediaUnreadableError, MediaUnsupportedError

SOUNDS = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac", "truehd"})

LOOKED_AT = 4
"""Samples of a copied run that the check of the finished clip decodes."""

_EXTENT: Callable[[tuple[int, int, int]], Extent] = partial(tuple.__new__, Extent)
"""As `Extent._make`, several times as fast."""


class MediaSource(Protocol):
    """What the cutter needs from a recording, whatever its container."""

    index: Index
    source: ByteSource

    @property
    def copies(self) -> bool:
        """Whether its samples can be copied to an MP4."""
        ...

    def read(self, track: Track, numbers: Sequence[int]) -> Iterator[bytes]:
        """Yield samples in decoding order, in the form that MP4 uses.

        Raises:
            UnusualStreamError: the stream changes in a way that one track cannot represent.
        """
        ...

    def head(self, track: Track, sample: int) -> bytes:
        """Return the beginning of a sample, at least `HEAD_BYTES` of it."""
        ...

    def copy(self, track: Track, numbers: Sequence[int], spool: Spool) -> Iterator[Extent]:
        """Yield where samples to copy are: in the source or, extracted from their container, in the spool."""
        ...

    def expect(self, first: int, stop: int) -> None:
        """Announce that the edges of the presented frames [first, stop) will be decoded, to fetch them together."""
        ...

    def expect_copy(self, numbers: Sequence[int]) -> None:
        """Announce that these samples, and what lies between them, will be copied."""
        ...

    def frames(self, first: int, stop: int) -> Iterator[Picture]:
        """Decode the presented frames [first, stop), in order, with the index's PTS."""
        ...

    def sound(self, track: Track, start: Fraction, end: Fraction) -> Generator[av.AudioFrame, None, None]:
        """Decode sound that covers [start, end) in seconds since time zero, and a little before; PTS as indexed."""
        ...


REORDERED = 17
"""The last frames among which the last one in decoding order is: no codec reorders more than 16."""

_MOST_BETWEEN = Fraction(5, 4)
"""How many times their own size copied pictures and the sound between them may take."""

SOUND_BETWEEN = 64 * 1024
"""Bytes of sound that recordings have between two pictures."""

KEPT_OPEN = 32
"""How many of a job's recordings stay open, if libavformat reads them."""


def open_media(source: ByteSource, limits: Limits, hull: Hull | None = None, *, number: int = 0) -> MediaSource:
    """Recognize a recording by its content, and read as much of its index as `hull` needs.

    `number` is the source's index in the job.

    Raises:
        MediaUnreadableError: it is empty, damaged, or not a video.
        MediaUnsupportedError: Cutback does not support its container.
        MediaTooLargeError: it exceeds a limit.
    """
    if not source.size:
        raise MediaUnreadableError("It is empty.")
    if is_mp4(read_index_bytes(source, 0, 16)):
        media = Mp4Source(source, number, limits, hull)
        if media.direct:
            return media
    return lavf.LavfSource(source, limits, keep_open=number < KEPT_OPEN)


class Mp4Source:
    """MP4 and MOV, read with Cutback's own index: only the necessary samples are read."""

    copies = True

    def __init__(self, source: ByteSource, number: int, limits: Limits, hull: Hull | None) -> None:
        """Read the index. Raises like `open_media`."""
        self.source = source
        self._number = number
        self.index = read_own_index(source, limits, hull)
        self._limits = limits
        self.direct = is_direct(self.index) and shows_all(source, limits, self.index, hull)
        """Whether this class supports its edit lists and its codec, and its index counts what is shown."""

    def read(self, track: Track, numbers: Sequence[int]) -> Iterator[bytes]:
        """See `MediaSource.read`."""
        for number in numbers:
            yield self.source.read_at(track.offsets[number], track.sizes[number])

    def head(self, track: Track, sample: int) -> bytes:
        """See `MediaSource.head`."""
        return read_head(self.source, track, sample)

    def copy(self, track: Track, numbers: Sequence[int], spool: Spool) -> Iterator[Extent]:
        """See `MediaSource.copy`."""
        del spool
        size = self.source.size
        for first in range(0, len(numbers), BATCH):  # by columns: an hour of pictures and sound has 270,000 samples
            some = numbers[first : first + BATCH]
            offsets, sizes = [list(map(column.__getitem__, some)) for column in (track.offsets, track.sizes)]
            if max(map(add, offsets, sizes)) > size:
                raise MediaUnreadableError("Its index refers to bytes that do not exist.")
            yield from map(_EXTENT, zip(repeat(self._number), offsets, sizes, strict=False))

    def expect(self, first: int, stop: int) -> None:
        """See `MediaSource.expect`."""
        track = self.index.video
        assert track is not None
        begin, last = track.order[first], track.order[stop - 1]
        following = bisect_left(track.sync, begin)
        entry = track.sync[following] if following < len(track.sync) else begin
        # Some samples after the keyframe at which copying begins are decoded, to check the join.
        head = range(decode_start(track, begin), min(entry + LOOKED_AT, last, len(track.pts)))
        tail = range(decode_start(track, last), max(track.order[max(first, stop - REORDERED) : stop]) + 1)
        edges = [(start, start + length) for start, length in byte_ranges(track, {*head, *tail})]
        joined = coalesced(edges, SOUND_BETWEEN)  # the sound between them is copied
        self.source.prefetch([(start, end - start) for start, end in joined])

    def expect_copy(self, numbers: Sequence[int]) -> None:
        """See `MediaSource.expect_copy`. Announces nothing if much else lies between them."""
        track = self.index.video
        assert track is not None
        if not isinstance(self.source, ReadsAhead):
            return
        start = min(track.offsets[number] for number in numbers)
        end = max(track.offsets[number] + track.sizes[number] for number in numbers)
        if end - start <= sum(track.sizes[number] for number in numbers) * _MOST_BETWEEN + SOUND_BETWEEN:
            self.source.read_ahead(start, end - start)

    def frames(self, first: int, stop: int) -> Iterator[Picture]:
        """See `MediaSource.frames`."""
        track = self.index.video
        assert track is not None
        samples = track.order[first:stop]
        wanted = {track.pts[sample] for sample in samples}
        run = range(self._start(track, samples[0]), max(samples) + 1)
        return pictures.decode(track, self.source, run, wanted.__contains__, self._limits)

    def _start(self, track: Track, sample: int) -> int:
        """Return where decoding must begin for a sample: a keyframe that decodes correctly, or the first sample."""
        start = decode_start(track, sample)
        entry = track.descriptions[track.description_of(start)]
        if entry.codec != "h264" or len(entry.extradata) < nal.LEAST_RECORD:
            return start
        length_size = nal.parse_configuration(entry.extradata).length_size
        while nal.is_gradual(self.head(track, start), length_size):
            earlier = bisect_left(track.sync, start)
            if not earlier:
                if track.partial:
                    raise WholeIndexNeededError
                return 0
            start = track.sync[earlier - 1]
        return start

    def sound(self, track: Track, start: Fraction, end: Fraction) -> Generator[av.AudioFrame, None, None]:
        """See `MediaSource.sound`."""
        first = max(0, track.rank_at(track.ticks(start)) - 3)
        stop = track.rank_at(track.ticks(end))
        samples = list(track.order[first:stop])
        if not samples:
            return
        samples[:0] = range(sound_entry(track, samples[0]), samples[0])
        if not first:  # the priming that an edit list hides prepares the decoder
            samples[:0] = range(max(0, samples[0] - 1), samples[0])
        self.source.prefetch(byte_ranges(track, samples))
        tick = Fraction(1, track.timescale)
        for description, run in groupby(samples, key=track.description_of):
            decoder = _sound_decoder(track.descriptions[description])
            for number in chain(run, [None]):
                packet = None
                if number is not None:
                    packet = pictures.packet_of(self.source.read_at(track.offsets[number], track.sizes[number]))
                    packet.pts = packet.dts = track.pts[number]
                    packet.time_base = tick
                try:
                    yield from decoder.decode(packet)
                except av.FFmpegError as error:
                    raise media_error("Its sound cannot be decoded", error) from error


def _sound_decoder(description: Description) -> av.AudioCodecContext:
    if description.codec not in SOUNDS and not description.codec.startswith("pcm_"):
        raise MediaUnsupportedError(f"Its sound ({description.codec}) cannot be decoded.")
    decoder = av.CodecContext.create(description.codec, "r")
    assert isinstance(decoder, av.AudioCodecContext)
    if description.extradata:
        decoder.extradata = description.extradata
    decoder.sample_rate = description.sample_rate
    decoder.layout = f"{max(1, description.channels)}c"  # the default layout for this number of channels
    return decoder
