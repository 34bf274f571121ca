"""The time of the database, by which all machines agree: their own clocks may differ by minutes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from cutback.adapters.mongodb.client import Mongo
from cutback.domain.base import utc_now
from cutback.domain.errors import CutbackError

log = logging.getLogger(__name__)

_MEASURE_SECONDS = 60.0
"""Between two comparisons with the database."""
_AGAIN_SECONDS = 5.0
"""The same after the database did not answer."""
_STEP = timedelta(seconds=1)
"""If this clock and the processor's have gone apart by more, it was set, or the machine was asleep."""
_WORTH_A_WARNING = timedelta(seconds=5)


class DatabaseClock:
    """Call it for the time of MongoDB's primary: this machine's clock, corrected by what it differs. Thread-safe."""

    def __init__(self, mongo: Mongo, *, local: Callable[[], datetime] = utc_now) -> None:
        """Compare `local`, the clock of this machine, with the database's.

        Raises:
            RecordsUnavailableError: there is no answer.
        """
        self._mongo, self._local = mongo, local
        self._lock = threading.Lock()
        self._measure_at = 0.0
        self._measure()
        if abs(self._offset) > _WORTH_A_WARNING:
            log.warning("this machine's clock differs from the database's by %.1f s", self._offset.total_seconds())

    def __call__(self) -> datetime:
        """Return the time, aware, in UTC. Asks the database now and then; if it is away, the last difference counts."""
        now, ticks = self._local(), time.monotonic()
        stepped = abs(now - self._measured_at - timedelta(seconds=ticks - self._measured_ticks)) > _STEP
        if (stepped or ticks >= self._measure_at) and self._lock.acquire(blocking=False):
            try:
                self._measure()
            except CutbackError as error:
                log.warning("the clock was not compared with the database's: %s", error)
                self._measure_at = ticks + _AGAIN_SECONDS
            finally:
                self._lock.release()
            now = self._local()
        return now + self._offset

    def _measure(self) -> None:
        began, ticks = self._local(), time.monotonic()
        theirs = self._mongo.time()
        took = timedelta(seconds=time.monotonic() - ticks)
        self._offset = theirs - (began + took / 2)
        self._measured_at, self._measured_ticks = began, ticks
        self._measure_at = ticks + _MEASURE_SECONDS
