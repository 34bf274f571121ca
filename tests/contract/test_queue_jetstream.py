"""JetStreamQueue on a real server: the queue contract as far as JetStream promises it, and what only this one does."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.contract.jetstream_queues import JetStreamQueueFactory, open_queue
from tests.contract.queue_contract import LONG, QueueContract, take
from tests.support.nats_server import NatsServer, free_port
from tests.support.sampling import slow_except
from tests.support.waiting import Stopwatch, eventually

from cutback.adapters.build import build
from cutback.adapters.nats.connection import ROOM
from cutback.adapters.nats.messages import DEDUPLICATION
from cutback.adapters.nats.queue import JetStreamQueue
from cutback.adapters.nats.stored import read
from cutback.domain.errors import MessageRefusedError, QueueUnavailableError, SettingsError
from cutback.ports import Message, QueueDepth
from cutback.settings.settings import Settings


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture
def queues(server: NatsServer) -> Iterator[JetStreamQueueFactory]:
    queues = JetStreamQueueFactory(server.url)
    yield queues
    queues.close()


class TestJetStreamQueue(QueueContract):
    """What JetStream promises of the contract; JetStreamQueue's docstring says where it is less."""

    ordered = False
    exact_receipts = False
    exact_depth = False
    crowd = 200


# --- the server's own timers ---------------------------------------------------------------------


@pytest.fixture
def queue(server: NatsServer) -> Iterator[JetStreamQueue]:
    """A queue on the real clock."""
    queue = open_queue(server.url(uuid.uuid4().hex))
    yield queue
    queue.close()


def test_a_message_returns_by_the_servers_clock(queue: JetStreamQueue) -> None:
    watch, began = Stopwatch(), time.monotonic()
    queue.send("one")
    (first,) = queue.receive(visibility=timedelta(seconds=1))
    (second,) = queue.receive(wait=LONG)
    assert time.monotonic() - began >= 1
    assert watch.seconds() < LONG.total_seconds() / 2
    assert (first.id, second.receive_count) == (second.id, 2)
    assert queue.extend(second, timedelta(seconds=1))
    (third,) = queue.receive(wait=LONG)
    assert third.receive_count == 3
    assert time.monotonic() - began >= 2


def test_a_delayed_message_comes_by_the_servers_clock(queue: JetStreamQueue) -> None:
    watch, began = Stopwatch(), time.monotonic()
    message_id = queue.send("later", delay=timedelta(seconds=1))
    assert QueueDepth(0, 0, 1, 0) == queue.depth()
    (message,) = queue.receive(wait=LONG)
    assert time.monotonic() - began >= 1
    assert watch.seconds() < LONG.total_seconds() / 2
    assert (message_id, "later", 1) == (message.id, message.body, message.receive_count)
    assert abs(datetime.now(UTC) - message.sent_at) >= timedelta(seconds=1)
    assert queue.delete(message)
    assert QueueDepth(0, 0, 0, 0) == queue.depth()


# --- what only this one does ---------------------------------------------------------------------


def test_other_programs_may_send(queue: JetStreamQueue) -> None:
    queue.check()
    stream = queue._names.stream
    before = datetime.now(UTC)
    queue._connection.run(queue._connection.ask(f"cutback.queue.{stream}.new", b'{"id": "a"}'))
    message = take(queue)
    assert (message.body, message.receive_count) == ('{"id": "a"}', 1)
    assert abs(message.sent_at - before) < timedelta(minutes=1)
    assert queue.move_to_dead_letters(message, "enough")
    assert queue.redrive([message.id]) == 1
    assert (message.id, message.body) == (take(queue).id, message.body)


