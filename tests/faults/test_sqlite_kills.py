"""Processes killed at random moments while they write: what they reported as done is done, and nothing is half done."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.faults.child_processes import ChildProcesses

from cutback.adapters.sqlite.queue import SqliteQueue
from cutback.adapters.sqlite.records import SqliteRecords

LONGEST_LIFE = 0.15
"""Seconds. A life is anything from nothing to this."""


@dataclass
class Reports:
    """What the writing processes reported."""

    tried: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    done: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    deaths: list[int] = field(default_factory=list)
    lives_cut_off_at_work: int = 0
    at_work: str = ""

    def have_done(self, least: int) -> bool:
        """Whether enough messages were sent and deleted, and clips changed, to judge from."""
        done = {verb: len(names) for verb, names in self.done.items()}
        return min(done.get("send", 0), done.get("change", 0), 4 * done.get("delete", 0)) > least

    def hear(self, line: str) -> None:
        words = line.split(" ")
        match words:
            case ["try", verb, name, *rest]:
                self.tried[verb][" ".join([name, *rest])] += 1
                self.at_work = verb
            case ["did", verb, name, *rest]:
                self.done[verb][" ".join([name, *rest])] += 1
                self.at_work = ""
            case ["ended", _, code]:
                self.deaths.append(int(code))
                self.lives_cut_off_at_work += bool(self.at_work)
                self.at_work = ""
            case ["started", _] | ["ready"]:
                pass
            case _:
                raise AssertionError(f"cannot understand {line!r}")


def kill_many(path: Path, name: str, hits: int) -> Reports:
    """Kill until so many kills have hit in the middle of an operation: tried, but not yet done.

    And until enough was done between the kills: on a busy machine, many lives end before they have done anything.
    """
    dice = random.Random(name)
    reports = Reports()
    children = ChildProcesses(name, "tests.faults.sqlite_writer", path, hear=reports.hear)
    try:
        while reports.lives_cut_off_at_work < hits or not reports.have_done(hits):
            assert len(reports.deaths) < 100 * hits + 10, "hardly any kill meets its mark"
            children.start_and_kill(len(reports.deaths), dice.uniform(0, LONGEST_LIFE))
    finally:
        children.close()
    return reports


def test_what_was_acknowledged_survives_any_kill(tmp_path: Path) -> None:
    check_kills(tmp_path / "cutback.sqlite", 40)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_what_was_acknowledged_survives_a_thousand_kills(tmp_path: Path) -> None:
    """CUTBACK_TEST_COMMIT_KILLS kills (1,000), each in the middle of an operation."""
    check_kills(tmp_path / "cutback.sqlite", int(os.environ.get("CUTBACK_TEST_COMMIT_KILLS", "1000")))


def check_kills(path: Path, hits: int) -> None:
    with ThreadPoolExecutor(2) as pool:  # two lives at once: one is killed while the other writes
        reports = list(pool.map(lambda name: kill_many(path, name, (hits + 1) // 2), ["a", "b"]))
    kills = [code for each in reports for code in each.deaths]
    assert set(kills) == {-signal.SIGKILL}

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        alive = Counter(body.split(" ")[0] for (body,) in connection.execute("SELECT body FROM messages"))
        changes = Counter(event_id for (event_id,) in connection.execute("SELECT id FROM events"))
        tags = Counter(clip_id for (clip_id,) in connection.execute("SELECT id FROM clip_tags"))
    _check_messages(path, hits, alive, reports)
    _check_clips(path, hits, changes, tags, reports)


def _check_messages(path: Path, hits: int, alive: Counter[str], reports: list[Reports]) -> None:
    with closing(SqliteQueue(path)) as queue:
        dead = Counter(letter.body.split(" ")[0] for letter in queue.dead_letters(limit=1_000_000))
    tried_send, did_send = _sum(reports, "send")
    tried_delete, did_delete = _sum(reports, "delete")
    tried_move, did_move = _sum(reports, "move")
    _, received = _sum(reports, "receive")
    assert len(did_send) > hits
    assert len(did_delete) > hits / 4

    assert max(received.values()) == 1, "a message hidden for an hour was delivered twice"
    assert max((alive + dead).values()) == 1, "a message is there twice"
    assert set(did_send) - set(tried_delete) <= set(alive) | set(dead), "a message that was sent is lost"
    assert set(alive) | set(dead) <= set(tried_send), "a message that nobody sent"
    assert set(did_delete).isdisjoint(set(alive) | set(dead)), "a message that was deleted is back"
    assert set(did_move) <= set(dead) <= set(tried_move), "a message that was given up is elsewhere"


def _check_clips(path: Path, hits: int, changes: Counter[str], tags: Counter[str], reports: list[Reports]) -> None:
    tried, done = _sum(reports, "change")
    assert len(done) > hits
    revisions: dict[str, int] = {}
    for change in done:
        name, revision = change.split(" ")
        revisions[name] = max(revisions.get(name, 0), int(revision))
    stored: dict[str, int] = {}
    with closing(SqliteRecords(path)) as records:
        for name in {change.split(" ")[0] for change in tried}:
            clip = records.get_clip(name)
            if clip is not None:
                stored[name] = clip.revision
    assert [name for name, revision in revisions.items() if stored.get(name, 0) < revision] == []
    every_change = {f"{name}.{number}" for name, last in stored.items() for number in range(1, last + 1)}
    assert every_change == set(changes), "a change without its event, or an event without its change"
    assert dict.fromkeys(stored, 2) == dict(tags), "a clip without its tags, or tags without their clip"


def _sum(reports: list[Reports], verb: str) -> tuple[Counter[str], Counter[str]]:
    tried = sum((each.tried[verb] for each in reports), Counter[str]())
    done = sum((each.done[verb] for each in reports), Counter[str]())
    return tried, done
