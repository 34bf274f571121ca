"""Scans the source store for recordings without an event: new ones, new versions, and missing ones."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from cutback.catalogue.register import Registered, bare, is_not_yet, is_young
from cutback.domain.cameras.key_pattern import is_recording
from cutback.domain.clips.retry import is_transient
from cutback.domain.errors import CutbackError, PlaceUnknownError, RecordingsMissingError, StoppedError
from cutback.services import Services
from cutback.storage.store import ObjectInfo

log = logging.getLogger(__name__)

_PAGE = 1000
_PATIENCE_SECONDS = 5.0
_AT_ONCE = 4
"""How many recordings are examined at the same time."""

OnProgress = Callable[[float, str], None]


class EnterRecording(Protocol):
    """Registers a recording and requeues the clips that wait for it: `arrivals.enter_recording`."""

    def __call__(
        self,
        services: Services,
        key: str,
        /,
        *,
        again: bool = ...,
        forced: bool = ...,
        stopped: Callable[[], bool] = ...,
    ) -> Registered:
        """Raises like `arrivals.enter_recording`."""
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
    missing: RecordingsMissingError | None = None
    """Why the recordings that are not in the store stay in the catalogue; None if they were removed."""


@dataclass(slots=True)
class Scanner:
    """Scans repeatedly, and examines only what has changed since the previous scan.

    The first scan compares the store with the catalogue. An unreadable object is examined again when it changes.
    """

    services: Services
    enter: EnterRecording
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
        self, *, on_progress: OnProgress = lambda _fraction, _remark: None, stopped: Callable[[], bool] = lambda: False
    ) -> Scanned:
        """Scan once. A recording that fails does not affect the others.

        Raises:
            SurroundingsError: store, catalogue or queue do not answer; the results so far are kept.
            StoppedError: `stopped` returned True.
        """
        known = self._catalogued() if self._known is None else self._known
        self._known = known
        result, lost, changed = Scanned(), set(known), []
        for info in self.services.sources.list(self.prefix):
            if stopped():
                raise StoppedError("The store was being scanned.")
            if not is_recording(info.key):
                continue
            result.seen += 1
            lost.discard(info.key)
            if known.get(info.key) != bare(info.etag) or info.key in self._growing:
                changed.append(info)
        with closing(self._looks(changed, stopped)) as looks:
            for number, (info, look) in enumerate(looks):
                on_progress(number / len(changed), info.key)
                self._take_in(info, look, result, known)
        unplaced = sum(isinstance(error, PlaceUnknownError) for error in result.failed.values())
        if unplaced:
            log.warning("stage=scanned unplaced=%d hint='run cutback scan, which proposes a pattern'", unplaced)
        result.missing = None if self.forced else _too_many(lost, known, self.services.settings.scan_removals)
        for key in sorted(lost) if result.missing is None else ():
            self._note(key, self.enter(self.services, key, forced=self.forced, stopped=stopped), result, known)
        return result

    def run(self, stop: threading.Event, seconds: float) -> None:
        """Scan at this interval until `stop` is set. A failure is logged, and a later scan tries again."""
        told = ""
        while not stop.is_set():
            problem: CutbackError | None = None
            try:
                problem = self.scan(stopped=stop.is_set).missing
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

    def _looks(
        self, infos: list[ObjectInfo], stopped: Callable[[], bool]
    ) -> Generator[tuple[ObjectInfo, Future[Registered]]]:
        """Examine recordings, several at once: each needs its own process, and requests to the store take time."""
        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="cutback-scan")
        try:
            looks = [
                pool.submit(self.enter, self.services, info.key, again=info.key in self._begun, stopped=stopped)
                for info in infos
            ]
            self._begun.update(info.key for info in infos)
            yield from zip(infos, looks, strict=True)
        finally:
            pool.shutdown(cancel_futures=True)

    def _take_in(self, info: ObjectInfo, look: Future[Registered], result: Scanned, known: dict[str, str]) -> None:
        try:
            found = look.result()
        except StoppedError:
            raise
        except CutbackError as error:
            if is_transient(error):
                raise
            self._begun.discard(info.key)
            if is_not_yet(error) and is_young(self.services, info):
                result.later.append(info.key)
                return
            known[info.key] = bare(info.etag)
            self._growing.discard(info.key)
            result.failed[info.key] = error
            level = logging.DEBUG if isinstance(error, PlaceUnknownError) else logging.INFO
            log.log(level, "stage=scanned key=%r reason=%s message=%r", info.key, error.reason, error.message)
        else:
            self._note(info.key, found, result, known)

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
def scanning(services: Services, stop: threading.Event, enter: EnterRecording) -> Iterator[None]:
    """Scan in the background at the interval of the settings until `stop` is set. The end of the block waits for it."""
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
