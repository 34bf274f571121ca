"""Answers in JSON that end with a newline, so that a terminal's prompt does not stand behind them."""

from __future__ import annotations

from typing import Any

from fastapi.responses import JSONResponse


class JsonResponse(JSONResponse):
    """One line of JSON."""

    def render(self, content: Any) -> bytes:
        """Return the line with its end."""
        return super().render(content) + b"\n"
