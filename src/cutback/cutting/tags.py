"""The tags of a recording: title, location and similar texts. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

MOST = 4096
"""Maximum characters of one tag."""


@dataclass(frozen=True, slots=True)
class Tags:
    """Texts about a recording that also apply to its clips; empty if there is none."""

    title: str = ""
    artist: str = ""
    comment: str = ""
    description: str = ""
    copyright: str = ""
    location: str = ""
    """Where it was recorded (ISO 6709)."""


NAMES = tuple(field.name for field in fields(Tags))


def tags_of(texts: Mapping[str, str]) -> Tags:
    """Make tags from texts by name; other names and control characters are dropped."""
    return Tags(**{name: _printable(texts[name]) for name in NAMES if name in texts})


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t").strip()[:MOST]


def tags_of_clip(sources: Sequence[Tags], *, keep_location: bool) -> Tags:
    """Return the tags of a clip from these recordings: those that all share, and the location only if wanted."""
    first = sources[0]
    agreed = {
        name: getattr(first, name)
        for name in NAMES
        if all(getattr(other, name) == getattr(first, name) for other in sources)
    }
    return replace(Tags(**agreed), **({} if keep_location else {"location": ""}))


_SAYS_NOTHING = re.compile(
    r"((Core Media |Apple )?(Video|Sound|Audio|Text|Subtitle|Media)( ?(Media )?Handler)?)?", re.IGNORECASE
)


def title_of(texts: Mapping[str, str]) -> str:
    """Return a track's title or its handler's name; empty if that is only a generic name."""
    named = {name.lower(): text for name, text in texts.items()}
    if "title" in named:
        return _printable(named["title"])
    name = _printable(named.get("handler_name", ""))
    return "" if _SAYS_NOTHING.fullmatch(name) else name
