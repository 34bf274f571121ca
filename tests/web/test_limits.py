"""Limits of requests: how many, how large, how slow; and what every answer says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from tests.support.memcached import Memcached
from tests.support.waiting import PATIENCE, eventually
from tests.web.harness import WebHarness, assert_problem
from tests.web.test_keys import a_key, bearer
from tests.web.test_serving import connected

from cutback.domain.api_keys import Scope
from cutback.web.api import guard, http_protocol
from cutback.web.api.rate_limits import RateLimiter
from cutback.web.api.serve import ApiServer

# --- rates -----------------------------------------------------------------------------------------


def test_a_key_that_sends_too_much_is_told_to_wait_and_others_are_not(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(rate_limit=5)
    busy, calm = a_key(web), a_key(web)
    answers = [web.get("/v1/session", headers=bearer(busy)) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    problem = assert_problem(answers[-1], 429, "rate_limited")
    assert problem["retryable"] is True
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert web.get("/v1/session", headers=bearer(calm)).status_code == 200


def test_every_answer_to_a_key_says_what_is_left(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(rate_limit=3)
    key = bearer(a_key(web, Scope.READ))
    left = []
    for path in ("/v1/session", "/v1/clips/none", "/v1/keys", "/v1/session"):  # 200, 404, 403, 429
        headers = web.get(path, headers=key).headers
        assert headers["ratelimit-policy"] == '"key";q=3;w=60'
        name, remaining, reset = headers["ratelimit"].split(";")
        assert (name, reset[:2]) == ('"key"', "t=")
        assert 0 <= int(reset[2:]) <= 60
        left.append(remaining)
    assert left == ["r=2", "r=1", "r=0", "r=0"]


def test_wrong_keys_are_limited_by_address(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(rate_limit=3)
    right = a_key(web)
    wrong = bearer("ck_" + "0" * 49)
    assert [web.get("/v1/session", headers=wrong).status_code for _ in range(5)] == [401] * 3 + [429] * 2
    assert web.get("/v1/session", headers=bearer(right)).status_code == 200


def test_clients_behind_a_trusted_balancer_are_limited_one_by_one(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(rate_limit=2, trusted_proxies=("10.0.0.0/16",))
    a_key(web)

    def answers(peer: str, forwarded: str) -> list[int]:
        client, headers = web.client_at(peer), {**bearer("ck_" + "0" * 49), "X-Forwarded-For": forwarded}
        return [client.get("/v1/session", headers=headers).status_code for _ in range(3)]

    assert answers("10.0.0.1", "203.0.113.1") == [401, 401, 429]
    assert answers("10.0.0.1", "203.0.113.2, 10.0.0.9") == [401, 401, 429]
    assert answers("10.0.0.2", "203.0.113.77, 203.0.113.1") == [429] * 3  # what a client sends does not count
    assert answers("203.0.113.3", "203.0.113.99") == [401, 401, 429]  # not through a balancer
    assert answers("203.0.113.3", "203.0.113.98") == [429] * 3


def test_without_a_key_only_clients_on_this_machine_get_through_a_trusted_proxy(
    make_web: Callable[..., WebHarness],
) -> None:
    web = make_web(trusted_proxies=("127.0.0.1",))
    client = web.client_at("127.0.0.1")
    assert client.get("/v1/session", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 200
    for other in ("203.0.113.9", "127.0.0.1, 203.0.113.9", "unknown"):
        assert_problem(client.get("/v1/session", headers={"X-Forwarded-For": other}), 421, "wrong_host")


def test_nothing_is_limited_where_no_key_is_needed_or_the_limit_is_zero(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(rate_limit=2)
    assert {web.get("/v1/session").status_code for _ in range(5)} == {200}
    assert "ratelimit" not in web.get("/v1/session").headers
    web = make_web(rate_limit=0)
    key = bearer(a_key(web))
    assert {web.get("/v1/session", headers=key).status_code for _ in range(5)} == {200}


@pytest.fixture
def memcached() -> Iterator[Memcached]:
    server = Memcached()
    yield server
    server.kill()


def url_of(memcached: Memcached) -> str:
    return f"memcached://{memcached.node[0]}:{memcached.node[1]}"


def test_nodes_count_together_through_the_shared_cache(
    make_web: Callable[..., WebHarness], memcached: Memcached
) -> None:
    web = make_web(rate_limit=10, cache_url=url_of(memcached))
    nodes = [RateLimiter(web.services.settings) for _ in range(2)]
    left = []
    for turn in range(8):
        budget = nodes[turn % 2].spend("key/one")
        assert budget is not None
        left.append(budget.remaining)
    assert left == [9, 8, 7, 6, 5, 4, 3, 2]
    for node in nodes:
        node.close()


def test_each_node_counts_by_itself_while_the_cache_is_away(
    make_web: Callable[..., WebHarness], memcached: Memcached
) -> None:
    web = make_web(rate_limit=3, cache_url=url_of(memcached))
    key = bearer(a_key(web))
    assert web.get("/v1/session", headers=key).status_code == 200
    memcached.kill()
    assert [web.get("/v1/session", headers=key).status_code for _ in range(4)] == [200] * 3 + [429]
    web.app.state.rate_limiter.close()


# --- concurrency and time --------------------------------------------------------------------------


@pytest.fixture
def hanging(make_web: Callable[..., WebHarness], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server with room for two requests; `/v1/clips/x` hangs until the test ends."""
    web = make_web(listen="127.0.0.1:0", concurrency=2)
    entered, leave = threading.Semaphore(0), threading.Event()

    def hang(*_: object) -> None:
        entered.release()
        leave.wait(PATIENCE)

    monkeypatch.setattr(type(web.services.records), "get_clip", hang)
    with ApiServer(web.services) as server:
        yield server, entered
        leave.set()


