"""`cutback dead-letters` and `cutback redrive`: lists dead letters, and sends them back to their queue."""

from __future__ import annotations

from typing import Annotated

import typer

from cutback.cli import completion
from cutback.cli.command import command
from cutback.cli.console import escape
from cutback.cli.screen import Screen
from cutback.domain.errors import WrongUsageError
from cutback.lifecycle.dead_letters import QueueName

QueueOption = Annotated[QueueName, typer.Option("--queue", help="Use the dead letters of this queue.")]


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands."""
    command(app, "dead-letters", panel=panel, examples=(("", ""), ("--queue webhooks --json", "")))(dead_letters)
    command(
        app,
        "redrive",
        panel=panel,
        examples=(
            ("--all", "send all back, after fixing the cause"),
            ("wave-7", "send one back, by its clip's id or its own"),
        ),
    )(redrive)


def dead_letters(
    screen: Screen,
    queue: QueueOption = QueueName.CLIPS,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show at most this many.")] = 100,
) -> None:
    """List the messages that failed every retry or were refused, newest first."""
    from cutback.cli.views import formatting
    from cutback.lifecycle.dead_letters import as_dict, queue_of, subject

    services = screen.existing()
    letters, rules = queue_of(services, queue).dead_letters(limit=limit), services.settings.request_rules
    screen.document({"queue": queue.value, "dead_letters": [as_dict(letter, rules) for letter in letters]})
    if not letters:
        screen.hint("No dead letters.")
        return
    table = formatting.table(
        "dead letter",
        "clip" if queue is QueueName.CLIPS else "event",
        "tries",
        "died",
        "reason",
        right=["tries"],
        clipped=["reason"],
    )
    now = services.clock()
    for letter in letters:
        about = subject(letter, rules) or "?"
        died = formatting.ago(letter.died_at, now)
        table.add_row(letter.id, escape(about), str(letter.receive_count), died, formatting.line(letter.reason))
    screen.show(table)
    screen.hint("To send them back: cutback redrive --all" + ("" if queue is QueueName.CLIPS else " --queue webhooks"))


def redrive(
    screen: Screen,
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...", help="Ids of dead letters or their clips.", autocompletion=completion.dead_letters
        ),
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Send all of them back.")] = False,
    queue: QueueOption = QueueName.CLIPS,
) -> None:
    """Send dead letters back to their queue, to retry them. Fix the cause first."""
    from cutback.lifecycle import dead_letters as letters

    if bool(ids) == everything:
        raise WrongUsageError("Name dead letters by id, or use --all.")
    services = screen.existing()
    count = letters.redrive(services, queue, None if everything else ids)
    screen.document({"queue": queue.value, "redriven": count})
    screen.show(f"[green]✓[/] {count} sent back" if count else "[dim]There are no dead letters.[/]")
