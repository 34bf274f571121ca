"""Makes one clip, from recordings to a finished layout. Runs in the child process."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Literal, NamedTuple

from cutback.cutting.assembled import Assembled
from cutback.cutting.chapters import chapters_of
from cutback.cutting.clip_form import AS_MP4, ClipForm, encoded_because, nothing_in
from cutback.cutting.codecs.codec import UnusualStreamError, WholeIndexNeededError
from cutback.cutting.codecs.known import codec_of
from cutback.cutting.edits.clip_time import ClipTime
from cutback.cutting.edits.pipeline import Pipeline
from cutback.cutting.edits.sound_stream import Sound, Volume
from cutback.cutting.edits.subtitles import subtitle_track
from cutback.cutting.index import Index, TrackName
from cutback.cutting.job import ByteSource, CutJob, CutProgress, Facts, Memory, RealSpan
from cutback.cutting.mp4.layout import Extent, OutTrack, lay_out
from cutback.cutting.mp4.write import NO_TAGS, front_matter
from cutback.cutting.pictures.splice import COPIED, Pictures, WantedPictures, splice, splice_all
from cutback.cutting.plan.crossfades import Crossfade, overlapped, spans_shown
from cutback.cutting.plan.parts import PlannedRange, plan_parts
from cutback.cutting.plan.pieces import Located, has_pictures, languages, open_pieces
from cutback.cutting.plan.plan import FrameRange
from cutback.cutting.plan.retiming import Retiming
from cutback.cutting.posters.choose import Choice, choose
from cutback.cutting.posters.still import Still
from cutback.cutting.sound.join import NotAlikeError, join_sound
from cutback.cutting.sound.soundtrack import TEXT, copy_sound, encode, encode_sound, keeps_sound
from cutback.cutting.source.footage import MediaSource
from cutback.cutting.spool import Spool
from cutback.cutting.stage_times import StageTimes
from cutback.cutting.tags import Tags, tags_of_clip
from cutback.cutting.verify import Expected, ExpectedSound, find_fault
from cutback.domain.errors import (
    ClipDamagedError,
    CutbackError,
    MediaTooLargeError,
    MediaUnreadableError,
    OutputImpossibleError,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Mode = Literal["open", "closed", "encode"]
MODES: tuple[Mode, ...] = ("open", "closed", "encode")
"""Copy from any keyframe; copy from IDR pictures only; copy nothing. Each is tried if the previous one failed."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A finished clip as MP4: the bytes before its media data, then extents of the sources and the spool."""

    head: bytes
    extents: tuple[Extent, ...]
    facts: Facts
    still: Still | None = None
    """The picture for its posters; None without video."""
    tracks: tuple[OutTrack, ...] = ()
    """What it consists of: other containers are written from them."""
    tags: Tags = NO_TAGS
    created: datetime | None = None
    """When its first moment was recorded."""
    time: ClipTime | None = None
    """Of the ranges that were cut, which may be longer than those requested."""
    retiming: Retiming | None = None
    poster: Fraction | None = None
    """When it shows the picture that an edit makes its poster, in seconds; None if Cutback chooses one."""

    def recorded(self, finished: Fraction) -> datetime | None:
        """Return when a camera recorded what is shown at a time of the clip; None if that is not known."""
        cut = finished if self.retiming is None else self.retiming.cut(finished)
        moment = None if self.time is None else self.time.moment(cut)
        return None if moment is None else _EPOCH + timedelta(microseconds=round(moment[0] * 1_000_000))


class OpenedFootage:
    """The ranges of a job in their open recordings. Several outputs of one job share it."""

    def __init__(self, job: CutJob, sources: Sequence[ByteSource]) -> None:
        """Nothing is read before `pieces`."""
        self._job, self._sources = job, sources
        self._pieces: list[Located] | None = None

    def pieces(self) -> list[Located]:
        """Return the ranges. Raises like `open_pieces`."""
        if self._pieces is None:
            self._pieces = open_pieces(self._job, self._sources)
        return self._pieces

    def read_whole_index(self) -> None:
        """Open the recordings again, with all of their indexes. Raises like `open_pieces`."""
        self._pieces = open_pieces(self._job, self._sources, whole_index=True)


