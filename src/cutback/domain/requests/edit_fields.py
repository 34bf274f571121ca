"""The types of the fields that edits have: measures, points, lengths, numbers within bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from cutback.domain.base import iso
from cutback.domain.measures import (
    MAX_PIXELS,
    AtMoment,
    Finished,
    Measure,
    Point,
    measure_to_json,
    parse_measure,
)
from cutback.domain.times import MAX_SECONDS, FromEnd, format_seconds, parse_duration
from cutback.domain.wallclock import EPOCH, parse_moment, seconds_between

_DECIMAL = re.compile(r"^-?\d{1,9}(\.\d{1,12})?$", re.ASCII)
_POINT = 'seconds of the clip before any change of speed (12.5), "-5" (before its end), {"finished": 3} or a moment'


def parse_point(value: object) -> Point:
    """Parse a point of a clip as a request may write it.

    Raises:
        ValueError: it has no accepted form.
    """
    if isinstance(value, FromEnd | Finished | AtMoment):
        return value
    if isinstance(value, dict):
        if set(value) != {"finished"}:
            raise ValueError(f"expected {_POINT}")
        return Finished(parse_duration(value["finished"]))
    if isinstance(value, str):
        text = value.strip()
        if "T" in text.upper() and "-" in text:
            return AtMoment(seconds_between(EPOCH, parse_moment(text)))
        if text.startswith("-"):
            return FromEnd(parse_duration(text[1:]))
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool) and -MAX_SECONDS <= value < 0:
        return FromEnd(parse_duration(-value))
    try:
        return parse_duration(value)
    except ValueError as error:
        problem = str(error)
        raise ValueError(f"expected {_POINT}" if problem.startswith("expected") else problem) from None


def _point_to_json(point: Point) -> str | dict[str, str]:
    match point:
        case Finished():
            return {"finished": format_seconds(point.seconds)}
        case FromEnd():
            return f"-{format_seconds(point.seconds)}"
        case AtMoment():
            return iso(EPOCH + timedelta(microseconds=round(point.epoch * 1_000_000)))
    return format_seconds(point)


MeasureField = Annotated[
    Measure,
    BeforeValidator(parse_measure),
    PlainSerializer(measure_to_json),
    WithJsonSchema(
        {
            "title": "Measure",
            "description": "Pixels, or percent of the width or height (of the shorter side for margins and type).",
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": MAX_PIXELS},
                {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,6})?\s*%$"},
            ],
        }
    ),
]
"""Pixels or percent."""

_seconds_schema = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": MAX_SECONDS},
        {"type": "string", "pattern": r"^[0-9:.hms]+$"},
    ]
}

PointField = Annotated[
    Point,
    BeforeValidator(parse_point),
    PlainSerializer(_point_to_json),
    WithJsonSchema(
        {
            "title": "Point",
            "description": "Seconds of the clip before any change of speed; negative: before its end; "
            '{"finished": 3}: seconds of the finished clip; a moment, if the source is a camera.',
            "anyOf": [
                {"type": "number"},
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"finished": _seconds_schema},
                    "required": ["finished"],
                    "additionalProperties": False,
                },
            ],
        }
    ),
]
"""A point of the clip."""

LengthField = Annotated[
    Fraction,
    BeforeValidator(parse_duration),
    PlainSerializer(format_seconds),
    WithJsonSchema({"title": "Length", "description": "Seconds of the finished clip.", **_seconds_schema}),
]
"""A length in finished time."""


_ASPECT = re.compile(r"^(\d{1,4}):(\d{1,4})$", re.ASCII)


def _parse_aspect(value: object) -> Fraction:
    if isinstance(value, Fraction):
        return value
    match = _ASPECT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or not int(match[1]) or not int(match[2]):
        raise ValueError('expected width:height, such as "9:16"')
    aspect = Fraction(int(match[1]), int(match[2]))
    if not Fraction(1, 100) <= aspect <= 100:
        raise ValueError("must be from 1:100 to 100:1")
    return aspect


AspectField = Annotated[
    Fraction,
    BeforeValidator(_parse_aspect),
    PlainSerializer(lambda aspect: f"{aspect.numerator}:{aspect.denominator}"),
    WithJsonSchema({"title": "Aspect", "description": "Width:height.", "type": "string", "pattern": _ASPECT.pattern}),
]
"""A width divided by a height, written as `9:16`."""


@dataclass(frozen=True, slots=True)
class Between:
    """Annotates an exact decimal number between two bounds, both included."""

    low: str
    high: str

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """See pydantic."""
        return core_schema.no_info_plain_validator_function(
            self._parse,
            serialization=core_schema.plain_serializer_function_ser_schema(format_seconds),
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """See pydantic."""
        numeric = {"type": "number", "minimum": float(self.low), "maximum": float(self.high)}
        return {"anyOf": [numeric, {"type": "string", "pattern": _DECIMAL.pattern}]}

    def _parse(self, value: object) -> Fraction:
        if isinstance(value, Fraction):
            exact = value
        elif isinstance(value, str) and _DECIMAL.fullmatch(value):  # as records write it
            exact = Fraction(value)
        elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise ValueError("must be a number")
        else:
            decimal = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
            if not decimal.is_finite() or (decimal and not -12 <= decimal.adjusted() <= 12):
                raise ValueError(f"must be a number from {self.low} to {self.high}")
            exact = Fraction(decimal)
        if not Fraction(self.low) <= exact <= Fraction(self.high):
            raise ValueError(f"must be from {self.low} to {self.high}")
        return exact
