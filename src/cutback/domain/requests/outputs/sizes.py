"""Sizes of files as requests write them: bytes, or a number with a unit."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

LEAST, MOST = 1_000, 10**13
"""Bytes."""

_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*(kB|KB|MB|GB)", re.ASCII)
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}


def parse_size(value: object) -> int:
    """Parse a size: whole bytes, or a text such as `3MB` (3,000,000 bytes).

    Raises:
        ValueError: it has neither form, or is not within `LEAST` and `MOST`.
    """
    if isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
        size = int(Decimal(match[1]) * _UNITS[match[2].upper()])
    elif isinstance(value, int) and not isinstance(value, bool):
        size = value
    else:
        raise ValueError('expected bytes (5000000) or a text such as "5MB"')
    if not LEAST <= size <= MOST:
        raise ValueError(f"must be {LEAST} to {MOST} bytes")
    return size


SizeField = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema(
        {
            "title": "Size",
            "description": "Bytes, or a number with kB, MB or GB, which are powers of 1000.",
            "anyOf": [{"type": "integer", "minimum": LEAST, "maximum": MOST}, {"type": "string"}],
        }
    ),
]
"""A size in bytes."""
