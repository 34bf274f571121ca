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
from tests.support.poison import POISON
from tests.support.waiting import PATIENCE, eventually, handles

from cutback.cli.app import run
from cutback.domain.clips.clip import ClipState
from cutback.domain.requests.batch import requests_in
from cutback.domain.requests.rules import RequestRules
from cutback.lifecycle import accept, housekeeping
from cutback.lifecycle.dead_letter_index import DeadLetterIndex
from cutback.lifecycle.dead_letters import subject
from cutback.lifecycle.housekeeping import housekeep
from cutback.worker.poll import Worker


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

    def counted(body: str | bytes, rules: RequestRules) -> list[object]:
        parsed.append(body)
        return list(read(body, rules))

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

    def with_a_bug(body: str | bytes, rules: RequestRules) -> list[object]:
        if body == "{}":
            raise ArithmeticError("a bug")
        return list(read(body, rules))

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
from collections import deque
from itertools import repeat
from cutback.worker.signals import stopping_on_signals
with stopping_on_signals(threading.Event()):
    print("ready", flush=True)
    deque(repeat(None), maxlen=0)
"""
"""Stuck in one instruction for ever, which does not look for signals as arithmetic with long numbers does."""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_same_signal_twice_ends_a_process_that_is_stuck_in_one_instruction(number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", STUCK], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        before = _ticks(process.pid)
        eventually(lambda: _ticks(process.pid) > before + 20, "its being stuck")
        os.kill(process.pid, number)
        eventually(lambda: not handles(process.pid, number), "the kernel's taking the handler away")
        os.kill(process.pid, number)
        assert process.wait(PATIENCE) == -number
    finally:
        process.kill()
        process.communicate()


def _ticks(pid: int) -> int:
    """The processor time that a process has taken, in hundredths of a second."""
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11])
