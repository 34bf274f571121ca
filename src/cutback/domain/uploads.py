"""Uploads of recordings: how they are split into parts, and what they may be. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import unquote

from pydantic import AfterValidator, BeforeValidator, Field

from cutback.domain.base import Model, Moment
from cutback.domain.cameras.key_pattern import EXTENSIONS, is_recording
from cutback.domain.errors import UploadIncompleteError, UploadRefusedError
from cutback.domain.requests.sources import MAX_KEY_BYTES, CameraName, check_key
from cutback.domain.wallclock import EXACT_MOMENT_SCHEMA, WRITTEN_IN_UTC, parse_moment

KIND = "upload"
"""The name in the registry."""

MIB = 1024 * 1024
SMALLEST_PART = 16 * MIB
MOST_PARTS = 5_000
"""S3 allows 10,000."""
FINISHED_KEPT = timedelta(days=1)
"""How long the outcome of an upload can be read."""

_TYPES: dict[str, tuple[str, ...]] = {
    "video/mp4": ("mp4", "mov"),
    "video/quicktime": ("mov", "mp4"),
    "video/x-m4v": ("mp4", "mov"),
    "video/x-matroska": ("matroska", "webm"),
    "video/matroska": ("matroska", "webm"),
    "video/webm": ("webm", "matroska"),
    "video/mp2t": ("mpegts",),
}
"""Media types, each with the containers that may have it."""


def check_upload_key(value: str) -> str:
    """Check the key that a new recording is to have; stricter than a key that exists already.

    Raises:
        ValueError: it could be read in two ways, or it is not that of a recording.
    """
    check_key(value)
    if unicodedata.normalize("NFC", value) != value or not value.isprintable():
        raise ValueError("must be printable and in the Unicode form NFC")
    plain, before = value, ""
    while plain != before:
        before, plain = plain, unquote(plain)
    if plain != value and any(sign in plain for sign in ("/../", "/./", "\\", "\0")):
        raise ValueError("must not contain an encoded path")
    if any(segment in {"", ".", ".."} for segment in plain.split("/")) or plain.count("/") != value.count("/"):
        raise ValueError("must not contain an encoded path")
    if any(segment.startswith(".") or segment != segment.strip(" .") for segment in value.split("/")):
        raise ValueError("must have no segment that begins or ends with a dot or a space")
    if not is_recording(value):
        raise ValueError(f"must end like a recording: {', '.join(EXTENSIONS)}")
    return value


def _parse_start(value: object) -> datetime:
    return parse_moment(value)


Start = Annotated[datetime, BeforeValidator(_parse_start), WRITTEN_IN_UTC, EXACT_MOMENT_SCHEMA]


def _check_type(value: str) -> str:
    known = value.partition(";")[0].strip().lower()
    if known not in _TYPES:
        raise ValueError(f"must be one of {', '.join(_TYPES)}")
    return known


class UploadState(StrEnum):
    """Where an upload is."""

    OPEN = "open"
    COMPLETING = "completing"
    DONE = "done"
    REFUSED = "refused"


class UploadFields(Model):
    """What a caller says about an upload."""

    key: Annotated[str, AfterValidator(check_upload_key), Field(max_length=MAX_KEY_BYTES)] = Field(
        description="The key that the recording will have."
    )
    size: Annotated[int, Field(strict=True, ge=1)] = Field(description="The size of the whole file in bytes.")
    content_type: Annotated[str, Field(max_length=100), AfterValidator(_check_type)] | None = Field(
        None, description="Its media type; checked against the content after arrival."
    )
    camera: CameraName | None = Field(None, description="Its camera, if the key does not name it.")
    start: Start | None = Field(None, description="When it begins, if neither key nor container says so.")


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """A part that has arrived."""

    number: int
    """From 1."""
    size: int
    etag: str


class Upload(UploadFields):
    """An upload."""

    id: str
    tenant: str = ""
    state: UploadState = UploadState.OPEN
    part_size: int
    token: str
    """Names the upload in the store."""
    completing_until: Moment | None = None
    failure: str | None = None
    """Why it was refused."""
    catalogued: bool | None = None
    """Whether the recording's camera and time are known, so that it can be requested by them."""
    created_at: Moment
    expires_at: Moment

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return -(-self.size // self.part_size)

    def size_of(self, number: int) -> int:
        """Return the bytes of a part; all but the last have the same.

        Raises:
            ValueError: there is no such part.
        """
        if not 1 <= number <= self.parts:
            raise ValueError(f"must be 1 to {self.parts}")
        return min(self.part_size, self.size - (number - 1) * self.part_size)

    def public(self) -> dict[str, Any]:
        """Return the upload as the API shows it."""
        hidden = {"token", "tenant", "completing_until"}
        return {**self.model_dump(mode="json", exclude=hidden, exclude_none=True), "parts": self.parts}


def part_size_of(size: int) -> int:
    """Return the bytes of each part but the last of a file of `size` bytes: whole MiB, in at most `MOST_PARTS`."""
    return max(SMALLEST_PART, -(-size // (MOST_PARTS * MIB)) * MIB)


def check_parts(upload: Upload, found: Iterable[UploadedPart]) -> list[UploadedPart]:
    """Return the parts in order.

    Raises:
        UploadIncompleteError: parts are missing, or have another size than they should; the message names some.
    """
    by_number = {part.number: part for part in found}
    wrong = [
        number
        for number in range(1, upload.parts + 1)
        if number not in by_number or by_number[number].size != upload.size_of(number)
    ]
    if wrong or len(by_number) != upload.parts:
        extra = [number for number in by_number if number > upload.parts]
        raise UploadIncompleteError(f"These are {_shown(wrong or extra)}.")
    return [by_number[number] for number in range(1, upload.parts + 1)]


def check_content(upload: Upload, found: dict[str, Any]) -> None:
    """Check that the file is what was announced, given what was found in it.

    Raises:
        UploadRefusedError: it is not.
    """
    container = str(found.get("container", ""))
    # libavformat has one name for all containers that one of its parsers reads.
    if upload.content_type is not None and set(container.split(",")).isdisjoint(_TYPES[upload.content_type]):
        raise UploadRefusedError(f"It was announced as {upload.content_type}, and its container is {container}.")
    if not any(track.get("kind") == "video" for track in found.get("tracks", ())):
        raise UploadRefusedError("It has no video.")


def _shown(numbers: list[int]) -> str:
    some = ", ".join(str(number) for number in numbers[:20])
    return some if len(numbers) <= 20 else f"{some} and {len(numbers) - 20} more"
