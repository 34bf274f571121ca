"""Scans the source store for recordings without an event: new ones, new versions, and missing ones."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from cutback.catalogue.register import Arrival, Registered, bare, is_not_yet, is_young
from cutback.domain.cameras.key_pattern import is_recording
from cutback.domain.errors import CutbackError, PlaceUnknownError, RecordingsMissingError, StoppedError
from cutback.reading.missing import LINK_ADVICE
from cutback.services import Services
from cutback.storage.store import ObjectInfo

log = logging.getLogger(__name__)

_PAGE = 1000
_PATIENCE_SECONDS = 5.0
_BATCH = 64
"""Recordings of a folder that are looked into together: to start a process costs as much as looking into dozens."""
_BATCH_OF_BUCKET = 16
"""The same of a bucket, which answers late: more batches at once make up for it."""
_AT_ONCE = 4
"""Batches that are looked into at the same time."""


class OnProgress(Protocol):
    """Hears how far a scan has come."""

    def __call__(self, done: int, total: int, key: str, /) -> None:
        """`done` of `total` recordings that are new or changed have been looked at, `key` last."""
        ...


class EnterRecordings(Protocol):
    """Registers recordings and requeues the clips that wait for them: `arrivals.enter_recordings`."""

    def __call__(
        self,
        services: Services,
        arrivals: Sequence[Arrival],
        /,
        *,
        forced: bool = ...,
        stopped: Callable[[], bool] = ...,
    ) -> list[Registered | CutbackError]:
        """Raises as `arrivals.enter_recordings`."""
        ...


@dataclass(slots=True)
class Scanned:
    """The result of a scan."""

    seen: int = 0
    """Recordings in the store."""
    entered: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    """Removed from the catalogue, because they are not in the store any more."""
    later: list[str] = field(default_factory=list)
    """Being written or replaced at the moment, and left to the next scan."""
    failed: dict[str, CutbackError] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    """Symbolic links out of the store, which were not followed."""
    missing: RecordingsMissingError | None = None
    """Why the recordings that are not in the store stay in the catalogue; None if they were removed."""


def link_facts(links: Sequence[str]) -> tuple[int, str, str]:
    """Return how many symbolic links lead out of the store, one of them, and what to do."""
    return len(links), links[0], f"A symbolic link out of the source store is not followed. {LINK_ADVICE}"


@dataclass(slots=True)
class Scanner:
    """Scans repeatedly, and examines only what has changed since the previous scan.

    The first scan compares the store with the catalogue. An unreadable object is examined again when it changes.
    """

    services: Services
    enter: EnterRecordings
    prefix: str = ""
    """Whole folders; see `Store.list`."""
    forced: bool = False
    """Whether to remove recordings from the catalogue that are not in the store, however many they are."""
    _known: dict[str, str] | None = None
    """Key → ETag of what is done."""
    _growing: set[str] = field(default_factory=set)
    _begun: set[str] = field(default_factory=set)
    """Keys whose registration failed midway, so waiting clips may not know of them yet."""

    def scan(
        self,
        *,
        on_progress: OnProgress = lambda _done, _total, _key: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Scanned:
        """Scan once. A recording that fails does not affect the others.

        Raises:
            SurroundingsError: store, catalogue or queue do not answer; the results so far are kept.
            StoppedError: `stopped` returned True.
        """
        known = self._catalogued() if self._known is None else self._known
        self._known = known
        result, lost, changed = Scanned(), set(known), []
        for info in self.services.sources.list(self.prefix, on_link=lambda key: self._note_link(key, result)):
            if stopped():
                raise StoppedError("The store was being scanned.")
            if not is_recording(info.key):
                continue
            result.seen += 1
            lost.discard(info.key)
            if known.get(info.key) != bare(info.etag) or info.key in self._growing:
                changed.append(info)
        done = 0
        with closing(self._batches(changed, stopped)) as batches:
            for infos, entering in batches:
                for info, looked_at in zip(infos, entering.result(), strict=True):
                    self._take_in(info, looked_at, result, known)
                done += len(infos)
                on_progress(done, len(changed), infos[-1].key)
        unplaced = sum(isinstance(error, PlaceUnknownError) for error in result.failed.values())
        if unplaced:
            log.warning("stage=scanned unplaced=%d hint='run cutback scan, which proposes a pattern'", unplaced)
        result.missing = None if self.forced else _too_many(lost, known, self.services.settings.scan_removals)
        if lost and result.missing is None:
            gone = [Arrival(key) for key in sorted(lost)]
            for start in range(0, len(gone), _BATCH):
                batch = gone[start : start + _BATCH]
                found = self.enter(self.services, batch, forced=self.forced, stopped=stopped)
                for arrival, each in zip(batch, found, strict=True):
                    if isinstance(each, Registered):
                        self._note(arrival.key, each, result, known)
        return result

    def run(self, stop: threading.Event, seconds: float) -> None:
        """Scan at this interval until `stop` is set. A failure is logged, and a later scan tries again."""
        told, links = "", list[str]()
        while not stop.is_set():
            problem: CutbackError | None = None
            try:
                found = self.scan(stopped=stop.is_set)
                problem = found.missing
                if found.links and found.links != links:
                    log.warning("stage=scanned links=%d such_as=%r message=%s", *link_facts(found.links))
                links = found.links
            except StoppedError:
                return
            except CutbackError as error:
                problem = error
            if problem is not None and str(problem) != told:  # once, not every few seconds
                log.warning("stage=scanned postponed=yes reason=%s message=%s", problem.reason, problem)
            told = str(problem or "")
            stop.wait(seconds)

    def _catalogued(self) -> dict[str, str]:
        known: dict[str, str] = {}
        below = f"{self.prefix.removesuffix('/')}/" if self.prefix else ""
        cursor = None
        while True:
            page = self.services.catalogue.list_recordings(limit=_PAGE, cursor=cursor)
            for recording in page.recordings:
                if recording.key.startswith(below):
                    known[recording.key] = bare(recording.etag)
                    if recording.growing:
                        self._growing.add(recording.key)
            cursor = page.next_cursor
            if cursor is None:
                return known

    def _batches(
        self, infos: list[ObjectInfo], stopped: Callable[[], bool]
    ) -> Generator[tuple[list[ObjectInfo], Future[list[Registered | CutbackError]]]]:
        """Recordings that are being looked into together: some batches at once, as a store takes its time."""
        size = _BATCH if self.services.sources.is_folder else _BATCH_OF_BUCKET
        batches = [infos[start : start + size] for start in range(0, len(infos), size)]
        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="cutback-scan")
        try:
            entering = [pool.submit(self._enter, batch, stopped) for batch in batches]
            yield from zip(batches, entering, strict=True)
        finally:
            pool.shutdown(cancel_futures=True)

    def _enter(self, infos: list[ObjectInfo], stopped: Callable[[], bool]) -> list[Registered | CutbackError]:
        arrivals = [Arrival(info.key, info=info, again=info.key in self._begun) for info in infos]
        self._begun.update(info.key for info in infos)
        return self.enter(self.services, arrivals, stopped=stopped)

    def _note_link(self, key: str, result: Scanned) -> None:
        target = self.services.sources.link_outside(key)
        if is_recording(key) or (target is not None and target.is_dir()):
            result.links.append(key)

    def _take_in(
        self, info: ObjectInfo, found: Registered | CutbackError, result: Scanned, known: dict[str, str]
    ) -> None:
        if isinstance(found, Registered):
            self._note(info.key, found, result, known)
            return
        self._begun.discard(info.key)
        if is_not_yet(found) and is_young(self.services, info):
            result.later.append(info.key)
            return
        known[info.key] = bare(info.etag)
        self._growing.discard(info.key)
        result.failed[info.key] = found
        level = logging.DEBUG if isinstance(found, PlaceUnknownError) else logging.INFO
        log.log(level, "stage=scanned key=%r reason=%s message=%r", info.key, found.reason, found.message)

    def _note(self, key: str, found: Registered, result: Scanned, known: dict[str, str]) -> None:
        self._begun.discard(key)
        recording = found.recording
        if found.what == "superseded":
            result.later.append(key)
            return
        if found.what == "gone" or recording is None:
            known.pop(key, None)
            self._growing.discard(key)
            if recording is not None:
                result.gone.append(key)
                log.info("stage=scanned key=%r gone=yes", key)
            return
        if found.is_news:
            (result.entered if found.what == "entered" else result.renewed).append(key)
            log.info("stage=scanned key=%r camera=%s %s=yes", key, recording.camera, found.what)
        known[key] = bare(recording.etag)
        (self._growing.add if recording.growing else self._growing.discard)(key)


def _too_many(lost: Collection[str], known: Collection[str], share: float) -> RecordingsMissingError | None:
    """Return why so many recordings must not be removed at once; None if they may be. Pure.

    A disk that is not mounted, or a misspelt path, looks like a store from which everything was deleted. Another scan
    cannot tell these cases apart, but a person can.
    """
    known_before = len(known)
    if not lost or (len(lost) < known_before and len(lost) <= share * known_before):
        return None
    return RecordingsMissingError(
        f"{len(lost)} of {known_before} are missing, such as {min(lost)}. "
        "Check the path, and whether its disk is mounted. If they were deleted on purpose, run: cutback scan --force"
    )


@contextmanager
def scanning(services: Services, stop: threading.Event, enter: EnterRecordings) -> Iterator[None]:
    """Scan in the background as often as the settings say, until `stop` is set; the block's end waits for that."""
    seconds = services.settings.scan_every
    if not seconds:
        yield
        return
    thread = threading.Thread(target=Scanner(services, enter).run, args=[stop, seconds], name="scan", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_PATIENCE_SECONDS)
