"""Parses and checks the values of settings, one function per kind of value."""

from __future__ import annotations

import base64
import binascii
import csv
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationInfo

from cutback.domain.cameras.key_pattern import KeyPattern
from cutback.domain.cameras.local_time import Zones

SHORTEST_KEPT = 86400
"""Seconds for which records are kept at least."""


def comma_list(value: object) -> object:
    """Split a comma-separated list; return anything else unchanged."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _quoted_list(text: str) -> tuple[str, ...]:
    """Split a comma-separated list; an entry in double quotes may itself contain commas."""
    rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    return tuple(part.strip() for part in rows[0] if part.strip()) if rows else ()


def read_options(value: object) -> object:
    """Parse the options of a store, written as a JSON object; all values become strings.

    Raises:
        ValueError: it is not a JSON object.
    """
    if not isinstance(value, str):
        return value
    try:
        content = json.loads(value or "{}")
    except ValueError:
        raise ValueError('must be a JSON object, such as {"region": "eu-central-1"}') from None
    if not isinstance(content, dict):
        raise ValueError('must be a JSON object, such as {"region": "eu-central-1"}')  # noqa: TRY004 - pydantic
    return {str(name): str(option) for name, option in content.items()}


def read_moment_rules(value: object, info: ValidationInfo) -> object:
    """Read the rules for clips of moments: a JSON list, or the path of a file with TOML or JSON.

    Raises:
        ValueError: the file cannot be read, or a rule is invalid.
    """
    from cutback.domain.requests.moment_rule import check_rules, read_rules
    from cutback.domain.requests.rules import RequestRules
    from cutback.settings.own_presets import read_presets

    own = RequestRules(presets=read_presets(info.data.get("presets", "")))
    if isinstance(value, list):
        return check_rules(value, own)
    if not isinstance(value, str) or not value.strip():
        return () if value in (None, "") else value
    if value.lstrip().startswith("["):
        return read_rules(value, own)
    try:
        text = Path(value).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"{value} cannot be read: {reason}") from None
    try:
        return read_rules(text, own)
    except ValueError as error:
        raise ValueError(f"{value} {error}") from None


def check_patterns(value: object) -> object:
    """Check the patterns of recordings' keys.

    Raises:
        ValueError: one is invalid.
    """
    try:
        patterns = _quoted_list(value) if isinstance(value, str) else value
    except csv.Error:
        raise ValueError(f"{str(value)[:100]!r}: put a pattern with a comma in double quotes") from None
    for pattern in patterns if isinstance(patterns, tuple) else ():
        KeyPattern.parse(pattern)
    return patterns


def check_zones(value: object) -> object:
    """Check the time zones of cameras.

    Raises:
        ValueError: one is unknown.
    """
    if isinstance(value, str):
        Zones.parse(value)
    return value


def read_period(value: object) -> object:
    """Convert a period such as `90d`, `36h`, `30m` or `45s` to seconds; return anything else unchanged.

    Raises:
        ValueError: it is a text of another form.
    """
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smhd]?)", value.strip(), re.ASCII)
    if found is None:
        raise ValueError("must be seconds, or a period such as 90d, 36h, 30m or 45s")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


def check_kept(seconds: float) -> float:
    """Check how long records are kept.

    Raises:
        ValueError: it is less than a day.
    """
    if 0 < seconds < SHORTEST_KEPT:
        raise ValueError("must be 0 (for ever) or at least 1d: the same request would make its clip again after that")
    return seconds


def check_secret(value: object) -> object:
    """Check the secret that signs webhooks.

    Raises:
        ValueError: it does not have the form that Standard Webhooks require.
    """
    if isinstance(value, str) and value:
        try:
            key = base64.b64decode(value.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not value.startswith("whsec_") or not 24 <= len(key) <= 64:
            raise ValueError("must be whsec_ followed by 24 to 64 bytes in base64")
    return value


def check_webhooks(value: object) -> object:
    """Check the URLs of webhooks.

    Raises:
        ValueError: one is invalid.
    """
    urls = comma_list(value)
    for url in urls if isinstance(urls, tuple) else ():
        try:
            parts = urlsplit(url)
            right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
            right = right and url.isascii() and " " not in url
        except ValueError:
            right = False
        if not right:
            raise ValueError(f"{url[:100]!r} is not an http:// or https:// URL")
    return urls


def check_folder(value: str) -> str:
    """Check that a folder is there, if one is named.

    Raises:
        ValueError: it is not.
    """
    if value and not Path(value).is_dir():
        raise ValueError(f"the folder {value} does not exist")
    return value
