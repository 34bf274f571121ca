"""Many event streams of the real `cutback api`: they end in time when it stops, and resume without gap or repeat."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from bench.event_clients import EventClients
from tests.path.harness import PathHarness
from tests.support.waiting import eventually
from tests.web.api_process import ApiProcess, api_process

CLIENTS = 200
STOPS_WITHIN = 10.0


@pytest.mark.slow
def test_streams_end_when_the_node_stops_and_resume_at_the_next(tmp_path: Path) -> None:
    harness = PathHarness(tmp_path / "cutback-data")
    with (
        api_process(tmp_path, listen="127.0.0.1:0") as node,
        EventClients(node.port, CLIENTS, after=0) as streams,
    ):
        eventually(lambda: streams.open == CLIENTS, moves=lambda: streams.open)
        for number in range(5):
            harness.submit(id=f"before-{number}")
        eventually(lambda: streams.have(5) == CLIENTS, moves=lambda: streams.have(5))

        node.signal(signal.SIGTERM)
        began = time.monotonic()
        node.process.wait(60)
        assert time.monotonic() - began < STOPS_WITHIN
        eventually(lambda: streams.open == 0, moves=lambda: streams.open)
        pauses = {pause for client in streams.clients for pause in client.told}
        assert all(client.told for client in streams.clients)
        assert len(pauses) > CLIENTS / 10, "the clients would all return at the same moment"
        assert all(0.5 <= pause <= 3 for pause in pauses)

        for number in range(5):
            harness.submit(id=f"meanwhile-{number}")
        ApiProcess(node.shell, "--listen", f"127.0.0.1:{node.port}")
        eventually(lambda: streams.have(10) == CLIENTS, moves=lambda: streams.have(10))
        for number in range(5):
            harness.submit(id=f"after-{number}")
        eventually(lambda: streams.have(15) == CLIENTS, moves=lambda: streams.have(15))
        wrong = [client.positions for client in streams.clients if client.positions != list(range(1, 16))]
        assert wrong == []
