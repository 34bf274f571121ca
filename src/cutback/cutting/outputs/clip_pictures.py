"""The pictures that come with a clip: sprites, a short preview, a waveform. Runs in the child process.

All are made of the finished clip. Pictures are decoded once: of most clips, only the keyframes and three seconds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any, NamedTuple

import av

from cutback.cutting.index import Track
from cutback.cutting.job import ClipPictures, Limits, SpooledPicture
from cutback.cutting.outputs.animation import AnimationFrames, kept, write_webp
from cutback.cutting.outputs.image_file import OF_PNG
from cutback.cutting.outputs.make import PlayableClip
from cutback.cutting.outputs.pacing import Paced, paced
from cutback.cutting.posters.still import Still, still_of
from cutback.cutting.source.footage import MediaSource, open_media
from cutback.cutting.spool import Spool
from cutback.cutting.sprites import MOST_TILES, choose, keyframes_of
from cutback.cutting.tile_sheet import TileSheet
from cutback.cutting.waveform import waveform, waveform_of_file
from cutback.domain.errors import CutbackError, RangeOutsideRecordingError
from cutback.domain.times import FRAME_TOLERANCE, format_seconds

PREVIEW_WIDTH = 320
"""Pixels, at most."""
PREVIEW_FPS = Fraction(8)
_PREVIEW_QUALITY = 60
_PREVIEW_PARTS = 3
"""Parts of a second of which the preview of a longer clip consists."""
_SECOND = Fraction(1)
_NEAR = Fraction(2)
"""Seconds by which a part of the preview begins earlier to begin at a keyframe."""
_CLOSE = Fraction(3)
"""Seconds between keyframes that are close enough for sprites."""
_DECODED = Fraction(60)
"""Seconds of the longest clip whose pictures between keyframes are decoded for sprites."""


class _ShownPictures(NamedTuple):
    """The pictures that a clip shows."""

    media: MediaSource
    track: Track
    times: Sequence[Fraction]
    """When each begins, in seconds."""
    keyframes: Sequence[int]
    """The numbers of the keyframes among them."""


def clip_pictures(
    clip: PlayableClip, wanted: Collection[str], limits: Limits, spool: Spool, alive: Callable[[], None]
) -> ClipPictures:
    """Make what is wanted of `sprites`, `preview` and `waveform`. What cannot be made is missing, and noted.

    `alive` is called now and then.
    """
    notes: list[str] = []
    found = ClipPictures()
    if clip.has_pictures and {"sprites", "preview"} & set(wanted):
        try:
            media = open_media(clip.file, limits)
            if media.index.video is not None and media.index.video.order:
                found = _pictures(media, media.index.video, wanted, spool, alive)
        except (CutbackError, av.FFmpegError):
            notes.append("Its sprites or its preview could not be made.")
    sound: dict[str, Any] | None = None
    if "waveform" in wanted:
        try:
            sound = _heard(clip, limits, alive)
        except (CutbackError, av.FFmpegError):
            notes.append("Its waveform could not be made.")
    return ClipPictures(found.tiles, found.sheet, found.preview, sound, tuple(notes))


def _heard(clip: PlayableClip, limits: Limits, alive: Callable[[], None]) -> dict[str, Any] | None:
    if not clip.has_pictures:
        return waveform_of_file(clip.file, clip.duration, limits)
    try:
        return waveform(clip.file, limits, alive)
    except RangeOutsideRecordingError:
        return None  # it has no sound


def _pictures(
    media: MediaSource, track: Track, wanted: Collection[str], spool: Spool, alive: Callable[[], None]
) -> ClipPictures:
    times = [track.seconds(track.pts[sample]) for sample in track.order]
    shown = _ShownPictures(media, track, times, keyframes_of(track))
    tiles = tile_ranks(shown.times, shown.keyframes, track) if "sprites" in wanted else []
    frames, length = preview_frames(shown.times, shown.keyframes, track.end) if "preview" in wanted else ([], _SECOND)
    sheet, animation = TileSheet(len(tiles)), _Animation(spool)
    due, moving = set(tiles), {each.frame for each in frames}
    for rank, still in _decoded(shown, sorted(due | moving)):
        alive()
        if rank in due:
            sheet.add(still, {"frame": rank, "at": format_seconds(shown.times[rank])})
        if rank in moving:
            animation.add(rank, still)
    made = {**sheet.found(), "end": format_seconds(track.end)} if sheet.tiles else None
    jpeg = None
    if made is not None:
        data = sheet.jpeg()
        rows = -(-len(sheet.tiles) // made["columns"])
        size = made["width"] * made["columns"], made["height"] * rows
        jpeg = SpooledPicture(*size, spool.append(data), len(data))
    return ClipPictures(made, jpeg, animation.written(frames, length, alive))


def tile_ranks(times: Sequence[Fraction], keyframes: Sequence[int], track: Track) -> list[int]:
    """Return the numbers of the pictures on the sheet. Pure.

    They are keyframes where those are close to each other, or the clip is long; otherwise one for each second.
    """
    apart = max(_SECOND, (track.end - track.start) / MOST_TILES)
    marks = [times[rank] for rank in keyframes]
    widest = max((after - before for before, after in zip([times[0], *marks], [*marks, track.end], strict=True)))
    if keyframes and (track.end - track.start > _DECODED or widest <= max(_CLOSE, 2 * apart)):
        return choose(track)
    due = [track.start + number * apart for number in range(MOST_TILES)]
    shown = (bisect_right(times, at + FRAME_TOLERANCE) - 1 for at in due if at < track.end)
    return list(dict.fromkeys(max(0, rank) for rank in shown))


def preview_frames(times: Sequence[Fraction], keyframes: Sequence[int], end: Fraction) -> tuple[list[Paced], Fraction]:
    """Return which pictures the preview shows, and when, and its length in seconds. Pure.

    A clip of up to three seconds is shown whole; of a longer one, a second each of its beginning, its middle and its
    end, from a keyframe on if one is near.
    """
    begin = times[0]
    starts, length = [begin], end - begin
    if length > _PREVIEW_PARTS * _SECOND:
        marks = [times[rank] for rank in keyframes]
        gap = (length - _SECOND) / (_PREVIEW_PARTS - 1)
        for number in range(1, _PREVIEW_PARTS):
            at = begin + number * gap
            mark = next((mark for mark in reversed(marks) if mark <= at), None)
            near = mark is not None and at - mark <= _NEAR and mark >= starts[-1] + _SECOND
            starts.append(mark if near and mark is not None else at)
        length = _SECOND
    chosen: list[Paced] = []
    for number, start in enumerate(starts):
        first = max(0, bisect_right(times, start + FRAME_TOLERANCE) - 1)
        stop = bisect_right(times, start + length - FRAME_TOLERANCE)
        own = [max(Fraction(0), time - start) for time in times[first:stop]]
        chosen += [Paced(first + each.frame, number * length + each.at) for each in paced(own, length, PREVIEW_FPS)]
    return chosen, length * len(starts)


def _decoded(shown: _ShownPictures, ranks: Sequence[int]) -> Iterator[tuple[int, Still]]:
    """Decode pictures: each group of pictures once, as far as it is needed."""
    track = shown.track
    for _, group in groupby(ranks, key=lambda rank: bisect_right(shown.keyframes, rank)):
        run = list(group)
        wanted = {track.pts[track.order[rank]]: rank for rank in run}
        for picture in shown.media.frames(run[0], run[-1] + 1):
            rank = wanted.get(picture.frame.pts) if picture.frame.pts is not None else None
            if rank is not None:
                yield rank, still_of(picture, track)


class _Animation:
    """The frames of the preview, kept small in the spool."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._size: tuple[int, int] | None = None
        self._offsets: dict[int, int] = {}

    def add(self, rank: int, still: Still) -> None:
        if self._size is None:
            self._size = still.size_within(PREVIEW_WIDTH)
        self._offsets[rank] = kept(still.exactly(*self._size, OF_PNG), self._spool)

    def written(self, frames: Sequence[Paced], length: Fraction, alive: Callable[[], None]) -> SpooledPicture | None:
        chosen = [each for each in frames if each.frame in self._offsets]
        if self._size is None:
            return None
        offsets = tuple(self._offsets[each.frame] for each in chosen)
        places = tuple(Paced(number, each.at) for number, each in enumerate(chosen))
        animation = AnimationFrames(*self._size, offsets, places, length)
        extent = write_webp(animation, self._spool, size=self._size, quality=_PREVIEW_QUALITY, loop=0, alive=alive)
        return SpooledPicture(*self._size, extent.offset, extent.length)
