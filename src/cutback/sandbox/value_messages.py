"""The edits and outputs of a job as JSON, for the way from parent to child. The child trusts its parent."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction
from typing import Any

from cutback.cutting.edit_kinds import KINDS, PARTS
from cutback.cutting.edit_value import Edit
from cutback.cutting.job import ChapterMark, JobOutput
from cutback.cutting.output_values import FORMATS

_FORMAT_NAMES = {kind: name for name, kind in FORMATS.items()}


def edit_out(edit: Edit) -> dict[str, Any]:
    """Return an edit's JSON."""
    return {"edit": edit.kind, **{field.name: _out(getattr(edit, field.name)) for field in fields(edit)}}


def edit_in(data: dict[str, Any]) -> Edit:
    """Reverse `edit_out`.

    Raises:
        LookupError, TypeError, ValueError: it is malformed.
    """
    values = {name: _in(value) for name, value in data.items() if name != "edit"}
    return KINDS[data["edit"]](**values)


def output_out(output: JobOutput) -> dict[str, Any]:
    """Return an output's JSON."""
    value = output.value
    values = {field.name: _out(getattr(value, field.name)) for field in fields(value)}
    return {"name": output.name, "precision": output.precision, "format": _FORMAT_NAMES[type(value)], "values": values}


def output_in(data: dict[str, Any]) -> JobOutput:
    """Reverse `output_out`.

    Raises:
        LookupError, TypeError, ValueError: it is malformed.
    """
    values = {name: _in(value) for name, value in data["values"].items()}
    return JobOutput(data["name"], FORMATS[data["format"]](**values), data["precision"])


def chapter_out(chapter: ChapterMark) -> dict[str, Any]:
    """Return a chapter's JSON."""
    return {"at": _out(chapter.at), "title": chapter.title}


def chapter_in(data: dict[str, Any]) -> ChapterMark:
    """Reverse `chapter_out`.

    Raises:
        LookupError, TypeError, ValueError: it is malformed.
    """
    return ChapterMark(_in(data["at"]), str(data["title"]))


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
            return PARTS[kind](**{str(name): _in(each) for name, each in rest.items()})
    return value
