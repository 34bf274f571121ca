"""Reads the older message format of surf-camera pipelines. Pure."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from cutback.domain.base import Model

FIELDS = frozenset({"clipId", "cameraId", "startTimestampInMs", "endTimestampInMs"})
"""A message that has all of these fields is in the older format."""

Millis = Annotated[int, Field(strict=True, ge=0, lt=10**14)]


class LegacyMessage(Model):
    """A message in the older format, as received."""

    model_config = ConfigDict(extra="ignore")

    clipId: str  # noqa: N815 - the names of the format
    cameraId: str  # noqa: N815
    startTimestampInMs: Millis  # noqa: N815
    endTimestampInMs: Millis  # noqa: N815
    retryTimestamps: Annotated[tuple[Millis, ...], Field(max_length=1000)] = ()  # noqa: N815


def is_legacy(content: dict[str, Any]) -> bool:
    """Whether a message is in the older format."""
    return set(content) >= FIELDS


def as_request(content: dict[str, Any]) -> dict[str, Any]:
    """Convert a message in the older format to a request, which is not validated yet."""
    return {
        "id": content["clipId"],
        "source": {
            "camera": content["cameraId"],
            "from": content["startTimestampInMs"],
            "to": content["endTimestampInMs"],
        },
        "legacy": {name: content[name] for name in LegacyMessage.model_fields if name in content},
    }
