"""Changes to texts that know their structure: values are replaced, repeated, nested and moved, bytes are spoilt."""

from __future__ import annotations

import random
import re

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_VALUE = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null')
_NASTY = (
    b"1e999999999", b"-1e-999999999", b"1e99999999999999999999", b"0." + b"3" * 5000, b"9" * 5000, b"NaN", b"Infinity",
    b"-0", b"1e400", b"18446744073709551616", b"null", b"true", b"[]", b"{}", b'""', b"[[[[[]]]]]", b'"\\ud800"',
    b'"\\u0000"', b'"\\u202e\\u001b[2J"', b'"0001-01-01T00:00:00+23:59"', b'"9999-12-31T23:59:59-23:59"',
    b'"../../etc"',     b'"1e999999999"', b'"' + b"9" * 5000 + b'"', b'{"frame": 1e400}', b'{"a": 1, "a": 2}', b"b'x'",
    b"...", b"1j", b"0xff",
)  # fmt: skip
_BYTES = (b"\0", b"\xff", b"\xed\xa0\x80", b"\x1b", b"\r\n", b"%", b"%2e", b"%Y",
          b"{", b"}", b"[", b"]", b'"', b"'", b"\\", b",", b":", b"*")  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The data after one to four changes."""
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(_CHANGES)(data, chance)
    return data[: 1024 * 1024 + 10]


def _replace_value(data: bytes, chance: random.Random) -> bytes:
    found = list(_VALUE.finditer(data))
    if not found:
        return data
    match = chance.choice(found)
    return data[: match.start()] + chance.choice(_NASTY) + data[match.end() :]


def _change_number(data: bytes, chance: random.Random) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return data
    match = chance.choice(found)
    number = str(chance.choice((-1, 0, 1, 59, 60, 2**31, 2**32, 2**63, 2**64, chance.randrange(10**9)))).encode()
    return data[: match.start()] + number + data[match.end() :]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    begin, end = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
    part = data[begin:end][:1000]
    return data[:begin] + part * chance.choice((2, 3, 100, 200_000 // max(1, len(part)))) + data[end:]


def _nest(data: bytes, chance: random.Random) -> bytes:
    before, after = chance.choice(
        ((b"[", b"]"), (b'{"source": ', b"}"), (b'{"Message": ', b', "Type": "Notification"}'))
    )
    times = chance.choice((1, 6, 1000, 50_000))
    return before * times + data + after * times


def _cut(data: bytes, chance: random.Random) -> bytes:
    begin, end = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
    return data[:begin] + data[end:]


def _insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(_BYTES) * chance.choice((1, 1, 2, 5000)) + data[at:]


def _flip(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


_CHANGES = (_replace_value, _replace_value, _change_number, _repeat, _nest, _cut, _insert, _flip)
