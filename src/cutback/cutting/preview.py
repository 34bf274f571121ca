"""Plans a cut without doing it. Runs in the child process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av

from cutback.cutting.chapters import chapters_of
from cutback.cutting.clip_form import AS_MP4, ClipForm
from cutback.cutting.codecs.codec import Entry, UnusualStreamError
from cutback.cutting.codecs.frame_types import letter_reader
from cutback.cutting.codecs.known import codec_for_whole, codec_named, codec_of
from cutback.cutting.codecs.memory import effort_for, needed, pixels_of
from cutback.cutting.cut import OpenedFootage, planned_parts
from cutback.cutting.edits.pipeline import Pipeline
from cutback.cutting.index import Track, TrackName
from cutback.cutting.job import ByteSource, CutJob
from cutback.cutting.pictures.dynamic_range_notes import planned_conversions
from cutback.cutting.plan.crossfades import overlapped
from cutback.cutting.plan.parts import PlannedRange
from cutback.cutting.plan.pieces import languages
from cutback.cutting.plan.plan import FrameRange
from cutback.cutting.plan.report import Looked, part_report, plan_report, sound_report
from cutback.cutting.plan.steps import steps, windows
from cutback.cutting.sound.soundtrack import TEXT, keeps_sound, layout_heard
from cutback.cutting.source.footage import MediaSource, Mp4Source
from cutback.cutting.source.own_index import HEAD_BYTES
from cutback.domain.errors import MediaUnreadableError


def preview(
    job: CutJob, sources: Sequence[ByteSource], form: ClipForm = AS_MP4, *, footage: OpenedFootage | None = None
) -> dict[str, Any]:
    """Return the plan for a job without gaps, in the form of `plan_report`: what the cutter tries first.

    `form` says which tracks the clip has and what they may consist of.

    Raises:
        CutbackError: something is wrong with the recording or with a range.
    """
    footage = footage or OpenedFootage(job, sources)
    pieces, crossfades = overlapped(footage.pieces())
    if job.precision == "instant" and len(pieces) > 1:
        job = replace(job, precision="exact")
    index, edits = pieces[0][0].index, Pipeline(job, pieces, sources, crossfades)
    pieces = edits.pieces
    heard = edits.heard(languages(pieces))
    if edits.silent([]) or edits.replaces_sound:
        heard = ()
    music = 0
    if form.sound and not heard and (added := edits.added_sound(edits.length)) is not None:
        edits.check_sound(added.layout)
        music = round(added.duration * form.bit_rate_a_channel * av.AudioLayout(added.layout).nb_channels / 8)
    if edits.change_sound:
        for number in heard:
            layout = layout_heard([(media, piece) for media, _, piece in pieces], number)
            if layout is not None:
                edits.check_sound(layout)
    subtitles = len(edits.subtitles()) if form.texts else 0
    notes = [*edits.announced(), *edits.without_effect(heard)]
    shown: list[dict[str, Any]] = []
    if index.video is None or not form.pictures:
        chapters_of(pieces, job, edits.retiming, notes)
        for media, source, piece in pieces:
            sound = _sound(media, piece, edits, heard, form, single=len(pieces) == 1)
            shown.append({"source": source, **part_report(index, piece, piece, (), Looked(), sound=sound)})
        return plan_report(
            index, job.precision, shown, duration=edits.length, subtitles=subtitles, music=music, notes=notes
        )
    edits.pictures().check()
    parts = planned_parts(pieces, job, edits, form)
    if not form.drawn_as:
        chapters_of([(part.media, part.source, part.piece) for part in parts], job, edits.retiming, notes)
    for (media, source, asked), part in zip(pieces, parts, strict=True):
        sound = _sound(part.media, part.piece, edits, heard, form, single=len(pieces) == 1)
        assert media.index.video is not None
        looked = _look(part, media.index.video)
        shown.append({"source": source, **part_report(media.index, asked, part.piece, part.runs, looked, sound=sound)})
    if not edits.makes_sdr and not any(part.copies for part in parts):
        backwards = edits.retiming is not None and edits.retiming.backwards
        notes += planned_conversions(pieces[::-1] if backwards else pieces, form.coding, form.drawn_as)
    duration = sum((part.piece.duration for part in parts), Fraction(0))
    if edits.retiming is not None:
        duration = edits.retiming.length
    memory = _memory(parts, job.limits.memory, form)
    return plan_report(
        index, job.precision, shown, duration=duration, subtitles=subtitles, music=music, memory=memory, notes=notes
    )


def _memory(parts: Sequence[PlannedRange], limit: int, form: ClipForm) -> dict[str, int]:
    """What re-encoding takes; empty if nothing is re-encoded.

    Raises:
        MediaTooLargeError: it takes more than the limit.
    """
    if form.drawn_as:
        return {}
    if all(run.action == "copy" for part in parts for run in part.runs) and all(part.runs for part in parts):
        return {}
    track = parts[0].media.index.video
    assert track is not None
    pixels, beside = pixels_of(track.descriptions[0]), any(part.copies for part in parts)
    wanted = form.coding.codec
    codec = codec_for_whole(track.descriptions[0].codec, pixels.depth) if wanted is None else codec_named(wanted)
    encoder = codec.encoder
    effort = effort_for(encoder, pixels, limit, beside_copies=beside)
    return {
        "bytes": needed(encoder, pixels, effort, limit, beside_copies=beside),
        "threads": effort.threads,
        "look_ahead": 0 if beside else effort.lookahead,
    }


def _sound(
    media: MediaSource,
    piece: FrameRange,
    edits: Pipeline,
    heard: Sequence[TrackName],
    form: ClipForm,
    *,
    single: bool,
) -> list[dict[str, Any]]:
    """Report the sound and the subtitles of one range; `heard` are the clip's audio tracks."""
    found = []
    muted = edits.silent([])
    for number, track in enumerate(media.index.audio):
        fits = form.sound_codecs is None or all(entry.codec in form.sound_codecs for entry in track.descriptions)
        keeps = fits and all(keeps_sound(entry) for entry in track.descriptions)
        copied = single and not edits.change_sound and keeps
        reason = (
            "cut to the sample by the edit list"
            if copied
            else "joined; if all of it is AAC of one kind, only packets around the joins are encoded"
        )
        if edits.change_sound:
            reason = "edited; becomes AAC"
            if edits.volume is not None:
                reason = "edited; if all of it is AAC of one kind, only packets that change are encoded"
        elif not keeps:
            reason = f"cannot be copied to this format; becomes {form.sound_becomes}"
        changes = edits.change_sound and edits.volume is None
        rate = form.bit_rate_a_channel * track.descriptions[0].channels if changes or not keeps else None
        about = sound_report(track, piece, number=number, copied=copied, reason=reason, bit_rate=rate)
        if not any(media.index.audio_track(name) is track for name in heard):
            why = "replaced by a track from the assets" if edits.replaces_sound else "not chosen"
            about |= {"action": "drop", "reason": why, "bytes": 0, "bytes_made": 0, "packets": 0}
        if muted or not form.sound:
            why = "muted" if muted else "the format has no sound"
            about |= {"action": "drop", "reason": why, "bytes": 0, "bytes_made": 0, "packets": 0}
        found.append({"kind": "audio", **about})
    for number, track in enumerate(track for track in media.index.tracks if track.kind == "other"):
        carried = single and track.descriptions[0].codec in TEXT and edits.retiming is None and form.texts
        about = sound_report(track, piece, number=number, copied=True, reason="subtitles, copied")
        if not carried:
            about |= {"action": "drop", "reason": "not copied", "bytes": 0, "bytes_made": 0, "packets": 0}
        found.append({"kind": "other", **about})
    return found


