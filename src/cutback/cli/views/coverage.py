"""Draws what cameras recorded: a timeline of coverage, and tables with gaps. Pure: recordings in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from rich.table import Table
from rich.text import Text

from cutback.cli.console import escape
from cutback.cli.views import formatting
from cutback.domain.base import iso
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.times import format_seconds
from cutback.domain.wallclock import seconds_between

SEAM = timedelta(milliseconds=100)
"""Smaller gaps and overlaps come from rounding and are not shown."""

_STEPS = [timedelta(seconds=n) for n in (1, 2, 5, 10, 15, 30)]
_STEPS += [timedelta(minutes=n) for n in (1, 2, 5, 10, 15, 30)]
_STEPS += [timedelta(hours=n) for n in (1, 2, 3, 6, 12, 24, 48, 24 * 7, 24 * 30, 24 * 365)]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_CELLS = {"whole": ("█", "green"), "part": ("▒", "yellow"), "growing": ("█", "cyan"), "none": ("·", "bright_black")}
_SAID = {"whole": "recorded", "part": "with a gap", "growing": "still being written", "none": "nothing"}


@dataclass(frozen=True, slots=True)
class RecordingGap:
    """A period between two recordings of a camera that neither covers."""

    begins: datetime
    ends: datetime

    def as_dict(self, camera: str) -> dict[str, Any]:
        """Return the form for programs."""
        seconds = format_seconds(seconds_between(self.begins, self.ends))
        return {"camera": camera, "from": iso(self.begins), "to": iso(self.ends), "seconds": seconds}


def gaps_in(recordings: Sequence[CameraRecording]) -> list[RecordingGap]:
    """Return the gaps between one camera's recordings, which must be ordered by start."""
    found, covered = [], None
    for each in recordings:
        if covered is not None and each.start - covered >= SEAM:
            found.append(RecordingGap(covered, each.start))
        covered = each.end if covered is None else max(covered, each.end)
    return found


def timeline(
    of_camera: Mapping[str, Sequence[CameraRecording]], first: datetime, last: datetime, width: int
) -> list[Text]:
    """Draw a ruler, a row for each camera, and a legend."""
    margin = min(max(len(name) for name in of_camera), 24)
    columns = max(10, width - margin - 2)
    length = max(last - first, timedelta(milliseconds=1))
    rows = [_ruler(first, length, columns, margin)]
    drawn: set[str] = set()
    for name, recordings in sorted(of_camera.items()):
        cells = _cells(recordings, first, length, columns)
        drawn |= set(cells)
        row = Text(f"{name[:margin]:<{margin}}  ", style="bold", no_wrap=True)
        for kind, run in groupby(cells):
            sign, style = _CELLS[kind]
            row.append(sign * len(list(run)), f"not bold {style}")
        rows.append(row)
    legend = Text(" " * (margin + 2))
    for kind, (sign, style) in _CELLS.items():
        if kind in drawn:
            legend.append(sign, style).append(f" {_SAID[kind]}  ", "dim")
    return [*rows, legend]


def _cells(recordings: Sequence[CameraRecording], first: datetime, length: timedelta, columns: int) -> list[str]:
    gaps = gaps_in(recordings)
    begins, ends = recordings[0].start, max(each.end for each in recordings)
    growing = [each for each in recordings if each.growing]
    cells = []
    for column in range(columns):
        start, end = first + length * column / columns, first + length * (column + 1) / columns
        holes = [gap for gap in gaps if gap.begins < end and gap.ends > start]
        if end <= begins or start >= ends or any(gap.begins <= start and gap.ends >= end for gap in holes):
            cells.append("none")
        elif holes:
            cells.append("part")
        else:
            written = any(each.start < end and each.end > start for each in growing)
            cells.append("growing" if written else "whole")
    return cells


def _ruler(first: datetime, length: timedelta, columns: int, margin: int) -> Text:
    step = next((step for step in _STEPS if columns * step >= 14 * length), _STEPS[-1])
    row = [" "] * columns
    tick = _EPOCH + -(-(first - _EPOCH) // step) * step
    day = None
    while tick < first + length:
        at = int((tick - first) * columns / length)
        clock = f"{tick:%H:%M:%S}" if step < timedelta(minutes=1) else f"{tick:%H:%M}"
        label = f"╷{clock}" if tick.date() == day else f"╷{tick:%m-%d} {clock}"
        if at + len(label) <= columns and (at == 0 or row[at - 1] == " "):
            row[at : at + len(label)] = label
            day = tick.date()
        tick += step
    return Text(" " * (margin + 2) + "".join(row), style="dim", no_wrap=True)


def recordings_table(recordings: Sequence[CameraRecording], width: int) -> Table:
    """List one camera's recordings by start, with gaps and overlaps. Narrow terminals do not show the picture."""
    wide = width >= formatting.WIDE
    columns = ["recording", "start", "length", "size", *["picture"] * wide, ""]
    table = formatting.table(*columns, right=["length", "size"], clipped=["recording", ""])
    covered: datetime | None = None
    for each in recordings:
        picture = f"{each.width}×{each.height}" if each.width else "sound"
        table.add_row(
            formatting.line(each.key),
            f"{each.start:%Y-%m-%d %H:%M:%S}.{each.start.microsecond // 1000:03d}",
            formatting.length(each.duration),
            formatting.size(each.size),
            *[escape(f"{picture} {'+'.join(each.codecs)}")] * wide,
            _remarks(each, covered),
        )
        covered = each.end if covered is None else max(covered, each.end)
    return table


def _remarks(recording: CameraRecording, covered: datetime | None) -> Text:
    remarks = Text()
    if covered is not None and recording.start - covered >= SEAM:
        remarks.append(f"after a gap of {formatting.length(seconds_between(covered, recording.start))} ", "yellow")
    if covered is not None and covered - recording.start >= SEAM:
        overlap = min(covered, recording.end) - recording.start
        remarks.append(f"overlaps by {formatting.length(seconds_between(_EPOCH, _EPOCH + overlap))} ", "magenta")
    if recording.growing:
        remarks.append("still being written ", "cyan")
    for conflict in recording.conflicts:
        remarks.append(f"! {conflict} ", "yellow")
    return remarks
