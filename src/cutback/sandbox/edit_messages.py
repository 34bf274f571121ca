"""The edits of a job as JSON, for the way from the parent to the child. The child trusts its parent."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction
from typing import Any

from cutback.cutting.edit_values import KINDS, PARTS, Edit

_NAMES = {kind: name for name, kind in KINDS.items()}
_PARTS = {part.__name__: part for part in PARTS}


def edit_out(edit: Edit) -> dict[str, Any]:
    """Return an edit's JSON."""
    return {"edit": _NAMES[type(edit)], **{field.name: _out(getattr(edit, field.name)) for field in fields(edit)}}


def edit_in(data: dict[str, Any]) -> Edit:
    """Reverse `edit_out`.

    Raises:
        LookupError, TypeError, ValueError: it is malformed.
    """
    values = {name: _in(value) for name, value in data.items() if name != "edit"}
    return KINDS[data["edit"]](**values)


def _out(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case Fraction():
            return {"kind": "Fraction", "value": str(value)}
        case tuple():
            return [_out(each) for each in value]
    return {"kind": type(value).__name__, **{field.name: _out(getattr(value, field.name)) for field in fields(value)}}


def _in(value: Any) -> Any:
    match value:
        case list():
            return tuple(_in(each) for each in value)
        case {"kind": "Fraction", "value": text}:
            return Fraction(text)
        case {"kind": kind, **rest}:
            return _PARTS[kind](**{str(name): _in(each) for name, each in rest.items()})
    return value
