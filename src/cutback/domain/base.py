"""What all models of the domain share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, PlainSerializer

from cutback.domain.errors import Fault, InvalidRequestError


class Model(BaseModel):
    """A frozen, typed value. Unknown fields are rejected, so a misspelt one is never silently ignored."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_inf_nan="constants", allow_inf_nan=False, serialize_by_alias=True
    )


Stored = TypeVar("Stored", bound=BaseModel)


def read_stored(model: type[Stored], content: str | bytes | Mapping[str, Any]) -> Stored:
    """Read what was stored, as JSON or as an object. Fields that only a later version knows are ignored.

    During an upgrade, processes of both versions share the records.
    """
    if isinstance(content, Mapping):
        return model.model_validate(content, extra="ignore")
    return model.model_validate_json(content, extra="ignore")


def iso(moment: datetime) -> str:
    """Format as RFC 3339 in UTC, to the microsecond, so that the texts sort by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Moment = Annotated[AwareDatetime, PlainSerializer(iso, when_used="json")]
"""A wall-clock time; always aware, written in UTC."""


def utc_now() -> datetime:
    """Return the current wall-clock time, aware, in UTC."""
    return datetime.now(UTC)


MAX_JSON_BYTES = 1024 * 1024
"""Maximum bytes of a message or request."""

MAX_JSON_VALUES = 25_000
"""Maximum values in one JSON text. No real message has more, and reading them would only cost time."""

MAX_DIGITS = 100
"""Maximum digits of a number."""

MAX_EXPONENT = 400
"""Maximum exponent of a number, positive or negative. Exact arithmetic would expand larger ones to gigabytes."""


def read_json(text: str | bytes, *, max_bytes: int = MAX_JSON_BYTES, exact: bool = True) -> Any:
    """Parse JSON strictly, in linear time: NaN, infinity, duplicate keys and lone surrogates are rejected.

    Digits and exponents are checked before they become numbers. With `exact`, numbers with a fraction are `Decimal`;
    otherwise `float`.

    Raises:
        InvalidRequestError: the text is invalid; the message says how. Nothing else is raised, whatever `text` is.
    """
    written = decode_text(text, max_bytes)
    if written.count(",") >= MAX_JSON_VALUES:
        raise _refusal(f"contains more than {MAX_JSON_VALUES} values")
    try:
        content = json.loads(
            written,
            parse_int=read_whole,
            parse_float=read_decimal if exact else _read_float,
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_twins,
        )
        if "\\ud" in written or "\\uD" in written:
            json.dumps(content, ensure_ascii=False, default=str).encode()
    except InvalidRequestError:
        raise
    except RecursionError:
        raise _refusal("is nested too deeply") from None
    except UnicodeEncodeError:
        raise _refusal("contains a lone surrogate") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}" if written else "it is empty"
        raise _refusal(f"is not valid JSON ({where})") from None
    return content


def read_whole(text: str) -> int:
    """Convert a JSON integer.

    Raises:
        InvalidRequestError: it has more than `MAX_DIGITS` digits.
    """
    if len(text) > MAX_DIGITS:
        raise _refusal(f"contains a number with more than {MAX_DIGITS} digits")
    return int(text)


def read_decimal(text: str) -> Decimal:
    """Convert a JSON number with a fraction or an exponent, exactly.

    Raises:
        InvalidRequestError: it has more than `MAX_DIGITS` digits, or an exponent beyond `MAX_EXPONENT`.
    """
    digits, _, exponent = text.lower().partition("e")
    if len(digits) > MAX_DIGITS:
        raise _refusal(f"contains a number with more than {MAX_DIGITS} digits")
    if len(exponent) > 5 or abs(int(exponent or 0)) > MAX_EXPONENT:
        raise _refusal(f"contains a number with an exponent beyond {MAX_EXPONENT}")
    return Decimal(text)


def _read_float(text: str) -> float:
    number = float(read_decimal(text))
    if number in (float("inf"), float("-inf")):
        raise _refusal("contains a number that is too large")
    return number


def decode_text(text: str | bytes, max_bytes: int = MAX_JSON_BYTES) -> str:
    """Decode text from outside, after checking its size.

    Raises:
        InvalidRequestError: it is too large or not UTF-8.
    """
    if len(text) > max_bytes:
        raise _refusal(f"is larger than {max_bytes} bytes")
    try:
        if isinstance(text, bytes):
            return text.decode(json.detect_encoding(text))
        if len(text.encode()) > max_bytes:
            raise _refusal(f"is larger than {max_bytes} bytes")
    except UnicodeError:
        raise _refusal("is not UTF-8 text") from None
    return text


def _refusal(problem: str) -> InvalidRequestError:
    return InvalidRequestError([Fault("", problem)])


def _refuse_constant(name: str) -> NoReturn:
    raise _refusal(f"{name} is not a JSON number")


def _refuse_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _refusal(f"the key {key[:64]!r} appears twice in one object")
            seen.add(key)
    return made
