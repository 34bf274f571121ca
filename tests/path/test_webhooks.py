"""Webhooks, against a real receiver on this machine."""

from __future__ import annotations

import http.client
import ipaddress
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from tests.path.harness import PathHarness
from tests.support.receiver import Receiver, receiving
from tests.support.waiting import Stopwatch

from cutback.domain.errors import SettingsError
from cutback.worker.poll import Worker
from cutback.worker.webhooks import (
    Abandon,
    Again,
    Delivered,
    Deliverer,
    _addresses,
    is_public,
    judge_delivery,
    keep_secret,
)

SECRET = "whsec_" + "QUJD" * 8


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def deliver(harness: PathHarness) -> int:
    deliverer, count = Deliverer(harness.services), 0
    while deliverer.deliver_waiting():
        count += 1
    return count


def webhook_depth(harness: PathHarness) -> tuple[int, int, int]:
    depth = harness.webhooks.depth()
    return depth.visible, depth.in_flight + depth.delayed, depth.dead


def test_every_event_of_a_clip_reaches_its_webhook_signed(
    make_harness: Callable[..., PathHarness], receiver: Receiver
) -> None:
    harness = make_harness(webhook_secret=SECRET)
    harness.submit(webhook=receiver.url + "/hook?who=me")
    harness.work()
    assert deliver(harness) == 3
    events = [Webhook(SECRET).verify(body, headers) for _, headers, body in receiver.came]
    assert events == [event.model_dump(mode="json") for event in harness.events()]
    assert [headers["webhook-id"] for _, headers, _ in receiver.came] == [event["id"] for event in events]
    assert {path for path, _, _ in receiver.came} == {"/hook?who=me"}
    assert webhook_depth(harness) == (0, 0, 0)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "QUJE" * 8).verify(receiver.came[0][2], receiver.came[0][1])


def test_addresses_in_the_settings_hear_of_every_clip_and_once(
    make_harness: Callable[..., PathHarness], receiver: Receiver
) -> None:
    harness = make_harness(webhook_urls=(receiver.url + "/all",))
    harness.submit(webhook=receiver.url + "/all")
    harness.submit(id="other")
    assert deliver(harness) == 2
    assert {path for path, _, _ in receiver.came} == {"/all"}


def test_a_refused_event_is_sent_again_later_with_the_same_id_and_a_new_signature(
    make_harness: Callable[..., PathHarness], receiver: Receiver
) -> None:
    harness = make_harness(webhook_delays=(5, 30), webhook_secret=SECRET)
    receiver.statuses = [500, 302, 200]
    harness.submit(webhook=receiver.url)
    assert deliver(harness) == 1
    assert deliver(harness) == 0
    harness.pass_time(5.1)
    assert deliver(harness) == 1
    harness.pass_time(29)
    assert deliver(harness) == 0
    harness.pass_time(2)
    assert deliver(harness) == 1
    assert {headers["webhook-id"] for _, headers, _ in receiver.came} == {"wave.1"}
    assert len({headers["webhook-signature"] for _, headers, _ in receiver.came}) == 3
    assert {path for path, _, _ in receiver.came} == {"/"}, "a redirect is not followed"
    assert webhook_depth(harness) == (0, 0, 0)


def test_a_delivery_that_is_never_accepted_ends_with_an_error_in_the_log(
    make_harness: Callable[..., PathHarness], receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    harness = make_harness(webhook_delays=(1, 1))
    receiver.statuses = [503]
    harness.submit(webhook=receiver.url)
    for _ in range(5):
        deliver(harness)
        harness.pass_time(2)
    assert len(receiver.came) == 3
    assert webhook_depth(harness) == (0, 0, 1)
    [letter] = harness.webhooks.dead_letters()
    assert "answered 503 (3 tries)" in letter.reason
    assert [record.levelno for record in caplog.records if "dead_letter=yes" in record.message] == [logging.ERROR]


def test_a_receiver_that_is_gone_is_not_asked_again(harness: PathHarness, receiver: Receiver) -> None:
    receiver.statuses = [410]
    harness.submit(webhook=receiver.url)
    deliver(harness)
    assert len(receiver.came) == 1
    assert webhook_depth(harness) == (0, 0, 1)


def test_a_receiver_that_drips_its_answer_is_cut_off(
    make_harness: Callable[..., PathHarness], receiver: Receiver
) -> None:
    harness = make_harness(webhook_timeout=0.5)
    receiver.linger, receiver.statuses = 20, [200]  # a 204 would have no body to wait for
    harness.submit(webhook=receiver.url)
    watch = Stopwatch()
    deliver(harness)
    assert watch.seconds() < 5


def test_a_receiver_that_does_not_listen_is_retried(harness: PathHarness) -> None:
    harness.submit(webhook="http://127.0.0.1:9/")
    deliver(harness)
    assert webhook_depth(harness) == (0, 1, 0)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/",
        "https://0.0.0.0/",
        "https://[::ffff:10.0.0.1]/",
        "https://2130706433/",
    ],
)
def test_an_address_inside_is_never_connected_to(harness: PathHarness, url: str) -> None:
    harness.submit(webhook=url)
    deliver(harness)
    [letter] = harness.webhooks.dead_letters()
    assert "not a public address" in letter.reason


