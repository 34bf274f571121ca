"""URLs of databases and caches, read without asking anybody. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

MEMCACHED_PORT = 11211


def check_records_url(value: object) -> object:
    """Refuse what is no MongoDB's URL; the empty text stands for SQLite.

    Raises:
        ValueError: saying what would be right.
    """
    if isinstance(value, str) and value:
        parts = urlsplit(value)
        if parts.scheme not in {"mongodb", "mongodb+srv"} or not parts.netloc or parts.path.count("/") > 1:
            raise ValueError("must be mongodb://HOST:PORT/DATABASE or mongodb+srv://HOST/DATABASE")
    return value


def check_cache_url(value: object) -> object:
    """Refuse what `cache_nodes` cannot read; the empty text stands for the process's own memory.

    Raises:
        ValueError: saying what would be right.
    """
    if isinstance(value, str) and value:
        cache_nodes(value)
    return value


def cache_nodes(url: str) -> tuple[tuple[str, int], ...]:
    """Hosts and ports of `memcached://HOST:PORT,HOST:PORT`; a port that is left out is 11211.

    Raises:
        ValueError: saying what would be right.
    """
    scheme, _, hosts = url.partition("://")
    nodes = []
    for host in hosts.removesuffix("/").split(","):
        parts = urlsplit(f"//{host}")
        try:
            port = parts.port
        except ValueError:
            port = 0
        if scheme != "memcached" or parts.netloc != host or not parts.hostname or "@" in host or port == 0:
            raise ValueError("must be memcached://HOST:PORT, with more nodes after commas")
        nodes.append((parts.hostname, port or MEMCACHED_PORT))
    return tuple(nodes)
