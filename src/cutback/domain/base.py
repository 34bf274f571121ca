"""What all models of the domain share."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, NoReturn

from pydantic import AwareDatetime, BaseModel, ConfigDict, PlainSerializer

from cutback.domain.errors import Fault, InvalidRequestError


class Model(BaseModel):
    """A frozen, typed value. Unknown fields are rejected, so a misspelt one is never silently ignored."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_inf_nan="constants", allow_inf_nan=False, serialize_by_alias=True
    )


def iso(moment: datetime) -> str:
    """Format as RFC 3339 in UTC, to the microsecond, so that the texts sort by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Moment = Annotated[AwareDatetime, PlainSerializer(iso, when_used="json")]
"""A wall-clock time; always aware, written in UTC."""


def utc_now() -> datetime:
    """Return the current wall-clock time, aware, in UTC."""
    return datetime.now(UTC)


def read_json(text: str | bytes, *, max_bytes: int = 1024 * 1024) -> Any:
    """Parse JSON strictly: numbers stay exact (`Decimal`); NaN, infinity and duplicate keys are rejected.

    Raises:
        InvalidRequestError: the text is too large, is not valid JSON or is nested too deeply.
    """
    if len(text) > max_bytes:
        raise InvalidRequestError([Fault("", f"is larger than {max_bytes} bytes")])
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twins)
    except InvalidRequestError:
        raise
    except RecursionError:
        raise InvalidRequestError([Fault("", "is nested too deeply")]) from None
    except UnicodeDecodeError:
        raise InvalidRequestError([Fault("", "is not UTF-8 text")]) from None
    except ValueError as error:  # JSONDecodeError, and integers of thousands of digits
        raise InvalidRequestError([Fault("", f"is not valid JSON: {error}")]) from None


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidRequestError([Fault("", f"{name} is not a JSON number")])


def _refuse_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        twin = next(key for key in keys if keys.count(key) > 1)
        raise InvalidRequestError([Fault("", f"the key {twin!r} appears twice in one object")])
    return dict(pairs)
