"""API keys, sessions and the open door of one machine, over the REST API."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import itsdangerous
import pytest
from tests.web.harness import WebHarness, assert_problem

from cutback.domain.api_keys import ApiKey, Scope, digest_of, key_id_of
from cutback.domain.errors import RecordsUnavailableError
from cutback.domain.tenants import Visible
from cutback.lifecycle import api_keys, tenants
from cutback.lifecycle.api_keys import USE_NOTED_EVERY
from cutback.lifecycle.sessions import LASTS

ALL = (Scope.READ, Scope.REQUEST, Scope.ADMIN)


def a_key(web: WebHarness, *scopes: Scope, tenant: str = "") -> str:
    return api_keys.create_key(web.services, name="test", scopes=scopes or ALL, tenant=tenant)[1]


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def new(web: WebHarness, key: str, **fields: Any) -> httpx.Response:
    response: httpx.Response = web.client.post("/v1/keys", json={"name": "app", **fields}, headers=bearer(key))
    return response


# --- keys ------------------------------------------------------------------------------------------


def test_a_key_is_made_used_listed_and_revoked(web: WebHarness) -> None:
    admin = a_key(web)
    made = new(web, admin)
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    key = made.json()
    assert (key["name"], key["scopes"], key["tenant"]) == ("app", ["read", "request"], "")

    assert web.get("/v1/session", headers=bearer(key["key"])).json()["key_id"] == key["id"]
    listed = web.get("/v1/keys", headers=bearer(admin)).json()["items"]
    assert {key["id"], key_id_of(admin)} == {each["id"] for each in listed}
    assert made.headers["location"] == f"/v1/keys/{key['id']}"
    assert web.get(made.headers["location"], headers=bearer(admin)).json()["name"] == "app"

    assert web.client.delete(f"/v1/keys/{key['id']}", headers=bearer(admin)).status_code == 204
    assert_problem(web.get("/v1/session", headers=bearer(key["key"])), 401, "unauthorized")
    assert_problem(web.get(f"/v1/keys/{key['id']}", headers=bearer(admin)), 404, "key_not_found")


def test_only_the_digest_of_a_key_is_stored_or_shown_again(web: WebHarness) -> None:
    text = a_key(web)
    stored = web.services.registry.list("api_key").documents[0].content
    assert stored["digest"] == digest_of(text)
    assert text not in str(stored)
    shown = web.get("/v1/keys", headers=bearer(text)).text
    assert text not in shown
    assert digest_of(text) not in shown


@pytest.mark.parametrize(
    "sent",
    ["", "Bearer", "Bearer ", "Bearer ck_1", "Basic YTpi", "Bearer " + "x" * 5000, "Bearer ck_" + "0" * 49, "ck_1"],
)
def test_a_request_without_a_valid_key_is_refused(web: WebHarness, sent: str) -> None:
    a_key(web)
    response = web.get("/v1/session", headers={"Authorization": sent} if sent else {})
    assert_problem(response, 401, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"


def test_a_key_with_the_id_of_another_is_refused(web: WebHarness) -> None:
    """The id is half of a digest; the whole one counts."""
    text = a_key(web)
    found = web.services.registry.get("api_key", key_id_of(text))
    assert found is not None
    web.services.registry.replace(found, {**found.content, "digest": found.content["digest"][:16] + "0" * 48})
    assert_problem(web.get("/v1/session", headers=bearer(text)), 401, "unauthorized")


@pytest.mark.parametrize("scope", [Scope.READ, Scope.REQUEST])
def test_a_key_permits_its_scopes_and_no_other(web: WebHarness, scope: Scope) -> None:
    key = a_key(web, scope)
    refused = web.get("/v1/keys", headers=bearer(key))
    assert "admin" in assert_problem(refused, 403, "forbidden")["detail"]
    read = web.get("/v1/session", headers=bearer(key))
    assert read.status_code == (200 if scope is Scope.READ else 403)


def test_the_last_use_is_noted_but_not_with_every_request(web: WebHarness) -> None:
    text = a_key(web)

    def noted() -> tuple[Any, str]:
        found = web.services.registry.get("api_key", key_id_of(text))
        assert found is not None
        return ApiKey.model_validate(found.content).last_used_at, found.revision

    assert noted()[0] is None
    web.get("/v1/session", headers=bearer(text))
    first = noted()
    assert first[0] is not None
    web.pass_time(USE_NOTED_EVERY.total_seconds() - 30)
    web.get("/v1/session", headers=bearer(text))
    assert first == noted()
    web.pass_time(60)
    web.get("/v1/session", headers=bearer(text))
    assert noted()[0] > first[0]


def test_a_key_works_where_its_use_cannot_be_noted(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    text = a_key(web)

    def fail(*_: object) -> None:
        raise RecordsUnavailableError

    monkeypatch.setattr(type(web.services.registry), "replace", fail)
    assert web.get("/v1/session", headers=bearer(text)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "a\nb"},
        {"name": "x" * 101},
        {"name": "a", "scopes": []},
        {"name": "a", "scopes": ["root"]},
        {"name": "a", "tenant": "../x"},
        {"name": "a", "more": 1},
        [],
        "text",
    ],
)
def test_an_invalid_key_is_refused_with_every_fault(web: WebHarness, body: Any) -> None:
    response = web.client.post("/v1/keys", json=body, headers=bearer(a_key(web)))
    assert assert_problem(response, 422, "invalid_request")["errors"]


@pytest.mark.parametrize(
    "body", [b'{"name": "a", "name": "b"}', b"{", b"\xff\xfe", b'{"name": NaN}', b"[" * 100_000, b'{"name": 1e999999}']
)
def test_bodies_that_parsers_disagree_about_are_refused(web: WebHarness, body: bytes) -> None:
    headers = {**bearer(a_key(web)), "Content-Type": "application/json"}
    assert_problem(web.client.post("/v1/keys", content=body, headers=headers), 422, "invalid_request")


def test_a_body_that_is_too_large_is_refused(web: WebHarness) -> None:
    headers = {**bearer(a_key(web)), "Content-Type": "application/json"}
    body = b'{"name": "' + b"x" * 2_000_000 + b'"}'
    assert_problem(web.client.post("/v1/keys", content=body, headers=headers), 413, "body_too_large")


def test_a_body_of_another_type_is_refused(web: WebHarness) -> None:
    """A form of another site can send text, but no JSON."""
    headers = {**bearer(a_key(web)), "Content-Type": "text/plain"}
    assert_problem(web.client.post("/v1/keys", content=b'{"name": "a"}', headers=headers), 422, "invalid_request")


def test_keys_are_listed_in_pages(web: WebHarness) -> None:
    admin = a_key(web)
    for _ in range(4):
        a_key(web)
    found, cursor = [], ""
    while True:
        page = web.get(f"/v1/keys?limit=2{cursor}", headers=bearer(admin)).json()
        found += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(found) == 5
    assert found == sorted(set(found))
    assert_problem(web.get("/v1/keys?cursor=nonsense", headers=bearer(admin)), 422, "invalid_request")


# --- tenants ---------------------------------------------------------------------------------------


def a_tenant(web: WebHarness, name: str = "pipe") -> str:
    tenants.put_tenant(web.services, name, Visible(recordings=(f"{name}/",), cameras=(f"{name}-*",)))
    return name


def test_a_tenant_is_stored_changed_and_removed(web: WebHarness) -> None:
    admin = bearer(a_key(web))
    put = web.client.put("/v1/tenants/pipe", json={"recordings": ["pipe/"]}, headers=admin)
    assert (put.status_code, put.json()["recordings"], put.json()["cameras"]) == (201, ["pipe/"], [])
    again = web.client.put("/v1/tenants/pipe", json={"cameras": ["pipe"]}, headers=admin)
    assert (again.status_code, again.json()["recordings"], again.json()["cameras"]) == (200, [], ["pipe"])
    assert again.json()["created_at"] == put.json()["created_at"]
    assert web.get("/v1/tenants", headers=admin).json() == {"items": [again.json()], "next": None}
    assert web.client.delete("/v1/tenants/pipe", headers=admin).status_code == 204
    assert_problem(web.get("/v1/tenants/pipe", headers=admin), 404, "tenant_not_found")
    assert_problem(web.client.delete("/v1/tenants/pipe", headers=admin), 404, "tenant_not_found")
    assert_problem(web.client.put("/v1/tenants/Pipe", json={}, headers=admin), 422, "invalid_request")


def test_a_key_of_a_removed_tenant_is_refused(web: WebHarness) -> None:
    key = a_key(web, tenant=a_tenant(web))
    assert web.get("/v1/session", headers=bearer(key)).json()["tenant"] == "pipe"
    tenants.remove_tenant(web.services, "pipe")
    assert_problem(web.get("/v1/session", headers=bearer(key)), 401, "unauthorized")


def test_the_administrator_of_a_tenant_manages_its_keys_and_no_others(web: WebHarness) -> None:
    pipe, reef = (a_key(web, tenant=a_tenant(web, name)) for name in ("pipe", "reef"))
    own = new(web, pipe).json()
    assert own["tenant"] == "pipe"
    assert {own["id"], key_id_of(pipe)} == {
        each["id"] for each in web.get("/v1/keys", headers=bearer(pipe)).json()["items"]
    }
    other = key_id_of(reef)
    for response in (
        web.get(f"/v1/keys/{other}", headers=bearer(pipe)),
        web.client.delete(f"/v1/keys/{other}", headers=bearer(pipe)),
    ):
        assert_problem(response, 404, "key_not_found")
    for tenant in ("reef", "none"):
        assert_problem(new(web, pipe, tenant=tenant), 404, "tenant_not_found")
    assert web.get("/v1/session", headers=bearer(reef)).status_code == 200
    assert_problem(web.get("/v1/tenants", headers=bearer(pipe)), 403, "forbidden")


# --- the open door ---------------------------------------------------------------------------------


def test_without_any_key_everybody_on_this_machine_may_do_everything(web: WebHarness) -> None:
    assert web.get("/v1/session").json() == {"tenant": "", "key_id": "", "scopes": ["admin", "read", "request"]}
    assert web.get("/v1/keys").status_code == 200


def test_the_first_key_closes_the_door(web: WebHarness) -> None:
    assert web.client.post("/v1/keys", json={"name": "first", "scopes": ["admin"]}).status_code == 201
    assert_problem(web.get("/v1/keys"), 401, "unauthorized")


def test_a_server_that_others_can_reach_is_never_open(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(listen="0.0.0.0:8080")
    assert_problem(web.get("/v1/keys"), 401, "unauthorized")


@pytest.mark.parametrize(
    "headers",
    [{"Host": "rebound.evil.example"}, {"Host": "127.0.0.1.evil.example:8080"}, {"X-Forwarded-For": "203.0.113.9"}],
)
def test_the_open_door_is_closed_to_other_names_and_proxies(web: WebHarness, headers: dict[str, str]) -> None:
    assert_problem(web.get("/v1/keys", headers=headers), 421, "wrong_host")


def test_the_open_door_is_closed_to_pages_of_other_sites(web: WebHarness) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        response = web.client.post("/v1/keys", json={"name": "theirs"}, headers=headers)
        assert_problem(response, 403, "cross_site")
    assert not api_keys.any_key(web.services)


# --- sessions --------------------------------------------------------------------------------------


def login(web: WebHarness, key: str, **headers: str) -> httpx.Response:
    response: httpx.Response = web.client.post("/v1/session", json={"key": key}, headers=headers)
    web.client.cookies.clear()
    return response


def cookie(response: httpx.Response) -> str:
    return response.headers["set-cookie"].partition(";")[0]


def test_a_session_is_a_signed_cookie_that_scripts_cannot_read(web: WebHarness) -> None:
    key = a_key(web, Scope.READ)
    response = login(web, key)
    assert response.status_code == 200
    assert key not in response.text + response.headers["set-cookie"]
    parts = {part.strip().lower() for part in response.headers["set-cookie"].split(";")[1:]}
    assert {"path=/", "secure", "httponly", "samesite=strict"} <= parts
    assert not any(part.startswith("domain") for part in parts)
    assert cookie(response).startswith("__Host-")

    own = {"Cookie": cookie(response), "Sec-Fetch-Site": "same-origin"}
    assert web.get("/v1/session", headers=own).json()["key_id"] == key_id_of(key)
    assert_problem(web.get("/v1/keys", headers=own), 403, "forbidden")


def test_a_session_ends_with_its_key(web: WebHarness) -> None:
    key = a_key(web)
    headers = {"Cookie": cookie(login(web, key))}
    assert web.get("/v1/session", headers=headers).status_code == 200
    api_keys.revoke_key(web.services, key_id_of(key))
    assert_problem(web.get("/v1/session", headers=headers), 401, "unauthorized")


def test_a_session_ends_with_its_time(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"Cookie": cookie(login(web, a_key(web)))}
    later = int(time.time() + LASTS.total_seconds()) + 5
    monkeypatch.setattr(itsdangerous.TimestampSigner, "get_timestamp", lambda _: later)
    assert_problem(web.get("/v1/session", headers=headers), 401, "unauthorized")


def test_an_altered_session_is_refused(web: WebHarness) -> None:
    name, _, value = cookie(login(web, a_key(web))).partition("=")
    value = value.strip('"')
    for place in range(len(value)):
        altered = value[:place] + ("A" if value[place] != "A" else "Q") + value[place + 1 :]
        response = web.get("/v1/session", headers={"Cookie": f"{name}={altered}"})
        assert response.status_code == 401, altered


def test_a_page_of_another_site_cannot_use_a_session(web: WebHarness) -> None:
    own = cookie(login(web, a_key(web)))
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ):
        response = web.client.post("/v1/keys", json={"name": "theirs"}, headers={"Cookie": own, **headers})
        assert_problem(response, 403, "cross_site")
    assert len(api_keys.list_keys(web.services)[0]) == 1
    response = web.client.post(
        "/v1/keys", json={"name": "ours"}, headers={"Cookie": own, "Sec-Fetch-Site": "same-origin"}
    )
    assert response.status_code == 201


def test_a_page_of_another_site_cannot_begin_or_end_a_session(web: WebHarness) -> None:
    key = a_key(web)
    assert_problem(login(web, key, **{"Sec-Fetch-Site": "cross-site"}), 403, "cross_site")
    assert_problem(web.client.delete("/v1/session", headers={"Origin": "https://evil.example"}), 403, "cross_site")


def test_a_session_is_ended(web: WebHarness) -> None:
    ended = web.client.delete("/v1/session")
    assert ended.status_code == 204
    assert ended.headers["set-cookie"].startswith('__Host-cutback="";')
    assert "Max-Age=0" in ended.headers["set-cookie"]


def test_a_wrong_key_begins_no_session(web: WebHarness) -> None:
    response = login(web, "ck_" + "0" * 49)
    assert_problem(response, 401, "unauthorized")
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    ("path", "kind"),
    [("keys", "api_key"), *((f"{kind}s", kind) for kind in ("tenant", "webhook", "share", "upload"))],
)
def test_lists_pass_over_records_that_cannot_be_read(
    web: WebHarness, path: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    admin = bearer(a_key(web))
    before = web.get(f"/v1/{path}", headers=admin).json()
    web.services.registry.put_new(kind, "0-of-another-program", {"what": "is this"})
    after = web.get(f"/v1/{path}", headers=admin)
    assert (after.status_code, after.json()) == (200, before)
    assert "0-of-another-program" in caplog.text
    assert_problem(web.get(f"/v1/{path}?cursor=nonsense", headers=admin), 422, "invalid_request")
