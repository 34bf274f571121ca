"""A steady load on a cluster: clients that request clips and read them, and others that follow the event stream."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from cutback.client import Client

_PAUSE_SECONDS = 0.05
_ONE_CLIP_IN = 15
"""One of so many requests asks for a clip, the others read."""


class ClusterLoad:
    """Clients in threads. Each repeats what is safe to repeat, as `cutback.Client` does; what then fails counts."""

    def __init__(self, url: str, source: dict[str, Any], *, askers: int = 4, streams: int = 3) -> None:
        """Prepare it; entering the context starts it. All clips are cut from `source`."""
        self._url, self._source = url, source
        self.phase = "before"
        """What is going on; the samples are kept apart by it."""
        self.errors: list[str] = []
        self.accepted: list[str] = []
        """The ids of clips that the API has accepted."""
        self.samples: dict[str, list[float]] = defaultdict(list)
        """Seconds that requests took, with the pauses between the client's tries, by the phase in which they began."""
        self.received: list[list[str]] = [[] for _ in range(streams)]
        """The ids of the events that each stream has delivered."""
        self._stop = threading.Event()
        self._askers = [threading.Thread(target=self._ask, args=[number], daemon=True) for number in range(askers)]
        self._streams = [Client(url) for _ in range(streams)]
        self._followers = [
            threading.Thread(target=self._follow, args=pair, daemon=True)
            for pair in zip(self._streams, self.received, strict=True)
        ]

    def __enter__(self) -> Self:
        for thread in [*self._followers, *self._askers]:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_asking()
        for client in self._streams:
            client.close()

    def stop_asking(self) -> None:
        """Request nothing more. The event streams go on."""
        self._stop.set()
        for thread in self._askers:
            thread.join()

    @property
    def answered(self) -> int:
        """How many requests were answered in this phase."""
        return len(self.samples[self.phase])

    def everything(self) -> list[str]:
        """Return the ids of all events of the log, read page by page."""
        ids: list[str] = []
        after = "0"
        with Client(self._url) as client:
            while True:
                page = client._ask(  # noqa: SLF001 - it has no method for pages
                    "GET", "/v1/events", params={"after": after, "limit": 200}, headers={"Accept": "application/json"}
                ).json()
                ids += [event["id"] for event in page["items"]]
                if page["next"] == after:
                    return ids
                after = page["next"]

    def _ask(self, number: int) -> None:
        turn = 0
        mine: list[str] = []
        with Client(self._url) as client:
            while not self._stop.wait(_PAUSE_SECONDS):
                phase, began = self.phase, time.monotonic()
                try:
                    if turn % _ONE_CLIP_IN == 0:
                        name = f"wave-{number}-{turn}"
                        client.submit({"id": name, "source": self._source, "output": {"precision": "instant"}})
                        mine.append(name)
                        self.accepted.append(name)
                    elif turn % 2:
                        client.get(mine[turn % len(mine)])
                    else:
                        next(client.clips(limit=20))
                except Exception as error:  # noqa: BLE001 - whatever it is, a user would have seen it
                    self.errors.append(f"{phase}: {type(error).__name__}: {error}")
                self.samples[phase].append(time.monotonic() - began)
                turn += 1

    def _follow(self, client: Client, received: list[str]) -> None:
        with suppress(RuntimeError):  # the client is closed
            for event in client.events(after=0):
                received.append(event.data["id"])  # noqa: PERF401 - others look at it meanwhile
