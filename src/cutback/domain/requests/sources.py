"""What a clip may be cut from: ranges of recordings, and camera spans."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from cutback.domain.base import Model
from cutback.domain.requests.rules import rules_of
from cutback.domain.time_fields import InstantField
from cutback.domain.times import FrameNumber, FromEnd, Instant, format_seconds, parse_duration, parse_instant
from cutback.domain.wallclock import MOMENT_SCHEMA, WRITTEN_IN_UTC, after, parse_moment

MAX_KEY_BYTES = 1024
"""S3's limit on the length of a key."""

MAX_SPAN = timedelta(days=1)
"""The longest camera span in a request."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Unicode categories Cc and Cs."""

MAX_CROSSFADE = 60
"""Maximum seconds of a crossfade."""

GapRule = Literal["skip", "freeze", "black", "fail"]


def check_text(value: str) -> str:
    """Check that a text has no control characters.

    Raises:
        ValueError: it has some.
    """
    if _CONTROL.search(value):
        raise ValueError("must not contain control characters")
    return value


def check_key(value: str) -> str:
    """Check the key of an object in a store.

    Raises:
        ValueError: it is empty, too long or absolute, or it contains control characters or `.`/`..` segments.
    """
    check_text(value)
    if not value or len(value.encode()) > MAX_KEY_BYTES:
        raise ValueError(f"must be 1 to {MAX_KEY_BYTES} bytes long")
    if "\\" in value:
        raise ValueError("must use / between folders, not a backslash")
    if any(segment in {"", ".", ".."} for segment in value.split("/")):
        raise ValueError("must be relative, without empty, . or .. segments")
    return value


Text = Annotated[str, AfterValidator(check_text)]
Key = Annotated[str, AfterValidator(check_key), Field(max_length=MAX_KEY_BYTES)]
CameraName = Annotated[Text, Field(min_length=1, max_length=200)]


def _parse_crossfade(value: object) -> Fraction:
    seconds = parse_duration(value)
    if not Fraction(1, 100) <= seconds <= MAX_CROSSFADE:
        raise ValueError(f"must be from 0.01 to {MAX_CROSSFADE} seconds")
    return seconds


class Join(Model):
    """How a part of the source follows the one before it."""

    crossfade: Annotated[
        Fraction,
        BeforeValidator(_parse_crossfade),
        PlainSerializer(format_seconds),
        WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0.01, "maximum": 60}, {"type": "string"}]}),
    ] = Field(description="Seconds over which the part before turns into this one. They overlap by as much.")


_JOIN = Field(
    None, exclude_if=lambda join: join is None, description="How it follows the part before; a cut if left out."
)


def _fill_in(content: dict[str, Any]) -> dict[str, Any]:
    """Fill in missing ends: the beginning and the end. `+5` is relative to the start."""
    made = {"start": "0", "end": "-0", **content}
    end = made["end"]
    if isinstance(end, str) and end.strip().startswith("+"):
        try:
            made["end"] = _later(parse_instant(made["start"]), parse_duration(end.strip()[1:]))
        except ValueError as error:
            raise ValueError(f"start and end: {error}") from None
    return made


def _check_order(start: Instant, end: Instant) -> None:
    if isinstance(start, FromEnd) and isinstance(end, FromEnd) and end.seconds >= start.seconds:
        raise ValueError("end must be after start")
    if isinstance(start, Fraction) and isinstance(end, Fraction) and end <= start:
        raise ValueError("end must be after start")
    if isinstance(start, FrameNumber) and isinstance(end, FrameNumber) and end.frame <= start.frame:
        raise ValueError("end must be after start")


class Range(Model):
    """A part of one recording, from `start` (included) to `end` (excluded)."""

    recording: Key = Field(description="The recording's key in the source store.")
    start: InstantField = Field(description="Where the range begins.")
    end: InstantField = Field(description="Where the range ends; the frame at this time is not part of it.")
    join: Join | None = _JOIN

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, content: Any) -> Any:
        return _fill_in(content) if isinstance(content, dict) and {"start", "end"} & set(content) else content

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_order(self.start, self.end)
        return self


class AssetRange(Model):
    """A video of the assets, such as an intro: all of it, unless `start` or `end` say otherwise."""

    asset: Key = Field(description="Its name in the assets store.")
    start: InstantField = Field(description="Where the range begins; the beginning if left out.")
    end: InstantField = Field(description="Where the range ends; the end if left out.")
    join: Join | None = _JOIN

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, content: Any) -> Any:
        return _fill_in(content) if isinstance(content, dict) else content

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_order(self.start, self.end)
        return self


