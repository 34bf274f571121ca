"""The program that `test_sqlite_kills` kills: its child processes use queue and records until they are killed.

Each child reports `ready`, and for each operation `try WHAT` before it and `did WHAT` after it.
"""

from __future__ import annotations

import random
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

from tests.faults.child_processes import serve, tell

from cutback.adapters.sqlite.queue import SqliteQueue
from cutback.adapters.sqlite.records import SqliteRecords
from cutback.domain.base import utc_now
from cutback.domain.clips.clip import Clip, Progress, new_clip
from cutback.domain.errors import StorageUnavailableError
from cutback.domain.requests.request import validate_request

HIDDEN = timedelta(hours=1)


def write(path: Path, life: str) -> None:
    """Write until killed; the names of what is written begin with `life`."""
    dice = random.Random(life)
    queue = SqliteQueue(path)
    records = SqliteRecords(path)
    tell("ready")
    mine: Clip | None = None
    for number in range(1_000_000):
        name = f"{life}-{number}"
        match dice.randrange(4):
            case 0:
                send(queue, name, dice.randrange(1, 20_000))
            case 1:
                finish(queue, dead_letter=dice.random() < 0.3)
            case 2:
                mine = put(records, name)
            case _:
                mine = change(records, mine) if mine else None


def send(queue: SqliteQueue, name: str, size: int) -> None:
    tell("try send", name)
    queue.send(f"{name} " + "x" * size)
    tell("did send", name)


def finish(queue: SqliteQueue, *, dead_letter: bool) -> None:
    for message in queue.receive(limit=1, visibility=HIDDEN):
        name = message.body.split(" ")[0]
        tell("did receive", name)
        verb = "move" if dead_letter else "delete"
        tell("try", verb, name)
        assert queue.move_to_dead_letters(message, "enough") if dead_letter else queue.delete(message)
        tell("did", verb, name)


def put(records: SqliteRecords, name: str) -> Clip:
    source = {"recording": "sea.mp4", "start": 0, "end": 1}
    clip = new_clip(validate_request({"id": name, "source": source, "tags": ["a", "b"]}), now=utc_now())
    tell("try change", name, clip.revision)
    assert records.put_clip(clip)
    tell("did change", name, clip.revision)
    return clip


def change(records: SqliteRecords, clip: Clip) -> Clip:
    now = utc_now()
    if clip.lease_until is None:
        changed = clip.claimed(worker="writer", now=now, lease=HIDDEN)
    else:
        assert records.beat(clip.id, clip.attempt, lease_until=now + HIDDEN, progress=Progress(frames=7))
        changed = clip.given_back(StorageUnavailableError(), attempt=clip.attempt, now=now)
    tell("try change", changed.id, changed.revision)
    assert records.commit(changed)
    tell("did change", changed.id, changed.revision)
    return changed


if __name__ == "__main__":
    serve(partial(write, Path(sys.argv[1])))
