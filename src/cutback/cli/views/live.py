"""The live view of `cutback up`: queue, clips by state, clips in progress, latest events."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, deque
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cutback.cli.commands.events import event_line
from cutback.cli.console import escape
from cutback.cli.views import formatting
from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.clips.event import Event
from cutback.domain.errors import SurroundingsError
from cutback.ports import ClipQuery, QueueDepth
from cutback.services import Services

_KNOWN = 1000
"""How many of the newest clips are counted by state."""
_EVENTS = 8


class View:
    """The current state; `follow` updates it."""

    def __init__(self, services: Services) -> None:
        """Read the state of the newest clips."""
        self._services = services
        self._states: OrderedDict[str, str] = OrderedDict()
        self._events: deque[Text] = deque(maxlen=_EVENTS)
        self._counted = QueueDepth(0, 0, 0, 0), QueueDepth(0, 0, 0, 0)
        self._count_at = 0.0
        for clip in reversed(services.records.list_clips(ClipQuery(), limit=_KNOWN).clips):
            self._states[clip.id] = clip.state.value

    def follow(self, event: Event) -> None:
        """Apply an event."""
        self._states[event.subject] = str(event.data["state"])
        while len(self._states) > _KNOWN:
            self._states.popitem(last=False)
        self._events.append(event_line(event))

    def render(self, running: int) -> RenderableType:
        """Draw the current view, with this number of running workers."""
        settings, now = self._services.settings, self._services.clock()
        head = Text.assemble(
            ("cutback up", "bold"),
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
