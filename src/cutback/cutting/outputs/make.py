"""Makes all outputs of a job. Runs in the child process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

from cutback.cutting.assembled import AssembledAhead
from cutback.cutting.clip_form import ClipForm
from cutback.cutting.cut import Encoded, OpenedFootage, encode_together
from cutback.cutting.job import ByteSource, CutJob, CutProgress, Memory
from cutback.cutting.outputs.format import Workbench
from cutback.cutting.outputs.known import format_of
from cutback.cutting.outputs.made import MadeOutput
from cutback.cutting.posters.still import Still
from cutback.cutting.spool import Spool
from cutback.domain.errors import MediaTooLargeError


@dataclass(frozen=True, slots=True)
class PlayableClip:
    """A finished clip as one file, to be played again."""

    file: ByteSource
    has_pictures: bool
    """False for sound alone."""
    duration: Fraction
    """Seconds."""


@dataclass(frozen=True, slots=True)
class MadeClip:
    """The outputs of a job, in its order."""

    outputs: tuple[MadeOutput, ...]
    still: Still | None
    """The picture for its posters; None without video."""
    playable: PlayableClip | None
    """The first output with moving pictures and sound, or else the first with sound; None without either."""


def make_outputs(
    job: CutJob,
    sources: Sequence[ByteSource],
    spool: Spool,
    progress: Callable[[CutProgress], None],
    memory: Memory | None = None,
) -> MadeClip:
    """Make the outputs one after the other. The recordings are opened once, and decoded once for all encoders.

    Raises:
        CutbackError: something is wrong with the media, with a range, or with what an output asks for.
    """
    footage = OpenedFootage(job, sources)
    progress = _forward(progress)
    benches = [
        Workbench(
            replace(job, precision=output.precision or job.precision), footage, sources, spool, lambda _: None, memory
        )
        for output in job.outputs
    ]
    encoded = _together(job, benches, _part_of(progress, 0, len(job.outputs) + 1))
    count = len(job.outputs) + bool(encoded)
    outputs: list[MadeOutput] = []
    still: Still | None = None
    playable: PlayableClip | None = None
    for number, (output, bench) in enumerate(zip(job.outputs, benches, strict=True), bool(encoded)):
        done = replace(bench, progress=_part_of(progress, number, count))
        if bench.job.precision == "exact":
            done = replace(done, encoded=encoded)
        kind = format_of(output.value)
        made = kind.make(output.value, output.name, done)
        outputs.append(made.output)
        still = still or made.still
        if kind.plays != "nothing" and (playable is None or (kind.plays == "pictures" and not playable.has_pictures)):
            file = made.clip or AssembledAhead(b"", made.output.files[0].extents, sources, spool)
            playable = PlayableClip(file, kind.plays == "pictures", made.output.facts.duration)
    return MadeClip(tuple(outputs), still, playable)


def _together(
    job: CutJob, benches: Sequence[Workbench], progress: Callable[[CutProgress], None]
) -> dict[ClipForm, Encoded]:
    """Encode the pictures of all outputs that have only encoded ones; empty if each output decodes for itself."""
    forms: list[ClipForm] = []
    for output, bench in zip(job.outputs, benches, strict=True):
        if bench.job.precision == "exact":
            forms += bench.retried(partial(format_of(output.value).forms, output.value, bench))
    if len(forms) < 2:
        return {}
    bench = replace(benches[0], job=replace(job, precision="exact"), progress=progress)
    begins = bench.spool.size
    try:
        return bench.retried(
            lambda: encode_together(bench.job, bench.footage, bench.sources, bench.spool, progress, bench.memory, forms)
        )
    except MediaTooLargeError:
        bench.spool.truncate(begins)
        return {}  # one encoder alone takes less


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
