"""The child process: cuts one clip and ends. It has no network and no credentials, and reads through its parent."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from io import FileIO
from select import poll
from typing import Any

from cutback.cutting.job import ByteSource, ClipPictures, CutJob, CutProgress, Limits
from cutback.domain.errors import (
    CutbackError,
    InternalError,
    MediaTooLargeError,
    MediaUnreadableError,
    StorageFullError,
)
from cutback.sandbox import wire
from cutback.sandbox.address_space import AddressSpace, OwnAddressSpace, is_short
from cutback.sandbox.confine import confine, into_nowhere
from cutback.sandbox.heap import use_one_heap
from cutback.sandbox.messages import (
    LARGEST_KEPT,
    Confinement,
    CopyForecast,
    DrawnPosters,
    FailureReport,
    Findings,
    FinishedCut,
    KeptScan,
    MadePictures,
    MadeSheet,
    MemoryForecast,
    PrefetchHint,
    ProgressReport,
    ReadRequest,
    ScanRequest,
    SourceBytes,
    Task,
    Undecided,
    WireError,
)
from cutback.sandbox.preload import preload, preload_own_parser


class RemoteSource:
    """A recording that the parent reads."""

    def __init__(self, sock: socket.socket, number: int, size: int, turn: threading.Lock) -> None:
        """`number` is the source's index in the job; the thread that holds `turn` may talk to the parent."""
        self._sock, self._number, self.size, self._turn = sock, number, size, turn

    def read_at(self, offset: int, length: int) -> bytes:
        """See `ByteSource.read_at`. If a read fails, this process ends; the parent knows why."""
        return self._read(offset, length, index=False)

    def read_index(self, offset: int, length: int) -> bytes:
        """See `KeepsIndex.read_index`."""
        return self._read(offset, length, index=True)

    def _read(self, offset: int, length: int, *, index: bool) -> bytes:
        if length <= 0 or offset >= self.size:
            return b""
        return self._ask(ReadRequest(self._number, offset, length, index))

    def _ask(self, request: ReadRequest | ScanRequest) -> bytes:
        with self._turn:
            wire.send(self._sock, request)
            answer = wire.receive(self._sock)
        if not isinstance(answer, SourceBytes):
            raise WireError("an unexpected answer to a read")
        return answer.payload

    def kept_scan(self) -> bytes:
        """See `KeepsScan.kept_scan`."""
        return self._ask(ScanRequest(self._number))

    def keep_scan(self, data: bytes) -> None:
        """See `KeepsScan.keep_scan`."""
        if len(data) <= LARGEST_KEPT:
            with self._turn:
                wire.send(self._sock, KeptScan(self._number, data))

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """See `ByteSource.prefetch`."""
        with self._turn:
            wire.send(self._sock, PrefetchHint(self._number, ranges))

    def read_ahead(self, offset: int, length: int) -> None:
        """See `ReadsAhead.read_ahead`."""
        with self._turn:
            wire.send(self._sock, CopyForecast(self._number, offset, length))


def main() -> None:
    """Do one task, which arrives on the socket whose descriptor is the first argument.

    With a second argument this child has Cutback's own parser alone, and only probes.
    """
    sock = socket.socket(fileno=int(sys.argv[1]))
    own_parser_only = len(sys.argv) > 2
    use_one_heap()
    into_nowhere()
    (preload_own_parser if own_parser_only else preload)()
    try:
        descriptor = wire.receive_spool(sock)
        task = wire.receive(sock)
    except WireError:
        return
    if not isinstance(task, Task):
        return
    file = os.fdopen(descriptor, "r+b", buffering=0)  # examines the file, which a confined process must not do
    space = OwnAddressSpace()
    if task.job.edits:
        _prepare(task.job)
    wire.send(sock, Confinement(confine(task.job.limits)))
    # Only now: namespaces require a process with a single thread, and threads inherit the filter.
    threading.Thread(target=_die_with_parent, args=(sock,), daemon=True).start()
    with file:
        try:
            if task.kind in {"probe", "activity"}:
                _answer_each(sock, task, own_parser_only=own_parser_only)
            else:
                _cut(sock, task, file, space)
        except WireError:
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent must know
            _fail(sock, _named(error, space.read(), task.job.limits.memory))


def _named(error: Exception, space: AddressSpace, memory: int) -> CutbackError:
    """The error that the parent hears of. What lacked memory fails in any way, most often with a meaningless error."""
    if isinstance(error, CutbackError) and not isinstance(error, MediaUnreadableError):
        return error
    if isinstance(error, MemoryError) or is_short(space.least_room, memory):
        return MediaTooLargeError("It needs more memory than the limit allows.")
    if isinstance(error, CutbackError):
        return error
    traceback.print_exception(error)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFullError("The temporary folder is full.")
    return InternalError()