AT_ONCE = 4
"""Maximum tracks that are encoded at the same time: each encoder takes memory."""


class Encoded(NamedTuple):
    """The pictures of a clip that are encoded already, together with those of other outputs."""

    parts: list[PlannedRange]
    pictures: Pictures
    said: tuple[str, ...]


def planned_parts(pieces: list[Located], job: CutJob, edits: Pipeline, form: ClipForm) -> list[PlannedRange]:
    """Plan the runs of every range for a form: what is tried first."""

    def planned(reason: str) -> list[PlannedRange]:
        changed, retiming = edits.changed(), edits.retiming
        if not reason:
            return plan_parts(pieces, job.precision, copy=True, changed=changed, retiming=retiming)
        return plan_parts(pieces, job.precision, copy=False, changed=changed, retiming=retiming, reason=reason)

    parts = planned(encoded_because(pieces, form))
    actions = {run.action for part in parts for run in part.runs}
    track = pieces[0][0].index.video
    codec = codec_of(track.descriptions[0].codec) if track is not None else None
    if form.one_entry and len(actions) > 1 and codec is not None and not codec.one_entry:
        return planned("copied and encoded pictures would need parameters of their own")
    return parts


def encode_together(
    job: CutJob,
    footage: OpenedFootage,
    sources: Sequence[ByteSource],
    spool: Spool,
    progress: Callable[[CutProgress], None],
    memory: Memory | None,
    forms: Sequence[ClipForm],
) -> dict[ClipForm, Encoded]:
    """Encode the pictures of several forms, as far as all of them are encoded. They are decoded once.

    Returns what `cut` takes for these forms; nothing if fewer than two are encoded.

    Raises:
        CutbackError: something is wrong with the media or with a range.
    """
    pieces, crossfades = overlapped(footage.pieces())
    edits = Pipeline(job, pieces, sources, crossfades)
    pieces = edits.pieces
    if job.precision != "exact" or not has_pictures(pieces):
        return {}
    whole = [
        form
        for form in dict.fromkeys(forms)
        if form.pictures and not any(part.copies for part in planned_parts(pieces, job, edits, form))
    ]
    wanted = list(dict.fromkeys(WantedPictures(form.height, form.coding) for form in whole))
    if len(wanted) < 2 and len(whole) < 2:
        return {}
    parts = plan_parts(pieces, job.precision, copy=False, changed=edits.changed(), retiming=edits.retiming)
    chapters_of(_shown(parts), job, edits.retiming, [])  # those that are impossible are refused before all the work
    changing = edits.pictures()
    made: dict[WantedPictures, Pictures] = {}
    wanted.sort(key=lambda each: each.coding.holds(10))  # for a codec with 8 bits, HDR is converted before all else
    for begin, some in _batches(wanted):

        def report(done: CutProgress, begin: int = begin, count: int = len(some)) -> None:
            progress(CutProgress((begin + done.fraction * count) / len(wanted), done.frames))

        pictures = splice_all(parts, spool, report, job.limits.memory, changing, memory, some)
        made.update(zip(some, pictures, strict=True))
    said = tuple(changing.said)
    return {form: Encoded(parts, made[WantedPictures(form.height, form.coding)], said) for form in whole}


def _batches(wanted: Sequence[WantedPictures]) -> Iterator[tuple[int, list[WantedPictures]]]:
    """Yield what is encoded at the same time, and how many come before; `wanted` is sorted by depth."""
    begin = 0
    for _, alike in groupby(wanted, lambda each: each.coding.holds(10)):
        every = list(alike)
        for first in range(0, len(every), AT_ONCE):
            some = every[first : first + AT_ONCE]
            yield begin, some
            begin += len(some)


