"""Proposes a pattern for keys that no pattern matches. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cutback.domain.cameras.key_pattern import EXTENSIONS, KeyPattern

_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_HOUR, _MINUTE = r"(?:[01]\d|2[0-3])", r"[0-5]\d"
_DATES = (
    ("%Y{0}%m{0}%d", re.compile(rf"(?<!\d){_YEAR}([-_./]?){_MONTH}\1{_DAY}")),
    ("%d{0}%m{0}%Y", re.compile(rf"(?<!\d){_DAY}([-_.]){_MONTH}\1{_YEAR}")),
    ("%m{0}%d{0}%Y", re.compile(rf"(?<!\d){_MONTH}([-_.]){_DAY}\1{_YEAR}")),
)
_TIME = re.compile(
    rf"(?<!\d){_HOUR}([-_.:h/]?){_MINUTE}(?:([-_.:m]?){_MINUTE})?(?!\d)|(?<=\d){_HOUR}{_MINUTE}{_MINUTE}(?!\d)"
)
_SINCE_1970 = (("%Q", re.compile(r"(?<!\d)1\d{12}(?!\d)")), ("%s", re.compile(r"(?<!\d)1\d{9}(?!\d)")))
_SEPARATORS = "-_. ,@()[]"
_MOST_KEYS = 2000
"""Maximum keys that are examined; more add no information."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pattern, and how many of the keys it matches."""

    pattern: str
    fits: int
    example: str
    """One of the keys."""
    camera: str
    """The camera that the pattern reads from the example."""


@dataclass(frozen=True, slots=True)
class _When:
    """Where a key contains its time, and the pattern for it."""

    start: int
    end: int
    pattern: str


def propose_pattern(keys: Sequence[str]) -> Proposal | None:
    """Return the pattern that matches most keys and finds camera and time in each; None if no key has both."""
    looked_at = keys[:_MOST_KEYS]
    counted = Counter(text for key in looked_at for text in dict.fromkeys(_patterns(key)))
    best: Proposal | None = None
    for text, _ in counted.most_common(20):
        try:
            pattern = KeyPattern.parse(text)
        except ValueError:
            continue
        read = [(key, named) for key in looked_at if (named := pattern.match(key)) and named.camera and named.start]
        if read and (best is None or len(read) > best.fits):
            best = Proposal(text, len(read), read[0][0], read[0][1].camera)
    return best


def _patterns(key: str) -> list[str]:
    """Yield patterns that may match a key."""
    extension = next((each for each in EXTENSIONS if key.lower().endswith(each)), "")
    name = key[: len(key) - len(extension)]
    made = []
    for when in _times(name):
        pattern = _around(name[: when.start], when.pattern, name[when.end :])
        if pattern:
            made.append(pattern)
    return made


def _times(name: str) -> list[_When]:
    found = []
    for text, expression in _DATES:
        for date in expression.finditer(name):
            time = _TIME.search(name, date.end())
            if time is None:
                continue
            between = _between(name[date.end() : time.start()])
            if between is not None:
                found.append(_When(date.start(), time.end(), text.format(date[1]) + between + _time_of(time)))
    found += [_When(each.start(), each.end(), text) for text, where in _SINCE_1970 for each in where.finditer(name)]
    return found


def _time_of(time: re.Match[str]) -> str:
    if time[1] is None:  # right after the date, with nothing in between
        return "%H%M%S"
    seconds = "" if time[2] is None else f"{time[2]}%S"
    return f"%H{time[1]}%M{seconds}"


def _between(text: str) -> str | None:
    """Return the pattern between date and time; a folder or the beginning of a file's name there is the camera.

    None if it is unclear.
    """
    if len(text) <= 3 and not re.search(r"\d", text):
        return _literal(text)
    named = re.fullmatch(r"/[^/]+?(/|[-_. ,@]+)", text)
    return f"/{{camera}}{named[1]}" if named else None


def _around(before: str, when: str, behind: str) -> str | None:
    """Return the whole pattern; None if nothing can be the camera."""
    named = "{camera}" in when
    folders, slash, start = before.rpartition("/")
    prefix = start.rstrip(_SEPARATORS)
    made = when
    if prefix:
        made = ("*" if named else "{camera}") + _literal(start[len(prefix) :]) + made
        named = True
    elif start:
        made = _literal(start) + made
    rest = behind.lstrip(_SEPARATORS)
    gap = _literal(behind[: len(behind) - len(rest)])
    if rest and "/" in rest:
        return None
    if rest and not named and not rest.isdigit():
        return f"{made}{gap}{{camera}}"
    if rest:
        made += f"[{gap}*]" if gap else "*"
    elif gap:
        made += gap
    if named:
        return made
    return f"{{camera}}/{made}" if slash and folders and not start else None


def _literal(text: str) -> str:
    """Escape text for a pattern. Brackets have a meaning in patterns, so a wildcard replaces them."""
    return re.sub(r"[\[\]{}*]", "*", text.replace("%", "%%"))
