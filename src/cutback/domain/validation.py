"""Describes what is wrong with a value in our own words, given an error of pydantic. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PROBLEMS = {
    "missing": "is missing",
    "literal_error": "must be {expected}",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_type": "must be a string",
    "string_too_short": "must have {min_length} or more characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "too_short": "must have {min_length} or more items",
    "too_long": "must have at most {max_length} items",
    "int_type": "must be an integer",
    "int_parsing": "must be an integer",
    "int_parsing_size": "is too large",
    "int_from_float": "must be an integer",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "path_type": "must be a path",
}
"""By pydantic's names (https://docs.pydantic.dev/latest/errors/validation_errors/), with its context filled in."""


def problem_of(error: Mapping[str, Any]) -> str:
    """Say what is wrong, as a phrase that follows the field's name: `must be at least 1`.

    `error` is an item of `ValidationError.errors()`, with its context and input. An error that our own validators
    raised keeps its text.
    """
    context, kind = error.get("ctx", {}), error["type"]
    if "error" in context:
        return str(context["error"])
    if kind in {"too_short", "too_long"} and isinstance(error.get("input"), str):
        kind = f"string_{kind}"
    return _PROBLEMS.get(kind, "is invalid").format_map(context)
