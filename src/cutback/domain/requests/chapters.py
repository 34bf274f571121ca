"""The chapters that a clip may have."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag

from cutback.domain.base import Model
from cutback.domain.requests.edit_fields import PointField
from cutback.domain.requests.sources import Text

MOST_CHAPTERS = 255
"""Chapters of one clip: MP4 counts them in a byte."""

MOST_TITLE_BYTES = 255
"""Of a chapter's title, in UTF-8: MP4 has one byte for its length."""

JOINS: Literal["joins"] = "joins"
"""A chapter wherever the footage jumps."""


def _check_title(title: str) -> str:
    if not title.strip():
        raise ValueError("must not be blank")
    if len(title.encode()) > MOST_TITLE_BYTES:
        raise ValueError(f"must have at most {MOST_TITLE_BYTES} bytes in UTF-8")
    return title


class ChapterField(Model):
    """A chapter of a clip."""

    at: PointField = Field(description="Where it begins.")
    title: Annotated[Text, Field(min_length=1, max_length=MOST_TITLE_BYTES), AfterValidator(_check_title)] = Field(
        description="What players show."
    )


def _form(value: object) -> str:
    return "joins" if isinstance(value, str) else "given"


Chapters: TypeAlias = Annotated[
    Annotated[Literal["joins"], Tag("joins")]
    | Annotated[tuple[ChapterField, ...], Field(max_length=MOST_CHAPTERS), Tag("given")],
    Discriminator(_form),
]
"""`joins`, or a list; none if the list is empty."""
