"""What Cutback needs from outside, as Protocols. Adapters implement them without inheriting from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypeAlias, get_args

from cutback.cutting.job import ByteSource, CutJob, CutRange, Limits
from cutback.domain.cameras.recording import Camera, CameraRecording
from cutback.domain.clips.clip import Clip, ClipState, Progress
from cutback.domain.clips.event import Event
from cutback.domain.errors import CutbackError
from cutback.domain.uploads import UploadedPart


@dataclass(frozen=True, slots=True)
class Message:
    """A received message, hidden from other workers until its visibility timeout passes."""

    id: str
    receipt: str
    """Identifies this delivery; a later delivery of the same message makes it stale."""
    body: str
    receive_count: int
    """How often it has been received, including this time."""
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that failed every retry or was refused, kept with the reason."""

    id: str
    body: str
    receive_count: int
    reason: str
    died_at: datetime


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many messages a queue contains."""

    visible: int
    in_flight: int
    delayed: int
    dead: int


class Queue(Protocol):
    """At-least-once delivery, as in SQS. All methods raise `QueueUnavailableError` if it is unreachable."""

    def check(self) -> None:
        """Check that the queue exists and is configured correctly.

        Raises:
            SettingsError: it is not; the message names the variable.
            QueueUnavailableError: the queue does not answer; the message names the variable.
        """
        ...

    def send(self, body: str, *, delay: timedelta = timedelta()) -> str:
        """Send a message; it is durable on return. Returns its id. `delay` is at most 15 minutes."""
        ...

    def send_all(self, bodies: Iterable[str]) -> list[str]:
        """Send messages, in this order; they are durable on return. Returns their ids.

        Cheaper than one `send` for each. After an error, some of them may have been sent.
        """
        ...

    def receive(
        self, *, limit: int = 1, wait: timedelta = timedelta(), visibility: timedelta | None = None
    ) -> list[Message]:
        """Receive up to `limit` (1 to 10) messages, waiting up to `wait` for the first one.

        A message whose receive count would exceed the queue's maximum moves to the dead letters instead.
        """
        ...

    def extend(self, message: Message, visibility: timedelta) -> bool:
        """Hide the message for `visibility` (0 to 12 hours) from now; zero makes it visible immediately.

        Returns False if the receipt is stale: the message was delivered again, deleted or moved to the dead letters.
        """
        ...

    def delete(self, message: Message) -> bool:
        """Delete the message. Returns False, and changes nothing, if the receipt is stale."""
        ...

    def move_to_dead_letters(self, message: Message, reason: str) -> bool:
        """Move the message to the dead letters now. Returns False if the receipt is stale."""
        ...

    def dead_letters(self, *, limit: int = 100) -> list[DeadLetter]:
        """Return dead letters, newest first."""
        ...

    def redrive(self, ids: Iterable[str] | None = None) -> int:
        """Send dead letters (None: all) back to the queue, with a receive count of 0. Returns how many."""
        ...

    def depth(self) -> QueueDepth:
        """Return how many messages there are, by kind."""
        ...

    def nothing_sent_before(self) -> datetime:
        """Return a moment before which no message was sent that may still be delivered. Dead letters do not count.

        It is as late as the queue can tell: with an empty queue, it is now.
        """
        ...

    def close(self) -> None:
        """Close idle connections. The queue opens new ones if it is used again."""
        ...


@dataclass(frozen=True, slots=True)
class ClipQuery:
    """Which clips to list: those that meet all given conditions."""

    states: tuple[ClipState, ...] = ()
    """Any of these; empty for every state."""
    tag: str | None = None
    recording: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    camera: str | None = None
    """A camera that the request names."""
    tenant: str | None = None
    """None for the clips of every tenant; empty for those without a tenant."""
    text: str = ""
    """Words that must all occur, in any case, in the clip's id, title, tags, labels, cameras or recordings."""
    deleted: bool = False
    """Whether to list clips that are deleted or about to be, too."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of clips, and where the next page begins."""

    clips: Sequence[Clip]
    next_cursor: str | None
    """Opaque; None on the last page. Stays valid while clips are added and removed (keyset paging)."""


