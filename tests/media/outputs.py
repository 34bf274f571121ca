"""Outputs for tests, made in this process."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.media.cuts import BytesSource

from cutback.cutting.assembled import Assembled
from cutback.cutting.cut import OpenedFootage
from cutback.cutting.edit_value import Edit
from cutback.cutting.job import THE_CLIP, ChapterMark, CutGap, CutJob, CutRange, Facts, JobOutput, Limits, WallClock
from cutback.cutting.output_values import OutputValue
from cutback.cutting.outputs.format import Workbench
from cutback.cutting.outputs.make import make_outputs
from cutback.cutting.spool import Spool


@dataclass(frozen=True)
class OutputMade:
    """A finished output: its facts, and its files by name."""

    facts: Facts
    files: Mapping[str, bytes]

    @property
    def data(self) -> bytes:
        """The bytes of its first file."""
        return next(iter(self.files.values()))


@contextmanager
def bench(
    recordings: Sequence[Path | bytes],
    ranges: Sequence[CutRange | CutGap],
    *,
    outputs: Sequence[JobOutput] = THE_CLIP,
    edits: Sequence[Edit] = (),
    limits: Limits | None = None,
    wall_clocks: Sequence[WallClock | None] = (),
    title: str = "",
    labels: Mapping[str, str] | None = None,
    chapters: Sequence[ChapterMark] | None = None,
) -> Iterator[Workbench]:
    """Provide what outputs are made with."""
    sources = [BytesSource(each if isinstance(each, bytes) else each.read_bytes()) for each in recordings]
    with tempfile.TemporaryFile() as file:
        job = CutJob(
            tuple(source.size for source in sources),
            tuple(ranges),
            limits=limits or Limits(),
            edits=tuple(edits),
            outputs=tuple(outputs),
            wall_clocks=tuple(wall_clocks),
            title=title,
            labels=tuple((labels or {}).items()),
            chapters=None if chapters is None else tuple(chapters),
        )
        yield Workbench(job, OpenedFootage(job, sources), sources, Spool(file), lambda _: None, None)


def make(
    recordings: Sequence[Path | bytes],
    ranges: Sequence[CutRange | CutGap],
    *outputs: JobOutput,
    edits: Sequence[Edit] = (),
    limits: Limits | None = None,
    wall_clocks: Sequence[WallClock | None] = (),
    title: str = "",
    labels: Mapping[str, str] | None = None,
    chapters: Sequence[ChapterMark] | None = None,
) -> dict[str, OutputMade]:
    """Make outputs; return them by name."""
    with bench(
        recordings,
        ranges,
        outputs=outputs,
        edits=edits,
        limits=limits,
        wall_clocks=wall_clocks,
        title=title,
        labels=labels,
        chapters=chapters,
    ) as made_with:
        made = make_outputs(made_with.job, made_with.sources, made_with.spool, lambda _: None)
        return {
            output.name: OutputMade(
                output.facts,
                {
                    file.name: Assembled(b"", file.extents, made_with.sources, made_with.spool).read_at(0, file.size)
                    for file in output.files
                },
            )
            for output in made.outputs
        }


def make_output(
    recordings: Sequence[Path | bytes],
    ranges: Sequence[CutRange | CutGap],
    value: OutputValue,
    *,
    edits: Sequence[Edit] = (),
    limits: Limits | None = None,
) -> OutputMade:
    """Make one output."""
    return make(recordings, ranges, JobOutput("clip", value), edits=edits, limits=limits)["clip"]
