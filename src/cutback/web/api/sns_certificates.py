"""The certificates with which SNS signs, by their URLs. A forged message may name any number of them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TypeVar

from cutback.domain.errors import SnsUnreachableError

Fetch = Callable[[str], bytes]
"""Returns what is at a URL of SNS. Raises `SnsUnreachableError`."""

V = TypeVar("V")

MOST_KEPT = 20
MOST_FAILURES = 200
"""Failed URLs that are remembered at once; the oldest are forgotten."""
FAILURE_SECONDS = 300.0
"""How long a URL that could not be fetched is not tried again."""
MOST_FETCHES = 10
"""Fetches in a minute, whatever messages arrive. SNS itself changes its certificate about once a year."""
_MINUTE = 60.0


class Certificates:
    """Fetches certificates, but only a few in a minute. Threads may share it."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._fetch, self._clock = fetch, clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._failed: OrderedDict[str, float] = OrderedDict()
        self._fetched: deque[float] = deque(maxlen=MOST_FETCHES)

    def get(self, url: str) -> bytes:
        """Return the certificate at a URL that was checked.

        Raises:
            SnsUnreachableError: SNS does not answer, has not answered lately, or was asked too often.
        """
        with self._lock:
            known = self._known.get(url)
            if known is not None:
                self._known.move_to_end(url)
                return known
            self._admit(url)
        try:
            found = self._fetch(url)
        except SnsUnreachableError:
            with self._lock:
                _keep(self._failed, url, self._clock(), MOST_FAILURES)
            raise
        with self._lock:
            _keep(self._known, url, found, MOST_KEPT)
        return found

    def _admit(self, url: str) -> None:
        now = self._clock()
        if now - self._failed.get(url, now - FAILURE_SECONDS) < FAILURE_SECONDS:
            raise SnsUnreachableError("The certificate of the message could not be fetched a short while ago.")
        if len(self._fetched) == MOST_FETCHES and now - self._fetched[0] < _MINUTE:
            raise SnsUnreachableError("Too many certificates were fetched within a minute.")
        self._fetched.append(now)


def _keep(kept: OrderedDict[str, V], url: str, value: V, most: int) -> None:
    kept[url] = value
    kept.move_to_end(url)
    while len(kept) > most:
        kept.popitem(last=False)
