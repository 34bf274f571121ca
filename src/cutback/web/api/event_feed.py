"""Follows the event log once for all event streams of a process, and keeps the newest events in memory for them.

A thread reads the log. It looks when the counter in the cache changes, which every change of a clip does, and now and
then in any case, because a counter may be lost. Streams keep nothing but their position: one that is where the memory
is reads from there, one that is further back reads pages of the log itself, and one that has fallen behind is ended.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from cutback.domain.clips.event import Event
from cutback.domain.clips.webhook import cameras_of
from cutback.domain.errors import CutbackError
from cutback.domain.requests.ids import stored_id
from cutback.ports import EVENT_COUNTER, Records
from cutback.services import Services
from cutback.web.api.http_protocol import chunk_of

log = logging.getLogger(__name__)

PAGE = 200
"""Maximum events that are read or passed on at once."""

_MOST_EVENTS = 2_000
_MOST_BYTES = 16 * 1024 * 1024
_TICK_SECONDS = 0.04
"""Between two looks at the counter."""
_IDLE_SECONDS = 30.0
"""After the last stream has ended, the log is followed for this long."""


@dataclass(frozen=True)  # no slots: block and chunk are kept beside the fields
class LoggedEvent:
    """An event of the log, with what streams choose by."""

    position: int
    event: Event
    tenant: str
    state: str
    clip_ids: frozenset[str]
    """The id that its tenant knows, and the one under which it is stored."""
    cameras: frozenset[str]

    @classmethod
    def of(cls, position: int, event: Event) -> LoggedEvent:
        """Take from the event what streams choose by."""
        tenant = str(event.data.get("tenant", ""))
        return cls(
            position,
            event,
            tenant=tenant,
            state=event.type.removeprefix("clip."),
            clip_ids=frozenset({event.subject, stored_id(tenant, event.subject)}),
            cameras=cameras_of(event),
        )

    @cached_property
    def block(self) -> bytes:
        """The event as a block of a stream; made once for all streams."""
        text = json.dumps(self.event.body(), ensure_ascii=False, separators=(",", ":"))
        return f"id: {self.position}\nevent: {self.event.type}\ndata: {text}\n\n".encode()

    @cached_property
    def chunk(self) -> bytes:
        """The block as a chunk of an HTTP/1.1 body; made once, too."""
        return chunk_of(self.block)


class Listener(Protocol):
    """What the feed calls while a stream waits. Always in the stream's event loop."""

    def news(self) -> None:
        """Note that there may be an event, or that the feed is closed."""


