"""Converts the edits of a request to those of a job: field by field, by their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cutback.cutting.edit_values import KINDS, CropPoint, Edit, SpeedSpan
from cutback.domain.requests.edits import CropPointField, EditModel, SpeedSpanField


def edits_of(models: Sequence[EditModel]) -> tuple[Edit, ...]:
    """Return the job's edits."""
    return tuple(_value(model) for model in models)


def _value(model: EditModel) -> Edit:
    fields: dict[str, Any] = {name: _plain(getattr(model, name)) for name in type(model).model_fields if name != "edit"}
    return KINDS[model.edit](**fields)


def _plain(value: Any) -> Any:
    if isinstance(value, SpeedSpanField):
        return SpeedSpan(value.start, value.end, value.speed)
    if isinstance(value, CropPointField):
        return CropPoint(value.at, value.x, value.y)
    return tuple(_plain(each) for each in value) if isinstance(value, tuple) else value
