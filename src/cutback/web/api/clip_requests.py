"""Turns the body of `POST /v1/clips` into clip requests."""

from __future__ import annotations

import re
from typing import Any

from cutback.domain.errors import CutbackError, Fault, InvalidRequestError
from cutback.domain.requests.batch import single_requests
from cutback.domain.requests.request import ID_PATTERN, ClipRequest, validate_request
from cutback.domain.requests.rules import RequestRules
from cutback.services import Services
from cutback.web.api.access import Caller
from cutback.web.api.visible import check_sources

MOST_ITEMS = 100
"""Most items of a list of requests."""

_NOT_FOR_CALLERS = ("tenant", "legacy")


def with_key(content: Any, key: str | None) -> Any:
    """Return the content of a request, with the `Idempotency-Key` as its id. Pure.

    Raises:
        InvalidRequestError: the key cannot be an id, differs from the id, or comes with a list.
    """
    if key is None:
        return content
    plain = key.strip().strip('"')
    if re.fullmatch(ID_PATTERN, plain) is None:
        problem = "must have 1 to 128 letters, digits, - or _, and begin with a letter or a digit"
        raise InvalidRequestError([Fault("Idempotency-Key", problem)])
    if not isinstance(content, dict):
        raise InvalidRequestError([Fault("Idempotency-Key", "is for one request; give each item of a list an id")])
    if content.get("id", plain) != plain:
        raise InvalidRequestError([Fault("id", "differs from the Idempotency-Key; send only one of them")])
    return content | {"id": plain}


def read_requests(services: Services, caller: Caller, content: Any) -> list[ClipRequest | CutbackError]:
    """Return a request, or what is wrong with it, for each clip that the body asks for.

    Moments without an offset from UTC are in each camera's own zone.

    Raises:
        InvalidRequestError: the body is a list without items, or with too many.
    """
    items = content if isinstance(content, list) else [content]
    if not 1 <= len(items) <= MOST_ITEMS:
        raise InvalidRequestError([Fault("", f"must have 1 to {MOST_ITEMS} items")])
    found: list[ClipRequest | CutbackError] = []
    for item in items:
        try:
            found += [_read(services, caller, each) for each in single_requests(item)]
        except CutbackError as error:
            found.append(error)
    return found


def _read(services: Services, caller: Caller, content: Any) -> ClipRequest | CutbackError:
    try:
        request = read_request(content, caller, services.settings.request_rules)
        check_sources(services, caller, request)
    except CutbackError as error:
        return error
    return request


def read_request(content: Any, caller: Caller, rules: RequestRules) -> ClipRequest:
    """Return a request of the caller's tenant; for `rules`, see `validate_request`. Pure.

    Raises:
        InvalidRequestError: it is invalid.
    """
    if isinstance(content, dict):
        foreign = [name for name in _NOT_FOR_CALLERS if name in content]
        if foreign:
            raise InvalidRequestError([Fault(name, "is not a field of requests over the API") for name in foreign])
        if caller.tenant:
            content = content | {"tenant": caller.tenant}
    return validate_request(content, rules)
