"""Texts with fields such as `{camera}`, which are filled in when the text is shown. Pure.

`{{` and `}}` are braces. Nothing else of a text is interpreted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import lru_cache
from string import Formatter
from typing import TypeAlias

FRAME_FORMATS = {
    "date": "%Y-%m-%d",
    "time": "%H:%M:%S",
    "year": "%Y",
    "month": "%m",
    "day": "%d",
    "hour": "%H",
    "minute": "%M",
    "second": "%S",
    "hour12": "%I",
    "ampm": "%p",
}
"""Fields that say when a picture was recorded, and how."""

FRAME_FIELDS = ("camera", *FRAME_FORMATS, "zone")
"""Fields that depend on the picture that shows them."""

LABEL = "labels."
"""Before the name of a label."""

_REQUEST_FIELDS = ("title", f"{LABEL}NAME")

Part: TypeAlias = tuple[str, str | None]
"""Literal text, and the field behind it."""


@lru_cache(maxsize=256)
def parse_fields(text: str) -> tuple[Part, ...]:
    """Return the parts of a text with fields.

    Raises:
        ValueError: a brace belongs to no field, or a field has another form than `{name}`.
    """
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        raise ValueError("has a { or } that belongs to no field; write {{ or }} to show it") from None
    for _, field, form, conversion in parts:
        if field is not None and (form or conversion or not field):
            shown = f"{field}{'!' if conversion else ''}{conversion or ''}{':' if form else ''}{form or ''}"[:40]
            raise ValueError(f"{{{shown}}} is not a field; write {{{{ and }}}} to show braces")
    return tuple((literal, field) for literal, field, _, _ in parts)


def check_fields(text: str) -> str:
    """Check that a text has only fields that exist.

    Raises:
        ValueError: one does not; the message names the nearest one.
    """
    for _, field in parse_fields(text):
        if field is None or field in FRAME_FIELDS or field == "title" or field.startswith(LABEL):
            continue
        known = [*FRAME_FIELDS, *_REQUEST_FIELDS]
        near = get_close_matches(field, known, 1)
        hint = f"did you mean {{{near[0]}}}? Write" if near else f"the fields are {_in_braces(known)}; write"
        raise ValueError(f"unknown field {{{field[:40]}}}; {hint} {{{{ and }}}} to show braces")
    return text


def check_clock(text: str) -> str:
    """Check that the format of a clock has fields of a moment, and no others.

    Raises:
        ValueError: it has not.
    """
    check_fields(text)
    found = fields_in(text)
    for field in found:
        if field not in FRAME_FIELDS:
            raise ValueError(f"{{{field}}} is not a field of a clock; these are {_in_braces(FRAME_FIELDS)}")
    if not set(found) & set(FRAME_FORMATS):
        raise ValueError(f"needs a field of a moment: {_in_braces(FRAME_FORMATS)}")
    return text


def _in_braces(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def fields_in(text: str) -> list[str]:
    """Return the fields of a text, in order."""
    return [field for _, field in parse_fields(text) if field is not None]


def escaped(text: str) -> str:
    """Return the text with fields that shows `text` as it is."""
    return text.replace("{", "{{").replace("}", "}}")


def widest(text: str, camera: str, zone: str) -> str:
    """Return a text with fields with all characters that it can show."""
    return filled(text, lambda field: camera if field == "camera" else f"0123456789-: APM{zone}")


def filled(text: str, value: Callable[[str], str]) -> str:
    """Return a text with the values of its fields."""
    return "".join(literal + ("" if field is None else value(field)) for literal, field in parse_fields(text))


def partly_filled(text: str, known: Callable[[str], str | None]) -> str:
    """Return a text with the values of those fields that are known; the others stay fields."""
    made = ""
    for literal, field in parse_fields(text):
        made += escaped(literal)
        if field is not None:
            value = known(field)
            made += f"{{{field}}}" if value is None else escaped(value)
    return made
