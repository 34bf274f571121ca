"""`cutback cameras` and `cutback recordings`: what the catalogue contains, and where it has gaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutback.cli import completion
from cutback.cli.command import command
from cutback.cli.console import escape
from cutback.cli.screen import Screen
from cutback.domain.errors import WrongUsageError

if TYPE_CHECKING:
    from cutback.domain.cameras.recording import Camera, CameraRecording
    from cutback.ports import Catalogue

_SHOWN_AT_FIRST = timedelta(days=1)


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands."""
    command(app, "cameras", panel=panel, examples=(("", "which cameras have recordings"),))(cameras)
    command(
        app,
        "recordings",
        panel=panel,
        examples=(
            ("--camera north-point", "the last day, with its gaps"),
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
            f"{each.first:%Y-%m-%d %H:%M:%S}",
            f"{each.last:%Y-%m-%d %H:%M:%S}",
            formatting.ago(each.last, now),
        )
    screen.show(table)
    show_claims(screen, found)
    screen.hint("Times are UTC.")


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
) -> None:
    """List recordings by start, with a timeline of coverage and gaps."""
    from cutback.catalogue.known_cameras import check_known
    from cutback.cli.views.coverage import gaps_in

    start, end = moment_option("--from", begins), moment_option("--to", ends)
    with screen.existing() as services:
        if camera is not None:
            check_known(services, [camera])
        if start is None and end is None:
            start = _last_day(services.catalogue, camera)
        try:
            page = services.catalogue.list_recordings(camera, start=start, end=end, limit=limit, cursor=cursor)
        except ValueError as error:
            raise WrongUsageError(f"--cursor: {error}.") from None
    of_camera: dict[str, list[CameraRecording]] = {}
    for each in page.recordings:
        of_camera.setdefault(each.camera, []).append(each)
    gaps = {name: gaps_in(shown) for name, shown in sorted(of_camera.items())}
    screen.document(
        {
            "recordings": [each.model_dump(mode="json") for each in page.recordings],
            "gaps": [gap.as_dict(name) for name, found in gaps.items() for gap in found],
            "next_cursor": page.next_cursor,
        }
    )
    if not page.recordings:
        screen.hint("No recordings. Try: cutback cameras")
        return
    _show(screen, of_camera, start, end)
    if page.next_cursor:
        screen.hint(f"There are more: use --cursor {page.next_cursor}, or a higher --limit")


def _show(
    screen: Screen, of_camera: dict[str, list[CameraRecording]], start: datetime | None, end: datetime | None
) -> None:
    from cutback.cli.views.coverage import recordings_table, timeline

    shown = [each for found in of_camera.values() for each in found]
    first = max(start, min(each.start for each in shown)) if start else min(each.start for each in shown)
    last = min(end, max(each.end for each in shown)) if end else max(each.end for each in shown)
    screen.show(*timeline(of_camera, first, last, min(screen.out.width, 120)), "")
    for name, found in sorted(of_camera.items()):
        screen.show(f"[bold]{escape(name)}[/]", recordings_table(found, screen.out.width), "")
    screen.hint("Times are UTC.")


def _last_day(catalogue: Catalogue, camera: str | None) -> datetime | None:
    ends = [each.last for each in catalogue.cameras() if camera in {None, each.name}]
    return max(ends) - _SHOWN_AT_FIRST if ends else None


def moment_option(option: str, text: str) -> datetime | None:
    """Parse an option's moment; None if it is not given.

    Raises:
        WrongUsageError: it is not a moment.
    """
    from cutback.domain.wallclock import parse_moment

    if not text:
        return None
    value: Any = int(text) if text.isascii() and text.isdigit() else text
    try:
        return parse_moment(value)
    except ValueError as error:
        raise WrongUsageError(f"{option} {error}.") from None
