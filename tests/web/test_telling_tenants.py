"""Tenants hear of their own clips only: in events, through webhooks, and by ids that they guess."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from standardwebhooks.webhooks import Webhook
from tests.support.receiver import receiving
from tests.support.uvicorn_server import serving_app
from tests.web.harness import WebHarness, assert_problem
from tests.web.test_events import STREAM, blocks
from tests.web.test_keys import a_key, a_tenant, bearer
from tests.web.test_webhooks import deliver

from cutback.ports import DocumentPage


@pytest.fixture
def web(make_web: Callable[..., WebHarness]) -> WebHarness:
    return make_web(webhook_private=True)  # the receivers of these tests are on this machine


@pytest.fixture
def keys(web: WebHarness) -> dict[str, dict[str, str]]:
    """The header of a key of each tenant, and of the installation (`""`)."""
    return {"": bearer(a_key(web))} | {
        name: bearer(a_key(web, tenant=a_tenant(web, name))) for name in ("pipe", "reef")
    }


def test_pages_have_the_events_of_ones_own_clips_by_their_own_ids(
    web: WebHarness, keys: dict[str, dict[str, str]]
) -> None:
    for tenant in ("pipe", "reef", ""):
        web.submit(id="one", tenant=tenant)

    def found(tenant: str, query: str = "") -> list[tuple[str, str]]:
        items = web.get(f"/v1/events?after=0{query}", headers=keys[tenant]).json()["items"]
        return [(each["data"].get("tenant", ""), each["subject"]) for each in items]

    assert found("pipe") == [("pipe", "one")]
    assert found("reef", "&clip=one") == [("reef", "one")]
    assert found("reef", "&clip=pipe.one") == []
    assert found("") == [("pipe", "one"), ("reef", "one"), ("", "one")]
    assert found("", "&clip=pipe.one") == [("pipe", "one")]


def test_a_stream_has_nothing_of_other_tenants(web: WebHarness, keys: dict[str, dict[str, str]]) -> None:
    for number in range(20):
        web.submit(id=f"clip-{number}", tenant=("pipe", "reef")[number % 2])
    with (
        serving_app(web.app) as url,
        httpx.stream("GET", f"{url}/v1/events?after=0", headers={**STREAM, **keys["pipe"]}) as response,
    ):
        found = blocks(response.iter_lines())
        next(found)
        assert [int(next(found)["id"]) for _ in range(10)] == list(range(1, 20, 2))


def test_events_need_a_key_before_the_stream_begins(web: WebHarness, keys: dict[str, dict[str, str]]) -> None:
    assert keys
    assert_problem(web.client.get("/v1/events", headers=STREAM), 401, "unauthorized")


def test_a_webhook_receives_the_events_of_its_tenant(web: WebHarness, keys: dict[str, dict[str, str]]) -> None:
    with receiving() as receiver:
        for tenant in ("pipe", ""):
            url = f"{receiver.url}/{tenant or 'all'}"
            response = web.client.post("/v1/webhooks", json={"url": url}, headers=keys[tenant])
            assert response.status_code == 201
        for tenant in ("pipe", "reef"):
            web.submit(id="one", tenant=tenant)
        deliver(web)
        got = sorted((path, headers["webhook-id"]) for path, headers, _ in receiver.came)
    assert got == [("/all", "pipe.one.1"), ("/all", "reef.one.1"), ("/pipe", "pipe.one.1")]


def test_an_event_costs_no_look_at_the_webhooks_of_other_tenants(
    web: WebHarness, keys: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keys
    asked: list[str | None] = []
    registry = web.services.registry
    real = registry.list

    def listed(kind: str, *, owner: str | None = None, limit: int = 50, cursor: str | None = None) -> DocumentPage:
        asked.append(owner)
        return real(kind, owner=owner, limit=limit, cursor=cursor)

    monkeypatch.setattr(type(registry), "list", lambda _, *args, **options: listed(*args, **options))
    web.submit(id="one", tenant="pipe")
    assert asked == ["", "pipe"]


def test_webhooks_of_other_tenants_do_not_exist(web: WebHarness, keys: dict[str, dict[str, str]]) -> None:
    with receiving() as receiver:
        made = web.client.post("/v1/webhooks", json={"url": receiver.url}, headers=keys["pipe"]).json()
        address = f"/v1/webhooks/{made['id']}"
        for method, path, body in (
            ("GET", address, None),
            ("PATCH", address, {"paused": True}),
            ("DELETE", address, None),
            ("POST", f"{address}/test", None),
            ("POST", f"{address}/secret", None),
            ("GET", f"{address}/deliveries", None),
            ("POST", f"{address}/redeliver", {"after": 0}),
        ):
            assert_problem(web.client.request(method, path, json=body, headers=keys["reef"]), 404, "not_found")
        assert web.get("/v1/webhooks", headers=keys["reef"]).json()["items"] == []
        assert web.get("/v1/webhooks", headers=keys["pipe"]).json()["items"] == [
            {name: value for name, value in made.items() if name != "secret"}
        ]
        assert web.get(address, headers=keys[""]).status_code == 200
        web.submit(id="one", tenant="pipe")
        deliver(web)
        assert Webhook(made["secret"]).verify(receiver.came[0][2], receiver.came[0][1])["subject"] == "one"


def test_webhooks_of_remote_keys_do_not_reach_this_machine(make_web: Callable[..., WebHarness]) -> None:
    web = make_web()
    clip = {"source": {"recording": "pipe/sea.mp4", "start": 0, "end": 1}}
    local = "http://127.0.0.1:9/"
    for path, body in (("/v1/webhooks", {"url": local}), ("/v1/clips", {**clip, "webhook": local})):
        assert web.client.post(path, json=body).status_code in {201, 202}, "somebody on this machine"
    tenant, installation = bearer(a_key(web, tenant=a_tenant(web))), bearer(a_key(web))
    for key in (tenant, installation):
        for url in (local, "http://localhost:9/", "http://[::1]:9/", "https://127.0.0.1/", "https://10.0.0.1/"):
            for path, body in (
                ("/v1/webhooks", {"url": url}),
                ("/v1/clips", {**clip, "webhook": url}),
            ):
                assert_problem(web.client.post(path, json=body, headers=key), 422, "invalid_request")
            batch = web.client.post("/v1/clips", json=[{**clip, "webhook": url}], headers=key).json()["items"]
            assert [each["status"] for each in batch] == [422]
        made = web.client.post("/v1/webhooks", json={"url": "https://hooks.example/"}, headers=key).json()
        changed = web.client.patch(f"/v1/webhooks/{made['id']}", json={"url": local}, headers=key)
        assert_problem(changed, 422, "invalid_request")


def test_keys_may_choose_private_addresses_where_the_setting_allows_it(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(webhook_private=True)
    for key in (a_key(web, tenant=a_tenant(web)), a_key(web)):
        for url in ("http://127.0.0.1:9/", "https://10.0.0.1/"):
            assert web.client.post("/v1/webhooks", json={"url": url}, headers=bearer(key)).status_code == 201
