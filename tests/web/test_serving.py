"""The server process: it starts, says whether it is ready, drains, and copes with slow clients. Real processes."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest
from tests.path.shell import Shell
from tests.support.waiting import PATIENCE, eventually
from tests.web.api_process import api_process, output_of
from tests.web.harness import WebHarness

import cutback
from cutback.cli.app import run
from cutback.domain.api_keys import Scope
from cutback.domain.errors import RecordsUnavailableError, SettingsError
from cutback.lifecycle.api_keys import create_key
from cutback.web.api import http_protocol
from cutback.web.api.serve import ApiServer, bind, check_access

# --- starting --------------------------------------------------------------------------------------


def test_api_says_where_it_answers_and_ends_on_a_signal(tmp_path: Path) -> None:
    with api_process(tmp_path) as api:
        assert httpx.get(f"{api.url}/healthz").json() == {"status": "ok"}
        assert httpx.get(f"{api.url}/readyz").json() == {"status": "ready"}
        assert httpx.get(f"{api.url}/version").json() == {"version": cutback.__version__}
        assert httpx.get(f"{api.url}/v1/session").status_code == 200
        api.signal(signal.SIGINT)
        assert api.process.wait(PATIENCE) == 0


def test_up_serves_the_api_unless_it_is_told_not_to(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    for arguments, serves in (((), True), (("--no-api",), False)):
        up = shell.start("up", "--workers", "1", *arguments)
        assert up.stderr is not None
        said = []
        for line in up.stderr:
            said.append(line)
            if "stage=started" in line:
                break
        urls = [line.split()[-1] for line in said if "The API answers at" in line]
        assert len(urls) == int(serves)
        if serves:
            assert httpx.get(f"{urls[0]}/readyz").status_code == 200
        up.send_signal(signal.SIGTERM)
        up.communicate(timeout=PATIENCE)
        assert up.returncode == 0


@pytest.mark.parametrize("command", [["api"], ["up", "--workers", "1"]])
def test_a_port_that_is_taken_is_refused_with_advice(tmp_path: Path, command: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        where = f"127.0.0.1:{other.getsockname()[1]}"
        code, _, err = Shell(tmp_path).run(*command, "--listen", where)
    assert code == 2
    assert f"{where} is taken by another program" in err
    assert "--listen" in err
    assert "--no-api" in err


@pytest.mark.parametrize("listen", ["8080", "localhost", "127.0.0.1:99999", ":8080", "127.0.0.1:8080/x", "a b:80"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, listen: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["api", "--data", str(tmp_path / "data"), "--listen", listen]) == 2
    assert "must be HOST:PORT" in capsys.readouterr().err


def test_an_address_of_another_machine_is_refused(make_web: Callable[..., WebHarness]) -> None:
    for listen in ("203.0.113.1:8080", "no-such-host.invalid:8080"):
        with pytest.raises(SettingsError, match="is not an address of this machine"):
            bind(make_web(listen=listen).services.settings)


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "[::]:8080", "10.0.0.1:8080"])
def test_a_server_that_others_can_reach_does_not_start_without_a_key(
    tmp_path: Path, listen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["api", "--data", str(tmp_path / "data"), "--listen", listen]) == 2
    err = capsys.readouterr().err
    assert "there is no API key" in err
    assert "cutback keys create" in err


def test_a_server_that_others_can_reach_starts_with_a_key(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(listen="0.0.0.0:8080")
    with pytest.raises(SettingsError):
        check_access(web.services)
    create_key(web.services, name="first", scopes=[Scope.READ])
    check_access(web.services)


# --- health ----------------------------------------------------------------------------------------


def test_health_and_readiness_touch_no_dependency(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RecordsUnavailableError

    for port in (web.services.registry, web.services.records, web.services.queue):
        for name in ("get", "list", "get_clip", "last_position", "depth"):
            if hasattr(port, name):
                monkeypatch.setattr(type(port), name, fail)
    assert web.get("/v1/session").status_code == 503
    assert web.get("/healthz").status_code == 200
    assert web.get("/version").status_code == 200
    assert web.get("/readyz").json() == {"status": "starting"}
    assert web.get("/readyz").status_code == 503


# --- draining --------------------------------------------------------------------------------------


def test_a_server_that_drains_says_so_serves_on_and_tells_streams_to_come_back(tmp_path: Path) -> None:
    with api_process(tmp_path, drain_seconds="2") as api, httpx.stream("GET", f"{api.url}/v1/events") as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith(":")
        api.signal(signal.SIGTERM)
        eventually(lambda: httpx.get(f"{api.url}/readyz").status_code == 503, "the drain")
        assert httpx.get(f"{api.url}/readyz").json() == {"status": "draining"}
        assert httpx.get(f"{api.url}/healthz").status_code == 200
        assert httpx.get(f"{api.url}/v1/session").status_code == 200
        (retry,) = [line for line in lines if line.startswith("retry:")]
        assert 500 <= int(retry.removeprefix("retry:")) <= 3000
        assert api.process.wait(PATIENCE) == 0


def test_a_server_that_drains_under_load_answers_every_request_until_it_refuses_connections(tmp_path: Path) -> None:
    """A connection that is refused is safe to try at another node, whatever the request was; one that breaks is not."""
    broken: list[Exception] = []
    asked: dict[str, int] = {"GET": 0, "POST": 0}
    closing = threading.Event()

    def load(number: int) -> None:
        method = "POST" if number % 2 else "GET"
        with httpx.Client(base_url=api.url, timeout=PATIENCE) as client:
            try:
                while True:
                    answer = client.request(method, "/v1/plans" if method == "POST" else "/v1/clips")
                    asked[method] += 1
                    if answer.headers.get("connection") == "close":
                        closing.set()
            except httpx.ConnectError:
                return
            except httpx.HTTPError as error:
                broken.append(error)

    with api_process(tmp_path, drain_seconds="1.5", rate_limit="0") as api:
        threads = [threading.Thread(target=load, args=[number]) for number in range(8)]
        for thread in threads:
            thread.start()
        eventually(lambda: min(asked.values()) > 20, moves=lambda: dict(asked))
        api.signal(signal.SIGTERM)
        for thread in threads:
            thread.join(PATIENCE)
        assert api.process.wait(PATIENCE) == 0
    assert broken == []
    assert closing.is_set(), "clients were not asked to close their connections"


def test_uploads_that_are_in_progress_at_the_end_get_an_answer_and_leave_no_traceback(tmp_path: Path) -> None:
    with api_process(tmp_path) as api, ExitStack() as clients:
        upload = httpx.post(f"{api.url}/v1/uploads", json={"key": "x.mp4", "size": 100_000}).json()
        waiting: list[socket.socket] = []
        for number, length in ((1, "Content-Length: 100000"), (2, "Transfer-Encoding: chunked")):
            connection = clients.enter_context(socket.create_connection((api.host, api.port), PATIENCE))
            head = f"PUT /v1/uploads/{upload['id']}/parts/1 HTTP/1.1\r\nHost: {api.host}:{api.port}\r\n{length}\r\n\r\n"
            connection.sendall(head.encode() + b"3e8\r\n" * (number == 2) + b"x" * 1000 + b"\r\n" * (number == 2))
            waiting.append(connection)
        eventually(lambda: "cutback_http_requests_in_progress 3.0" in httpx.get(f"{api.url}/metrics").text, "both")
        api.signal(signal.SIGTERM)
        said = output_of(api.process)
        answers = [connection.recv(100).split()[1] for connection in waiting]
    stored = [path for path in (tmp_path / "cutback-data" / "recordings").rglob("*") if path.is_file()]
    assert (api.process.returncode, answers, stored) == (0, [b"503", b"503"], [])
    assert "Traceback" not in said
    assert "ERROR" not in said


def test_a_second_signal_ends_the_server_at_once(tmp_path: Path) -> None:
    with api_process(tmp_path, drain_seconds="300") as api:
        api.signal(signal.SIGTERM)
        eventually(lambda: httpx.get(f"{api.url}/readyz").status_code == 503, "the drain")
        api.signal(signal.SIGTERM)
        assert api.process.wait(PATIENCE) == -signal.SIGTERM


def test_a_request_that_hangs_does_not_keep_the_process(
    make_web: Callable[..., WebHarness], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cutback.web.api.serve.END_SECONDS", 1)
    monkeypatch.setattr("cutback.web.api.serve._LAST_SECONDS", 0.5)
    web = make_web(listen="127.0.0.1:0")
    entered, leave = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        entered.set()
        leave.wait(PATIENCE)

    monkeypatch.setattr(type(web.services.records), "get_clip", hang)
    with ApiServer(web.services) as server:
        client = threading.Thread(target=_ask, args=[f"{server.url}/v1/clips/wave"])
        client.start()
        assert entered.wait(PATIENCE)
        server.stop()
        assert not server.ended
        leave.set()
        client.join(PATIENCE)
        eventually(lambda: server.ended, "the end of the server's thread")


def _ask(url: str) -> None:
    with suppress(httpx.HTTPError):  # the server goes away, which is what the test is about
        httpx.get(url, timeout=PATIENCE)


# --- slow clients ----------------------------------------------------------------------------------


@pytest.fixture
def served(make_web: Callable[..., WebHarness]) -> WebHarness:
    return make_web(listen="127.0.0.1:0")


def connected(server: ApiServer) -> socket.socket:
    host, _, port = server.url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)))
    connection.settimeout(PATIENCE)
    return connection


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: 1\r\n"])
def test_a_connection_whose_request_does_not_come_is_closed(
    served: WebHarness, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(http_protocol, "HEADER_SECONDS", 0.3)
    with ApiServer(served.services) as server, connected(server) as connection:
        connection.sendall(sent)
        assert connection.recv(100) == b""


def test_headers_that_come_byte_by_byte_do_not_extend_the_time(
    served: WebHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEADER_SECONDS", 0.5)
    with ApiServer(served.services) as server, connected(server) as connection:
        closed = threading.Event()

        def drip() -> None:
            try:
                while not closed.wait(0.05):
                    connection.sendall(b"X")
            except OSError:
                pass

        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        dripping = threading.Thread(target=drip)
        dripping.start()
        assert ends(connection)
        closed.set()
        dripping.join(PATIENCE)


def ends(connection: socket.socket) -> bool:
    """Whether the other side ends the connection."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


