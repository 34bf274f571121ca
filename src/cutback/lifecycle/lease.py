"""The heartbeat of an attempt: extends its lease and its message's visibility, and notices when the lease is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from cutback.domain.clips.clip import Clip, ClipState, Progress
from cutback.domain.errors import CutbackError, LeaseLostError, StoppedError
from cutback.ports import Message
from cutback.services import Services

log = logging.getLogger(__name__)

BEAT_SECONDS = 0.5
"""Seconds between two heartbeats; also how long a cancelled attempt may continue unnoticed."""


class Lease:
    """Holds an attempt's lease while the context lasts, in a separate thread."""

    def __init__(self, services: Services, attempt: Clip, message: Message, *, stopping: Callable[[], bool]) -> None:
        """`stopping` says whether the worker wants to stop; it is called often and must be quick."""
        self._services = services
        self._attempt = attempt
        self._message = message
        self._stopping = stopping
        self._interval = min(BEAT_SECONDS, services.settings.lease / 3)
        self._progress = Progress()
        self._lost = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lease-{attempt.id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the heartbeat. What was stopped because the lease is lost ends as that, not as a worker that stops.

        Raises:
            LeaseLostError: the block raised `StoppedError`, and the lease is lost.
        """
        self._over.set()
        self._thread.join()
        if self._lost and isinstance(error, StoppedError):
            raise LeaseLostError from error

    def note(self, progress: Progress) -> None:
        """Note the progress; the next heartbeat writes it."""
        self._progress = progress

    def stopped(self) -> bool:
        """Whether the work must stop. Quick: does no I/O."""
        return self._lost or self._stopping()

    def check(self) -> None:
        """Check in the records that this attempt is still the current one.

        Raises:
            LeaseLostError: another attempt took over, or the clip was cancelled.
            StoppedError: the worker is stopping.
            RecordsUnavailableError: the records do not answer.
        """
        clip = self._services.records.get_clip(self._attempt.id)
        if clip is None or clip.state is not ClipState.PROCESSING or clip.attempt != self._attempt.attempt:
            self._lost = True
        self.raise_if_stopped()

    def raise_if_stopped(self) -> None:
        """Raise the error that says why the work is stopped, if it is.

        Raises:
            LeaseLostError: the lease is lost.
            StoppedError: the worker is stopping.
        """
        if self._lost:
            raise LeaseLostError
        if self._stopping():
            raise StoppedError

    def _run(self) -> None:
        settings = self._services.settings
        held_until = time.monotonic() + settings.lease
        extend_at = time.monotonic() + settings.visibility / 3
        while not self._over.wait(self._interval):
            began = time.monotonic()
            try:
                if not self._beat():
                    self._lost = True
                    return
                held_until = began + settings.lease
                if began >= extend_at:
                    # A stale receipt is harmless: the lease, not the message, decides which attempt is current.
                    kept = self._services.queue.extend(self._message, settings.visibility_time)
                    extend_at = began + settings.visibility / 3 if kept else float("inf")
            except CutbackError as error:
                log.warning("stage=beat clip=%s attempt=%d %s", self._attempt.id, self._attempt.attempt, error)
                if time.monotonic() >= held_until:
                    self._lost = True
                    return

    def _beat(self) -> bool:
        now = self._services.clock()
        return self._services.records.beat(
            self._attempt.id,
            self._attempt.attempt,
            lease_until=now + self._services.settings.lease_time,
            progress=self._progress,
        )
