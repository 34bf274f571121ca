"""Unwrapping messages from all kinds of envelopes."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutback.domain.cameras.store_event import StoreEvent, is_later
from cutback.domain.errors import InvalidRequestError
from cutback.domain.requests.batch import requests_in, single_requests
from cutback.domain.requests.envelope import EventItem, PointerItem, RequestItem, as_body, open_envelope
from cutback.domain.requests.request import validate_request

REQUEST: dict[str, Any] = {"id": "wave-7", "source": {"camera": "north", "from": 1782000000000, "to": 1782000012500}}
LEGACY = {
    "clipId": "5f1e",
    "cameraId": "583499c4e411dc743a5d5296",
    "startTimestampInMs": 1782000000000,
    "endTimestampInMs": 1782000017000,
    "retryTimestamps": [],
}
S3_RECORD = {
    "eventVersion": "2.1",
    "eventSource": "aws:s3",
    "awsRegion": "eu-central-1",
    "eventTime": "2026-06-21T10:10:04.123Z",
    "eventName": "ObjectCreated:Put",
    "s3": {
        "bucket": {"name": "surf"},
        "object": {
            "key": "north+point/a%C3%A4%2B1.mp4",
            "size": 1024,
            "eTag": "d41d",
            "sequencer": "0055AED6DCD90281E5",
        },
    },
}


def sns(message: object) -> dict[str, object]:
    return {
        "Type": "Notification",
        "MessageId": "1",
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:requests",
        "Message": json.dumps(message),
    }


def asked(body: object) -> list[object]:
    text = body if isinstance(body, str) else json.dumps(body)
    return [item.content for item in open_envelope(text) if isinstance(item, RequestItem)]


def test_a_bare_request_is_itself() -> None:
    assert asked(REQUEST) == [REQUEST]


def test_an_sns_notification_is_unwrapped() -> None:
    assert asked(sns(REQUEST)) == [REQUEST]


def test_an_sns_record_of_a_lambda_is_unwrapped() -> None:
    assert asked({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(REQUEST)}}]}) == [REQUEST]


def test_the_detail_of_any_eventbridge_event_is_a_request() -> None:
    assert asked({"detail-type": "ClipRequested", "source": "surf.app", "detail": REQUEST}) == [REQUEST]


def test_a_broken_envelope_in_a_list_does_not_affect_the_others() -> None:
    broken = {"Records": [{"what": 1}]}
    assert [REQUEST, broken, {**REQUEST, "id": "b"}] == asked([REQUEST, broken, {**REQUEST, "id": "b"}])


@pytest.mark.parametrize(
    "body", [json.dumps(LEGACY), repr(LEGACY), json.dumps(sns(LEGACY))], ids=["json", "python", "sns"]
)
def test_the_older_format_is_a_request_by_camera(body: str) -> None:
    (content,) = asked(body)
    request = validate_request(content)
    assert request.id == "5f1e"
    (span,) = request.spans
    assert (span.camera, (span.end - span.start).total_seconds()) == ("583499c4e411dc743a5d5296", 17.0)
    assert request.legacy is not None
    assert request.legacy.model_dump(mode="json") == LEGACY


@pytest.mark.parametrize(
    "text",
    [
        "{'a': __import__('os').getcwd()}",
        "{'a': [x for x in ()]}",
        "{'a': 1",
        "{'a': " + "[" * 5000 + "]" * 5000 + "}",
        "{1: 2}",
    ],
)
def test_a_literal_that_is_no_plain_dictionary_is_refused_and_nothing_of_it_runs(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        open_envelope(text)


def test_the_key_of_an_s3_event_is_decoded() -> None:
    (item,) = open_envelope(json.dumps({"Records": [S3_RECORD]}))
    assert (
        EventItem(
            StoreEvent(
                kind="created",
                bucket="surf",
                key="north point/aä+1.mp4",
                sequencer="0055AED6DCD90281E5",
                time=datetime(2026, 6, 21, 10, 10, 4, 123000, tzinfo=UTC),
                etag="d41d",
                size=1024,
            )
        )
        == item
    )


@pytest.mark.parametrize(("name", "kind"), [("ObjectRemoved:Delete", "removed"), ("s3:ObjectCreated:Copy", "created")])
def test_kinds_of_s3_events(name: str, kind: str) -> None:
    (item,) = open_envelope(json.dumps({"Records": [{**S3_RECORD, "eventName": name}]}))
    assert isinstance(item, EventItem)
    assert kind == item.event.kind


def test_an_s3_event_comes_through_sns_and_through_eventbridge() -> None:
    (through_sns,) = open_envelope(json.dumps(sns({"Records": [S3_RECORD]})))
    (bridged,) = open_envelope(
        json.dumps(
            {
                "detail-type": "Object Created",
                "source": "aws.s3",
                "time": "2026-06-21T10:10:04Z",
                "detail": {
                    "bucket": {"name": "surf"},
                    "object": {
                        "key": "north point/aä+1.mp4",
                        "size": 1024,
                        "etag": "d41d",
                        "sequencer": "0055AED6DCD90281E5",
                    },
                },
            }
        )
    )
    assert isinstance(through_sns, EventItem)
    assert isinstance(bridged, EventItem)
    assert (through_sns.event.key, through_sns.event.sequencer) == (bridged.event.key, bridged.event.sequencer)


def test_tests_of_a_connection_and_other_s3_events_hold_nothing() -> None:
    assert open_envelope(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "surf"})) == []
    assert open_envelope(json.dumps({"Records": [{**S3_RECORD, "eventName": "ObjectTagging:Put"}]})) == []


@pytest.mark.parametrize(
    "name", ["software.amazon.payloadoffloading.PayloadS3Pointer", "com.amazon.sqs.javamessaging.MessageS3Pointer"]
)
def test_a_pointer_of_the_extended_client_says_where_the_message_is(name: str) -> None:
    body = json.dumps([name, {"s3BucketName": "big", "s3Key": "0b6e"}])
    assert [PointerItem("big", "0b6e")] == open_envelope(body)


def test_envelopes_in_envelopes_without_end_are_refused() -> None:
    body: object = REQUEST
    for _ in range(10):
        body = sns(body)
    with pytest.raises(InvalidRequestError, match="wrapped"):
        open_envelope(json.dumps(body))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda each: (
            st.lists(each)
            | st.dictionaries(
                st.sampled_from(
                    ["Type", "Message", "Records", "s3", "detail-type", "detail", "source", "camera", "id", "x"]
                ),
                each,
            )
        ),
    )
)
def test_whatever_comes_is_opened_or_refused(content: str) -> None:
    try:
        items = open_envelope(json.dumps(content))
    except InvalidRequestError:
        return
    for item in items:
        if isinstance(item, RequestItem):
            with suppress(InvalidRequestError):
                open_envelope(as_body(item))


def test_fractions_pass_exactly_through_a_message_of_their_own() -> None:
    body = '{"source": {"recording": "a.mp4", "start": 1.366667, "end": 2.1}}'
    (item,) = open_envelope(body)
    assert isinstance(item, RequestItem)
    assert requests_in(body) == requests_in(as_body(item)) != []


def test_several_cameras_are_a_batch_with_ids_of_their_own() -> None:
    content = {**REQUEST, "source": {**REQUEST["source"], "camera": ["north", "süd 1"]}}
    ids = [validate_request(each).id for each in single_requests(content)]
    assert ids[0] == "wave-7-north"
    assert ids[1].startswith("wave-7-s_d_1-")
    assert ids == [validate_request(each).id for each in single_requests(content)]


@pytest.mark.parametrize("cameras", [[], ["a", "a"], ["a", 1], [f"c{n}" for n in range(101)]])
def test_cameras_that_cannot_be_told_apart_are_refused(cameras: list[object]) -> None:
    with pytest.raises(InvalidRequestError, match="camera"):
        single_requests({"source": {"camera": cameras, "from": 1782000000000, "to": 1782000001000}})


def test_sequencers_are_compared_padded_with_zeros() -> None:
    assert is_later("0055AED6DCD90281E6", "0055AED6DCD90281E5")
    assert is_later("0055AE1", "0055AE0F")
    assert not is_later("0055AE", "0055AE00")
