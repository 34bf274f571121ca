"""What the values of all edits have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of a job. Its fields are those of the request's model of the same kind."""

    kind: ClassVar[str]
    """The name that requests use. A class without it is a base of others."""


@dataclass(frozen=True, slots=True)
class EditPart:
    """What fields of edits consist of, such as a point of a moving crop. Its fields are those of its model."""
