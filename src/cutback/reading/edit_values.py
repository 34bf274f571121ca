"""Converts the edits of a request to those of a job: field by field, by their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from cutback.cutting.edit_kinds import KINDS, PARTS
from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.overlay import TextOverlay
from cutback.domain.requests.edit_model import EditModel, EditPartModel
from cutback.domain.text_fields import partly_filled


def _unknown(_field: str) -> None:
    return None


def edits_of(models: Sequence[EditModel], text_field: Callable[[str], str | None] = _unknown) -> tuple[Edit, ...]:
    """Return the job's edits. `text_field` returns the values of fields of texts; None if they depend on pictures."""
    return tuple(_with_fields(_value(model), text_field) for model in models)


def _with_fields(edit: Edit, text_field: Callable[[str], str | None]) -> Edit:
    return replace(edit, text=partly_filled(edit.text, text_field)) if isinstance(edit, TextOverlay) else edit


def _value(model: EditModel) -> Edit:
    fields: dict[str, Any] = {name: _plain(getattr(model, name)) for name in type(model).model_fields if name != "edit"}
    return KINDS[model.edit](**fields)


def _plain(value: Any) -> Any:
    if isinstance(value, EditPartModel):
        return PARTS[value.part](**{name: getattr(value, name) for name in type(value).model_fields})
    return tuple(_plain(each) for each in value) if isinstance(value, tuple) else value
