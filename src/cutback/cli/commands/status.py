"""`cutback status`: shows whether work gets done, for people and for monitoring."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutback.cli.command import command
from cutback.cli.console import escape
from cutback.cli.exit_codes import NeedsAttentionError
from cutback.cli.screen import Screen, ShownError

if TYPE_CHECKING:
    from cutback.domain.clips.clip import Clip, ClipState
    from cutback.services import Services
    from cutback.settings.settings import Settings

MOST = 10_000
"""Maximum clips of one state that are counted."""
_PAGE = 1000
_LITTLE_ROOM = 1_000_000_000
_FAILED_SINCE = timedelta(days=1)


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


def gather(services: Services, max_age: timedelta) -> dict[str, Any]:
    """Collect everything that `cutback status` shows.

    Raises:
        SurroundingsError: queue or records do not answer.
    """
    from cutback.domain.clips.clip import ClipState
    from cutback.worker.presence import running, started_with_another_file

    now, settings = services.clock(), services.settings
    queued, waiting, working = (
        clips_of(services, state) for state in (ClipState.QUEUED, ClipState.WAITING, ClipState.PROCESSING)
    )
    failed = clips_of(services, ClipState.FAILED, since=now - _FAILED_SINCE)
    oldest = max((now - clip.updated_at for clip in queued), default=timedelta())
    hooks = services.webhooks.depth() if services.webhooks is not None else None
    folders = [settings.data, *([settings.database_path.parent] if settings.uses_sqlite else [])]
    content = {
        "queue": asdict(services.queue.depth()),
        "webhooks": None if hooks is None else asdict(hooks),
        "clips": {"queued": len(queued), "waiting": len(waiting), "processing": len(working)},
        "oldest_queued_seconds": round(oldest.total_seconds(), 3),
        "waiting_for": dict(Counter(clip.waits_for for clip in waiting).most_common()),
        "failed_last_day": dict(Counter(clip.failure.reason for clip in failed if clip.failure).most_common()),
        "workers": running(settings.data),
        "workers_of_another_database": (
            started_with_another_file(settings.data, settings.database_path) if settings.uses_sqlite else []
        ),
        "disk_free": min(shutil.disk_usage(folder).free for folder in folders),
    }
    return {**content, "attention": attention(content, queued, max_age, now)}


def attention(content: dict[str, Any], queued: list[Clip], max_age: timedelta, now: datetime) -> list[str]:
    """Return what needs attention, one sentence each. Pure."""
    found = []
    dead = content["queue"]["dead"]
    if dead:
        found.append(f"There are {dead} dead letters. To list them: cutback dead-letters")
    if content["webhooks"] and content["webhooks"]["dead"]:
        found.append(
            f"{content['webhooks']['dead']} webhooks failed. To list them: cutback dead-letters --queue webhooks"
        )
    if queued and not content["workers"]:
        found.append("Clips are queued, but no worker runs on this machine. To start workers: cutback up")
    old = [clip for clip in queued if now - clip.updated_at > max_age]
    if old:
        reasons = Counter(clip.failure.reason for clip in old if clip.failure).most_common(1)
        because = f", most of them because of {reasons[0][0]}" if reasons else ""
        found.append(f"{len(old)} clips have been queued for more than {max_age.total_seconds():.0f} s{because}.")
    if content["workers_of_another_database"]:
        found.append(
            "The database was replaced while workers run; what was queued in the old one is not in this one. "
            "Restart the workers."
        )
    if content["disk_free"] < _LITTLE_ROOM:
        found.append(f"The disk of the data folder or the database has {content['disk_free']} bytes left.")
    return found


def clips_of(services: Services, state: ClipState, *, since: datetime | None = None) -> list[Clip]:
    """Return the clips in this state, newest first, at most `MOST`."""
    from cutback.ports import ClipQuery

    found: list[Clip] = []
    cursor: str | None = None
    while len(found) < MOST:
        page = services.records.list_clips(ClipQuery(states=(state,), created_from=since), limit=_PAGE, cursor=cursor)
        found += page.clips
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def _show(screen: Screen, content: dict[str, Any]) -> None:
    from rich.table import Table

    from cutback.cli.views import formatting

    queue, clips = content["queue"], content["clips"]
    oldest = f", the oldest for {content['oldest_queued_seconds']:.0f} s" if clips["queued"] else ""
    rows = [
        ("queue", f"{queue['visible']} ready, {queue['in_flight']} in progress, {queue['delayed']} delayed"),
        ("queued", f"{clips['queued']}{oldest}"),
        ("in progress", str(clips["processing"])),
        ("waiting", f"{clips['waiting']} for footage{_counts(content['waiting_for'])}"),
        ("failed", f"{sum(content['failed_last_day'].values())} in the last day{_counts(content['failed_last_day'])}"),
        ("dead letters", str(queue["dead"])),
        ("workers", f"{len(content['workers'])} on this machine"),
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


def _counts(counts: dict[str, int]) -> str:
    shown = ", ".join(f"{name} {count}" for name, count in list(counts.items())[:5])
    return f" ({shown})" if shown else ""
