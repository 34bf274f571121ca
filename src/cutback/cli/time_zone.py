"""Checks the environment's `TZ`: the C library takes nonsense as UTC without a word, or as an offset of days."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

_NAME = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)"
_OFFSET = r"[+-]?(?:[01]?\d|2[0-2])(?::[0-5]\d){0,2}"
"""Summer time may add an hour, and `datetime` needs less than 24."""
_RULE = re.compile(rf"(?:UTC|GMT|{_NAME}{_OFFSET}(?:{_NAME}(?:{_OFFSET})?(?:,[MJ0-9.,/:+-]+)?)?)", re.ASCII)
_COMPILED_ZONE = b"TZif"


def use_utc_if_unknown() -> str | None:
    """If `TZ` is not a time zone, use UTC in this process and those it starts, and return a warning; else None."""
    named = os.environ.get("TZ", "")
    if not named or _is_known(named.removeprefix(":")):
        return None
    os.environ["TZ"] = "UTC0"
    time.tzset()
    return f"TZ: {named[:64]!r} is not a time zone that this machine knows; times are in UTC."


def _is_known(zone: str) -> bool:
    """Whether it is a rule of POSIX, such as `CET-1CEST`, or a file of the system's time zones."""
    if not zone or _RULE.fullmatch(zone):
        return True
    from zoneinfo import TZPATH

    return any(_is_compiled(Path(folder, zone)) for folder in TZPATH)


def _is_compiled(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_COMPILED_ZONE)) == _COMPILED_ZONE
    except OSError:
        return False
