"""Messages of SNS: only genuine and recent ones of our topics count, and they only move the counter of events."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.web.harness import WebHarness, assert_problem

from cutback.domain.base import iso
from cutback.domain.errors import ForgedMessageError, SnsUnreachableError
from cutback.domain.sns_message import read_message
from cutback.ports import EVENT_COUNTER
from cutback.web.api.sns import SnsSubscription
from cutback.web.api.sns_certificates import FAILURE_SECONDS, MOST_FAILURES, MOST_FETCHES, Certificates

TOPIC = "arn:aws:sns:eu-central-1:123456789012:video_production"
HOST = "https://sns.eu-central-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem"


class Amazon:
    """Signs messages as SNS does, and answers as SNS does."""

    def __init__(self, key: RSAPrivateKey) -> None:
        self.key = key
        self.asked: list[str] = []
        self.now = datetime.now(UTC)
        self.valid = (self.now - timedelta(days=1), self.now + timedelta(days=1))

    @property
    def certificate(self) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        builder = x509.CertificateBuilder(name, name, self.key.public_key(), 7, *self.valid)
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM)

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        return self.certificate

    def message(self, *, key: RSAPrivateKey | None = None, sha: Any = None, **changes: str) -> dict[str, str]:
        kind = changes.get("Type", "Notification")
        fields = {
            "Type": kind,
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Message": '{"type": "clip.ready"}',
            "Timestamp": iso(self.now),
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE,
            **changes,
        }
        if kind != "Notification":
            fields = {"Token": "a" * 64, "SubscribeURL": confirm(), **fields}
        names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        text = "".join(f"{name}\n{fields[name]}\n" for name in names if name in fields)
        signature = (key or self.key).sign(text.encode(), PKCS1v15(), sha or SHA256())
        return {"Signature": b64encode(signature).decode(), **fields}


def confirm(host: str = HOST, topic: str = TOPIC) -> str:
    return f"{host}/?Action=ConfirmSubscription&TopicArn={topic}&Token={'a' * 64}"


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


@pytest.fixture
def amazon(key: RSAPrivateKey) -> Amazon:
    return Amazon(key)


@pytest.fixture
def web(make_web: Callable[..., WebHarness], amazon: Amazon, monkeypatch: pytest.MonkeyPatch) -> WebHarness:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    made = make_web(announce_urls=(TOPIC,))
    made.app.state.sns = SnsSubscription(made.services, amazon.fetch)
    return made


def post(web: WebHarness, message: object) -> Any:
    return web.client.post("/v1/sns", content=json.dumps(message), headers={"Content-Type": "text/plain"})


def count(web: WebHarness) -> int | None:
    return web.services.cache.count(EVENT_COUNTER)


def test_a_genuine_message_moves_the_counter_and_nothing_else(web: WebHarness, amazon: Amazon) -> None:
    response = post(web, amazon.message(Subject="clip"))
    assert (response.status_code, response.content, count(web)) == (204, b"", 1)
    assert amazon.asked == [CERTIFICATE]
    post(web, amazon.message(MessageId="another"))
    assert (count(web), amazon.asked) == (2, [CERTIFICATE])


def test_a_replayed_message_has_no_effect(web: WebHarness, amazon: Amazon) -> None:
    message = amazon.message()
    statuses = [post(web, message).status_code for _ in range(5)]
    assert (statuses, count(web)) == ([204] * 5, 1)


def test_a_subscription_is_confirmed_at_sns(web: WebHarness, amazon: Amazon) -> None:
    assert post(web, amazon.message(Type="SubscriptionConfirmation")).status_code == 204
    assert (amazon.asked, count(web)) == ([CERTIFICATE, confirm()], None)


def test_the_end_of_a_subscription_is_not_undone(web: WebHarness, amazon: Amazon) -> None:
    assert post(web, amazon.message(Type="UnsubscribeConfirmation")).status_code == 204
    assert amazon.asked == [CERTIFICATE]


@pytest.mark.parametrize(
    "changes",
    [
        {"TopicArn": "arn:aws:sns:eu-central-1:999999999999:video_production"},
        {"SignatureVersion": "1"},
        {"Type": "Other"},
        {"SigningCertURL": CERTIFICATE.replace("https", "http")},
        {"SigningCertURL": CERTIFICATE.replace("eu-central-1", "us-east-1")},
        {"SigningCertURL": "https://sns.eu-central-1.amazonaws.com.example.com/SimpleNotificationService-1.pem"},
        {"SigningCertURL": "https://evil.example/sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem"},
        {"SigningCertURL": "https://a@sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem"},
        {"SigningCertURL": "https://sns.eu-central-1.amazonaws.com:444/SimpleNotificationService-1.pem"},
        {"SigningCertURL": "https://sns.eu-central-1.amazonaws.com/other.pem"},
        {"SigningCertURL": CERTIFICATE + "?x=1"},
        {"SigningCertURL": "https://my-bucket.s3.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem"},
        {"Type": "SubscriptionConfirmation", "SubscribeURL": confirm(host="https://169.254.169.254")},
        {"Type": "SubscriptionConfirmation", "SubscribeURL": confirm(topic="arn:aws:sns:eu-central-1:1:other")},
        {"Type": "SubscriptionConfirmation", "SubscribeURL": f"{HOST}/?Action=Publish&TopicArn={TOPIC}&Token=a"},
    ],
)
def test_forged_messages_are_refused_before_anything_is_fetched(
    web: WebHarness, amazon: Amazon, changes: dict[str, str]
) -> None:
    assert_problem(post(web, amazon.message(key=None, sha=None, **changes)), 403, "forged_message")
    assert (count(web), amazon.asked) == (None, [])


@pytest.mark.parametrize("age", [timedelta(minutes=16), timedelta(minutes=-6)])
def test_messages_of_another_time_are_refused(web: WebHarness, amazon: Amazon, age: timedelta) -> None:
    assert_problem(post(web, amazon.message(Timestamp=iso(amazon.now - age))), 403, "forged_message")
    assert (count(web), amazon.asked) == (None, [])


@pytest.mark.parametrize("field", ["Message", "MessageId", "Timestamp", "Signature", "Subject"])
def test_a_message_that_was_altered_is_refused(web: WebHarness, amazon: Amazon, field: str) -> None:
    message = amazon.message()
    assert len(message["Signature"]) == 344
    later = iso(amazon.now - timedelta(seconds=1))
    altered = {"Timestamp": later, "Signature": message["Signature"][::-1].replace("=", "") + "=="}.get(field, "other")
    assert_problem(post(web, {**message, field: altered}), 403, "forged_message")
    assert count(web) is None


def test_a_signature_by_another_key_or_with_sha1_is_refused(web: WebHarness, amazon: Amazon) -> None:
    other = generate_private_key(65537, 2048)
    assert_problem(post(web, amazon.message(key=other)), 403, "forged_message")
    assert_problem(post(web, amazon.message(sha=SHA1())), 403, "forged_message")
    assert count(web) is None


def test_an_expired_certificate_is_refused(web: WebHarness, amazon: Amazon) -> None:
    amazon.valid = (amazon.now - timedelta(days=9), amazon.now - timedelta(days=1))
    assert_problem(post(web, amazon.message()), 403, "forged_message")


@pytest.mark.parametrize("body", ["", "[]", "{", '{"Type": "Notification"}', '{"a": 1, "a": 2}', "7"])
def test_what_is_no_message_is_refused(web: WebHarness, body: str) -> None:
    response = web.client.post("/v1/sns", content=body)
    assert response.status_code in {403, 422}
    assert count(web) is None


def test_without_a_topic_there_is_no_such_address(make_web: Callable[..., WebHarness], amazon: Amazon) -> None:
    assert_problem(post(make_web(), amazon.message()), 404, "not_found")


def test_sns_that_does_not_answer_makes_the_message_come_again(web: WebHarness, amazon: Amazon) -> None:
    def fail(_: str) -> bytes:
        raise SnsUnreachableError

    web.app.state.sns = SnsSubscription(web.services, fail)
    assert_problem(post(web, amazon.message()), 503, "sns_unreachable")
    web.app.state.sns = SnsSubscription(web.services, amazon.fetch)
    assert (post(web, amazon.message()).status_code, count(web)) == (204, 1)


def test_a_certificate_that_could_not_be_fetched_is_not_tried_again_for_a_while() -> None:
    now, asked = [0.0], list[str]()

    def fetch(url: str) -> bytes:
        asked.append(url)
        if len(asked) == 1:
            raise SnsUnreachableError
        return b"certificate"

    certificates = Certificates(fetch, lambda: now[0])
    for seconds in (0, 1, FAILURE_SECONDS - 1):
        now[0] = seconds
        with pytest.raises(SnsUnreachableError):
            certificates.get(CERTIFICATE)
    assert asked == [CERTIFICATE]
    now[0] = FAILURE_SECONDS
    assert certificates.get(CERTIFICATE) == certificates.get(CERTIFICATE) == b"certificate"
    assert len(asked) == 2


def test_any_number_of_forged_messages_causes_few_fetches(web: WebHarness, amazon: Amazon) -> None:
    post(web, amazon.message())
    forged = {**amazon.message(), "MessageId": "forged"}
    for number in range(3 * MOST_FETCHES):
        url = f"{HOST}/SimpleNotificationService-{number:x}.pem"
        assert post(web, {**forged, "SigningCertURL": url}).status_code in {403, 503}
    assert len(amazon.asked) == MOST_FETCHES
    assert post(web, amazon.message(MessageId="genuine")).status_code == 204, "its certificate is known"


def test_certificates_are_fetched_again_after_a_minute() -> None:
    now, asked = [0.0], list[str]()

    def fetch(url: str) -> bytes:
        asked.append(url)
        raise SnsUnreachableError

    certificates = Certificates(fetch, lambda: now[0])
    minutes = MOST_FAILURES // MOST_FETCHES + 5
    for minute in range(minutes):
        now[0] = 60.0 * minute
        for number in range(2 * MOST_FETCHES):
            with pytest.raises(SnsUnreachableError):
                certificates.get(f"{minute}-{number}")
    assert len(asked) == minutes * MOST_FETCHES
    assert len(certificates._failed) == MOST_FAILURES


def test_an_address_may_send_only_so_many_messages(
    make_web: Callable[..., WebHarness], amazon: Amazon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    web = make_web(announce_urls=(TOPIC,), rate_limit=3)
    web.app.state.sns = SnsSubscription(web.services, amazon.fetch)
    answers = [post(web, amazon.message(MessageId=str(number))) for number in range(4)]
    assert [answer.status_code for answer in answers] == [204, 204, 204, 429]
    assert_problem(answers[-1], 429, "rate_limited")
    assert int(answers[-1].headers["retry-after"]) > 0


def test_topics_in_china_have_hosts_of_their_own(amazon: Amazon) -> None:
    topic = "arn:aws-cn:sns:cn-north-1:123456789012:video"
    own = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem"
    genuine = json.dumps(amazon.message(TopicArn=topic, SigningCertURL=own)).encode()
    assert read_message(genuine, topics=(topic,), now=amazon.now).topic == topic
    wrong = json.dumps(amazon.message(TopicArn=topic, SigningCertURL=own.removesuffix(".cn"))).encode()
    with pytest.raises(ForgedMessageError):
        read_message(wrong.replace(b".com.cn/", b".com/"), topics=(topic,), now=amazon.now)
