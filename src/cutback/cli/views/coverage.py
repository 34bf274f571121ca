"""Draws what cameras recorded: a timeline of coverage, and tables with gaps. Pure: recordings in, text out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import groupby, takewhile
from typing import Any

from rich.table import Table
from rich.text import Text

from cutback.cli.console import escape
from cutback.cli.views import formatting
from cutback.domain.base import iso
from cutback.domain.cameras.covered import SEAM, Covered, Period
from cutback.domain.cameras.recording import Camera, CameraRecording
from cutback.domain.times import format_seconds
from cutback.domain.wallclock import seconds_between

_STEPS = [timedelta(seconds=n) for n in (1, 2, 5, 10, 15, 30)]
_STEPS += [timedelta(minutes=n) for n in (1, 2, 5, 10, 15, 30)]
_STEPS += [timedelta(hours=n) for n in (1, 2, 3, 6, 12, 24, 48, 24 * 7, 24 * 30, 24 * 365)]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_CELLS = {"whole": ("█", "green"), "part": ("▒", "yellow"), "growing": ("█", "cyan"), "none": ("·", "bright_black")}
_SAID = {"whole": "recorded", "part": "with a gap", "growing": "still being written", "none": "nothing"}


_LEVELS = "·▁▂▃▄▅▆▇█"
"""How much of an hour is recorded: the first means nothing, the last all of it."""
_MOST_COLUMNS = 72


def gap_as_dict(gap: Period, camera: str) -> dict[str, Any]:
    """Return the form for programs of a gap between recordings."""
    seconds = format_seconds(seconds_between(gap.begins, gap.ends))
    return {"camera": camera, "from": iso(gap.begins), "to": iso(gap.ends), "seconds": seconds}


def summary_as_dict(
    cameras: Sequence[Camera], covered: Mapping[str, Covered], hours: Sequence[Period]
) -> dict[str, Any]:
    """Return the form for programs of a summary: the share of each hour that each camera covers."""
    start, end = hours[0].begins, hours[-1].ends
    return {
        "from": iso(start),
        "to": iso(end),
        "cameras": [
            {
                "name": each.name,
                "last_seen": iso(each.last),
                "share": _rounded(_covered(covered, each).share(start, end)),
                "hours": [
                    {"from": iso(hour.begins), "share": _rounded(_covered(covered, each).share(hour.begins, hour.ends))}
                    for hour in hours
                ],
            }
            for each in cameras
        ],
    }


def summary_table(
    cameras: Sequence[Camera], covered: Mapping[str, Covered], hours: Sequence[Period], now: datetime
) -> Table:
    """List cameras with a column for each hour, or for several hours if there are many."""
    start, end = hours[0].begins, hours[-1].ends
    step = -(-len(hours) // _MOST_COLUMNS)
    columns = [
        Period(hours[at].begins, hours[min(at + step, len(hours)) - 1].ends) for at in range(0, len(hours), step)
    ]
    each_column = f"{step} h" if step > 1 else "1 h"
    heading = f"{start:%m-%d %H:%M}Z, {each_column} a column"
    table = formatting.table("camera", heading, "recorded", "last seen", "", right=["recorded"], clipped=["camera"])
    for each in cameras:
        found = _covered(covered, each)
        drawn = "".join(_level(found.share(column.begins, column.ends)) for column in columns)
        table.add_row(
            escape(each.name),
            Text(drawn, style="green"),
            f"{int(found.share(start, end) * 1000) / 10:.1f} %",
            formatting.utc(each.last),
            formatting.ago(each.last, now),
        )
    return table


def _covered(covered: Mapping[str, Covered], camera: Camera) -> Covered:
    return covered.get(camera.name) or Covered()


def _rounded(share: Fraction) -> float:
    """Rounded down, so that 1 means without any gap."""
    return int(share * 10_000) / 10_000


def _level(share: Fraction) -> str:
    if share in {0, 1}:
        return _LEVELS[-1 if share else 0]
    return _LEVELS[1 + int(share * (len(_LEVELS) - 2))]


def timeline(of_camera: Mapping[str, Covered], first: datetime, last: datetime, width: int) -> list[Text]:
    """Draw a ruler, a row for each camera, and a legend."""
    margin = min(max(len(name) for name in of_camera), 24)
    columns = max(10, width - margin - 2)
    length = max(last - first, timedelta(milliseconds=1))
    rows = [_ruler(first, length, columns, margin)]
    drawn: set[str] = set()
    for name, covered in sorted(of_camera.items()):
        cells = _cells(covered, first, length, columns)
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


def _cells(covered: Covered, first: datetime, length: timedelta, columns: int) -> list[str]:
    begins, ends = covered.periods[0].begins, covered.periods[-1].ends
    cells, gaps = [], deque(covered.gaps)
    for column in range(columns):
        start, end = first + length * column / columns, first + length * (column + 1) / columns
        while gaps and gaps[0].ends <= start:
            gaps.popleft()
        holes = _before(gaps, end)
        if end <= begins or start >= ends or any(gap.begins <= start and gap.ends >= end for gap in holes):
            cells.append("none")
        elif holes:
            cells.append("part")
        else:
            written = any(each.begins < end and each.ends > start for each in covered.growing)
            cells.append("growing" if written else "whole")
    return cells


def _before(gaps: Iterable[Period], end: datetime) -> list[Period]:
    return list(takewhile(lambda gap: gap.begins < end, gaps))


def _ruler(first: datetime, length: timedelta, columns: int, margin: int) -> Text:
    step = next((step for step in _STEPS if columns * step >= 14 * length), _STEPS[-1])
    row = [" "] * columns
    tick = _EPOCH + -(-(first - _EPOCH) // step) * step
    day = None
    while tick < first + length:
        at = int((tick - first) * columns / length)
        clock = f"{tick:%H:%M:%S}" if step < timedelta(minutes=1) else f"{tick:%H:%M}"
        label = f"╷{clock}Z" if tick.date() == day else f"╷{tick:%m-%d} {clock}Z"
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
            formatting.utc(each.start, millis=True),
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
