"""`cutback cameras` and `cutback recordings`: what the catalogue contains, and where it has gaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cutback.cli import completion
from cutback.cli.command import command
from cutback.cli.commands import arguments
from cutback.cli.console import escape
from cutback.cli.screen import Screen
from cutback.domain.errors import WrongUsageError

if TYPE_CHECKING:
    from cutback.domain.cameras.covered import Covered
    from cutback.domain.cameras.recording import Camera, CameraRecording
    from cutback.ports import Catalogue
    from cutback.services import Services

_SHOWN_AT_FIRST = timedelta(days=1)
_LONGEST_SUMMARY = timedelta(days=366)


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands."""
    command(app, "cameras", panel=panel, examples=(("", "which cameras have recordings"),))(cameras)
    command(
        app,
        "recordings",
        panel=panel,
        examples=(
            ("--camera north-point", "the last day, with its gaps"),
            ("--summary", "how much of each hour every camera recorded"),
            ("--from 2026-11-23T10:00:00Z --to 2026-11-23T11:00:00Z", "one hour of all cameras"),
        ),
    )(recordings)


def cameras(screen: Screen) -> None:
    """List the cameras that have recordings."""
    from cutback.cli.views import formatting
    from cutback.domain.base import iso

    with screen.existing() as services:
        found, now = services.catalogue.cameras(), services.clock()
    screen.document(
        {
            "cameras": [
                {
                    "name": each.name,
                    "recordings": each.recordings,
                    "first": iso(each.first),
                    "last": iso(each.last),
                    "folders": each.folders,
                }
                for each in found
            ]
        }
    )
    if not found:
        screen.hint("No camera has a recording yet. Try: cutback scan")
        return
    table = formatting.table("camera", "recordings", "from", "to", "", right=["recordings"], clipped=["camera"])
    for each in found:
        table.add_row(
            escape(each.name),
            str(each.recordings),
            formatting.utc(each.first),
            formatting.utc(each.last),
            formatting.ago(each.last, now),
        )
    screen.show(table)
    show_claims(screen, found)


def show_claims(screen: Screen, cameras: Sequence[Camera]) -> None:
    """Show cameras whose name several folders claim."""
    from cutback.domain.cameras.coverage import shown_folders

    claimed = [each for each in cameras if len(each.folders) > 1]
    for each in claimed:
        screen.warn(f"{each.name}: several folders name this camera: {shown_folders(each.folders)}")
    if claimed:
        screen.hint(
            "If they are different cameras, use a pattern whose names span folders: {camera...} in docs/cameras.md"
        )


def recordings(
    screen: Screen,
    camera: Annotated[
        str | None, typer.Option(help="Show only this camera.", autocompletion=completion.cameras)
    ] = None,
    begins: Annotated[
        str,
        typer.Option(
            "--from", metavar="MOMENT", help="Start at this moment. Without --from and --to, show the last day."
        ),
    ] = "",
    ends: Annotated[str, typer.Option("--to", metavar="MOMENT", help="End at this moment.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Show at most this many recordings.")] = 200,
    cursor: Annotated[str | None, typer.Option(help="Continue after the previous page.")] = None,
    *,
    summary: Annotated[
        bool,
        typer.Option("--summary", help="Show how much of each hour every camera recorded, instead of its recordings."),
    ] = False,
) -> None:
    """List recordings by start, with a timeline of coverage and gaps."""
    from cutback.catalogue.known_cameras import check_known
    from cutback.catalogue.whole_span import covered_by
    from cutback.cli.views.coverage import gap_as_dict
    from cutback.domain.base import utc_now

    zones, now = screen.settings().zones, utc_now()
    zone = zones.default if camera is None else zones.for_camera(camera)
    start = arguments.typed_moment("--from", begins, zone, now=now) if begins else None
    end = arguments.typed_moment("--to", ends, zone, now=now, after=start) if ends else None
    with screen.existing() as services:
        if camera is not None:
            check_known(services, [camera])
        if summary:
            _show_summary(screen, services, camera, start, end)
            return
        if start is None and end is None:
            start = _last_day(services.catalogue, camera)
        try:
            page = services.catalogue.list_recordings(camera, start=start, end=end, limit=limit, cursor=cursor)
        except ValueError as error:
            raise WrongUsageError(f"--cursor: {error}.") from None
        covered = covered_by(services.catalogue, camera, start, end)
    of_camera: dict[str, list[CameraRecording]] = {}
    for each in page.recordings:
        of_camera.setdefault(each.camera, []).append(each)
    screen.document(
        {
            "recordings": [each.model_dump(mode="json") for each in page.recordings],
            "gaps": [gap_as_dict(gap, name) for name, each in sorted(covered.items()) for gap in each.gaps],
            "next_cursor": page.next_cursor,
        }
    )
    if not page.recordings:
        screen.hint("No recordings. Try: cutback cameras")
        return
    _show(screen, of_camera, covered, start, end)
    if page.next_cursor:
        screen.hint(f"There are more: use --cursor {page.next_cursor}, or a higher --limit")


def _show_summary(
    screen: Screen, services: Services, camera: str | None, start: datetime | None, end: datetime | None
) -> None:
    from cutback.catalogue.whole_span import covered_by
    from cutback.cli.views.coverage import summary_as_dict, summary_table
    from cutback.domain.cameras.covered import hours_between

    cameras = [each for each in services.catalogue.cameras() if camera in {None, each.name}]
    if not cameras:
        screen.document({"from": None, "to": None, "cameras": []})
        screen.hint("No recordings. Try: cutback scan")
        return
    if end is None:
        newest = max(each.last for each in cameras)
        end = newest if start is not None else _next_hour(newest)
    start = end - _SHOWN_AT_FIRST if start is None else start
    if start >= end:
        raise WrongUsageError("--from must be before --to, and before the end of the newest recording.")
    if end - start > _LONGEST_SUMMARY:
        raise WrongUsageError(f"A summary spans at most {_LONGEST_SUMMARY // timedelta(days=1)} days.")
    hours = hours_between(start, end)
    covered = covered_by(services.catalogue, camera, start, end)
    screen.document(summary_as_dict(cameras, covered, hours))
    screen.show(summary_table(cameras, covered, hours, services.clock()))
    screen.hint(f"Until {end:%Y-%m-%d %H:%M}Z. · nothing  ▁ to ▇ in part  █ without a gap")


def _next_hour(moment: datetime) -> datetime:
    from cutback.domain.cameras.covered import HOUR

    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour if hour == moment else hour + HOUR


def _show(
    screen: Screen,
    of_camera: dict[str, list[CameraRecording]],
    covered: dict[str, Covered],
    start: datetime | None,
    end: datetime | None,
) -> None:
    from cutback.cli.views.coverage import recordings_table, timeline

    first = min(each.periods[0].begins for each in covered.values())
    last = max(each.periods[-1].ends for each in covered.values())
    first, last = max(start or first, first), min(end or last, last)
    screen.show(*timeline(covered, first, last, min(screen.out.width, 120)), "")
    for name, found in sorted(of_camera.items()):
        screen.show(f"[bold]{escape(name)}[/]", recordings_table(found, screen.out.width), "")


def _last_day(catalogue: Catalogue, camera: str | None) -> datetime | None:
    ends = [each.last for each in catalogue.cameras() if camera in {None, each.name}]
    return max(ends) - _SHOWN_AT_FIRST if ends else None
