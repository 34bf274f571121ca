"""What the installation adds to the validation of requests: time zones, own presets and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import ValidationInfo

from cutback.domain.cameras.local_time import Zones

if TYPE_CHECKING:
    from cutback.domain.requests.presets import Preset


@dataclass(frozen=True, slots=True)
class RequestRules:
    """The context of the validation of a request."""

    zones: Zones | None = None
    """The cameras' time zones: for moments without an offset from UTC, which are refused without zones."""
    presets: Mapping[str, Preset] = field(default_factory=dict, hash=False)
    """Own presets, besides the built-in ones."""
    edits: int = 100
    """Maximum edits of one request."""
    text: int = 200
    """Maximum characters of a text on pictures."""


MOST_EDITS, MOST_TEXT = 1000, 5000
"""The largest limits that an installation can set."""

_OF_RECORDS = RequestRules(edits=MOST_EDITS, text=MOST_TEXT)
"""What was accepted once is read from records, whatever the limits are by then."""


def rules_of(info: ValidationInfo) -> RequestRules:
    """Return the rules of a validation; without a context, something accepted is read again."""
    return info.context if isinstance(info.context, RequestRules) else _OF_RECORDS
