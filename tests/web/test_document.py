"""The document of the API (OpenAPI 3.1) is valid, and the API does what it says, whatever is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from tests.web.harness import WebHarness
from tests.web.test_keys import a_key, bearer

from cutback.web.api.serve import ApiServer

load_all_checks()
UNDECIDABLE = [positive_data_acceptance]
"""A schema cannot say which cursors there are, or which moments follow each other; other tests do."""
FEW = settings(
    max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), derandomize=True
)
MANY = settings(
    max_examples=60, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), derandomize=True
)


@schemathesis.hook
def before_call(_context: Any, case: schemathesis.Case[Any], _options: Any) -> None:
    if case.path == "/v1/events":
        case.headers["Accept"] = "application/json"  # a page: streams have no end


def document(web: WebHarness) -> dict[str, Any]:
    found: dict[str, Any] = web.get("/v1/openapi.json").json()
    return found


def test_the_document_is_valid_openapi_3_1(web: WebHarness) -> None:
    found = document(web)
    assert found["openapi"].startswith("3.1.")
    validate(found, cls=OpenAPIV31SpecValidator)


def test_the_document_is_sent_compressed_to_those_who_accept_that(web: WebHarness) -> None:
    plain = web.get("/v1/openapi.json", headers={"Accept-Encoding": "br, gzip;q=0"})
    compressed = web.get("/v1/openapi.json", headers={"Accept-Encoding": "br, gzip"})
    assert "content-encoding" not in plain.headers
    assert compressed.headers["content-encoding"] == "gzip"
    assert {answer.headers["vary"] for answer in (plain, compressed)} == {"Accept-Encoding"}
    assert compressed.json() == plain.json()
    assert int(compressed.headers["content-length"]) < int(plain.headers["content-length"]) / 4


def test_every_operation_is_described_and_its_errors_are_problems(web: WebHarness) -> None:
    names = set()
    for path, operations in document(web)["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), f"{method} {path}"
            assert operation.get("description"), f"{method} {path}"
            assert operation["operationId"] not in names
            names.add(operation["operationId"])
            error = operation["responses"]["default"]["content"]
            assert list(error) == ["application/problem+json"]


@contextmanager
def served(folder: Path, *, with_key: bool) -> Iterator[tuple[Any, str | None]]:
    """The document, loaded from a running server, and the key that the server needs, if any."""
    web = WebHarness(folder / "data", listen="127.0.0.1:0", rate_limit=0)
    web.submit()
    key = a_key(web) if with_key else None
    with ApiServer(web.services) as server:
        yield schemathesis.openapi.from_url(f"{server.url}/v1/openapi.json"), key
    web.close()


def fuzz(api: Any, limits: settings, *, key: str | None = None) -> None:
    """Send what the document allows, and what it does not, to every operation; check every answer by the document."""
    faults = []
    for result in api.get_all_operations():
        operation = result.ok()

        @limits
        @given(case=operation.as_strategy())
        def send(case: schemathesis.Case[Any]) -> None:
            headers = bearer(key) if key else None
            case.call_and_validate(headers=headers, excluded_checks=[*UNDECIDABLE, *([] if key else [ignored_auth])])

        try:
            send()
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - every operation's faults are shown, not only the first's
            faults.append(f"{operation.label}: {error}")
    assert not faults, "\n\n".join(faults)


@pytest.mark.parametrize("with_key", [False, True])
def test_the_api_does_what_its_document_says(tmp_path: Path, *, with_key: bool) -> None:
    with served(tmp_path, with_key=with_key) as (api, key):
        fuzz(api, FEW, key=key)


@pytest.mark.soak
@pytest.mark.parametrize("with_key", [False, True])
def test_the_api_does_what_its_document_says_for_long(tmp_path: Path, *, with_key: bool) -> None:
    with served(tmp_path, with_key=with_key) as (api, key):
        fuzz(api, MANY, key=key)
