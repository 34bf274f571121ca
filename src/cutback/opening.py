"""A piece of a recording opened for reading: one object, or the segments of a playlist that the piece needs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from cutback.errors import (
    CutbackError,
    MediaTooLargeError,
    MediaUnreadableError,
    MediaUnsupportedError,
    ObjectNotFoundError,
    RangeOutsideRecordingError,
    RecordingNotFoundError,
)
from cutback.joined_reader import JoinedReader
from cutback.playlist import LARGEST, SUFFIX, Playlist, Segment, parse_playlist
from cutback.range_reader import RangeReader
from cutback.remembering import RememberingReader
from cutback.times import FrameNumber, Instant

if TYPE_CHECKING:
    from cutback.ports import Cache
    from cutback.storage import Store

_MOST_AT_ONCE = 2_000
"""Segments of one piece: some two hours of segments of four seconds."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a piece is cut from. Whoever gets it closes the reader."""

    reader: RememberingReader | JoinedReader
    start: Instant
    end: Instant
    clock: Fraction | None = None
    """See `CutJob.clocks`."""


def is_playlist(key: str) -> bool:
    """Whether a key names a playlist rather than a video."""
    return key.lower().endswith(SUFFIX)


def open_piece(
    store: Store, cache: Cache, key: str, start: Instant, end: Instant, *, stopped: Callable[[], bool] | None = None
) -> list[Opened]:
    """Open what is needed of a recording for one piece: one reader, or more where a playlist has discontinuities.

    Raises:
        RecordingNotFoundError: it is not there.
        RangeOutsideRecordingError: a playlist has nothing there.
        MediaUnreadableError: a playlist is damaged.
        MediaUnsupportedError: it is encrypted, lists other playlists, or was asked for by frame numbers.
        StorageUnavailableError: the store does not answer.
    """
    if not is_playlist(key):
        return [Opened(RememberingReader(RangeReader.open(store, key, stopped=stopped), cache), start, end)]
    if isinstance(start, FrameNumber) or isinstance(end, FrameNumber):
        raise MediaUnsupportedError("The frames of a playlist are not numbered; give times.")
    playlist = read_playlist(store, key)
    stretches = playlist.around(start, end)
    if not stretches:
        raise RangeOutsideRecordingError(f"The playlist's {len(playlist.segments)} segments hold nothing of it.")
    if sum(len(stretch.segments) for stretch in stretches) > _MOST_AT_ONCE:
        raise MediaTooLargeError(f"More than {_MOST_AT_ONCE} segments would be needed.")
    made = []
    with ExitStack() as opened:
        for stretch in stretches:
            reader = opened.enter_context(closing(_open_segments(store, key, stretch.segments, stopped)))
            made.append(Opened(reader, stretch.start, stretch.end, clock=stretch.segments[0].start))
        opened.pop_all()  # all are there: from here on whoever asked closes them
    return made


def _open_segments(
    store: Store, key: str, segments: tuple[Segment, ...], stopped: Callable[[], bool] | None
) -> JoinedReader:
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
    except CutbackError as error:
        if error.reason != CutbackError.reason:
            raise
        raise MediaTooLargeError(f"The playlist has more than {LARGEST} bytes.") from error
    try:
        return parse_playlist(text.decode("utf-8"), key)
    except UnicodeDecodeError as error:
        raise MediaUnreadableError("The playlist is not text.") from error
