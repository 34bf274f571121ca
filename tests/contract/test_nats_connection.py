"""The connection to NATS, as its adapters use it: many threads, servers that do not answer, and an end at any time."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from nats.aio.client import Client
from tests.support.nats_server import NatsServer, free_port
from tests.support.waiting import PATIENCE

from cutback.adapters.nats import connection as connection_module
from cutback.adapters.nats.connection import NatsConnection, NoAnswerError
from cutback.settings.nats_address import NatsServers

CALLERS = 20


def nobody() -> NatsConnection:
    return NatsConnection(NatsServers(hosts=(f"127.0.0.1:{free_port()}",)))


def test_callers_wait_for_servers_that_are_away_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits as long as a single one would, and not for the attempts of those before it."""
    monkeypatch.setattr(connection_module, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(connection_module, "PATIENCE_SECONDS", 0.2)
    connection = nobody()
    attempts = 0
    connect = connection._connect

    async def counted() -> Client:
        nonlocal attempts
        attempts += 1
        return await connect()

    monkeypatch.setattr(connection, "_connect", counted)
    try:
        with ThreadPoolExecutor(CALLERS) as pool:
            calls = [pool.submit(connection.run, connection.request("anything")) for _ in range(CALLERS)]
            assert all(isinstance(call.exception(PATIENCE), NoAnswerError) for call in calls)
    finally:
        connection.close()
    assert attempts < CALLERS / 2


def test_a_caller_is_answered_though_the_connection_is_closed_at_that_moment() -> None:
    connection = nobody()
    ended = threading.Event()

    def call() -> None:
        while not ended.is_set():
            try:
                connection.run(asyncio.sleep(0))
            except NoAnswerError:
                continue

    with ThreadPoolExecutor(2) as pool:
        callers = [pool.submit(call) for _ in range(2)]
        until = time.monotonic() + 0.5
        while time.monotonic() < until and not any(each.done() for each in callers):
            connection.close()
        ended.set()
        done, left = wait(callers, PATIENCE)
        connection.close()
        assert (set(callers), set()) == (done, left)
        for each in done:
            each.result()


@pytest.fixture
def unforgotten() -> Iterator[None]:
    """Without the collector, which would close a forgotten socket some day."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.usefixtures("unforgotten")
def test_the_socket_of_a_server_that_never_answers_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, NatsServer(tmp_path) as server:
        silent.settimeout(PATIENCE)
        connection = NatsConnection(NatsServers(hosts=(server.host, f"127.0.0.1:{silent.getsockname()[1]}")))
        try:
            connection.run(connection.client())
            server.kill()
            _hears_the_end(silent)
        finally:
            connection.close()


@pytest.mark.usefixtures("unforgotten")
def test_the_sockets_of_a_first_connection_are_closed_though_the_clients_end_is_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection_module, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(connection_module, "ANSWER_SECONDS", 0.5)

    async def interrupted(client: Client) -> None:
        del client

    monkeypatch.setattr(Client, "close", interrupted)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        connection = NatsConnection(NatsServers(hosts=(f"127.0.0.1:{silent.getsockname()[1]}",)))
        try:
            with pytest.raises(NoAnswerError):
                connection.run(connection.client())
            for _ in range(2):
                _hears_the_end(silent)
        finally:
            connection.close()


def _hears_the_end(server: socket.socket) -> None:
    accepted, _ = server.accept()
    with accepted:
        accepted.settimeout(PATIENCE)
        assert accepted.recv(1) == b""
