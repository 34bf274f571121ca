"""What Cutback needs of the world, in its own words. Adapters fulfil these Protocols structurally."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from cutback.cutting.job import ByteSource, Limits
from cutback.domain.cameras.recording import Camera, CameraRecording
from cutback.domain.clips.clip import Clip, ClipState, Progress
from cutback.domain.clips.event import Event


@dataclass(frozen=True, slots=True)
class Message:
    """A message in a worker's hands, invisible to the others until its visibility timeout passes."""

    id: str
    receipt: str
    """Names this delivery; a later delivery of the same message makes it stale."""
    body: str
    receive_count: int
    """How often it has been received, this time included."""
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that failed every retry, or can never succeed; kept aside with the reason."""

    id: str
    body: str
    receive_count: int
    reason: str
    died_at: datetime


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many messages a queue holds."""

    visible: int
    in_flight: int
    delayed: int
    dead: int


class Queue(Protocol):
    """At-least-once delivery with SQS's semantics. All raise `QueueUnavailableError` when unreachable."""

    def check(self) -> None:
        """See that the queue is there and set up as it should be.

        Raises:
            SettingsError: naming the variable.
            QueueUnavailableError: naming the variable, too.
        """
        ...

    def send(self, body: str, *, delay: timedelta = timedelta()) -> str:
        """Put a message in; durable on return. Returns its id. `delay` is at most 15 minutes."""
        ...

    def send_all(self, bodies: Iterable[str]) -> list[str]:
        """Put messages in, in this order; durable on return. Returns their ids.

        For less than `send` would cost for each. Broken off by an error, some may be in.
        """
        ...

    def receive(
        self, *, limit: int = 1, wait: timedelta = timedelta(), visibility: timedelta | None = None
    ) -> list[Message]:
        """Take up to `limit` (1 to 10) messages, waiting up to `wait` for a first one.

        A message whose receive count would pass the queue's maximum goes to the dead letters instead.
        """
        ...

    def extend(self, message: Message, visibility: timedelta) -> bool:
        """Hide the message for `visibility` (0 to 12 hours) from now; zero gives it back at once.

        Returns False when the receipt is stale: the message was delivered again, deleted or moved to the dead letters.
        """
        ...

    def delete(self, message: Message) -> bool:
        """The message is done with. Returns False when the receipt is stale; then nothing changes."""
        ...

    def move_to_dead_letters(self, message: Message, reason: str) -> bool:
        """Move the message to the dead letters now. Returns False when the receipt is stale."""
        ...

    def dead_letters(self, *, limit: int = 100) -> list[DeadLetter]:
        """The newest dead letters first."""
        ...

    def redrive(self, ids: Iterable[str] | None = None) -> int:
        """Bring dead letters (all, when `ids` is None) back with a receive count of 0. Returns how many."""
        ...

    def depth(self) -> QueueDepth:
        """How many messages there are, by kind."""
        ...

    def close(self) -> None:
        """Close idle connections. The queue may be used again; it then opens new ones."""
        ...


