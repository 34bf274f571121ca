"""Converts the edits of a request to those of a job: field by field, by their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cutback.cutting.edit_values import KINDS, Edit, SpeedSpan
from cutback.domain.requests.edits import EditModel, SpeedSpanField


def edits_of(models: Sequence[EditModel]) -> tuple[Edit, ...]:
    """Return the job's edits."""
    return tuple(_value(model) for model in models)


def _value(model: EditModel) -> Edit:
    fields: dict[str, Any] = {name: _plain(getattr(model, name)) for name in type(model).model_fields if name != "edit"}
    return KINDS[model.edit](**fields)


def _plain(value: Any) -> Any:
    if isinstance(value, SpeedSpanField):
        return SpeedSpan(value.start, value.end, value.speed)
    return tuple(_plain(each) for each in value) if isinstance(value, tuple) else value
