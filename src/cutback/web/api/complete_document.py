"""Completes the document of the API: what is true of every operation, and what FastAPI writes that is not true here."""

from __future__ import annotations

from typing import Any

_METHODS = {"get", "head", "post", "put", "patch", "delete"}
_FASTAPI_ERRORS = ("HTTPValidationError", "ValidationError")

_PROBLEM: dict[str, Any] = {
    "description": "An error, described as a problem.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def complete(document: dict[str, Any]) -> None:
    """Change the document in place."""
    for operations in document["paths"].values():
        for method, operation in operations.items():
            if method in _METHODS:
                responses = operation["responses"]
                if _FASTAPI_ERRORS[0] in str(responses.get("422")):
                    del responses["422"]
                responses.setdefault("default", _PROBLEM)
    schemas = document.get("components", {}).get("schemas", {})
    for name in _FASTAPI_ERRORS:
        schemas.pop(name, None)
    _drop_wrong_defaults(document)


def _drop_wrong_defaults(node: Any) -> None:
    """Drop defaults that stand for "not given" in Python, but are no valid values of their schemas."""
    if isinstance(node, dict):
        empty_text = node.get("default") == "" and ("pattern" in node or node.get("minLength", 0) > 0)
        if empty_text or ("default" in node and node["default"] is None):
            del node["default"]
        for child in node.values():
            _drop_wrong_defaults(child)
    elif isinstance(node, list):
        for child in node:
            _drop_wrong_defaults(child)
