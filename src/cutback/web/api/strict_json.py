"""Bodies in JSON, parsed by the one strict parser that all interfaces share, and validated by FastAPI as usual."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from cutback.domain.base import read_json
from cutback.web.api.context import read_body


class StrictRoute(APIRoute):
    """A route whose body may not have duplicate keys, huge numbers or other things that parsers disagree about.

    Use it as the `route_class` of a router whose routes declare bodies as models.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which parses the body first. FastAPI then validates it."""
        handle = super().get_route_handler()

        async def parse_and_handle(request: Request) -> Response:
            if self.body_field is None:
                return await handle(request)
            body = await read_body(request)
            return await handle(_ParsedRequest(request, body, read_json(body) if body else None))

        return parse_and_handle


class _ParsedRequest(Request):
    def __init__(self, request: Request, body: bytes, content: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._read, self._content = body, content

    async def body(self) -> bytes:
        return self._read

    async def json(self) -> Any:
        return self._content