class EventFeed:
    """The newest events, and a way to wait for others. Its methods may be called from any thread or event loop."""

    def __init__(self, services: Services, *, most_events: int = _MOST_EVENTS) -> None:
        """Nothing is read before the first stream begins. At most `most_events` are kept in memory."""
        self._records: Records = services.records
        self._cache = services.cache
        self._look_seconds = look_seconds(
            shared_counter=bool(services.settings.cache_url) or services.settings.wakes_by_nats,
            local_records=services.settings.local_records,
        )
        self._most_events = most_events
        self._lock = threading.Lock()
        self._events: list[LoggedEvent] = []
        self._sizes: list[int] = []
        self._floor = self._newest = 0
        self._listeners: dict[asyncio.AbstractEventLoop, set[Listener]] = {}
        self._streams = 0
        self._quiet_since = 0.0
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    @property
    def closed(self) -> bool:
        """Whether the process is stopping: streams end, and no new one may begin."""
        return self._stop.is_set()

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return self._streams

    def close(self) -> None:
        """End all streams, telling their clients to come back, and stop following the log."""
        self._stop.set()
        self._wake()

    def open(self) -> int:
        """Begin to follow the log, if nobody does. Returns its newest position. Blocks: not for an event loop.

        Raises:
            RecordsUnavailableError: the records do not answer.
        """
        last = self._records.last_position()
        with self._lock:
            if self._thread is None:
                # Clients that come back after a restart want the last few, so these are read first.
                self._floor = self._newest = max(0, last - PAGE)
                self._events, self._sizes = [], []
                self._thread = threading.Thread(target=self._follow, name="events", daemon=True)
                self._thread.start()
            self._quiet_since = time.monotonic()
        return last

    def count_stream(self, change: int) -> None:
        """Note that a stream has begun (1) or ended (-1). The log is followed while there are any."""
        with self._lock:
            self._streams += change
            self._quiet_since = time.monotonic()

    @property
    def floor(self) -> int:
        """The position after which events are in memory."""
        with self._lock:
            return self._floor

    @property
    def newest(self) -> int:
        """The position up to which the log has been followed."""
        with self._lock:
            return self._newest

    def since(self, position: int) -> Sequence[LoggedEvent] | None:
        """Return the next events after a position, from memory. None: the memory begins later."""
        with self._lock:
            if position < self._floor:
                return None
            first = bisect_right(self._events, position, key=_position_of)
            return self._events[first : first + PAGE]

    def read(self, position: int) -> Sequence[LoggedEvent]:
        """Return the next events after a position, from the log. Raises like the records."""
        return [LoggedEvent.of(*found) for found in self._records.events_after(position, limit=PAGE)]

    def listen(self, position: int, listener: Listener) -> bool:
        """Call the listener for everything after `position` until `forget`. False: there may be something already."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._newest > position or self._stop.is_set():
                return False
            self._listeners.setdefault(loop, set()).add(listener)
            return True

    def forget(self, listener: Listener) -> None:
        """Call the listener no more. To be called in its event loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            listeners = self._listeners.get(loop, set())
            listeners.discard(listener)
            if not listeners:
                self._listeners.pop(loop, None)

    # --- the thread ------------------------------------------------------------------------------

    def _follow(self) -> None:
        seen: int | None = None
        look_at = 0.0
        while not self._stop.wait(_TICK_SECONDS):
            with self._lock:
                if not self._streams and time.monotonic() > self._quiet_since + _IDLE_SECONDS:
                    self._thread = None
                    return
            count = self._cache.count(EVENT_COUNTER)
            if count == seen and time.monotonic() < look_at:
                continue
            seen, look_at = count, time.monotonic() + self._look_seconds
            try:
                while page := self.read(self._newest):
                    self._keep(page)
            except CutbackError as error:
                log.warning("stage=events postponed=yes reason=%s", error)
                seen = None
                self._stop.wait(1)
            except Exception:  # one event's bug must not end all streams for ever
                log.exception("stage=events postponed=yes")
                seen = None
                self._stop.wait(1)

    def _keep(self, page: Sequence[LoggedEvent]) -> None:
        with self._lock:
            self._events += page
            self._sizes += [_size(each.event) for each in page]
            self._newest = page[-1].position
            extra, size = 0, sum(self._sizes)
            while len(self._events) - extra > self._most_events or (size > _MOST_BYTES and extra < len(self._events)):
                size -= self._sizes[extra]
                extra += 1
            if extra:
                self._floor = self._events[extra - 1].position
                del self._events[:extra], self._sizes[:extra]
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            loops = list(self._listeners)
        for loop in loops:
            try:
                loop.call_soon_threadsafe(self._tell, loop)
            except RuntimeError:  # that loop is closed, and with it every stream that waited
                log.debug("an event loop was closed while a stream waited")
                with self._lock:
                    self._listeners.pop(loop, None)

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            listeners = list(self._listeners.get(loop, ()))
        for listener in listeners:
            listener.news()


def look_seconds(*, shared_counter: bool, local_records: bool) -> float:
    """Return the seconds between two looks at the log without a change of the counter. Pure.

    Without a shared counter, other processes' changes are only seen by looking. That is cheap on this machine.
    """
    if shared_counter:
        return 2.0
    return 0.0 if local_records else 0.5


def _size(event: Event) -> int:
    return 2000 + 2 * len(str(event.data))


def _position_of(logged: LoggedEvent) -> int:
    return logged.position
