"""Registers a recording: examines it, finds its camera and start time, and stores it in the catalogue."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
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
from cutback.domain.clips.retry import is_transient
from cutback.domain.errors import (
    CutbackError,
    InvalidRequestError,
    MediaUnreadableError,
    MediaUnsupportedError,
    ObjectNotFoundError,
    RecordingNotFoundError,
    SourceChangedError,
    StoppedError,
    SymlinkOutsideError,
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


@dataclass(frozen=True, slots=True)
class Arrival:
    """A recording to look at, and what is said of it.

    `camera` and `start` are said by hand: they count more than all else that speaks of them, for later versions of the
    recording, too, and even after it was removed and comes back. `etag` and `sequencer` are those of the event that
    told of it: another version than that is left to its own event.
    """

    key: str
    camera: str = ""
    start: datetime | None = None
    etag: str = ""
    sequencer: str = ""
    info: ObjectInfo | None = None
    """The version to look at, if it was listed just now; otherwise the store is asked."""
    again: bool = False
    """An earlier try may have ended before the clips that wait for it heard of it."""


def register_all(
    services: Services,
    arrivals: Sequence[Arrival],
    *,
    forced: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Registered | CutbackError]:
    """Look at what lies under each key now, and note it in the catalogue; what is not there any more is taken out.

    One child process looks into all of them, and one transaction notes them. The results are in the order of
    `arrivals`, which name each key once; what is no recording, or has no place (`PlaceUnknownError`), is an error in
    its place. A store that is missing or empty is no proof that a recording is gone, unless `forced`.

    Raises:
        SurroundingsError: store or catalogue do not answer. What was looked at before is noted.
        StoppedError: `stopped` answered True.
    """
    keys = [arrival.key for arrival in arrivals]
    known = services.catalogue.get_recordings(keys)
    by_hand = services.catalogue.removed_by_hand([key for key in keys if key not in known])
    found: dict[str, Registered | CutbackError] = {}
    looked: dict[str, CameraRecording] = {}
    with ExitStack() as opened:
        looks: list[_Look] = []
        for arrival in arrivals:
            before = known.get(arrival.key)
            try:
                look = _prepare(services, arrival, before, by_hand.get(arrival.key), stopped)
            except CutbackError as error:
                found[arrival.key] = _settle(services, arrival.key, before, error, forced=forced)
                continue
            if isinstance(look, _Look):
                opened.callback(look.reader.close)
                looks.append(look)
            else:
                looked[arrival.key] = look
        try:
            for look, answer in _look_into(services, looks, stopped):
                key = look.arrival.key
                try:
                    looked[key] = _read_off(services, look, answer)
                except CutbackError as error:
                    found[key] = _settle(services, key, look.known, error, forced=forced)
        finally:  # what is known by now is worth keeping, even if the rest is broken off
            news = _note(services, looked)
    noted = services.catalogue.get_recordings(list(looked))
    for key, recording in looked.items():
        what: What = "known" if not news[key] else "entered" if key not in known else "renewed"
        for conflict in recording.conflicts if news[key] else ():
            log.info("stage=catalogued key=%r conflict=%r", key, conflict)
        found[key] = Registered(what, noted.get(key))
    return [found[key] for key in keys]


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
    """Look at what lies under `key` now, and note it: `register_all` for one.

    Raises:
        PlaceUnknownError: no source gives its camera or its start time.
        CutbackError: it is not a readable recording.
        SurroundingsError: store or catalogue do not answer.
    """
    arrival = Arrival(key, camera, start, etag, sequencer)
    (found,) = register_all(services, [arrival], forced=forced, stopped=stopped)
    if isinstance(found, CutbackError):
        raise found
    return found


@dataclass(frozen=True, slots=True)
class _Look:
    """A recording that is opened to be looked into."""

    arrival: Arrival
    known: CameraRecording | None
    reader: RememberingReader
    noting: _IndexNotes
    evidence: PlaceEvidence
    changing: bool


def _prepare(
    services: Services,
    arrival: Arrival,
    known: CameraRecording | None,
    by_hand: CameraRecording | None,
    stopped: Callable[[], bool],
) -> _Look | CameraRecording:
    """The recording, opened; or what is to be noted of it where that is known without looking into it.

    Raises:
        SourceChangedError: another version than the event's is there.
        CutbackError: as `register`.
    """
    if known is not None and arrival.etag and bare(known.etag) == bare(arrival.etag) and not known.growing:
        # Reported twice, or scanned before its event came: the store need not be asked.
        return known.model_copy(update={"sequencer": arrival.sequencer or known.sequencer})
    if arrival.info is not None:
        reader = RangeReader(services.sources, arrival.info, stopped=stopped)
    else:
        reader = RangeReader.open(services.sources, arrival.key, stopped=stopped)
    with ExitStack() as opened:
        opened.callback(reader.close)
        info = reader.info
        if arrival.etag and bare(arrival.etag) != bare(info.etag):
            raise SourceChangedError(arrival.key)
        changing = _is_changing(services, info, known)
        if known is not None and known.etag == info.etag and not arrival.camera and arrival.start is None:
            sequencer = arrival.sequencer or known.sequencer
            return known.model_copy(update={"growing": known.growing and changing, "sequencer": sequencer})
        evidence = _evidence(services, arrival, known or by_hand)
        # Without a camera, it need not be looked into.
        camera_of(Told(arrival.key, evidence, stored_at=info.modified), services.settings.key_rules)
        opened.pop_all()
    remembering = RememberingReader(reader, services.cache)
    return _Look(arrival, known, remembering, _IndexNotes(remembering), evidence, changing)


def _look_into(
    services: Services, looks: Sequence[_Look], stopped: Callable[[], bool]
) -> Iterator[tuple[_Look, dict[str, Any] | CutbackError]]:
    answers = services.prober.probe_all(
        [look.noting for look in looks], limits=services.settings.limits, stopped=stopped
    )
    for number, answer in answers:
        looks[number].reader.close()
        yield looks[number], answer


def _settle(
    services: Services, key: str, known: CameraRecording | None, error: CutbackError, *, forced: bool
) -> Registered | CutbackError:
    """What an error says of a recording. Raises what is no fault of the recording's."""
    if isinstance(error, SourceChangedError):
        return Registered("superseded", known)
    if isinstance(error, SymlinkOutsideError) and known is None:
        return error
    if isinstance(error, RecordingNotFoundError | ObjectNotFoundError):
        # Of this version alone: who tells of a newer one meanwhile is believed.
        if known is not None:
            if not forced:
                services.sources.check_there()
            services.catalogue.remove_recording(key, at=known.stored_at)
        return Registered("gone", known)
    if isinstance(error, StoppedError) or is_transient(error):
        raise error
    return error