@dataclass(frozen=True, slots=True)
class ClipQuery:
    """Which clips to list; every condition given must hold. Newest first."""

    state: ClipState | None = None
    tag: str | None = None
    recording: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing and where the next one begins."""

    clips: Sequence[Clip]
    next_cursor: str | None
    """Opaque; None on the last page. Stable while clips come and go (keyset paging)."""


class Records(Protocol):
    """The clips' records with their outbox. All raise `RecordsUnavailableError` when unreachable."""

    def put_clip(self, clip: Clip) -> bool:
        """Store a new clip and its event, unless its id is taken. Returns whether it was stored."""
        ...

    def get_clip(self, clip_id: str) -> Clip | None:
        """The clip as it stands."""
        ...

    def commit(self, clip: Clip, *, announce: bool = True) -> bool:
        """Store a change, made from revision `clip.revision - 1`, and its event, in one atomic update.

        Returns False, and changes nothing, when the stored revision is not that one any more: somebody
        else was faster. `announce=False` leaves the event out (housekeeping that concerns no one).
        """
        ...

    def beat(self, clip_id: str, attempt: int, *, lease_until: datetime, progress: Progress) -> bool:
        """Prolong the attempt's lease and note its progress; the revision stays.

        Returns False when the attempt is not the current one of a clip in `processing`.
        """
        ...

    def list_clips(self, query: ClipQuery, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Clips that match, newest first (created_at, then id).

        Raises:
            ValueError: `cursor` was not made by this method.
        """
        ...

    def due(self, now: datetime, *, limit: int = 100) -> list[Clip]:
        """Clips whose `sweep_at` or `expires_at` (of ready ones) has come, or whose lease passed long ago.

        "Long ago" is an hour: the message of such a clip is gone or stuck, so somebody must send it again.
        """
        ...

    def waiting_for(self, camera: str, *, limit: int = 500, cursor: str | None = None) -> Page:
        """Clips in `waiting` that wait for this camera's footage, oldest first (created_at, then id).

        Raises:
            ValueError: `cursor` was not made by this method.
        """
        ...

    def unannounced(self, *, limit: int = 100) -> list[Event]:
        """Events not marked as announced, oldest first."""
        ...

    def mark_announced(self, event_ids: Iterable[str]) -> None:
        """These have been announced. Unknown ids are passed over."""
        ...

    def events_after(self, position: int, *, limit: int = 100) -> list[tuple[int, Event]]:
        """Events in the order of their commits, each with its position; for those who follow along."""
        ...

    def last_position(self) -> int:
        """The newest event's position; 0 when there is none."""
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...


@dataclass(frozen=True, slots=True)
class RecordingPage:
    """A page of a listing of recordings, by start, and where the next one begins."""

    recordings: Sequence[CameraRecording]
    next_cursor: str | None


class Catalogue(Protocol):
    """Which recording holds which moments of which camera. All raise `RecordsUnavailableError` when unreachable."""

    def put_recording(self, recording: CameraRecording) -> bool:
        """Enter a recording, or its newer version, under its key.

        Returns False, and changes nothing, when the key's entry (or its removal) is of a later sequencer, or says
        the same of this very version already; only a sequencer that it lacks is then noted. A recording without a
        sequencer counts by `stored_at`: see `cutback.domain.cameras.store_event.is_outdated`.
        """
        ...

    def remove_recording(self, key: str, *, sequencer: str = "", at: datetime) -> bool:
        """Take the recording out, and remember the removal, so that an older arrival told of late does not count.

        Returns whether one was taken out: False when there is none, or the key's entry is of a later sequencer (or,
        without one, stored after `at`).
        """
        ...

    def put_recordings(self, recordings: Sequence[CameraRecording]) -> list[bool]:
        """As `put_recording` for each, for less than it costs one by one. Broken off by an error, some may be in."""
        ...

    def get_recording(self, key: str) -> CameraRecording | None:
        """The recording as it stands in the catalogue."""
        ...

    def get_recordings(self, keys: Sequence[str]) -> dict[str, CameraRecording]:
        """Those of the recordings that are in the catalogue, by key."""
        ...

    def removed_by_hand(self, keys: Sequence[str]) -> dict[str, CameraRecording]:
        """Recordings that were registered by hand and then removed, as they were last, by key.

        They are remembered until the key has a recording again, however long that takes.
        """
        ...

    def placed_by_other_rules(self, rules: str, *, limit: int = 500) -> list[CameraRecording]:
        """Recordings whose place was derived by rules of another fingerprint, in any order. One indexed query."""
        ...

    def covering(self, camera: str, start: datetime, end: datetime) -> list[CameraRecording]:
        """The camera's recordings that overlap [start, end), by start, then key. One indexed query."""
        ...

    def neighbours(self, camera: str, start: datetime, end: datetime) -> list[CameraRecording]:
        """The nearest recording that begins before `start`, and the nearest that begins at `end` or after."""
        ...

    def list_recordings(
        self,
        camera: str | None = None,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> RecordingPage:
        """Recordings by start, then key: of one camera or all, those that overlap [start, end) where given.

        Raises:
            ValueError: `cursor` was not made by this method.
        """
        ...

    def cameras(self) -> list[Camera]:
        """Every camera that has a recording, by name."""
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...


class Prober(Protocol):
    """Looks into a recording."""

    def probe(self, source: ByteSource, *, limits: Limits, stopped: Callable[[], bool]) -> dict[str, Any]:
        """What the recording is, as `cutback.cutting.probe` tells. Raises as `Cutter.render`."""
        ...

    def close(self) -> None:
        """End what runs in the background."""
        ...


class Announcer(Protocol):
    """Tells the world. At least once: an event may come again, with the same id."""

    def announce(self, event: Event) -> None:
        """Return once the event is durably taken over.

        Raises:
            SurroundingsError: it was not; announce it again later.
        """
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...


class Cache(Protocol):
    """Small values that may vanish at any time. Never raises: a dead cache is only a slow cache."""

    def get(self, key: str) -> bytes | None:
        """The value, or None."""
        ...

    def set(self, key: str, value: bytes) -> None:
        """Keep the value for a while, if there is room."""
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...