def test_a_request_in_time_is_answered_and_the_connection_kept(
    served: WebHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is on headers: an idle connection may wait for its next request for longer."""
    monkeypatch.setattr(http_protocol, "HEADER_SECONDS", 0.3)
    with ApiServer(served.services) as server, connected(server) as connection:
        reader = connection.makefile("rb")
        for _ in range(2):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer(reader) == b'{"status":"ok"}\n'
            time.sleep(0.6)  # the passing of time is what is tested


def answer(reader: object) -> bytes:
    length = 0
    while line := reader.readline().strip():  # type: ignore[attr-defined]
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body: bytes = reader.read(length)  # type: ignore[attr-defined]
    return body


@pytest.mark.slow
def test_ten_thousand_requests_on_one_connection_are_answered(served: WebHarness) -> None:
    with ApiServer(served.services) as server, connected(server) as connection:
        reader = connection.makefile("rb")
        for _ in range(100):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
            assert [answer(reader) for _ in range(100)] == [b'{"status":"ok"}\n'] * 100


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: b\x00c\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
    ],
)
def test_requests_that_are_not_http_are_refused_and_the_server_lives(served: WebHarness, request_line: bytes) -> None:
    with ApiServer(served.services) as server:
        with connected(server) as connection:
            connection.sendall(request_line)
            said = connection.recv(100)
            assert b" 400 " in said or (b" 200 " in said and b"chunked" in request_line)
        assert httpx.get(f"{server.url}/healthz").status_code == 200
