"""The sprites and the waveform of a span of a camera: made when somebody asks, kept under its recordings' versions."""

from __future__ import annotations

import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cutback.cutting.job import CutRange, Limits
from cutback.domain.base import iso
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.cameras.tile_slots import CameraTile, TileSlot, camera_tiles, tile_slots
from cutback.domain.errors import (
    CutbackError,
    FootageMissingError,
    MediaUnreadableError,
    MediaUnsupportedError,
    RangeOutsideRecordingError,
    RecordingNotFoundError,
    SourceChangedError,
    StoppedError,
    SurroundingsError,
)
from cutback.domain.joined_waveform import joined_waveform
from cutback.domain.wallclock import seconds_between
from cutback.lifecycle import made_files
from cutback.lifecycle.frames import version_of
from cutback.lifecycle.made_pictures import kept_waveform, waveform
from cutback.lifecycle.turn import Turn
from cutback.reading.index_cache import RememberingReader
from cutback.reading.range_reader import RangeReader
from cutback.services import Services

_SHEET, _TILES = "camera-sprites-1.jpg", "camera-sprites-1.json"
"""Change the numbers whenever they are made in another way."""
_AT_ONCE = 16
_SCALE = 1000
"""Of the peaks of waveforms."""

_WITHOUT_SOUND = (
    MediaUnreadableError,
    MediaUnsupportedError,
    RangeOutsideRecordingError,
    RecordingNotFoundError,
    SourceChangedError,
)
"""What says that one recording has no sound that could be drawn; the others may have some."""


@dataclass(frozen=True, slots=True)
class CameraSprites:
    """A sheet with pictures of a span."""

    tiles: tuple[CameraTile, ...]
    size: tuple[int, int]
    """Of a tile, in pixels."""
    sheet: bytes
    """A JPEG; empty without tiles."""
    columns: int


@dataclass(frozen=True, slots=True)
class ScrubbedSpan:
    """A span of a camera, and which parts of its recordings are shown."""

    camera: str
    begins: datetime
    ends: datetime
    recordings: tuple[CameraRecording, ...]
    slots: tuple[TileSlot, ...]

    @property
    def version(self) -> str:
        """Changes with the recordings."""
        shown = [[each.key, each.etag, iso(each.start)] for each in self.recordings]
        return hashlib.sha256(
            json.dumps([iso(self.begins), iso(self.ends), len(self.slots), shown]).encode()
        ).hexdigest()


def camera_span(services: Services, camera: str, begins: datetime, ends: datetime, count: int) -> ScrubbedSpan:
    """Return the recordings of a span, and up to `count` slots in it.

    Raises:
        SurroundingsError: the catalogue does not answer.
    """
    recordings = services.catalogue.covering(camera, begins, ends)
    return ScrubbedSpan(camera, begins, ends, tuple(recordings), tile_slots(recordings, begins, ends, count))


def camera_sprites(services: Services, span: ScrubbedSpan, *, limits: Limits, slot: Turn) -> CameraSprites:
    """Return the pictures of a span. A recording that cannot be read has none.

    Raises:
        CutbackError: the store does not answer, or it takes too long.
    """
    key, version = f"camera {span.camera}", span.version
    tiles = made_files.find(services, key, version, _TILES)
    sheet = made_files.find(services, key, version, _SHEET) if tiles is not None else None
    if tiles is None or sheet is None:
        found, sheet, lasting = _make_sprites(services, span, limits, slot)
        if lasting and sheet:
            made_files.put(services, key, version, _SHEET, sheet)
            made_files.put(services, key, version, _TILES, json.dumps(found).encode())
    else:
        found = json.loads(tiles)
    return CameraSprites(camera_tiles(span.slots, found), (found["width"], found["height"]), sheet, found["columns"])


def _make_sprites(
    services: Services, span: ScrubbedSpan, limits: Limits, slot: Turn
) -> tuple[dict[str, Any], bytes, bool]:
    """Return what the tiles show, the sheet, and whether this lasts as long as the recordings stay as they are."""
    recordings = list({each.recording.key: each.recording for each in span.slots}.values())
    with slot(), ExitStack() as opened:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="cutback-sprites") as threads:
            readers = list(threads.map(lambda each: _open(services, each.key), recordings))
        lasting = True
        places: dict[str, int] = {}
        sources: list[RememberingReader] = []
        for recording, reader in zip(recordings, readers, strict=True):
            if reader is None:
                lasting = False
                continue
            opened.callback(reader.close)
            lasting = lasting and reader.info.etag == recording.etag and not recording.growing
            places[recording.key] = len(sources)
            sources.append(reader)
        numbers = [number for number, each in enumerate(span.slots) if each.recording.key in places]
        wanted = [_range(span.slots[number], places) for number in numbers]
        found, sheet = services.prober.slot_sprites(sources, wanted, limits=limits, stopped=_never)
    for tile in found["tiles"]:
        tile["slot"] = numbers[tile["slot"]]
    return found, sheet, lasting


def _range(slot: TileSlot, places: dict[str, int]) -> CutRange:
    start = slot.recording.start
    return CutRange(places[slot.recording.key], seconds_between(start, slot.begins), seconds_between(start, slot.ends))


def _open(services: Services, key: str) -> RememberingReader | None:
    try:
        return RememberingReader(RangeReader.open(services.sources, key, stopped=_never), services.cache)
    except CutbackError as error:
        if isinstance(error, StoppedError | SurroundingsError):
            raise
        return None


def camera_waveform(services: Services, span: ScrubbedSpan, *, limits: Limits, slot: Turn) -> dict[str, Any]:
    """Return the peaks of a span's sound, in the form of `cutback.cutting.waveform`: time 0 is where the span begins.

    Each recording's own waveform is kept, so a call after one that took too long has less to do.

    Raises:
        FootageMissingError: no recording of the span has sound.
        CutbackError: the store does not answer, or it takes longer than the limits allow.
    """
    until = time.monotonic() + limits.seconds
    parts = []
    for recording in span.recordings:
        found = _sound_of(services, recording, limits, until, slot)
        if found is not None:
            parts.append((seconds_between(span.begins, recording.start), found))
    if not parts:
        raise FootageMissingError(f"{span.camera} has no sound from {iso(span.begins)} to {iso(span.ends)}.")
    return joined_waveform(parts, seconds_between(span.begins, span.ends), _SCALE)


def _sound_of(
    services: Services, recording: CameraRecording, limits: Limits, until: float, slot: Turn
) -> dict[str, Any] | None:
    """Return a recording's waveform; None if it has no sound or cannot be read."""
    known = kept_waveform(services, recording.key, recording.etag)
    if known is not None:
        return known
    try:
        with slot():
            left = max(1, int(until - time.monotonic()))
            info = version_of(services, recording.key)
            return waveform(services, info, limits=replace(limits, seconds=left, stall_seconds=left))
    except _WITHOUT_SOUND:
        return None


def _never() -> bool:
    return False