@pytest.mark.parametrize("reason", ["enough", "🏄" * 2000])
def test_a_message_that_leaves_no_room_for_headers_becomes_a_dead_letter_without_its_end(
    queue: JetStreamQueue, reason: str
) -> None:
    queue.check()
    most = queue._connection.run(queue._connection.client()).max_payload
    body = ("ä" * (most // 2)).encode()[: most - 100]
    queue._connection.run(queue._connection.ask(f"cutback.queue.{queue._names.stream}.new", body))
    assert queue.move_to_dead_letters(take(queue), reason)
    (letter,) = queue.dead_letters()
    assert body.decode().startswith(letter.body)
    assert len(letter.body.encode()) > most - 10_000
    assert f"of {len(body)} bytes. {reason[:6]}" in letter.reason
    assert QueueDepth(0, 0, 0, 1) == queue.depth()


def test_a_reason_of_any_length_fits(queue: JetStreamQueue) -> None:
    queue.send("x" * (queue._connection.run(queue._connection.client()).max_payload - ROOM))
    assert queue.move_to_dead_letters(take(queue), "🏄" * 2000)
    assert {"🏄"} == {*queue.dead_letters()[0].reason}


def test_a_message_given_up_twice_is_one_dead_letter(queue: JetStreamQueue) -> None:
    """As after a crash between storing the letter and deleting the message."""
    queue.send("one")
    message = take(queue)
    letters = queue._dead_letters
    sequence = int(message.receipt.split(".")[5])
    queue._connection.run(letters.add(message, sequence, "first", 1))
    assert queue.extend(message, timedelta())
    assert queue.move_to_dead_letters(take(queue), "second")
    assert [message.id] == [letter.id for letter in queue.dead_letters()]
    assert QueueDepth(0, 0, 0, 1) == queue.depth()


def test_a_worker_that_dies_with_the_message_each_time_does_not_stop_the_queue(server: NatsServer) -> None:
    """Each delivery goes to a connection that ends without a word."""
    url = server.url(uuid.uuid4().hex)
    sender = open_queue(url)
    message_id = sender.send("poison")
    sender.close()
    for count in (1, 2, 3):
        worker = open_queue(url, visibility=timedelta(seconds=0.2), max_receives=3)
        (message,) = worker.receive(wait=LONG)
        assert count == message.receive_count
        worker.close()
    worker = open_queue(url, max_receives=3)
    eventually(lambda: worker.receive() == [] and worker.dead_letters(), "the message dies")
    (letter,) = worker.dead_letters()
    assert (message_id, 3) == (letter.id, letter.receive_count)
    worker.close()


def test_dead_letters_with_gaps_between_them_are_listed(queue: JetStreamQueue) -> None:
    queue.send_all(str(number) for number in range(30))
    ids = []
    for _ in range(3):
        for message in queue.receive(limit=10):
            assert queue.move_to_dead_letters(message, "enough")
            ids.append(message.id)
    assert queue.redrive(ids[5:28]) == 23
    kept = ids[:5] + ids[28:]
    assert kept[::-1] == [letter.id for letter in queue.dead_letters()]
    assert kept[:-4:-1] == [letter.id for letter in queue.dead_letters(limit=3)]


def test_a_letter_that_another_process_sent_back_long_ago_is_not_sent_again(queue: JetStreamQueue) -> None:
    """As by a process that was paused between reading and sending it for longer than JetStream remembers."""
    queue.send("one")
    message = take(queue)
    assert queue.move_to_dead_letters(message, "enough")
    letters, run = queue._dead_letters, queue._connection.run
    stored = run(read(queue._connection, queue._names.dead_stream, {"last_by_subj": queue._names.dead}))
    assert stored is not None
    assert queue.redrive() == 1
    assert queue.delete(take(queue))
    stream = queue._names.stream
    config = run(queue._connection.ask(f"$JS.API.STREAM.INFO.{stream}"))["config"]
    run(queue._connection.ask(f"$JS.API.STREAM.UPDATE.{stream}", {**config, "duplicate_window": 100_000_000}))
    subject, header = f"cutback.queue.{stream}.new", {DEDUPLICATION: "forgotten"}

    def forgets() -> bool:
        answer = run(queue._connection.ask(subject, b"x", headers=header))
        return not answer.get("duplicate") and queue.delete(take(queue))

    run(queue._connection.ask(subject, b"x", headers=header))
    assert queue.delete(take(queue))
    eventually(forgets, "JetStream forgets what was sent")
    assert run(letters._send_back(stored)) is False
    assert QueueDepth(0, 0, 0, 0) == queue.depth()


def test_a_body_that_the_server_would_not_take_is_refused(queue: JetStreamQueue) -> None:
    queue.send("x" * 1_000_000)
    with pytest.raises(MessageRefusedError, match="1100000 bytes"):
        queue.send("x" * 1_100_000)
    with pytest.raises(MessageRefusedError, match="surrogate"):
        queue.send("\ud800")
    assert queue.move_to_dead_letters(take(queue), "波" * 5000)
    (letter,) = queue.dead_letters()
    assert letter.reason == "波" * 500


def remove(queue: JetStreamQueue, what: str) -> None:
    """Delete something of the queue as an administrator would."""
    verb, name = (
        ("CONSUMER", "{0}.workers") if what == "consumer" else ("STREAM", "{0}-dead" if what == "dead" else "{0}")
    )
    call = f"$JS.API.{verb}.DELETE.{name.format(queue._names.stream)}"
    assert queue._connection.run(queue._connection.ask(call))["success"]


USES: dict[str, Callable[[JetStreamQueue, Message], object]] = {
    "send": lambda queue, _: queue.send("two"),
    "delay": lambda queue, _: queue.send("two", delay=timedelta(minutes=1)),
    "send together": lambda queue, _: queue.send_all(["two", "three"]),
    "receive": lambda queue, _: queue.receive(),
    "depth": lambda queue, _: queue.depth(),
    "list": lambda queue, _: queue.dead_letters(),
    "redrive": lambda queue, _: queue.redrive(),
    "age": lambda queue, _: queue.nothing_sent_before(),
    "extend": lambda queue, held: queue.extend(held, LONG),
    "delete": lambda queue, held: queue.delete(held),
    "move": lambda queue, held: queue.move_to_dead_letters(held, "enough"),
}


@pytest.mark.parametrize("what", ["stream", "dead", "consumer"])
@pytest.mark.parametrize("use", slow_except(USES, "send", "depth"))
def test_what_an_administrator_deletes_is_created_by_the_next_that_needs_it(
    queue: JetStreamQueue, monkeypatch: pytest.MonkeyPatch, what: str, use: str
) -> None:
    """Messages are lost with their stream, but nothing fails."""
    queue.send("one")
    held = take(queue)
    remove(queue, what)
    monkeypatch.setattr("cutback.adapters.nats.connection.PATIENCE_SECONDS", 3)
    USES[use](queue, held)
    queue.send("last")
    eventually(lambda: "last" in {each.body for each in queue.receive()}, "it goes on")
    assert len(queue.dead_letters()) == queue.depth().dead


def test_a_stream_made_for_something_else_is_refused_by_name(server: NatsServer) -> None:
    queue = open_queue(server.url(uuid.uuid4().hex), setting="CUTBACK_WEBHOOK_QUEUE_URL")
    name = queue._names.stream
    queue._connection.run(
        queue._connection.ask(f"$JS.API.STREAM.CREATE.{name}", {"name": name, "subjects": [f"{name}.>"]})
    )
    with pytest.raises(SettingsError, match=f"CUTBACK_WEBHOOK_QUEUE_URL: the stream {name} exists"):
        queue.check()
    queue.close()


def test_more_replicas_than_servers_are_refused(server: NatsServer) -> None:
    queue = open_queue(server.url(f"{uuid.uuid4().hex}?replicas=3"))
    with pytest.raises(SettingsError, match="cannot keep 3 replicas"):
        queue.check()
    queue.close()


def test_a_queue_whose_servers_do_not_answer_is_unavailable_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cutback.adapters.nats.connection.PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr("cutback.adapters.nats.connection.ANSWER_SECONDS", 0.5)
    url = f"nats://127.0.0.1:{free_port()}/clips"
    with (
        build(Settings.model_validate({"data": tmp_path, "queue_url": url})) as services,
        pytest.raises(QueueUnavailableError, match=r"CUTBACK_QUEUE_URL: 127\.0\.0\.1:\d+: no server answers"),
    ):
        services.check()


def test_a_queue_survives_a_restart_of_its_server_and_goes_on(tmp_path: Path) -> None:
    with NatsServer(tmp_path) as server:
        queue = open_queue(server.url("clips"))
        queue.send_all(["dead", "kept"])
        queue.send("delayed", delay=timedelta(minutes=10))
        queue.move_to_dead_letters(take(queue), "enough")
        server.kill()
        server.start()
        assert QueueDepth(1, 0, 1, 1) == queue.depth()
        assert take(queue).body == "kept"
        assert queue.send("after the restart")
        assert take(queue).body == "after the restart"
        queue.close()


def test_a_closed_queue_opens_again_and_leaves_no_thread(queue: JetStreamQueue) -> None:
    queue.send("one")
    queue.close()
    assert "nats" not in {thread.name for thread in threading.enumerate()}
    assert take(queue).body == "one"


def test_passwords_and_tokens_are_needed_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with NatsServer(tmp_path, more='authorization { user: "sea", password: "se/cret" }') as server:
        right = open_queue(f"nats://sea:se%2Fcret@{server.host}/clips")
        right.check()
        right.close()
        monkeypatch.setattr("cutback.adapters.nats.connection.PATIENCE_SECONDS", 0.1)
        monkeypatch.setattr("cutback.adapters.nats.connection.ANSWER_SECONDS", 1)
        for who in ("", "sea:wrong@", "wrong@"):
            wrong = open_queue(f"nats://{who}{server.host}/clips")
            with pytest.raises(QueueUnavailableError) as caught:
                wrong.check()
            assert "wrong" not in caught.value.detail.replace("credentials are wrong", "")
            wrong.close()
