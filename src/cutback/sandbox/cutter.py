"""The parent's side of cutting: a child process for each job, its reads and its limits."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias, TypeVar

from cutback.cutting.job import (
    ByteSource,
    ClipPictures,
    CutJob,
    CutProgress,
    CutRange,
    KeepsIndex,
    KeepsScan,
    Limits,
    Poster,
    ProgressHook,
    ReadsAhead,
)
from cutback.domain import errors
from cutback.domain.errors import (
    CutbackError,
    InternalError,
    MediaCrashedError,
    MediaTooLargeError,
    MediaTooSlowError,
    MediaUnreadableError,
    MediaUnsupportedError,
    SourceChangedError,
    StoppedError,
    StorageFullError,
    SurroundingsError,
)
from cutback.sandbox import wire
from cutback.sandbox.address_space import ChildAddressSpace
from cutback.sandbox.budget import ReadBudget
from cutback.sandbox.finished_clip import FinishedClip
from cutback.sandbox.heap import keep_small
from cutback.sandbox.messages import (
    Confinement,
    CopyForecast,
    DrawnPosters,
    FailureReport,
    Findings,
    FinishedCut,
    KeptScan,
    MadePictures,
    MadeSheet,
    MalformedMessageError,
    MemoryForecast,
    PrefetchHint,
    ProgressReport,
    ReadRequest,
    ScanRequest,
    SourceBytes,
    Task,
    TaskKind,
    Undecided,
    WireError,
    WireMessage,
)
from cutback.sandbox.start_child import Child, start_child

log = logging.getLogger(__name__)

_READS = 4
"""Maximum concurrent reads; each job, such as one of a scan's probes, has one at a time."""

READ_AHEAD = 24 * 1024 * 1024
"""Maximum bytes of a job's copied media that are read, and kept in memory, while other pictures are decoded."""

_TICK = 0.1
"""Seconds between checks whether the work was stopped."""

_LARGEST_EXCERPT = 64 * 1024 * 1024
"""Maximum bytes: the excerpt is kept in memory."""

_Question: TypeAlias = Literal["probe", "preview", "frames", "activity", "waveform", "motion"]
"""The kinds of tasks whose result is `Findings`."""
_EachQuestion: TypeAlias = Literal["probe", "activity"]
"""Those that are answered for each source of the job."""

T = TypeVar("T")
M = TypeVar("M", bound=WireMessage)

_REASONS: dict[str, type[CutbackError]] = {
    kind.reason: kind
    for kind in (
        errors.ClipDamagedError,
        errors.InternalError,
        errors.MediaTooLargeError,
        errors.MediaUnreadableError,
        errors.MediaUnsupportedError,
        errors.RangeOutsideRecordingError,
        errors.EditImpossibleError,
        errors.OutputImpossibleError,
        errors.StorageFullError,
    )
}
"""The reasons that a child may report. It must not claim others: with `stopped`, it would be retried without end."""


_PLAIN = (MediaUnreadableError, MediaUnsupportedError)
"""What a child says of a recording by itself, whatever it was busy with before."""


