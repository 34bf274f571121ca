"""`cutback scan` and `cutback register`: add recordings without an event to the catalogue."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutback.cli import completion
from cutback.cli.command import command
from cutback.cli.commands import arguments
from cutback.cli.console import escape
from cutback.cli.screen import Screen, ShownError
from cutback.domain.errors import PlaceUnknownError

if TYPE_CHECKING:
    from cutback.catalogue.scan import Scanned
    from cutback.domain.cameras.propose_pattern import Proposal


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands."""
    command(
        app,
        "scan",
        panel=panel,
        examples=(("", "find everything new in the source store"), ("--prefix 2026/11", "look only in one folder")),
    )(scan)
    command(
        app,
        "register",
        panel=panel,
        examples=(
            ("sea.mp4 --camera north --start 2026-11-23T10:00:00.480+01:00", "give what its name does not say"),
            ("north.20261123T100000.mp4", "use what its name says"),
        ),
    )(register_one)


def scan(
    screen: Screen,
    prefix: Annotated[str, typer.Option(metavar="FOLDER", help="Scan only this folder.")] = "",
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Remove missing recordings from the catalogue, however many they are.")
    ] = False,
) -> None:
    """Find new and missing recordings in the source store.

    Examines only recordings whose current version is not in the catalogue. If time zones or patterns have changed, the
    known recordings get their new cameras and start times.
    """
    from cutback.catalogue.scan import Scanner
    from cutback.cli.commands.cameras import show_claims
    from cutback.cli.views.formatting import pace
    from cutback.lifecycle.arrivals import enter_recordings, place_again

    if prefix:
        arguments.typed_key("--prefix", prefix.rstrip("/"))
    with screen.services() as services, screen.bar("scanning") as on_progress:
        placed, began = place_again(services), time.monotonic()

        def show_pace(done: int, total: int, _key: str) -> None:
            on_progress(done / total, pace(done, total, time.monotonic() - began))

        found = Scanner(services, enter_recordings, prefix, forced=force).scan(on_progress=show_pace)
        cameras = services.catalogue.cameras()
    if placed:
        screen.hint(f"Patterns or time zones have changed: {placed} cameras and start times updated")
    screen.document(_as_dict(found))
    if not screen.json:
        _show(screen, found)
        show_claims(screen, cameras)
    serious = found.missing or next((error for error in found.failed.values() if error.reason != "place_unknown"), None)
    if serious is not None:
        raise ShownError(serious)


def _as_dict(found: Scanned) -> dict[str, Any]:
    proposal = _proposal(found)
    failed = [{"key": key, "error": error.as_dict()} for key, error in found.failed.items()]
    return {
        "seen": found.seen,
        "entered": found.entered,
        "renewed": found.renewed,
        "gone": found.gone,
        "later": found.later,
        "failed": failed,
        "links": found.links,
        "proposal": None if proposal is None else {"pattern": proposal.pattern, "fits": proposal.fits},
        "missing": None if found.missing is None else found.missing.as_dict(),
    }


def _show(screen: Screen, found: Scanned) -> None:
    from cutback.catalogue.scan import link_facts

    for keys, mark, said in (
        (found.entered, "[green]+[/]", "new"),
        (found.renewed, "[cyan]»[/]", "updated"),
        (found.gone, "[magenta]-[/]", "gone"),
        (found.later, "[yellow]…[/]", "still being written"),
    ):
        for key in keys:
            screen.show(f"{mark} {escape(key)} [dim]{said}[/]")
    for key, error in found.failed.items():
        if error.reason == PlaceUnknownError.reason:
            continue
        screen.err.print(
            f"[red]✗[/] {escape(key)} [bold red]{error.reason}:[/] {escape(error.message)}", soft_wrap=True
        )
    _show_unplaced(screen, found)
    if found.links:
        number, such, advice = link_facts(found.links)
        also = f" and {number - 1} more" if number > 1 else ""
        screen.err.print(f"[yellow]?[/] {escape(such)}{also}: {escape(advice)}", soft_wrap=True)
    if found.missing is not None:
        screen.err.print(
            f"[red]✗[/] [bold red]{found.missing.reason}:[/] {escape(found.missing.message)}", soft_wrap=True
        )
    counts = f"{found.seen} found: {len(found.entered)} new, {len(found.renewed)} updated, {len(found.gone)} gone"
    unplaced = len(_unplaced(found))
    if unplaced:
        counts += f", {unplaced} without camera or start"
    failed = len(found.failed) - unplaced
    screen.show(f"{counts}, {failed} failed" if failed else counts)


