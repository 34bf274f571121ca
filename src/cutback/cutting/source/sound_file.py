"""A file of the assets that is read for its sound, such as music: from its beginning, block by block."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction

import av

from cutback.cutting.ffmpeg_errors import media_error
from cutback.cutting.index import layout_of
from cutback.cutting.job import ByteSource, Limits
from cutback.cutting.mp4.audio_config import SAMPLE_RATES
from cutback.cutting.source.lavf_open import FORMATS, open_container
from cutback.domain.errors import MediaUnreadableError

SOUND_FORMATS = f"{FORMATS},mp3,wav,flac,ogg"
"""What a recording may be, and files that have nothing but sound."""


class SoundFile:
    """The first audio track of a file."""

    def __init__(self, source: ByteSource, limits: Limits) -> None:
        """Read its headers, and decode the first of its sound.

        Raises:
            MediaUnreadableError: it is damaged, or it has no sound.
            MediaUnsupportedError: its container is not on the list.
            MediaTooLargeError: it exceeds a limit.
        """
        if not source.size:
            raise MediaUnreadableError("It is empty.")
        self._source, self._limits = source, limits
        with closing(self._decoded()) as frames:
            first = next(frames, None)
        if first is None:
            raise MediaUnreadableError("It has no sound.")
        self.rate = first.sample_rate if first.sample_rate in SAMPLE_RATES else 48_000
        """Hz in which it can be encoded."""
        self.layout = layout_of(min(first.layout.nb_channels, 2))
        """Mono or stereo."""

    def blocks(self, rate: int, layout: str, start: Fraction) -> Iterator[av.AudioFrame]:
        """Yield its sound from `start` on, in seconds from its beginning, as planar floats. Raises like `__init__`."""
        resampler = av.AudioResampler("fltp", layout, rate)
        skipped = round(start * rate)
        like: tuple[str, str, int] | None = None
        for frame in self._decoded():
            kind = frame.format.name, frame.layout.name, frame.sample_rate
            if like not in {None, kind}:
                resampler = av.AudioResampler("fltp", layout, rate)
            like = kind
            frame.pts = None
            for block in resampler.resample(frame):
                left = block.samples - skipped
                if left > 0:
                    yield block if not skipped else _end_of(block, skipped)
                skipped = max(0, -left)
        for block in resampler.resample(None):
            if block.samples > skipped:
                yield block if not skipped else _end_of(block, skipped)
            skipped = max(0, skipped - block.samples)

    def _decoded(self) -> Generator[av.AudioFrame, None, None]:
        with open_container(self._source, self._limits, SOUND_FORMATS) as container:
            if not container.streams.audio:
                return
            try:
                yield from container.decode(container.streams.audio[0])
            except av.FFmpegError as error:
                raise media_error("Its sound cannot be decoded", error) from error


def _end_of(block: av.AudioFrame, begin: int) -> av.AudioFrame:
    fifo = av.AudioFifo()
    block.pts = None
    fifo.write(block)
    fifo.read(begin)
    rest = fifo.read()
    assert rest is not None
    return rest