class ChildCutter:
    """A `Cutter` that uses one child process per job, and keeps one ready for the next job."""

    def __init__(self, *, warm: bool = True, fonts: str = "") -> None:
        """With `warm`, start the next job's process as soon as one is taken. `fonts` is a folder of further fonts."""
        self._fonts = str(Path(fonts).resolve()) if fonts else ""
        keep_small()
        self._keep_warm = warm
        self._spare: Child | None = None
        self._lock = threading.Lock()
        self._reader = ThreadPoolExecutor(_READS, thread_name_prefix="cutback-read")

    def warm_up(self) -> None:
        """Start a process for the next job, unless one is ready. If none can be started, the next job reports that."""
        with self._lock, suppress(OSError):
            if self._spare is None:
                self._spare = start_child()

    def close(self) -> None:
        """End the idle process."""
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None:
            spare.kill()
        self._reader.shutdown(wait=False)

    def probe(self, source: ByteSource, *, limits: Limits, stopped: Callable[[], bool]) -> dict[str, Any]:
        """Describe a recording, in the form of `cutback.cutting.probe`. Raises like `Cutter.render`."""
        return self._ask("probe", CutJob(sizes=(source.size,), ranges=(), limits=limits), [source], stopped)

    def probe_all(
        self, sources: Sequence[ByteSource], *, limits: Limits, stopped: Callable[[], bool]
    ) -> Iterator[tuple[int, dict[str, Any] | CutbackError]]:
        """As `probe` for each, with its number, as they are found. What is wrong with one is its answer.

        One child with Cutback's own parser looks into all of them, and one with libavformat into those that are left.
        What an earlier recording did to a child must not speak against a later one: unless the child says plainly that
        it cannot read a recording, that recording is looked at once more in a child of its own.

        Raises:
            SurroundingsError: a store does not answer.
            StoppedError: `stopped` answered True.
        """
        left = []
        every = range(len(sources))
        for number, answer in self._ask_each("probe", sources, every, limits, stopped, own_parser_only=True):
            if answer is None:
                left.append(number)
            else:
                yield number, answer
        for number, answer in self._ask_each("probe", sources, left, limits, stopped):
            assert answer is not None
            yield number, answer

    def activities(
        self, sources: Sequence[ByteSource], *, limits: Limits, stopped: Callable[[], bool]
    ) -> Iterator[tuple[int, dict[str, Any] | CutbackError]]:
        """Tell how much moves, in the form of `cutback.cutting.activity`. Answers and raises like `probe_all`."""
        for number, answer in self._ask_each("activity", sources, range(len(sources)), limits, stopped):
            assert answer is not None
            yield number, answer

    def _ask_each(
        self,
        kind: _EachQuestion,
        sources: Sequence[ByteSource],
        numbers: Sequence[int],
        limits: Limits,
        stopped: Callable[[], bool],
        *,
        own_parser_only: bool = False,
    ) -> Iterator[tuple[int, dict[str, Any] | CutbackError | None]]:
        """In one child, as long as it lives; None for what it cannot tell."""
        while numbers:
            answered = 0
            together = [sources[number] for number in numbers]
            try:
                for answer in self._ask_together(kind, together, limits, stopped, own_parser_only=own_parser_only):
                    shared = isinstance(answer, CutbackError) and not isinstance(answer, _PLAIN)
                    alone = self._ask_alone(kind, together[answered], limits, stopped) if shared else answer
                    answered += 1
                    yield numbers[answered - 1], alone
            except SourceChangedError as error:
                answered += 1
                yield numbers[answered - 1], error
            except CutbackError as error:
                if isinstance(error, StoppedError | SurroundingsError):
                    raise
                answered += 1
                yield numbers[answered - 1], self._ask_alone(kind, together[answered - 1], limits, stopped)
            numbers = numbers[answered:]

    def _ask_together(
        self,
        kind: _EachQuestion,
        sources: Sequence[ByteSource],
        limits: Limits,
        stopped: Callable[[], bool],
        *,
        own_parser_only: bool,
    ) -> Iterator[dict[str, Any] | CutbackError | None]:
        job = CutJob(sizes=tuple(source.size for source in sources), ranges=(), limits=limits)
        child = _start(own_parser_only=True) if own_parser_only else self._take()
        try:
            with _open_spool() as spool:
                yield from _Job(job, sources, child, spool, lambda _: None, stopped, self._reader).ask_each(kind)
        finally:
            child.kill()

    def _ask_alone(
        self, kind: _EachQuestion, source: ByteSource, limits: Limits, stopped: Callable[[], bool]
    ) -> dict[str, Any] | CutbackError:
        try:
            return self._ask(kind, CutJob(sizes=(source.size,), ranges=(), limits=limits), [source], stopped)
        except CutbackError as error:
            if isinstance(error, StoppedError | SurroundingsError):
                raise
            return error

    def preview(self, job: CutJob, sources: Sequence[ByteSource], *, stopped: Callable[[], bool]) -> dict[str, Any]:
        """Describe what `render` would do, in the form of `cutback.cutting.preview`. Raises like `Cutter.render`."""
        return self._ask("preview", replace(job, fonts=self._fonts), sources, stopped)

    def frame_map(self, source: ByteSource, *, limits: Limits, stopped: Callable[[], bool]) -> dict[str, Any]:
        """Tell when each frame is shown, in the form of `cutback.cutting.frame_map`. Raises like `Cutter.render`."""
        return self._ask("frames", CutJob(sizes=(source.size,), ranges=(), limits=limits), [source], stopped)

    def waveform(self, source: ByteSource, *, limits: Limits, stopped: Callable[[], bool]) -> dict[str, Any]:
        """Return the peaks of its sound, in the form of `cutback.cutting.waveform`. Raises like `Cutter.render`."""
        return self._ask("waveform", CutJob(sizes=(source.size,), ranges=(), limits=limits), [source], stopped)

    def motion(
        self, sources: Sequence[ByteSource], ranges: Sequence[CutRange], *, limits: Limits, stopped: Callable[[], bool]
    ) -> dict[str, Any]:
        """Tell where something moves, in the form of `cutback.cutting.motion`. Raises like `Cutter.render`."""
        job = CutJob(sizes=tuple(source.size for source in sources), ranges=tuple(ranges), limits=limits)
        return self._ask("motion", job, sources, stopped)

    def sprites(
        self, source: ByteSource, *, limits: Limits, stopped: Callable[[], bool]
    ) -> tuple[dict[str, Any], bytes]:
        """Make a sheet of small pictures, as `cutback.cutting.sprites` does. Raises like `Cutter.render`."""
        return self._sheet("sprites", CutJob(sizes=(source.size,), ranges=(), limits=limits), [source], stopped)

    def slot_sprites(
        self, sources: Sequence[ByteSource], slots: Sequence[CutRange], *, limits: Limits, stopped: Callable[[], bool]
    ) -> tuple[dict[str, Any], bytes]:
        """Make a sheet of several recordings, as `cutback.cutting.sprites` does. Raises like `Cutter.render`."""
        job = CutJob(sizes=tuple(source.size for source in sources), ranges=tuple(slots), limits=limits)
        return self._sheet("slot_sprites", job, sources, stopped)

    def _sheet(
        self,
        kind: Literal["sprites", "slot_sprites"],
        job: CutJob,
        sources: Sequence[ByteSource],
        stopped: Callable[[], bool],
    ) -> tuple[dict[str, Any], bytes]:
        child = self._take()
        try:
            with _open_spool() as spool:
                return _Job(job, sources, child, spool, lambda _: None, stopped, self._reader).sheet(kind)
        finally:
            child.kill()

    def excerpt(self, source: ByteSource, wanted: CutRange, *, limits: Limits, stopped: Callable[[], bool]) -> bytes:
        """Make a small copy of a range, as `cutback.cutting.excerpt` does. Raises like `Cutter.render`."""
        job = CutJob(sizes=(source.size,), ranges=(wanted,), limits=limits)
        child = self._take()
        try:
            with _open_spool() as spool:
                asked = _Job(job, [source], child, spool, lambda _: None, stopped, self._reader)
                with asked.run("excerpt") as made:
                    if made.facts.size > _LARGEST_EXCERPT:
                        raise MediaTooLargeError("Its small copy is too large.")
                    return b"".join(made.chunks())
        finally:
            child.kill()

    def _ask(
        self, kind: _Question, job: CutJob, sources: Sequence[ByteSource], stopped: Callable[[], bool]
    ) -> dict[str, Any]:
        child = self._take()
        try:
            with _open_spool() as spool:
                return _Job(job, sources, child, spool, lambda _: None, stopped, self._reader).ask(kind)
        finally:
            child.kill()

    def _take(self) -> Child:
        with self._lock:
            child, self._spare = self._spare, None
        if child is None or child.process.poll() is not None:
            child = _start()
        return child

    def render(
        self, job: CutJob, sources: Sequence[ByteSource], *, on_progress: ProgressHook, stopped: Callable[[], bool]
    ) -> FinishedClip:
        """See `Cutter.render`."""
        child = self._take()
        try:
            if job.precision != "exact":
                self._warm()  # copying leaves a processor free; encoding uses all of them
            spool = _open_spool()
        except BaseException:
            child.kill()
            raise
        try:
            job = replace(job, fonts=self._fonts)
            finished = _Job(job, sources, child, spool, on_progress, stopped, self._reader).run()
        except BaseException:
            child.kill()
            spool.close()
            raise
        self._warm()
        return finished

    def _warm(self) -> None:
        if self._keep_warm:
            self.warm_up()


