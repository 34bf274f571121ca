"""The live view of `cutback up`: queue, clips by state, clips in progress, latest events."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cutback.cli.commands.events import drain, event_line, say
from cutback.cli.console import escape
from cutback.cli.screen import Screen
from cutback.cli.views import formatting
from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.clips.event import Event
from cutback.domain.errors import SurroundingsError
from cutback.ports import ClipQuery, QueueDepth
from cutback.services import Services
from cutback.worker.crew import Crew

_TICK_SECONDS = 0.25
_KNOWN = 1000
"""How many of the newest clips are counted by state."""
_EVENTS = 8


class View:
    """The current state; `read` updates it."""

    def __init__(self, services: Services, title: str = "cutback up") -> None:
        """Read the state of the newest clips. `title` is the command."""
        self._services, self._title = services, title
        self._states: OrderedDict[str, str] = OrderedDict()
        self._events: deque[Text] = deque(maxlen=_EVENTS)
        self._counted = QueueDepth(0, 0, 0, 0), QueueDepth(0, 0, 0, 0)
        self._count_at = 0.0
        for clip in reversed(services.records.list_clips(ClipQuery(), limit=_KNOWN).clips):
            self._states[clip.id] = clip.state.value
        self._position = services.records.last_position()

    def read(self) -> Iterator[tuple[int, Event]]:
        """Apply the events since the last call; yield each with its position."""
        for position, event in drain(self._services.records, self._position):
            self._position = position
            self._apply(event)
            yield position, event

    def _apply(self, event: Event) -> None:
        self._states[event.subject] = str(event.data["state"])
        while len(self._states) > _KNOWN:
            self._states.popitem(last=False)
        self._events.append(event_line(event))

    def render(self, running: int) -> RenderableType:
        """Draw the current view, with this number of running workers."""
        settings, now = self._services.settings, self._services.clock()
        head = Text.assemble(
            (self._title, "bold"),
            (f"  {settings.data}  ", "dim"),
            (f"{running} of {settings.workers} workers", "green" if running == settings.workers else "yellow"),
            ("  Ctrl-C stops", "dim"),
        )
        try:
            body: list[RenderableType] = [self._numbers(), *self._working(now)]
        except SurroundingsError as error:
            body = [Text(f"{error.reason}: {error.message}", style="red")]
        last: list[RenderableType] = [Text(), Text("lately", style="bold"), *self._events] if self._events else []
        return Group(head, Text(), *body, *last)

    def _numbers(self) -> Table:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim")
        grid.add_column()
        waiting, hooks = self._depths()
        grid.add_row("queue", _depth(waiting))
        if hooks.visible or hooks.in_flight or hooks.delayed or hooks.dead:
            grid.add_row("webhooks", _depth(hooks))
        counts = Counter(self._states.values())
        states = Text(" · ").join(
            Text(f"{counts[state.value]} {state}", style=formatting.STATE_STYLES[state])
            for state in ClipState
            if counts[state.value]
        )
        grid.add_row("clips", states if counts else Text("none yet. Try: cutback submit --help", style="dim"))
        return grid

    def _depths(self) -> tuple[QueueDepth, QueueDepth]:
        now = time.monotonic()
        if now >= self._count_at:
            services = self._services
            hooks = services.webhooks.depth() if services.webhooks is not None else QueueDepth(0, 0, 0, 0)
            self._counted = services.queue.depth(), hooks
            # Rarely: SQS's numbers are approximate anyway, and each call costs money.
            self._count_at = now + (5 if services.settings.queue_url else 0)
        return self._counted

    def _working(self, now: datetime) -> list[RenderableType]:
        query = ClipQuery(states=(ClipState.PROCESSING,))
        clips = self._services.records.list_clips(query, limit=min(self._services.settings.workers, 16)).clips
        if not clips:
            return []
        grid = Table.grid(padding=(0, 2))
        for clip in clips:
            grid.add_row(*_row(clip, now))
        return [Text(), Text("in progress", style="bold"), grid]


def follow(screen: Screen, view: View, crew: Crew, stop: threading.Event) -> None:
    """Tend the workers and show what happens until `stop` is set: the view on a terminal, otherwise a line an event."""
    with Live(console=screen.err, transient=True, auto_refresh=False) as live:
        while not stop.wait(_TICK_SECONDS):
            crew.tend()
            for position, event in view.read():
                if not screen.live:
                    say(screen, position, event)
            if screen.live:
                live.update(view.render(crew.running), refresh=True)
    if screen.live:
        screen.hint("Stopping: unfinished work returns to the queue …")


def _row(clip: Clip, now: datetime) -> tuple[RenderableType, ...]:
    since = (now - clip.updated_at).total_seconds()
    return (
        escape(clip.id),
        formatting.bar(clip.progress.fraction),
        f"{clip.progress.fraction:>4.0%}",
        Text(f"{max(since, 0):.0f} s", style="dim"),
    )


def _depth(depth: QueueDepth) -> Text:
    text = Text(f"{depth.visible} available · {depth.in_flight} in progress · {depth.delayed} delayed")
    if depth.dead:
        text.append(f" · {depth.dead} dead letters (cutback dead-letters)", style="red")
    return text
