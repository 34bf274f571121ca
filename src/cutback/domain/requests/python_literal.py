"""Parses a dictionary as Python prints it, which older pipelines send instead of JSON. Pure.

It accepts only what those pipelines can print: strings, numbers, lists, dictionaries with string keys, `None`, `True`
and `False`. This is a separate parser, because Python's own accepts much more, issues warnings, and deep nesting can
crash it. It needs linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cutback.domain.base import MAX_JSON_VALUES, read_decimal, read_whole
from cutback.domain.errors import Fault, InvalidRequestError

LARGEST = 128 * 1024
"""Characters."""

_DEEPEST = 8

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'[^'\\\n]*(?:\\[^\n][^'\\\n]*)*'|"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*")
      | (?P<decimal>-?\d+(?:\.\d*(?:[eE][+-]?\d+)?|[eE][+-]?\d+))
      | (?P<whole>-?\d+)
      | (?P<name>None|True|False)\b
      | (?P<mark>[][{}:,])
    )""",
    re.VERBOSE | re.ASCII,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}
_NAMES = {"None": None, "True": True, "False": False}


def is_python_dictionary(text: str) -> bool:
    """Whether a text may be such a dictionary. JSON never is, because its keys have double quotes."""
    return text[:64].lstrip().startswith("{'")


def read_python_dictionary(text: str) -> dict[str, Any]:
    """Parse such a dictionary. Numbers with a fraction become `Decimal`.

    Raises:
        InvalidRequestError: it is too large or has another form. Nothing else is raised, whatever `text` is.
    """
    if len(text) > LARGEST:
        raise _refusal(f"is larger than {LARGEST} characters")
    if text.count(",") >= MAX_JSON_VALUES:
        raise _refusal(f"contains more than {MAX_JSON_VALUES} values")
    tokens = _tokens(text)
    kind, first = next(tokens)
    content = _value(kind, first, tokens, 0)
    if next(tokens)[0] != "end" or not isinstance(content, dict):
        raise _refusal("is not a dictionary as Python prints it")
    return content


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None or match.lastgroup is None:
            raise _refusal(f"is neither JSON nor a dictionary as Python prints it, at character {at}")
        yield match.lastgroup, match[match.lastgroup]
        at = match.end()
    while True:
        yield "end", ""


def _value(kind: str, token: str, tokens: Iterator[tuple[str, str]], depth: int) -> Any:
    if depth > _DEEPEST:
        raise _refusal("is nested too deeply")
    match kind, token:
        case "text", _:
            return _unescaped(token[1:-1])
        case "whole", _:
            return read_whole(token)
        case "decimal", _:
            return read_decimal(token)
        case "name", _:
            return _NAMES[token]
        case "mark", "[":
            return list(_items("]", tokens, depth))
        case "mark", "{":
            return _dictionary(tokens, depth)
    raise _refusal("is not a dictionary as Python prints it")


def _items(closing: str, tokens: Iterator[tuple[str, str]], depth: int) -> Iterator[Any]:
    kind, token = next(tokens)
    while token != closing or kind != "mark":
        yield _value(kind, token, tokens, depth + 1)
        kind, token = next(tokens)
        if (kind, token) == ("mark", ","):
            kind, token = next(tokens)
        elif (kind, token) != ("mark", closing):
            raise _refusal("has no comma between two values")


def _dictionary(tokens: Iterator[tuple[str, str]], depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    kind, token = next(tokens)
    while (kind, token) != ("mark", "}"):
        if kind != "text":
            raise _refusal("has a key that is not a string")
        key = _unescaped(token[1:-1])
        if key in made:
            raise _refusal(f"the key {key[:64]!r} appears twice in one object")
        if next(tokens) != ("mark", ":"):
            raise _refusal("has a key without a value")
        made[key] = _value(*next(tokens), tokens, depth + 1)
        kind, token = next(tokens)
        if (kind, token) == ("mark", ","):
            kind, token = next(tokens)
        elif (kind, token) != ("mark", "}"):
            raise _refusal("has no comma between two values")
    return made


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    number = match[1] or match[2] or match[3]
    if number is None:
        if match[4] not in _PLAIN:
            raise _refusal(f"contains the escape \\{match[4]!r}, which Python does not print")
        return _PLAIN[match[4]]
    code = int(number, 16)
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise _refusal("contains an escape that is not a character")
    return chr(code)


def _refusal(problem: str) -> InvalidRequestError:
    return InvalidRequestError([Fault("", problem)])
