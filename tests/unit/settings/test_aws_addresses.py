"""Queue URLs and topic ARNs: endpoint, region, and what is refused."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cutback.adapters.aws.clients import client
from cutback.adapters.build import build
from cutback.domain.errors import InvalidRequestError, SettingsError
from cutback.domain.requests.request import validate_request
from cutback.lifecycle import accept
from cutback.settings.addresses import QueueAddress, queue_address, topic_address
from cutback.settings.settings import Settings, load_settings, variable
from cutback.worker.webhooks import Deliverer

QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/cutback"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:video_production"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("CUTBACK_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("url", "region", "endpoint"),
    [
        (QUEUE, "eu-central-1", None),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q", "cn-north-1", None),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/q", "us-gov-west-1", None),
        ("https://sqs.us-east-2.api.aws/123456789012/q", "us-east-2", None),
        ("https://us-west-2.queue.amazonaws.com/123456789012/q", "us-west-2", None),
        (
            "https://vpce-0a1b-c2d3.sqs.us-east-1.vpce.amazonaws.com/123456789012/q",
            "us-east-1",
            "https://vpce-0a1b-c2d3.sqs.us-east-1.vpce.amazonaws.com",
        ),
        ("http://127.0.0.1:9324/queue/q", "", "http://127.0.0.1:9324"),
        ("https://queues.example/000000000000/q", "", "https://queues.example"),
    ],
)
def test_a_queues_url_determines_the_endpoint(url: str, region: str, endpoint: str | None) -> None:
    assert QueueAddress(url, region, endpoint) == queue_address(url)


def test_a_dead_letter_queue_is_in_the_account_and_region_of_its_source() -> None:
    assert queue_address(QUEUE).beside("dead") == "https://sqs.eu-central-1.amazonaws.com/123456789012/dead"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("cutback", "must be a queue's URL"),
        ("sqs://cutback", "must be a queue's URL"),
        ("arn:aws:sqs:eu-central-1:123456789012:cutback", "must be a queue's URL"),
        ("https://sqs.eu-central-1.amazonaws.com/", "must be a queue's URL"),
        ("https://sqs.eu-central-1.amazonaws.com:0/1/q", "must be a queue's URL"),
        ("https://user:secret@queues.example/1/q", "user name or password"),
        (QUEUE + ".fifo", "must be a standard queue"),
    ],
)
def test_what_is_no_queue_is_refused_by_variable(monkeypatch: pytest.MonkeyPatch, url: str, why: str) -> None:
    for name in ("CUTBACK_QUEUE_URL", "CUTBACK_WEBHOOK_QUEUE_URL"):
        monkeypatch.setenv(name, url)
        with pytest.raises(SettingsError, match=rf"{name}.*{why}"):
            load_settings()
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("arn", "region", "fifo"),
    [
        (TOPIC, "eu-central-1", False),
        ("arn:aws-cn:sns:cn-north-1:123456789012:t", "cn-north-1", False),
        (f"{TOPIC}.fifo", "eu-central-1", True),
    ],
)
def test_a_topics_arn_says_its_region_and_kind(arn: str, region: str, *, fifo: bool) -> None:
    address = topic_address(arn)
    assert (arn, region, fifo) == (address.arn, address.region, address.fifo)


@pytest.mark.parametrize("arn", ["video_production", QUEUE, f"{TOPIC}:subscription", "arn:aws:sns:eu-central-1::x"])
def test_what_is_no_topic_is_refused_by_variable(monkeypatch: pytest.MonkeyPatch, arn: str) -> None:
    monkeypatch.setenv("CUTBACK_ANNOUNCE_URLS", f"{TOPIC},{arn}")
    with pytest.raises(SettingsError, match=r"CUTBACK_ANNOUNCE_URLS.*is not an SNS topic's ARN"):
        load_settings()


def test_several_topics_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTBACK_ANNOUNCE_URLS", f"{TOPIC}, {TOPIC}.fifo")
    assert load_settings().announce_urls == (TOPIC, f"{TOPIC}.fifo")


@pytest.mark.parametrize(
    ("one", "other"),
    [("queue_url", "webhook_queue_url"), ("queue_url", "long_queue_url"), ("long_queue_url", "webhook_queue_url")],
)
def test_one_queue_cannot_be_both(one: str, other: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable(one)} and {variable(other)} must be different queues"):
        load_settings(**{one: QUEUE, other: QUEUE})


# --- where webhooks have no place to wait ------------------------------------------------------------


RECORDS = "mongodb://records.example/cutback"


def test_webhooks_need_a_queue_where_nothing_else_is_in_sqlite() -> None:
    assert Settings(queue_url=QUEUE).has_webhooks
    assert Settings(records_url=RECORDS).has_webhooks
    assert not Settings(records_url=RECORDS, queue_url=QUEUE).has_webhooks
    assert Settings(records_url=RECORDS, queue_url=QUEUE, webhook_queue_url=f"{QUEUE}-webhooks").has_webhooks
    with pytest.raises(ValueError, match="CUTBACK_WEBHOOK_URLS needs CUTBACK_WEBHOOK_QUEUE_URL"):
        Settings(records_url=RECORDS, queue_url=QUEUE, webhook_urls="https://hook.example/")


def test_a_request_with_a_webhook_is_refused_without_a_queue_for_webhooks(tmp_path: Path) -> None:
    request = validate_request(
        {"source": {"recording": "sea.mp4", "start": 1, "end": 2}, "webhook": "https://hook.example/"}
    )
    with build(Settings(data=tmp_path)) as services:
        without = dataclasses.replace(services, webhooks=None)
        for door in (accept.submit, accept.record):
            with pytest.raises(InvalidRequestError, match="webhook: is not available"):
                door(without, request)


def test_several_machines_sign_with_one_secret(tmp_path: Path) -> None:
    with (
        build(Settings(data=tmp_path, queue_url=QUEUE, webhook_queue_url=f"{QUEUE}-webhooks")) as services,
        pytest.raises(SettingsError, match="CUTBACK_WEBHOOK_SECRET must be set"),
    ):
        Deliverer(services)
    assert not services.settings.one_machine


# --- what is not installed ---------------------------------------------------------------------------


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    with pytest.raises(SettingsError, match=r"pip install 'cutback\[aws\]'"):
        client("sqs", region="eu-central-1")


def test_aws_libraries_are_not_imported_without_aws(tmp_path: Path) -> None:
    program = (
        "import sys; from cutback.adapters.build import build; from cutback.settings.settings import load_settings;"
        "build(load_settings()).close();"
        "found = [name for name in sys.modules if name.split('.')[0] in {'boto3', 'botocore', 'urllib3'}];"
        "sys.exit(' '.join(found) or 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "CUTBACK_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
