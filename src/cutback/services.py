"""The bundle that is passed about: everything the work needs. `adapters/build.py` makes one from the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from cutback.domain.clips.retry import Policy
from cutback.ports import Announcer, Cache, Catalogue, Prober, Queue, Records
from cutback.settings.settings import Settings

if TYPE_CHECKING:
    from cutback.cutting.job import Cutter
    from cutback.storage.store import Store

Clock = Callable[[], datetime]
Checkpoint = Callable[[str], None]


class _Closable(Protocol):
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Services:
    """What the work needs, ready to use. Safe to share between threads; never carried over a fork."""

    settings: Settings
    policy: Policy
    worker: str
    """This process's name in records and logs."""
    sources: Store
    clips: Store
    messages: Store | None
    """Where messages too large for the queue lie."""
    queue: Queue
    long_queue: Queue | None
    """Where work goes that takes longer than this worker may run."""
    records: Records
    catalogue: Catalogue
    cache: Cache
    webhooks: Queue | None
    """Deliveries to webhooks; None where they have no place to wait."""
    announcers: tuple[Announcer, ...]
    cutter: Cutter
    prober: Prober
    clock: Clock
    read_secret: Callable[[str], str]
    """The text of a secret in the secret store, by the name that the settings give. Raises as `build`."""
    checkpoint: Checkpoint
    """Called with a stage's name right after the stage; fault tests break off here."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def check(self) -> None:
        """See that every queue is there and set up as it should be, before work begins.

        Raises:
            SettingsError: naming the variable.
            QueueUnavailableError: a queue does not answer; naming the variable, too.
        """
        for queue in self._queues:
            queue.check()

    def close(self) -> None:
        """End what runs in the background, such as a cutter's waiting process."""
        own = (self.cutter, self.prober, self.records, self.catalogue, self.cache)
        everything: list[_Closable] = [*self._queues, *own, *self.announcers]
        for each in everything:
            each.close()

    @property
    def _queues(self) -> list[Queue]:
        return [queue for queue in (self.queue, self.long_queue, self.webhooks) if queue is not None]
