"""The child process: cuts one clip and ends. It has no network, no credentials, and reads through its parent."""

from __future__ import annotations

import os
import socket
import sys
import threading
import traceback
from collections.abc import Sequence
from dataclasses import astuple
from select import poll

from cutback.cutting import wire
from cutback.cutting.confine import confine, into_nowhere
from cutback.cutting.job import CutProgress
from cutback.errors import CutbackError, MediaCrashedError, MediaTooLargeError


class RemoteSource:
    """A recording whose bytes the parent reads."""

    def __init__(self, sock: socket.socket, number: int, size: int, turn: threading.Lock) -> None:
        """`number` is the source's place in the job; with `turn` held, one thread speaks with the parent."""
        self._sock, self._number, self.size, self._turn = sock, number, size, turn

    def read_at(self, offset: int, length: int) -> bytes:
        """See `ByteSource.read_at`. A failure to read ends this process: the parent knows why."""
        return self._read("read", offset, length)

    def read_index(self, offset: int, length: int) -> bytes:
        """See `KeepsIndex.read_index`."""
        return self._read("read_index", offset, length)

    def _read(self, kind: str, offset: int, length: int) -> bytes:
        if length <= 0 or offset >= self.size:
            return b""
        with self._turn:
            wire.send(self._sock, {"type": kind, "source": self._number, "offset": offset, "length": length})
            _, payload = wire.receive(self._sock)
        return payload

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """See `ByteSource.prefetch`."""
        with self._turn:
            wire.send(self._sock, {"type": "prefetch", "source": self._number, "ranges": ranges})


def main() -> None:
    """Serve one job over the socket numbered by the first argument: `J`, a cut, `P`, a probe, `V`, a cut's preview."""
    sock = socket.socket(fileno=int(sys.argv[1]))
    into_nowhere()
    from cutback.cutting.cut import cut  # the costly import happens while the child waits for its job
    from cutback.cutting.poster import draw
    from cutback.cutting.preview import preview
    from cutback.cutting.probe import probe
    from cutback.cutting.spool import Spool

    kind, descriptors, _, _ = socket.recv_fds(sock, 1, 1)
    if not descriptors:
        return
    message, _ = wire.receive(sock)
    job = wire.job_from_json(message)
    wire.send(sock, {"type": "held", "by": confine(job.limits)})
    # Only now: namespaces want a process of one thread, and the filter holds for threads begun after it.
    threading.Thread(target=_die_with_parent, args=(sock,), daemon=True).start()
    with os.fdopen(descriptors[0], "r+b", buffering=0) as file:
        spool = Spool(file)
        turn = threading.Lock()
        sources = [RemoteSource(sock, number, size, turn) for number, size in enumerate(job.sizes)]

        def report(progress: CutProgress) -> None:
            with turn:
                wire.send(sock, {"type": "progress", "fraction": progress.fraction, "frames": progress.frames})

        try:
            if kind == b"P":
                wire.send(sock, {"type": "probed", "found": probe(sources[0], job.limits)})
                return
            if kind == b"V":
                wire.send(sock, {"type": "probed", "found": preview(job, sources)})
                return
            made = cut(job, sources, spool, report)
            answer = {"type": "done", "facts": wire.facts_to_json(made.facts), "extents": made.extents}
            wire.send(sock, answer, made.head)
            # The parent is storing the clip meanwhile.
            wire.send(sock, {"type": "posters", "posters": [astuple(poster) for poster in draw(made.still, spool)]})
        except wire.WireError:
            return
        except MemoryError:
            _fail(sock, MediaTooLargeError("It needs more memory than the limit allows."))
        except CutbackError as error:
            _fail(sock, error)
        except Exception as error:  # noqa: BLE001 - hostile media raises anything; the parent must hear of it
            traceback.print_exc()
            _fail(sock, MediaCrashedError(f"({type(error).__name__})"))


def _fail(sock: socket.socket, error: CutbackError) -> None:
    wire.send(sock, {"type": "error", "reason": error.reason, "detail": error.detail})


def _die_with_parent(sock: socket.socket) -> None:
    """End at once when the parent's end of the socket closes, whatever this process is busy with."""
    watcher = poll()
    watcher.register(sock, 0)  # no events: hang-up is always reported
    watcher.poll()
    os._exit(1)


if __name__ == "__main__":
    main()
