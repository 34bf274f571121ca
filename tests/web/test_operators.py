"""What operators see and do over the REST API: the status, dead letters."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.web.harness import WebHarness, assert_problem
from tests.web.test_keys import a_key, a_tenant, bearer

from cutback.domain.api_keys import Scope
from cutback.domain.clips.clip import ClipState
from cutback.domain.errors import QueueUnavailableError, RecordsUnavailableError, StorageUnavailableError
from cutback.domain.workers import KIND, WorkerFigures
from cutback.worker.status import gather

OPERATORS_ONLY = [
    ("GET", "/v1/status", None),
    ("GET", "/v1/status/day", None),
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


def test_the_day_has_the_clips_of_each_hour(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    web.submit(id="wave")
    web.work()
    web.submit(id="other")
    web.work()
    clip = web.clip("wave")
    assert clip.result is not None
    found = web.get("/v1/status/day").json()
    assert len(found["items"]) == 24
    *before, hour = found["items"]
    assert datetime.fromisoformat(hour["begins"]) <= clip.updated_at < datetime.fromisoformat(found["to"])
    assert {each["ready"] + each["failed"] for each in before} <= {0, 2}
    total = sum(each["ready"] for each in found["items"])
    assert (total, sum(each["stored_bytes"] for each in found["items"])) == (2, 2 * clip.result.size)
    web.submit(id="third")
    web.work()
    assert web.get("/v1/status/day").json() == found, "it is read at most once a minute"
    monkeypatch.setattr("cutback.worker.status._LAST_DAY_KEPT", timedelta())
    assert sum(each["ready"] for each in web.get("/v1/status/day").json()["items"]) == 3


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


# --- metrics ---------------------------------------------------------------------------------------


def note_worker(web: WebHarness, name: str, **more: Any) -> None:
    moment = web.services.clock().isoformat()
    note = {"name": name, "started_at": moment, "beat_at": moment, **more}
    assert web.services.registry.put_new(KIND, name, note) is not None


def test_the_metrics_have_the_workers_of_all_machines(web: WebHarness) -> None:
    figures = WorkerFigures(version="9.9.9", clips={"ready": 3}, failures={"media_crashed": 2}, read_bytes=7)
    note_worker(web, "reef-1-a", clip="wave", figures=figures.model_dump(mode="json"))
    note_worker(web, "shore-2-b")  # its version counts nothing
    page = web.get("/metrics").text
    assert 'cutback_worker_info{version="9.9.9",worker="reef-1-a"} 1.0' in page
    assert 'cutback_worker_clips_total{state="ready",worker="reef-1-a"} 3.0' in page
    assert 'cutback_worker_failures_total{reason="media_crashed",worker="reef-1-a"} 2.0' in page
    assert 'cutback_worker_read_bytes_total{worker="reef-1-a"} 7.0' in page
    assert 'cutback_worker_busy{worker="reef-1-a"} 1.0' in page
    assert 'cutback_worker_busy{worker="shore-2-b"} 0.0' in page
    assert len(re.findall(r"^cutback_worker_.*shore-2-b", page, re.MULTILINE)) == 2

    web.pass_time(45)
    (age,) = re.findall(
        r'^cutback_worker_note_seconds\{worker="reef-1-a"\} (\S+)', web.get("/metrics").text, re.MULTILINE
    )
    assert 45 <= float(age) < 60
    web.pass_time(45)
    assert "reef-1-a" not in web.get("/metrics").text


def test_notes_that_cannot_be_read_cost_no_other_metric(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    note_worker(web, "reef-1-a")
    read = type(web.services.registry).list

    def fail(registry: Any, kind: str, **options: Any) -> Any:
        if kind == KIND:
            raise RecordsUnavailableError
        return read(registry, kind, **options)

    monkeypatch.setattr(type(web.services.registry), "list", fail)
    page = web.get("/metrics")
    assert page.status_code == 200
    assert "cutback_http_requests_in_progress" in page.text
    assert "reef-1-a" not in page.text


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
