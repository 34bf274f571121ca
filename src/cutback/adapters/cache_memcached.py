"""The Cache on memcached: shared by all workers, on one or several nodes. Without a node, reading is only slower.

Keys are hashed, because memcached rejects long keys and keys with spaces. A value that is too large for one item is
split into parts, which may be on different nodes; the item under the key itself names them. Parts disappear one by
one, so the joined value is checked.
"""

from __future__ import annotations

import hashlib
import logging
import math
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pymemcache import HashClient, MemcacheClientError, MemcacheServerError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

log = logging.getLogger(__name__)

CONNECT_SECONDS = 0.2
ANSWER_SECONDS = 0.5
"""Seconds to send a request, and to wait for each part of its answer."""
WHOLE_SECONDS = 2.0
"""Seconds for one whole answer: a node that sends a byte now and then is no better than a silent one."""
VALUE_SECONDS = 10.0
"""Seconds for all parts of a value: after that, reading from the store is faster."""
DEAD_SECONDS = 30.0
"""Seconds during which a node that did not answer is not used."""

PART_BYTES = 1_000_000
"""Maximum bytes of a value in one item; memcached's own limit is 1 MiB with key and header."""

MAX_BYTES = 32 * 1024 * 1024

_HEADER = struct.Struct(">4sQ16s")
_MAGIC = b"CBK1"
_CONNECTIONS = 16


class MemcachedCache:
    """Implements Cache; safe to share between threads."""

    def __init__(
        self,
        nodes: Sequence[tuple[str, int]],
        *,
        max_bytes: int = MAX_BYTES,
        keep: timedelta = timedelta(days=1),
    ) -> None:
        """`nodes` are hosts and ports. Values larger than `max_bytes` are not kept, others for `keep`.

        Connects on first use.
        """
        self._max_bytes = max_bytes
        self._keep = int(keep.total_seconds())
        self._silent_until = -math.inf
        # Wait for every answer: otherwise an error from memcached would be read as the answer to the next request.
        self._client = HashClient(
            list(nodes),
            connect_timeout=CONNECT_SECONDS,
            timeout=ANSWER_SECONDS,
            no_delay=True,
            socket_module=_SOCKETS,
            use_pooling=True,
            max_pool_size=_CONNECTIONS,
            retry_attempts=0,
            dead_timeout=DEAD_SECONDS,
            default_noreply=False,
        )

    def close(self) -> None:
        """Close the connections."""
        with suppress(Exception):  # the client raises errors of many kinds
            self._client.close()

    def get(self, key: str) -> bytes | None:
        """Return the value, or None."""
        name = _name(key)
        found = self._ask("get", name)
        if not isinstance(found, bytes) or len(found) < _HEADER.size:
            return None
        magic, size, digest = _HEADER.unpack_from(found)
        if magic != _MAGIC:
            return None
        value = found[_HEADER.size :] if size <= PART_BYTES else self._join(_parts(name, digest, size))
        return value if value is not None and (len(value), _digest(value)) == (size, digest) else None

    def set(self, key: str, value: bytes) -> None:
        """Keep the value for a while, if there is space."""
        name = _name(key)
        if len(value) > self._max_bytes or not self._put(name, value):
            self._ask("delete", name)  # the old value is outdated

    def bump(self, counter: str) -> None:
        """Change a counter."""
        name = f"{_name(counter)}:count"
        if self._ask("incr", name, 1) is None:
            # A counter that was lost begins above any earlier value, because nobody changes it each microsecond.
            self._ask("add", name, str(time.time_ns() // 1000).encode())

    def count(self, counter: str) -> int | None:
        """Return a counter's value, or None."""
        found = self._ask("get", f"{_name(counter)}:count")
        return int(found) if isinstance(found, bytes) and found.isdigit() else None

    def _put(self, name: str, value: bytes) -> bool:
        digest = _digest(value)
        header = _HEADER.pack(_MAGIC, len(value), digest)
        if len(value) <= PART_BYTES:
            return bool(self._ask("set", name, header + value, expire=self._keep))
        deadline = time.monotonic() + VALUE_SECONDS
        for number, part in enumerate(_parts(name, digest, len(value))):
            data = value[number * PART_BYTES : (number + 1) * PART_BYTES]
            if time.monotonic() > deadline or not self._ask("set", part, data, expire=self._keep):
                return False
        return bool(self._ask("set", name, header, expire=self._keep))  # last, when all parts that it names exist

    def _join(self, parts: Sequence[str]) -> bytes | None:
        deadline = time.monotonic() + VALUE_SECONDS
        found: list[bytes] = []
        for part in parts:
            data = self._ask("get", part) if time.monotonic() <= deadline else None
            if not isinstance(data, bytes):
                return None
            found.append(data)
        return b"".join(found)

    def _ask(self, verb: str, *arguments: Any, **options: Any) -> Any:
        """Return the answer, or None on any error: the client raises errors of many kinds when nodes come and go."""
        if time.monotonic() < self._silent_until:
            return None
        try:
            return getattr(self._client, verb)(*arguments, **options)
        except (MemcacheClientError, MemcacheServerError, OSError) as error:  # the client leaves silent nodes alone
            log.debug("cache=memcached %s failed: %r", verb, error)
        except Exception as error:  # noqa: BLE001 - without a cache, work is only slower
            log.debug("cache=memcached %s was answered with nonsense: %r", verb, error)
            self._silent_until = time.monotonic() + DEAD_SECONDS
        return None


class _Socket(socket.socket):
    """A socket with a deadline for a whole answer, because a timeout restarts with every byte."""

    _deadline = math.inf

    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None:
        self.settimeout(ANSWER_SECONDS)
        super().sendall(data, flags)
        self._deadline = time.monotonic() + WHOLE_SECONDS

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.settimeout(min(left, ANSWER_SECONDS))
        return super().recv(size, flags)


_SOCKETS = SimpleNamespace(**{**vars(socket), "socket": _Socket})


def _name(key: str) -> str:
    return "cutback:" + hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def _digest(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16).digest()


def _parts(name: str, digest: bytes, size: int) -> list[str]:
    """Return the parts' names. They contain a hash of the value, so that parts of two values never mix."""
    return [f"{name}:{digest.hex()}:{number}" for number in range(-(-size // PART_BYTES))]
