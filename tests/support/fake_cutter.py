"""A cutter that makes deterministic bytes instead of video: for tests of everything around the real one."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from types import TracebackType
from typing import Self

from cutback.cutting.job import (
    ByteSource,
    ClipPictures,
    CutJob,
    CutProgress,
    Facts,
    Poster,
    ProgressHook,
    RealSpan,
    RenderedFile,
    SpooledPicture,
)
from cutback.cutting.mp4.layout import SPOOL, Extent
from cutback.cutting.outputs.made import MadeOutput, OutputFile
from cutback.domain.errors import StoppedError
from cutback.domain.times import FrameNumber, FromEnd, Instant


def _seconds(instant: Instant) -> Fraction:
    assert not isinstance(instant, FromEnd), "it has no recording whose end could be known"
    return Fraction(instant.frame, 30) if isinstance(instant, FrameNumber) else instant


@dataclass
class FakeRendition:
    """`size` bytes that depend on the job alone."""

    facts: Facts
    seed: bytes
    drawn: tuple[Poster, ...] = ()
    spoilt: Exception | None = None
    closed: bool = False

    names: tuple[str, ...] = ("clip",)
    """Of its outputs, each of which consists of the same bytes."""

    def __post_init__(self) -> None:
        self.outputs = tuple(MadeOutput(name, self.facts, (self._file(name),)) for name in self.names)

    def _file(self, name: str) -> OutputFile:
        return OutputFile(f"{name}.mp4", (Extent(SPOOL, 0, self.facts.size),))

    def chunks(self, file: RenderedFile | None = None) -> Iterator[bytes]:
        del file
        block = hashlib.sha256(self.seed).digest() * 128
        left = self.facts.size
        while left:
            piece = block[:left]
            left -= len(piece)
            yield piece

    def posters(self) -> tuple[Poster, ...]:
        if self.spoilt is not None:
            raise self.spoilt
        return self.drawn

    def read_poster(self, poster: Poster) -> bytes:
        return hashlib.sha256(self.seed).digest().ljust(poster.size)[: poster.size]

    def pictures(self) -> ClipPictures:
        return ClipPictures()

    def read_picture(self, picture: SpooledPicture) -> bytes:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed = True


@dataclass
class FakeCutter:
    """Takes `steps` steps of `pause` seconds each; reads a little of every source in each."""

    steps: int = 1
    pause: float = 0.0
    size: int = 20_000
    posters: tuple[Poster, ...] = ()
    spoilt_posters: Exception | None = None
    """What drawing them ends in instead."""
    on_step: Callable[[int], None] = lambda step: None
    """Called in every step; may raise what a cutter may raise."""
    renditions: list[FakeRendition] = field(default_factory=list)
    jobs: list[CutJob] = field(default_factory=list)

    def warm_up(self) -> None:
        """Nothing to prepare."""

    def close(self) -> None:
        """Nothing runs in the background."""

    def render(
        self,
        job: CutJob,
        sources: Sequence[ByteSource],
        *,
        on_progress: ProgressHook,
        stopped: Callable[[], bool],
    ) -> FakeRendition:
        self.jobs.append(job)
        never = threading.Event()
        for step in range(self.steps):
            if stopped():
                raise StoppedError
            self.on_step(step)
            for source in sources:
                source.read_at(step * 10, 10)
            never.wait(self.pause)
            on_progress(CutProgress(fraction=(step + 1) / self.steps, frames=step + 1))
        if stopped():
            raise StoppedError
        spans = tuple(
            RealSpan(source=piece.source, start=_seconds(piece.start), end=_seconds(piece.end), clamped=False)
            for piece in job.footage
        )
        facts = Facts(
            size=self.size,
            duration=sum((span.end - span.start for span in spans), start=Fraction()),
            width=64,
            height=36,
            frames=self.steps,
            frames_copied=self.steps,
            frames_encoded=0,
            spans=spans,
        )
        names = tuple(output.name for output in job.outputs)
        rendition = FakeRendition(facts, repr(job.ranges).encode(), self.posters, self.spoilt_posters, names=names)
        self.renditions.append(rendition)
        return rendition
