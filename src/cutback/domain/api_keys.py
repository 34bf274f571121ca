"""API keys: their text, their digest and what they permit. Pure, apart from the randomness of a new one.

A key is `ck_`, 43 digits of 256 random bits, and 6 digits of a checksum, so that a mistyped one is recognised without a
look-up and a scanner of leaked secrets finds it. Only its SHA-256 is stored: it has too many bits to be guessed, so a
slow hash, which is for passwords, would only cost time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from cutback.domain.base import Model, Moment

PREFIX = "ck_"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BYTES = 32
_LENGTH = 43
"""Digits in base 62 that 256 bits need."""
_CHECKSUM_LENGTH = 6
_TEXT = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_LENGTH + _CHECKSUM_LENGTH}}}", re.ASCII)
_ID_LENGTH = 16

KeyName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""What an administrator calls a key: any text without control characters."""


class Scope(StrEnum):
    """What a key permits."""

    READ = "read"
    REQUEST = "request"
    ADMIN = "admin"


class ApiKey(Model):
    """A key as it is stored: everything except its text."""

    id: str
    name: str
    tenant: str = ""
    """Empty for the whole installation."""
    scopes: tuple[Scope, ...]
    digest: str
    """SHA-256 of the text, in hexadecimal."""
    created_at: Moment
    last_used_at: Moment | None = None
    """Accurate to some minutes, because it is not written with every request."""

    def matches(self, text: str) -> bool:
        """Whether this is the key with that text. The time does not depend on where they differ."""
        return hmac.compare_digest(self.digest, digest_of(text))

    def public(self) -> dict[str, object]:
        """Return the form that users see."""
        return self.model_dump(mode="json", exclude={"digest"})


def permitted(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """Return everything that these scopes permit: `admin` includes the others."""
    found = frozenset(scopes)
    return frozenset(Scope) if Scope.ADMIN in found else found


def new_key_text() -> str:
    """Return the text of a new key. It is random and cannot be restored, so the caller shows it once."""
    body = PREFIX + _in_base_62(int.from_bytes(secrets.token_bytes(_BYTES)), _LENGTH)
    return body + _checksum(body)


def is_key_text(text: str) -> bool:
    """Whether this may be a key: it has the form and the checksum of one."""
    return bool(_TEXT.fullmatch(text)) and _checksum(text[:-_CHECKSUM_LENGTH]) == text[-_CHECKSUM_LENGTH:]


def digest_of(text: str) -> str:
    """Return the SHA-256 of a key's text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def key_id_of(text: str) -> str:
    """Return the id of a key, by which it is found and named. It tells nothing useful about the text."""
    return digest_of(text)[:_ID_LENGTH]


def _checksum(body: str) -> str:
    return _in_base_62(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)


def _in_base_62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