def _look(part: PlannedRange, track: Track) -> Looked:
    """Read the headers of the frames around the edges; the cut reads most of these bytes too."""
    description = track.descriptions[0]
    letter, codec = letter_reader(description), codec_of(description.codec)
    if letter is None or codec is None:
        return Looked()
    letters: dict[int, str] = {}
    entries: dict[int, Entry] = {}
    keyframes = frozenset(track.sync)
    for ranks in windows(steps(track, part.runs)):
        numbers = sorted(track.order[ranks.start : ranks.stop])
        try:
            for number, head in zip(numbers, _heads(part.media, track, numbers), strict=True):
                letters[number] = letter(head)
                if number in keyframes:
                    entries[number] = codec.entry(track, head)
        except (UnusualStreamError, MediaUnreadableError, IndexError):
            continue  # the plan then shows what the container says about them
    return Looked(letters, entries)


def _heads(media: MediaSource, track: Track, numbers: Sequence[int]) -> Iterable[bytes]:
    if not isinstance(media, Mp4Source):
        return media.read(track, numbers)  # in one pass, because each `head` would open the container again
    media.source.prefetch([(track.offsets[n], min(track.sizes[n], HEAD_BYTES)) for n in numbers])
    return _each_head(media, track, numbers)


def _each_head(media: MediaSource, track: Track, numbers: Sequence[int]) -> Iterator[bytes]:
    for number in numbers:
        yield media.head(track, number)
