"""How many requests a key may send in a minute, counted by all nodes together where there is a shared cache."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from cutback.domain.errors import RateLimitedError
from cutback.settings.addresses import cache_nodes
from cutback.settings.settings import Settings

log = logging.getLogger(__name__)

WINDOW_SECONDS = 60
_CACHE_SECONDS = 0.5
"""How long one call of the cache may take."""
_WITHOUT_CACHE_SECONDS = 10.0
"""How long each node counts by itself after the cache has failed."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of a limit."""

    limit: int
    remaining: int
    reset_seconds: int
    """Until it is fully restored."""

    def headers(self) -> dict[str, str]:
        """Return the headers that tell clients, as in draft-ietf-httpapi-ratelimit-headers."""
        return {
            "RateLimit-Policy": f'"key";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"key";r={self.remaining};t={self.reset_seconds}',
        }


class RateLimiter:
    """Counts requests in a sliding window. Without an answer of the shared cache, this process counts by itself."""

    def __init__(self, settings: Settings) -> None:
        """Connect at the first request."""
        self._limit = settings.rate_limit
        self._local = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = _SharedCounts(settings.cache_url) if settings.cache_url else None
        self._local_until = 0.0

    def close(self) -> None:
        """Close connections."""
        if self._shared is not None:
            self._shared.close()

    def spend(self, who: str, cost: int = 1) -> Budget | None:
        """Count a request of `who`. Returns what is left; None if nothing is limited.

        `cost` is how many ordinary requests it counts as.

        Raises:
            RateLimitedError: there were too many.
        """
        if not self._limit:
            return None
        allowed, budget = self._hit(who, cost)
        if not allowed:
            raise RateLimitedError(
                f"At most {self._limit} are allowed in a minute.", retry_after=max(1, budget.reset_seconds)
            )
        return budget

    def budget(self, who: str) -> Budget | None:
        """Return what is left, without counting; None if nothing is limited."""
        return self._hit(who, 0)[1] if self._limit else None

    def _hit(self, who: str, cost: int) -> tuple[bool, Budget]:
        if self._shared is not None and time.monotonic() >= self._local_until:
            try:
                return self._count(self._shared.limiter, who, cost)
            except Exception as error:  # noqa: BLE001 - pymemcache and its sockets raise many kinds, and none may stop a request
                log.warning("cache=rate_limits unavailable=yes error=%s", type(error).__name__)
                self._local_until = time.monotonic() + _WITHOUT_CACHE_SECONDS
        return self._count(self._local, who, cost)

    def _count(self, limiter: SlidingWindowCounterRateLimiter, who: str, cost: int) -> tuple[bool, Budget]:
        item = RateLimitItemPerMinute(self._limit)
        allowed = limiter.hit(item, who, cost=min(cost, self._limit)) if cost else True
        left = limiter.get_window_stats(item, who)
        seconds = math.ceil(left.reset_time - time.time())
        return allowed, Budget(self._limit, left.remaining, max(0, min(seconds, WINDOW_SECONDS)))


class _SharedCounts:
    """The shared cache. All threads use one client, which has a pool of connections."""

    def __init__(self, url: str) -> None:
        from limits.storage import MemcachedStorage
        from pymemcache.client.hash import HashClient

        self._client = HashClient(
            cache_nodes(url),
            connect_timeout=_CACHE_SECONDS,
            timeout=_CACHE_SECONDS,
            no_delay=True,
            use_pooling=True,
            retry_attempts=0,
        )
        self.limiter = SlidingWindowCounterRateLimiter(
            MemcachedStorage(url.rstrip("/"), client_getter=lambda *_, **__: self._client)
        )

    def close(self) -> None:
        self._client.close()
