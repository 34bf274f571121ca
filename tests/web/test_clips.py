"""Clips over the REST API: requested once, found, watched, changed, deleted and restored."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.web.harness import WebHarness, assert_problem
from tests.web.test_recordings import recording

from cutback.domain.clips.clip import Clip
from cutback.domain.errors import QueueUnavailableError, RangeOutsideRecordingError, RecordsUnavailableError

REQUEST = {"source": {"recording": "sea.mp4", "start": 1, "end": 3}}


def post(web: WebHarness, content: Any = REQUEST, *, key: str | None = None) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    response: httpx.Response = web.client.post("/v1/clips", json=content, headers=headers)
    return response


def without_links(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in {"self", "events", "media"}}


def patch(web: WebHarness, clip_id: str, content: Any, match: str | None) -> httpx.Response:
    headers = {} if match is None else {"If-Match": match}
    response: httpx.Response = web.client.patch(f"/v1/clips/{clip_id}", json=content, headers=headers)
    return response


# --- requesting ------------------------------------------------------------------------------------


def test_a_request_is_accepted_and_says_where_the_clip_is(web: WebHarness) -> None:
    response = post(web, {**REQUEST, "title": "Left", "id": "wave"})
    clip = response.json()

    assert (response.status_code, clip["id"], clip["state"]) == (202, "wave", "queued")
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["location"] == clip["self"] == "http://127.0.0.1:8080/v1/clips/wave"
    assert clip["events"] == "http://127.0.0.1:8080/v1/events?clip=wave"
    assert web.get(response.headers["location"]).json() == clip
    assert web.work() == 1
    assert web.clip("wave").state == "ready"


def test_the_same_request_again_is_the_clip_as_it_is_now(web: WebHarness) -> None:
    first = post(web)
    web.work()
    again = post(web)
    assert (again.status_code, again.json()["id"], again.json()["state"]) == (200, first.json()["id"], "ready")
    assert "retry-after" not in again.headers
    assert (web.work(), len(web.objects())) == (0, 1)


def test_another_request_with_the_same_id_is_refused(web: WebHarness) -> None:
    post(web, {**REQUEST, "id": "wave"})
    problem = assert_problem(post(web, {**REQUEST, "id": "wave", "title": "another"}), 409, "id_taken")
    assert problem["retryable"] is False


def test_an_idempotency_key_is_the_id_of_the_clip(web: WebHarness) -> None:
    assert post(web, key="0b5a-1").json()["id"] == "0b5a-1"
    assert post(web, key='"0b5a-1"').status_code == 200
    assert post(web, {**REQUEST, "id": "0b5a-1"}).status_code == 200
    assert_problem(post(web, {**REQUEST, "title": "x"}, key="0b5a-1"), 409, "id_taken")


@pytest.mark.parametrize(
    ("content", "key", "path"),
    [
        (REQUEST, "a b", "Idempotency-Key"),
        (REQUEST, "../x", "Idempotency-Key"),
        (REQUEST, "x" * 129, "Idempotency-Key"),
        (REQUEST, "", "Idempotency-Key"),
        ([REQUEST], "key", "Idempotency-Key"),
        ({**REQUEST, "id": "other"}, "key", "id"),
    ],
)
def test_an_idempotency_key_that_cannot_be_the_id_is_refused(
    web: WebHarness, content: Any, key: str, path: str
) -> None:
    problem = assert_problem(post(web, content, key=key), 422, "invalid_request")
    assert [fault["path"] for fault in problem["errors"]] == [path]


@pytest.mark.parametrize(
    "repeated", [("Idempotency-Key", "one", "two"), ("Content-Type", "application/json", "text/plain")]
)
def test_a_header_of_which_only_one_can_count_is_refused_twice(web: WebHarness, repeated: tuple[str, str, str]) -> None:
    name, *values = repeated
    answer = web.client.post("/v1/clips", json=REQUEST, headers=[(name, value) for value in values])
    problem = assert_problem(answer, 400, "repeated_header")
    assert name in problem["detail"]
    assert web.get("/v1/clips").json()["items"] == []


def test_an_invalid_request_is_answered_with_every_fault_and_is_not_remembered(web: WebHarness) -> None:
    wrong = {"source": {"recording": "sea.mp4", "start": 3, "end": 1}, "tags": [""], "colour": "red"}
    problem = assert_problem(post(web, wrong, key="wave"), 422, "invalid_request")
    assert {fault["path"] for fault in problem["errors"]} == {"source[0]", "tags[0]", "colour"}
    assert post(web, key="wave").status_code == 202


def test_a_failure_of_the_queue_is_not_remembered(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise QueueUnavailableError

    with monkeypatch.context() as patched:
        patched.setattr(type(web.services.queue), "send", fail)
        problem = assert_problem(post(web, key="wave"), 503, "queue_unavailable")
    assert problem["retryable"] is True
    assert post(web, key="wave").status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"3", b'{"source": 1, "source": 2}', b'{"x": NaN}', b'{"x": ' + b"9" * 200 + b"}",
        b"[" * 5000, b'{"id": "\\ud800"}', b"\xff\xfe\x00", b"[]", b"[" + b"{}," * 100 + b"{}]",
    ],
)  # fmt: skip
def test_a_body_that_is_no_request_is_refused(web: WebHarness, body: bytes) -> None:
    assert_problem(web.client.post("/v1/clips", content=body), 422, "invalid_request")


def test_a_body_that_is_too_large_is_refused_without_reading_it_all(web: WebHarness) -> None:
    sent = 0

    def endless() -> Any:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b" " * 65536

    assert_problem(web.client.post("/v1/clips", content=endless()), 413, "body_too_large")


@pytest.mark.parametrize("name", ["tenant", "legacy"])
def test_fields_that_are_not_for_callers_are_refused(web: WebHarness, name: str) -> None:
    problem = assert_problem(post(web, {**REQUEST, name: ""}), 422, "invalid_request")
    assert problem["errors"][0]["path"] == name


def test_a_list_waits_only_once_for_a_queue_that_does_not_answer(
    web: WebHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fail(*_: object, **__: object) -> None:
        asked.append(True)
        raise QueueUnavailableError

    monkeypatch.setattr(type(web.services.queue), "send", fail)
    found = post(web, [{**REQUEST, "id": "a"}, {"source": {}}, {**REQUEST, "id": "b"}]).json()["items"]
    assert [item["problem"]["reason"] for item in found] == [
        "queue_unavailable",
        "invalid_request",
        "queue_unavailable",
    ]
    assert len(asked) == 1


def test_a_list_has_a_clip_or_a_problem_for_each_item(web: WebHarness) -> None:
    post(web, {**REQUEST, "id": "known"})
    items = [
        {**REQUEST, "id": "new"},
        {**REQUEST, "id": "known"},
        {"source": {}},
        {**REQUEST, "id": "new", "tags": ["x"]},
    ]
    response = post(web, items)
    found = response.json()["items"]
    assert (response.status_code, [item["status"] for item in found]) == (207, [202, 200, 422, 409])
    assert [item["clip"]["id"] for item in found[:2]] == ["new", "known"]
    assert [item["problem"]["reason"] for item in found[2:]] == ["invalid_request", "id_taken"]


def test_moments_without_an_offset_are_on_the_cameras_clock(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(time_zone="UTC,tokyo=Asia/Tokyo")
    span = {"camera": "tokyo", "from": "2026-06-21T19:00:00", "to": "+5s"}
    made = post(web, {"source": span})
    assert made.status_code == 202
    assert made.json()["request"]["source"][0]["from"] == "2026-06-21T10:00:00.000000Z"
    exact = post(web, {"source": {**span, "from": "2026-06-21T10:00:00Z"}})
    assert (exact.status_code, exact.json()["id"]) == (200, made.json()["id"])


def test_a_request_for_several_cameras_has_a_clip_for_each(web: WebHarness) -> None:
    span = {"camera": ["north", "south"], "from": "2026-06-21T10:00:00Z", "to": "2026-06-21T10:00:05Z"}
    response = post(web, {"source": span}, key="wave")
    assert response.status_code == 207
    assert [item["clip"]["id"] for item in response.json()["items"]] == ["wave-north", "wave-south"]


# --- watching --------------------------------------------------------------------------------------


def test_a_finished_clip_says_what_was_really_cut_and_where_it_is(web: WebHarness) -> None:
    clip = web.submit()
    web.work()
    shown = web.get("/v1/clips/wave").json()
    assert without_links(shown) == web.clip(clip.id).public()
    assert shown["result"]["spans"][0]["start"] == "1"
    assert shown["media"]["clip"] == "http://127.0.0.1:8080/v1/media/wave/1/clip.mp4"


def test_a_clip_of_a_recording_that_the_catalogue_knows_says_where_and_when_it_was_recorded(web: WebHarness) -> None:
    web.submit(id="late", source={"recording": "sea.mp4", "start": "50", "end": "60"})
    web.submit(id="frames", source={"recording": "sea.mp4", "start": {"frame": 3}, "end": {"frame": 9}})
    assert "recorded" not in web.get("/v1/clips/late").json()
    web.services.catalogue.put_recording(recording("north", 0).model_copy(update={"key": "sea.mp4"}))
    at = {"camera": "north", "begins": "2026-11-23T10:00:50.000000Z"}
    assert web.get("/v1/clips/late").json()["recorded"] == at
    assert web.get("/v1/clips/frames").json()["recorded"] == {"camera": "north"}, "only the file says when frames are"
    listed = {each["id"]: each["recorded"] for each in web.get("/v1/clips").json()["items"]}
    assert listed == {"late": at, "frames": {"camera": "north"}}
    assert "recorded" not in patch(web, "late", {"title": "Late"}, "*").json(), "only answers to GET ask the catalogue"


def test_clips_are_shown_while_the_catalogue_does_not_answer(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RecordsUnavailableError

    monkeypatch.setattr(web.services.catalogue, "get_recordings", fail)
    web.submit()
    assert web.get("/v1/clips").json()["items"][0]["id"] == "wave"


def test_a_failed_clip_says_why_and_what_to_do(web: WebHarness) -> None:
    def fail(_: int) -> None:
        raise RangeOutsideRecordingError("It ends at 00:00:02.")

    web.cutter.on_step = fail
    web.submit()
    web.work()
    failure = web.get("/v1/clips/wave").json()["failure"]
    assert failure["reason"] == "range_outside_recording"
    assert failure["message"] == "The range does not overlap the recording. It ends at 00:00:02."
    assert failure["type"].endswith("/docs/failures#range_outside_recording")
    assert failure["retryable"] is False
    assert failure["remedy"]


def test_an_unknown_clip_is_a_problem(web: WebHarness) -> None:
    problem = assert_problem(web.get("/v1/clips/none"), 404, "clip_not_found")
    assert problem["detail"] == "There is no clip with this id. The id is none."


def test_a_clip_that_has_not_changed_is_not_sent_again(web: WebHarness) -> None:
    web.submit()
    etag = web.get("/v1/clips/wave").headers["etag"]
    unchanged = web.get("/v1/clips/wave", headers={"If-None-Match": f'"x", W/{etag}'})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", etag)
    web.work()
    changed = web.get("/v1/clips/wave", headers={"If-None-Match": etag})
    assert (changed.status_code, changed.headers["etag"] != etag) == (200, True)


def test_progress_changes_the_etag(web: WebHarness) -> None:
    clip = web.submit()
    claimed = clip.claimed(worker="w", now=web.now(), lease=timedelta(seconds=60))
    assert web.services.records.commit(claimed)
    before = web.get("/v1/clips/wave").headers["etag"]
    progress = claimed.progress.model_copy(update={"fraction": 0.5})
    assert web.services.records.beat("wave", 1, lease_until=web.now(), progress=progress)
    assert web.get("/v1/clips/wave").headers["etag"] != before


def after_the_first_look(web: WebHarness, monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Make `change` in another thread, as soon as the clip was looked at once."""
    looked = threading.Event()
    records = type(web.services.records)
    get_clip = records.get_clip

    def look(self: Any, clip_id: str) -> Clip | None:
        found = get_clip(self, clip_id)
        looked.set()
        return found

    monkeypatch.setattr(records, "get_clip", look)
    threading.Thread(target=lambda: looked.wait(30) and change(), daemon=True).start()


