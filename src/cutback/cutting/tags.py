"""What a recording says of itself in words. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

MOST = 4096
"""Characters kept of one tag."""


@dataclass(frozen=True, slots=True)
class Tags:
    """Texts about a recording that are true of a clip of it as well; empty where there is none."""

    title: str = ""
    artist: str = ""
    comment: str = ""
    description: str = ""
    copyright: str = ""
    location: str = ""
    """Where it was recorded (ISO 6709)."""


NAMES = tuple(field.name for field in fields(Tags))


def tags_of(texts: Mapping[str, str]) -> Tags:
    """Tags from texts by name; other names and control characters are left out."""
    return Tags(**{name: _printable(texts[name]) for name in NAMES if name in texts})


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t").strip()[:MOST]


def tags_of_clip(sources: Sequence[Tags], *, keep_location: bool) -> Tags:
    """The tags of a clip of these recordings: what all of them agree on, and a location only if that is wished."""
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
    """A track's title, or else its handler's name where that says more than what a handler is; else empty."""
    named = {name.lower(): text for name, text in texts.items()}
    if "title" in named:
        return _printable(named["title"])
    name = _printable(named.get("handler_name", ""))
    return "" if _SAYS_NOTHING.fullmatch(name) else name
