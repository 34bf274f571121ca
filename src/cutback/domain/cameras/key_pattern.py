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
    "y": r"\d{2}",
    "m": r"\d{2}",
    "d": r"\d{2}",
    "H": r"\d{2}",
    "I": r"\d{2}",
    "M": r"\d{2}",
    "S": r"\d{2}",
    "p": r"(?i:[ap]m)",
    "f": r"\d{1,9}",
    "s": r"\d{9,10}",
    "Q": r"\d{12,13}",
    "z": r"Z|[+-]\d{2}(?:[-:]?\d{2})?",
}
"""Like strftime, with two additions: `%s` and `%Q` are seconds and milliseconds since 1970."""
_WITHOUT_ZEROS = frozenset("mdHIMS")
"""Codes such as `%-m`, which accept one or two digits."""

_CAMERA = {"{camera}": "[^/]+?", "{camera...}": "[^/]+(?:/[^/]+)*?"}
_PART = re.compile(r"\{camera(?:\.\.\.)?\}|%-?.|[\[\]*]|\{[^}]*\}?|[^%{\[\]*]+|.", re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OFFSET = re.compile(r"([+-])(\d\d)(00|15|30|45)?", re.ASCII)
_FARTHEST = {"+": 14, "-": 12}
"""Hours; the largest offset from UTC."""
_DATE_LIKE = re.compile(r"[\d._ -]+(?:[ap]m)?", re.ASCII | re.IGNORECASE)


_LONGEST_PATTERN = 1000
_MOST_STARS = 10
_MOST_BRACKETS = 20
_LONGEST_KEY = 1024


@dataclass(frozen=True, slots=True)
class Named:
    """What a key says."""

    camera: str
    """Empty if the pattern has none."""
    start: datetime | None
    """Without a time zone if the key has none; None if the pattern has no time."""
    folder: str = ""
    """The folders before the part that the pattern describes, without those that only repeat the date."""
    notes: tuple[str, ...] = ()
    """Ambiguous parts of the key, and how they were read."""


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
        if len(text) > _LONGEST_PATTERN or text.count("*") > _MOST_STARS or text.count("[") > _MOST_BRACKETS:
            raise ValueError(
                f"{text[:100]!r} is too long: at most {_LONGEST_PATTERN} characters, {_MOST_STARS} * and "
                f"{_MOST_BRACKETS} [...]"
            )
        made, used, depth = [], set(), 0
        for part in _PART.findall(text):
            name = _name(part)
            if name:
                if name in used:
                    raise ValueError(f"{text!r} contains {part} twice")
                used.add(name)
                made.append(f"(?P<{name}>{_expression(part)})")
            elif part == "%%":
                made.append("%")
            elif part[0] in "%{":
                known = ", ".join(f"%{code}" for code in _CODES)
                raise ValueError(f"{text!r}: {part} is unknown; use {{camera}}, {{camera...}}, {known}")
            elif part in "[]":
                depth += 1 if part == "[" else -1
                made.append("(?:" if part == "[" else ")?")
            else:
                made.append("[^/]*" if part == "*" else re.escape(part))
            if depth < 0:
                break
        if depth:
            raise ValueError(f"{text!r}: a bracket is not closed or not opened")
        _check_time(text, used)
        extension = "" if text.lower().endswith(EXTENSIONS) else rf"(?i:{'|'.join(map(re.escape, EXTENSIONS))})?"
        # A name that spans folders begins at the start of the key: it includes all folders before it.
        before = "" if text.startswith("{camera...}") else "(?P<folder>.*/)?"
        return cls(text, re.compile(f"{before}{''.join(made)}{extension}", re.ASCII | re.DOTALL))

    def match(self, key: str) -> Named | None:
        """Read the key; None if it does not match the pattern or contains an impossible date."""
        # A store's keys are no longer; on others, which come in forged events, matching could take very long.
        found = self.expression.fullmatch(key) if len(key) <= _LONGEST_KEY else None
        if found is None:
            return None
        said = found.groupdict()
        try:
            notes = _settle_offset(said, key, found)
            return Named(said.get("camera") or "", _time(said), _folder(said), notes)
        except (ValueError, OverflowError):
            return None


def _name(part: str) -> str:
    """Return the group for a part of a pattern; empty for any other part."""
    if part in _CAMERA:
        return "camera"
    code = part.lstrip("%").removeprefix("-")
    if part[0] != "%" or code not in _CODES or (part[1] == "-" and code not in _WITHOUT_ZEROS):
        return ""
    return code


def _expression(part: str) -> str:
    return _CAMERA.get(part) or (r"\d{1,2}" if part[1] == "-" else _CODES[part[1]])


def _check_time(text: str, used: set[str]) -> None:
    time = used - {"camera", "z"}
    if not used - {"z"}:
        raise ValueError(f"{text!r}: contains neither {{camera}} nor a time")
    if {"H", "I"} <= used or {"Y", "y"} <= used:
        raise ValueError(f"{text!r} contains the hour or the year twice")
    if ("I" in used) != ("p" in used):
        raise ValueError(f"{text!r}: %I and %p need each other")
    if time and not used & {"s", "Q"} and not (used & {"Y", "y"} and {"m", "d"} <= used and used & {"H", "I"}):
        raise ValueError(f"{text!r}: a time needs %Y, %m, %d and %H (or %I and %p) at least")


def _settle_offset(said: dict[str, str | None], key: str, found: re.Match[str]) -> tuple[str, ...]:
    """Read a fraction as an offset if it looks like one and the pattern allows both: `…-05-30-00-0500`."""
    fraction = said.get("f")
    if not fraction or "z" not in said or said["z"]:
        return ()
    written = key[found.start("f") - 1] + fraction
    if written[0] not in "+-" or len(fraction) not in {2, 4}:
        return ()
    offset = _OFFSET.fullmatch(written)
    if offset is not None and int(offset[2]) <= _FARTHEST[offset[1]]:
        said["f"], said["z"] = None, written
        return ()
    return (f"The key's {written} is not a valid offset from UTC; read as a fraction of a second.",)


def _folder(said: dict[str, str | None]) -> str:
    """Whether a folder only repeats the recording's date, so that it does not distinguish cameras."""
    kept = [part for part in (said.get("folder") or "").split("/") if part and not _repeats_date(part, said)]
    return "/".join(kept)


def _repeats_date(folder: str, said: dict[str, str | None]) -> bool:
    if not _DATE_LIKE.fullmatch(folder):
        return False
    year, month, day, hour = (said.get(name) for name in "YmdH")
    if not (year and month and day):
        return True  # nothing to compare it with
    month, day = month.zfill(2), day.zfill(2)
    full = {year, month, day, year + month, year + month + day, month + day, day + month + year, month + day + year}
    full |= {hour.zfill(2), year + month + day + hour.zfill(2)} if hour else set()
    return re.sub(r"\D", "", folder, flags=re.ASCII).zfill(2) in full


BUILT_IN = tuple(
    KeyPattern.parse(text)
    for text in (
        "{camera}.%Y%m%dT%H%M%S[.%f][%z]",
        "{camera}.%Y-%m-%dT%H-%M-%S[.%f][%z]",
        "{camera}.%Y-%m-%dT%H:%M:%S[.%f][%z]",
        "{camera}/%Y/%m/%d/%H/%M/%S[.%f][%z]",
        "{camera}/%Y-%m-%d_%H-%M-%S[-%f][%z]",
        "%Y-%m-%d/%H/{camera}/%M.%S",
        "{camera}.%Y%m%d_%H%M%S",
        "{camera}[-]%Y%m%d-%H%M%S-%s",
        "{camera}_%Y%m%d%H%M%S[%f][_*]",
        "{camera} - %-m-%-d-%Y, %-I.%-M.%-S[ ]%p",
        "{camera} - %Y-%m-%d - %H.%M.%S[%z]",
    )
)
"""Tried in this order if no pattern is set. docs/cameras.md says which products use these names, with sources."""


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
    if not (said.get("Y") or said.get("y")):
        return None
    year = int(said.get("Y") or f"20{said.get('y')}")
    month, day, minute, second = (int(said.get(name) or 0) for name in "mdMS")
    zone = said.get("z")
    moment = datetime(year, month, day, _hour(said), minute, second, tzinfo=_zone(zone) if zone else None)
    return moment + fraction


def _hour(said: dict[str, str | None]) -> int:
    if not said.get("I"):
        return int(said.get("H") or 0)
    hour = int(said["I"] or 0)
    if not 1 <= hour <= 12:
        raise ValueError("an invalid hour on a twelve-hour clock")
    return hour % 12 + 12 * ((said.get("p") or "").lower() == "pm")


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:].lstrip("-:") or 0)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
