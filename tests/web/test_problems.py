"""Every error is a problem: a status, a reason, a remedy, and no internals."""

from __future__ import annotations

import pytest
from tests.web.harness import WebHarness, assert_problem

from cutback.domain import errors
from cutback.domain.errors import CutbackError, RecordsUnavailableError
from cutback.domain.remedies import REASONS_WITH_REMEDIES
from cutback.web.status import STATUSES

REASONS = {kind.reason for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CutbackError)}


def test_every_reason_has_a_status_and_no_status_is_without_a_reason() -> None:
    assert set(STATUSES) == REASONS


def test_every_reason_has_a_remedy() -> None:
    assert REASONS == REASONS_WITH_REMEDIES


def test_an_unknown_address_is_a_problem(web: WebHarness) -> None:
    assert_problem(web.get("/v1/surfers"), 404, "not_found")


def test_a_method_that_an_address_does_not_support_is_a_problem_that_lists_the_others(web: WebHarness) -> None:
    response = web.client.put("/v1/clips/wave")
    assert_problem(response, 405, "method_not_allowed")
    assert "GET" in response.headers["allow"]


def test_a_failure_of_ours_shows_an_id_and_nothing_else(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(type(web.services.records), "get_clip", fail)
    response = web.get("/v1/clips/wave")

    problem = assert_problem(response, 500, "internal_error")
    assert "Error id" in problem["detail"]
    assert "secret" not in response.text


def test_a_service_that_does_not_answer_is_to_be_tried_again(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RecordsUnavailableError

    monkeypatch.setattr(type(web.services.records), "get_clip", fail)
    response = web.get("/v1/clips/wave")

    assert assert_problem(response, 503, "records_unavailable")["retryable"] is True
    assert int(response.headers["retry-after"]) > 0


def test_answers_in_json_end_with_a_newline(web: WebHarness) -> None:
    answers = [
        web.get("/healthz"),
        web.get("/v1/openapi.json"),
        web.get("/v1/clips"),
        web.get("/v1/clips/none"),
        web.get("/v1/events?after=0"),
        web.get("/v1/session"),
        web.client.post("/v1/clips", json={"source": {"recording": "sea.mp4", "start": 1, "end": 2}}),
        web.client.post("/v1/clips", json=[{}]),
        web.client.post("/v1/keys", json={}),
        web.client.put("/v1/clips"),
    ]
    assert {answer.status_code for answer in answers} >= {200, 202, 207, 404, 405, 422}
    assert all(answer.content.endswith(b"\n") and answer.content.count(b"\n") == 1 for answer in answers)
    plain = [answer for answer in answers if "content-encoding" not in answer.headers]
    assert len(plain) >= len(answers) - 1, "the document alone is sent compressed"
    assert all(int(answer.headers["content-length"]) == len(answer.content) for answer in plain)