def _start(*, own_parser_only: bool = False) -> Child:
    try:
        return start_child(own_parser_only=True) if own_parser_only else start_child()
    except OSError as error:
        raise SurroundingsError("The process that cuts could not be started.") from error


def _open_spool() -> BinaryIO:
    try:
        return tempfile.TemporaryFile(buffering=0)
    except OSError as error:
        raise StorageFullError("The temporary folder cannot be written.") from error


class _Job:
    """One job, and the conversation with its child."""

    def __init__(
        self,
        job: CutJob,
        sources: Sequence[ByteSource],
        child: Child,
        spool: BinaryIO,
        on_progress: ProgressHook,
        stopped: Callable[[], bool],
        reader: ThreadPoolExecutor,
    ) -> None:
        self._job, self._sources, self._child, self._spool = job, sources, child, spool
        self._on_progress, self._stopped, self._reader = on_progress, stopped, reader
        now = time.monotonic()
        self._budget = ReadBudget(job)
        self._memory = ChildAddressSpace(child.process.pid, job.limits.memory)
        self._deadline = now + job.limits.seconds
        self._stalled_at = now + job.limits.stall_seconds
        self._ready = False
        self._read_seconds = 0.0
        self._read_ahead = READ_AHEAD
        """Bytes that may still be read ahead."""

    def run(self, kind: Literal["cut", "excerpt"] = "cut") -> FinishedClip:
        """Return the clip while the child still makes its posters. The child ends when the clip is closed."""
        with self._or_post_mortem():
            self._begin(kind)
            made = self._hear(FinishedCut)
            names = [output.name for output in self._job.outputs]
            made.check(self._job.sizes, self._spool_size(), names)
        first = made.outputs[0]
        first = replace(first, facts=replace(first.facts, read_seconds=self._read_seconds))
        return FinishedClip((first, *made.outputs[1:]), self._sources, self._spool, self)

    def ask(self, kind: _Question) -> dict[str, Any]:
        with self._or_post_mortem():
            self._begin(kind)
            return self._hear(Findings).found

    def sheet(self, kind: Literal["sprites", "slot_sprites"]) -> tuple[dict[str, Any], bytes]:
        with self._or_post_mortem():
            self._begin(kind)
            made = self._hear(MadeSheet)
            return made.found, made.payload

    def ask_each(self, kind: _EachQuestion) -> Iterator[dict[str, Any] | CutbackError | None]:
        """The findings about each source, or why there are none; None if this child cannot tell."""
        with self._or_post_mortem():
            self._begin(kind)
            for _ in self._sources:
                self._deadline = time.monotonic() + self._job.limits.seconds
                answer: WireMessage = self._hear(Findings, FailureReport, Undecided)
                if isinstance(answer, Findings):
                    yield answer.found
                else:
                    yield self._failure(answer) if isinstance(answer, FailureReport) else None

    def posters(self) -> tuple[Poster, ...]:
        """See `Rendition.posters`."""
        now = time.monotonic()  # the time for storing the clip does not count against the child
        self._deadline = max(self._deadline, now + self._job.limits.stall_seconds)
        self._stalled_at = now + self._job.limits.stall_seconds
        with self._or_post_mortem():
            drawn = self._hear(DrawnPosters)
            drawn.check(self._spool_size())
        return drawn.posters

    def pictures(self) -> ClipPictures:
        """See `Rendition.pictures`. The posters come first."""
        now = time.monotonic()
        self._deadline = max(self._deadline, now + self._job.limits.stall_seconds)
        self._stalled_at = now + self._job.limits.stall_seconds
        with self._or_post_mortem():
            made = self._hear(MadePictures)
            made.check(self._spool_size())
        return made.pictures

    def close(self) -> None:
        """End the child immediately."""
        self._child.kill()

    def _begin(self, kind: TaskKind) -> None:
        wire.send_spool(self._child.sock, self._spool.fileno())
        wire.send(self._child.sock, Task(kind, self._job), self._check)

    @contextmanager
    def _or_post_mortem(self) -> Iterator[None]:
        """Treat a child that ends early or sends invalid messages as crashed."""
        try:
            yield
        except MalformedMessageError as error:
            log.warning("the cutter's child sent an invalid message: %s", error)
            raise MediaCrashedError from error
        except (WireError, OSError) as error:
            raise self._post_mortem() from error

    def _spool_size(self) -> int:
        return os.fstat(self._spool.fileno()).st_size

    def _hear(self, *awaited: type[M]) -> M:
        """Do what the child asks for until it says one of these."""
        while True:
            self._check()
            message = wire.receive(self._child.sock, self._check)
            self._stalled_at = time.monotonic() + self._job.limits.stall_seconds
            if isinstance(message, awaited):
                return message
            self._serve(message)

    def _check(self) -> None:
        """Check time limits and whether the work was stopped, every tenth of a second while waiting for the child.

        Raises:
            StoppedError: the work was stopped, even if the child keeps sending.
            MediaTooSlowError: a time limit has passed.
            MediaTooLargeError: the child is silent because it lacks memory.
        """
        self._memory.look()
        if self._stopped():
            raise StoppedError
        now = time.monotonic()
        if now > self._deadline:
            raise MediaTooSlowError(f"The limit is {self._job.limits.seconds} s per job.")
        if now > self._stalled_at:
            if self._memory.was_short:  # encoders may wait for ever for what an allocation should have given them
                raise _short_of_memory()
            raise MediaTooSlowError(f"The decoder was silent for {self._job.limits.stall_seconds} s.")

    def _serve(self, message: WireMessage) -> None:
        match message:
            case ReadRequest():
                source = self._source(message.source)
                self._budget.spend(message.length)
                read = source.read_index if message.index and isinstance(source, KeepsIndex) else source.read_at
                began = time.monotonic()
                data = self._patiently(lambda: read(message.offset, message.length))
                self._read_seconds += time.monotonic() - began
                wire.send(self._child.sock, SourceBytes(data), self._check)
            case ScanRequest():
                asked = self._source(message.source)
                known = self._patiently(asked.kept_scan) if isinstance(asked, KeepsScan) else b""
                self._budget.spend(len(known))
                wire.send(self._child.sock, SourceBytes(known), self._check)
            case KeptScan():
                scanned = self._source(message.source)
                self._budget.spend(len(message.payload))
                # Of several recordings, a compromised child could spoil the index of another one, for later jobs too.
                if len(self._sources) == 1 and isinstance(scanned, KeepsScan):
                    self._patiently(lambda: scanned.keep_scan(message.payload))
            case PrefetchHint():
                hinted = self._source(message.source)
                self._budget.spend(*(length for _, length in message.ranges))
                self._patiently(lambda: hinted.prefetch(message.ranges))
            case Confinement():
                self._ready = True  # the child sends this before it reads media
                log.debug("the cutter's child is confined by %s", ", ".join(message.by))
            case CopyForecast():
                copied = self._source(message.source)
                length = min(message.length, self._read_ahead)
                if length and isinstance(copied, ReadsAhead):
                    self._read_ahead -= length
                    self._budget.spend(length)
                    self._patiently(lambda: copied.read_ahead(message.offset, length))
            case ProgressReport():
                self._on_progress(CutProgress(message.fraction, message.frames))
            case MemoryForecast():
                self._memory.expect(message.left)
            case FailureReport():
                raise self._failure(message)
            case _:
                raise MalformedMessageError("an unexpected message")

    def _failure(self, report: FailureReport) -> CutbackError:
        """Return the error that the child reports; a bug in the child gets an id, with which it is logged."""
        kind, words = _REASONS.get(report.reason, MediaCrashedError), self._child.last_words()
        if kind is InternalError:
            error = InternalError.with_id()
            log.error("%s the cutter's child failed: %s", error.detail, words)
            return error
        if words:
            log.warning("the cutter's last output: %s", words)
        return kind(report.detail)

    def _source(self, number: int) -> ByteSource:
        if number >= len(self._sources):
            raise MalformedMessageError("there is no such source")
        return self._sources[number]

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do slow reads in another thread, so that a job can be stopped even while a store hangs."""
        future: Future[T] = self._reader.submit(work)
        while True:
            try:
                result = future.result(timeout=_TICK)
            except FutureTimeoutError:
                if future.done():
                    raise
                self._check()
            else:
                self._stalled_at = time.monotonic() + self._job.limits.stall_seconds
                return result

    def _post_mortem(self) -> CutbackError:
        """Return why a child ended without a result."""
        try:
            code = self._child.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            code = None
        log.warning("the cutter ended with %s: %s", code, self._child.last_words())
        if code is not None and not self._ready:
            return SurroundingsError("The process that cuts ended before it read the recording.")
        if code == -signal.SIGXCPU:
            return MediaTooSlowError("It used all of its processor time.")
        return _short_of_memory() if self._memory.was_short else MediaCrashedError()


def _short_of_memory() -> MediaTooLargeError:
    return MediaTooLargeError("It needs more memory than the limit allows.")
