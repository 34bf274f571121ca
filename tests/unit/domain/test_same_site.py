"""Which requests of browsers may come from other sites, and which reached this machine under its own name."""

from __future__ import annotations

import pytest

from cutback.domain.same_site import comes_from_elsewhere, is_direct_and_local, is_loopback


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1", "[::1]"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "0.0.0.0", "::", "10.0.0.1", "localhost.evil.example", "127.0.0.1.nip.io", "evil.localhost", "2130706433"],
)
def test_no_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "localhost", "[::1]:8080"])
def test_a_request_to_a_loopback_name_is_local(host: str) -> None:
    assert is_direct_and_local({"host": host})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": ""},
        {"host": "rebound.evil.example:8080"},
        {"host": "localhost:8080@evil.example"},
        {"host": "[::1"},
        {"host": "127.0.0.1:8080", "x-forwarded-for": "203.0.113.9"},
        {"host": "127.0.0.1:8080", "forwarded": "for=203.0.113.9"},
        {"host": "127.0.0.1:8080", "x-real-ip": "203.0.113.9"},
        {"host": "127.0.0.1:8080", "via": "1.1 proxy"},
    ],
)
def test_a_request_under_another_name_or_through_a_proxy_is_not(headers: dict[str, str]) -> None:
    assert not is_direct_and_local(headers)


def test_a_trusted_proxy_may_pass_a_local_request_on() -> None:
    headers = {"host": "127.0.0.1:8000", "x-forwarded-for": "127.0.0.1"}
    assert is_direct_and_local(headers, through_own_proxy=True)
    assert not is_direct_and_local({**headers, "host": "rebound.evil.example"}, through_own_proxy=True)
    assert not is_direct_and_local({**headers, "via": "1.1 another"}, through_own_proxy=True)


@pytest.mark.parametrize(
    ("method", "headers", "elsewhere"),
    [
        ("POST", {}, False),  # a program
        ("POST", {"sec-fetch-site": "same-origin"}, False),
        ("POST", {"sec-fetch-site": "none"}, False),
        ("POST", {"sec-fetch-site": "same-site"}, True),
        ("POST", {"sec-fetch-site": "cross-site"}, True),
        ("POST", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, False),  # a link to a page
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, True),  # an <img> of another site
        ("POST", {"origin": "http://cut.example"}, False),
        ("POST", {"origin": "https://cut.example"}, False),
        ("POST", {"origin": "http://CUT.example"}, False),
        ("POST", {"origin": "http://cut.example:81"}, True),
        ("POST", {"origin": "http://evil.example"}, True),
        ("POST", {"origin": "null"}, True),
        ("POST", {"origin": "http://["}, True),
        ("POST", {"origin": "https://app.example", "sec-fetch-site": "cross-site"}, False),  # trusted by a setting
        ("POST", {"origin": "https://app.example.evil", "sec-fetch-site": "cross-site"}, True),
    ],
)
def test_requests_of_other_sites(method: str, headers: dict[str, str], *, elsewhere: bool) -> None:
    said = comes_from_elsewhere(method, {"host": "cut.example", **headers}, trusted=("https://app.example",))
    assert elsewhere == said
