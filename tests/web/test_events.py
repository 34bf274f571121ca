"""Events over HTTP: pages for those who poll, streams for those who wait, and errors before a stream begins."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from tests.support.uvicorn_server import serving_app
from tests.web.harness import WebHarness, assert_problem

from cutback.web.api.routes.events import wants_page

STREAM = {"Accept": "text/event-stream"}


@contextmanager
def stream(url: str, **headers: str) -> Iterator[Iterator[dict[str, str]]]:
    """The blocks of a stream, each as its fields; comments are left out."""
    with (
        httpx.Client(timeout=60) as client,
        client.stream("GET", url, headers={**STREAM, **headers}) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        yield blocks(response.iter_lines())


def blocks(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    block: dict[str, str] = {}
    for line in lines:
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            block[name] = value
        elif not line and block:
            yield block
            block = {}


def test_pages_have_every_event_once_as_a_cloud_event(web: WebHarness) -> None:
    clips = [web.submit(id=f"clip-{number}") for number in range(7)]
    found, after = [], "0"
    while page := web.get(f"/v1/events?after={after}&limit=3").json():
        found += page["items"]
        if not page["items"]:
            assert page["next"] == after
            break
        after = page["next"]
    assert [clip.event().body() for clip in clips] == found


def test_pages_can_be_filtered_and_move_on_even_if_nothing_matches(web: WebHarness) -> None:
    web.submit(id="one")
    web.submit(id="two")
    web.work()
    states = web.get("/v1/events?after=0&state=ready").json()["items"]
    one = web.get("/v1/events?after=0&clip=one&state=queued&state=ready").json()["items"]
    none = web.get("/v1/events?after=0&camera=nowhere").json()
    assert sorted(each["subject"] for each in states) == ["one", "two"]
    assert {each["type"] for each in states} == {"clip.ready"}
    assert [each["type"] for each in one] == ["clip.queued", "clip.ready"]
    assert (none["items"], none["next"]) == ([], str(web.services.records.last_position()))


def test_events_of_a_camera_are_found_by_its_name(web: WebHarness) -> None:
    span = {"camera": "north", "from": "2026-06-21T05:30:00Z", "to": "2026-06-21T05:31:00Z"}
    web.submit(id="one", source=[span])
    web.submit(id="two")
    found = web.get("/v1/events?after=0&camera=north").json()["items"]
    assert {each["subject"] for each in found} == {"one"}


@pytest.mark.parametrize(
    ("accept", "has_after", "page"),
    [
        ("*/*", False, False),
        ("*/*", True, True),
        ("text/event-stream", True, False),
        ("application/json", False, True),
        ("text/html, application/json;q=0.9", False, True),
        ("text/event-stream, application/json", True, False),
    ],
)
def test_which_clients_get_a_page(accept: str, *, has_after: bool, page: bool) -> None:
    assert wants_page(accept, has_after=has_after) is page


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "9" * 30, "1\u0660"])
def test_a_wrong_last_event_id_is_an_error_before_the_stream_begins(web: WebHarness, value: str) -> None:
    headers = {**STREAM, "Last-Event-ID": value.encode()}
    assert_problem(web.client.get("/v1/events", headers=headers), 422, "invalid_request")


@pytest.mark.parametrize("query", ["after=-1", "state=lost", "limit=0", "after=99999999999999999999", "camera="])
def test_wrong_filters_are_errors(web: WebHarness, query: str) -> None:
    assert_problem(web.client.get(f"/v1/events?{query}", headers=STREAM), 422, "invalid_request")


def test_a_stream_of_a_stopping_node_is_refused_before_it_begins(web: WebHarness) -> None:
    web.app.state.events.close()
    response = web.client.get("/v1/events", headers=STREAM)
    assert assert_problem(response, 503, "stopped")["retryable"] is True
    assert int(response.headers["retry-after"]) > 0


def test_records_that_do_not_answer_are_an_error_before_the_stream_begins(
    web: WebHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cutback.domain.errors import RecordsUnavailableError

    def fail(*_: object) -> int:
        raise RecordsUnavailableError

    monkeypatch.setattr(type(web.services.records), "last_position", fail)
    assert_problem(web.client.get("/v1/events", headers=STREAM), 503, "records_unavailable")


def test_a_stream_resumes_where_it_broke_off_without_gap_or_repeat(make_web: Callable[..., WebHarness]) -> None:
    web = make_web()
    for number in range(5):
        web.submit(id=f"clip-{number}")
    with serving_app(web.app) as url:
        with stream(f"{url}/v1/events?after=0") as first:
            seen = [next(first) for _ in range(4)]
        for number in range(5, 9):
            web.submit(id=f"clip-{number}")
        with stream(f"{url}/v1/events", **{"Last-Event-ID": seen[-1]["id"]}) as second:
            next(second)  # the position
            seen += [next(second) for _ in range(6)]
    found = [each for each in seen if "data" in each]
    assert [int(each["id"]) for each in found] == list(range(1, 10))
    assert [json.loads(each["data"])["subject"] for each in found] == [f"clip-{number}" for number in range(9)]
    assert {each["event"] for each in found} == {"clip.queued"}


def test_a_new_stream_hears_only_what_follows_and_says_first_where_it_is(make_web: Callable[..., WebHarness]) -> None:
    web = make_web()
    web.submit(id="before")
    with serving_app(web.app) as url, stream(f"{url}/v1/events?state=queued") as found:
        assert next(found) == {"id": "1"}
        web.submit(id="after")
        assert json.loads(next(found)["data"])["subject"] == "after"


def test_streams_end_with_a_time_to_come_back_when_the_node_drains(make_web: Callable[..., WebHarness]) -> None:
    web = make_web()
    with serving_app(web.app) as url:
        opened = threading.Event()
        ends: list[dict[str, str]] = []

        def read() -> None:
            with stream(f"{url}/v1/events") as found:
                for block in found:
                    opened.set()
                    ends.append(block)

        thread = threading.Thread(target=read)
        thread.start()
        assert opened.wait(60)
        web.app.state.events.close()
        thread.join(60)
        assert not thread.is_alive()
    assert 500 <= int(ends[-1]["retry"]) <= 3000


def test_a_change_that_keeps_the_state_is_an_event_of_its_own(web: WebHarness) -> None:
    web.submit(id="wave")
    web.work()
    before = web.services.records.last_position()
    web.client.patch("/v1/clips/wave", json={"title": "Left", "tags": ["best"]}, headers={"If-Match": "*"})
    gone = web.client.delete("/v1/clips/wave").json()
    web.client.post("/v1/clips/wave/restore")
    events = web.get(f"/v1/events?after={before}").json()["items"]
    assert [(event["type"], event["subject"], event["data"]["state"]) for event in events] == [
        ("clip.changed", "wave", "ready")
    ] * 3
    assert [event["data"]["title"] for event in events] == ["Left"] * 3
    assert [event["data"].get("delete_at") for event in events] == [None, gone["delete_at"], None]
    assert web.get(f"/v1/events?after={before}&state=ready").json()["items"] == [], "it has no new state"
    assert web.services.records.unannounced() == [], "they are announced at once"


def test_a_clip_in_progress_that_is_deleted_is_cancelled_and_then_only_changes(web: WebHarness) -> None:
    web.submit(id="wave")
    web.client.delete("/v1/clips/wave")
    web.client.post("/v1/clips/wave/restore")
    web.client.post("/v1/clips/wave/retry")
    assert [event.type for event in web.events()] == ["clip.queued", "clip.cancelled", "clip.changed", "clip.queued"]