def cut(
    job: CutJob,
    sources: Sequence[ByteSource],
    spool: Spool,
    progress: Callable[[CutProgress], None],
    memory: Memory | None = None,
    *,
    footage: OpenedFootage | None = None,
    form: ClipForm = AS_MP4,
    encoded: Encoded | None = None,
) -> Cut:
    """Make a clip and check it; if it fails the check, make it again by full re-encoding.

    `memory` tells how much of the limit is left; without it, only predictions are held against the limit. `form` says
    which tracks the clip has and what they may consist of; `encoded` are its pictures, if they are encoded already.

    Raises:
        CutbackError: something is wrong with the media or with a range.
    """
    footage = footage or OpenedFootage(job, sources)
    foremost = 0.0

    def forward(done: CutProgress) -> None:
        nonlocal foremost
        foremost = max(foremost, done.fraction)  # when another way of cutting is tried, progress must not go back
        progress(CutProgress(foremost, done.frames))

    times = StageTimes()
    try:
        try:
            with times.measured("open"):
                pieces = footage.pieces()
            made = _cut(job, pieces, sources, spool, forward, memory, times, form, encoded)
        except WholeIndexNeededError:
            with times.measured("open"):
                footage.read_whole_index()
            made = _cut(job, footage.pieces(), sources, spool, forward, memory, times, form, encoded)
        return replace(made, facts=replace(made.facts, stages=times.all()))
    except (IndexError, OverflowError, struct.error) as error:
        # Tables that contradict each other, or impossible numbers.
        raise MediaUnreadableError("Its index is damaged.") from error


def _cut(
    job: CutJob,
    pieces: list[tuple[MediaSource, int, FrameRange]],
    sources: Sequence[ByteSource],
    spool: Spool,
    progress: Callable[[CutProgress], None],
    memory: Memory | None,
    times: StageTimes,
    form: ClipForm,
    encoded: Encoded | None,
) -> Cut:
    if job.precision == "instant" and len(pieces) > 1:
        job = replace(job, precision="exact")  # every player supports one edit list entry per track, but not several
    progress(CutProgress(0.0, 0))
    ranges = Ranges(*overlapped(pieces))
    fault, begins = "", spool.size
    for mode in MODES:
        spool.truncate(begins)  # what was made in another way is not needed any more
        try:
            with times.measured("make"):
                made, expected = _make(
                    ranges, job, sources, spool, progress, memory, form, mode=mode, fault=fault, encoded=encoded
                )
                encoded = None
        except UnusualStreamError:
            continue
        except (MediaTooLargeError, OutputImpossibleError):
            raise  # encoding more of it would take even more, or is as impossible
        except CutbackError as error:
            if mode == "encode" or not all(media.copies for media, _, _ in pieces):
                raise
            fault = f"could not be joined: {error.detail}"
            continue
        clip, choice = Assembled(made.head, made.extents, sources, spool), Choice()
        with times.measured("check"):
            found = find_fault(clip, expected, choice)
        if found is None:
            return replace(made, still=choose(choice, clip, job.limits, made.poster))
        fault = found
    raise ClipDamagedError(f"({fault})")


class Ranges(NamedTuple):
    """The ranges of a clip, and where they overlap."""

    pieces: list[Located]
    crossfades: tuple[Crossfade, ...]


