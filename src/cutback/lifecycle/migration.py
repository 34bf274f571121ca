"""Copies the records from one database into another, so that it can be interrupted and continued, and checks the copy.

Nothing is removed from the source. What the target has already is not written again, so a copy that was interrupted
goes on where it stopped. At the end both are read once more, and must be the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cutback.domain.base import read_stored
from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.errors import MigrationRefusedError
from cutback.domain.workers import KIND as WORKER
from cutback.domain.workers import WorkerNote
from cutback.ports import COPIED_KINDS, CopiedKind, Copies, Item

PAGE = 200
"""Items that are copied at a time."""

OnProgress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """The items of a kind, which source and target agree on."""

    kind: CopiedKind
    count: int
    digest: str
    """SHA-256 over the items, in hexadecimal digits."""
    written: int
    """How many of them this run has written."""


def migrate(
    source: Copies, target: Copies, *, now: datetime, on_progress: OnProgress = lambda _fraction, _remark: None
) -> list[Copied]:
    """Copy everything, and check the copy.

    Raises:
        MigrationRefusedError: a worker is at work; the target has other records; the source has changed meanwhile.
        RecordsUnavailableError: a database does not answer.
        StorageFullError: the disk is full.
    """
    with source.unchanged():
        _refuse_work_in_progress(source, now)
        _refuse_running_workers(source, now)
        _refuse_lost_position(source)
        total = 3 * sum(source.count(kind) for kind in COPIED_KINDS) or 1
        done = 0

        def step(kind: CopiedKind, verb: str, count: int) -> None:
            nonlocal done
            done += count
            on_progress(min(1.0, done / total), f"{verb} {kind}")

        for kind in COPIED_KINDS:
            _refuse_strangers(source, target, kind)
        before = {}
        written = {}
        for kind in COPIED_KINDS:
            before[kind], written[kind] = _copy(source, target, kind, step)
        return [_compared(source, target, kind, before[kind], written[kind], step) for kind in COPIED_KINDS]


_Step = Callable[[CopiedKind, str, int], None]


def _copy(source: Copies, target: Copies, kind: CopiedKind, step: _Step) -> tuple[tuple[int, str], int]:
    digest, written = _Digest(), 0
    for page in _pages(source, kind):
        known = target.get(kind, [name for name, _ in page])
        missing = [(name, fields) for name, fields in page if _text(known.get(name)) != _text(fields)]
        if missing:
            target.store(kind, missing)
        written += len(missing)
        for item in page:
            digest.add(item)
        step(kind, "copying", len(page))
    return digest.result(), written


def _compared(
    source: Copies, target: Copies, kind: CopiedKind, before: tuple[int, str], written: int, step: _Step
) -> Copied:
    results = []
    for side in (source, target):
        digest = _Digest()
        for page in _pages(side, kind):
            for item in page:
                digest.add(item)
            step(kind, "comparing", len(page))
        results.append(digest.result())
    if results[0] != before:
        raise MigrationRefusedError(
            f"The {kind} changed while they were copied. Stop every worker and every server, and run it again."
        )
    if results[1] != results[0]:
        raise MigrationRefusedError(f"The copy of the {kind} differs from the source. Run it again.")
    return Copied(kind, *results[0], written)


def _refuse_work_in_progress(source: Copies, now: datetime) -> None:
    for page in _pages(source, "clips"):
        for name, fields in page:
            if fields["content"]["state"] != ClipState.PROCESSING.value:
                continue
            lease_until = read_stored(Clip, json.dumps(fields["content"])).lease_until
            if lease_until is not None and lease_until > now:
                raise MigrationRefusedError(f"A worker is making the clip {name}. Stop every worker and every server.")


def _refuse_running_workers(source: Copies, now: datetime) -> None:
    for page in _pages(source, "documents", notes=True):
        for item in page:
            if _is_note("documents", item) and not read_stored(WorkerNote, item[1]["content"]).is_gone(now):
                raise MigrationRefusedError(
                    f"The worker {item[1]['id']} runs. Stop every worker and every server. "
                    "If it was killed, run this again in a minute."
                )


def _refuse_lost_position(source: Copies) -> None:
    newest = max((fields["position"] for page in _pages(source, "events") for _, fields in page), default=0)
    if newest < source.last_position():
        raise MigrationRefusedError(
            "The newest event was removed with its clip, and its position would be given again. Request one clip, "
            "let it finish, stop every worker, and run it again."
        )


def _refuse_strangers(source: Copies, target: Copies, kind: CopiedKind) -> None:
    for page in _pages(target, kind):
        names = [name for name, _ in page]
        strangers = set(names) - set(source.get(kind, names))
        if strangers:
            raise MigrationRefusedError(
                f"The target has {kind} that the source does not have, such as {min(strangers)}. Choose an empty one."
            )


def _pages(side: Copies, kind: CopiedKind, *, notes: bool = False) -> Iterator[Sequence[Item]]:
    """Yield everything of a kind. Notes of workers are left out unless asked for: they mean nothing elsewhere."""
    after = ""
    while page := side.page(kind, after, limit=PAGE):
        yield page if notes else [item for item in page if not _is_note(kind, item)]
        after = page[-1][0]


def _is_note(kind: CopiedKind, item: Item) -> bool:
    return kind == "documents" and item[1]["kind"] == WORKER


class _Digest:
    """Counts items, and makes a digest of them that does not depend on their order."""

    def __init__(self) -> None:
        self._count = self._sum = 0

    def add(self, item: Item) -> None:
        self._count += 1
        self._sum += int.from_bytes(hashlib.sha256(f"{item[0]}\n{_text(item[1])}".encode()).digest())

    def result(self) -> tuple[int, str]:
        return self._count, f"{self._sum % 2**256:064x}"


def _text(fields: Mapping[str, Any] | None) -> str:
    return json.dumps(fields, sort_keys=True)