def test_a_loopback_webhook_is_refused_where_stores_are_shared(
    make_harness: Callable[..., PathHarness], receiver: Receiver
) -> None:
    harness = make_harness()
    harness.submit(webhook=receiver.url)
    shared = harness.settings.model_copy(update={"source_store": "s3://recordings"})
    Deliverer(harness.another(settings=shared)).deliver_waiting()
    assert receiver.came == []
    assert "not a public address" in harness.webhooks.dead_letters()[0].reason


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("::", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("::ffff:127.0.0.1", False),
        ("::7f00:1", False),
        ("64:ff9b:1::a00:1", False),
        ("168.63.129.16", False),
        ("192.0.0.9", False),
        ("::ffff:168.63.129.16", False),
    ],
)
def test_only_the_open_internet_counts_as_public(address: str, *, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


def test_a_name_that_is_never_resolved_ends_by_the_one_deadline(
    harness: PathHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()

    def never(*_: object, **__: object) -> list[object]:
        let_go.wait(60)
        return []

    monkeypatch.setattr("cutback.worker.webhooks.socket.getaddrinfo", never)
    began = time.monotonic()
    try:
        with pytest.raises(TimeoutError):
            _addresses("slow.example", 443, timeout=0.2)
    finally:
        let_go.set()
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("answer", "tries", "verdict"),
    [
        (200, 1, Delivered()),
        (204, 9, Delivered()),
        (301, 1, Again(timedelta(seconds=5), "the receiver answered 301")),
        (500, 2, Again(timedelta(seconds=30), "the receiver answered 500")),
        (500, 3, Abandon("the receiver answered 500 (3 tries)")),
        (410, 1, Abandon("the receiver answered 410")),
        (TimeoutError("slow"), 1, Again(timedelta(seconds=5), "the receiver did not answer in time")),
        (
            ssl.SSLCertVerificationError(1, "no"),
            3,
            Abandon("the receiver's certificate could not be verified (3 tries)"),
        ),
        (socket.gaierror(-2, "no"), 1, Again(timedelta(seconds=5), "the receiver's name could not be resolved")),
        (http.client.BadStatusLine("x"), 1, Again(timedelta(seconds=5), "the receiver's answer is not HTTP")),
        (ConnectionRefusedError(111, "no"), 1, Again(timedelta(seconds=5), "the receiver refused the connection")),
        (ValueError("bug"), 1, Again(timedelta(seconds=5), "the event could not be sent")),
    ],
)
def test_the_verdict_on_a_delivery(answer: int | Exception, tries: int, verdict: object) -> None:
    assert judge_delivery(answer, tries, (5, 30)) == verdict


def test_the_secret_is_made_once_for_all_and_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "webhook-secret"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: keep_secret(path), range(50)))
    assert len(found) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    signature = Webhook(found.pop()).sign("id", datetime.now(UTC), "{}")
    assert signature.startswith("v1,")


def test_a_worker_that_cannot_sign_does_not_say_that_it_has_started(
    harness: PathHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(_: object) -> str:
        raise SettingsError("\n- CUTBACK_WEBHOOK_SECRET must be set")

    monkeypatch.setattr("cutback.worker.webhooks.signing_secret", missing)
    with caplog.at_level(logging.INFO), pytest.raises(SettingsError):
        Worker(harness.services).run(threading.Event())
    assert "stage=started" not in caplog.text
