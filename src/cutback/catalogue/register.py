"""Registers a recording: examines it, finds its camera and start time, and stores it in the catalogue."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from cutback.domain.byte_ranges import coalesced
from cutback.domain.cameras.key_pattern import is_recording
from cutback.domain.cameras.placing import METADATA_CAMERA, METADATA_START, Told, camera_of, place_recording
from cutback.domain.cameras.recording import CameraRecording, PlaceEvidence
from cutback.domain.cameras.store_event import StoreEvent
from cutback.domain.errors import (
    CutbackError,
    InvalidRequestError,
    MediaUnreadableError,
    MediaUnsupportedError,
    ObjectNotFoundError,
    RecordingNotFoundError,
    SourceChangedError,
)
from cutback.reading.index_cache import RememberingReader
from cutback.reading.range_reader import RangeReader

if TYPE_CHECKING:
    from cutback.services import Services
    from cutback.storage.store import ObjectInfo

log = logging.getLogger(__name__)

STILL_WRITTEN = timedelta(seconds=10)
"""A file that changed within this time may still be growing."""
STILL_REPLACED = timedelta(minutes=1)
"""An object that replaced a shorter one within this time may be replaced by a longer one."""

_FINEST_RATE = 100_000
_MOST_PARTS = 64
"""Maximum parts of an index that are stored; an index with more parts is searched again."""

What = Literal["entered", "renewed", "known", "gone", "superseded"]


@dataclass(frozen=True, slots=True)
class Registered:
    """The result of examining a recording."""

    what: What
    """`entered`: stored for the first time; `renewed`: something about it is new; `known`: nothing is new; `gone`: it
    is not in the store (any more); `superseded`: another version has replaced it, which is examined separately."""
    recording: CameraRecording | None = None
    """Its entry in the catalogue; the last one if it is gone."""

    @property
    def is_news(self) -> bool:
        """Whether clips that wait for this camera should look for it again."""
        return self.what in {"entered", "renewed"}


def register(
    services: Services,
    key: str,
    *,
    camera: str = "",
    start: datetime | None = None,
    etag: str = "",
    sequencer: str = "",
    forced: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> Registered:
    """Examine the object with this key, and store it in the catalogue; remove it there if it does not exist any more.

    `camera` and `start` are given by hand. They take precedence over all other sources, also for later versions of the
    recording, and even after it was removed and returns. `etag` and `sequencer` are those of the store's event; any
    other version is left to its own event. A store that is missing or empty does not prove that a recording is gone,
    unless `forced`.

    Raises:
        PlaceUnknownError: no source gives its camera or its start time.
        CutbackError: it is not a readable recording.
        SurroundingsError: store or catalogue do not answer.
    """
    known = services.catalogue.get_recording(key)
    if known is not None and etag and bare(known.etag) == bare(etag) and not known.growing:
        # Reported twice, or scanned before its event arrived: no request to the store is needed.
        services.catalogue.put_recording(known.model_copy(update={"sequencer": sequencer or known.sequencer}))
        return Registered("known", known)
    try:
        with closing(RangeReader.open(services.sources, key, stopped=stopped)) as reader:
            info = reader.info
            if etag and bare(etag) != bare(info.etag):
                return Registered("superseded", known)
            changing = _is_changing(services, info, known)
            if known is not None and known.etag == info.etag and not camera and start is None:
                growing = known.growing and changing
                looked = known.model_copy(update={"growing": growing, "sequencer": sequencer or known.sequencer})
            else:
                told = Told(key, _evidence(services, key, known, camera, start), stored_at=info.modified)
                looked = _look(services, RememberingReader(reader, services.cache), told, stopped)
                looked = looked.model_copy(update={"growing": looked.growing and changing, "sequencer": sequencer})
    except SourceChangedError:
        return Registered("superseded", known)
    except (RecordingNotFoundError, ObjectNotFoundError):
        # Only for this version: an event about a newer one takes precedence.
        if known is not None:
            if not forced:
                services.sources.check_there()
            services.catalogue.remove_recording(key, at=known.stored_at)
        return Registered("gone", known)
    news = services.catalogue.put_recording(looked)
    for conflict in looked.conflicts if news else ():
        log.info("stage=catalogued key=%r conflict=%r", key, conflict)
    what: What = "known" if not news else "entered" if known is None else "renewed"
    return Registered(what, services.catalogue.get_recording(key))


def bare(etag: str) -> str:
    """Return an ETag as S3's events write it: without quotes."""
    return etag.removeprefix("W/").strip('"')


