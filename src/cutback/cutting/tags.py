"""The tags of a recording: title, location and similar texts. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any, NamedTuple

MOST = 4096
"""Maximum characters of one tag."""


class Chapter(NamedTuple):
    """A part of a clip with a title, up to the next one."""

    at: Fraction
    """When it begins, in seconds of the finished clip."""
    title: str


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
    labels: tuple[tuple[str, str], ...] = ()
    """The clip's own names and values."""
    chapters: tuple[Chapter, ...] = ()
    """The clip's own, in ascending order."""


NAMES = tuple(field.name for field in fields(Tags) if field.name not in {"labels", "chapters"})


def decode_text(data: bytes) -> str | None:
    """Decode a text that should be UTF-8; None if it is not text.

    UTF-16 is recognized by its byte order mark. What is not UTF-8 at all is taken for Windows-1252 (Latin-1), which
    older writers use. Of damaged UTF-8, for example a text that ends within a character, the rest is kept.
    """
    if data[:2] in {b"\xfe\xff", b"\xff\xfe"}:
        return _if_text(data.decode("utf-16", "replace"))
    data = data.rstrip(b"\0")
    with suppress(UnicodeDecodeError):
        # Some writers encode UTF-16's surrogates one by one.
        units = data.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass")
        return _if_text(units.decode("utf-16-le", "replace"))
    damaged = data.decode("utf-8", "replace")
    if any(not letter.isascii() and letter != _REPLACED for letter in damaged):
        return _if_text(damaged)
    with suppress(UnicodeDecodeError):
        return _if_text(data.decode("cp1252"))
    return None


_REPLACED = "\N{REPLACEMENT CHARACTER}"
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1f\x7f-\x9f]")


def _if_text(text: str) -> str | None:
    """The text, or None if control characters show that it is something else."""
    return None if _CONTROL.search(text) or set(text) == {_REPLACED} else text


def texts_of(tags: Tags) -> dict[str, str]:
    """Return the texts that any container can have, by FFmpeg's names, and the labels whose names any can have."""
    names = ("title", "artist", "comment", "description", "copyright")
    labels = {name: text for name, text in tags.labels if _PLAIN_NAME.fullmatch(name)}
    return labels | {name: text for name in names if (text := getattr(tags, name))}


def tags_of(texts: Mapping[str, str | None]) -> Tags:
    """Make tags from texts by name; other names, control characters, and what is not text (None) are dropped."""
    known: dict[str, Any] = {name: _printable(texts.get(name)) for name in NAMES}
    return Tags(**known)


def unreadable(texts: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return a note for each tag that is not text."""
    return tuple(f"Its {name} is not text and is left out." for name in NAMES if texts.get(name, "") is None)


def _printable(text: str | None) -> str:
    if text is None:
        return ""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t").strip()[:MOST]


def tags_of_clip(
    sources: Sequence[Tags], *, keep_location: bool, title: str = "", labels: Sequence[tuple[str, str]] = ()
) -> Tags:
    """Return the tags of a clip from these recordings: those that all share, and the location only if wanted.

    A title replaces theirs. Labels become tags too, unless a tag of files has that name, such as `title` or `encoder`.
    """
    first = sources[0]
    agreed: dict[str, Any] = {
        name: getattr(first, name)
        for name in NAMES
        if all(getattr(other, name) == getattr(first, name) for other in sources)
    }
    own = tuple((name, text) for name, text in labels if name.casefold() not in _TAKEN)
    found = replace(Tags(**agreed), labels=own)
    found = replace(found, title=title or found.title)
    return found if keep_location else replace(found, location="")


_PLAIN_NAME = re.compile(r"[ -<>-}]+", re.ASCII)
"""A name of a Vorbis comment, which is the strictest."""

_TAKEN = frozenset(
    {*NAMES, "album", "compatible_brands", "composer", "creation_time", "date", "encoder", "genre", "itunsmpb"}
    | {"language", "lyrics", "major_brand", "minor_version", "timecode", "track"}
)
"""Names that have a meaning of their own in files."""

_SAYS_NOTHING = re.compile(
    r"((Core Media |Apple )?(Video|Sound|Audio|Text|Subtitle|Media)( ?(Media )?Handler)?)?", re.IGNORECASE
)


def title_of(texts: Mapping[str, str | None]) -> str:
    """Return a track's title or its handler's name; empty if that is only a generic name, or not text (None)."""
    named = {name.lower(): text for name, text in texts.items()}
    if "title" in named:
        return _printable(named["title"])
    name = _printable(named.get("handler_name"))
    return "" if _SAYS_NOTHING.fullmatch(name) else name
