"""The chapters of a clip: those of its request, or one wherever the footage jumps. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from cutback.cutting.edits.clip_time import ClipTime
from cutback.cutting.job import ChapterMark, CutJob
from cutback.cutting.plan.pieces import Located
from cutback.cutting.plan.retiming import Retiming
from cutback.cutting.tags import Chapter
from cutback.domain.errors import EditImpossibleError, OutputImpossibleError
from cutback.domain.measures import Finished
from cutback.domain.times import FRAME_TOLERANCE

_JUMP = Fraction(1, 2)
"""Seconds that the footage can be off without a chapter: ranges end at frames, and clocks are read roughly."""

_MOST = 255
"""Chapters that MP4 can count."""

_MOST_BYTES = 255
"""Of a title in MP4."""

_MOST_BYTES_IN_MP3 = 125
"""The same in MP3: FFmpeg takes the sizes of longer ones for others."""

_NANOSECONDS = 1_000_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def chapters_of(pieces: Sequence[Located], job: CutJob, retiming: Retiming | None, notes: list[str]) -> list[Chapter]:
    """Return a clip's chapters in ascending order. What is left out is added to `notes`.

    `pieces` are the ranges that the clip shows.

    Raises:
        OutputImpossibleError: one begins beyond the clip, or where another one begins.
    """
    if job.chapters is None:
        return _at_jumps(pieces, job, retiming, notes)
    return _given(job.chapters, ClipTime(pieces, job), retiming)


def as_libav(chapters: Sequence[Chapter], duration: Fraction) -> list[Any]:
    """Return chapters in the form that PyAV writes. `duration` is that of the clip, in seconds."""
    times = [round(at * _NANOSECONDS) for at in (*(chapter.at for chapter in chapters), duration)]
    return [
        {
            "id": number,
            "start": start,
            "end": max(start, end),
            "time_base": Fraction(1, _NANOSECONDS),
            "metadata": {"title": chapter.title},
        }
        for number, (chapter, (start, end)) in enumerate(zip(chapters, pairwise(times), strict=True), 1)
    ]


def for_mp3(chapters: Sequence[Chapter]) -> list[Chapter]:
    """Return chapters with titles that readers of MP3 understand: longer ones are cut off."""
    return [Chapter(chapter.at, _within(chapter.title, _MOST_BYTES_IN_MP3)) for chapter in chapters]


def as_comments(chapters: Sequence[Chapter]) -> dict[str, str]:
    """Return chapters as Vorbis comments, for Opus and FLAC. FFmpeg would round their times to seconds."""
    found: dict[str, str] = {}
    for number, chapter in enumerate(chapters):
        seconds, thousandths = divmod(round(chapter.at * 1000), 1000)
        time = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{thousandths:03}"
        found |= {f"CHAPTER{number:03}": time, f"CHAPTER{number:03}NAME": chapter.title}
    return found


def _given(marks: Sequence[ChapterMark], time: ClipTime, retiming: Retiming | None) -> list[Chapter]:
    length = time.duration if retiming is None else retiming.length
    found: dict[Fraction, int] = {}
    for number, mark in enumerate(marks):
        name = f"chapters[{number}]"
        try:
            cut = time.cut(mark.at, name, retiming)
        except EditImpossibleError as error:
            raise OutputImpossibleError(error.detail) from None
        at = mark.at.seconds if isinstance(mark.at, Finished) else cut if retiming is None else retiming.finished(cut)
        if at >= length - FRAME_TOLERANCE:
            raise OutputImpossibleError(f"{name}: it would begin where the clip ends.")
        if (other := found.setdefault(at, number)) != number:
            raise OutputImpossibleError(f"{name}: it would begin where chapters[{other}] begins.")
    return [Chapter(at, marks[number].title) for at, number in sorted(found.items())]


class _Passage(NamedTuple):
    """Footage that is shown without a jump, in seconds of cut time."""

    start: Fraction
    end: Fraction
    title: str


def _at_jumps(pieces: Sequence[Located], job: CutJob, retiming: Retiming | None, notes: list[str]) -> list[Chapter]:
    parts = list(_parts(pieces, job)) if len(job.footage) > 1 else []
    if len(parts) < 2:
        return []
    if len(parts) > _MOST:
        notes.append(f"Only the first {_MOST} of its {len(parts)} parts are chapters.")
    if retiming is None:
        times = [part.start for part in parts]
    elif retiming.backwards:
        times = [retiming.finished(part.end) for part in parts]
    else:
        times = [retiming.finished(part.start) for part in parts]
    return sorted(Chapter(at, part.title) for at, part in zip(times, parts, strict=True))[:_MOST]


def _parts(pieces: Sequence[Located], job: CutJob) -> Iterator[_Passage]:
    at = start = Fraction(0)
    title, number = "", 0
    before: tuple[object, Fraction, Fraction] | None = None
    for _, source, piece in pieces:
        begins, at = at, at + piece.duration
        if piece.fill is not None:  # while a gap is filled, time goes on
            continue
        clock = job.wall_clock(source)
        playlist = job.playlist(source)
        name: object = source if playlist is None else ("playlist", playlist)
        position, pace = piece.start, Fraction(1)
        if clock is not None:
            name, pace = clock.camera, clock.pace
            position = clock.epoch + piece.start / pace
        if before is None or before[0] != name or abs(position - before[1] - (begins - before[2]) / pace) > _JUMP:
            if before is not None:
                yield _Passage(start, begins, title)
                start = begins
            number += 1
            title = f"Part {number}" if clock is None else _named(clock.camera, position)
        before = (name, position, begins)
    yield _Passage(start, at, title)


def _named(camera: str, epoch: Fraction) -> str:
    moment = f" {_EPOCH + timedelta(seconds=int(epoch)):%Y-%m-%d %H:%M:%S} UTC"
    return _within(camera, _MOST_BYTES - len(moment)) + moment


def _within(text: str, most: int) -> str:
    """Return as many characters as fit into so many bytes of UTF-8."""
    return text.encode()[:most].decode(errors="ignore")
