"""Converts the outputs of a request to those of a job: field by field, by their names."""

from __future__ import annotations

from dataclasses import fields

from cutback.cutting.job import JobOutput
from cutback.cutting.output_values import FORMATS
from cutback.domain.requests.outputs.model import OutputModel

CLIP = "clip"
"""The name of the only output of a request."""


def output_of(model: OutputModel, name: str = CLIP) -> JobOutput:
    """Return an output of the job."""
    kind = FORMATS[model.format]
    values = {field.name: getattr(model, field.name) for field in fields(kind)}
    return JobOutput(name, kind(**values), model.precision)
