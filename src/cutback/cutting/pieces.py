"""From a job's ranges to the pieces of opened recordings that make the clip."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from cutback.cutting.footage import Footage, open_footage
from cutback.cutting.index import Hull
from cutback.cutting.job import CutJob, Source
from cutback.cutting.plan import Piece, locate
from cutback.errors import RangeOutsideRecordingError
from cutback.times import MAX_SECONDS, FrameNumber


def open_pieces(
    job: CutJob, sources: Sequence[Source], *, whole_index: bool = False
) -> list[tuple[Footage, int, Piece]]:
    """Open the recordings and find the ranges in them; ranges that follow upon each other are one piece.

    Of their indexes only what the ranges need is read, or, with `whole_index`, all.

    Raises:
        CutbackError: what was wrong with the media or with a range.
    """
    footage = {
        number: open_footage(sources[number], job.limits, None if whole_index else hull_of(job, number), number=number)
        for number in {wanted.source for wanted in job.ranges}
    }
    pieces, empty = [], None
    for wanted in job.ranges:
        try:
            piece = locate(
                footage[wanted.source].index,
                wanted.start,
                wanted.end,
                seam_before=wanted.seam_before,
                seam_after=wanted.seam_after,
            )
        except RangeOutsideRecordingError as error:
            if not wanted.optional:
                raise
            empty = error
        else:
            pieces.append((footage[wanted.source], wanted.source, piece))
    if not pieces and empty is not None:
        raise empty
    return _merged(pieces)


def hull_of(job: CutJob, source: int) -> Hull:
    """What the job's ranges need of a source."""
    instants = [end for wanted in job.ranges if wanted.source == source for end in (wanted.start, wanted.end)]
    frames = tuple(instant.frame for instant in instants if isinstance(instant, FrameNumber))
    seconds = [instant for instant in instants if isinstance(instant, Fraction)]
    # Frames alone: an empty hull, far out, that their times widen.
    start, end = (min(seconds), max(seconds)) if seconds else (Fraction(MAX_SECONDS), Fraction(-MAX_SECONDS))
    return Hull(start, end, frames)


def _merged(pieces: list[tuple[Footage, int, Piece]]) -> list[tuple[Footage, int, Piece]]:
    """Ranges of one recording that follow upon each other without a gap are one piece."""
    merged: list[tuple[Footage, int, Piece]] = []
    for footage, source, piece in pieces:
        if merged and merged[-1][1] == source and merged[-1][2].end == piece.start:
            before = merged[-1][2]
            joined = Piece(before.start, piece.end, before.first, piece.stop, before.clamped or piece.clamped)
            merged[-1] = (footage, source, joined)
        else:
            merged.append((footage, source, piece))
    return merged
