"""SnsAnnouncer over a real connection: what reaches a subscribed queue, and the attributes for filters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.aws import Aws, running

from cutback.adapters.aws.announcer import MAX_BYTES, SnsAnnouncer, message, short_id
from cutback.adapters.event_message import attributes
from cutback.domain.base import utc_now
from cutback.domain.clips.event import CHANGED, Event
from cutback.domain.errors import SurroundingsError

Announce = Callable[..., None]


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running() as aws:
        yield aws


@pytest.fixture
def announcer(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], SnsAnnouncer]]:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", aws.endpoint)
    made: list[SnsAnnouncer] = []

    def make(topic: str) -> SnsAnnouncer:
        made.append(SnsAnnouncer(topic))
        return made[-1]

    yield make
    for each in made:
        each.close()


def event(number: int = 1, *, state: str = "ready", source: Any = None, **more: Any) -> Event:
    asked = {"source": source if source is not None else [{"recording": "sea.mp4", "start": "1", "end": "2"}], **more}
    data = {"id": "wave", "state": state, "request": asked, "result": {"key": "wave/1/clip.mp4"}}
    return Event(id=f"wave.{number}", type=f"clip.{state}", subject="wave", time=utc_now(), data=data)


def received(aws: Aws, url: str) -> list[dict[str, Any]]:
    with aws.client_of("sqs") as sqs:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
        )
    return list(answer.get("Messages", []))


def test_a_subscribed_queue_gets_the_event_with_its_attributes(
    aws: Aws, announcer: Callable[[str], SnsAnnouncer]
) -> None:
    url = aws.make_queue(dead=False)
    told = event(source={"camera": "north-point", "from": "2026-06-21T05:30:00Z"}, title="Größe 🌊 \ufffe\uffff")
    announcer(aws.make_topic(url)).announce(told)
    (got,) = received(aws, url)
    assert told == Event.model_validate_json(got["Body"])
    assert {name: value["StringValue"] for name, value in got["MessageAttributes"].items()} == {
        "type": "clip.ready",
        "state": "ready",
        "camera": "north-point",
    }


@pytest.mark.parametrize(
    ("policy", "ids"),
    [
        ({"state": ["failed"]}, ["wave.3"]),
        ({"type": [{"prefix": "clip.re"}]}, ["wave.1", "wave.2"]),
        ({"camera": ["south"]}, ["wave.2"]),
    ],
)
def test_subscriptions_filter_by_state_type_and_camera(
    aws: Aws, announcer: Callable[[str], SnsAnnouncer], policy: dict[str, Any], ids: list[str]
) -> None:
    url = aws.make_queue(dead=False)
    telling = announcer(aws.make_topic(url, FilterPolicy=json.dumps(policy)))
    telling.announce(event(1))
    telling.announce(event(2, source={"camera": "south"}))
    telling.announce(event(3, state="failed"))
    assert ids == [json.loads(got["Body"])["id"] for got in received(aws, url)]


def test_a_fifo_topic_keeps_a_clips_events_in_order_and_delivers_each_once(
    aws: Aws, announcer: Callable[[str], SnsAnnouncer]
) -> None:
    with aws.client_of("sqs") as sqs:
        fifo = {"FifoQueue": "true"}
        url = str(sqs.create_queue(QueueName="told.fifo", Attributes=fifo)["QueueUrl"])
    telling = announcer(aws.make_topic(url, fifo=True))
    for number in (1, 2, 2, 1, 3):
        telling.announce(event(number))
    got = received(aws, url)
    assert [json.loads(each["Body"])["id"] for each in got] == ["wave.1", "wave.2", "wave.3"]
    assert {each["Attributes"]["MessageGroupId"] for each in got} == {"wave"}


def test_a_topic_that_is_not_there_leaves_the_event_for_later(
    aws: Aws, announcer: Callable[[str], SnsAnnouncer]
) -> None:
    with pytest.raises(SurroundingsError, match=r"arn:aws:sns:.*gone: it does not exist"):
        announcer(aws.make_topic() + "gone").announce(event())


def test_an_event_too_large_for_a_topic_leaves_the_request_out(
    aws: Aws, announcer: Callable[[str], SnsAnnouncer]
) -> None:
    url = aws.make_queue(dead=False)
    large = event(labels={str(number): "波" * 256 for number in range(400)})
    assert len(large.model_dump_json().encode()) > MAX_BYTES
    announcer(aws.make_topic(url)).announce(large)
    (got,) = received(aws, url)
    told = json.loads(got["Body"])
    assert told["data"] == {"id": "wave", "state": "ready", "result": large.data["result"], "shortened": True}
    assert (told["id"], told["type"]) == (large.id, large.type)


def test_what_has_no_camera_or_several_names_none() -> None:
    two = [{"camera": "north"}, {"camera": "south"}]
    sources: list[object] = [two, [{"camera": "north"}], [], {}, "x"]
    assert [attributes(event(source=source)).get("camera") for source in sources] == [
        None,
        "north",
        None,
        None,
        None,
    ]


def test_a_filter_for_a_state_does_not_let_other_changes_pass() -> None:
    assert attributes(event(state="ready")) == {"type": "clip.ready", "state": "ready"}
    assert attributes(event(state="ready").model_copy(update={"type": CHANGED})) == {"type": "clip.changed"}


def test_a_message_stays_below_the_limit_with_its_attributes() -> None:
    small = event()
    exact = len(message(small).encode()) + sum(
        len(name) + len("String") + len(value) for name, value in attributes(small).items()
    )
    assert "shortened" not in message(small, most=exact)
    assert "shortened" in message(small, most=exact - 1)


def test_ids_too_long_for_deduplication_stay_different() -> None:
    one, other = f"{'w' * 128}.1", f"{'w' * 128}.2"
    assert short_id("wave.1") == "wave.1"
    assert len(short_id(one)) <= 128
    assert short_id(one) == short_id(one)
    assert short_id(one) != short_id(other)
