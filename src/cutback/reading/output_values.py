"""Converts the outputs of a request to those of a job: field by field, by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from cutback.cutting.job import JobOutput
from cutback.cutting.output_values import FORMATS
from cutback.domain.requests.outputs.model import OutputModel


def outputs_of(models: Mapping[str, OutputModel]) -> tuple[JobOutput, ...]:
    """Return the outputs of the job; `models` are those of the request, by their names."""
    return tuple(_output(name, model) for name, model in models.items())


def _output(name: str, model: OutputModel) -> JobOutput:
    kind = FORMATS[model.format]
    values = {field.name: getattr(model, field.name) for field in fields(kind)}
    return JobOutput(name, kind(**values), model.precision)
