"""Reads and deletes single messages of a stream. Its leader answers, so that nobody reads something older."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cutback.adapters.nats.connection import NatsConnection, RefusedError

_NOT_FOUND = {10037, 10043}
_NOT_DELETED = 10057


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as its stream keeps it."""

    sequence: int
    subject: str
    headers: Mapping[str, str]
    data: bytes
    stored_at: datetime


async def read(connection: NatsConnection, stream: str, wanted: Mapping[str, Any]) -> Stored | None:
    """Return the message with a sequence, or the first or last one of a subject; None if there is none."""
    try:
        message = (await connection.ask(f"$JS.API.STREAM.MSG.GET.{stream}", wanted))["message"]
    except RefusedError as error:
        if error.code in _NOT_FOUND:
            return None
        raise
    return Stored(
        sequence=int(message["seq"]),
        subject=str(message["subject"]),
        headers=_headers(base64.b64decode(message.get("hdrs", ""))),
        data=base64.b64decode(message.get("data", "")),
        stored_at=datetime.fromisoformat(message["time"]),
    )


async def delete(connection: NatsConnection, stream: str, sequence: int) -> bool:
    """Delete a message; it is deleted on most replicas on return. Returns False if there was none.

    If an answer was lost, and the message is gone when this asks again, it counts as deleted by this.
    """
    try:
        await connection.ask(f"$JS.API.STREAM.MSG.DELETE.{stream}", {"seq": sequence, "no_erase": True})
    except RefusedError as error:
        if error.code in _NOT_FOUND:
            return error.repeated
        # The same code stands for several failures.
        if error.code == _NOT_DELETED and await read(connection, stream, {"seq": sequence}) is None:
            return error.repeated
        raise
    return True


def _headers(block: bytes) -> dict[str, str]:
    lines = block.decode("utf-8", "replace").split("\r\n")[1:]
    return {name: value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}
