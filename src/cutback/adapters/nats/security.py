"""What makes a connection to NATS safe: certificates, credentials, and no connection without encryption by mistake."""

from __future__ import annotations

import re
import ssl
from base64 import b32decode, b64encode
from binascii import crc_hqx
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats.errors
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nats.aio.client import Client

from cutback.settings.nats_address import NatsServers

_SEED = 18 << 3
_USER = 20 << 3
_SEED_BYTES = 2 + 32 + 2


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


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's JWT, and the key with which it proves to be that user."""

    jwt: bytes
    key: Ed25519PrivateKey

    def user_jwt(self) -> bytes:
        """Return the JWT, as the client asks for it."""
        return self.jwt

    def sign(self, nonce: str) -> bytes:
        """Return the signature of a server's nonce, in Base64."""
        return b64encode(self.key.sign(nonce.encode()))


def read_credentials(servers: NatsServers) -> Credentials | None:
    """Read the file of credentials (`.creds`), if there is one.

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
    jwt = re.search(rb"BEGIN NATS USER JWT-*\r?\n(\S+)", content)
    seed = re.search(rb"BEGIN USER NKEY SEED-*\r?\n(\S+)", content)
    key = _key_of(seed[1]) if seed else None
    if jwt is None or key is None:
        raise UnusableFileError(f"CUTBACK_NATS_CREDENTIALS: {file} does not contain a user's JWT and key")
    return Credentials(jwt[1], key)


def _key_of(seed: bytes) -> Ed25519PrivateKey | None:
    """Return the key in a user's seed; None if it is none.

    A seed is Base32 of two bytes that say what it is, 32 bytes of an Ed25519 key and a CRC-16 (XMODEM), least
    significant byte first: https://docs.nats.io/reference/reference-protocols/nkeys
    """
    try:
        raw = b32decode(seed + b"=" * (-len(seed) % 8))
    except ValueError:
        return None
    kind = (raw[0] & 0b111) << 5 | raw[1] >> 3 if len(raw) == _SEED_BYTES else -1
    if kind != _USER or raw[0] & 0b11111000 != _SEED or raw[-2:] != crc_hqx(raw[:-2], 0).to_bytes(2, "little"):
        return None
    return Ed25519PrivateKey.from_private_bytes(raw[2:-2])


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
