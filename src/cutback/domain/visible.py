"""Text from outside, made safe to show: control characters, escape sequences and direction marks become visible. Pure.

A terminal obeys escape sequences in whatever is printed, and direction marks make a name read as another one.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "["
    r"\x00-\x1f\x7f-\x9f"  # controls, among them escape and the 8-bit control sequence introducer
    r"\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # directions, invisible marks
    r"\ud800-\udfff"  # halves of surrogate pairs, which no terminal can show
    r"\U000e0000-\U000e0fff"  # invisible tags
    "]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str, *, keep: str = "") -> str:
    r"""The text with every unsafe character written as an escape, such as `\x1b` or `\u202e`.

    Characters in `keep` stay as they are.
    """
    return _UNSAFE.sub(lambda match: match[0] if match[0] in keep else escaped(match[0]), text)


def visible_in_json(text: str) -> str:
    r"""JSON with every unsafe character that JSON allows written as `\uXXXX`, which means the same to a parser."""
    return _UNSAFE.sub(lambda match: match[0] if match[0] in "\n\t" else _json_escape(match[0]), text)


def escaped(character: str) -> str:
    """One character as a Python string literal would write it."""
    number = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
