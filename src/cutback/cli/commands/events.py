"""`cutback events`: shows past and new events."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cutback.cli.command import command
from cutback.cli.screen import Screen, print_json

if TYPE_CHECKING:
    from cutback.domain.clips.event import Event
    from cutback.ports import Records

POLL_SECONDS = 0.3
_PAGE = 200


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(
        app,
        "events",
        panel=panel,
        examples=(
            ("--follow", "show new events until Ctrl-C"),
            ("--after 0 --json", "print all events as CloudEvents, one per line"),
        ),
    )(events)


def events(
    screen: Screen,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Also show new events, until Ctrl-C.")] = False,
    after: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Show the events after position N instead of the newest 20.")
    ] = None,
) -> None:
    """Show what happened to clips, in order.

    With --json, every line is one CloudEvent with its `position`.
    """
    from cutback.worker.signals import stopping_on_signals

    services = screen.existing()
    last = services.records.last_position()
    position = after if after is not None else last if follow else max(0, last - 20)
    stop = threading.Event()
    with stopping_on_signals(stop):
        for found in drain(services.records, position):
            position = say(screen, *found)
        while follow and not stop.wait(POLL_SECONDS):
            for found in drain(services.records, position):
                position = say(screen, *found)


def drain(records: Records, position: int) -> Iterator[tuple[int, Event]]:
    """Yield all events after a position."""
    while page := records.events_after(position, limit=_PAGE):
        yield from page
        position = page[-1][0]


def say(screen: Screen, position: int, event: Event) -> int:
    """Show one event. Returns its position."""
    if screen.json:
        print_json({**event.model_dump(mode="json"), "position": position})
    else:
        screen.out.print(event_line(event), soft_wrap=True)
    return position


def event_line(event: Event) -> Text:
    """Format an event as one line: time, state, clip, and a reason or result."""
    from cutback.cli.views import formatting
    from cutback.domain.clips.clip import ClipState

    state = event.type.removeprefix("clip.")
    style = formatting.STATE_STYLES.get(ClipState(state), "") if state in set(ClipState) else ""
    line = Text.assemble(
        (f"{event.time.astimezone(UTC):%H:%M:%S}Z ", "dim"), (f"{state:<11}", style), (event.subject, "bold")
    )
    failure, result = event.data.get("failure"), event.data.get("result")
    if failure and state in {"failed", "queued"}:
        line.append(f"  {failure['reason']}", style="red" if state == "failed" else "yellow")
    elif result:
        line.append(f"  {float(result['duration']):.3f} s, {formatting.size(result['size'])}", style="dim")
    elif event.data.get("request", {}).get("title"):
        line.append(f"  {event.data['request']['title']}", style="dim")
    return line
