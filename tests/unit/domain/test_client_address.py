"""Which client a request behind proxies comes from: proxies are believed, clients are not."""

from __future__ import annotations

import pytest

from cutback.domain.client_address import check_networks, client_address, networks

TRUSTED = networks(("10.0.0.0/16", "127.0.0.1", "fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9, 10.0.7.7"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9", "10.0.7.7"], "203.0.113.9"),
        ("10.0.0.1", ["127.0.0.1, 198.51.100.7, 203.0.113.9"], "203.0.113.9"),  # what clients send does not count
        ("203.0.113.9", ["198.51.100.7"], "203.0.113.9"),  # nor do proxies that are not trusted
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.9, unknown"], "unknown"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9:5678"], "203.0.113.9"),
        ("fd00::1", ["[2001:db8::9]:443"], "2001:db8::9"),
        ("fd00::1", ["2001:db8::9"], "2001:db8::9"),
        ("::ffff:10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("testclient", ["203.0.113.9"], "testclient"),
    ],
)
def test_the_last_address_that_is_no_trusted_proxy_counts(peer: str, forwarded: list[str], expected: str) -> None:
    assert expected == client_address(peer, forwarded, TRUSTED)


@pytest.mark.parametrize("text", ["10.0.0.1/16", "10.0.0.0/33", "balancer", "*", ""])
def test_other_texts_are_not_networks(text: str) -> None:
    with pytest.raises(ValueError, match="is not a network, such as"):
        check_networks((text,))
