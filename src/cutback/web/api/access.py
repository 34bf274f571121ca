"""Who calls: the tenant, the key and its scopes. Every route takes a `Reader`, `Requester`, `Admin` or `Operator`.

A request proves who it is by a key (`Authorization: Bearer ck_...`) or by the session cookie of our own pages. While
there is no key at all and the server listens on loopback only, everybody on this machine may do everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from cutback.domain.api_keys import ApiKey, Scope, permitted
from cutback.domain.client_address import client_address, networks
from cutback.domain.clips.clip import Clip
from cutback.domain.errors import (
    CrossSiteError,
    ForbiddenError,
    RateLimitedError,
    RepeatedHeaderError,
    TenantNotFoundError,
    UnauthorizedError,
    WrongHostError,
)
from cutback.domain.same_site import comes_from_elsewhere, is_direct_and_local, is_loopback
from cutback.domain.tenants import Visible
from cutback.lifecycle.api_keys import any_key, find_key
from cutback.lifecycle.sessions import key_of_session
from cutback.lifecycle.tenants import get_tenant
from cutback.services import Services
from cutback.web.api.context import services_of
from cutback.web.api.guard import allowance_of
from cutback.web.api.rate_limits import RateLimiter

__all__ = ["Admin", "Anybody", "Caller", "Operator", "Reader", "Requester", "Scope"]

SESSION_COOKIE = "__Host-cutback"
"""The prefix makes browsers insist on HTTPS (or loopback), on the whole host, and on no other host setting it."""

_EVERYTHING = Visible()

_SENT_ONCE = ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID")
"""Headers of which servers and proxies would choose different ones if there were several."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request."""

    tenant: str
    """Empty for the whole installation."""
    key_id: str
    """Empty without a key."""
    scopes: frozenset[Scope]
    visible: Visible = field(default=_EVERYTHING)
    """What a tenant sees; without a tenant, a caller sees everything."""

    @property
    def is_local(self) -> bool:
        """Whether the caller needs no key, because the request was sent on this machine; a key may be anywhere."""
        return not self.key_id

    def may_see_key(self, key: str) -> bool:
        """Whether a recording with this key is visible to the caller, whatever its camera is."""
        return not self.tenant or self.visible.has_key(key)

    def may_see_camera(self, name: str) -> bool:
        """Whether a camera is visible to the caller."""
        return not self.tenant or self.visible.has_camera(name)

    def may_see_clip(self, clip: Clip) -> bool:
        """Whether a clip is visible to the caller."""
        return not self.tenant or clip.tenant == self.tenant


_bearer = HTTPBearer(
    auto_error=False, scheme_name="key", bearerFormat="ck_...", description="An API key: `cutback keys create`."
)
_cookie = APIKeyCookie(
    name=SESSION_COOKIE, auto_error=False, scheme_name="session", description="The cookie of `POST /v1/session`."
)


def _authenticate(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    cookie: Annotated[str | None, Security(_cookie)],
) -> Caller:
    """Return who sent the request.

    Raises:
        UnauthorizedError: the request proves nothing, or its key or session is invalid.
        CrossSiteError: a page of another site may have sent it.
        WrongHostError: it needs no key, but was not sent to this machine directly.
        RateLimitedError: its key, or an address that sends none, sends too many.
        RepeatedHeaderError: it has a header twice of which only one can count.
    """
    try:
        caller = _identify(request, bearer, cookie)
    except UnauthorizedError:
        _spend_address(request)
        raise
    _spend(request, caller.key_id and f"key/{caller.key_id}")
    if repeated := [name for name in _SENT_ONCE if len(request.headers.getlist(name)) > 1]:
        raise RepeatedHeaderError(f"It is {repeated[0]}.")
    return caller


def _spend_address(request: Request) -> None:
    """Count a request that needs no key against its address.

    Raises:
        RateLimitedError: the address sends too many.
    """
    _spend(request, f"address/{address_of(request)}")


def address_of(request: Request) -> str:
    """Return the address that a request comes from; CUTBACK_TRUSTED_PROXIES says which proxies are believed."""
    peer = request.client.host if request.client else ""
    trusted = _networks(services_of(request).settings.trusted_proxies)
    return client_address(peer, request.headers.getlist("x-forwarded-for"), trusted) if trusted else peer


_networks = lru_cache(maxsize=4)(networks)


def _spend(request: Request, who: str) -> None:
    if who:
        limiter: RateLimiter = request.app.state.rate_limiter
        allowance = allowance_of(request)
        try:
            allowance.budget = limiter.spend(who)
        except RateLimitedError:
            allowance.budget = limiter.budget(who)
            raise


def _identify(request: Request, bearer: HTTPAuthorizationCredentials | None, cookie: str | None) -> Caller:
    services = services_of(request)
    if "authorization" in request.headers:
        return _caller(services, find_key(services, bearer.credentials) if bearer else None)
    if cookie is not None:
        _refuse_other_sites(request, services)
        return _caller(services, key_of_session(services, cookie))
    if not services.settings.listens_on_loopback or any_key(services):
        raise UnauthorizedError
    passed_on = bool(services.settings.trusted_proxies) and is_loopback(address_of(request))
    if not is_direct_and_local(request.headers, through_own_proxy=passed_on):
        raise WrongHostError
    _refuse_other_sites(request, services)
    return Caller("", "", frozenset(Scope))


def _refuse_other_sites(request: Request, services: Services) -> None:
    if comes_from_elsewhere(request.method, request.headers, trusted=services.settings.cors_origins):
        raise CrossSiteError


def _caller(services: Services, key: ApiKey | None) -> Caller:
    if key is None:
        raise UnauthorizedError
    if not key.tenant:
        return Caller("", key.id, permitted(key.scopes))
    try:
        visible = get_tenant(services, key.tenant)
    except TenantNotFoundError:
        raise UnauthorizedError from None
    return Caller(key.tenant, key.id, permitted(key.scopes), visible)


def _authorize(scopes: SecurityScopes, caller: Annotated[Caller, Depends(_authenticate)]) -> Caller:
    missing = [scope for scope in scopes.scopes if scope not in caller.scopes]
    if missing:
        raise ForbiddenError(f"It lacks the scope {missing[0]}.")
    return caller


def _operate(caller: Annotated[Caller, Security(_authorize, scopes=[Scope.ADMIN.value])]) -> Caller:
    if caller.tenant:
        raise ForbiddenError("It belongs to a tenant, and this concerns the whole installation.")
    return caller


Reader = Annotated[Caller, Security(_authorize, scopes=[Scope.READ.value])]
"""A caller who may read."""
Requester = Annotated[Caller, Security(_authorize, scopes=[Scope.REQUEST.value])]
"""A caller who may request, change and delete clips."""
Admin = Annotated[Caller, Security(_authorize, scopes=[Scope.ADMIN.value])]
"""A caller who may do everything, within the tenant if there is one."""
Operator = Annotated[Caller, Depends(_operate)]
"""A caller who may do everything in the whole installation."""
Anybody = Depends(_spend_address)
"""For routes that need no key: limits how many requests an address may send."""
