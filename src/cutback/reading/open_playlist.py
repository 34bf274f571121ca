"""Opens the segments of a playlist that a range needs."""

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
)
from cutback.domain.times import FrameNumber, FromEnd, Instant, format_seconds
from cutback.reading.joined_reader import JoinedReader
from cutback.reading.missing import missing_recording
from cutback.reading.playlist import LARGEST, SUFFIX, Playlist, Segment, parse_playlist

if TYPE_CHECKING:
    from cutback.cutting.job import ByteSource
    from cutback.storage.store import Store

_MOST_AT_ONCE = 2_000
"""Maximum segments of one range: about two hours of four-second segments."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a range is cut from. The caller closes the reader."""

    reader: JoinedReader
    start: Instant
    end: Instant
    clock: Fraction
    """See `CutJob.clocks`."""


def is_playlist(key: str) -> bool:
    """Whether a key is that of a playlist rather than of a video."""
    return key.lower().endswith(SUFFIX)


def open_segments(
    store: Store, key: str, start: Instant, end: Instant, *, stopped: Callable[[], bool] | None = None
) -> list[Opened]:
    """Open the segments that a range needs: with one reader for each continuous run of the playlist.

    Raises:
        RecordingNotFoundError: the playlist or a segment does not exist.
        RangeOutsideRecordingError: the playlist has no segments in this range.
        MediaUnreadableError: the playlist is damaged.
        MediaUnsupportedError: it is encrypted or lists other playlists, or the range has frame numbers.
        MediaTooLargeError: the playlist is too large, or the range needs too many segments.
        StorageUnavailableError: the store does not answer.
    """
    if isinstance(start, FrameNumber) or isinstance(end, FrameNumber):
        raise MediaUnsupportedError("A playlist has no frame numbers; give times instead.")
    playlist = read_playlist(store, key)
    start, end = (
        max(playlist.end - each.seconds, Fraction(0)) if isinstance(each, FromEnd) else each for each in (start, end)
    )
    if end <= start:
        raise RangeOutsideRecordingError(f"The playlist ends at {format_seconds(playlist.end)} s.")
    runs = playlist.around(start, end)
    if not runs:
        raise RangeOutsideRecordingError(f"None of the playlist's {len(playlist.segments)} segments overlaps it.")
    if sum(len(run.segments) for run in runs) > _MOST_AT_ONCE:
        raise MediaTooLargeError(f"The range needs more than {_MOST_AT_ONCE} segments.")
    made = []
    with ExitStack() as opened:
        for run in runs:
            reader = opened.enter_context(closing(_joined(store, key, run.segments, stopped)))
            made.append(Opened(reader, run.start, run.end, clock=run.segments[0].start))
        opened.pop_all()  # all are open: from here on the caller closes them
    return made


def _joined(store: Store, key: str, segments: tuple[Segment, ...], stopped: Callable[[], bool] | None) -> JoinedReader:
    header = segments[0].init
    parts = [segment.media for segment in segments]
    # Each fragment has its own index; of a transport stream, every packet must be read.
    whole = header is None
    return JoinedReader.open(store, key, parts if header is None else [header, *parts], whole=whole, stopped=stopped)


def read_playlist(store: Store, key: str) -> Playlist:
    """Read and parse the current playlist. One request."""
    try:
        text = store.get_bytes(key, LARGEST)
    except ObjectNotFoundError as error:
        raise missing_recording(error) from None
    except ObjectTooLargeError as error:
        raise MediaTooLargeError(f"The playlist has more than {LARGEST} bytes.") from error
    try:
        return parse_playlist(text.decode("utf-8"), key)
    except UnicodeDecodeError as error:
        raise MediaUnreadableError("The playlist is not text.") from error


def probe_playlist(
    store: Store, key: str, probe: Callable[[ByteSource], dict[str, Any]], *, stopped: Callable[[], bool] | None = None
) -> dict[str, Any]:
    """Describe a recording in segments, in the form of `cutback.cutting.probe`; `probe` examines one source.

    The first segment determines the tracks; the playlist gives the duration, the start and whether it may still grow.
    Raises like `open_segments` and `probe`.
    """
    playlist = read_playlist(store, key)
    if not playlist.segments:
        raise RangeOutsideRecordingError("The playlist has no segments yet.")
    with closing(_joined(store, key, playlist.segments[:1], stopped)) as reader:
        found = probe(reader)
    if playlist.begins is not None:
        found["created"] = playlist.begins.isoformat()
    return {**found, "duration": format_seconds(playlist.end), "truncated": False, "open_ended": not playlist.finished}