class _Memory:
    """See `Memory`; the parent hears what is announced."""

    def __init__(self, sock: socket.socket, turn: threading.Lock, space: OwnAddressSpace) -> None:
        self._sock, self._turn, self._space = sock, turn, space

    def room(self) -> int:
        return self._space.read().room

    def announce(self, amount: int) -> None:
        with self._turn:
            wire.send(self._sock, MemoryForecast(max(0, self._space.read().room - amount)))


def _prepare(job: CutJob) -> None:
    """Open what the edits need from files, such as fonts: a confined process cannot."""
    from cutback.cutting.edits.pipeline import prepare

    prepare(job)


def _cut(sock: socket.socket, task: Task, file: FileIO, space: OwnAddressSpace) -> None:
    """Make the clip, or say how it would be made. All that is imported here is there already: see `preload`."""
    from cutback.cutting.excerpt import excerpt
    from cutback.cutting.frame_map import frame_map
    from cutback.cutting.motion import motion
    from cutback.cutting.outputs.clip_pictures import clip_pictures
    from cutback.cutting.outputs.format import as_clip
    from cutback.cutting.outputs.make import make_outputs
    from cutback.cutting.outputs.plan import plan_outputs
    from cutback.cutting.posters.choose import draw
    from cutback.cutting.spool import Spool
    from cutback.cutting.sprites import slot_sprites, sprites
    from cutback.cutting.waveform import waveform

    job, turn = task.job, threading.Lock()
    sources = _sources(sock, job, turn)

    def report(progress: CutProgress) -> None:
        with turn:
            wire.send(sock, ProgressReport(progress.fraction, progress.frames))

    if task.kind == "preview":
        wire.send(sock, Findings(plan_outputs(job, sources, Spool(file))))
        return
    if task.kind == "frames":
        wire.send(sock, Findings(frame_map(sources[0], job.limits)))
        return
    if task.kind == "waveform":
        wire.send(sock, Findings(waveform(sources[0], job.limits)))
        return
    if task.kind == "motion":
        wire.send(sock, Findings(motion(job, sources)))
        return
    if task.kind == "sprites":
        wire.send(sock, MadeSheet(*sprites(sources[0], job.limits)))
        return
    if task.kind == "slot_sprites":
        wire.send(sock, MadeSheet(*slot_sprites(job, sources)))
        return
    spool = Spool(file)
    if task.kind == "excerpt":
        wire.send(sock, FinishedCut((as_clip(excerpt(job, sources, spool), spool),)))
        return
    made = make_outputs(job, sources, spool, report, _Memory(sock, turn, space))
    wire.send(sock, FinishedCut(made.outputs))
    # The parent is storing the clip meanwhile.
    wire.send(sock, DrawnPosters(draw(made.still if "poster" in job.pictures else None, spool)))
    pictures = ClipPictures()
    if made.playable is not None:
        frames = made.outputs[0].facts.frames
        alive = partial(report, CutProgress(1.0, frames))
        pictures = clip_pictures(made.playable, job.pictures, job.limits, spool, alive)
    wire.send(sock, MadePictures(pictures))


def _answer_each(sock: socket.socket, task: Task, *, own_parser_only: bool) -> None:
    """One answer for each recording, in order."""
    ask: Callable[[ByteSource, Limits], dict[str, Any] | None]
    if own_parser_only:
        from cutback.cutting.probe_mp4 import probe_mp4 as ask
    elif task.kind == "activity":
        from cutback.cutting.activity import activity as ask
    else:
        from cutback.cutting.probe import probe as ask
    for source in _sources(sock, task.job, threading.Lock()):
        try:
            found = ask(source, task.job.limits)
        except CutbackError as error:
            _fail(sock, error)
        else:
            wire.send(sock, Undecided() if found is None else Findings(found))


def _sources(sock: socket.socket, job: CutJob, turn: threading.Lock) -> list[RemoteSource]:
    return [RemoteSource(sock, number, size, turn) for number, size in enumerate(job.sizes)]


def _fail(sock: socket.socket, error: CutbackError) -> None:
    wire.send(sock, FailureReport(error.reason, error.detail))


def _die_with_parent(sock: socket.socket) -> None:
    """End immediately when the parent's end of the socket closes, whatever this process is doing."""
    watcher = poll()
    watcher.register(sock, 0)  # no events: hang-up is always reported
    watcher.poll()
    os._exit(1)


if __name__ == "__main__":
    main()
