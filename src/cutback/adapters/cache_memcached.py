"""The Cache on memcached: one for all workers, on one node or several. Without a node, reading is slower, no more.

A key is hashed, since memcached takes none that is long or has a space in it. A value larger than a node takes in one
item is cut into parts, which may lie on different nodes; what is found under the key itself names them. Parts vanish
one by one, so whatever is put together again is checked.
"""

from __future__ import annotations

import hashlib
import logging
import math
import socket
import struct
import time
from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pymemcache import HashClient

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

log = logging.getLogger(__name__)

CONNECT_SECONDS = 0.2
ANSWER_SECONDS = 0.5
"""For a question to be taken, and between two pieces of its answer."""
WHOLE_SECONDS = 2.0
"""For the whole of one answer: a node that says a word now and then is as good as silent."""
VALUE_SECONDS = 10.0
"""For all parts of a value: it is read from the store sooner."""
DEAD_SECONDS = 30.0
"""How long a node that did not answer is left alone."""

PART_BYTES = 1_000_000
"""Of a value in one item; memcached's own limit is 1 MiB with key and header."""

MAX_BYTES = 32 * 1024 * 1024

_HEADER = struct.Struct(">4sQ16s")
_MAGIC = b"CBK1"
_CONNECTIONS = 16


class MemcachedCache:
    """A Cache, safe to share between threads."""

    def __init__(
        self,
        nodes: Sequence[tuple[str, int]],
        *,
        max_bytes: int = MAX_BYTES,
        keep: timedelta = timedelta(days=1),
    ) -> None:
        """Hosts and ports; connects when first used. Larger values than `max_bytes` are not kept, others for `keep`."""
        self._max_bytes = max_bytes
        self._keep = int(keep.total_seconds())
        # Answers are waited for: an error that memcached sends to one who does not listen is read as the next answer.
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
        self._ask("close")

    def get(self, key: str) -> bytes | None:
        """The value, or None."""
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
        """Keep the value for a while, if there is room."""
        name = _name(key)
        if len(value) > self._max_bytes or not self._put(name, value):
            self._ask("delete", name)  # the old one is not true any more

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
        return bool(self._ask("set", name, header, expire=self._keep))  # last, when all that it names is there

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
        """The answer, or None, whatever goes wrong: the client raises all kinds of errors while nodes come and go."""
        try:
            return getattr(self._client, verb)(*arguments, **options)
        except Exception as error:  # noqa: BLE001 - a dead cache is only a slow cache
            log.debug("cache=memcached %s failed: %r", verb, error)
            return None


class _Socket(socket.socket):
    """Waits for an answer no longer than it should, however it trickles in: a timeout alone begins anew each time."""

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
    """The parts' names: of this very value, so that those of two values are never mixed."""
    return [f"{name}:{digest.hex()}:{number}" for number in range(-(-size // PART_BYTES))]
