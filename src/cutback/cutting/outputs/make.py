"""Makes all outputs of a job. Runs in the child process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cutback.cutting.cut import OpenedFootage
from cutback.cutting.job import ByteSource, CutJob, CutProgress, Memory
from cutback.cutting.outputs.format import Workbench
from cutback.cutting.outputs.known import format_of
from cutback.cutting.outputs.made import MadeOutput
from cutback.cutting.posters.still import Still
from cutback.cutting.spool import Spool


@dataclass(frozen=True, slots=True)
class MadeClip:
    """The outputs of a job, in its order."""

    outputs: tuple[MadeOutput, ...]
    still: Still | None
    """The picture for its posters; None without video."""


def make_outputs(
    job: CutJob,
    sources: Sequence[ByteSource],
    spool: Spool,
    progress: Callable[[CutProgress], None],
    memory: Memory | None = None,
) -> MadeClip:
    """Make the outputs one after the other. The recordings are opened once.

    Raises:
        CutbackError: something is wrong with the media, with a range, or with what an output asks for.
    """
    footage = OpenedFootage(job, sources)
    progress = _forward(progress)
    outputs: list[MadeOutput] = []
    still: Still | None = None
    for number, output in enumerate(job.outputs):
        bench = Workbench(
            replace(job, precision=output.precision or job.precision),
            footage,
            sources,
            spool,
            _part_of(progress, number, len(job.outputs)),
            memory,
        )
        made = format_of(output.value).make(output.value, output.name, bench)
        outputs.append(made.output)
        still = still or made.still
    return MadeClip(tuple(outputs), still)


def _forward(progress: Callable[[CutProgress], None]) -> Callable[[CutProgress], None]:
    """Report the foremost progress: an output that cuts several times begins from 0 each time."""
    foremost = 0.0

    def report(done: CutProgress) -> None:
        nonlocal foremost
        foremost = max(foremost, done.fraction)
        progress(CutProgress(foremost, done.frames))

    return report


def _part_of(progress: Callable[[CutProgress], None], number: int, count: int) -> Callable[[CutProgress], None]:
    """Report the progress of one output of several as that of all of them."""
    if count == 1:
        return progress
    return lambda done: progress(CutProgress((number + done.fraction) / count, done.frames))
