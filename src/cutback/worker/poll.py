"""The poll worker: receives messages one by one, makes their clips, and does housekeeping in between."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta

from cutback.domain.errors import CutbackError
from cutback.lifecycle.attempt import GiveBack, Outcome
from cutback.lifecycle.housekeeping import housekeep
from cutback.ports import Message
from cutback.services import Services
from cutback.worker.acknowledge import acknowledge
from cutback.worker.counts import WorkerCounts
from cutback.worker.notes import WorkerNotes
from cutback.worker.receive import receive
from cutback.worker.task_protection import protected_task
from cutback.worker.webhooks import Deliverer

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0


class Worker:
    """One worker: makes one clip at a time, and delivers webhooks in a second thread."""

    def __init__(
        self,
        services: Services,
        counts: WorkerCounts | None = None,
        *,
        receiving: AbstractContextManager[object] | None = None,
        keeps_house: bool = True,
    ) -> None:
        """Prepare the worker; `run` starts it. `counts` counts what it announces; its notes show them.

        Several workers of one process share `receiving`, so that one of them at a time waits for messages. Only one
        `keeps_house`, which includes delivering webhooks.
        """
        self._receiving, self._keeps_house = receiving or nullcontext(), keeps_house
        counts = counts or WorkerCounts()
        self._notes = WorkerNotes(services, counts)
        announcers = (*services.announcers, counts)
        self._services = replace(services, doing=self._notes.doing, announcers=announcers)
        self._housekeeping_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; a clip in progress then returns to the queue immediately.

        Raises:
            SettingsError: there is no secret to sign webhooks with; nothing has started.
        """
        webhooks = self._deliver_webhooks(stop)
        self._services.cutter.warm_up()
        log.info("stage=started worker=%s", self._services.worker)
        with self._notes:
            while not stop.is_set():
                try:
                    self._keep_house()
                    self.work_once(stop)
                except Exception:  # whatever happened, the next message may work
                    log.exception("stage=worker worker=%s postponed=yes", self._services.worker)
                    stop.wait(_PAUSE_SECONDS)
        if webhooks is not None:
            webhooks.join(self._services.settings.webhook_timeout)
        log.info("stage=stopped worker=%s", self._services.worker)

    def work_once(self, stop: threading.Event, *, wait: timedelta | None = None) -> bool:
        """Receive one message, waiting up to `wait`, and handle it. Returns whether there was one."""
        wait = self._services.settings.poll_time if wait is None else wait
        stopping = stop.is_set()
        try:
            with self._receiving:
                if stop.is_set() and not stopping:  # while another worker of this process was receiving
                    return False
                messages = self._services.queue.receive(
                    limit=1, wait=wait, visibility=self._services.settings.visibility_time
                )
        except CutbackError as error:
            log.warning("stage=receive reason=%s", error)
            stop.wait(_PAUSE_SECONDS)
            return False
        for message in messages:
            self._services.checkpoint("received")
            with protected_task(self._services.settings.limit_seconds):
                acknowledge(self._services, message, self._make(message, stop))
            self._services.doing(None, None)
            self._services.checkpoint("acknowledged")
        return bool(messages)

    def _make(self, message: Message, stop: threading.Event) -> Outcome:
        try:
            return receive(self._services, message, stopping=stop.is_set)
        except Exception:  # a bug while ending an attempt must not end the worker
            log.exception("stage=ended message=%s decision=give_back", message.id)
            return GiveBack(timedelta(seconds=self._services.settings.lease))

    def _deliver_webhooks(self, stop: threading.Event) -> threading.Thread | None:
        if self._services.webhooks is None or not self._keeps_house:
            return None
        deliverer = Deliverer(self._services)
        thread = threading.Thread(target=deliverer.run, args=[stop], name="webhooks", daemon=True)
        thread.start()
        return thread

    def _keep_house(self) -> None:
        if self._keeps_house and time.monotonic() >= self._housekeeping_at:
            self._housekeeping_at = time.monotonic() + self._services.settings.housekeeping
            housekeep(self._services)
