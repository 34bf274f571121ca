"""The log of a clip: every try to deliver one of its events to a webhook, the newest of them."""

from __future__ import annotations

from urllib.parse import urlsplit

from cutback.domain.base import read_stored
from cutback.domain.clips.webhook import ClipDelivery, DeliveryTry
from cutback.domain.errors import RecordsUnavailableError
from cutback.services import Services

KIND = "clip_deliveries"
"""The name in the registry; each clip with deliveries has one document."""

KEPT = 50
"""How many tries of each clip stay in its log."""

_RACES = 20


def log_delivery(services: Services, tried: DeliveryTry, url: str) -> None:
    """Add a try to the log of the event's clip, if the clip has a record. Of `url`, the query is not kept.

    Raises:
        RecordsUnavailableError: records or registry do not answer, or others were faster every time.
    """
    clip_id = tried.event.rpartition(".")[0]
    if services.records.get_clip(clip_id) is None:
        return
    entry = ClipDelivery(**tried.model_dump(), url=urlsplit(url)._replace(query="", fragment="").geturl())
    for _ in range(_RACES):
        known = services.registry.get(KIND, clip_id)
        tries = [*([] if known is None else known.content["tries"]), entry.model_dump(mode="json")][-KEPT:]
        if known is None:
            stored = services.registry.put_new(KIND, clip_id, {"tries": tries})
        else:
            stored = services.registry.replace(known, {"tries": tries})
        if stored is not None:
            return
    raise RecordsUnavailableError(f"The log of the clip {clip_id} is being changed by too many processes at once.")


def deliveries_of(services: Services, clip_id: str) -> list[ClipDelivery]:
    """Return the newest tries to deliver the clip's events, in order.

    Raises:
        RecordsUnavailableError: the registry does not answer.
    """
    known = services.registry.get(KIND, clip_id)
    return [] if known is None else [read_stored(ClipDelivery, each) for each in known.content["tries"]]


def forget_deliveries(services: Services, clip_id: str) -> None:
    """Remove the log of a clip.

    Raises:
        RecordsUnavailableError: the registry does not answer.
    """
    while (known := services.registry.get(KIND, clip_id)) is not None:
        if services.registry.remove(known):
            return
