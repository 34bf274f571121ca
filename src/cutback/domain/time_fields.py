"""Times as fields of pydantic models. Separate from `times`, so that media code starts without pydantic."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from cutback.domain.times import MAX_SECONDS, Instant, format_seconds, instant_to_json, parse_instant

InstantField = Annotated[
    Instant,
    BeforeValidator(parse_instant),
    PlainSerializer(instant_to_json),
    WithJsonSchema(
        {
            "title": "Instant",
            "description": "Seconds from the recording's time zero, HH:MM:SS.mmm, 1m30s, a frame number from 0, or "
            "-5 (before its end).",
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": MAX_SECONDS},
                {
                    "type": "string",
                    "pattern": r"^[+-]?(\d{1,9}(\.\d{0,12})?|\.\d{1,12}|(\d{1,4}:)?\d{1,2}:\d{1,2}(\.\d{1,12})?"
                    r"|(\d{1,4}h)?(\d{1,6}m)?((\d{1,9}(\.\d{1,12})?|\.\d{1,12})s)?)$",
                },
                {
                    "type": "object",
                    "properties": {"frame": {"type": "integer", "minimum": 0}},
                    "required": ["frame"],
                    "additionalProperties": False,
                },
            ],
        }
    ),
]
"""An `Instant` as a pydantic field."""

SecondsField = Annotated[
    Fraction,
    BeforeValidator(lambda value: value if isinstance(value, Fraction) else Fraction(str(value))),
    PlainSerializer(format_seconds),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "description": "Seconds, as a decimal."}),
]
"""An exact number of seconds as a pydantic field, written as a decimal string."""
