"""How long each waits for an answer: the queue's clients less than the API, the API less than balancers, and so on."""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from deploy.cluster import servers
from tests.cluster.test_run_cluster import need
from tests.support.waiting import PATIENCE

from cutback.adapters.nats.connection import ANSWER_SECONDS, PATIENCE_SECONDS
from cutback.adapters.nats.streams import DUPLICATES
from cutback.client import Client
from cutback.web.api import guard

ROOT = Path(__file__).resolve().parents[2]
LONGEST_ELECTION = 13
FASTER = 10
"""Timeouts are divided by this here."""


def seconds(pattern: str, file: str) -> set[int]:
    return {int(each) for each in re.findall(pattern, (ROOT / file).read_text())}


def test_whoever_asks_is_more_patient_than_who_is_asked() -> None:
    balancers = {30}
    assert seconds(r"@change \{\s+proxy_read_timeout (\d+)s", "deploy/cluster/cutback.conf.template") == balancers
    assert seconds(r"set-timeout server (\d+)s unless METH_GET", "deploy/cluster/haproxy.cfg.template") == balancers
    (idle,) = seconds(r"idle_timeout += (\d+)", "infra/modules/api/balancer.tf")
    (origin,) = seconds(r"origin_read_timeout += (\d+)", "infra/modules/api/cloudfront.tf")
    client = inspect.signature(Client).parameters["timeout"].default
    assert LONGEST_ELECTION < PATIENCE_SECONDS < guard.ANSWER_SECONDS - ANSWER_SECONDS / 2
    assert guard.ANSWER_SECONDS < min(balancers) < client
    assert min(idle, origin) > guard.ANSWER_SECONDS
    assert DUPLICATES.total_seconds() / 2 > PATIENCE_SECONDS + ANSWER_SECONDS


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/v1/clips", b"", guard.ANSWER_SECONDS),
        ("/v1/clips/a", b"wait=20", guard.SLOW_ANSWER_SECONDS),
        ("/v1/recordings/sea.mp4", b"", guard.SLOW_ANSWER_SECONDS),
        ("/v1/moments", b"camera=pier", guard.SLOW_ANSWER_SECONDS),
        ("/v1/activity", b"camera=pier", guard.SLOW_ANSWER_SECONDS),
        ("/v1/cameras/pier/latest.jpg", b"", guard.SLOW_ANSWER_SECONDS),
        ("/v1/clips", b"text=wait", guard.ANSWER_SECONDS),
    ],
)
def test_what_examines_or_waits_has_more_time(path: str, query: bytes, expected: float) -> None:
    assert expected == guard.answer_seconds(path, query)


@pytest.fixture
def slow_node() -> Iterator[int]:
    """A node that answers POST late, and GET never. Its port."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/readyz":
                self._answer()
            over.wait(PATIENCE)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            over.wait(1.7)
            self._answer(body)

        def _answer(self, body: bytes = b"") -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield int(server.server_address[1])
    over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
@pytest.mark.parametrize("balancer", ["nginx", "haproxy"])
def test_a_change_may_take_as_long_as_an_election_and_a_read_not(
    balancer: str, slow_node: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(balancer)
    filled = servers._filled

    def faster(template: str, **variables: str) -> str:
        timeouts = r"(proxy_read_timeout|timeout server|set-timeout server)( +)(\d+)s"
        change = lambda found: f"{found[1]} {int(found[3]) * 1000 // FASTER}ms"  # noqa: E731
        text, count = re.subn(timeouts, change, filled(template, **variables))
        assert count >= 4
        return text

    monkeypatch.setattr(servers, "_filled", faster)
    (port,) = servers.free_ports(1)
    made = (
        servers.nginx(tmp_path, port, [slow_node], tmp_path)
        if balancer == "nginx"
        else servers.haproxy(tmp_path, port, [slow_node])
    )
    made.start()
    try:
        made.wait_until_ready()
        url = f"http://127.0.0.1:{port}/v1/clips"
        answer = httpx.post(url, content=b"sea", timeout=PATIENCE)
        assert (answer.status_code, answer.content) == (200, b"sea")
        assert httpx.get(url, timeout=PATIENCE).status_code == 504
    finally:
        made.stop()
