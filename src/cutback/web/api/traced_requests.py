"""Records a span for each request, as a part of the client's trace if it sends one. In place only if traces are on."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cutback.tracing import Tracer
from cutback.web.api.metrics import route_of

_NOT_TRACED = {"/healthz", "/readyz", "/metrics", "/version"}
"""What machines ask every few seconds."""


class TracedRequests:
    """Everything else of the app, inside of spans."""

    def __init__(self, inner: ASGIApp, tracer: Tracer) -> None:
        """Record with `tracer`."""
        self._inner, self._tracer = inner, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Event streams have no span: they last for hours."""
        if scope["type"] != "http" or scope["path"] in _NOT_TRACED or scope["path"].endswith("/events"):
            await self._inner(scope, receive, send)
            return
        status = 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = scope["method"]
        parent = Headers(scope=scope).get("traceparent")
        with self._tracer.span(method, "server", parent=parent, http__request__method=method) as span:
            await self._inner(scope, receive, note_status)
            route = route_of(scope)
            span.rename(f"{method} {route}")
            span.note(http__route=route, http__response__status_code=status)
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                span.fail(str(status))
