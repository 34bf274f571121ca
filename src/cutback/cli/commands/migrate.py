"""`cutback migrate`: copies the records from SQLite to MongoDB, or back."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from cutback.cli.command import command
from cutback.cli.screen import Screen
from cutback.domain.errors import MigrationRefusedError


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(
        app,
        "migrate",
        panel=panel,
        examples=(
            ("mongodb", "copy the records from SQLite to the MongoDB of CUTBACK_RECORDS_URL"),
            ("sqlite", "copy them back"),
        ),
    )(migrate)


def migrate(
    screen: Screen,
    to: Annotated[Literal["mongodb", "sqlite"], typer.Argument(metavar="mongodb|sqlite", help="Where to copy them.")],
) -> None:
    """Copy records, events, catalogue, keys and webhooks from SQLite to MongoDB, or back, and compare them.

    Stop every worker and every server first. Nothing is removed from the source. If it is interrupted, run it again: it
    goes on where it stopped. Messages of the queue are not copied.
    """
    from cutback.adapters.build import copies_of
    from cutback.domain.base import utc_now
    from cutback.lifecycle.migration import migrate as copy
    from cutback.worker.presence import running

    settings = screen.settings()
    if workers := running(settings.data):
        raise MigrationRefusedError(f"Workers run on this machine: {', '.join(workers)}. Stop them first.")
    sqlite, mongodb, left = copies_of(settings, into=to)
    try:
        source, target = (sqlite, mongodb) if to == "mongodb" else (mongodb, sqlite)
        with screen.bar(f"copying to {to}") as on_progress:
            copied = copy(source, target, now=utc_now(), on_progress=on_progress)
    finally:
        sqlite.close()
        mongodb.close()
    screen.document(
        {
            "to": to,
            "copied": [
                {"kind": each.kind, "count": each.count, "written": each.written, "digest": each.digest}
                for each in copied
            ],
        }
    )
    for each in copied:
        screen.show(
            f"[green]✓[/] {each.kind:<10} {each.count:>9,} [dim]{each.written:,} written, {each.digest[:16]}[/]"
        )
    if left:
        screen.warn(
            f"{left} messages are in the queue in SQLite. Let workers finish them before you choose another queue."
        )
