"""Certificates and credentials for NATS servers: made for one test, by nobody else ever trusted."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

UNLIMITED = dict.fromkeys(
    (
        "subs", "data", "payload", "imports", "exports", "conn", "leaf",
        "mem_storage", "disk_storage", "streams", "consumer",
    ),
    -1,
)  # fmt: skip


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Authority {folder.name}")])
        self.file = folder / "ca.pem"
        certificate = self._signed(self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=0))
        self.file.write_bytes(certificate)

    def issue(self, name: str) -> tuple[Path, Path]:
        """The files of a certificate for 127.0.0.1 and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        hosts = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate_file, key_file = self._folder / f"{name}.pem", self._folder / f"{name}-key.pem"
        certificate_file.write_bytes(self._signed(subject, key.public_key(), hosts))
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate_file, key_file

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, extension: x509.ExtensionType) -> bytes:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number()).add_extension(extension, critical=False)
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Identity:
    """A key of NATS, and who it is."""

    key: Ed25519PrivateKey
    prefix: int

    @classmethod
    def new(cls, letter: str) -> Identity:
        """A new key; the letter with which its name begins says of what: Operator, Account or User."""
        return cls(Ed25519PrivateKey.generate(), (ord(letter) - ord("A")) << 3)

    @property
    def name(self) -> str:
        return _checked(bytes([self.prefix]) + self.key.public_key().public_bytes_raw())

    @property
    def seed(self) -> str:
        kind = [18 << 3 | self.prefix >> 5, (self.prefix & 31) << 3]
        return _checked(bytes(kind) + self.key.private_bytes_raw())

    def sign(self, subject: Identity, claims: dict[str, Any]) -> str:
        """A JWT about `subject`."""
        header = {"typ": "JWT", "alg": "ed25519-nkey"}
        content = {
            "jti": base64.b32encode(os.urandom(20)).decode(),
            "iat": int(time.time()),
            "iss": self.name,
            "sub": subject.name,
            "name": "test",
            "nats": {**claims, "version": 2},
        }
        signed = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(content).encode())}"
        return f"{signed}.{_encoded(self.key.sign(signed.encode()))}"


class Operator:
    """Signs accounts and users, as `nsc` does."""

    def __init__(self) -> None:
        self._operator = Identity.new("O")
        self._account, system = (Identity.new("A") for _ in range(2))
        permissions: dict[str, object] = {"default_permissions": {"pub": {}, "sub": {}}}
        none = {name: 0 if name in {"mem_storage", "disk_storage"} else each for name, each in UNLIMITED.items()}
        accounts = {
            each.name: self._operator.sign(
                each, {"type": "account", "limits": {**limits, "wildcards": True}, **permissions}
            )
            for each, limits in ((self._account, UNLIMITED), (system, none))
        }
        preloaded = "\n".join(f"  {name}: {jwt}" for name, jwt in accounts.items())
        own = self._operator.sign(self._operator, {"type": "operator", "system_account": system.name})
        self.config = (
            f"operator: {own}\nsystem_account: {system.name}\nresolver: MEMORY\nresolver_preload {{\n{preloaded}\n}}"
        )
        """For a server's configuration."""

    def credentials(self, file: Path) -> Path:
        """The file of a new user's credentials."""
        user = Identity.new("U")
        jwt = self._account.sign(user, {"type": "user", "subs": -1, "data": -1, "payload": -1, "pub": {}, "sub": {}})
        file.write_text(
            f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
        )
        return file


def _checked(content: bytes) -> str:
    return base64.b32encode(content + binascii.crc_hqx(content, 0).to_bytes(2, "little")).decode().rstrip("=")


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
