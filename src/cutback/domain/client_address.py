"""The address of a client behind proxies, as far as the proxies can be believed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

_LONGEST = 100


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the address that a request comes from: `peer`, unless that is a trusted proxy.

    `forwarded` are the values of `X-Forwarded-For`. Each proxy adds the address that it sees to the end, so the last
    that is not a trusted proxy's is the client's. What is before it is the client's own word, and does not count.
    """
    found = peer
    words = ",".join(forwarded).split(",") if forwarded else []
    while words and _is_in(found, trusted):
        word = words.pop().strip()
        named = _address(word)
        if named is None:  # such as `unknown`: certainly not a proxy of ours, nor this machine
            return word[:_LONGEST] or found
        found = str(named)
    return found


def check_networks(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Check a setting that lists networks.

    Raises:
        ValueError: one is invalid; the message shows valid ones.
    """
    networks(texts)
    return texts


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Return networks by their texts, such as `10.0.0.0/16`, or single addresses. Raises like `check_networks`."""
    found = []
    for text in texts:
        try:
            found.append(ip_network(text))
        except ValueError:
            raise ValueError(f"{text[:100]!r} is not a network, such as 10.0.0.0/16, or 127.0.0.1") from None
    return tuple(found)


def _is_in(text: str, trusted: Sequence[Network]) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address in a text that may have a port, too. IPv4 in the form of IPv6 is IPv4."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
