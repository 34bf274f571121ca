"""Announces events on NATS: a stream keeps them, with a subject for each camera and state."""

from __future__ import annotations

import re

from cutback.adapters.event_message import attributes, event_text
from cutback.adapters.nats.connection import ROOM, NatsConnection, NoAnswerError, RefusedError
from cutback.adapters.nats.messages import DEDUPLICATION
from cutback.adapters.nats.streams import EVENTS_KEPT, SUBJECTS_TAKEN, create_stream, wrong_set_up
from cutback.domain.clips.event import Answer, Event
from cutback.domain.errors import SurroundingsError
from cutback.settings.nats_address import NatsSubjects

NOTHING = "_"
"""Stands in a subject where an event has no camera, or several."""

_NOT_IN_SUBJECTS = re.compile(r"[^A-Za-z0-9_-]")


class NatsAnnouncer:
    """An Announcer. An event is published on `<prefix>.<camera>.<state>` as a CloudEvent in JSON.

    A stream keeps the events for a week. An event that is announced again within two minutes is stored once.
    """

    def __init__(self, connection: NatsConnection, address: NatsSubjects, *, setting: str) -> None:
        """Prepare; nothing is sent yet. The first event creates the stream unless there is one for its subject."""
        self._connection = connection
        self._address = address
        self._setting = setting
        self._ready = False

    def close(self) -> None:
        """Close the connection. It opens again if it is used again."""
        self._connection.close()

    def announce(self, event: Event) -> None:
        """Publish the event. On return, most of the stream's replicas have it.

        Raises:
            SurroundingsError: the servers did not confirm it; announce it again.
        """
        try:
            self._connection.run(self._publish(event))
        except NoAnswerError:
            raise
        except RefusedError as error:
            servers = self._connection.servers
            cause = wrong_set_up(error, servers, self._address.replicas)
            told = cause or f"{servers}: JetStream did not take the event ({error.code})."
            raise SurroundingsError(f"{self._setting}: {told}") from None

    async def _publish(self, event: Event) -> None:
        if not self._ready:
            await self._create()
        client = await self._connection.client()
        text = event_text(event, most=client.max_payload - ROOM)
        kind = "application/json" if isinstance(event, Answer) else "application/cloudevents+json; charset=utf-8"
        await self._connection.ask(
            subject(self._address.prefix, event),
            text.encode(errors="replace"),
            headers={DEDUPLICATION: event.id, "Content-Type": kind},
            absent=self._create,
        )

    async def _create(self) -> None:
        await create_events_stream(self._connection, self._address.prefix, self._address.replicas)
        self._ready = True


def subject(prefix: str, event: Event) -> str:
    """Return the subject of an event. In a camera's name, characters other than letters, digits, - and _ become _."""
    found = attributes(event)
    words = (_NOT_IN_SUBJECTS.sub(NOTHING, found.get(name, "")) or NOTHING for name in ("camera", "state"))
    return ".".join((prefix, *words))


async def create_events_stream(connection: NatsConnection, prefix: str, replicas: int) -> None:
    """Create the stream that keeps the events, unless it exists or another one keeps them. Raises RefusedError."""
    wanted = {
        "name": prefix.replace(".", "-"),
        "subjects": [f"{prefix}.*.*"],
        "retention": "limits",
        "max_age": int(EVENTS_KEPT.total_seconds() * 1e9),
    }
    try:
        await create_stream(connection, wanted, replicas=replicas)
    except RefusedError as error:
        if error.code != SUBJECTS_TAKEN:
            raise
