"""The streams and the consumer of a queue: created if they do not exist, and checked."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cutback.adapters.nats.connection import NatsConnection, RefusedError
from cutback.adapters.nats.messages import Names
from cutback.domain.errors import QueueUnavailableError, SettingsError
from cutback.settings.nats_address import NatsServers

log = logging.getLogger(__name__)

DUPLICATES = timedelta(minutes=2)
"""For how long JetStream recognizes a message that is sent twice. A repeated request comes within seconds."""

EVENTS_KEPT = timedelta(days=7)
"""For how long the stream of events keeps each."""

_MOST_WAITING = 16_384
"""Workers that may wait for a message at the same time."""
_NO_STREAM = 10059
_NO_CONSUMER = 10014
MISSING = {_NO_STREAM, _NO_CONSUMER}
"""Codes of JetStream for what was deleted, or never created."""
SUBJECTS_TAKEN = 10065
"""Another stream has these subjects."""
_NAME_TAKEN = 10058
_CONSUMER_TAKEN = {10013, 10105, 10148}
_NOT_ENABLED = {10039, 10076}
_TOO_FEW_SERVERS = {10005, 10074}


async def create_stream(connection: NatsConnection, wanted: Mapping[str, Any], *, replicas: int) -> dict[str, Any]:
    """Create a stream unless one of this name exists; return its configuration.

    Raises:
        RefusedError: it cannot be created.
        NoAnswerError: the servers do not answer.
    """
    name = wanted["name"]
    try:
        found = await connection.ask(f"$JS.API.STREAM.INFO.{name}")
    except RefusedError as error:
        if error.code != _NO_STREAM:
            raise
        config = {
            "storage": "file",
            "num_replicas": replicas,
            "duplicate_window": _nanoseconds(DUPLICATES),
            "max_consumers": -1,
            "max_msgs": -1,
            "max_bytes": -1,
            **wanted,
        }
        try:
            found = await connection.ask(f"$JS.API.STREAM.CREATE.{name}", config)
            log.info("stream=%s replicas=%d created", name, replicas)
        except RefusedError as taken:
            if taken.code != _NAME_TAKEN:
                raise
            found = await connection.ask(f"$JS.API.STREAM.INFO.{name}")
    created = dict(found["config"])
    if int(created["num_replicas"]) < replicas:
        log.warning(
            "stream=%s num_replicas=%s reason=fewer than the %d wanted; change the stream to have more",
            name, created["num_replicas"], replicas,
        )  # fmt: skip
    return created


@dataclass(frozen=True, slots=True)
class Streams:
    """Creates what a queue needs."""

    connection: NatsConnection
    names: Names
    replicas: int
    visibility: timedelta
    setting: str

    async def prepare(self) -> timedelta:
        """Create the streams and the consumer unless they exist. Returns the consumer's visibility timeout.

        What exists is not changed. Processes that do this at the same time do not disturb each other.

        Raises:
            SettingsError: the servers cannot offer them, or they exist but are unsuitable.
            QueueUnavailableError: the servers do not answer.
        """
        try:
            queue = await create_stream(
                self.connection,
                {
                    "name": self.names.stream,
                    "subjects": [self.names.new, self.names.again, self.names.later],
                    "retention": "workqueue",
                    "allow_msg_schedules": True,
                },
                replicas=self.replicas,
            )
            await create_stream(
                self.connection,
                {
                    "name": self.names.dead_stream,
                    "subjects": [self.names.dead],
                    "retention": "limits",
                    "max_msgs_per_subject": 1,
                },
                replicas=self.replicas,
            )
            self._check(queue)
            return await self._consumer()
        except RefusedError as error:
            raise self._translated(error) from None

    def _check(self, config: dict[str, Any]) -> None:
        subjects = config.get("subjects", [])
        wanted = {self.names.new, self.names.again, self.names.later}
        covered = wanted <= set(subjects) or f"cutback.queue.{self.names.stream}.>" in subjects
        if config.get("retention") != "workqueue" or not config.get("allow_msg_schedules") or not covered:
            raise SettingsError(
                f"\n- {self.setting}: the stream {self.names.stream} exists, but was not made for a queue; "
                "choose another name, or see docs/queues.md for how it must be configured"
            )

    async def _consumer(self) -> timedelta:
        stream, name = self.names.stream, self.names.consumer
        try:
            found = await self.connection.ask(f"$JS.API.CONSUMER.INFO.{stream}.{name}")
        except RefusedError as error:
            if error.code != _NO_CONSUMER:
                raise
            config = {
                "name": name,
                "durable_name": name,
                "ack_policy": "explicit",
                "ack_wait": _nanoseconds(self.visibility),
                "deliver_policy": "all",
                "filter_subjects": [self.names.new, self.names.again],
                # The queue counts deliveries itself: JetStream would only stop delivering, and keep the message.
                "max_deliver": -1,
                "max_ack_pending": -1,
                "max_waiting": _MOST_WAITING,
            }
            try:
                found = await self.connection.ask(
                    f"$JS.API.CONSUMER.CREATE.{stream}.{name}",
                    {"stream_name": stream, "action": "create", "config": config},
                )
            except RefusedError as taken:
                if taken.code not in _CONSUMER_TAKEN:
                    raise
                found = await self.connection.ask(f"$JS.API.CONSUMER.INFO.{stream}.{name}")
        return timedelta(microseconds=int(found["config"]["ack_wait"]) / 1000)

    def _translated(self, error: RefusedError) -> SettingsError | QueueUnavailableError:
        servers = self.connection.servers
        cause = wrong_set_up(error, servers, self.replicas)
        if cause:
            return SettingsError(f"\n- {self.setting}: {cause}")
        return QueueUnavailableError(f"{servers}: the stream {self.names.stream} cannot be created or read.")


def wrong_set_up(error: RefusedError, servers: NatsServers, replicas: int) -> str:
    """Return what must be changed so that a stream can be created; empty if trying again may help."""
    if error.code in _NOT_ENABLED:
        return f"JetStream is not enabled on {servers}; enable it there"
    if error.code in _TOO_FEW_SERVERS:
        return f"{servers} cannot keep {replicas} replicas; start more servers, or add ?replicas=1 to the URL"
    return ""


def _nanoseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1e9)