def _note(services: Services, looked: dict[str, CameraRecording]) -> dict[str, bool]:
    return dict(zip(looked, services.catalogue.put_recordings(list(looked.values())), strict=True))


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


def _evidence(services: Services, arrival: Arrival, before: CameraRecording | None) -> PlaceEvidence:
    """What speaks of the recording's place beside key and container. What was said by hand before still counts."""
    said = before.evidence if before is not None else PlaceEvidence()
    metadata = services.sources.metadata(arrival.key)
    return PlaceEvidence(
        camera=arrival.camera or said.camera,
        start=arrival.start or said.start,
        metadata_camera=metadata.get(METADATA_CAMERA, "").strip(),
        metadata_start=metadata.get(METADATA_START, "").strip(),
    )


def _read_off(services: Services, look: _Look, found: dict[str, Any] | CutbackError) -> CameraRecording:
    """The recording, by what was found in it.

    Raises:
        CutbackError: that is what was found, or its place is not known.
    """
    if isinstance(found, CutbackError):
        raise found
    rules, info = services.settings.key_rules, look.reader.info
    video: dict[str, Any] = next((track for track in found["tracks"] if track["kind"] == "video"), {})
    evidence = look.evidence.model_copy(update={"created": str(found.get("created") or "")})
    told = Told(look.arrival.key, evidence, Fraction(found["duration"]), info.modified)
    placement = place_recording(told, rules)
    tracks = sorted(found["tracks"], key=lambda track: track["kind"] != "video")
    return CameraRecording(
        key=told.key,
        etag=info.etag,
        size=info.size,
        camera=placement.camera,
        start=placement.start,
        duration=told.duration,
        stored_at=told.stored_at,
        sequencer=look.arrival.sequencer,
        width=video.get("width", 0),
        height=video.get("height", 0),
        codecs=tuple(track["codec"] for track in tracks),
        frame_rate=_frame_rate(video),
        growing=look.changing and bool(found.get("open_ended", True) or found.get("truncated")),
        index=look.noting.parts(),
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
