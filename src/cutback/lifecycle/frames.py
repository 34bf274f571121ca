"""The frames of a recording: when each is shown, and what it looks like. Made in the sandbox, kept in the cache."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

from cutback.cutting.job import CutJob, CutProgress, CutRange, Limits
from cutback.domain.errors import MediaUnsupportedError, RangeOutsideRecordingError, SourceChangedError
from cutback.domain.times import FrameNumber
from cutback.lifecycle.turn import Turn, at_once, known_or_made
from cutback.reading.index_cache import RememberingReader
from cutback.reading.open_playlist import is_playlist
from cutback.reading.range_reader import RangeReader
from cutback.services import Services
from cutback.storage.object_info import ObjectInfo

WIDTHS = (300, 640, 1500, 3000)
"""Widths of pictures, in pixels: those of posters."""


def version_of(services: Services, key: str) -> ObjectInfo:
    """Return the recording's present version.

    Raises:
        RecordingNotFoundError: there is no such recording.
        MediaUnsupportedError: it is a playlist, whose frames are those of its segments.
        StorageUnavailableError: the store does not answer.
    """
    if is_playlist(key):
        raise MediaUnsupportedError("A playlist has no frames of its own; name one of its segments.")
    with closing(RangeReader.open(services.sources, key, stopped=_never)) as reader:
        return reader.info


def frame_map(services: Services, info: ObjectInfo, *, limits: Limits, turn: Turn = at_once) -> dict[str, Any]:
    """Return the frame map of a version, in the form of `cutback.cutting.frame_map`.

    Raises:
        SourceChangedError: the recording has another version now.
        RangeOutsideRecordingError: it has no pictures.
        CutbackError: it cannot be read, or takes too long.
    """

    def make() -> bytes:
        with closing(_open(services, info)) as reader:
            made = services.prober.frame_map(reader, limits=limits, stopped=_never)
        return json.dumps(made).encode()

    found: dict[str, Any] = json.loads(_kept(services, _name("frames", info), make, turn))
    return found


def frame_picture(
    services: Services, info: ObjectInfo, number: int, width: int, *, limits: Limits, turn: Turn = at_once
) -> bytes:
    """Return frame `number` (from 0) of a version as a JPEG of about this width, one of `WIDTHS`.

    It is the poster of a clip that consists of this frame.

    Raises:
        SourceChangedError: the recording has another version now.
        RangeOutsideRecordingError: there is no such frame.
        CutbackError: the recording cannot be read, or takes too long.
    """
    wanted = CutRange(0, FrameNumber(number), FrameNumber(number + 1))

    def make() -> bytes:
        with closing(_open(services, info)) as reader:
            job = CutJob(sizes=(reader.size,), ranges=(wanted,), limits=limits)
            with services.cutter.render(job, [reader], on_progress=_ignore, stopped=_never) as rendition:
                poster = next((each for each in rendition.posters() if each.fits == width), None)
                if poster is None:
                    raise RangeOutsideRecordingError("The recording has no pictures.")
                return rendition.read_poster(poster)

    return _kept(services, _name(f"frame:{number}:{width}", info), make, turn)


def excerpt(services: Services, info: ObjectInfo, frames: range, *, limits: Limits, turn: Turn = at_once) -> bytes:
    """Return a small MP4 of these frames of a version, in H.264 and without sound: see `cutback.cutting.excerpt`.

    Raises:
        SourceChangedError: the recording has another version now.
        RangeOutsideRecordingError: it has not all of these frames.
        CutbackError: it cannot be read, or takes too long.
    """
    wanted = CutRange(0, FrameNumber(frames.start), FrameNumber(frames.stop))

    def make() -> bytes:
        with closing(_open(services, info)) as reader:
            return services.prober.excerpt(reader, wanted, limits=limits, stopped=_never)

    return _kept(services, _name(f"excerpt:{frames.start}:{frames.stop}", info), make, turn)


def _kept(services: Services, name: str, make: Callable[[], bytes], turn: Turn) -> bytes:
    """Return what the cache has, or make it and put it there."""

    def make_and_keep() -> bytes:
        made = make()
        services.cache.set(name, made)
        return made

    return known_or_made(lambda: services.cache.get(name), make_and_keep, turn)


def _open(services: Services, info: ObjectInfo) -> RememberingReader:
    reader = RememberingReader(RangeReader.open(services.sources, info.key, stopped=_never), services.cache)
    if reader.info.etag != info.etag:
        reader.close()
        raise SourceChangedError
    return reader


def _name(kind: str, info: ObjectInfo) -> str:
    """Return a name for the cache: short, whatever the recording's key is."""
    version = f"{info.key} {info.etag}".encode()
    return f"{kind}:{hashlib.sha256(version).hexdigest()}"


def _never() -> bool:
    return False


def _ignore(_: CutProgress) -> None:
    """Nobody waits for the progress of one frame."""
