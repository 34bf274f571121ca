"""A piece of a recording that is a playlist, opened for reading: the segments that it needs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from cutback.domain.errors import (
    MediaTooLargeError,
    MediaUnreadableError,
    MediaUnsupportedError,
    ObjectNotFoundError,
    ObjectTooLargeError,
    RangeOutsideRecordingError,
    RecordingNotFoundError,
)
from cutback.domain.times import FrameNumber, Instant, format_seconds
from cutback.reading.joined_reader import JoinedReader
from cutback.reading.playlist import LARGEST, SUFFIX, Playlist, Segment, parse_playlist

if TYPE_CHECKING:
    from cutback.cutting.job import ByteSource
    from cutback.storage.store import Store

_MOST_AT_ONCE = 2_000
"""Segments of one piece: some two hours of segments of four seconds."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a piece is cut from. Whoever gets it closes the reader."""

    reader: JoinedReader
    start: Instant
    end: Instant
    clock: Fraction
    """See `CutJob.clocks`."""


def is_playlist(key: str) -> bool:
    """Whether a key names a playlist rather than a video."""
    return key.lower().endswith(SUFFIX)


def open_segments(
    store: Store, key: str, start: Instant, end: Instant, *, stopped: Callable[[], bool] | None = None
) -> list[Opened]:
    """Open what a piece needs of a playlist: one reader, or more where the playlist has discontinuities.

    Raises:
        RecordingNotFoundError: the playlist or a segment is not there.
        RangeOutsideRecordingError: the playlist has nothing there.
        MediaUnreadableError: the playlist is damaged.
        MediaUnsupportedError: it is encrypted, lists other playlists, or was asked for by frame numbers.
        MediaTooLargeError: it is, or the piece needs too many segments.
        StorageUnavailableError: the store does not answer.
    """
    if isinstance(start, FrameNumber) or isinstance(end, FrameNumber):
        raise MediaUnsupportedError("The frames of a playlist are not numbered; give times.")
    playlist = read_playlist(store, key)
    runs = playlist.around(start, end)
    if not runs:
        raise RangeOutsideRecordingError(f"The playlist's {len(playlist.segments)} segments hold nothing of it.")
    if sum(len(run.segments) for run in runs) > _MOST_AT_ONCE:
        raise MediaTooLargeError(f"More than {_MOST_AT_ONCE} segments would be needed.")
    made = []
    with ExitStack() as opened:
        for run in runs:
            reader = opened.enter_context(closing(_joined(store, key, run.segments, stopped)))
            made.append(Opened(reader, run.start, run.end, clock=run.segments[0].start))
        opened.pop_all()  # all are there: from here on whoever asked closes them
    return made


def _joined(store: Store, key: str, segments: tuple[Segment, ...], stopped: Callable[[], bool] | None) -> JoinedReader:
    header = segments[0].init
    parts = [segment.media for segment in segments]
    # Fragments have an index each; of a transport stream every packet has to be looked at.
    whole = header is None
    return JoinedReader.open(store, key, parts if header is None else [header, *parts], whole=whole, stopped=stopped)


def read_playlist(store: Store, key: str) -> Playlist:
    """Fetch and parse a playlist, as it is now. One request."""
    try:
        text = store.get_bytes(key, LARGEST)
    except ObjectNotFoundError as error:
        raise RecordingNotFoundError(error.detail) from None
    except ObjectTooLargeError as error:
        raise MediaTooLargeError(f"The playlist has more than {LARGEST} bytes.") from error
    try:
        return parse_playlist(text.decode("utf-8"), key)
    except UnicodeDecodeError as error:
        raise MediaUnreadableError("The playlist is not text.") from error


def probe_playlist(
    store: Store, key: str, probe: Callable[[ByteSource], dict[str, Any]], *, stopped: Callable[[], bool] | None = None
) -> dict[str, Any]:
    """What a recording in segments is, as `cutback.cutting.probe` tells of a video; `probe` looks into a source.

    Its first segment says what tracks it has; the playlist, how long it is, when it began and whether more may come.
    Raises as `open_segments` and `probe` do.
    """
    playlist = read_playlist(store, key)
    if not playlist.segments:
        raise RangeOutsideRecordingError("The playlist has no segments yet.")
    with closing(_joined(store, key, playlist.segments[:1], stopped)) as reader:
        found = probe(reader)
    if playlist.begins is not None:
        found["created"] = playlist.begins.isoformat()
    return {**found, "duration": format_seconds(playlist.end), "truncated": False, "open_ended": not playlist.finished}
