"""The queues alone: messages a second, how long a call takes, and whether a million waiting messages slow it down."""

from __future__ import annotations

import asyncio
import json
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path

import nats
from nats.aio.msg import Msg
from tests.support.nats_server import NatsCluster, NatsServer

from cutback.adapters.build import build
from cutback.adapters.nats.messages import DEDUPLICATION, ID, SENT, Names
from cutback.ports import Queue
from cutback.settings.settings import Settings

Say = Callable[[str], None]

_BODY = "x" * 1000
_SENDERS = 4
_BATCH = 10
_WARM = 20
_SENT_TOGETHER = 20_000
_RECEIVES = 200
_AT_ONCE = 2000
"""Messages that are published to JetStream before their confirmations are awaited."""


class NotPublishedError(Exception):
    """JetStream refused a message."""


@dataclass(frozen=True, slots=True)
class QueueSpeed:
    """What one kind of queue does on this machine. Times are in seconds."""

    name: str
    send_p50: float
    send_p99: float
    sent_per_second: float
    """By four threads, one message a call."""
    done_per_second: float
    """Received by tens and deleted one by one, by four threads."""
    waiting: int
    fill_per_second: float
    """Sent with `send_all`."""
    depth: float
    receive_p50: float
    """With all of them waiting."""
    receive_p99: float
    memory: int | None
    """Bytes that all servers together have in memory then; None: there is no server."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a queue is."""

    url: str
    servers: tuple[NatsServer, ...] = ()

    def memory(self) -> int | None:
        """Return the resident bytes of the servers."""
        lines = [line for each in self.servers for line in Path(f"/proc/{each.pid}/status").read_text().splitlines()]
        resident = [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
        return sum(resident) * 1024 if resident else None


def measure_queues(cache: Path, *, messages: int, waiting: int, say: Say) -> list[QueueSpeed]:
    """Measure SQLite and JetStream, on one server and on three, all on this machine's disk."""
    found = []
    for name in ("SQLite", "JetStream, one server", "JetStream, three servers"):
        with (
            tempfile.TemporaryDirectory(prefix="queues-", dir=cache) as folder,
            _place(name, Path(folder)) as place,
            build(Settings.model_validate({"data": Path(folder) / "data", "queue_url": place.url})) as services,
        ):
            say(f"{name}: {messages} messages, then {waiting} waiting")
            found.append(_measure(name, services.queue, place, messages=messages, waiting=waiting))
    return found


@contextmanager
def _place(name: str, folder: Path) -> Iterator[_Place]:
    if name == "SQLite":
        yield _Place("")
    elif "three" in name:
        with NatsCluster(folder) as cluster:
            yield _Place(cluster.url("clips"), tuple(cluster.servers))
    else:
        with NatsServer(folder) as server:
            yield _Place(server.url("clips"), (server,))


def _measure(name: str, queue: Queue, place: _Place, *, messages: int, waiting: int) -> QueueSpeed:
    queue.check()
    for _ in range(_WARM):
        queue.send(_BODY)
    alone = sorted(_seconds(lambda: queue.send(_BODY)) for _ in range(messages // 4))
    with ThreadPoolExecutor(_SENDERS) as pool:
        began = time.monotonic()
        list(pool.map(lambda _: queue.send(_BODY), range(messages)))
        sending = time.monotonic() - began
        began = time.monotonic()
        done = sum(pool.map(lambda _: _work_off(queue), range(_SENDERS)))
        working = time.monotonic() - began
    together = min(waiting, _SENT_TOGETHER)
    filling = _seconds(lambda: queue.send_all(repeat(_BODY, together)))
    if place.servers:
        asyncio.run(_publish(place.servers[0].host, waiting - together))
    else:
        queue.send_all(repeat(_BODY, waiting - together))
    receives = sorted(_seconds(lambda: queue.receive(wait=timedelta(seconds=5))) for _ in range(_RECEIVES))
    return QueueSpeed(
        name,
        send_p50=_quantile(alone, 50),
        send_p99=_quantile(alone, 99),
        sent_per_second=messages / sending,
        done_per_second=done / working,
        waiting=waiting,
        fill_per_second=together / filling,
        depth=_seconds(queue.depth),
        receive_p50=_quantile(receives, 50),
        receive_p99=_quantile(receives, 99),
        memory=place.memory(),
    )


async def _publish(host: str, count: int) -> None:
    """Fill the queue with messages like those that Cutback sends, much faster than it sends them."""
    client = await nats.connect(f"nats://{host}")
    inbox, subject = client.new_inbox(), Names("clips").new
    confirmed, left = asyncio.Event(), 0

    async def confirm(message: Msg) -> None:
        nonlocal left
        if "error" in json.loads(message.data or b'{"error": "nobody answers"}'):
            raise NotPublishedError(message.data)
        left -= 1
        if not left:
            confirmed.set()

    await client.subscribe(inbox, cb=confirm)
    body = _BODY.encode()
    for start in range(0, count, _AT_ONCE):
        left = min(_AT_ONCE, count - start)
        confirmed.clear()
        for _ in range(left):
            name = secrets.token_hex(16)
            headers = {ID: name, DEDUPLICATION: name, SENT: datetime.now(UTC).isoformat()}
            await client.publish(subject, body, reply=inbox, headers=headers)
        async with asyncio.timeout(60):
            await confirmed.wait()
    await client.close()


def _work_off(queue: Queue) -> int:
    count = 0
    while found := queue.receive(limit=_BATCH):
        count += sum(queue.delete(message) for message in found)
    return count


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _quantile(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
