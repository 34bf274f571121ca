"""Plans all outputs of a job. Runs in the child process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cutback.cutting.cut import OpenedFootage
from cutback.cutting.job import ByteSource, CutJob
from cutback.cutting.output_values import FORMATS, OutputValue
from cutback.cutting.outputs.format import Workbench
from cutback.cutting.outputs.known import format_of
from cutback.cutting.outputs.planned import scratch
from cutback.cutting.spool import Spool

_NAMES = {kind: name for name, kind in FORMATS.items()}


def plan_outputs(job: CutJob, sources: Sequence[ByteSource], spool: Spool) -> dict[str, Any]:
    """Return the plan of the first output, in the form of `plan_report`, and in `outputs` what each of them would be.

    The `size` of an output is an estimate, in bytes, of all its files.

    Raises:
        CutbackError: what one of them would fail with.
    """
    footage = OpenedFootage(job, sources)
    report: dict[str, Any] | None = None
    notes: list[str] = []
    outputs: list[dict[str, Any]] = []
    for output in job.outputs:
        wanted = replace(job, precision=output.precision or job.precision)
        bench = scratch(Workbench(wanted, footage, sources, spool, lambda _: None, None))
        planned = format_of(output.value).plan(output.value, bench)
        report = report or planned.report
        notes += planned.report["notes"]
        outputs.append(
            {
                "name": output.name,
                "format": name_of(output.value),
                "size": planned.size,
                "frames_copied": planned.copied,
                "frames_encoded": planned.encoded,
            }
        )
    assert report is not None
    return {
        **report,
        "notes": list(dict.fromkeys(notes)),
        "bytes": {**report["bytes"], "clip": outputs[0]["size"]},
        "outputs": outputs,
    }


def name_of(value: OutputValue) -> str:
    """Return the name of an output's format, as requests have it."""
    return _NAMES[type(value)]
