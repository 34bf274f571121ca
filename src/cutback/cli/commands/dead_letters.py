"""`cutback dead-letters` and `cutback redrive`: lists dead letters, and sends them back to their queue."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutback.cli import completion
from cutback.cli.command import command
from cutback.cli.console import escape
from cutback.cli.exit_codes import DeadLetterNotFoundError
from cutback.cli.screen import Screen
from cutback.domain.errors import SettingsError, WrongUsageError

if TYPE_CHECKING:
    from cutback.domain.cameras.local_time import Zones
    from cutback.ports import DeadLetter, Queue
    from cutback.services import Services


class QueueName(StrEnum):
    """The queues."""

    CLIPS = "clips"
    WEBHOOKS = "webhooks"


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

    services = screen.existing()
    letters, zones = queue_of(services, queue).dead_letters(limit=limit), services.settings.zones
    screen.document({"queue": queue.value, "dead_letters": [as_dict(letter, zones) for letter in letters]})
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
        about = subject(letter, zones) or "?"
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
    from cutback.lifecycle import accept

    if bool(ids) == everything:
        raise WrongUsageError("Name dead letters by id, or use --all.")
    services = screen.existing()
    zones = services.settings.zones
    wanted = None if everything else chosen(queue_of(services, queue).dead_letters(limit=1000), ids or [], zones)
    clips = queue is QueueName.CLIPS
    count = accept.redrive(services, wanted) if clips else queue_of(services, queue).redrive(wanted)
    screen.document({"queue": queue.value, "redriven": count})
    screen.show(f"[green]✓[/] {count} sent back" if count else "[dim]There are no dead letters.[/]")


def chosen(letters: Iterable[DeadLetter], names: list[str], zones: Zones | None = None) -> set[str]:
    """Return the ids of dead letters, given their own ids or their clips'.

    Raises:
        DeadLetterNotFoundError: a name is neither.
    """
    known = list(letters)
    ids: set[str] = set()
    for name in names:
        found = {letter.id for letter in known if name in {letter.id, subject(letter, zones)}}
        if not found:
            raise DeadLetterNotFoundError(f"The id is {name}. To list them: cutback dead-letters")
        ids |= found
    return ids


def queue_of(services: Services, name: QueueName) -> Queue:
    """Return the queue with that name.

    Raises:
        SettingsError: webhooks are not available with these settings.
    """
    found = services.queue if name is QueueName.CLIPS else services.webhooks
    if found is None:
        raise SettingsError("\n- CUTBACK_WEBHOOK_QUEUE_URL is not set, so there is no queue for webhooks")
    return found


def subject(letter: DeadLetter, zones: Zones | None = None) -> str | None:
    """Return the id of the clip or event that a dead letter is about; None if it cannot be read.

    `zones` are those of the cameras: see `validate_request`.
    """
    from cutback.domain.base import read_json
    from cutback.domain.errors import InvalidRequestError
    from cutback.domain.requests.request import validate_request

    try:
        content = read_json(letter.body)
        if isinstance(content, dict) and "event" in content:
            return str(content.get("id", ""))[:200]
        return validate_request(content, zones).id
    except InvalidRequestError:
        return None


def as_dict(letter: DeadLetter, zones: Zones | None = None) -> dict[str, Any]:
    """Return a dead letter in the form for programs."""
    from cutback.domain.base import iso

    return {
        "id": letter.id,
        "subject": subject(letter, zones),
        "reason": letter.reason,
        "receive_count": letter.receive_count,
        "died_at": iso(letter.died_at),
        "body": letter.body,
    }
