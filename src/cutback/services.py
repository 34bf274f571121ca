"""Everything that the work needs, in one object. `adapters/build.py` makes it from the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from cutback.domain.clips.retry import Policy
from cutback.ports import Announcer, Cache, Catalogue, PartStore, Prober, Queue, Records, Registry
from cutback.settings.settings import Settings
from cutback.tracing import NO_TRACES, Tracer

if TYPE_CHECKING:
    from cutback.cutting.job import Cutter
    from cutback.storage.store import Store

Clock = Callable[[], datetime]
Checkpoint = Callable[[str], None]
Doing = Callable[[str | None, str | None], None]


def _untold(_clip_id: str | None, _stage: str | None) -> None: ...


class _Closable(Protocol):
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Services:
    """What the work needs, ready to use. Threads may share it; a forked process must not use it."""

    settings: Settings
    policy: Policy
    worker: str
    """The name of this process in records and logs."""
    sources: Store
    clips: Store
    assets: Store
    """Pictures, videos and sounds that edits name."""
    messages: Store | None
    """The store of messages that are too large for the queue."""
    queue: Queue
    long_queue: Queue | None
    """The queue for work that takes longer than this worker may run."""
    records: Records
    catalogue: Catalogue
    registry: Registry
    part_store: PartStore
    """Takes uploads of recordings."""
    cache: Cache
    webhooks: Queue | None
    """The queue of webhook deliveries; None if webhooks are not available."""
    announcers: tuple[Announcer, ...]
    cutter: Cutter
    prober: Prober
    clock: Clock
    read_secret: Callable[[str], str]
    """Returns the text of a secret by the name from the settings. Raises like `build`."""
    checkpoint: Checkpoint
    """Called with a stage's name right after the stage; tests of failures interrupt here."""
    tracer: Tracer = NO_TRACES
    doing: Doing = _untold
    """Called with a clip's id and what this process does with it from now on; twice None after its end. Quick."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def check(self) -> None:
        """Check that every queue exists and is configured correctly, before work begins.

        Raises:
            SettingsError: one is not; the message names the variable.
            QueueUnavailableError: a queue does not answer; the message names the variable.
        """
        for queue in self._queues:
            queue.check()

    def close(self) -> None:
        """End background processes, such as the cutter's idle child process."""
        own = (self.cutter, self.prober, self.records, self.catalogue, self.registry, self.cache, self.part_store)
        everything: list[_Closable] = [*self._queues, *own, *self.announcers, self.clips, self.tracer]
        for each in everything:
            each.close()

    @property
    def _queues(self) -> list[Queue]:
        return [queue for queue in (self.queue, self.long_queue, self.webhooks) if queue is not None]
