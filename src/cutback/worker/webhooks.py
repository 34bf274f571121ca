"""Delivers events to webhooks: signed by Standard Webhooks, retried with backoff, finally moved to the dead letters."""

from __future__ import annotations

import fcntl
import http.client
import ipaddress
import json
import logging
import os
import secrets
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import SplitResult, urlsplit

from cutback.domain.base import read_json
from cutback.domain.clips.webhook import DeliveryTry, event_for_test
from cutback.domain.clips.webhook import Webhook as RegisteredWebhook
from cutback.domain.errors import CutbackError, Fault, InvalidRequestError, NotFoundError, SettingsError
from cutback.domain.requests.request import is_loopback
from cutback.lifecycle.delivery_log import log_delivery
from cutback.lifecycle.webhooks import get_webhook, log_try
from cutback.ports import Message
from cutback.services import Services
from cutback.settings.settings import Settings

log = logging.getLogger(__name__)

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_READ_AT_MOST = 64 * 1024
_LARGEST_DELIVERY = 4 * 1024 * 1024
"""Maximum bytes of a delivery: an event contains its clip's request, which may have 1 MiB."""
_GONE = 410

_NOT_PUBLIC_4 = (
    ipaddress.IPv4Network("168.63.129.16/32"),  # Azure's host, which hands out credentials
    ipaddress.IPv4Network("192.0.0.0/24"),  # IETF protocol assignments, of which some count as global
)
_NOT_PUBLIC_6 = (
    ipaddress.IPv6Network("::/96"),  # an obsolete way to wrap IPv4
    ipaddress.IPv6Network("64:ff9b:1::/48"),  # translation to IPv4 within a network
)
"""What `ipaddress` counts as global, and is not part of the open internet."""


