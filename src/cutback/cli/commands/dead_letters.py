"""`cutback dead-letters` and `cutback redrive`: what was given up, and how it comes back."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutback.cli.command import command
from cutback.cli.console import escape
from cutback.cli.exit_codes import DeadLetterNotFoundError
from cutback.cli.screen import Screen
from cutback.domain.errors import SettingsError, WrongUsageError

if TYPE_CHECKING:
    from cutback.ports import DeadLetter, Queue
    from cutback.services import Services


class QueueName(StrEnum):
    """The queues there are."""

    CLIPS = "clips"
    WEBHOOKS = "webhooks"


QueueOption = Annotated[QueueName, typer.Option("--queue", help="Which queue's.")]


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands."""
    command(app, "dead-letters", panel=panel, examples=(("", ""), ("--queue webhooks --json", "")))(dead_letters)
    command(
        app,
        "redrive",
        panel=panel,
        examples=(("--all", "everything, once the cause is mended"), ("wave-7", "one, by its clip's id or its own")),
    )(redrive)


def dead_letters(
    screen: Screen,
    queue: QueueOption = QueueName.CLIPS,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
) -> None:
    """List what was given up, the newest first."""
    from cutback.cli.views import formatting

    services = screen.existing()
    letters = queue_of(services, queue).dead_letters(limit=limit)
    screen.document({"queue": queue.value, "dead_letters": [as_dict(letter) for letter in letters]})
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
        about = subject(letter) or "?"
        died = formatting.ago(letter.died_at, now)
        table.add_row(letter.id, escape(about), str(letter.receive_count), died, formatting.line(letter.reason))
    screen.show(table)
    screen.hint("Bring them back: cutback redrive --all" + ("" if queue is QueueName.CLIPS else " --queue webhooks"))


def redrive(
    screen: Screen,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Dead letters or their clips.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    queue: QueueOption = QueueName.CLIPS,
) -> None:
    """Bring dead letters back to their queue, to be tried anew."""
    from cutback.lifecycle import accept

    if bool(ids) == everything:
        raise WrongUsageError("Name dead letters by id, or say --all.")
    services = screen.existing()
    wanted = None if everything else chosen(queue_of(services, queue).dead_letters(limit=1000), ids or [])
    clips = queue is QueueName.CLIPS
    count = accept.redrive(services, wanted) if clips else queue_of(services, queue).redrive(wanted)
    screen.document({"queue": queue.value, "redriven": count})
    screen.show(f"[green]✓[/] {count} brought back" if count else "[dim]There is none to bring back.[/]")


def chosen(letters: Iterable[DeadLetter], names: list[str]) -> set[str]:
    """The dead letters' own ids for names that are theirs or their clips'.

    Raises:
        DeadLetterNotFoundError: a name is neither.
    """
    known = list(letters)
    ids: set[str] = set()
    for name in names:
        found = {letter.id for letter in known if name in {letter.id, subject(letter)}}
        if not found:
            raise DeadLetterNotFoundError(f"It is {name}; cutback dead-letters lists them.")
        ids |= found
    return ids


def queue_of(services: Services, name: QueueName) -> Queue:
    """The queue of that name.

    Raises:
        SettingsError: there are no webhooks here.
    """
    found = services.queue if name is QueueName.CLIPS else services.webhooks
    if found is None:
        raise SettingsError("\n- CUTBACK_WEBHOOK_QUEUE_URL is not set, so there is no queue of webhooks")
    return found


def subject(letter: DeadLetter) -> str | None:
    """Whom a letter is about: a clip's id, or an event's. None where it says nothing sensible."""
    from cutback.domain.base import read_json
    from cutback.domain.errors import InvalidRequestError
    from cutback.domain.requests.request import validate_request

    try:
        content = read_json(letter.body)
        if isinstance(content, dict) and "event" in content:
            return str(content.get("id", ""))[:200]
        return validate_request(content).id
    except InvalidRequestError:
        return None


def as_dict(letter: DeadLetter) -> dict[str, Any]:
    """A dead letter for programs."""
    from cutback.domain.base import iso

    return {
        "id": letter.id,
        "subject": subject(letter),
        "reason": letter.reason,
        "receive_count": letter.receive_count,
        "died_at": iso(letter.died_at),
        "body": letter.body,
    }
