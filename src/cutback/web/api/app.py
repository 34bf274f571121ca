"""Makes the REST API: every router, and problems for errors."""

from __future__ import annotations

import gzip
from collections.abc import Collection
from functools import cached_property
from typing import Any

from anyio import CapacityLimiter
from fastapi import FastAPI, Request, Response
from starlette.middleware.cors import CORSMiddleware

import cutback
from cutback.services import Services
from cutback.web.api.complete_document import complete
from cutback.web.api.content_coding import accepts_gzip
from cutback.web.api.event_feed import EventFeed
from cutback.web.api.guard import guard
from cutback.web.api.json_response import JsonResponse
from cutback.web.api.metrics import Metrics
from cutback.web.api.node import Node
from cutback.web.api.openapi import components
from cutback.web.api.problems import handle_problems
from cutback.web.api.rate_limits import RateLimiter
from cutback.web.api.routes import (
    assets,
    camera_pictures,
    cameras,
    clips,
    dead_letters,
    events,
    frames,
    keys,
    made,
    media,
    moments,
    node,
    pages,
    plans,
    presets,
    recording_files,
    recordings,
    session,
    shared,
    shares,
    sns,
    status,
    tenants,
    uploads,
    webhooks,
)
from cutback.web.api.sandbox_slots import SandboxSlots
from cutback.web.api.sns import SnsSubscription
from cutback.web.api.stream_places import StreamPlaces
from cutback.web.api.traced_requests import TracedRequests

PREFIX = "/v1"
"""The version of the API, in every path that is not about the node itself."""

_CORS_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_CORS_REQUEST_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "Last-Event-ID", "Range")
_CORS_ANSWER_HEADERS = (
    "Content-Disposition",
    "Content-Range",
    "Cutback-First-Frame",
    "Cutback-Frames",
    "ETag",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
)

_ROUTES = (
    assets,
    camera_pictures,
    cameras,
    clips,
    dead_letters,
    events,
    frames,
    keys,
    made,
    media,
    moments,
    plans,
    presets,
    recording_files,
    recordings,
    session,
    shares,
    sns,
    status,
    tenants,
    uploads,
    webhooks,
)
"""The modules of routes below that path. `cameras` and `recordings`, whose names may contain `/`, come after those
below them."""


class _Api(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Return the document, with the schemas to which the routes refer by name."""
        if self.openapi_schema is None:
            document = super().openapi()
            document.setdefault("components", {}).setdefault("schemas", {}).update(components())
            complete(document)
            _name_presets(document, self.state.services.settings.request_rules.presets)
        return super().openapi()

    @cached_property
    def document(self) -> bytes:
        """The document as it is sent."""
        return bytes(JsonResponse(self.openapi()).body)

    @cached_property
    def compressed_document(self) -> bytes:
        """The same with gzip: a tenth of its size."""
        return gzip.compress(self.document, 9, mtime=0)


def _name_presets(document: dict[str, Any], own: Collection[str]) -> None:
    """Name the installation's own presets in the schemas of outputs."""
    for schema in document["components"]["schemas"].values():
        if own and (field := schema.get("properties", {}).get("preset")):
            field["description"] += f" They are: {', '.join(own)}."


def _read_document(request: Request) -> Response:
    headers = {"Vary": "Accept-Encoding", "Content-Type": "application/json"}
    if accepts_gzip(request.headers):
        return Response(request.app.compressed_document, headers={**headers, "Content-Encoding": "gzip"})
    return Response(request.app.document, headers=headers)


def create_app(services: Services) -> FastAPI:
    """Return the API over `services`, which the caller closes."""
    app = _Api(
        title="Cutback",
        version=cutback.__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        default_response_class=JsonResponse,
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.sandbox_slots = SandboxSlots()
    handle_problems(app)
    app.state.node = Node()
    app.state.events = EventFeed(services)
    app.state.stream_places = StreamPlaces(services.settings.event_streams)
    app.state.sns = SnsSubscription(services)
    app.state.rate_limiter = RateLimiter(services.settings)
    app.state.metrics = Metrics(services, app.state.events)
    app.state.part_threads = CapacityLimiter(uploads.PARTS_AT_ONCE)
    app.add_route(f"{PREFIX}/openapi.json", _read_document, include_in_schema=False)
    app.include_router(node.router)
    app.include_router(shared.router)
    app.include_router(pages.router)
    for routes in _ROUTES:
        app.include_router(routes.router, prefix=PREFIX)
    if services.settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=services.settings.cors_origins,
            allow_methods=_CORS_METHODS,
            allow_headers=_CORS_REQUEST_HEADERS,
            expose_headers=_CORS_ANSWER_HEADERS,
        )
    app.state.guard = guard(app, concurrency=services.settings.concurrency, metrics=app.state.metrics)
    if services.tracer.is_active:
        assert app.middleware_stack is not None
        app.middleware_stack = TracedRequests(app.middleware_stack, services.tracer)
    return app
