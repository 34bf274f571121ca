"""The sprites and the waveform of a recording: made in the sandbox when somebody asks, kept under its version."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

from cutback.cutting.job import Limits
from cutback.domain.errors import SourceChangedError
from cutback.lifecycle import made_files
from cutback.lifecycle.turn import Turn, at_once, known_or_made
from cutback.reading.index_cache import RememberingReader
from cutback.reading.range_reader import RangeReader
from cutback.services import Services
from cutback.storage.object_info import ObjectInfo

_SHEET, _TILES, _WAVEFORM = "sprites-1.jpg", "sprites-1.json", "waveform-1.json"
"""Change the numbers whenever they are made in another way."""


def sprites(
    services: Services, info: ObjectInfo, *, limits: Limits, turn: Turn = at_once
) -> tuple[dict[str, Any], bytes]:
    """Return what the tiles of a version show, and the sheet: see `cutback.cutting.sprites`.

    Raises:
        SourceChangedError: the recording has another version now.
        RangeOutsideRecordingError: it has no pictures.
        CutbackError: it cannot be read, or takes too long.
    """

    def known() -> tuple[dict[str, Any], bytes] | None:
        tiles = made_files.find(services, info.key, info.etag, _TILES)
        sheet = made_files.find(services, info.key, info.etag, _SHEET) if tiles is not None else None
        return (json.loads(tiles), sheet) if tiles is not None and sheet is not None else None

    def make() -> tuple[dict[str, Any], bytes]:
        with closing(_open(services, info)) as reader:
            found, made = services.prober.sprites(reader, limits=limits, stopped=_never)
        made_files.put(services, info.key, info.etag, _SHEET, made)
        made_files.put(services, info.key, info.etag, _TILES, json.dumps(found).encode())
        return found, made

    return known_or_made(known, make, turn)


def waveform(services: Services, info: ObjectInfo, *, limits: Limits, turn: Turn = at_once) -> dict[str, Any]:
    """Return the peaks of a version's sound: see `cutback.cutting.waveform`.

    Raises:
        SourceChangedError: the recording has another version now.
        RangeOutsideRecordingError: it has no sound.
        CutbackError: it cannot be read, or takes too long.
    """

    def make() -> dict[str, Any]:
        with closing(_open(services, info)) as reader:
            found = services.prober.waveform(reader, limits=limits, stopped=_never)
        made_files.put(services, info.key, info.etag, _WAVEFORM, json.dumps(found, separators=(",", ":")).encode())
        return found

    return known_or_made(lambda: kept_waveform(services, info.key, info.etag), make, turn)


def kept_waveform(services: Services, key: str, etag: str) -> dict[str, Any] | None:
    """Return the peaks of a version's sound if they are kept."""
    kept = made_files.find(services, key, etag, _WAVEFORM)
    if kept is None:
        return None
    found: dict[str, Any] = json.loads(kept)
    return found


def _open(services: Services, info: ObjectInfo) -> RememberingReader:
    reader = RememberingReader(RangeReader.open(services.sources, info.key, stopped=_never), services.cache)
    if reader.info.etag != info.etag:
        reader.close()
        raise SourceChangedError
    return reader


def _never() -> bool:
    return False
