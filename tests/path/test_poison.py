"""Messages that are made to stop an installation: each one fails alone, and the next one is handled."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.path.harness import PathHarness
from tests.support.waiting import PATIENCE, eventually, handles

from cutback.cli.app import run
from cutback.domain.cameras.local_time import Zones
from cutback.domain.clips.clip import ClipState
from cutback.domain.requests.batch import requests_in
from cutback.lifecycle import accept, housekeeping
from cutback.lifecycle.dead_letter_index import DeadLetterIndex
from cutback.lifecycle.dead_letters import subject
from cutback.lifecycle.housekeeping import housekeep
from cutback.worker.poll import Worker

RANGE = {"recording": "sea.mp4", "start": 1, "end": 3}
S3_EVENT = {
    "eventName": "ObjectCreated:Put",
    "eventTime": "2026-06-21T10:10:04Z",
    "s3": {"bucket": {"name": "surf"}, "object": {"key": "a.mp4", "size": 0}},
}


def s3_event(**changes: str) -> str:
    text = json.dumps({"Records": [S3_EVENT]})
    for old, new in changes.items():
        text = text.replace({"size": '"size": 0', "time": "2026-06-21T10:10:04Z", "key": "a.mp4"}[old], new)
    return text


POISON = {
    "an exponent that no decimal can have": '{"id": 1e99999999999999999999}',
    "an exponent that fills the memory": s3_event(size='"size": 1e999999999'),
    "a range with such an exponent": '{"id": "x", "source": {"recording": "sea.mp4", "start": 1e-999999999, "end": 2}}',
    "digits without end": '{"id": ' + "9" * 200_000 + "}",
    "a fraction without end": '{"id": "x", "source": {"recording": "s", "start": 0.' + "3" * 200_000 + ', "end": 2}}',
    "one key many times": "{" + ", ".join('"a": 1' for _ in range(20_000)) + "}",
    "a moment before the calendar": s3_event(time="0001-01-01T00:00:00+23:59"),
    "lone surrogate": '{"id": "\\ud800", "source": {"recording": "\\udfff", "start": 1, "end": 2}}',
    "a key of half a megabyte": s3_event(key="%41" * 170_000),
    "nesting": "[" * 200_000,
    "bytes in a literal": "{'clipId': b'x', 'cameraId': 'c', 'startTimestampInMs': 1, 'endTimestampInMs': 2}",
    "a set in a literal": "{'clipId': {'x'}, 'cameraId': 'c', 'startTimestampInMs': 1, 'endTimestampInMs': 2}",
    "dots in a literal": "{'clipId': ..., 'cameraId': 'c', 'startTimestampInMs': 1, 'endTimestampInMs': 2}",
    "a complex number in a literal": "{'clipId': 1j, 'cameraId': 'c', 'startTimestampInMs': 1, 'endTimestampInMs': 2}",
    "a tuple as a key in a literal": "{'clipId': {(1, 2): 3}, 'cameraId': 'c', 'startTimestampInMs': 1}",
    "long hexadecimal in a literal": "{'clipId': 0x" + "f" * 100_000 + ", 'cameraId': 'c'}",
    "deep arithmetic in a literal": "{'clipId': " + "-" * 100_000 + "1}",
    "a literal that is no older message": "{'id': 'x', 'source': {'recording': 'sea.mp4', 'start': 1, 'end': 2}}",
    "an escape sequence as an id": json.dumps({"id": "\x1b[2J", "source": RANGE}),
}


@pytest.mark.parametrize("body", POISON.values(), ids=POISON.keys())
def test_a_poisonous_message_is_refused_at_once_and_the_next_one_is_served(harness: PathHarness, body: str) -> None:
    harness.services.queue.send(body)
    harness.submit()
    began = time.process_time()
    harness.work()
    assert time.process_time() - began < 5
    assert harness.clip("wave").state is ClipState.READY
    (reason,) = harness.dead_reasons()
    assert reason.startswith("The request is invalid."), reason
    housekeep(harness.services)
    (letter,) = harness.services.queue.dead_letters()
    subject(letter)
    assert accept.redrive(harness.services) == 1
    harness.work()
    assert len(harness.dead_reasons()) == 1


def test_listing_and_redriving_survive_dead_letters_of_any_content(
    harness: PathHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    for body in POISON.values():
        harness.services.queue.send(body)
    harness.work()
    data = ["--data", str(harness.settings.data)]
    assert run(["dead-letters", *data]) == 0
    assert run(["--json", "dead-letters", *data]) == 0
    shown = capsys.readouterr().out
    assert len(json.loads(shown.splitlines()[-1])["dead_letters"]) == len(POISON)
    assert run(["redrive", "--all", *data]) == 0


def test_a_dead_letter_is_parsed_and_logged_only_once(
    harness: PathHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(housekeeping, "_dead_letters", DeadLetterIndex())
    parsed: list[str | bytes] = []
    from cutback.lifecycle import dead_letter_index

    read = requests_in

    def counted(body: str | bytes, zones: Zones) -> list[object]:
        parsed.append(body)
        return list(read(body, zones))

    monkeypatch.setattr(dead_letter_index, "requests_in", counted)
    harness.services.queue.send(POISON["nesting"])
    harness.work()
    parsed.clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            housekeep(harness.services)
    assert len(parsed) == 1
    assert sum("quarantined=yes" in record.getMessage() for record in caplog.records) == 1


def test_a_dead_letter_that_triggers_a_parser_bug_is_quarantined_and_the_others_are_handled(
    harness: PathHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_dead_letters", DeadLetterIndex())
    harness.submit()
    (message,) = harness.services.queue.receive()
    harness.services.queue.move_to_dead_letters(message, "its workers died")
    harness.services.queue.send("{}")
    harness.work()
    from cutback.lifecycle import dead_letter_index

    read = requests_in

    def with_a_bug(body: str | bytes, zones: Zones) -> list[object]:
        if body == "{}":
            raise ArithmeticError("a bug")
        return list(read(body, zones))

    monkeypatch.setattr(dead_letter_index, "requests_in", with_a_bug)
    harness.pass_time(10)
    housekeep(harness.services)
    assert harness.clip("wave").state is ClipState.FAILED


def test_an_unexpected_error_does_not_end_a_workers_loop(harness: PathHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness.submit()
    failures = ["receive", "chore"]
    receive = harness.services.queue.receive

    def receive_later(**wishes: object) -> object:
        if "receive" in failures:
            failures.remove("receive")
            raise ArithmeticError("a bug")
        messages = receive(**wishes)  # type: ignore[arg-type]
        if not messages:
            harness.stop.set()
        return messages

    def chore(_services: object) -> None:
        failures.remove("chore")
        raise ArithmeticError("a bug")

    monkeypatch.setattr(harness.services.queue, "receive", receive_later)
    monkeypatch.setattr("cutback.lifecycle.housekeeping.announce", chore)
    monkeypatch.setattr("cutback.worker.poll._PAUSE_SECONDS", 0)
    Worker(harness.services).run(harness.stop)
    assert failures == []
    assert harness.clip("wave").state is ClipState.READY


STUCK = """
import signal, threading
from cutback.worker.signals import stopping_on_signals
with stopping_on_signals(threading.Event()):
    print("ready", flush=True)
    3 ** (10 ** 9)
"""
"""Stuck in one instruction for minutes, as a worker was that expanded an exponent."""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_same_signal_twice_ends_a_process_that_is_stuck_in_one_instruction(number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", STUCK], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        os.kill(process.pid, number)
        eventually(lambda: not handles(process.pid, number), "the kernel's taking the handler away")
        os.kill(process.pid, number)
        assert process.wait(PATIENCE) == -number
    finally:
        process.kill()
        process.communicate()
