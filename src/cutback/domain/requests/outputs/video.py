"""What the formats with pictures and sound share: the codec and the quality."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from cutback.domain.requests.outputs.model import OutputModel
from cutback.domain.requests.outputs.sizes import SizeField

SLOWEST, FASTEST = 10_000, 1_000_000_000
"""Bits a second."""

_RATE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([kM])", re.ASCII)


def parse_rate(value: object) -> int:
    """Parse a bit rate: whole bits a second, or a text such as `800k` or `2.5M`.

    Raises:
        ValueError: it has neither form, or is not within `SLOWEST` and `FASTEST`.
    """
    if isinstance(value, str) and (match := _RATE.fullmatch(value.strip())):
        rate = int(Decimal(match[1]) * {"k": 10**3, "M": 10**6}[match[2]])
    elif isinstance(value, int) and not isinstance(value, bool):
        rate = value
    else:
        raise ValueError('expected bits a second (800000) or a text such as "800k"')
    if not SLOWEST <= rate <= FASTEST:
        raise ValueError(f"must be {SLOWEST} to {FASTEST} bits a second")
    return rate


RateField = Annotated[
    int,
    BeforeValidator(parse_rate),
    WithJsonSchema(
        {
            "title": "Rate",
            "description": "Bits a second, or a number with k or M.",
            "anyOf": [{"type": "integer", "minimum": SLOWEST, "maximum": FASTEST}, {"type": "string"}],
        }
    ),
]
"""A bit rate."""


def _is_none(value: object) -> bool:
    return value is None


def codec_field(description: str) -> Any:
    """Return the field of the codec, which each format declares with those that it can hold."""
    return Field(None, exclude_if=_is_none, description=description)


class VideoOutput(OutputModel):
    """An output with pictures and sound."""

    codec: str | None = codec_field("The codec of its pictures.")
    quality: Literal["small", "good", "best"] | None = Field(
        None, exclude_if=_is_none, description="How good the pictures are. All of them are encoded."
    )
    crf: Annotated[int, Field(strict=True, ge=0, le=63)] | None = Field(
        None,
        exclude_if=_is_none,
        description="How good the pictures are, on the scale of the encoder: 0 to 51, or to 63 for VP9 and AV1.",
    )
    bitrate: RateField | None = Field(None, exclude_if=_is_none, description="Bits a second of the pictures.")
    max_size: SizeField | None = Field(None, exclude_if=_is_none, description="The size of the file at most.")

    @model_validator(mode="after")
    def _check_quality(self) -> Self:
        asked = [name for name in ("quality", "crf", "bitrate", "max_size") if getattr(self, name) is not None]
        if len(asked) > 1:
            raise ValueError(f"{asked[0]} and {asked[1]} contradict each other; leave one of them out")
        asked += ["codec"] if self.codec is not None else []
        if asked and self.precision != "exact":
            raise ValueError(f"{asked[0]}: needs the precision exact, not {self.precision}")
        if self.crf is not None and self.crf > 51 and self.codec not in {"vp9", "av1"}:
            raise ValueError("crf: must be at most 51; only vp9 and av1 go up to 63")
        return self
