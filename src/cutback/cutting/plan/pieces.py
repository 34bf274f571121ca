"""Opens a job's recordings and finds its ranges in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.index import Hull
from cutback.cutting.job import ByteSource, CutGap, CutJob, CutRange
from cutback.cutting.mp4.entries import without_rates
from cutback.cutting.plan.plan import FrameRange, snap_to_frames
from cutback.cutting.source.footage import MediaSource, open_media
from cutback.domain.errors import MediaUnsupportedError, RangeOutsideRecordingError
from cutback.domain.times import FRAME_TOLERANCE, MAX_SECONDS, FrameNumber, FromEnd

Located: TypeAlias = tuple[MediaSource, int, FrameRange]
"""A range of frames with its open recording and the recording's number in the job."""


def open_pieces(job: CutJob, sources: Sequence[ByteSource], *, whole_index: bool = False) -> list[Located]:
    """Open the recordings and find the ranges in them; consecutive ranges of one recording are merged.

    Reads only the parts of the indexes that the ranges need or, with `whole_index`, everything.

    Raises:
        CutbackError: something is wrong with the media or with a range.
    """
    media = {
        number: _open(job, sources[number], number, whole_index=whole_index)
        for number in {wanted.source for wanted in job.footage}
    }
    pieces: list[Located | CutGap] = []
    empty = RangeOutsideRecordingError("The request consists only of gaps.")
    crossfade = Fraction(0)
    for wanted in job.ranges:
        if isinstance(wanted, CutGap):
            pieces.append(wanted)
            continue
        crossfade = wanted.crossfade or crossfade
        try:
            found = replace(_located(media[wanted.source], wanted), crossfade=crossfade)
            pieces.append((media[wanted.source], wanted.source, found))
            crossfade = Fraction(0)
        except RangeOutsideRecordingError as error:
            if not wanted.optional:
                raise
            empty = error
            if wanted.seam_before and wanted.seam_after and pieces:
                # Too short for a frame. Its time still counts; otherwise everything after it would be too early.
                pieces[-1] = _longer(pieces[-1], wanted)
    if all(isinstance(piece, CutGap) for piece in pieces):
        raise empty
    return _beside(_merged(pieces))


def first_pictures(pieces: Sequence[Located], count: int) -> Iterator[tuple[Picture, ...]]:
    """Decode the first `count` pictures of each recording, all of them, so that decoding ends."""
    seen: set[int] = set()
    for media, source, piece in pieces:
        if source in seen or piece.fill is not None or media.index.video is None:
            continue
        seen.add(source)
        yield tuple(media.frames(piece.first, min(piece.first + count, piece.stop)))


def of_each_kind(pieces: Sequence[Located]) -> list[Located]:
    """Return the first range of each kind of recording, in order: of those with other pictures or another shape."""
    kinds: dict[object, Located] = {}
    for located in pieces:
        media, _, piece = located
        track = media.index.video
        if track is not None and piece.fill is None:
            entries = tuple(
                (entry.width, entry.height, without_rates(entry.raw) or entry.extradata) for entry in track.descriptions
            )
            kinds.setdefault((entries, track.matrix, track.display_size), located)
    return list(kinds.values())


def piece_at(pieces: Sequence[Located], cut: Fraction) -> tuple[Located, Fraction]:
    """Return the range that is shown at a time in cut time, and how many seconds after its beginning that is."""
    begins = Fraction(0)
    for located in pieces:
        if cut + FRAME_TOLERANCE < begins + located[2].duration:
            return located, max(Fraction(0), cut - begins)
        begins += located[2].duration
    last = pieces[-1][2].duration
    return pieces[-1], last


def languages(pieces: Sequence[Located]) -> list[list[str]]:
    """Return the languages of the audio tracks of each range, in order; a filled gap has none."""
    return [[track.language for track in media.index.audio if piece.fill is None] for media, _, piece in pieces]


def has_pictures(pieces: Sequence[Located]) -> bool:
    """Whether a clip of these ranges has pictures.

    Raises:
        MediaUnsupportedError: some of the recordings have video, others do not.
    """
    found = {media.index.video is not None for media, _, _ in pieces}
    if len(found) > 1:
        raise MediaUnsupportedError("Recordings with and without video cannot be joined.")
    return True in found


def _located(media: MediaSource, wanted: CutRange) -> FrameRange:
    return snap_to_frames(
        media.index, wanted.start, wanted.end, seam_before=wanted.seam_before, seam_after=wanted.seam_after
    )


def _longer(piece: Located | CutGap, by: CutRange) -> Located | CutGap:
    if not isinstance(by.start, Fraction) or not isinstance(by.end, Fraction):
        return piece
    if isinstance(piece, CutGap):
        return replace(piece, duration=piece.duration + by.end - by.start)
    media, source, found = piece
    return media, source, replace(found, end=found.end + by.end - by.start)


def _open(job: CutJob, source: ByteSource, number: int, *, whole_index: bool) -> MediaSource:
    clock = job.clock(number)
    if clock is None:
        return open_media(source, job.limits, None if whole_index else hull_of(job, number), number=number)
    media = open_media(source, job.limits, number=number)
    media.index = media.index.counted_from(clock)
    return media


def hull_of(job: CutJob, source: int) -> Hull:
    """Return the part of a source that the job's ranges need."""
    instants = [end for wanted in job.footage if wanted.source == source for end in (wanted.start, wanted.end)]
    frames = tuple(instant.frame for instant in instants if isinstance(instant, FrameNumber))
    if any(isinstance(instant, FromEnd) for instant in instants):
        return Hull(Fraction(0), Fraction(MAX_SECONDS), frames)  # the end is not known yet
    seconds = [instant for instant in instants if isinstance(instant, Fraction)]
    # Only frame numbers: begin with an empty hull at the end, which their times extend.
    start, end = (min(seconds), max(seconds)) if seconds else (Fraction(MAX_SECONDS), Fraction(-MAX_SECONDS))
    return Hull(start, end, frames)


def _merged(pieces: list[Located | CutGap]) -> list[Located | CutGap]:
    """Merge consecutive ranges of one recording that have no gap between them."""
    merged: list[Located | CutGap] = []
    for following in pieces:
        last = merged[-1] if merged else None
        if isinstance(last, tuple) and isinstance(following, tuple) and _continues(last, following):
            media, source, before = last
            piece = following[2]
            clamped = before.clamped or piece.clamped
            merged[-1] = (media, source, replace(before, end=piece.end, stop=piece.stop, clamped=clamped))
        else:
            merged.append(following)
    return merged


def _continues(last: Located, following: Located) -> bool:
    return last[1] == following[1] and last[2].end == following[2].start and not following[2].crossfade


def _beside(pieces: list[Located | CutGap]) -> list[Located]:
    """Assign each gap to the previous recording or, at the beginning of the clip, to the next one."""
    beside = next(piece for piece in pieces if isinstance(piece, tuple))
    located: list[Located] = []
    for piece in pieces:
        if isinstance(piece, tuple):
            beside = piece
            located.append(piece)
        else:
            gap = FrameRange(Fraction(0), piece.duration, 0, 0, clamped=False, fill=piece.fill)
            located.append((beside[0], beside[1], gap))
    return located