def _unplaced(found: Scanned) -> list[str]:
    return [key for key, error in found.failed.items() if error.reason == PlaceUnknownError.reason]


def _proposal(found: Scanned) -> Proposal | None:
    from cutback.domain.cameras.propose_pattern import propose_pattern

    return propose_pattern(_unplaced(found))


def _show_unplaced(screen: Screen, found: Scanned) -> None:
    """Show this once for all of them: a recorder may have thousands of files with similar names."""
    keys = _unplaced(found)
    if not keys:
        return
    such = f"such as {keys[0]}" if len(keys) > 1 else keys[0]
    number = f"{len(keys)} recordings have" if len(keys) > 1 else "One recording has"
    screen.err.print(f"[yellow]?[/] {number} no known camera or start time: {escape(such)}", soft_wrap=True)
    proposal = _proposal(found)
    if proposal is None:
        screen.hint("  Register them by hand (cutback register), or set CUTBACK_RECORDING_PATTERN: docs/cameras.md")
        return
    quoted = shlex.quote(f'"{proposal.pattern}"' if "," in proposal.pattern else proposal.pattern)
    screen.err.print(
        f"  This pattern reads {proposal.fits} of them, with the camera {escape(repr(proposal.camera))} in "
        f"{escape(proposal.example)}:\n  export CUTBACK_RECORDING_PATTERN={escape(quoted)}",
        soft_wrap=True,
    )
    screen.hint("  A pattern that you set replaces the built-in ones; separate several with commas.")


def register_one(
    screen: Screen,
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEY", help="The recording's key in the source store.", autocompletion=completion.recordings
        ),
    ],
    camera: Annotated[
        str, typer.Option(help="Set its camera, whatever its key says.", autocompletion=completion.cameras)
    ] = "",
    start: Annotated[
        str,
        typer.Option(
            metavar="MOMENT",
            help="Set when it began: RFC 3339, in the camera's zone if it has no offset, or milliseconds since 1970.",
        ),
    ] = "",
) -> None:
    """Add one recording to the catalogue."""
    from cutback.cli.views.formatting import on_its_clock
    from cutback.domain.base import utc_now
    from cutback.domain.cameras.placing import camera_named
    from cutback.domain.errors import RecordingNotFoundError, SourceChangedError
    from cutback.lifecycle.arrivals import enter_recording

    arguments.typed_key("KEY", key)
    rules = screen.settings().key_rules
    zone = rules.zones.for_camera(camera or camera_named(key, rules))
    begins = arguments.typed_moment("--start", start, zone, now=utc_now()) if start else None
    with screen.services() as services:
        found = enter_recording(services, key, camera=camera, start=begins)
        if found.what == "superseded":
            raise SourceChangedError(key)
        if found.what == "gone" or found.recording is None:
            raise RecordingNotFoundError(key)
        recording = found.recording
    screen.document({"what": found.what, "recording": recording.model_dump(mode="json")})
    mark = "[green]✓[/]" if found.is_news else "[dim]=[/]"
    own = rules.zones.for_camera(recording.camera)
    screen.show(
        f"{mark} {escape(key)} [dim]{found.what}: camera[/] {escape(recording.camera)}"
        f"[dim], {on_its_clock(recording.start, own)} – {on_its_clock(recording.end, own)}[/]"
    )
    for conflict in recording.conflicts:
        screen.show(f"[yellow]{escape(conflict)}[/]")
