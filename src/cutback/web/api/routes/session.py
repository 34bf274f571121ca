"""Sessions of browsers: exchange a key for a cookie that scripts cannot read, and end a session."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from cutback.domain.base import Model
from cutback.domain.errors import CrossSiteError, UnauthorizedError
from cutback.domain.same_site import comes_from_elsewhere
from cutback.lifecycle.api_keys import find_key
from cutback.lifecycle.sessions import LASTS, sign_session
from cutback.web.api.access import SESSION_COOKIE, Reader
from cutback.web.api.context import ServicesDep
from cutback.web.api.strict_json import StrictRoute

router = APIRouter(tags=["session"], route_class=StrictRoute)

_NO_KEY: dict[str, list[str]] = {"security": []}


class Login(Model):
    """A key."""

    key: Annotated[str, Field(min_length=1, max_length=200)]


@router.post("/session", openapi_extra=_NO_KEY)
def create_session(login: Login, request: Request, response: Response, services: ServicesDep) -> dict[str, Any]:
    """Begin a session with a key. The answer sets the session's cookie, which works over HTTPS and on loopback."""
    if comes_from_elsewhere(request.method, request.headers):
        raise CrossSiteError
    key = find_key(services, login.key)
    if key is None:
        raise UnauthorizedError
    response.set_cookie(
        SESSION_COOKIE,
        sign_session(services, key),
        max_age=int(LASTS.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "no-store"
    return key.public()


@router.get("/session")
def read_session(caller: Reader) -> dict[str, Any]:
    """Return who you are: the tenant, the key's id and its scopes."""
    return {"tenant": caller.tenant, "key_id": caller.key_id, "scopes": sorted(caller.scopes)}


@router.delete("/session", status_code=204, openapi_extra=_NO_KEY)
def end_session(request: Request, response: Response) -> None:
    """End the session in this browser. To end every session of a key, revoke the key."""
    if comes_from_elsewhere(request.method, request.headers):
        raise CrossSiteError
    response.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="strict")
