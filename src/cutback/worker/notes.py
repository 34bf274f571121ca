"""Notes of running workers in the registry, by which every machine knows the workers of all machines."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from cutback.domain.base import read_stored
from cutback.domain.readable import readable_documents
from cutback.domain.workers import BEAT_SECONDS, KIND, WorkerNote, host_of
from cutback.ports import Document, every_document
from cutback.services import Services
from cutback.worker.counts import WorkerCounts
from cutback.worker.presence import left_behind, running

log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 2.0
"""Seconds that a worker that ends waits for its note to be removed. If it is not, the note becomes too old."""


class WorkerNotes:
    """Notes this worker at once and then every `BEAT_SECONDS`, in a separate thread, while the context lasts.

    A note that fails is logged, once until one succeeds again, and disturbs nothing else.
    """

    def __init__(self, services: Services, counts: WorkerCounts) -> None:
        """Entering the context makes the first note. Each has the figures of `counts`."""
        self._services, self._counts = services, counts
        self._doing: tuple[str | None, str | None] = (None, None)
        self._document: Document | None = None
        self._failing = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notes", daemon=True)

    def __enter__(self) -> Self:
        self._started_at = self._services.clock()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(_PATIENCE_SECONDS)

    def doing(self, clip_id: str | None, stage: str | None) -> None:
        """Remember what the worker does from now on; the next note says it. Quick: does no I/O."""
        self._doing = (clip_id, stage)

    def _run(self) -> None:
        self._attempt(self._note)
        self._attempt(self._forget_others)
        while not self._over.wait(BEAT_SECONDS):
            self._attempt(self._note)
        self._attempt(self._remove)

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - a note must not disturb the work
            if not self._failing:
                log.warning("stage=noted worker=%s postponed=yes reason=%s", self._services.worker, error)
            self._failing = True
        else:
            self._failing = False

    def _note(self) -> None:
        registry, name = self._services.registry, self._services.worker
        clip, stage = self._doing
        note = WorkerNote(
            name=name,
            started_at=self._started_at,
            beat_at=self._services.clock(),
            clip=clip,
            stage=stage,
            figures=self._counts.figures,
        ).model_dump(mode="json")
        # Another worker has removed the note if this one was frozen for too long.
        replaced = registry.replace(self._document, note) if self._document is not None else None
        self._document = replaced or registry.put_new(KIND, name, note) or registry.get(KIND, name)

    def _remove(self) -> None:
        if self._document is not None:
            self._services.registry.remove(self._document)

    def _forget_others(self) -> None:
        now = self._services.clock()
        for document, note in _notes(self._services):
            if note.is_gone(now):
                self._services.registry.remove(document)


def known_workers(services: Services) -> list[dict[str, Any]]:
    """Return the running workers of all machines, by name, with what they were doing at their last note.

    A worker of this data folder holds a lock while it runs, so that one that died is left out at once, and one that
    could not note itself is not. A worker of another machine that died is left out when its note is too old.

    Raises:
        RecordsUnavailableError: the registry does not answer.
    """
    now, data = services.clock(), services.settings.data
    here, dead = set(running(data)), set(left_behind(data))
    notes = {note.name: note for _, note in _notes(services)}
    found = []
    for name in sorted(here | set(notes)):
        note = notes.get(name)
        died_here = name in dead and host_of(name) == host_of(services.worker)
        if name not in here and (note is None or died_here or note.is_gone(now)):
            continue
        shown = note.model_dump(mode="json", include=set(_UNKNOWN)) if note is not None else _UNKNOWN
        beat = None if note is None else round(note.age(now).total_seconds(), 3)
        found.append({**shown, "name": name, "host": host_of(name), "beat_seconds": beat})
    return found


_UNKNOWN = {"started_at": None, "clip": None, "stage": None}


def recent_notes(services: Services) -> list[WorkerNote]:
    """Return the last notes of the workers of all machines, also of one that died less than a minute ago.

    Raises:
        RecordsUnavailableError: the registry does not answer.
    """
    now = services.clock()
    return [note for _, note in _notes(services) if not note.is_gone(now)]


def _notes(services: Services) -> list[tuple[Document, WorkerNote]]:
    stored = every_document(services.registry, KIND)
    return readable_documents(lambda each: (each, read_stored(WorkerNote, each.content)), stored)
