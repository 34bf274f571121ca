"""Makes text from outside safe to show: control characters, escape sequences, direction marks become visible. Pure.

A terminal interprets escape sequences in everything that is printed, and direction marks can disguise a name.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "["
    r"\x00-\x1f\x7f-\x9f"  # control characters, including escape and the 8-bit control sequence introducer
    r"\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # direction marks, invisible ones
    r"\ud800-\udfff"  # lone surrogates, which no terminal can show
    r"\U000e0000-\U000e0fff"  # invisible tags
    "]"
)
_SEPARATORS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str, *, keep: str = "") -> str:
    r"""Replace every unsafe character with an escape, such as `\x1b` or `\u202e`.

    Characters in `keep` stay as they are.
    """
    return _UNSAFE.sub(lambda match: match[0] if match[0] in keep else escaped(match[0]), text)


def plain(text: str) -> str:
    """Return text as one line without unsafe characters: for pages and names of files, where escapes mean nothing."""
    return " ".join(_UNSAFE.sub(lambda match: " " if match[0] in _SEPARATORS else "", text).split())


def visible_in_json(text: str) -> str:
    r"""Replace every unsafe character in JSON with `\uXXXX`, which means the same to a parser."""
    return _UNSAFE.sub(lambda match: match[0] if match[0] in "\n\t" else _json_escape(match[0]), text)


def escaped(character: str) -> str:
    """Return one character as in a Python string literal."""
    number = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