def _zone_of(camera: object, info: ValidationInfo) -> tzinfo | None:
    """The zone of the camera, if the context of the validation has the zones."""
    zones = rules_of(info).zones
    return zones.for_camera(camera) if zones is not None and isinstance(camera, str) else None


def _parse_on_camera_clock(value: object, info: ValidationInfo) -> datetime:
    return parse_moment(value, _zone_of(info.data.get("camera"), info))


CameraMoment = Annotated[datetime, BeforeValidator(_parse_on_camera_clock), WRITTEN_IN_UTC, MOMENT_SCHEMA]
"""A moment of the camera of a span. Without an offset, it is in the camera's zone."""


class CameraSpan(Model):
    """A part of a camera's wall clock, from one moment (included) to another (excluded).

    Pass `Zones` as the context of the validation to allow moments without an offset.
    """

    camera: CameraName = Field(description="The camera's name.")
    start: CameraMoment = Field(alias="from", description="The first moment.")
    end: CameraMoment = Field(alias="to", description="The moment at which the span ends.")
    gaps: GapRule = Field(
        "skip",
        description="Time that the camera did not record: `skip` leaves it out, `freeze` holds the last picture, "
        "`black` shows black, `fail` fails the clip.",
    )
    join: Join | None = _JOIN

    @model_validator(mode="before")
    @classmethod
    def _around(cls, content: Any, info: ValidationInfo) -> Any:
        """Convert `at`, `before` and `after` to `from` and `to`."""
        if not isinstance(content, dict):
            return content
        zone = _zone_of(content.get("camera"), info)
        if not {"at", "before", "after"} & set(content):
            return cls._from_on(content, zone)
        if {"from", "to"} & set(content):
            raise ValueError("needs from and to, or at, before and after, but not both")
        if "at" not in content:
            raise ValueError("at is missing: the moment to which before and after refer")
        if not {"before", "after"} & set(content):
            raise ValueError("needs before, after or both: the seconds before and after the moment")
        try:
            moment = parse_moment(content["at"], zone)
            span = {
                "from": after(moment, -_duration(content.get("before", 0))),
                "to": after(moment, _duration(content.get("after", 0))),
            }
        except ValueError as error:
            raise ValueError(f"at, before, after: {error}") from None
        return {name: value for name, value in content.items() if name not in {"at", "before", "after"}} | span

    @classmethod
    def _from_on(cls, content: dict[str, Any], zone: tzinfo | None) -> dict[str, Any]:
        """Convert a `to` that is relative to `from`, such as `+90s`."""
        end = content.get("to")
        if not isinstance(end, str) or not end.strip().startswith("+") or "from" not in content:
            return content
        try:
            begins = parse_moment(content["from"], zone)
            return content | {"to": after(begins, parse_duration(end.strip()[1:]))}
        except ValueError as error:
            raise ValueError(f"from and to: {error}") from None

    @field_validator("end")
    @classmethod
    def _after_start(cls, end: datetime, info: Any) -> datetime:
        start = info.data.get("start")
        if start is not None and end <= start:
            raise ValueError("must be after from")
        if start is not None and end - start > MAX_SPAN:
            raise ValueError(f"is more than {MAX_SPAN // timedelta(hours=1)} hours after from")
        return end


def _duration(value: object) -> Fraction:
    if isinstance(value, dict):
        raise ValueError("expected seconds, such as 12.5")  # noqa: TRY004 - pydantic collects ValueErrors
    return parse_duration(value)


def _later(start: Instant, seconds: Fraction) -> Instant:
    if isinstance(start, FrameNumber):
        message = "a duration cannot be added to a frame number; give the end as a frame number too"
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueErrors
    if not isinstance(start, FromEnd):
        return start + seconds
    return FromEnd(max(start.seconds - seconds, Fraction(0)))


def _kind(value: Any) -> str:
    for kind in (CameraSpan, AssetRange):
        name = "camera" if kind is CameraSpan else "asset"
        if isinstance(value, kind) or (isinstance(value, dict) and name in value):
            return name
    return "recording"


Source = Annotated[
    Annotated[Range, Tag("recording")] | Annotated[CameraSpan, Tag("camera")] | Annotated[AssetRange, Tag("asset")],
    Discriminator(_kind),
]
"""One part of a clip's source."""
