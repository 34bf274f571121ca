"""`cutback status`: shows whether work gets done, for people and for monitoring."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutback.cli.command import command
from cutback.cli.console import escape
from cutback.cli.exit_codes import NeedsAttentionError
from cutback.cli.screen import Screen, ShownError

if TYPE_CHECKING:
    from cutback.settings.settings import Settings

_WORKERS_SHOWN = 20


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(
        app,
        "status",
        panel=panel,
        examples=(("", "check that everything works"), ("--max-age 900 --json", "for monitoring: exit with 1 if not")),
    )(status)


def status(
    screen: Screen,
    max_age: Annotated[
        int,
        typer.Option("--max-age", min=1, metavar="SECONDS", help="Complain about clips that are queued for longer."),
    ] = 600,
) -> None:
    """Show the queue, the workers, failures and what needs attention.

    Exits with 1 if something needs attention.
    """
    from cutback.worker.status import gather

    _check_database(screen.settings())
    with screen.existing() as services:
        content = gather(services, timedelta(seconds=max_age))
    screen.document(content)
    if not screen.json:
        _show(screen, content)
    if content["attention"]:
        raise ShownError(NeedsAttentionError())


def _check_database(settings: Settings) -> None:
    """Tell a database that was deleted under its workers from one that never was.

    Raises:
        NeedsAttentionError: it was deleted while workers run.
    """
    from cutback.worker.presence import started_with_another_file

    path = settings.database_path
    if settings.uses_sqlite and not path.exists() and started_with_another_file(settings.data, path):
        raise NeedsAttentionError(
            f"The database {path} was deleted while workers run. "
            "Restore it, or restart the workers to begin with an empty one."
        )


def _show(screen: Screen, content: dict[str, Any]) -> None:
    from rich.table import Table

    from cutback.cli.views import formatting

    queue, clips = content["queue"], content["clips"]
    oldest = f", the oldest for {content['oldest_queued_seconds']:.0f} s" if clips["queued"] else ""
    rows = [
        ("queue", f"{queue['visible']} available, {queue['in_flight']} in progress, {queue['delayed']} delayed"),
        ("queued", f"{clips['queued']}{oldest}"),
        ("in progress", str(clips["processing"])),
        ("waiting", f"{clips['waiting']} for footage{_counts(content['waiting_for'])}"),
        ("failed", f"{sum(content['failed_last_day'].values())} in the last day{_counts(content['failed_last_day'])}"),
        ("dead letters", str(queue["dead"])),
        *_workers(content["workers"]),
        ("disk left", formatting.size(content["disk_free"])),
    ]
    if content["webhooks"]:
        hooks = content["webhooks"]
        rows.insert(6, ("webhooks", f"{hooks['visible'] + hooks['delayed']} to send, {hooks['dead']} dead"))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for name, said in rows:
        grid.add_row(name, escape(said))
    screen.show(grid)
    for sentence in content["attention"]:
        screen.show(f"[yellow]![/] {escape(sentence)}")
    if not content["attention"]:
        screen.show("[green]✓[/] Nothing needs attention.")


def _workers(workers: list[dict[str, Any]]) -> list[tuple[str, str]]:
    hosts = Counter(each["host"] for each in workers)
    rows = [("workers", f"{len(workers)}{_counts(dict(hosts.most_common()))}")]
    for each in workers[:_WORKERS_SHOWN]:
        doing = f"{each['stage'] or 'makes'} {each['clip']}" if each["clip"] else "idle"
        beat = "nothing noted" if each["beat_seconds"] is None else f"{doing}, {each['beat_seconds']:.0f} s ago"
        rows.append(("", f"{each['name']}: {beat}"))
    if len(workers) > _WORKERS_SHOWN:
        rows.append(("", f"and {len(workers) - _WORKERS_SHOWN} more, with --json"))
    return rows


def _counts(counts: dict[str, int]) -> str:
    shown = ", ".join(f"{name} {count}" for name, count in list(counts.items())[:5])
    return f" ({shown})" if shown else ""