class _ForbiddenAddressError(Exception):
    """The webhook's host has an address to which webhooks must not be sent."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver accepted it."""


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after `delay`."""

    delay: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class Abandon:
    """Stop trying; the delivery becomes a dead letter."""

    reason: str


DeliveryVerdict: TypeAlias = Delivered | Again | Abandon


def judge_delivery(answer: int | Exception, tries: int, delays: Sequence[float]) -> DeliveryVerdict:
    """Decide what to do with a delivery after its `tries`-th try (from 1). Pure.

    `answer` is the HTTP status, or the exception if there is none; `delays` are the seconds before each further try.
    """
    if isinstance(answer, int):
        if 200 <= answer < 300:
            return Delivered()
        reason = f"the receiver answered {answer}"
        if answer == _GONE:
            return Abandon(reason)
    elif isinstance(answer, _ForbiddenAddressError):
        return Abandon(str(answer))
    else:
        reason = _why(answer)
    if tries > len(delays):
        return Abandon(f"{reason} ({tries} tries)")
    return Again(timedelta(seconds=delays[tries - 1]), reason)


_WHY: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "the receiver did not answer in time"),
    (ssl.SSLCertVerificationError, "the receiver's certificate could not be verified"),
    (ssl.SSLError, "the receiver does not speak TLS as it should"),
    (socket.gaierror, "the receiver's name could not be resolved"),
    (ConnectionRefusedError, "the receiver refused the connection"),
    (ConnectionError, "the receiver closed the connection"),
    (http.client.HTTPException, "the receiver's answer is not HTTP"),
    (OSError, "the receiver could not be reached"),
)
"""Subclasses come before their base classes."""


def _why(error: Exception) -> str:
    """Say in our own words why there is no answer."""
    return next((words for kind, words in _WHY if isinstance(error, kind)), "the event could not be sent")


class Deliverer:
    """Delivers the messages of the `webhooks` queue, one after another."""

    def __init__(self, services: Services) -> None:
        """Read the signing secret, or create one. `services` must have a webhook queue."""
        from standardwebhooks.webhooks import Webhook

        assert services.webhooks is not None
        self._services = services
        self._queue = services.webhooks
        self._signer = Webhook(signing_secret(services))

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set."""
        wait = timedelta(seconds=5 if self._services.settings.webhook_queue_url else 1)
        while not stop.is_set():
            try:
                self.deliver_waiting(wait=wait)
            except CutbackError as error:
                log.warning("stage=webhook postponed=yes reason=%s", error)
                stop.wait(1)
            except Exception:  # one delivery's bug must not end the others; its message comes back
                log.exception("stage=webhook postponed=yes")
                stop.wait(1)

    def deliver_waiting(self, *, wait: timedelta = timedelta()) -> bool:
        """Deliver the next message, waiting for it up to `wait`. Returns whether there was one.

        Raises:
            QueueUnavailableError: the queue does not answer; the event may be delivered twice.
        """
        messages = self._queue.receive(limit=1, wait=wait)
        for message in messages:
            self.deliver(message)
        return bool(messages)

    def deliver(self, message: Message) -> bool:
        """Try once. Returns whether the message is done; otherwise it returns after a delay.

        Raises:
            QueueUnavailableError: the queue does not answer; the event may be delivered twice.
        """
        try:
            delivery = read_delivery(message.body)
            webhook = self._registered(delivery)
        except InvalidRequestError as error:
            self._queue.move_to_dead_letters(message, error.message)
            log.error("stage=webhook message=%s dead_letter=yes reason=%s", message.id, error.message)  # noqa: TRY400
            return True
        if delivery.webhook and (webhook is None or webhook.paused):
            self._queue.delete(message)
            log.info("stage=webhook event=%s webhook=%s dropped=yes", delivery.event_id, delivery.webhook)
            return True
        url = webhook.url if webhook is not None else delivery.url
        began = time.monotonic()
        answer = self._try(url, delivery, webhook)
        verdict = judge_delivery(answer, message.receive_count, self._services.settings.webhook_delays)
        tried = self._tried(delivery, answer, verdict, message.receive_count, time.monotonic() - began)
        self._log(tried, url, webhook)
        match verdict:
            case Delivered():
                self._queue.delete(message)
                log.info("stage=webhook event=%s url=%s delivered=yes", delivery.event_id, url)
            case Again(delay, reason):
                self._queue.extend(message, delay)
                log.warning(
                    "stage=webhook event=%s url=%s retry_in=%s reason=%s", delivery.event_id, url, delay, reason
                )
                return False
            case Abandon(reason):
                self._queue.move_to_dead_letters(message, reason)
                log.error("stage=webhook event=%s url=%s dead_letter=yes reason=%s", delivery.event_id, url, reason)
        return True

    def test(self, webhook: RegisteredWebhook) -> DeliveryTry:
        """Send a test event to a registered webhook now, once. Returns what came of it, which is also in its log."""
        event = event_for_test(webhook.id, secrets.token_hex(6), now=self._services.clock())
        delivery = WebhookDelivery(event.id, webhook.url, event.body(), webhook.id)
        began = time.monotonic()
        answer = self._try(webhook.url, delivery, webhook)
        tried = self._tried(delivery, answer, judge_delivery(answer, 1, ()), 1, time.monotonic() - began)
        self._log(tried, webhook.url, webhook)
        return tried

    def _registered(self, delivery: WebhookDelivery) -> RegisteredWebhook | None:
        if not delivery.webhook:
            return None
        try:
            return get_webhook(self._services, delivery.webhook, tenant=None)
        except NotFoundError:
            return None

    def _try(self, url: str, delivery: WebhookDelivery, webhook: RegisteredWebhook | None) -> int | Exception:
        try:
            body = json.dumps(delivery.event, ensure_ascii=False, separators=(",", ":"))
            kind = "cloudevents+json" if "specversion" in delivery.event else "json"
            return self._post(url, delivery.event_id, body, kind, webhook)
        except (OSError, http.client.HTTPException, ValueError, _ForbiddenAddressError) as error:
            log.debug("stage=webhook event=%s url=%s error=%r", delivery.event_id, url, error)
            return error

    def _tried(
        self,
        delivery: WebhookDelivery,
        answer: int | Exception,
        verdict: DeliveryVerdict,
        attempt: int,
        seconds: float,
    ) -> DeliveryTry:
        outcome = {Delivered: "delivered", Again: "retried", Abandon: "abandoned"}[type(verdict)]
        return DeliveryTry(
            event=delivery.event_id,
            type=str(delivery.event.get("type", "")),
            at=self._services.clock(),
            attempt=attempt,
            outcome=outcome,
            status=answer if isinstance(answer, int) else None,
            error=None if isinstance(verdict, Delivered) else verdict.reason[:300],
            seconds=round(seconds, 3),
        )

    def _log(self, tried: DeliveryTry, url: str, webhook: RegisteredWebhook | None) -> None:
        """Add a try to the log of its clip and that of its webhook."""
        try:
            if webhook is not None:
                log_try(self._services, webhook.id, tried)
            log_delivery(self._services, tried, url)
        except CutbackError as error:  # what was delivered must not be delivered again for the sake of the log
            log.warning("stage=webhook event=%s logged=no reason=%s", tried.event, error)

    def _post(self, url: str, event_id: str, body: str, kind: str, webhook: RegisteredWebhook | None) -> int:
        from standardwebhooks.webhooks import Webhook

        now = self._services.clock()
        signers = [Webhook(secret) for secret in webhook.secrets(now)] if webhook is not None else [self._signer]
        headers = {
            "Content-Type": f"application/{kind}; charset=utf-8",
            "User-Agent": "Cutback",
            "webhook-id": event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signer.sign(event_id, now, body) for signer in signers),
        }
        parts = urlsplit(url)
        allowed = private_allowed(self._services.settings, parts)
        timeout = self._services.settings.webhook_timeout
        return _send(parts, headers, body.encode(), timeout=timeout, private_allowed=allowed)


