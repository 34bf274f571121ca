"""What operators see and do over the REST API: the status, dead letters."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.web.harness import WebHarness, assert_problem
from tests.web.test_keys import a_key, a_tenant, bearer

from cutback.domain.api_keys import Scope
from cutback.domain.clips.clip import ClipState
from cutback.domain.errors import QueueUnavailableError, RecordsUnavailableError, StorageUnavailableError
from cutback.domain.workers import KIND
from cutback.worker.status import gather

OPERATORS_ONLY = [
    ("GET", "/v1/status", None),
    ("GET", "/v1/dead-letters", None),
    ("POST", "/v1/dead-letters/redrive", {"all": True}),
    ("GET", "/v1/tenants", None),
    ("PUT", "/v1/tenants/x", {}),
    ("DELETE", "/v1/tenants/x", None),
    ("GET", "/metrics", None),
]


@pytest.mark.parametrize(("method", "path", "body"), OPERATORS_ONLY)
def test_only_operators_see_the_whole_installation(web: WebHarness, method: str, path: str, body: Any) -> None:
    keys = [a_key(web, Scope.READ, Scope.REQUEST), a_key(web, Scope.ADMIN, tenant=a_tenant(web))]
    for key in keys:
        response = web.client.request(method, path, json=body, headers=bearer(key))
        assert_problem(response, 403, "forbidden")


# --- status ----------------------------------------------------------------------------------------


def test_the_status_is_what_the_command_shows_with_every_dependency(web: WebHarness) -> None:
    web.submit()
    found = web.get("/v1/status").json()
    assert found["queue"]["visible"] == 1
    assert found["clips"] == {"queued": 1, "waiting": 0, "processing": 0}
    assert found["oldest_queued_seconds"] >= 0
    assert any("no worker runs" in sentence for sentence in found["attention"])
    names = {each["name"] for each in found["dependencies"]}
    assert names == {"records", "queue", "recordings", "clips", "cache", "webhooks"}
    assert [each for each in found["dependencies"] if not each["ok"] or each["seconds"] < 0 or each["reason"]] == []

    shown = gather(web.services, timedelta(seconds=600))
    assert set(shown) | {"dependencies"} == set(found)


def test_the_status_shows_workers_of_other_machines_as_the_document_says(web: WebHarness) -> None:
    moment = web.services.clock().isoformat()
    note = {"name": "reef-1-a", "started_at": moment, "beat_at": moment, "clip": "wave", "stage": "cut"}
    assert web.services.registry.put_new(KIND, "reef-1-a", note) is not None
    web.submit()
    found = web.get("/v1/status").json()
    (shown,) = found["workers"]
    assert (shown["name"], shown["host"], shown["clip"], shown["stage"]) == ("reef-1-a", "reef", "wave", "cut")
    assert 0 <= shown["beat_seconds"] < 60
    assert not any("no worker runs" in sentence for sentence in found["attention"])
    import jsonschema  # takes seconds, and only one test process needs it

    schema = web.get("/v1/openapi.json").json()["components"]["schemas"]["Status"]
    assert set(schema["properties"]) == set(found)
    jsonschema.validate(found, {**schema, "additionalProperties": False})


@pytest.mark.parametrize(
    ("port", "method", "error", "name"),
    [
        ("records", "last_position", RecordsUnavailableError, "records"),
        ("queue", "depth", QueueUnavailableError, "queue"),
        ("clips", "head", StorageUnavailableError, "clips"),
    ],
)
def test_the_status_names_what_does_not_answer(
    web: WebHarness, monkeypatch: pytest.MonkeyPatch, port: str, method: str, error: type[Exception], name: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(type(getattr(web.services, port)), method, fail)
    response = web.get("/v1/status")
    assert response.status_code == 200
    found = {each["name"]: each for each in response.json()["dependencies"]}
    assert found[name]["ok"] is False
    assert found[name]["reason"] == error.reason  # type: ignore[attr-defined]
    assert found["cache"]["ok"] is True
    assert any(sentence.startswith(f"{name} does not answer") for sentence in response.json()["attention"])


# --- dead letters ----------------------------------------------------------------------------------


def with_dead_letter(web: WebHarness) -> str:
    """A clip that failed and left a dead letter; returns the letter's id."""
    web.submit()
    (message,) = web.services.queue.receive()
    assert web.services.queue.move_to_dead_letters(message, "gave_up")
    return message.id


def test_dead_letters_are_listed_and_sent_back(web: WebHarness) -> None:
    letter = with_dead_letter(web)
    (item,) = web.get("/v1/dead-letters").json()["items"]
    assert (item["id"], item["subject"], item["reason"]) == (letter, "wave", "gave_up")
    for ids in ([letter], ["wave"]):
        back = web.client.post("/v1/dead-letters/redrive", json={"ids": ids})
        assert back.json() == {"queue": "clips", "redriven": 1}
        assert web.get("/v1/dead-letters").json()["items"] == []
        (message,) = web.services.queue.receive()
        web.services.queue.move_to_dead_letters(message, "gave_up")
    assert web.client.post("/v1/dead-letters/redrive", json={"all": True}).json()["redriven"] == 1
    assert web.clip("wave").state is ClipState.QUEUED


@pytest.mark.parametrize(
    "body", [{}, {"ids": []}, {"ids": ["x"], "all": True}, {"all": False}, {"queue": "x", "all": True}]
)
def test_a_redrive_names_what_it_means(web: WebHarness, body: Any) -> None:
    with_dead_letter(web)
    assert_problem(web.client.post("/v1/dead-letters/redrive", json=body), 422, "invalid_request")
    assert len(web.get("/v1/dead-letters").json()["items"]) == 1


def test_an_unknown_dead_letter_is_a_problem(web: WebHarness) -> None:
    with_dead_letter(web)
    response = web.client.post("/v1/dead-letters/redrive", json={"ids": ["none"]})
    assert_problem(response, 404, "dead_letter_not_found")
