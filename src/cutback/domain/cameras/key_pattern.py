"""What a recording's key says of it: its camera, and when it began. Pure.

A pattern is a key's end as `strftime` would write it: `{camera}.%Y%m%dT%H%M%S[.%f][%z]`. Parts in brackets may be
missing, `*` stands for anything but a slash, folders may stand in front, and a file's extension behind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

EXTENSIONS = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".ts", ".m2ts")
"""File name extensions of recordings."""

_CODES = {
    "Y": r"\d{4}",
    "m": r"\d{2}",
    "d": r"\d{2}",
    "H": r"\d{2}",
    "M": r"\d{2}",
    "S": r"\d{2}",
    "f": r"\d{1,9}",
    "s": r"\d{9,10}",
    "Q": r"\d{12,13}",
    "z": r"Z|[+-]\d{2}(?:[-:]?\d{2})?",
}
"""Like strftime, with two additions: `%s` and `%Q` are seconds and milliseconds since 1970."""

_PART = re.compile(r"\{camera\}|%.|[\[\]*]|\{[^}]*\}?|[^%{\[\]*]+|.", re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Named:
    """What a key says."""

    camera: str
    """Empty if the pattern has none."""
    start: datetime | None
    """Without a time zone if the key has none; None if the pattern has no time."""


@dataclass(frozen=True, slots=True)
class KeyPattern:
    """A pattern, ready for use."""

    text: str
    expression: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> KeyPattern:
        """Parse a pattern.

        Raises:
            ValueError: the pattern is invalid; the message says why.
        """
        made, used, depth = [], set(), 0
        for part in _PART.findall(text):
            if part == "{camera}" or (part[0] == "%" and part[1:] in _CODES):
                name = "camera" if part == "{camera}" else part[1:]
                if name in used:
                    raise ValueError(f"{text!r} contains {part} twice")
                used.add(name)
                made.append(f"(?P<{name}>{_CODES.get(name, '[^/]+?')})")
            elif part == "%%":
                made.append("%")
            elif part[0] in "%{":
                known = ", ".join(f"%{code}" for code in _CODES)
                raise ValueError(f"{text!r}: {part} is unknown; use {{camera}}, {known}")
            elif part in "[]":
                depth += 1 if part == "[" else -1
                made.append("(?:" if part == "[" else ")?")
            else:
                made.append("[^/]*" if part == "*" else re.escape(part))
            if depth < 0:
                break
        if depth:
            raise ValueError(f"{text!r}: a bracket is not closed or not opened")
        if not used & {"s", "Q"} and used - {"camera", "z"} and not {"Y", "m", "d", "H"} <= used:
            raise ValueError(f"{text!r}: a time needs %Y, %m, %d and %H at least")
        if not used - {"z"}:
            raise ValueError(f"{text!r}: has neither {{camera}} nor a time")
        extension = "" if text.lower().endswith(EXTENSIONS) else rf"(?i:{'|'.join(map(re.escape, EXTENSIONS))})?"
        return cls(text, re.compile(f"(?:.*/)?{''.join(made)}{extension}", re.ASCII | re.DOTALL))

    def match(self, key: str) -> Named | None:
        """Read the key; None if it does not match the pattern or contains an impossible date."""
        found = self.expression.fullmatch(key)
        if found is None:
            return None
        said = found.groupdict()
        try:
            return Named(said.get("camera") or "", _time(said))
        except (ValueError, OverflowError):
            return None


BUILT_IN = tuple(
    KeyPattern.parse(text)
    for text in (
        "{camera}.%Y%m%dT%H%M%S[.%f][%z]",
        "{camera}.%Y-%m-%dT%H-%M-%S[.%f][%z]",
        "{camera}.%Y-%m-%dT%H:%M:%S[.%f][%z]",
        "{camera}/%Y/%m/%d/%H/%M/%S[.%f][%z]",
        "{camera}/%Y-%m-%d_%H-%M-%S[-%f][%z]",
        "%Y-%m-%d/%H/{camera}/%M.%S",
    )
)
"""Tried in this order if no pattern is set. The last two match the file names of MediaMTX and Frigate."""


def read_key(key: str, patterns: tuple[KeyPattern, ...]) -> Named | None:
    """Read the key by the first pattern that matches it."""
    return next((named for pattern in patterns if (named := pattern.match(key)) is not None), None)


def is_recording(key: str) -> bool:
    """Whether an object with this name may be a recording; stores also hold other files, such as pictures."""
    return key.lower().endswith(EXTENSIONS)


def _time(said: dict[str, str | None]) -> datetime | None:
    fraction = timedelta(microseconds=int((said.get("f") or "0").ljust(6, "0")[:6]))
    if said.get("Q") or said.get("s"):
        millis = int(said.get("Q") or 0) or int(said.get("s") or 0) * 1000
        return _EPOCH + timedelta(milliseconds=millis) + fraction
    if not said.get("Y"):
        return None
    year, month, day, hour, minute, second = (int(said.get(name) or 0) for name in "YmdHMS")
    zone = said.get("z")
    return datetime(year, month, day, hour, minute, second, tzinfo=_zone(zone) if zone else None) + fraction


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:].lstrip("-:") or 0)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
