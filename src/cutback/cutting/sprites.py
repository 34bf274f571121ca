"""Makes sheets of small pictures of recordings, for scrubbing: only keyframes are decoded. Runs in the child."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any

import av

from cutback.cutting.index import Track, byte_ranges
from cutback.cutting.job import ByteSource, CutJob, CutRange, Limits
from cutback.cutting.posters.still import Still, still_of
from cutback.cutting.source.footage import MediaSource, open_media
from cutback.cutting.tile_sheet import TileSheet
from cutback.domain.errors import CutbackError, MediaUnreadableError, RangeOutsideRecordingError
from cutback.domain.times import format_seconds

MOST_TILES = 100
_LEAST_APART = Fraction(1)
"""Seconds between tiles."""
_FETCHED = 20
"""Keyframes that are fetched together."""


def sprites(source: ByteSource, limits: Limits) -> tuple[dict[str, Any], bytes]:
    """Return what the tiles show, and the sheet as a JPEG. `at` and `end` are seconds from the recording's time zero.

    A keyframe that cannot be decoded has no tile.

    Raises:
        RangeOutsideRecordingError: the recording has no pictures.
        CutbackError: like `open_media`.
    """
    media = open_media(source, limits)
    track = media.index.video
    if track is None or not track.order:
        raise RangeOutsideRecordingError("The recording has no pictures.")
    chosen = choose(track)
    sheet = TileSheet(len(chosen))
    for number, rank in enumerate(chosen):
        if number % _FETCHED == 0:
            wanted = [track.order[each] for each in chosen[number : number + _FETCHED]]
            source.prefetch(byte_ranges(track, sorted(wanted)))
        _add(sheet, media, track, rank, {})
    if not sheet.tiles:
        raise MediaUnreadableError("None of its keyframes can be decoded.")
    return {**sheet.found(), "end": format_seconds(track.end)}, sheet.jpeg()


def slot_sprites(job: CutJob, sources: Sequence[ByteSource]) -> tuple[dict[str, Any], bytes]:
    """Return what the tiles show, and the sheet as a JPEG: a tile for each range of the job, in which `slot` counts.

    A tile shows the first keyframe of its range. A range without a keyframe that can be decoded has none, and so have
    the ranges of a recording that cannot be read. The sheet is empty if there is no tile.
    """
    sheet = TileSheet(len(job.ranges))
    slots = [(slot, wanted) for slot, wanted in enumerate(job.ranges) if isinstance(wanted, CutRange)]
    for number, group in groupby(slots, key=lambda each: each[1].source):
        try:
            _add_slots(sheet, sources[number], list(group), job.limits)
        except CutbackError:
            continue
    return sheet.found(), sheet.jpeg()


def _add_slots(sheet: TileSheet, source: ByteSource, slots: Sequence[tuple[int, CutRange]], limits: Limits) -> None:
    media = open_media(source, limits)
    track = media.index.video
    if track is None:
        return
    keyframes = [(track.seconds(track.pts[track.order[rank]]), rank) for rank in keyframes_of(track)]
    chosen: list[tuple[int, int]] = []
    for slot, wanted in slots:
        start, end = wanted.start, wanted.end
        assert isinstance(start, Fraction)
        assert isinstance(end, Fraction)
        found = next((rank for at, rank in keyframes if start <= at < end), None)
        if found is not None:
            chosen.append((slot, found))
    for first in range(0, len(chosen), _FETCHED):
        batch = chosen[first : first + _FETCHED]
        source.prefetch(byte_ranges(track, sorted(track.order[rank] for _, rank in batch)))
        for slot, rank in batch:
            _add(sheet, media, track, rank, {"slot": slot})


def choose(track: Track) -> list[int]:
    """Return the ranks of up to `MOST_TILES` presented keyframes, evenly spread over the recording. Pure."""
    ranks = keyframes_of(track)
    if not ranks:
        return [0]
    least = max(_LEAST_APART, (track.end - track.start) / MOST_TILES)
    chosen: list[int] = []
    due: Fraction | None = None
    for rank in ranks:
        at = track.seconds(track.pts[track.order[rank]])
        if due is None or at >= due:
            chosen.append(rank)
            due = at + least if due is None else due + least * (1 + (at - due) // least)
    return chosen[:MOST_TILES]


def keyframes_of(track: Track) -> list[int]:
    """Return the ranks of the presented keyframes."""
    sync = frozenset(track.sync)
    return [rank for rank, sample in enumerate(track.order) if sample in sync]


def _add(sheet: TileSheet, media: MediaSource, track: Track, rank: int, about: dict[str, Any]) -> None:
    """Add a frame's tile, if it can be decoded."""
    try:
        still = _still(media, track, rank)
        if still is not None:
            at = format_seconds(track.seconds(track.pts[track.order[rank]]))
            sheet.add(still, {**about, "frame": rank, "at": at})
    except (CutbackError, av.FFmpegError):
        return


def _still(media: MediaSource, track: Track, rank: int) -> Still | None:
    for picture in media.frames(rank, rank + 1):
        return still_of(picture, track)
    return None
