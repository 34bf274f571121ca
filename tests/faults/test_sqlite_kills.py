"""Processes killed at random moments while they write: what they said was done is done, and nothing by halves."""

from __future__ import annotations

import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from cutback.adapters.queue_sqlite import SqliteQueue
from cutback.adapters.records_sqlite import SqliteRecords

KILLS = int(os.environ.get("CUTBACK_TEST_KILLS", "60"))
LONGEST_LIFE = 0.15
"""Seconds. A life is anything from nothing to this."""

DEADLINE = 60.0
ROOT = Path(__file__).parents[2]


@dataclass
class Told:
    """What the victims said."""

    tried: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    done: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    deaths: list[int] = field(default_factory=list)
    lives_cut_off_at_work: int = 0
    at_work: str = ""

    def hear(self, line: str) -> None:
        words = line.split(" ")
        match words:
            case ["try", verb, name, *rest]:
                self.tried[verb][" ".join([name, *rest])] += 1
                self.at_work = verb
            case ["did", verb, name, *rest]:
                self.done[verb][" ".join([name, *rest])] += 1
                self.at_work = ""
            case ["dead", _, code]:
                self.deaths.append(int(code))
                self.lives_cut_off_at_work += bool(self.at_work)
                self.at_work = ""
            case ["born", _] | ["ready"]:
                pass
            case _:
                raise AssertionError(f"cannot understand {line!r}")


class Nursery:
    """A process whose children are killed."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self.told = Told()
        self._rest = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.sqlite_victim", str(path)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, filter(None, sys.path)))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout

    def live_and_die(self, number: int, seconds: float) -> None:
        """One child, killed `seconds` after its birth."""
        self._stdin.write(f"{self.name}{number}\n".encode())
        child = int(self._listen("born", DEADLINE).split(" ")[1])
        # While it lives it is listened to, or it would come to wait for us.
        assert not self._listen("dead", seconds), "it died by itself"
        os.kill(child, signal.SIGKILL)
        assert self._listen("dead", DEADLINE)

    def close(self) -> None:
        self._stdin.close()
        self._process.wait(DEADLINE)
        self._stdout.close()

    def _listen(self, awaited: str, seconds: float) -> str:
        """The awaited line, or nothing once the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            while b"\n" in self._rest:
                line, self._rest = self._rest.split(b"\n", 1)
                self.told.hear(line.decode())
                if line.decode().startswith(awaited):
                    return line.decode()
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._stdout], [], [], left)[0]:
                return ""
            read = os.read(self._stdout.fileno(), 65_536)
            assert read, "the nursery has ended"
            self._rest += read


def kill_many(path: Path, name: str, kills: int) -> Told:
    dice = random.Random(name)
    nursery = Nursery(path, name)
    try:
        for number in range(kills):
            nursery.live_and_die(number, dice.uniform(0, LONGEST_LIFE))
    finally:
        nursery.close()
    return nursery.told


def test_what_was_acknowledged_survives_any_kill(tmp_path: Path) -> None:
    path = tmp_path / "cutback.sqlite"
    with ThreadPoolExecutor(2) as pool:  # two lives at once: one is killed while the other writes
        told = list(pool.map(lambda name: kill_many(path, name, KILLS // 2), ["a", "b"]))
    assert [code for each in told for code in each.deaths] == [-signal.SIGKILL] * (KILLS // 2 * 2)
    assert sum(each.lives_cut_off_at_work for each in told) > KILLS / 10, "hardly any kill met its mark"

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        alive = Counter(body.split(" ")[0] for (body,) in connection.execute("SELECT body FROM messages"))
        changes = Counter(event_id for (event_id,) in connection.execute("SELECT id FROM events"))
        tags = Counter(clip_id for (clip_id,) in connection.execute("SELECT id FROM clip_tags"))
    _check_messages(path, _sum(told, "send"), alive, told)
    _check_clips(path, told, changes, tags)


def _check_messages(path: Path, sent: tuple[Counter[str], Counter[str]], alive: Counter[str], told: list[Told]) -> None:
    with closing(SqliteQueue(path)) as queue:
        dead = Counter(letter.body.split(" ")[0] for letter in queue.dead_letters(limit=1_000_000))
    tried_send, did_send = sent
    tried_delete, did_delete = _sum(told, "delete")
    tried_bury, did_bury = _sum(told, "bury")
    _, received = _sum(told, "receive")
    assert len(did_send) > KILLS
    assert len(did_delete) > KILLS / 4

    assert max(received.values()) == 1, "a message hidden for an hour was delivered twice"
    assert max((alive + dead).values()) == 1, "a message is there twice"
    assert set(did_send) - set(tried_delete) <= set(alive) | set(dead), "a message that was sent is lost"
    assert set(alive) | set(dead) <= set(tried_send), "a message that nobody sent"
    assert set(did_delete).isdisjoint(alive + dead), "a message that was deleted is back"
    assert set(did_bury) <= set(dead) <= set(tried_bury), "a message that was given up is elsewhere"


def _check_clips(path: Path, told: list[Told], changes: Counter[str], tags: Counter[str]) -> None:
    tried, done = _sum(told, "change")
    assert len(done) > KILLS
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


def _sum(told: list[Told], verb: str) -> tuple[Counter[str], Counter[str]]:
    tried = sum((each.tried[verb] for each in told), Counter[str]())
    done = sum((each.done[verb] for each in told), Counter[str]())
    return tried, done
