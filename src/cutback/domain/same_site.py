"""Whether a browser's request comes from our own pages, and reached this machine under its own name. Pure.

Browsers add a user's cookies, and the reach of the user's machine, to requests that pages of other sites make. So a
request that proves nothing by itself, such as a key, must show where it comes from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own: `localhost`, `127.0.0.1` or another loopback address."""
    if host.lower() in {"localhost", "localhost."}:
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_direct_and_local(headers: Mapping[str, str], *, through_own_proxy: bool = False) -> bool:
    """Whether a request was sent to a loopback name and no proxy says that it passed it on.

    A proxy may say so by `X-Forwarded-For` if the request came `through_own_proxy`: one that is trusted and tells that
    the client is on this machine.

    A page whose name was pointed to this machine (DNS rebinding) has its own name in `Host`.
    """
    if any(name in headers for name in _FORWARDED if not (through_own_proxy and name == "x-forwarded-for")):
        return False
    return is_loopback(_host_name(headers.get("host", "")))


def comes_from_elsewhere(method: str, headers: Mapping[str, str], *, trusted: Collection[str] = ()) -> bool:
    """Whether a page of another site may have caused the request. `trusted` are origins that may.

    Every current browser sends `Sec-Fetch-Site`; older ones send `Origin` with everything but safe requests. Programs
    send neither.
    """
    origin = headers.get("origin", "")
    if origin and origin in trusted:
        return False
    site = headers.get("sec-fetch-site", "")
    if site:
        opened_as_page = method in _SAFE_METHODS and headers.get("sec-fetch-mode", "") == "navigate"
        return not (site in {"same-origin", "none"} or opened_as_page)
    if origin:
        return _host(origin) != headers.get("host", "").lower()
    return False


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
