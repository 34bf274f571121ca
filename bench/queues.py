"""The queues alone: messages a second, how long a call takes, and whether a million waiting messages slow it down."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import repeat
from pathlib import Path

from tests.support.nats_server import NatsCluster, NatsServer

from cutback.adapters.build import build
from cutback.ports import Queue
from cutback.settings.settings import Settings

Say = Callable[[str], None]

_BODY = "x" * 1000
_SENDERS = 4
_BATCH = 10
_WARM = 20


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


def measure_queues(cache: Path, *, messages: int, waiting: int, say: Say) -> list[QueueSpeed]:
    """Measure SQLite and JetStream, on one server and on three, all on this machine's disk."""
    found = []
    for name in ("SQLite", "JetStream, one server", "JetStream, three servers"):
        with (
            tempfile.TemporaryDirectory(prefix="queues-", dir=cache) as folder,
            _url(name, Path(folder)) as url,
            build(Settings.model_validate({"data": Path(folder) / "data", "queue_url": url})) as services,
        ):
            say(f"{name}: {messages} messages, then {waiting} waiting")
            found.append(_measure(name, services.queue, messages=messages, waiting=waiting))
    return found


@contextmanager
def _url(name: str, folder: Path) -> Iterator[str]:
    with ExitStack() as stack:
        if name == "SQLite":
            yield ""
        elif "three" in name:
            yield stack.enter_context(NatsCluster(folder)).url("clips")
        else:
            yield stack.enter_context(NatsServer(folder)).url("clips")


def _measure(name: str, queue: Queue, *, messages: int, waiting: int) -> QueueSpeed:
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
    filling = _seconds(lambda: queue.send_all(repeat(_BODY, waiting)))
    receives = sorted(_seconds(lambda: queue.receive(wait=timedelta(seconds=5))) for _ in range(200))
    return QueueSpeed(
        name,
        send_p50=_quantile(alone, 50),
        send_p99=_quantile(alone, 99),
        sent_per_second=messages / sending,
        done_per_second=done / working,
        waiting=waiting,
        fill_per_second=waiting / filling,
        depth=_seconds(queue.depth),
        receive_p50=_quantile(receives, 50),
        receive_p99=_quantile(receives, 99),
    )


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