def private_allowed(settings: Settings, url: SplitResult) -> bool:
    """Whether webhooks may go to this URL even if it is at a private address."""
    return settings.webhook_private or (
        settings.one_machine and url.scheme == "http" and is_loopback(url.hostname or "")
    )


def check_address(settings: Settings, url: str, *, local: bool) -> None:
    """Check a webhook's URL as far as possible without looking up its name, which is done for each delivery.

    Only a `local` caller may choose addresses of this machine. Anybody else is somewhere else, and would reach services
    that listen on loopback.

    Raises:
        InvalidRequestError: its host is an address to which webhooks must not go.
    """
    parts = urlsplit(url)
    try:
        address = ipaddress.ip_address((parts.hostname or "").split("%")[0])
    except ValueError:
        forbidden = is_loopback(parts.hostname or "")
    else:
        forbidden = not is_public(address)
    allowed = private_allowed(settings, parts) if local else settings.webhook_private
    if forbidden and not allowed:
        raise InvalidRequestError([Fault("url", "is not at a public address; CUTBACK_WEBHOOK_PRIVATE=true allows it")])


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """An event for a webhook."""

    event_id: str
    url: str
    event: dict[str, Any]
    webhook: str = ""
    """The id of a registered webhook, whose own URL counts; empty for a URL that a request or the settings name."""


def read_delivery(body: str) -> WebhookDelivery:
    """Parse a delivery.

    Raises:
        InvalidRequestError: it is not a delivery. Nothing else is raised, whatever `body` is.
    """
    content = read_json(body, max_bytes=_LARGEST_DELIVERY, exact=False)
    match content:
        case {"id": str(event_id), "url": str(url), "event": dict(event), **others}:
            return WebhookDelivery(event_id, url, event, str(others.get("webhook", "")))
    raise InvalidRequestError([Fault("", "is not a delivery: it needs id, url and event")])


