"""Keys, scopes, rate limits and tenants, on every route that the document names, of the real program.

A new route is tested without being named here, except if its path has a parameter that no other path has.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.support.waiting import PATIENCE
from tests.web.api_process import api_process
from tests.web.harness import WebHarness
from tests.web.test_keys import a_key, bearer

from cutback.domain.api_keys import Scope, key_id_of
from cutback.domain.tenants import Visible
from cutback.lifecycle.tenants import put_tenant

WITHOUT_KEY = {
    "GET /healthz", "GET /readyz", "GET /version",
    "POST /v1/session", "DELETE /v1/session",  # they take a key, or forget one
    "POST /v1/sns",  # signed by Amazon
}  # fmt: skip
"""Routes that need no key. Whoever adds one decides it here as well."""
BY_LINK = re.compile(r"^\w+ /(s|v1/shared)/")
"""Routes that a signed link opens."""
OPERATORS = re.compile(r"^\w+ (/metrics|/v1/status|/v1/dead-letters|/v1/tenants)")
MISSING = dict.fromkeys(("clip_id", "key_id", "webhook_id", "upload_id", "share_id", "name", "key"), "missing")
STREAMS = "GET /v1/events"
RATE = 30


@dataclass(frozen=True)
class Operation:
    """A method of a path of the document."""

    method: str
    path: str
    described: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", self.path))

    @property
    def query(self) -> dict[str, str]:
        """The parameters without which the operation only says that they are missing."""
        required = [each for each in self.described.get("parameters", ()) if each["in"] == "query" and each["required"]]
        known = {"camera": "pipe-1", "from": "2026-06-21T05:30:00Z", "to": "2026-06-21T05:30:05Z"}
        known["at"] = known["from"]
        preview = {"at": "1"} if self.path.endswith("/preview.mp4") else {}  # the document does not require it
        return {each["name"]: known[each["name"]] for each in required} | preview

    @property
    def scope(self) -> str:
        (scope,) = self.described["security"][0]["key"]
        return str(scope)

    def url(self, values: dict[str, str]) -> str:
        section = self.path.removeprefix("/v1").split("/")[1]
        return re.sub(
            r"\{(\w+)\}", lambda found: values.get(f"{section}/{found[1]}", values.get(found[1], "1")), self.path
        )


@dataclass(frozen=True)
class Installation:
    """Two tenants, whose things are all in one data folder, and their keys."""

    web: WebHarness
    operations: list[Operation]
    admin: str
    pipe: str
    reef: str
    of_pipe: dict[str, str]
    """What belongs to the tenant `pipe`, by the parameter that names it, below a section if several have the same."""

    @property
    def closed(self) -> list[Operation]:
        """The operations that need a key."""
        return [each for each in self.operations if each.name not in WITHOUT_KEY and not BY_LINK.match(each.name)]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("installation")
    web = WebHarness(folder / "cutback-data")
    recordings = folder / "cutback-data" / "recordings"
    for name in ("pipe", "reef"):
        (recordings / name).mkdir()
        (recordings / name / "sea.mp4").write_bytes((recordings / "sea.mp4").read_bytes())
        put_tenant(web.services, name, Visible(recordings=(f"{name}/",), cameras=(f"{name}-*",)))
    document = web.get("/v1/openapi.json").json()
    operations = [
        Operation(method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]
    admin, pipe, reef = a_key(web), a_key(web, tenant="pipe"), a_key(web, tenant="reef")
    yield Installation(web, operations, admin, pipe, reef, _things_of(web, pipe))
    web.close()


def _things_of(web: WebHarness, key: str) -> dict[str, str]:
    made = web.client.post(
        "/v1/clips",
        json={"id": "secret-wave", "source": {"recording": "pipe/sea.mp4", "start": 1, "end": 3}},
        headers=bearer(key),
    )
    assert made.status_code == 202, made.text
    web.work()
    clip = web.get("/v1/clips/secret-wave", headers=bearer(key)).json()
    assert clip["state"] == "ready"
    found = {
        "clip_id": "secret-wave",
        "media/key": clip["media"]["clip"].partition("/v1/media/")[2],
        "key": "pipe/sea.mp4",
        "key_id": key_id_of(key),
        "tenants/name": "pipe",
        "name": "pipe-1",
        "number": "1",
    }
    for section, name, body in (
        ("webhooks", "webhook_id", {"url": "https://secret.example/hook"}),
        ("uploads", "upload_id", {"key": "pipe/secret.mp4", "size": 1000}),
        ("shares", "share_id", {"clip": "secret-wave"}),
    ):
        one = web.client.post(f"/v1/{section}", json=body, headers=bearer(key))
        assert one.status_code == 201, one.text
        found[name] = one.json()["id"]
    return found


@pytest.fixture(scope="module")
def ask(installation: Installation) -> Iterator[Callable[..., httpx.Response]]:
    """Sends a request to the real program, with the least that an operation needs."""
    with (
        api_process(installation.web.settings.data.parent, rate_limit="0") as api,
        httpx.Client(base_url=api.url, timeout=PATIENCE) as client,
    ):
        yield lambda *arguments, **options: send(client, *arguments, **options)


def send(
    client: httpx.Client, operation: Operation, key: str | None, values: dict[str, str] | None = None
) -> httpx.Response:
    headers = {**(bearer(key) if key else {}), "If-Match": "*"}
    if operation.name == STREAMS:
        headers["Accept"] = "application/json"  # a page: streams have no end
    body: dict[str, Any] | None = {} if "requestBody" in operation.described else None
    url, query = operation.url(values or {}), operation.query
    return client.request(operation.method, url, params=query, headers=headers, json=body)


def test_the_document_names_the_routes_that_need_no_key(installation: Installation) -> None:
    names = {each.name for each in installation.operations}
    assert names >= WITHOUT_KEY
    assert len(installation.closed) > 25
    for each in installation.operations:
        assert bool(each.described.get("security")) == (each in installation.closed), each.name


def test_no_route_answers_without_a_valid_key(installation: Installation, ask: Callable[..., httpx.Response]) -> None:
    wrong = "ck_" + "0" * 49
    for operation in installation.closed:
        for key in (None, wrong):
            response = ask(operation, key)
            assert response.status_code == 401, operation.name
            assert response.headers["www-authenticate"] == "Bearer", operation.name


def test_every_route_needs_the_scope_that_the_document_names(
    installation: Installation, ask: Callable[..., httpx.Response]
) -> None:
    others = {
        scope: a_key(installation.web, *(each for each in (Scope.READ, Scope.REQUEST) if each != scope))
        for scope in Scope
    }
    for operation in installation.closed:
        response = ask(operation, others[Scope(operation.scope)])
        assert response.status_code == 403, operation.name
        assert operation.method == "HEAD" or operation.scope in response.json()["detail"], operation.name
        writes = operation.method not in {"GET", "HEAD"} and operation.path != "/v1/plans"
        assert not writes or operation.scope != Scope.READ, operation.name


def test_every_route_counts_against_the_limit_of_its_key(installation: Installation) -> None:
    key = a_key(installation.web, Scope.READ)
    session = next(each for each in installation.operations if each.name == "GET /v1/session")
    with (
        api_process(installation.web.settings.data.parent, rate_limit=str(RATE)) as api,
        httpx.Client(base_url=api.url, timeout=PATIENCE) as client,
    ):
        for operation in installation.closed:
            for _ in range(5):
                response = send(client, operation, key)
                if response.status_code == 429:
                    break
                for _ in range(2 * RATE):  # the window has moved on: use it up again
                    if send(client, session, key).status_code == 429:
                        break
            assert response.status_code == 429, operation.name
            assert int(response.headers["retry-after"]) > 0, operation.name
            assert response.headers["ratelimit"].startswith('"key";r=0;'), operation.name


def test_what_belongs_to_another_tenant_does_not_exist_on_any_route(
    installation: Installation, ask: Callable[..., httpx.Response]
) -> None:
    for operation in installation.closed:
        unknown = operation.parameters - {name.rpartition("/")[2] for name in installation.of_pipe}
        assert not unknown, f"{operation.name}: tell this test what {unknown} of a tenant is"
        foreign = ask(operation, installation.reef, installation.of_pipe)
        if OPERATORS.match(operation.name):
            assert foreign.status_code == 403, operation.name
        elif operation.parameters:
            missing = ask(operation, installation.reef, MISSING)
            assert foreign.status_code in {404, 422}, f"{operation.name}: {foreign.text}"
            assert missing.status_code == foreign.status_code, operation.name
            if operation.method != "HEAD":
                assert missing.json()["reason"] == foreign.json()["reason"], operation.name
        else:
            assert "secret" not in foreign.text, operation.name
    kept = installation.web
    assert kept.get("/v1/clips/secret-wave", headers=bearer(installation.pipe)).json()["state"] == "ready"


def test_a_tenant_sees_its_own_things_by_the_same_names(
    installation: Installation, ask: Callable[..., httpx.Response]
) -> None:
    """Otherwise, the test above would prove nothing."""
    seen = set()
    for operation in installation.closed:
        if operation.method == "GET" and operation.parameters and not OPERATORS.match(operation.name):
            response = ask(operation, installation.pipe, installation.of_pipe)
            if response.status_code == 200:
                seen |= operation.parameters
    assert seen >= {"clip_id", "key", "key_id", "webhook_id", "upload_id", "share_id"}
    for name in ("/v1/clips", "/v1/events"):
        (listing,) = [each for each in installation.closed if each.name == f"GET {name}"]
        assert "secret-wave" in ask(listing, installation.pipe).text


def test_a_tenant_cannot_request_what_it_does_not_see(
    installation: Installation, ask: Callable[..., httpx.Response]
) -> None:
    del ask  # the real program runs; what counts is what the routes decide
    client = installation.web.client
    for source, reason in (
        ({"recording": "pipe/sea.mp4", "start": 1, "end": 2}, "recording_not_found"),
        ({"recording": "sea.mp4", "start": 1, "end": 2}, "recording_not_found"),
        ({"camera": "pipe-1", "from": "2026-06-21T05:30:00Z", "to": "2026-06-21T05:30:05Z"}, "camera_unknown"),
    ):
        response = client.post("/v1/clips", json={"source": source}, headers=bearer(installation.reef))
        assert (response.status_code, response.json()["reason"]) == (404, reason)


def test_the_same_id_of_two_tenants_is_two_clips(installation: Installation) -> None:
    client, body = installation.web.client, {"id": "twin", "source": {"start": 1, "end": 2}}
    for tenant, key in (("pipe", installation.pipe), ("reef", installation.reef)):
        source = {"recording": f"{tenant}/sea.mp4", "start": 1, "end": 2}
        made = client.post("/v1/clips", json={**body, "source": source}, headers=bearer(key))
        assert made.status_code == 202
        assert made.json()["id"] == "twin"


@pytest.fixture
def asked_of_ports(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which methods of records, registry, catalogue and stores were called, in order."""
    calls: list[str] = []

    def spied(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            calls.append(name)
            return method(*arguments, **options)

        return call

    services = installation.web.services
    for kind in {type(port) for port in (services.records, services.registry, services.catalogue, services.clips)}:
        for name, method in vars(kind).items():
            if inspect.isfunction(method) and not name.startswith("_"):
                monkeypatch.setattr(kind, name, spied(f"{kind.__name__}.{name}", method))
    return calls


def test_what_belongs_to_another_tenant_takes_the_same_steps_as_what_does_not_exist(
    installation: Installation, asked_of_ports: list[str]
) -> None:
    """Otherwise, the time of an answer would tell which names are taken."""
    client, there = installation.web.client, installation.of_pipe
    missing = {name: value.replace("secret", "absent").replace("sea", "gap") for name, value in there.items()} | {
        name: value[:-4] + "0000" for name, value in there.items() if name.endswith("_id") and name != "clip_id"
    }
    for key in (installation.pipe, installation.reef):
        client.get("/v1/session", headers=bearer(key))  # notes that the key was used, once in ten minutes
    compared = 0
    for operation in installation.closed:
        if not operation.parameters or operation.method not in {"GET", "HEAD"} or OPERATORS.match(operation.name):
            continue
        send(client, operation, installation.pipe, there)  # caches may know it
        steps = []
        for values in (there, missing):
            asked_of_ports.clear()
            assert send(client, operation, installation.reef, values).status_code in {404, 422}
            steps.append(list(asked_of_ports))
        assert steps[0] == steps[1], operation.name
        compared += bool(steps[0])
        if "media" in operation.path:
            assert not any(step.startswith("SqliteRecords") for step in steps[0]), "a cache would answer sooner"
    assert compared > 5