def _make(
    ranges: Ranges,
    job: CutJob,
    sources: Sequence[ByteSource],
    spool: Spool,
    progress: Callable[[CutProgress], None],
    memory: Memory | None,
    form: ClipForm,
    *,
    mode: Mode,
    fault: str,
    encoded: Encoded | None,
) -> tuple[Cut, Expected]:
    pieces, crossfades = ranges
    edits, said = Pipeline(job, pieces, sources, crossfades), list[str]()
    pieces = edits.pieces
    cues = edits.subtitles()
    pictures: Pictures | None = None
    parts: list[PlannedRange] = []
    remarks: list[str] = []
    if encoded is not None:
        # Writing a clip adds notes to its pictures, and another output may have the same ones.
        parts, pictures = encoded.parts, replace(encoded.pictures, notes=[*encoded.pictures.notes])
        said += encoded.said
        pieces = _shown(parts)
    elif has_pictures(pieces) and form.pictures:
        parts = plan_parts(
            pieces,
            job.precision,
            copy=mode != "encode" and not encoded_because(pieces, form),
            open_gops=mode == "open",
            changed=edits.changed(),
            retiming=edits.retiming,
        )
        pieces = _shown(parts)
    chapters = chapters_of(pieces, job, edits.retiming, remarks)  # one that is impossible fails before all the work
    if parts and encoded is None:
        changing = edits.pictures()
        pictures = splice(parts, spool, progress, job.limits.memory, changing, memory, form.height, form.coding)
        if form.one_entry and len(pictures.track.entries) > 1:
            raise UnusualStreamError
        said += changing.said
    said += edits.described()
    notes = [] if pictures is None else pictures.notes
    duration = sum((piece.duration for _, _, piece in pieces), Fraction(0))
    if edits.retiming is not None:
        duration = edits.retiming.length
    sound: list[OutTrack] = []
    if form.sound:
        joined = Ranges(pieces, crossfades)
        sound = _sound(joined, spool, notes, edits, said, duration, form, copy=mode != "encode")
    tracks = ([pictures.track] if pictures else []) + sound
    if cues and form.texts:
        tracks.append(subtitle_track(cues, duration, spool))
    if not tracks:
        raise nothing_in(form)
    placed = lay_out(tracks)
    own = [media.index.tags for media, _, _ in pieces]
    tags = tags_of_clip(own, keep_location=job.keep_location, title=job.title, labels=job.labels)
    tags = replace(tags, chapters=tuple(chapters))
    notes += remarks
    created = _created(pieces, job)
    head = front_matter(tracks, placed, tags, created)
    width, height = _picture_size(pictures)
    for media, _, _ in pieces:
        notes += [*media.index.notes, *_left_out(media.index, job)]
    if fault:
        notes.append(f"Made again with more re-encoding, because the first version {fault}.")
    facts = Facts(
        size=len(head) + placed.size,
        duration=duration,
        width=width,
        height=height,
        frames=len(pictures.times) if pictures else 0,
        frames_copied=pictures.copied if pictures else 0,
        frames_encoded=pictures.encoded if pictures else 0,
        spans=real_spans(Ranges(pieces, crossfades)),
        remade=bool(fault),
        notes=tuple(dict.fromkeys(notes)),
        edits=tuple(dict.fromkeys(said)),
    )
    expected = Expected(
        pictures.times if pictures else [],
        pictures.track.timescale if pictures else 1,
        pictures.encoded_samples if pictures else [],
        pictures.rewritten if pictures else [],
        duration,
        tuple(_expected(track, duration, single=len(pieces) == 1) for track in sound if track.kind == "audio"),
    )
    made = Cut(
        head,
        placed.extents,
        facts,
        tracks=tuple(tracks),
        tags=tags,
        created=created,
        time=ClipTime(pieces, job),
        retiming=edits.retiming,
        poster=edits.poster if pictures else None,
    )
    return made, expected


def _shown(parts: Sequence[PlannedRange]) -> list[Located]:
    """Return the ranges that a clip of these parts shows."""
    return [(part.media, part.source, part.piece) for part in parts]


def real_spans(ranges: Ranges) -> tuple[RealSpan, ...]:
    """Return what is shown of each source, in order."""
    return tuple(
        RealSpan(source, piece.start, piece.end, piece.clamped)
        for _, source, piece in spans_shown(ranges.pieces, ranges.crossfades)
    )


def _expected(track: OutTrack, duration: Fraction, *, single: bool) -> ExpectedSound:
    """Return when a track's sound should begin and end, by its packets' times. Joined sound is as long as the clip."""
    first, last = track.marks[0], track.marks[-1]
    end = min(duration, last.time + Fraction(track.last_duration, track.timescale)) if single else duration
    return ExpectedSound(max(Fraction(0), first.time), end, track.marks)