def test_a_long_poll_is_answered_as_soon_as_the_clip_is_finished(
    web: WebHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.submit()
    after_the_first_look(web, monkeypatch, web.work)
    response = web.get("/v1/clips/wave?wait=60")
    assert (response.status_code, response.json()["state"]) == (200, "ready")


def test_a_long_poll_with_an_etag_is_answered_by_any_change(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = web.submit()
    etag = web.get("/v1/clips/wave").headers["etag"]
    claimed = clip.claimed(worker="w", now=web.now(), lease=timedelta(seconds=60))
    after_the_first_look(web, monkeypatch, lambda: web.services.records.commit(claimed))
    response = web.get("/v1/clips/wave?wait=60", headers={"If-None-Match": etag})
    assert (response.status_code, response.json()["state"]) == (200, "processing")


def test_a_long_poll_is_answered_when_the_server_stops(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    web.submit()
    after_the_first_look(web, monkeypatch, web.app.state.events.close)
    began = time.monotonic()
    response = web.get("/v1/clips/wave?wait=60")
    assert (response.status_code, response.json()["state"]) == (200, "queued")
    assert time.monotonic() - began < 30


def test_a_long_poll_without_news_is_answered_when_its_time_is_over(web: WebHarness) -> None:
    web.submit()
    etag = web.get("/v1/clips/wave").headers["etag"]
    assert web.get("/v1/clips/wave?wait=0.2").json()["state"] == "queued"
    assert web.get("/v1/clips/wave?wait=0.2", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "x", "inf"])
def test_a_wait_out_of_bounds_is_refused(web: WebHarness, wait: str) -> None:
    web.submit()
    assert_problem(web.get(f"/v1/clips/wave?wait={wait}"), 422, "invalid_request")


# --- listing ---------------------------------------------------------------------------------------


def listed(web: WebHarness, query: str = "") -> list[str]:
    response = web.get(f"/v1/clips?{query}")
    assert response.status_code == 200, response.text
    return [clip["id"] for clip in response.json()["items"]]


def test_clips_are_found_by_each_filter_and_by_all_together(web: WebHarness) -> None:
    span = {"camera": "north", "from": "2026-06-21T10:00:00Z", "to": "2026-06-21T10:00:05Z"}
    web.submit(id="c0", title="A big Left", tags=["a"])
    web.pass_time(60)
    middle = web.now().isoformat().replace("+00:00", "Z")
    web.submit(id="c1", tags=["a", "b"], source={"recording": "sea.mp4", "start": 2, "end": 3})
    web.submit(id="c2", source=span, tags=["b"])
    web.services.records.commit(web.clip("c1").cancelled(now=web.now(), sweep_at=web.now()))

    assert listed(web) == ["c2", "c1", "c0"]
    assert listed(web, "state=cancelled") == ["c1"]
    assert listed(web, "state=cancelled&state=queued") == ["c2", "c1", "c0"]
    assert listed(web, "camera=north") == ["c2"]
    assert listed(web, "recording=sea.mp4") == ["c1", "c0"]
    assert listed(web, "tag=a") == ["c1", "c0"]
    assert listed(web, "text=left+BIG") == ["c0"]
    assert listed(web, f"from={middle}") == ["c2", "c1"]
    assert listed(web, f"to={middle}") == ["c0"]
    assert listed(web, f"tag=a&recording=sea.mp4&state=queued&text=left&to={middle}") == ["c0"]


def test_pages_are_stable_while_clips_come(web: WebHarness) -> None:
    for number in range(5):
        web.submit(id=f"c{number}")
        web.pass_time(1)
    first = web.get("/v1/clips?limit=2").json()
    web.submit(id="late")
    second = web.get("/v1/clips", params={"limit": 2, "cursor": first["next"]}).json()
    third = web.get("/v1/clips", params={"limit": 2, "cursor": second["next"]}).json()
    pages = [[clip["id"] for clip in page["items"]] for page in (first, second, third)]
    assert (pages, third["next"]) == ([["c4", "c3"], ["c2", "c1"], ["c0"]], None)


def test_totals_are_counted_only_on_request(web: WebHarness) -> None:
    for number in range(3):
        web.submit(id=f"c{number}")
    assert "total" not in web.get("/v1/clips?limit=1").json()
    assert web.get("/v1/clips?limit=1&total=true").json()["total"] == 3


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "cursor=x",
        "state=done",
        "from=yesterday",
        "from=2026-06-21T10:00:00",
        "stat=ready",
        "total=2",
    ],
)
def test_a_wrong_filter_is_refused(web: WebHarness, query: str) -> None:
    assert_problem(web.get(f"/v1/clips?{query}"), 422, "invalid_request")