def own_key(services: Services, event: StoreEvent) -> str | None:
    """Return the key, in the source store, of the event's recording; None if the event is about anything else."""
    parts = urlsplit(services.sources.url) if not services.sources.is_folder else None
    if event.bucket != (parts.netloc if parts else ""):
        return None
    prefix = f"{parts.path.strip('/')}/" if parts and parts.path.strip("/") else ""
    key = event.key.removeprefix(prefix)
    return key if event.key.startswith(prefix) and is_recording(key) else None


def remove(services: Services, key: str, event: StoreEvent) -> bool:
    """Remove a recording from the catalogue because the store reports its removal. Returns whether it is gone.

    This asks the store first, because the removal may be that of an old version, by a lifecycle rule or by hand.

    Raises:
        SurroundingsError: store or catalogue do not answer.
    """
    try:
        services.sources.head(key)
    except (ObjectNotFoundError, InvalidRequestError):
        pass
    else:
        return False
    if services.catalogue.remove_recording(key, sequencer=event.sequencer, at=event.time):
        log.info("stage=catalogued key=%r removed=yes", key)
    return True


def _evidence(
    services: Services, key: str, known: CameraRecording | None, camera: str, start: datetime | None
) -> PlaceEvidence:
    """Collect what is known about camera and start time outside the container. Earlier input by hand still counts."""
    before = known or services.catalogue.removed_by_hand([key]).get(key)
    said = before.evidence if before is not None else PlaceEvidence()
    metadata = services.sources.metadata(key)
    return PlaceEvidence(
        camera=camera or said.camera,
        start=start or said.start,
        metadata_camera=metadata.get(METADATA_CAMERA, "").strip(),
        metadata_start=metadata.get(METADATA_START, "").strip(),
    )


def _look(services: Services, reader: RememberingReader, told: Told, stopped: Callable[[], bool]) -> CameraRecording:
    rules = services.settings.key_rules
    camera_of(told, rules)  # without a camera, it need not be examined
    noting = _IndexNotes(reader)
    found = services.prober.probe(noting, limits=services.settings.limits, stopped=stopped)
    video: dict[str, Any] = next((track for track in found["tracks"] if track["kind"] == "video"), {})
    evidence = told.evidence.model_copy(update={"created": str(found.get("created") or "")})
    told = Told(told.key, evidence, Fraction(found["duration"]), told.stored_at)
    placement = place_recording(told, rules)
    tracks = sorted(found["tracks"], key=lambda track: track["kind"] != "video")
    return CameraRecording(
        key=told.key,
        etag=reader.info.etag,
        size=reader.size,
        camera=placement.camera,
        start=placement.start,
        duration=told.duration,
        stored_at=told.stored_at,
        width=video.get("width", 0),
        height=video.get("height", 0),
        codecs=tuple(track["codec"] for track in tracks),
        frame_rate=_frame_rate(video),
        growing=bool(found.get("open_ended", True) or found.get("truncated")),
        index=noting.parts(),
        conflicts=placement.conflicts,
        evidence=evidence,
        folder=placement.folder,
        rules=rules.fingerprint,
    )


def _frame_rate(video: dict[str, Any]) -> Fraction:
    length = Fraction(video.get("duration", 0))
    # The duration is a rounded decimal; this restores round rates such as 30.
    return (video["samples"] / length).limit_denominator(_FINEST_RATE) if length > 0 else Fraction(0)


def _is_changing(services: Services, info: ObjectInfo, known: CameraRecording | None) -> bool:
    """Whether it may still grow: a file in place, an object by being replaced with a longer one."""
    quiet = abs(services.clock() - info.modified)
    if services.sources.is_folder:
        return quiet < STILL_WRITTEN
    grew = known is not None and (known.growing or (bare(known.etag) != bare(info.etag) and known.size < info.size))
    return grew and quiet < STILL_REPLACED


class _IndexNotes:
    """A `ByteSource` that notes which of its parts are the container's index."""

    def __init__(self, reader: RememberingReader) -> None:
        self._reader = reader
        self._read: list[tuple[int, int]] = []

    @property
    def size(self) -> int:
        return self._reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        return self._reader.read_at(offset, length)

    def read_index(self, offset: int, length: int) -> bytes:
        self._read.append((offset, offset + length))
        return self._reader.read_index(offset, length)

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        self._reader.prefetch(ranges)

    def parts(self) -> tuple[tuple[int, int], ...]:
        """Return (offset, length) of each, in order, with adjacent ones joined."""
        joined = coalesced(self._read, gap=0)
        return tuple((start, end - start) for start, end in joined) if len(joined) <= _MOST_PARTS else ()


def is_young(services: Services, info: ObjectInfo) -> bool:
    """Whether it may be unreadable only because it is not completely written yet."""
    return abs(services.clock() - info.modified) < STILL_WRITTEN


def is_not_yet(error: CutbackError) -> bool:
    """Whether the error may occur because the object is still being written."""
    return isinstance(error, MediaUnreadableError | MediaUnsupportedError)
