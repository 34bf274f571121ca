"""The section on events: how soon many clients of one node hear of a clip, and how soon a node with them stops."""

from __future__ import annotations

import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.event_clients import ClientProcess
from bench.node import processor_of, start_node
from bench.queueing import wait_until
from cutback.adapters.build import build
from cutback.domain.requests.request import ClipRequest, validate_request
from cutback.lifecycle import accept
from cutback.services import Services
from cutback.settings.settings import Settings

Say = Callable[[str], None]

PROMISED_P99 = 0.25
PROMISED_STOP = 10.0

_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Telling:
    """Seconds, with `clients` streams open at one node."""

    clients: int
    clips: int
    p50: float
    p99: float
    worst: float
    """From before a request is accepted, in another process, until a client has its event."""
    processor: float
    """Processor time of the server for one event of all clients."""
    client_processor: float
    """The same of the clients, which share this machine's cores with the server."""
    opened: float
    """From the first connection until all streams are open."""
    stop: float
    """From SIGTERM until the process has ended."""
    resumed: float
    """From the start of the next process until every client has its stream again."""
    gaps: int
    """Clients that missed an event, or received one twice, over the restart."""


def measure_events(cache: Path, *, clients: int, clips: int, say: Say) -> Telling:
    """A real `cutback api` on SQLite, all clients in another process, requests in a third.

    Raises:
        QueueStuckError: an event did not arrive, or a stream did not open.
    """
    with tempfile.TemporaryDirectory(prefix="events-", dir=cache) as name:
        data = Path(name)
        (data / "recordings").mkdir()
        node, port = start_node(data, 0)
        try:
            began = time.monotonic()
            with build(Settings(data=data)) as services, ClientProcess(port, clients, after=0) as streams:
                wait_until(lambda: streams.open == clients, _LOOK_SECONDS)
                opened = time.monotonic() - began
                say(f"events: {clients} streams are open after {opened:.1f} s")
                before, of_clients = processor_of(node.pid), streams.processor
                asked = [_ask(services, streams, clients, number) for number in range(clips)]
                processor = (processor_of(node.pid) - before) / clips
                client_processor = (streams.processor - of_clients) / clips
                took = sorted(
                    arrival - asked[position - 1]
                    for client in streams.clients
                    for position, arrival in zip(client.positions, client.arrivals, strict=True)
                )
                node.send_signal(signal.SIGTERM)
                began = time.monotonic()
                node.wait(60)
                stop = time.monotonic() - began
                accept.submit(services, _request(clips))  # while nobody serves
                began = time.monotonic()
                node, _ = start_node(data, port)
                wait_until(lambda: streams.have(clips + 1) == clients, _LOOK_SECONDS)
                resumed = time.monotonic() - began
                whole = list(range(1, clips + 2))
                gaps = sum(client.positions != whole for client in streams.clients)
        finally:
            node.kill()
            node.wait()
    p99 = took[int(len(took) * 0.99)]
    say(f"events: p99 {p99 * 1000:.0f} ms, stopped in {stop:.1f} s, {gaps} clients with a gap or a repeat")
    return Telling(
        clients,
        clips,
        p50=statistics.median(took),
        p99=p99,
        worst=took[-1],
        processor=processor,
        client_processor=client_processor,
        opened=opened,
        stop=stop,
        resumed=resumed,
        gaps=gaps,
    )


def _ask(services: Services, streams: ClientProcess, clients: int, number: int) -> float:
    """Request a clip, and wait until every client has its event. Returns when it was requested."""
    began = time.monotonic()
    accept.submit(services, _request(number))
    wait_until(lambda: streams.have(number + 1) == clients, _LOOK_SECONDS)
    return began


def _request(number: int) -> ClipRequest:
    return validate_request({"id": f"clip-{number}", "source": {"recording": "sea.mp4", "start": 0, "end": 1}})
