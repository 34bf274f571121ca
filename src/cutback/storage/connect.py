"""Connects to a store, given its URL and options; reports invalid ones without their secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from cutback.domain.errors import SettingsError, StorageUnavailableError
from cutback.storage.errors import translating

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_SCHEMES = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl")
_CLIENT_OPTIONS = {
    "allow_http",
    "allow_invalid_certificates",
    "connect_timeout",
    "http1_only",
    "http2_only",
    "pool_idle_timeout",
    "pool_max_idle_per_host",
    "proxy_ca_certificate",
    "proxy_excludes",
    "proxy_url",
    "root_certificate",
    "timeout",
    "user_agent",
}
"""Options of the HTTP client; obstore panics if they are among the store's own."""


def folder_of(url: str) -> Path | None:
    """Return the folder of `url`, or None if `url` is a bucket's.

    Raises:
        SettingsError: it is neither.
    """
    scheme, found, _ = url.partition("://")
    if not found:
        if not url or "\0" in url:
            raise SettingsError("A store must be the path of a folder or a URL.")
        return Path(url).expanduser().absolute()
    parts = urlsplit(url)
    if scheme == "file":
        if parts.netloc not in {"", "localhost"} or not parts.path:
            raise SettingsError("A file:// URL has the form file:///path/to/folder.")
        return Path(unquote(parts.path))
    shown = without_secrets(url)
    if scheme not in _SCHEMES:
        raise SettingsError(f"{shown}: a store must be a folder or an s3://, gs:// or az:// URL.")
    if not parts.netloc:
        raise SettingsError(f"{shown}: the bucket is missing, as in {scheme}://bucket/prefix.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise SettingsError(f"{shown}: credentials and options do not belong in the URL.")
    return None


def without_secrets(url: str) -> str:
    """Return the URL without user, password, query and fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")


def connect(url: str, folder: Path | None, options: Mapping[str, str], *, create: bool) -> ObjectStore:
    """Build the store; nothing is sent yet.

    Raises:
        SettingsError: an option is unknown or invalid, or the folder is a file.
        StorageUnavailableError: the folder does not exist or cannot be created.
        StorageFullError: there is no space to create it.
    """
    from obstore.store import LocalStore

    if folder is None:
        return _connect_bucket(url, options)
    if options:
        raise SettingsError(f"{folder} is a folder; only buckets have the options {', '.join(sorted(options))}.")
    with translating(str(folder), writing=True):
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        if folder.is_dir():
            return LocalStore(folder)
    if folder.exists():
        raise SettingsError(f"{folder} is not a folder.")
    raise StorageUnavailableError(f"The folder {folder} does not exist. Check the path, and that its disk is mounted.")


def _connect_bucket(url: str, options: Mapping[str, str]) -> ObjectStore:
    from obstore.exceptions import BaseError
    from obstore.store import from_url

    config: dict[str, Any] = {name: text for name, text in options.items() if name not in _CLIENT_OPTIONS}
    client: dict[str, Any] = {"connect_timeout": "5s", "timeout": "60s"}
    if os.environ.get("AWS_ALLOW_HTTP"):  # obstore reads it only if no client option is given
        client["allow_http"] = os.environ["AWS_ALLOW_HTTP"]
    client |= {name: text for name, text in options.items() if name in _CLIENT_OPTIONS}
    retries = _whole_number(config.pop("max_retries", "6"))
    plain = str(config.get("endpoint", "")).startswith("http://")
    if plain and str(client.get("allow_http", "")).lower() not in {"true", "1", "yes", "on"}:
        raise SettingsError(f"{without_secrets(url)}: the endpoint is http://, which needs allow_http = true.")
    if url.startswith("s3"):
        # A conditional move is a multipart copy, completed on condition that the key is free.
        config.setdefault("copy_if_not_exists", "multipart")
    retry = {"max_retries": retries, "retry_timeout": timedelta(seconds=60)}
    try:
        return from_url(url, config=config, client_options=client, retry_config=retry)  # type: ignore[call-overload,no-any-return]
    except (BaseError, ValueError, TypeError) as error:
        # obstore's message may contain an option's value, so show only the names.
        named = [name for name in options if name in str(error)] or sorted(options) or ["no option is set"]
        raise SettingsError(f"{without_secrets(url)}: these options cannot be used: {', '.join(named)}.") from None


def _whole_number(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    raise SettingsError("The option max_retries must be an integer.")
