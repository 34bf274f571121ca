"""The stages of making a clip, as they are reached: logged, recorded in the trace, and told to tests."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from cutback.services import Services
from cutback.tracing import Value

log = logging.getLogger(__name__)

_SPANS = {
    "parsed": "parse",
    "recorded": "look up",
    "waiting": "begin to wait",
    "claimed": "claim",
    "resolved": "locate",
    "rendered": "cut",
    "stored": "store",
    "committed": "record",
    "announced": "announce",
}
"""What a trace calls the work that ends with a stage."""

_NEXT = {
    "parsed": "look up",
    "recorded": "claim",
    "claimed": "locate",
    "resolved": "cut",
    "rendered": "store",
    "stored": "record",
    "committed": "announce",
}
"""What a trace calls the work that begins with a stage."""


class Stages:
    """How far one attempt has come."""

    def __init__(self, services: Services) -> None:
        """Begin now."""
        self._services = services
        self.began = self._last = time.monotonic()
        self._took: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    def took(self, present: str) -> dict[str, float]:
        """Return the seconds of each stage that is done, and of the present one until now, by the names of traces."""
        return {**self._took, present: round(time.monotonic() - self._last, 3)}

    def reached(
        self,
        stage: str,
        clip_id: str,
        attempt: int,
        *,
        parts: Sequence[tuple[str, float]] = (),
        reading: float = 0.0,
        **attributes: Value,
    ) -> None:
        """Note that a stage is done. `parts` are its own, with seconds; `reading` is how long it waited for bytes."""
        began, ended = self._last, time.monotonic()
        self._last = ended
        self._took[_SPANS[stage]] = round(ended - began, 3)
        facts = {"stage": stage, "clip_id": clip_id, "attempt": attempt, "seconds": round(self.seconds, 3)}
        log.info("stage=%s clip=%s attempt=%d seconds=%.3f", *facts.values(), extra=facts)
        self._services.doing(clip_id, _NEXT.get(stage))
        tracer = self._services.tracer
        if tracer.is_active:
            if reading:
                tracer.add("read", began, min(ended, began + reading))
            tracer.add(_SPANS[stage], began, ended, parts, clip=clip_id, attempt=attempt, **attributes)
        self._services.checkpoint(stage)