# --- changing --------------------------------------------------------------------------------------


def test_a_description_changes_and_the_request_stays_the_same_request(web: WebHarness) -> None:
    asked = {**REQUEST, "id": "wave", "title": "Left", "tags": ["a"], "labels": {"surfer": "Ana"}}
    etag = post(web, asked).headers["etag"]
    response = patch(web, "wave", {"title": "Right", "tags": ["b"]}, etag)
    shown = response.json()
    assert (response.status_code, shown["title"], shown["tags"]) == (200, "Right", ["b"])
    assert shown["labels"] == {"surfer": "Ana"}
    assert shown["request"]["title"] == "Left"
    assert (listed(web, "tag=b"), listed(web, "tag=a")) == (["wave"], [])
    assert post(web, asked).status_code == 200
    assert web.get("/v1/clips/wave").headers["etag"] == response.headers["etag"]


def test_a_change_needs_the_present_version_of_the_clip(web: WebHarness) -> None:
    etag = post(web, {**REQUEST, "id": "wave"}).headers["etag"]
    assert_problem(patch(web, "wave", {"title": "x"}, None), 428, "precondition_required")
    assert patch(web, "wave", {"title": "first"}, etag).status_code == 200
    assert_problem(patch(web, "wave", {"title": "second"}, etag), 412, "precondition_failed")
    assert web.get("/v1/clips/wave").json()["title"] == "first"
    assert patch(web, "wave", {"title": "third"}, "*").status_code == 200


