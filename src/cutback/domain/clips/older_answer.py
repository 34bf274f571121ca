"""The answer about a clip in the older message format, sent along with the CloudEvent. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from cutback.domain.clips.event import Answer, Event
from cutback.domain.errors import (
    FootageExpiredError,
    FootageMissingError,
    RangeOutsideRecordingError,
)

SIZES = (300, 640, 1500, 3000)
"""The widths of posters that these consumers expect."""

_OUT_OF_RANGE = {RangeOutsideRecordingError.reason, FootageExpiredError.reason}


@dataclass(frozen=True, slots=True)
class ClipLocation:
    """Where clips are stored, in the terms of these consumers."""

    bucket: str
    """The clip store's bucket or folder."""
    address: str
    """The prefix that turns a key into a URL."""

    ANSWERED: ClassVar[frozenset[str]] = frozenset({"clip.ready", "clip.waiting", "clip.failed", "clip.cancelled"})


def legacy_answer(event: Event, location: ClipLocation) -> Answer | None:
    """Return the answer in the older format; None if the request was not in it, or if there is no news to send yet."""
    message = event.data.get("request", {}).get("legacy")
    if not message or event.type not in ClipLocation.ANSWERED:
        return None
    content: dict[str, Any] = {
        "clipId": message["clipId"],
        "cameraId": message["cameraId"],
        "startTimestampInMs": message["startTimestampInMs"],
        "endTimestampInMs": message["endTimestampInMs"],
        "retryTimestamps": list(message.get("retryTimestamps", [])),
        "status": _status(event),
        "bucket": location.bucket,
    }
    result = event.data.get("result")
    if event.type == "clip.ready" and result:
        key = result["key"]
        content["clip"] = {"url": location.address + key, "key": key}
        if result.get("posters"):
            poster = key.rpartition("/")[0] + "/poster-{size}.jpg"
            content["thumbnail"] = {"url": location.address + poster, "key": poster, "sizes": list(SIZES)}
    return Answer(
        id=f"{event.id}.legacy",
        type=event.type,
        subject=event.subject,
        time=event.time,
        data=event.data,
        content=content,
    )


def _status(event: Event) -> str:
    if event.type == "clip.ready":
        return "CLIP_AVAILABLE"
    if event.type == "clip.waiting":
        return "PENDING"
    reason = event.data.get("failure", {}).get("reason", FootageMissingError.reason)
    return "OUT_OF_RANGE" if reason in _OUT_OF_RANGE else "NOT_AVAILABLE"