def test_a_full_server_says_so_and_is_still_healthy(hanging: Any) -> None:
    server, entered = hanging
    clients = [threading.Thread(target=httpx.get, args=[f"{server.url}/v1/clips/x"], daemon=True) for _ in range(2)]
    for client in clients:
        client.start()
        assert entered.acquire(timeout=PATIENCE)
    refused = httpx.get(f"{server.url}/v1/session")
    assert assert_problem(refused, 503, "overloaded")["retryable"] is True
    assert int(refused.headers["retry-after"]) > 0
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_an_answer_that_takes_too_long_is_given_up(hanging: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server, _ = hanging
    monkeypatch.setattr(guard, "ANSWER_SECONDS", 0.3)
    for _ in range(3):  # each makes room again
        assert_problem(httpx.get(f"{server.url}/v1/clips/x", timeout=PATIENCE), 504, "answer_timeout")


def test_open_event_streams_do_not_count(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(listen="127.0.0.1:0", concurrency=1)
    with ApiServer(web.services) as server, httpx.stream("GET", f"{server.url}/v1/events") as first:
        assert first.status_code == 200
        with httpx.stream("GET", f"{server.url}/v1/events") as second:
            assert second.status_code == 200
            assert httpx.get(f"{server.url}/v1/session").status_code == 200


def test_a_burst_of_event_streams_waits_for_its_turn(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(listen="127.0.0.1:0", concurrency=4)
    with ApiServer(web.services) as server, ExitStack() as clients:
        connections = [clients.enter_context(connected(server)) for _ in range(100)]
        for connection in connections:
            connection.sendall(b"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        statuses = [connection.recv(65536).split()[1] for connection in connections]
        assert statuses == [b"200"] * len(connections)


def test_streams_whose_turn_does_not_come_are_refused_and_forgotten(
    hanging: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, entered = hanging
    monkeypatch.setattr(guard, "TURN_SECONDS", 0.1)
    for _ in range(2):
        threading.Thread(target=httpx.get, args=[f"{server.url}/v1/clips/x"], daemon=True).start()
        assert entered.acquire(timeout=PATIENCE)
    for _ in range(3):
        assert_problem(httpx.get(f"{server.url}/v1/events", timeout=PATIENCE), 503, "overloaded")
    assert len(server._app.middleware_stack._next) == 0


def test_a_key_may_hold_only_so_many_event_streams(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(listen="127.0.0.1:0", event_streams=2)
    key, other = bearer(a_key(web, Scope.READ)), bearer(a_key(web, Scope.READ))
    with ApiServer(web.services) as server, ExitStack() as streams:
        url = f"{server.url}/v1/events"
        first, _ = (streams.enter_context(httpx.stream("GET", url, headers=key)) for _ in range(2))
        refused = httpx.get(url, headers=key)
        assert_problem(refused, 429, "too_many_streams")
        assert int(refused.headers["retry-after"]) > 0
        assert streams.enter_context(httpx.stream("GET", url, headers=other)).status_code == 200
        assert httpx.get(url, headers={**key, "Accept": "application/json"}).status_code == 200, "a page is no stream"
        first.close()

        def opens() -> bool:
            return streams.enter_context(httpx.stream("GET", url, headers=key)).status_code == 200

        eventually(opens, "the place of the first stream")


def test_an_address_may_hold_only_so_many_event_streams_where_no_key_is_needed(
    make_web: Callable[..., WebHarness],
) -> None:
    web = make_web(listen="127.0.0.1:0", event_streams=1)
    with ApiServer(web.services) as server, httpx.stream("GET", f"{server.url}/v1/events"):
        assert_problem(httpx.get(f"{server.url}/v1/events"), 429, "too_many_streams")


# --- bodies ----------------------------------------------------------------------------------------


@pytest.fixture
def server(make_web: Callable[..., WebHarness]) -> Iterator[ApiServer]:
    with ApiServer(make_web(listen="127.0.0.1:0").services) as server:
        yield server


def post(connection: socket.socket, *headers: str) -> None:
    lines = ["POST /v1/session HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", *headers]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side closes the connection."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(server: ApiServer) -> None:
    with connected(server) as connection:
        post(connection, "Content-Length: 1000000000")
        said = everything(connection)
    assert b" 413 " in said
    assert b'"reason":"body_too_large"' in said


def test_a_body_without_end_is_cut_off(server: ApiServer) -> None:
    with connected(server) as connection:
        post(connection, "Transfer-Encoding: chunked")
        sent = 0
        try:
            while sent < 64 << 20:
                connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
                sent += 65536
        except OSError:
            pass
        said = everything(connection)
    assert sent < 32 << 20
    assert said == b"" or b" 413 " in said  # the answer is lost if we are still sending when it comes


@pytest.mark.parametrize("sent", [b"", b'{"key": '])
def test_a_body_that_stops_coming_is_given_up(server: ApiServer, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(guard, "CHUNK_SECONDS", 0.3)
    with connected(server) as connection:
        post(connection, "Content-Length: 50")
        connection.sendall(sent)
        said = everything(connection)
    assert b" 408 " in said
    assert b'"reason":"request_timeout"' in said


def test_a_body_that_drips_is_given_up(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard.Allowance.__init__, "__defaults__", (1 << 20, 0.5, 0.0, None))
    with connected(server) as connection:
        post(connection, "Content-Length: 5000")
        closed = threading.Event()

        def drip() -> None:
            try:
                while not closed.wait(0.05):
                    connection.sendall(b" ")
            except OSError:
                pass

        dripping = threading.Thread(target=drip)
        dripping.start()
        said = everything(connection)
        closed.set()
        dripping.join(PATIENCE)
    assert b" 408 " in said


def test_a_client_that_reads_nothing_is_disconnected(
    make_web: Callable[..., WebHarness], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "READ_SECONDS", 0.3)
    web = make_web(listen="127.0.0.1:0")
    with ApiServer(web.services) as server, connected(server) as connection:
        connection.sendall(b"GET /v1/openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 2000)
        uvicorn_server = server._server
        eventually(lambda: uvicorn_server.server_state.total_requests > 0, "an answer")
        eventually(lambda: not uvicorn_server.server_state.connections, "the disconnection")


# --- headers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/v1/session", "/v1/clips/none", "/v1/nothing", "/v1/openapi.json"])
def test_every_answer_has_the_security_headers(web: WebHarness, path: str) -> None:
    headers = web.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_an_answer_to_our_own_failure_has_them_too(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(type(web.services.records), "get_clip", fail)
    response = web.get("/v1/clips/wave")
    assert response.status_code == 500
    assert response.headers["x-content-type-options"] == "nosniff"


def test_pages_of_chosen_origins_may_call_the_api_with_a_key(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(cors_origins="https://app.example,http://localhost:3000")
    key = bearer(a_key(web))
    asked = web.client.options(
        "/v1/keys",
        headers={
            "Origin": "https://app.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
        },
    )
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == "https://app.example"
    answer = web.get("/v1/keys", headers={**key, "Origin": "https://app.example"})
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-credentials" not in answer.headers
    assert "RateLimit" in answer.headers["access-control-expose-headers"]
    other = web.get("/v1/keys", headers={**key, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers


def test_no_page_of_another_origin_may_read_anything_by_default(web: WebHarness) -> None:
    answer = web.get("/v1/keys", headers={**bearer(a_key(web)), "Origin": "https://app.example"})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("origin", ["*", "app.example", "https://app.example/", "https://App.example", "null"])
def test_an_origin_that_is_none_is_refused(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from cutback.domain.errors import SettingsError
    from cutback.settings.settings import load_settings

    monkeypatch.setenv("CUTBACK_CORS_ORIGINS", origin)
    with pytest.raises(SettingsError, match="is not an origin"):
        load_settings()


# --- metrics ---------------------------------------------------------------------------------------


def test_metrics_count_requests_by_route_and_show_the_queue(web: WebHarness) -> None:
    web.submit()
    for path in ("/v1/clips/wave", "/v1/clips/none", "/v1/clips/other", "/nothing/1", "/nothing/2"):
        web.get(path)
    answer = web.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'cutback_http_requests_total{method="GET",route="/v1/clips/{clip_id}",status="200"} 1.0' in lines
    assert 'cutback_http_requests_total{method="GET",route="/v1/clips/{clip_id}",status="404"} 2.0' in lines
    assert 'cutback_http_requests_total{method="any",route="none",status="404"} 2.0' in lines
    assert 'cutback_queue_messages{queue="clips",state="visible"} 1.0' in lines
    assert "cutback_event_streams 0.0" in lines
    assert any(line.startswith("cutback_http_request_seconds_bucket") for line in lines)


def test_methods_that_nobody_knows_make_no_metrics_of_their_own(web: WebHarness) -> None:
    for method in ("ONE", "TWO", "THREE"):
        assert_problem(web.client.request(method, "/v1/clips"), 405, "method_not_allowed")
    lines = web.get("/metrics").text.splitlines()
    assert 'cutback_http_requests_total{method="any",route="/v1/clips",status="405"} 3.0' in lines
    assert not [line for line in lines if "TWO" in line]


def test_metrics_need_a_key_of_the_whole_installation_where_keys_are_needed(web: WebHarness) -> None:
    from tests.web.test_keys import a_tenant

    read, tenant = a_key(web, Scope.READ), a_key(web, tenant=a_tenant(web))
    assert_problem(web.get("/metrics"), 401, "unauthorized")
    assert_problem(web.get("/metrics", headers=bearer(read)), 403, "forbidden")
    assert_problem(web.get("/metrics", headers=bearer(tenant)), 403, "forbidden")
    assert web.get("/metrics", headers=bearer(a_key(web))).status_code == 200