class Records(Protocol):
    """The clips' records with their outbox. All methods raise `RecordsUnavailableError` if it is unreachable."""

    def put_clip(self, clip: Clip) -> bool:
        """Store a new clip and its event, unless its id is taken. Returns whether it was stored."""
        ...

    def get_clip(self, clip_id: str) -> Clip | None:
        """Return the clip's current record."""
        ...

    def commit(self, clip: Clip, *, announce: bool = True) -> bool:
        """Store a change, based on revision `clip.revision - 1`, together with its event, in one atomic update.

        Returns False, and changes nothing, if the stored revision is no longer that one. `announce=False` stores no
        event, for changes that users need not know about.
        """
        ...

    def beat(self, clip_id: str, attempt: int, *, lease_until: datetime, progress: Progress) -> bool:
        """Extend the attempt's lease and store its progress; the revision stays the same.

        Returns False if the attempt is not the current one of a clip in `processing`.
        """
        ...

    def list_clips(self, query: ClipQuery, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Return matching clips, newest first (created_at, then id).

        Raises:
            ValueError: `cursor` was not made by this method.
        """
        ...

    def due(self, now: datetime, *, limit: int = 100) -> list[Clip]:
        """Return clips whose `sweep_at` or (if ready) `expires_at` has passed, or whose lease expired an hour ago.

        The message of a clip whose lease expired so long ago is lost or stuck, so it must be sent again.
        """
        ...

    def count_clips(self, query: ClipQuery) -> int:
        """Return how many clips match. It reads all of them, so call it only if somebody wants to know."""
        ...

    def waiting_for(self, camera: str, *, limit: int = 500, cursor: str | None = None) -> Page:
        """Return the clips that wait for this camera's footage, oldest first (created_at, then id).

        Raises:
            ValueError: `cursor` was not made by this method.
        """
        ...

    def settled_before(self, moment: datetime, *, limit: int = 100) -> list[Clip]:
        """Return clips whose `settled_at` is before `moment`, the earliest first."""
        ...

    def remove_clips(self, clips: Iterable[Clip]) -> int:
        """Remove the records of settled clips, with all their events. Returns how many were removed.

        A clip stays if its stored revision is another one, or if one of its events is not marked as announced. Some
        may also stay until later events exist, because the positions of events never go back.
        """
        ...

    def unannounced(self, *, limit: int = 100) -> list[Event]:
        """Return events that are not marked as announced, oldest first."""
        ...

    def mark_announced(self, event_ids: Iterable[str]) -> None:
        """Mark events as announced. Unknown ids are ignored."""
        ...

    def events_after(self, position: int, *, limit: int = 100) -> list[tuple[int, Event]]:
        """Return the events after a position, in the order of their commits, each with its position."""
        ...

    def last_position(self) -> int:
        """Return the newest event's position, even if that event was removed; 0 if there were no events."""
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...


@dataclass(frozen=True, slots=True)
class RecordingPage:
    """A page of recordings, ordered by start, and where the next page begins."""

    recordings: Sequence[CameraRecording]
    next_cursor: str | None


class Catalogue(Protocol):
    """Which recording holds which moments of which camera.

    All methods raise `RecordsUnavailableError` if it is unreachable.
    """

    def put_recording(self, recording: CameraRecording) -> bool:
        """Store a recording, or its newer version, under its key.

        Returns False, and changes nothing, if the key's entry (or its removal) has a later sequencer, or already says
        the same about the same version; only a missing sequencer is then added. Recordings without a sequencer are
        ordered by `stored_at`: see `cutback.domain.cameras.store_event.is_outdated`.
        """
        ...

    def remove_recording(self, key: str, *, sequencer: str = "", at: datetime) -> bool:
        """Remove a recording, and remember the removal, so that a late event about an older version is ignored.

        Returns whether one was removed: False if there is none, or if the key's entry has a later sequencer (or,
        without one, was stored after `at`).
        """
        ...

    def put_recordings(self, recordings: Sequence[CameraRecording]) -> list[bool]:
        """Like `put_recording` for each, but cheaper. After an error, some of them may be stored."""
        ...

    def get_recording(self, key: str) -> CameraRecording | None:
        """Return the recording's entry."""
        ...

    def get_recordings(self, keys: Sequence[str]) -> dict[str, CameraRecording]:
        """Return those of the recordings that are in the catalogue, by key."""
        ...

    def removed_by_hand(self, keys: Sequence[str]) -> dict[str, CameraRecording]:
        """Return the last entries of recordings that were registered by hand and then removed, by key.

        They are kept until the key has a recording again, however long that takes.
        """
        ...

    def placed_by_other_rules(self, rules: str, *, limit: int = 500) -> list[CameraRecording]:
        """Return recordings whose camera and start time were found by other rules, in any order. One indexed query."""
        ...

    def covering(self, camera: str, start: datetime, end: datetime) -> list[CameraRecording]:
        """Return the camera's recordings that overlap [start, end), by start, then key. One indexed query."""
        ...

    def neighbours(self, camera: str, start: datetime, end: datetime) -> list[CameraRecording]:
        """Return the nearest recording that begins before `start`, and the nearest that begins at `end` or later."""
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
        """Return recordings by start, then key: of one camera or all; if given, only those that overlap [start, end).

        Raises:
            ValueError: `cursor` was not made by this method.
        """
        ...

    def cameras(self) -> list[Camera]:
        """Return every camera that has a recording, by name."""
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """A small JSON document of the registry, as it was when it was read."""

    kind: str
    id: str
    owner: str
    """The tenant; empty if it belongs to the whole installation."""
    revision: str
    """Changes with every change of the content and never repeats, not even after a removal."""
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """A page of documents, ordered by id, and where the next page begins."""

    documents: Sequence[Document]
    next_cursor: str | None


class Registry(Protocol):
    """Small JSON documents by kind and id: keys, tenants, webhooks, shares, uploads. Each kind has its typed module.

    Kinds are words of `a-z` and `_`. All methods raise `RecordsUnavailableError` if it is unreachable.
    """

    def put_new(self, kind: str, id: str, content: Mapping[str, Any], *, owner: str = "") -> Document | None:  # noqa: A002 - the field's name
        """Store a new document; it is durable on return. Returns None, and changes nothing, if its id is taken."""
        ...

    def get(self, kind: str, id: str) -> Document | None:  # noqa: A002 - the field's name
        """Return the document as it is now."""
        ...

    def replace(self, document: Document, content: Mapping[str, Any]) -> Document | None:
        """Store other content for the document, whose owner stays the same. Returns the document as it is then.

        Returns None, and changes nothing, if the stored revision is no longer that of `document`.
        """
        ...

    def remove(self, document: Document) -> bool:
        """Remove the document. Returns False, and changes nothing, if the stored revision is no longer its own."""
        ...

    def list(self, kind: str, *, owner: str | None = None, limit: int = 50, cursor: str | None = None) -> DocumentPage:
        """Return the documents of a kind by id, of one owner or (None) of all. One indexed query.

        Raises:
            ValueError: `cursor` was not made by this method.
        """
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...


def every_document(
    registry: Registry, kind: str, *, owner: str | None = None, page_size: int = 1000
) -> Iterator[Document]:
    """Yield the documents of a kind by id, of one owner or (None) of all. They may be removed meanwhile."""
    cursor: str | None = None
    while True:
        page = registry.list(kind, owner=owner, limit=page_size, cursor=cursor)
        yield from page.documents
        cursor = page.next_cursor
        if cursor is None:
            return


CopiedKind: TypeAlias = Literal["clips", "events", "recordings", "removals", "documents"]
COPIED_KINDS: tuple[CopiedKind, ...] = get_args(CopiedKind)
"""What a database of records consists of: the clips, their events, the catalogue with its removals, the registry."""

Item: TypeAlias = tuple[str, Mapping[str, Any]]
"""One of them, by its name, with everything that must be copied, as JSON can have it."""


class Copies(Protocol):
    """A database of records as it is, to copy it into another. Only migrations use this.

    All methods raise `RecordsUnavailableError` if it is unreachable.
    """

    def unchanged(self) -> AbstractContextManager[None]:
        """Keep other processes from writing while the block lasts, where the database can do that."""
        ...

    def count(self, kind: CopiedKind) -> int:
        """Return how many items there are."""
        ...

    def page(self, kind: CopiedKind, after: str, *, limit: int) -> Sequence[Item]:
        """Return the next items after a name, by name."""
        ...

    def get(self, kind: CopiedKind, names: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return those of the items that exist, by name."""
        ...

    def store(self, kind: CopiedKind, items: Sequence[Item]) -> None:
        """Store items as they are, in place of those with the same names. After an error, some may be stored."""
        ...

    def last_position(self) -> int:
        """Return the position of the newest event, even if it was removed."""
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...


class PartStore(Protocol):
    """Takes a new recording in parts, and makes it one object of the source store.

    All methods raise `StorageUnavailableError` if the store is unreachable.
    """

    @property
    def is_direct(self) -> bool:
        """Whether clients send parts to the store itself, to the URLs of `sign`; otherwise `put_part` takes them."""
        ...

    def begin(self, key: str, content_type: str | None) -> str:
        """Begin an upload of the recording `key`. Returns a token that names the upload."""
        ...

    def sign(self, key: str, token: str, number: int, *, lifetime: timedelta) -> str:
        """Return a URL to which a client may `PUT` a part for a while. Only if `is_direct`."""
        ...

    def put_part(self, token: str, number: int, chunks: Iterable[bytes], *, size: int) -> str:
        """Store a part of `size` bytes, in place of an earlier one with its number. Returns its ETag.

        Only if not `is_direct`.

        Raises:
            StorageFullError: there is no space.
        """
        ...

    def parts(self, key: str, token: str, *, most: int) -> list[UploadedPart]:
        """Return the parts that have arrived; their numbers are at most `most`."""
        ...

    def complete(self, key: str, token: str, parts: Sequence[UploadedPart]) -> None:
        """Make the parts the recording `key`, completely or not at all.

        Raises:
            ObjectExistsError: there is an object with this key.
            ObjectNotFoundError: there is no such upload (any more).
            StorageFullError: there is no space.
        """
        ...

    def discard(self, key: str, token: str) -> None:
        """Remove the parts of an upload, if there are any."""
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...


class Prober(Protocol):
    """Examines recordings."""

    def probe(self, source: ByteSource, *, limits: Limits, stopped: Callable[[], bool]) -> dict[str, Any]:
        """Describe the recording, in the form of `cutback.cutting.probe`. Raises like `Cutter.render`."""
        ...

    def preview(self, job: CutJob, sources: Sequence[ByteSource], *, stopped: Callable[[], bool]) -> dict[str, Any]:
        """Describe what a cutter would do with a job without gaps, in the form of `cutback.cutting.preview`.

        Raises like `Cutter.render`.
        """
        ...

    def frame_map(self, source: ByteSource, *, limits: Limits, stopped: Callable[[], bool]) -> dict[str, Any]:
        """Tell when each frame is shown, in the form of `cutback.cutting.frame_map`. Raises like `Cutter.render`."""
        ...

    def sprites(
        self, source: ByteSource, *, limits: Limits, stopped: Callable[[], bool]
    ) -> tuple[dict[str, Any], bytes]:
        """Make a sheet of small pictures, as `cutback.cutting.sprites` does. Raises like `Cutter.render`."""
        ...

    def slot_sprites(
        self, sources: Sequence[ByteSource], slots: Sequence[CutRange], *, limits: Limits, stopped: Callable[[], bool]
    ) -> tuple[dict[str, Any], bytes]:
        """Make a sheet with a picture of each slot of these recordings, as `cutback.cutting.sprites` does.

        Raises like `Cutter.render`.
        """
        ...

    def waveform(self, source: ByteSource, *, limits: Limits, stopped: Callable[[], bool]) -> dict[str, Any]:
        """Return the peaks of its sound, in the form of `cutback.cutting.waveform`. Raises like `Cutter.render`."""
        ...

    def motion(
        self, sources: Sequence[ByteSource], ranges: Sequence[CutRange], *, limits: Limits, stopped: Callable[[], bool]
    ) -> dict[str, Any]:
        """Tell where something moves, in the form of `cutback.cutting.motion`. Raises like `Cutter.render`."""
        ...

    def excerpt(self, source: ByteSource, wanted: CutRange, *, limits: Limits, stopped: Callable[[], bool]) -> bytes:
        """Make a small copy of a range, as `cutback.cutting.excerpt` does. Raises like `Cutter.render`."""
        ...

    def probe_all(
        self, sources: Sequence[ByteSource], *, limits: Limits, stopped: Callable[[], bool]
    ) -> Iterator[tuple[int, dict[str, Any] | CutbackError]]:
        """As `probe` for each source, but cheaper than one by one. An error of one source is its answer.

        Each answer comes with its source's number, from 0, in any order.

        Raises:
            SurroundingsError: a store does not answer.
            StoppedError: `stopped` answered True.
        """
        ...

    def activities(
        self, sources: Sequence[ByteSource], *, limits: Limits, stopped: Callable[[], bool]
    ) -> Iterator[tuple[int, dict[str, Any] | CutbackError]]:
        """Tell how much moves, in the form of `cutback.cutting.activity`. Answers and raises like `probe_all`."""
        ...

    def close(self) -> None:
        """End background processes."""
        ...


class Announcer(Protocol):
    """Sends events to consumers, at least once: an event may be repeated, with the same id."""

    def announce(self, event: Event) -> None:
        """Send the event. On return, the receiver has stored it durably.

        Raises:
            SurroundingsError: it was not sent; announce it again later.
        """
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...


EVENT_COUNTER = "events"
"""The counter in the cache that changes with every event, so that those who follow the event log look at it."""


def clip_counter(clip_id: str) -> str:
    """Return the name of the counter in the cache that changes with each change of the clip's record."""
    return f"clip:{clip_id}"


class Cache(Protocol):
    """Small values that may disappear at any time. Never raises: without a cache, work is only slower."""

    def get(self, key: str) -> bytes | None:
        """Return the value, or None."""
        ...

    def set(self, key: str, value: bytes) -> None:
        """Keep the value for a while, if there is space."""
        ...

    def bump(self, counter: str) -> None:
        """Change a counter, so that whoever watches it sees that something happened. Counters are not values."""
        ...

    def count(self, counter: str) -> int | None:
        """Return a counter's value: it differs after every `bump`, also if the cache was emptied in between.

        None if it was never changed, or if the cache does not answer.
        """
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...