def test_a_change_that_loses_a_race_is_refused(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    etag = post(web, {**REQUEST, "id": "wave"}).headers["etag"]
    monkeypatch.setattr(type(web.services.records), "commit", lambda *_, **__: False)
    assert_problem(patch(web, "wave", {"title": "x"}, etag), 412, "precondition_failed")


@pytest.mark.parametrize("content", [{"state": "ready"}, {"title": None}, {"tags": ["x" * 65]}, [], {"id": "x"}])
def test_only_valid_descriptions_are_stored(web: WebHarness, content: Any) -> None:
    etag = post(web, {**REQUEST, "id": "wave"}).headers["etag"]
    assert_problem(patch(web, "wave", content, etag), 422, "invalid_request")


def test_a_clip_is_cancelled_and_retried(web: WebHarness) -> None:
    web.submit()
    cancelled = web.client.post("/v1/clips/wave/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert_problem(web.client.post("/v1/clips/wave/cancel"), 409, "wrong_state")
    retried = web.client.post("/v1/clips/wave/retry")
    assert (retried.status_code, retried.json()["state"]) == (202, "queued")
    web.work()
    assert web.clip("wave").state == "ready"
    assert_problem(web.client.post("/v1/clips/wave/retry"), 409, "wrong_state")


def housekeep(web: WebHarness) -> None:
    from cutback.lifecycle.housekeeping import tidy

    tidy(web.services)


def test_a_deleted_clip_is_gone_with_its_files_after_the_grace(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(delete_grace=60)
    web.submit()
    web.work()
    assert len(web.objects()) == 1
    deleted = web.client.delete("/v1/clips/wave")
    assert deleted.status_code == 200
    assert "delete_at" in deleted.json()
    assert listed(web) == []
    assert_problem(web.client.delete("/v1/clips/wave"), 409, "wrong_state")
    housekeep(web)
    assert len(web.objects()) == 1

    web.pass_time(61)
    assert_problem(web.get("/v1/clips/wave"), 404, "clip_not_found")
    assert_problem(web.client.post("/v1/clips/wave/restore"), 404, "clip_not_found")
    housekeep(web)
    assert (web.objects(), listed(web), web.types()[-1]) == ([], [], "expired")


def test_a_deletion_is_taken_back(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(delete_grace=60)
    web.submit()
    web.work()
    web.client.delete("/v1/clips/wave")
    restored = web.client.post("/v1/clips/wave/restore")
    assert (restored.status_code, restored.json()["state"]) == (200, "ready")
    assert "delete_at" not in restored.json()
    web.pass_time(1000)
    housekeep(web)
    assert (listed(web), len(web.objects())) == (["wave"], 1)
    assert_problem(web.client.post("/v1/clips/wave/restore"), 409, "wrong_state")


def test_deleting_a_clip_that_is_being_made_cancels_it(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(delete_grace=60)
    web.submit()
    assert web.client.delete("/v1/clips/wave").json()["state"] == "cancelled"
    web.work()
    assert web.objects() == []
    assert_problem(web.client.post("/v1/clips/wave/retry"), 409, "wrong_state")


@pytest.mark.parametrize(("seconds", "status"), [(1, 200), (61, 202)])
def test_a_deleted_clip_that_is_requested_again_is_there_again(
    make_web: Callable[..., WebHarness], seconds: int, status: int
) -> None:
    web = make_web(delete_grace=60)
    post(web, key="wave")
    web.work()
    web.client.delete("/v1/clips/wave")
    web.pass_time(seconds)
    housekeep(web)
    assert post(web, key="wave").status_code == status
    web.work()
    housekeep(web)
    assert (web.clip("wave").state, listed(web), len(web.objects())) == ("ready", ["wave"], 1)


def test_a_late_message_does_not_bring_a_deleted_clip_back(make_web: Callable[..., WebHarness]) -> None:
    web = make_web(delete_grace=0)
    clip = web.submit()
    web.work()
    web.client.delete("/v1/clips/wave")
    housekeep(web)
    web.services.queue.send(clip.request.model_dump_json())
    web.work()
    assert (web.objects(), listed(web)) == ([], [])
