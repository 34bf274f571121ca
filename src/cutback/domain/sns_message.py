"""Messages that Amazon SNS posts to an HTTPS endpoint: what is checked before their signature. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cutback.domain.base import read_json
from cutback.domain.errors import ForgedMessageError

MAX_BYTES = 512 * 1024
"""SNS sends at most 256 KiB of message, escaped in JSON."""

OLDEST = timedelta(minutes=15)
NEWEST = timedelta(minutes=5)
"""How far the clocks of SNS and of this machine may differ."""

_HOST = re.compile(r"sns\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?P<china>\.cn)?")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{1,64}\.pem")
_TOPIC = re.compile(r"arn:(?P<partition>aws[a-z-]*):sns:(?P<region>[a-z0-9-]+):\d{12}:[\w-]{1,256}(?:\.fifo)?")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
"""Which fields of each type of message are signed, in the order in which they are."""


class SnsMessage:
    """A message that may be from SNS. `read_message` makes it."""

    def __init__(self, fields: dict[str, str]) -> None:
        """`fields` are strings by their names."""
        self._fields = fields

    @property
    def type(self) -> str:
        """`Notification`, `SubscriptionConfirmation` or `UnsubscribeConfirmation`."""
        return self._fields["Type"]

    @property
    def id(self) -> str:
        """The same in every delivery of the message."""
        return self._fields["MessageId"]

    @property
    def topic(self) -> str:
        """The topic's ARN."""
        return self._fields["TopicArn"]

    @property
    def signature(self) -> str:
        """The signature, in Base64."""
        return self._fields["Signature"]

    @property
    def certificate_url(self) -> str:
        """Where the certificate is that the message names; on a host of SNS in the topic's region."""
        return self._fields["SigningCertURL"]

    @property
    def subscribe_url(self) -> str:
        """The address that confirms the subscription; on a host of SNS in the topic's region."""
        return self._fields["SubscribeURL"]

    @property
    def signed_text(self) -> bytes:
        """What was signed."""
        names = [name for name in _SIGNED[self.type] if name in self._fields]
        return "".join(f"{name}\n{self._fields[name]}\n" for name in names).encode()


def read_message(body: bytes, *, topics: tuple[str, ...], now: datetime) -> SnsMessage:
    """Parse a message and check everything but its signature.

    Raises:
        InvalidRequestError: it is not JSON.
        ForgedMessageError: it is not from SNS, not of one of these topics, or not of now.
    """
    content = read_json(body, max_bytes=MAX_BYTES, exact=False)
    fields = _strings(content)
    kind = fields.get("Type", "")
    required = {"MessageId", "Signature", "SigningCertURL", "SignatureVersion", "TopicArn", "Timestamp", "Message"}
    if kind not in _SIGNED or not required <= set(fields):
        raise ForgedMessageError("It lacks fields that every message of SNS has.")
    if fields["SignatureVersion"] != "2":
        raise ForgedMessageError("Its signature is not of version 2; set SignatureVersion to 2 on the topic.")
    if fields["TopicArn"] not in topics:
        raise ForgedMessageError("It is of another topic than those in CUTBACK_ANNOUNCE_URLS.")
    region = _region_of(fields["TopicArn"])
    if not _is_certificate_url(fields["SigningCertURL"], region):
        raise ForgedMessageError("Its certificate is not on a host of SNS in the topic's region.")
    if kind == "SubscriptionConfirmation" and not _confirms(fields.get("SubscribeURL", ""), region, fields["TopicArn"]):
        raise ForgedMessageError("It is confirmed on a host that is not of SNS in the topic's region.")
    _check_age(fields["Timestamp"], now)
    return SnsMessage(fields)


def _strings(content: Any) -> dict[str, str]:
    if not isinstance(content, dict):
        raise ForgedMessageError("It is not a JSON object.")
    return {str(name): value for name, value in content.items() if isinstance(value, str)}


def _check_age(text: str, now: datetime) -> None:
    try:
        sent_at = datetime.fromisoformat(text)
        age = now - sent_at
    except (ValueError, TypeError):  # TypeError: without a time zone
        raise ForgedMessageError("Its time cannot be read.") from None
    if not -NEWEST <= age <= OLDEST:
        raise ForgedMessageError("It was sent too long ago, or will be sent in the future.")


def _region_of(topic: str) -> str:
    found = _TOPIC.fullmatch(topic)
    return found["region"] if found else ""


def _is_of_sns(url: str, region: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    found = _HOST.fullmatch(parts.netloc)  # the whole of it: no user, no port, no capitals
    own = found is not None and found["region"] == region and bool(found["china"]) == region.startswith("cn-")
    return own and parts.scheme == "https" and port is None and not parts.fragment


def _is_certificate_url(url: str, region: str) -> bool:
    return _is_of_sns(url, region) and not urlsplit(url).query and bool(_CERTIFICATE.fullmatch(urlsplit(url).path))


def _confirms(url: str, region: str, topic: str) -> bool:
    if not _is_of_sns(url, region) or urlsplit(url).path not in {"", "/"}:
        return False
    query = parse_qs(urlsplit(url).query)
    return query.get("Action") == ["ConfirmSubscription"] and query.get("TopicArn") == [topic] and "Token" in query
