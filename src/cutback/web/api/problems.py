"""Every error as a problem in JSON (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from cutback.domain.errors import (
    CutbackError,
    Fault,
    InternalError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
    RateLimitedError,
)
from cutback.domain.remedies import remedy_of
from cutback.domain.validation import problem_of
from cutback.settings.settings import Settings
from cutback.web.api.json_response import JsonResponse
from cutback.web.status import status_of

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


def problem_type(settings: Settings, reason: str) -> str:
    """Return the URI of a kind of problem, which is the address of its documentation."""
    return f"{settings.docs_url.rstrip('/')}/docs/failures#{reason}"


def describe(settings: Settings, error: CutbackError) -> dict[str, Any]:
    """Return an error as a problem."""
    status = status_of(error.reason)
    problem: dict[str, Any] = {
        "type": problem_type(settings, error.reason),
        "title": error.general or status.phrase,
        "status": status.value,
        "detail": error.message,
        "reason": error.reason,
        "retryable": is_retryable(error.reason, transient=error.transient),
        "remedy": remedy_of(error.reason),
    }
    if isinstance(error, InvalidRequestError):
        problem["errors"] = [fault.as_dict() for fault in error.faults]
    return problem


def is_retryable(reason: str, *, transient: bool) -> bool:
    """Whether the same request may succeed later."""
    return transient or reason in {
        "rate_limited",
        "too_many_streams",
        "overloaded",
        "request_timeout",
        "answer_timeout",
        "stopped",
    }


def respond(request: Request, error: CutbackError, headers: Mapping[str, str] | None = None) -> JsonResponse:
    """Return the response for an error."""
    problem = describe(request.app.state.services.settings, error)
    sent = dict(headers or {})
    if problem["status"] == HTTPStatus.SERVICE_UNAVAILABLE:
        sent.setdefault("Retry-After", "5")
    if problem["status"] == HTTPStatus.UNAUTHORIZED:
        sent.setdefault("WWW-Authenticate", "Bearer")
    if isinstance(error, RateLimitedError):
        sent.setdefault("Retry-After", str(error.retry_after))
    return JsonResponse(problem, problem["status"], {"Cache-Control": "no-store", **sent}, MEDIA_TYPE)


def handle_problems(app: FastAPI) -> None:
    """Make every error of the app a problem."""
    app.add_exception_handler(CutbackError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _expected(request: Request, error: Exception) -> JsonResponse:
    assert isinstance(error, CutbackError)
    headers = getattr(error, "headers", None)
    return respond(request, error, headers)


def _invalid(request: Request, error: Exception) -> JsonResponse:
    assert isinstance(error, RequestValidationError)
    faults = [Fault(".".join(str(step) for step in item["loc"]), problem_of(item)) for item in error.errors()]
    return respond(request, InvalidRequestError(faults))


def _http(request: Request, error: Exception) -> JsonResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return respond(request, MethodNotAllowedError(), error.headers)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return respond(request, NotFoundError(), error.headers)
    return respond(request, InvalidRequestError([Fault("", "is not a valid HTTP request")]), error.headers)


def _unexpected(request: Request, error: Exception) -> JsonResponse:
    unexpected = InternalError.with_id()
    log.error("path=%s error=%s", request.url.path, unexpected.detail, exc_info=error)
    return respond(request, unexpected)