def _send(parts: SplitResult, headers: dict[str, str], body: bytes, *, timeout: float, private_allowed: bool) -> int:
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    ends_at = time.monotonic() + timeout
    # Connect to the address that was checked: a second lookup of the name may give another one.
    address = _checked_address(host, port, timeout=timeout, private_allowed=private_allowed)
    raw = socket.create_connection((address, port), timeout=_left(ends_at))
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(host, port, timeout=timeout)
    # The socket's own timeout restarts with every byte, and a receiver may send bytes slowly without end.
    # The timer needs a second handle on the socket, because TLS takes over the first one.
    guard = raw.dup()
    deadline = threading.Timer(max(0.0, ends_at - time.monotonic()), _shut, [guard])
    deadline.daemon = True
    deadline.start()
    try:
        connection.sock = _secured(raw, host) if secure else raw
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body=body, headers=headers)
        response = connection.getresponse()
        response.read(_READ_AT_MOST)
        return response.status
    finally:
        deadline.cancel()
        deadline.join()
        connection.close()
        raw.close()
        guard.close()


def _secured(raw: socket.socket, host: str) -> ssl.SSLSocket:
    return ssl.create_default_context().wrap_socket(raw, server_hostname=host)


def _shut(guard: socket.socket) -> None:
    try:
        guard.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        log.debug("the webhook's connection was closed already: %s", error)


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def _addresses(host: str, port: int, timeout: float) -> list[str]:
    """Return every address of a name. The system's resolver has no deadline, so it runs in a separate thread."""
    found: list[str] = []
    failures: list[Exception] = []

    def look_up() -> None:
        try:
            found.extend(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            failures.append(error)

    thread = threading.Thread(target=look_up, name="webhook-name", daemon=True)
    thread.start()
    thread.join(timeout)
    if failures:
        raise failures[0]
    if thread.is_alive() or not found:
        raise TimeoutError(f"the name {host} was not resolved in time")
    return found


def _checked_address(host: str, port: int, *, timeout: float, private_allowed: bool) -> str:
    found = _addresses(host, port, timeout)
    for text in found:
        if not private_allowed and not is_public(ipaddress.ip_address(text.split("%")[0])):
            raise _ForbiddenAddressError(
                f"{host} is at {text}, which is not a public address; CUTBACK_WEBHOOK_PRIVATE=true allows it"
            )
    return found[0]


def is_public(address: Address) -> bool:
    """Whether an address is public, including IPv4 addresses inside of IPv6 ones."""
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour
        if wrapped is None and address.teredo:
            wrapped = address.teredo[1]
        if wrapped is None and address in ipaddress.ip_network("64:ff9b::/96"):
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(wrapped)
        if address.is_site_local or any(address in network for network in _NOT_PUBLIC_6):
            return False
    elif any(address in network for network in _NOT_PUBLIC_4):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def signing_secret(services: Services) -> str:
    """Return the secret that signs webhooks: from the settings, or created once in the data folder.

    Raises:
        SettingsError: no secret is set, and several machines may sign.
    """
    given = services.settings.webhook_secret
    if given is not None and given.get_secret_value():
        return given.get_secret_value()
    if services.settings.webhook_secret_secret:
        return services.read_secret(services.settings.webhook_secret_secret)
    if services.settings.webhook_queue_url:
        raise SettingsError(
            "\n- CUTBACK_WEBHOOK_SECRET must be set together with CUTBACK_WEBHOOK_QUEUE_URL; "
            "otherwise each machine would sign with a different secret"
        )
    return keep_secret(services.settings.data / "webhook-secret")


def keep_secret(path: Path) -> str:
    """Read the secret in `path`, creating it first if necessary. Several processes may do so at once.

    Raises:
        SettingsError: the file cannot be read or created.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SettingsError(
            f"\n- CUTBACK_DATA: {path} cannot be read or created ({error.strerror}); "
            "set CUTBACK_WEBHOOK_SECRET, or choose a folder to which this user may write"
        ) from error
    with os.fdopen(descriptor, "r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        known = file.read().strip()
        if known:
            return known
        made = "whsec_" + b64encode(secrets.token_bytes(32)).decode()
        file.write(made + "\n")
        file.flush()
        os.fsync(file.fileno())
        return made
