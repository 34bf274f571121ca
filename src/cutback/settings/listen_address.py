"""The address where the API listens: `HOST:PORT`, parsed and checked without any network. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from cutback.domain.same_site import is_loopback


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """A host and a port."""

    host: str
    port: int
    """0 for any free port."""

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    def url(self, port: int) -> str:
        """Return the URL of a server that listens here, on this port."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{shown}:{port}"


def listen_address(text: str) -> ListenAddress:
    """Parse `HOST:PORT`. An IPv6 address is in brackets.

    Raises:
        ValueError: it is none; the message says what is expected.
    """
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port is None or parts.netloc != text or "@" in text or not text.isprintable() or " " in text:
        raise ValueError("must be HOST:PORT, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080")
    return ListenAddress(host, port)


def check_listen(text: str) -> str:
    """Check a setting that is such an address. Raises like `listen_address`."""
    listen_address(text)
    return text


def check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    """Check a setting that lists origins of web pages.

    Raises:
        ValueError: one is invalid; the message shows a valid one.
    """
    for origin in origins:
        try:
            parts = urlsplit(origin)
            right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            right = False
        if not right or origin != f"{parts.scheme}://{parts.netloc}" or origin != origin.lower():
            raise ValueError(f"{origin[:100]!r} is not an origin, such as https://app.example")
    return origins
