"""What makes a connection to NATS safe: certificates, credentials, and no connection without encryption by mistake."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Any

import nats.errors
from nats.aio.client import Client

from cutback.settings.nats_address import NatsServers


class UnusableFileError(OSError):
    """A file that a setting names is missing or contains something else. The message says which one."""


class NotEncryptedError(nats.errors.Error):
    """The URL says tls://, but a server does not encrypt."""


class EncryptedClient(Client):
    """Connects only to servers that encrypt. The original sends the password unencrypted to others."""

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:  # noqa: FBT001, FBT002
        if initial_connection and not info.get("tls_required"):
            raise NotEncryptedError
        await super()._process_info(info, initial_connection)


def tls_context(servers: NatsServers) -> ssl.SSLContext | None:
    """Return how to encrypt; None: not at all.

    Raises:
        UnusableFileError: a file is missing or contains something else.
    """
    if not servers.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=servers.ca)
    except OSError as error:
        raise _unusable("CUTBACK_NATS_CA", servers.ca, "certificates of authorities", error) from None
    if servers.certificate:
        try:
            context.load_cert_chain(servers.certificate, servers.key)
        except OSError as error:
            key_is_missing = servers.key is not None and servers.certificate.exists() and not servers.key.exists()
            name, file = ("KEY", servers.key) if key_is_missing else ("CERTIFICATE", servers.certificate)
            content = "a certificate with its key (which CUTBACK_NATS_KEY may name)"
            raise _unusable(f"CUTBACK_NATS_{name}", file, content, error) from None
    return context


def credentials_file(servers: NatsServers) -> Path | None:
    """Return the file of credentials, if there is one. The client would search a wrong one without an end.

    Raises:
        UnusableFileError: it is missing or contains something else.
    """
    file = servers.credentials
    if file is None:
        return None
    try:
        content = file.read_bytes()
    except OSError as error:
        raise _unusable("CUTBACK_NATS_CREDENTIALS", file, "", error) from None
    if not _are_credentials(content):
        raise UnusableFileError(f"CUTBACK_NATS_CREDENTIALS: {file} does not contain a user's JWT and key")
    return file


def _are_credentials(content: bytes) -> bool:
    import nkeys  # type: ignore[import-untyped]

    jwt = re.search(rb"BEGIN NATS USER JWT-*\r?\n(\S+)", content)
    seed = re.search(rb"BEGIN USER NKEY SEED-*\r?\n(\S+)", content)
    if jwt is None or seed is None:
        return False
    try:
        nkeys.from_seed(bytearray(seed[1])).wipe()
    except (ValueError, nkeys.NkeysError):
        return False
    return True


def hint(servers: NatsServers, error: Exception) -> str:
    """Return why there is no connection, and what to do."""
    if isinstance(error, nats.errors.AuthorizationError) or "authorization" in str(error).lower():
        return f"{servers}: the user, token or credentials are wrong"
    if isinstance(error, UnusableFileError):
        return f"{servers}: {error}"
    if isinstance(error, NotEncryptedError):
        return f"{servers}: a server does not encrypt; configure TLS there, or write nats:// instead of tls://"
    if isinstance(error, ssl.SSLError):
        return f"{servers}: the certificates do not fit; check tls://, CUTBACK_NATS_CA and CUTBACK_NATS_CERTIFICATE"
    if isinstance(error, nats.errors.NoRespondersError):
        return f"{servers}: JetStream does not answer; is it enabled, and do most of the servers run?"
    return f"{servers}: no server answers"


def _unusable(setting: str, file: Path | None, content: str, error: Exception) -> UnusableFileError:
    if file is not None and not file.exists():
        return UnusableFileError(f"{setting}: {file} does not exist")
    if isinstance(error, PermissionError):
        return UnusableFileError(f"{setting}: {file} may not be read by this user")
    return UnusableFileError(f"{setting}: {file} does not contain {content}")
