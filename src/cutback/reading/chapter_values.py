"""Converts the chapters of a request to those of a job."""

from __future__ import annotations

from cutback.cutting.job import ChapterMark
from cutback.domain.requests.chapters import Chapters


def chapters_of(chapters: Chapters) -> tuple[ChapterMark, ...] | None:
    """Return the chapters of the job; None where the footage jumps."""
    if isinstance(chapters, str):
        return None
    return tuple(ChapterMark(chapter.at, chapter.title) for chapter in chapters)
