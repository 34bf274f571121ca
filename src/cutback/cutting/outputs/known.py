"""How each format is written: what Cutback can make, on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutback.cutting.output_values import Mp4, OutputValue
from cutback.cutting.outputs.format import Format
from cutback.cutting.outputs.mp4 import Mp4Format

_FORMATS: Mapping[type[OutputValue], Format[Any]] = {Mp4: Mp4Format()}


def format_of(value: OutputValue) -> Format[Any]:
    """Return how an output is written."""
    return _FORMATS[type(value)]
