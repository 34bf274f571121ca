"""A message in any accepted envelope becomes a validated `ClipRequest`."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from base64 import b32encode
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from cutback.domain.base import Model, read_json
from cutback.domain.errors import Fault, InvalidRequestError
from cutback.domain.requests.older_format import LegacyMessage
from cutback.domain.requests.sources import CameraSpan, Range, Source, Text, check_text

MAX_RANGES = 100
"""Ranges in one request. More than this is asked for by mistake, or to do harm."""

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$"


def _check_webhook(value: str) -> str:
    check_text(value)
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("must be an https:// address")
    if parts.username or parts.password:
        raise ValueError("must not carry a user name or password")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must be https:// (http:// only to this machine itself)")
    return value


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address as it stands in a URL, is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, dict) else value


def _refuse_edits(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list")  # noqa: TRY004 - pydantic collects ValueErrors
    names = [edit.get("type", "?") if isinstance(edit, dict) else repr(edit)[:40] for edit in value]
    if names:
        raise ValueError(f"unknown edit {str(names[0])[:40]!r}; this version knows none")
    return value


class Output(Model):
    """What the clip shall be."""

    precision: Literal["exact", "keyframe", "instant"] = Field(
        "exact",
        description="`exact`: the very frames asked for. `keyframe`: snapped outwards to keyframes, a pure "
        "copy. `instant`: a pure copy, exact through the edit list; what lies outside is in the file, unseen.",
    )
    container: Literal["mp4"] = Field("mp4", description="The clip's container.")


class ClipRequest(Model):
    """What somebody asks for. The same `id` twice is the same clip."""

    version: Literal["1"] = Field("1", description="Of this format.")
    id: Annotated[str, Field(pattern=ID_PATTERN)] = Field(
        "",
        description="The clip's id, chosen by the asker; derived from the rest of the request when left out.",
        validate_default=False,
    )
    source: Annotated[tuple[Source, ...], BeforeValidator(_one_or_many), Field(min_length=1, max_length=MAX_RANGES)] = (
        Field(description="A range of a recording or a span of a camera, or several of them, joined in order.")
    )
    edits: Annotated[tuple[Any, ...], BeforeValidator(_refuse_edits)] = Field(
        (), description="What to do with the pictures and the sound, in order. This version knows no edits."
    )
    output: Output = Field(Output(), description="What the clip shall be.")
    title: Annotated[Text, Field(max_length=200)] = Field("", description="Shown to people.")
    tags: Annotated[tuple[Annotated[Text, Field(min_length=1, max_length=64)], ...], Field(max_length=50)] = Field(
        (), description="For finding the clip again."
    )
    labels: Annotated[
        dict[
            Annotated[Text, Field(min_length=1, max_length=64)],
            Annotated[Text, Field(max_length=256)],
        ],
        Field(max_length=50),
    ] = Field({}, description="Free keys and values, given back as they came.")
    webhook: Annotated[str, AfterValidator(_check_webhook), Field(max_length=2048)] | None = Field(
        None, description="An https:// address that hears of every change of this clip's state."
    )
    expires_in: Annotated[int, Field(strict=True, ge=60, le=10 * 366 * 24 * 3600)] | None = Field(
        None, description="Seconds after which a finished clip is removed; never, when left out."
    )

    legacy: LegacyMessage | None = Field(
        None, description="The message of the older format this request came from; it is answered in that format, too."
    )

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The recordings' ranges among the sources."""
        return tuple(piece for piece in self.source if isinstance(piece, Range))

    @property
    def spans(self) -> tuple[CameraSpan, ...]:
        """The cameras' spans among the sources."""
        return tuple(piece for piece in self.source if isinstance(piece, CameraSpan))

    @model_validator(mode="after")
    def _derive_id(self) -> Self:
        if not self.id:
            object.__setattr__(self, "id", derive_id(self))
        return self


def derive_id(request: ClipRequest) -> str:
    """The id of a request that brought none: equal content gives an equal id, 26 characters of it.

    The content is canonical JSON (sorted keys, times in lowest decimal form) without `id`; the id is `c`
    and the first 125 bits of its SHA-256 in lower-case base 32 (RFC 4648).
    """
    content = request.model_dump(mode="json", exclude={"id", "legacy"})
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(canonical.encode()).digest()
    return "c" + b32encode(digest).decode().lower()[:25]


def parse_request(message: str | bytes) -> ClipRequest:
    """Read a request from its JSON text.

    Raises:
        InvalidRequestError: naming every fault by its path and what would be right.
    """
    return validate_request(read_json(message))


def validate_request(content: object) -> ClipRequest:
    """Build a request from parsed JSON.

    Raises:
        InvalidRequestError: naming every fault by its path and what would be right.
    """
    if not isinstance(content, dict):
        raise InvalidRequestError([Fault("", "must be a JSON object")])
    try:
        return ClipRequest.model_validate(content)
    except ValidationError as error:
        raise InvalidRequestError(_faults(error)) from None


_KINDS = ("recording", "camera")


def _faults(error: ValidationError) -> list[Fault]:
    known = ", ".join(ClipRequest.model_fields)
    faults = []
    for item in error.errors(include_url=False, include_context=False, include_input=False)[:50]:
        problem = re.sub(r"^(Value error|Assertion failed), ", "", item["msg"])
        if item["type"] == "extra_forbidden":
            problem = "is not a field of this format" + (f"; it knows {known}" if len(item["loc"]) == 1 else "")
        elif item["type"] == "missing":
            problem = "is missing"
        faults.append(Fault(_path(item["loc"]), problem))
    return faults


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for place, step in enumerate(location):
        if place == 2 and location[0] == "source" and step in _KINDS:
            continue  # which kind of source it was taken for is not part of the JSON
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            shown = "".join(c if c.isprintable() else "?" for c in step)[:64]
            text += f".{shown}" if text else shown
    return text