def _sound(
    joined: Ranges,
    spool: Spool,
    notes: list[str],
    edits: Pipeline,
    said: list[str],
    duration: Fraction,
    form: ClipForm,
    *,
    copy: bool,
) -> list[OutTrack]:
    pieces, crossfades = joined
    single = pieces[0] if len(pieces) == 1 and not crossfades and copy else None
    tracks = []
    heard = edits.heard(languages(pieces))
    if edits.silent(said) or edits.replaces_sound:
        heard = ()
    said += edits.without_effect(heard)
    ranges = [(media, piece) for media, _, piece in pieces]
    edited = (lambda sound: edits.sound(sound, said)) if edits.change_sound else None
    volume = edits.volume
    if not heard and (added := edits.added_sound(duration)) is not None:
        tracks.append(encode(edits.sound(added, said, added=True), spool))
    for number in heard:
        fits = _sound_fits(pieces, number, form)
        copies = single is not None and edited is None and fits
        try:
            only = pieces[0][0].index.audio_track(number) if copies else None
            if only is not None and all(keeps_sound(entry) for entry in only.descriptions):
                track = copy_sound(pieces[0][0], only, pieces[0][2], spool, COPIED)
            else:
                track = _joined_sound(ranges, crossfades, number, spool, edited, volume, copy=copy and fits)
        except UnusualStreamError:  # it changes in the middle, so it must be decoded
            track = encode_sound(ranges, number, spool, edited, crossfades)
        if track is not None:
            tracks.append(track)
    for media, _, piece in pieces:
        for other in (track for track in media.index.tracks if track.kind == "other"):
            name = other.descriptions[0].codec
            if single is None or name not in TEXT or edits.retiming is not None:
                notes.append(f"A track with {name} is not copied to the clip.")
            elif (text := copy_sound(media, other, piece, spool, COPIED)) is not None:
                tracks.append(text)
    return tracks


def _sound_fits(pieces: Sequence[Located], number: TrackName, form: ClipForm) -> bool:
    """Whether an output may have an audio track as the recordings have it."""
    wanted = form.sound_codecs
    tracks = [media.index.audio_track(number) for media, _, _ in pieces]
    return wanted is None or all(entry.codec in wanted for track in tracks if track for entry in track.descriptions)


def _joined_sound(
    pieces: list[tuple[MediaSource, FrameRange]],
    crossfades: Sequence[Crossfade],
    number: TrackName,
    spool: Spool,
    edited: Callable[[Sound], Sound] | None,
    volume: Volume | None,
    *,
    copy: bool,
) -> OutTrack | None:
    track = None
    if copy and (((len(pieces) > 1 or crossfades) and edited is None) or volume is not None):
        with suppress(NotAlikeError):
            track = join_sound(pieces, number, spool, volume, crossfades)
    if track is None:
        track = encode_sound(pieces, number, spool, edited, crossfades)
    titles = {found.title for media, _ in pieces if (found := media.index.audio_track(number)) is not None}
    if track is not None and len(titles) == 1:
        track.title = titles.pop()
    return track


def _created(pieces: list[tuple[MediaSource, int, FrameRange]], job: CutJob) -> datetime | None:
    """Return when the clip's first moment was recorded; None if neither camera nor recording says so."""
    before = Fraction(0)
    for media, source, piece in pieces:
        if piece.fill is None:
            clock = job.wall_clock(source)
            created, since = media.index.created, piece.start - media.index.zero - before
            with suppress(OverflowError):
                if clock is not None:
                    return _EPOCH + timedelta(seconds=float(clock.epoch + piece.start / clock.pace - before))
                return None if created is None else created + timedelta(seconds=float(since))
            return None
        before += piece.duration
    return None


def _left_out(index: Index, job: CutJob) -> Iterator[str]:
    pictures = sum(track.kind == "video" for track in index.tracks)
    if pictures > 1:
        yield f"Only the first of its {pictures} video tracks is copied to the clip."
    if index.tags.location and not job.keep_location:
        yield "Its location is not copied to the clip."


def _picture_size(pictures: Pictures | None) -> tuple[int, int]:
    if pictures is None:
        return 0, 0
    entry = pictures.track.entries[0]
    return int.from_bytes(entry[32:34]), int.from_bytes(entry[34:36])
