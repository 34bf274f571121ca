"""Addresses of NATS: servers, and what is on them. Parsed and checked without any network. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

NATS_PORT = 4222
SCHEMES = ("nats", "tls")

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,7}")
_MOST_REPLICAS = 5
_USUAL_REPLICAS = 3


@dataclass(frozen=True, slots=True)
class NatsServers:
    """The servers of a cluster, and how to prove who you are. As text: hosts and ports, and no secret."""

    hosts: tuple[str, ...]
    """Hosts with ports."""
    tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    credentials: Path | None = None
    """A file with a user's JWT and key."""
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __str__(self) -> str:
        return ",".join(self.hosts)

    @property
    def urls(self) -> tuple[str, ...]:
        """The URL of each server."""
        return tuple(f"{'tls' if self.tls else 'nats'}://{host}" for host in self.hosts)


@dataclass(frozen=True, slots=True)
class NatsQueue:
    """A queue on JetStream."""

    servers: NatsServers
    name: str
    replicas: int
    """How many servers keep each message."""


@dataclass(frozen=True, slots=True)
class NatsSubjects:
    """Subjects that begin with the same words."""

    servers: NatsServers
    prefix: str
    replicas: int


def is_nats(url: str) -> bool:
    """Whether a URL is one of NATS, right or wrong."""
    return url.partition("://")[0] in SCHEMES


def nats_queue(url: str) -> NatsQueue:
    """Parse `nats://HOST,HOST,HOST/NAME`. There are three replicas if the URL names three servers, or `?replicas=N`.

    Raises:
        ValueError: the URL is invalid; the message says what is expected.
    """
    servers, name, options = _parse(url, "/NAME, such as nats://nats-1,nats-2,nats-3/clips")
    if not _NAME.fullmatch(name):
        raise ValueError("must end with the queue's name: up to 64 letters, digits, - and _")
    return NatsQueue(servers, name, _replicas(servers, options))


def nats_subjects(url: str, default: str = "cutback.events") -> NatsSubjects:
    """Parse `nats://HOST,HOST,HOST/PREFIX`; without one, the prefix is `default`. Replicas are those of `nats_queue`.

    Raises:
        ValueError: the URL is invalid; the message says what is expected.
    """
    servers, prefix, options = _parse(url, "/PREFIX, such as nats://nats-1,nats-2,nats-3/cutback.events")
    prefix = prefix or default
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("must end with the words that its subjects begin with, such as cutback.events")
    return NatsSubjects(servers, prefix, _replicas(servers, options))


def check_subjects(url: str) -> str:
    """Check a setting that is the URL of subjects or empty. Raises like `nats_subjects`."""
    if url:
        nats_subjects(url)
    return url


def without_password(text: str) -> str:
    """Hide what stands before the host of a URL; in one of NATS, also if characters in it should have been encoded."""
    text = re.sub(r"\b(nats|tls)://.*@", r"\1://***@", text, flags=re.DOTALL)
    return re.sub(r"//[^/?#]*@", "//***@", text)


def _replicas(servers: NatsServers, options: dict[str, str]) -> int:
    replicas = options.pop("replicas", str(_USUAL_REPLICAS if len(servers.hosts) >= _USUAL_REPLICAS else 1))
    if options or not replicas.isdecimal() or not 1 <= int(replicas) <= _MOST_REPLICAS:
        raise ValueError(f"may have no option but replicas=1 to replicas={_MOST_REPLICAS}")
    return int(replicas)


def _parse(url: str, rest: str) -> tuple[NatsServers, str, dict[str, str]]:
    expected = f"must be nats://HOST,HOST{rest}"
    parts = urlsplit(url)
    who, _, where = parts.netloc.rpartition("@")
    if parts.scheme not in SCHEMES or parts.fragment or not where:
        raise ValueError(expected)
    hosts = []
    for host in where.split(","):
        one = urlsplit(f"//{host}")
        try:
            port = one.port if one.port is not None else NATS_PORT
        except ValueError:
            port = 0
        if not one.hostname or one.netloc != host or not port:
            raise ValueError(expected)
        hosts.append(f"[{one.hostname}]:{port}" if ":" in one.hostname else f"{one.hostname}:{port}")
    user, has_password, password = who.partition(":")
    servers = NatsServers(
        hosts=tuple(hosts),
        tls=parts.scheme == "tls",
        user=unquote(user) if has_password else "",
        password=unquote(password),
        token="" if has_password else unquote(user),
    )
    return servers, parts.path.removeprefix("/"), dict(parse_qsl(parts.query, keep_blank_values=True))
