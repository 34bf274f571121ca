"""Checks the signatures of SNS, and takes its messages as a sign that there are new events."""

from __future__ import annotations

import logging
from base64 import b64decode
from binascii import Error as NotBase64
from datetime import datetime

from cutback.domain.errors import ForgedMessageError, NotFoundError, SettingsError, SnsUnreachableError
from cutback.domain.sns_message import SnsMessage, read_message
from cutback.ports import EVENT_COUNTER
from cutback.services import Services
from cutback.web.api.sns_certificates import Certificates, Fetch

log = logging.getLogger(__name__)

_MOST_BYTES = 64 * 1024
_SECONDS = 5.0


class SnsSubscription:
    """What this process does with the messages of SNS. Threads may share it."""

    def __init__(self, services: Services, fetch: Fetch | None = None) -> None:
        """`fetch` replaces the calls to SNS, in tests."""
        self._services = services
        self._fetch = fetch or fetch_from_sns
        self._certificates = Certificates(self._fetch)

    def take(self, body: bytes) -> None:
        """Check a message; if it is genuine and new, confirm the subscription or change the counter of events.

        Its content is not used: the events are read from the records.

        Raises:
            NotFoundError: no topic is set.
            InvalidRequestError: it is not JSON.
            ForgedMessageError: it is not a genuine message of one of the topics, or it is too old.
            SnsUnreachableError: SNS does not answer.
        """
        topics = self._services.settings.announce_urls
        if not topics:
            raise NotFoundError("CUTBACK_ANNOUNCE_URLS names no topic.")
        now = self._services.clock()
        message = read_message(body, topics=topics, now=now)
        check_signature(message, self._certificates.get(message.certificate_url), now)
        # A message that is sent twice is no fault of SNS, and one that is replayed must not wake all nodes.
        seen = f"sns:{message.id}"
        if self._services.cache.get(seen) is not None:
            log.info("stage=sns message=%s repeated=yes", message.id)
            return
        if message.type == "SubscriptionConfirmation":
            self._fetch(message.subscribe_url)
            log.info("stage=sns topic=%s confirmed=yes", message.topic)
        elif message.type == "Notification":
            self._services.cache.bump(EVENT_COUNTER)
        self._services.cache.set(seen, b"1")


def check_signature(message: SnsMessage, certificate: bytes, now: datetime) -> None:
    """Check a message's signature (RSA with SHA-256) by a certificate in PEM.

    Raises:
        ForgedMessageError: it does not match, or the certificate cannot be used now.
        SettingsError: the library for it is not installed.
    """
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.x509 import load_pem_x509_certificate
    except ImportError as error:
        raise SettingsError("\n- SNS needs cryptography; pip install 'cutback[aws]'") from error

    try:
        known = load_pem_x509_certificate(certificate)
        key = known.public_key()
        signature = b64decode(message.signature, validate=True)
    except (ValueError, NotBase64):
        raise ForgedMessageError("Its signature or its certificate cannot be read.") from None
    if not isinstance(key, RSAPublicKey) or not known.not_valid_before_utc <= now <= known.not_valid_after_utc:
        raise ForgedMessageError("Its certificate is not valid now.")
    try:
        key.verify(signature, message.signed_text, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise ForgedMessageError("Its signature does not match.") from None


def fetch_from_sns(url: str) -> bytes:
    """Return what SNS answers at a URL that was checked; redirects are not followed.

    Raises:
        SnsUnreachableError: it does not answer with 200 and at most 64 KiB.
    """
    import httpx

    content = bytearray()
    try:
        with httpx.stream("GET", url, timeout=_SECONDS, follow_redirects=False) as answer:
            if answer.status_code != httpx.codes.OK:
                raise SnsUnreachableError(f"It answered {answer.status_code}.")
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > _MOST_BYTES:
                    raise SnsUnreachableError("Its answer is too long.")
    except httpx.TimeoutException:
        raise SnsUnreachableError("It did not answer in time.") from None
    except httpx.HTTPError:
        raise SnsUnreachableError("The connection to it failed.") from None
    return bytes(content)
