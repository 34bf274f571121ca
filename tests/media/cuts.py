"""Cuts for tests: in this process where many are made, through the child process where that matters."""

from __future__ import annotations

import struct
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from tests.support.waiting import PATIENCE

from cutback.cutting.assembled import Assembled
from cutback.cutting.cut import cut
from cutback.cutting.edit_value import Edit
from cutback.cutting.job import CutGap, CutJob, CutProgress, CutRange, Facts, InsetRange, Limits, Precision, WallClock
from cutback.cutting.spool import Spool
from cutback.domain.times import Instant
from cutback.sandbox.cutter import ChildCutter

NONE: Mapping[str, bytes] = {}


class BytesSource:
    """A recording in memory that notes what is read of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.bytes_read = 0

    def read_at(self, offset: int, length: int) -> bytes:
        """See `ByteSource.read_at`."""
        piece = self.data[offset : offset + length]
        self.bytes_read += len(piece)
        return piece

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Nothing to fetch."""


class StuckSource(BytesSource):
    """A recording whose store stops answering after a number of reads, until it is let go."""

    def __init__(self, data: bytes, *, after: int) -> None:
        super().__init__(data)
        self._left = after
        self.stuck = threading.Event()
        self.let_go = threading.Event()

    def read_at(self, offset: int, length: int) -> bytes:
        """Waits once the reads are used up."""
        self._left -= 1
        if self._left < 0:
            self.stuck.set()
            self.let_go.wait(PATIENCE)
        return super().read_at(offset, length)


class KeepingSource(BytesSource):
    """A recording in memory whose scan is kept."""

    def __init__(self, data: bytes, kept: bytes = b"") -> None:
        super().__init__(data)
        self.kept = kept
        self.scans = 0

    def kept_scan(self) -> bytes:
        """See `KeepsScan`."""
        return self.kept

    def keep_scan(self, data: bytes) -> None:
        """See `KeepsScan`."""
        self.scans += 1
        self.kept = data


@dataclass(frozen=True)
class CutResult:
    """A finished clip."""

    data: bytes
    facts: Facts
    progress: list[CutProgress]
    bytes_read: int


def ask(*ranges: tuple[int, Instant, Instant]) -> tuple[CutRange, ...]:
    """Ranges of a job from (source, start, end)."""
    return tuple(CutRange(*wanted) for wanted in ranges)


def cut_in_process(
    recordings: Sequence[Path | bytes],
    *ranges: tuple[int, Instant, Instant],
    precision: Precision = "exact",
    limits: Limits | None = None,
    keep_location: bool = False,
) -> CutResult:
    """Cut in this process."""
    wanted = ask(*ranges)
    return cut_ranges(recordings, wanted, precision=precision, limits=limits, keep_location=keep_location)


def cut_ranges(
    recordings: Sequence[Path | bytes | BytesSource],
    ranges: Sequence[CutRange | CutGap],
    *,
    precision: Precision = "exact",
    limits: Limits | None = None,
    keep_location: bool = False,
    edits: Sequence[Edit] = (),
    wall_clocks: Sequence[WallClock | None] = (),
    assets: Mapping[str, bytes] = NONE,
    insets: Sequence[InsetRange] = (),
    title: str = "",
) -> CutResult:
    """Cut in this process."""
    sources = [_source(recording) for recording in (*recordings, *assets.values())]
    progress: list[CutProgress] = []
    with tempfile.TemporaryFile() as file:
        spool = Spool(file)
        job = CutJob(
            tuple(s.size for s in sources),
            tuple(ranges),
            precision,
            limits or Limits(),
            keep_location=keep_location,
            edits=tuple(edits),
            wall_clocks=tuple(wall_clocks),
            assets=_numbered(recordings, assets),
            insets=tuple(insets),
            title=title,
        )
        made = cut(job, sources, spool, progress.append)
        assembled = Assembled(made.head, made.extents, sources, spool)
        data = assembled.read_at(0, assembled.size)
    return CutResult(data, made.facts, progress, sum(source.bytes_read for source in sources))


def cut_in_child(
    cutter: ChildCutter,
    recordings: Sequence[Path | bytes | BytesSource],
    *ranges: tuple[int, Instant, Instant],
    precision: Precision = "exact",
    limits: Limits | None = None,
    stopped: Callable[[], bool] = lambda: False,
    on_progress: Callable[[CutProgress], None] = lambda _: None,
    edits: Sequence[Edit] = (),
    wall_clocks: Sequence[WallClock | None] = (),
    assets: Mapping[str, bytes] = NONE,
    wanted: Sequence[CutRange | CutGap] = (),
    insets: Sequence[InsetRange] = (),
) -> CutResult:
    """Cut in a child process; `wanted` are more ranges."""
    sources = [_source(recording) for recording in (*recordings, *assets.values())]
    progress: list[CutProgress] = []

    def note(step: CutProgress) -> None:
        progress.append(step)
        on_progress(step)

    job = CutJob(
        tuple(s.size for s in sources),
        (*ask(*ranges), *wanted),
        precision,
        limits or Limits(),
        edits=tuple(edits),
        wall_clocks=tuple(wall_clocks),
        assets=_numbered(recordings, assets),
        insets=tuple(insets),
    )
    with cutter.render(job, sources, on_progress=note, stopped=stopped) as rendition:
        data = b"".join(rendition.chunks())
        facts = rendition.facts
    return CutResult(data, facts, progress, sum(source.bytes_read for source in sources))


def _numbered(recordings: Sequence[object], assets: Mapping[str, bytes]) -> dict[str, int]:
    return {name: number for number, name in enumerate(assets, len(recordings))}


def _source(recording: Path | bytes | BytesSource) -> BytesSource:
    if isinstance(recording, BytesSource):
        return recording
    return BytesSource(recording if isinstance(recording, bytes) else recording.read_bytes())


# --- boxes -----------------------------------------------------------------------------------------


def boxes(data: bytes, begin: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int, int]]:
    """The MP4 boxes in data[begin:end]: kind, where it begins, where its content begins, where it ends."""
    at, end = begin, len(data) if end is None else end
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        content = at + 8
        if size == 1:
            size, content = struct.unpack_from(">Q", data, at + 8)[0], at + 16
        if size == 0:
            size = end - at
        yield kind, at, content, at + size
        if size < 8:
            return
        at += size


def find_boxes(data: bytes, *path: bytes) -> list[tuple[int, int]]:
    """Where the contents of all boxes at a path (`moov`, `trak`, …) begin and end."""
    spans = [(0, len(data))]
    for wanted in path:
        spans = [
            (content, stop)
            for begin, end in spans
            for kind, _, content, stop in boxes(data, begin, end)
            if kind == wanted
        ]
    return spans


def seconds(value: str | float | Fraction) -> Fraction:
    """A time as it is written."""
    return Fraction(str(value)) if not isinstance(value, Fraction) else value
