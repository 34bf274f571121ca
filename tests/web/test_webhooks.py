"""Registered webhooks over HTTP, against a real receiver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from tests.support.receiver import Receiver, receiving
from tests.web.harness import WebHarness, assert_problem

from cutback.lifecycle import webhooks
from cutback.worker.webhooks import Deliverer


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def register(web: WebHarness, receiver: Receiver, **fields: Any) -> dict[str, Any]:
    response = web.client.post("/v1/webhooks", json={"url": receiver.url + "/hook", **fields})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/v1/webhooks/{found['id']}"
    return found


def deliver(web: WebHarness) -> int:
    deliverer, count = Deliverer(web.services), 0
    while deliverer.deliver_waiting():
        count += 1
    return count


def change(web: WebHarness, webhook: dict[str, Any], **changes: Any) -> dict[str, Any]:
    response = web.client.patch(f"/v1/webhooks/{webhook['id']}", json=changes)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def log(web: WebHarness, webhook: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = web.get(f"/v1/webhooks/{webhook['id']}/deliveries").json()["items"]
    return found


def test_a_registered_webhook_receives_every_event_signed_with_its_own_secret(
    web: WebHarness, receiver: Receiver
) -> None:
    webhook = register(web, receiver)
    web.submit(id="one")
    web.work()
    deliver(web)
    events = [Webhook(webhook["secret"]).verify(body, headers) for _, headers, body in receiver.came]
    assert events == [event.body() for event in web.events()]
    assert {path for path, _, _ in receiver.came} == {"/hook"}


def test_the_secret_is_shown_once(web: WebHarness, receiver: Receiver) -> None:
    webhook = register(web, receiver, description="mine")
    shown = [web.get(f"/v1/webhooks/{webhook['id']}").json(), web.get("/v1/webhooks").json()["items"][0]]
    without = {name: value for name, value in webhook.items() if name != "secret"}
    assert shown == [without, without]
    assert without["description"] == "mine"


def test_a_webhook_receives_only_what_its_filter_lets_pass(web: WebHarness, receiver: Receiver) -> None:
    register(web, receiver, states=["ready"])
    register(web, receiver, url=receiver.url + "/north", cameras=["north"])
    span = {"camera": "north", "from": "2026-06-21T05:30:00Z", "to": "2026-06-21T05:31:00Z"}
    web.submit(id="one")
    web.submit(id="two", source=[span])
    web.work()
    deliver(web)
    got = {(path, headers["webhook-id"].split(".")[0]) for path, headers, _ in receiver.came}
    assert got == {("/hook", "one"), ("/north", "two")}


def test_only_webhooks_that_ask_for_it_receive_changes_that_keep_the_state(
    make_web: Callable[..., WebHarness], receiver: Receiver
) -> None:
    web = make_web(webhook_urls=(receiver.url + "/settings",))
    register(web, receiver)
    asking = register(web, receiver, url=receiver.url + "/asking", changes=True)
    register(web, receiver, url=receiver.url + "/failed", changes=True, states=["failed"])
    web.submit(id="wave", webhook=receiver.url + "/request")
    web.work()
    deliver(web)
    states = len(receiver.came)
    assert {path for path, _, _ in receiver.came} == {"/settings", "/hook", "/asking", "/request"}

    web.client.patch("/v1/clips/wave", json={"title": "Left"}, headers={"If-Match": "*"})
    deliver(web)
    [(path, headers, body)] = receiver.came[states:]
    assert path == "/asking"
    assert Webhook(asking["secret"]).verify(body, headers)["type"] == "clip.changed"
    assert change(web, asking, changes=False)["changes"] is False


def test_a_paused_webhook_receives_nothing_and_catches_up_from_a_position(web: WebHarness, receiver: Receiver) -> None:
    webhook = register(web, receiver)
    web.submit(id="one")
    deliver(web)
    position = web.services.records.last_position()
    assert change(web, webhook, paused=True)["paused"] is True
    web.submit(id="two")
    web.work()
    deliver(web)
    assert [headers["webhook-id"] for _, headers, _ in receiver.came] == ["one.1"]
    change(web, webhook, paused=False)
    answer = web.client.post(f"/v1/webhooks/{webhook['id']}/redeliver", json={"after": position})
    deliver(web)
    later = [event.id for event in web.events()][1:]
    assert (answer.status_code, answer.json()) == (202, {"queued": len(later), "next": None})
    assert [headers["webhook-id"] for _, headers, _ in receiver.came] == ["one.1", *later]


def test_a_delivery_that_was_queued_before_the_pause_is_dropped(web: WebHarness, receiver: Receiver) -> None:
    webhook = register(web, receiver)
    web.submit(id="one")
    change(web, webhook, paused=True)
    assert (deliver(web), receiver.came) == (1, [])


def test_redelivery_goes_on_where_it_stopped(
    web: WebHarness, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "REDELIVERED_AT_ONCE", 4)
    webhook = register(web, receiver, states=["queued"])
    for number in range(10):
        web.submit(id=f"clip-{number}")
    deliver(web)
    receiver.came.clear()
    following: int | None = 0
    while following is not None:
        found = web.client.post(f"/v1/webhooks/{webhook['id']}/redeliver", json={"after": following}).json()
        following = found["next"]
    deliver(web)
    assert [headers["webhook-id"] for _, headers, _ in receiver.came] == [f"clip-{number}.1" for number in range(10)]


def test_both_secrets_sign_for_a_day_after_a_rotation(web: WebHarness, receiver: Receiver) -> None:
    webhook = register(web, receiver)
    rotated = web.client.post(f"/v1/webhooks/{webhook['id']}/secret").json()
    assert rotated["secret"] != webhook["secret"]
    web.submit(id="one")
    deliver(web)
    web.pass_time(25 * 3600)
    web.submit(id="two")
    deliver(web)
    (_, first, first_body), (_, second, second_body) = receiver.came
    now = {"webhook-timestamp": first["webhook-timestamp"]}
    for secret in (webhook["secret"], rotated["secret"]):
        assert Webhook(secret).verify(first_body, {**first, **now})
    del second_body
    assert len(first["webhook-signature"].split()) == 2
    assert len(second["webhook-signature"].split()) == 1


def test_an_old_secret_does_not_sign_after_its_day(web: WebHarness, receiver: Receiver) -> None:
    webhook = register(web, receiver)
    web.client.post(f"/v1/webhooks/{webhook['id']}/secret")
    web.client.post(f"/v1/webhooks/{webhook['id']}/secret")
    web.submit(id="one")
    deliver(web)
    with pytest.raises(WebhookVerificationError):
        Webhook(webhook["secret"]).verify(receiver.came[0][2], receiver.came[0][1])


def test_the_log_has_every_try_newest_first(make_web: Callable[..., WebHarness], receiver: Receiver) -> None:
    web = make_web(webhook_delays=(1, 1))
    webhook = register(web, receiver)
    receiver.statuses = [500, 302, 204]
    web.submit(id="one")
    for _ in range(3):
        deliver(web)
        web.pass_time(2)
    found = [(each["event"], each["attempt"], each["outcome"], each.get("status")) for each in log(web, webhook)]
    assert found == [("one.1", 3, "delivered", 204), ("one.1", 2, "retried", 302), ("one.1", 1, "retried", 500)]
    assert "answered 500" in log(web, webhook)[2]["error"]


def test_the_log_is_bounded(web: WebHarness, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "KEPT_TRIES", 5)
    monkeypatch.setattr(webhooks, "_PRUNE_EVERY", 1)
    webhook = register(web, receiver)
    for number in range(9):
        web.submit(id=f"clip-{number}")
        deliver(web)
    assert [each["event"] for each in log(web, webhook)] == [f"clip-{number}.1" for number in range(8, 3, -1)]


def test_a_test_event_is_sent_at_once_and_its_answer_returned(web: WebHarness, receiver: Receiver) -> None:
    webhook = register(web, receiver, paused=True)
    receiver.statuses = [204, 500]
    first = web.client.post(f"/v1/webhooks/{webhook['id']}/test").json()
    second = web.client.post(f"/v1/webhooks/{webhook['id']}/test").json()
    event = Webhook(webhook["secret"]).verify(receiver.came[0][2], receiver.came[0][1])
    assert (event["type"], event["id"]) == ("webhook.test", first["event"])
    assert (first["outcome"], first["status"]) == ("delivered", 204)
    assert (second["outcome"], second["status"], second["error"]) == (
        "abandoned", 500, "the receiver answered 500 (1 tries)",
    )  # fmt: skip
    assert [each["event"] for each in log(web, webhook)] == [second["event"], first["event"]]


def test_a_removed_webhook_is_gone_with_its_log_and_its_queued_deliveries(web: WebHarness, receiver: Receiver) -> None:
    webhook = register(web, receiver)
    web.client.post(f"/v1/webhooks/{webhook['id']}/test")
    web.submit(id="one")
    receiver.came.clear()
    assert web.client.delete(f"/v1/webhooks/{webhook['id']}").status_code == 204
    for response in (
        web.get(f"/v1/webhooks/{webhook['id']}"),
        web.client.delete(f"/v1/webhooks/{webhook['id']}"),
        web.get(f"/v1/webhooks/{webhook['id']}/deliveries"),
    ):
        assert_problem(response, 404, "not_found")
    deliver(web)
    assert receiver.came == []
    assert web.services.registry.list("webhook_delivery").documents == []


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "http://example.com/hook"},
        {"url": "ftp://example.com/hook"},
        {"url": "https://user:password@example.com/hook"},
        {"url": "https://169.254.169.254/latest"},
        {"url": "https://10.0.0.1/"},
        {"url": "https://[::1]/"},
        {"url": "https://[::ffff:10.0.0.1]/"},
        {"url": "https://example.com/\r\nX-Header: 1"},
        {"url": "https://example.com/hook", "states": ["lost"]},
        {"url": "https://example.com/hook", "secret": "mine"},
        {},
    ],
)
def test_what_is_no_webhook_is_refused(web: WebHarness, fields: dict[str, Any]) -> None:
    assert_problem(web.client.post("/v1/webhooks", json=fields), 422, "invalid_request")
    assert web.get("/v1/webhooks").json() == {"items": [], "next": None}


def test_loopback_is_refused_where_requests_may_come_from_anywhere(
    make_web: Callable[..., WebHarness], receiver: Receiver
) -> None:
    web = make_web()
    webhook = register(web, receiver)
    shared = web.another(settings=web.settings.model_copy(update={"source_store": "s3://recordings"}))
    web.submit(id="one")
    Deliverer(shared).deliver_waiting()
    assert receiver.came == []
    assert "not a public address" in log(web, webhook)[0]["error"]


def test_there_is_a_limit(web: WebHarness, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MOST_WEBHOOKS", 2)
    register(web, receiver)
    register(web, receiver)
    response = web.client.post("/v1/webhooks", json={"url": receiver.url})
    assert_problem(response, 409, "too_many")


def test_lists_have_pages(web: WebHarness, receiver: Receiver) -> None:
    made = sorted(register(web, receiver)["id"] for _ in range(5))
    first = web.get("/v1/webhooks?limit=3").json()
    second = web.get(f"/v1/webhooks?limit=3&cursor={first['next']}").json()
    assert [each["id"] for each in first["items"] + second["items"]] == made
    assert second["next"] is None
    assert_problem(web.get("/v1/webhooks?cursor=nonsense"), 422, "invalid_request")
