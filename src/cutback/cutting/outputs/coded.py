"""Outputs whose pictures have a codec, a quality or a maximum size: how their tracks are cut."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from fractions import Fraction

from cutback.cutting.clip_form import ClipForm
from cutback.cutting.codecs.coding import VideoCoding
from cutback.cutting.codecs.known import codec_for_whole, codec_named
from cutback.cutting.codecs.memory import pixels_of
from cutback.cutting.cut import Cut
from cutback.cutting.output_values import VideoValue
from cutback.cutting.outputs.format import PlannedOutput, Workbench
from cutback.cutting.outputs.planned import planned_tracks
from cutback.cutting.outputs.played import PlayedClip
from cutback.cutting.outputs.shown_size import shown_size
from cutback.domain.errors import OutputImpossibleError

TRIES = 5

_LEAST_HEIGHT = 144
_SPARE = Fraction(24, 25)
"""Of a maximum size is aimed at."""

_BITS_A_PIXEL = Fraction(1, 100)
"""With fewer bits for each pixel, a lower resolution looks better."""


@dataclass(frozen=True, slots=True)
class SizeTry:
    """A try to keep a maximum size: how pictures are encoded, and the size that came of it."""

    coding: VideoCoding
    height: int | None
    size: int = 0
    rest: int = 0
    """Bytes of it that are not pictures: sound, tables and headers. They do not shrink with the bit rate."""


def first_try(coding: VideoCoding, budget: int, duration: Fraction, pixels: tuple[int, int], rate: Fraction) -> SizeTry:
    """Return the first try. Pure. `budget` are the bytes for pictures; `pixels` is their size, `rate` frames a second.

    It never raises the bit rate to fill the size: the quality is a good one at best.
    """
    most = max(1000, int(budget * 8 / duration))
    width, height = pixels
    lower = height
    while lower > _LEAST_HEIGHT and most < _BITS_A_PIXEL * rate * Fraction(width * lower * lower, height):
        lower = lower * 3 // 4
    return SizeTry(replace(coding, quality="good", most=most), None if lower == height else lower)


def next_try(tried: SizeTry, limit: int, number: int, height: int) -> SizeTry:
    """Return what follows the `number`-th try, which was too large. Pure. `height` is that of its pictures.

    Raises:
        OutputImpossibleError: what is not pictures is too large already.
    """
    if tried.rest >= limit:
        raise OutputImpossibleError(f"{limit} bytes are too few: all but its pictures has {tried.rest} bytes.")
    before = tried.coding.bit_rate or tried.coding.most or 0
    rate = max(1000, int(before * Fraction(limit - tried.rest, max(1, tried.size - tried.rest)) * Fraction(9, 10)))
    coding = replace(tried.coding, quality=None, bit_rate=rate, most=rate)
    lower = max(_LEAST_HEIGHT, height * 2 // 3) if number >= 3 else tried.height
    return SizeTry(coding, lower if lower is None or lower < height else tried.height)


def cut_coded(value: VideoValue, bench: Workbench, form: ClipForm, size_of: Callable[[Cut], int]) -> Cut:
    """Cut the tracks of an output as it asks for them. `size_of` returns the size of the file that comes of them.

    Raises:
        OutputImpossibleError: the maximum size cannot be kept.
        CutbackError: as `Workbench.cut`.
    """
    coding = VideoCoding(value.codec, value.quality, value.crf, value.bitrate)
    if value.max_size is None:
        return _said(bench.cut(replace(form, coding=coding)), coding, bench, "")
    return _within(value.max_size, coding, bench, form, size_of)


def coded_forms(value: VideoValue, form: ClipForm) -> tuple[ClipForm, ...]:
    """Return what `cut_coded` cuts in any case. With a maximum size, each try depends on the one before."""
    if value.max_size is not None:
        return ()
    return (replace(form, coding=VideoCoding(value.codec, value.quality, value.crf, value.bitrate)),)


def _within(limit: int, coding: VideoCoding, bench: Workbench, form: ClipForm, size_of: Callable[[Cut], int]) -> Cut:
    track, begins = bench.footage.pieces()[0][0].index.video, bench.spool.size
    if track is None or coding.copies(track.descriptions[0].codec):
        made = bench.cut(replace(form, coding=coding))
        if (size := size_of(made)) <= limit:
            return made
        if track is None:
            raise OutputImpossibleError(f"Its sound has {size} bytes; at most {limit} are wanted.")
    sound = 0
    if form.sound:
        with suppress(OutputImpossibleError):  # edits may drop the sound of the recordings, or add some
            sound = bench.cut(ClipForm(pictures=False, texts=False)).facts.size
    tried = _first_within(limit, coding, PlayedClip(bench), sound)
    least = 0
    for number in range(1, TRIES + 1):
        bench.spool.truncate(begins)  # each try takes the room of the one before
        made = bench.cut(replace(form, coding=tried.coding, height=tried.height))
        size = size_of(made)
        if size <= limit:
            return _said(made, tried.coding, bench, f"try {number}")
        least = min(least or size, size)
        rest = size - sum(made.tracks[0].sizes)
        tried = next_try(replace(tried, size=size, rest=rest), limit, number, shown_size(made.tracks[0])[1])
    raise OutputImpossibleError(f"Its smallest try has {least} bytes; at most {limit} are wanted.")


def _first_within(limit: int, coding: VideoCoding, played: PlayedClip, sound: int) -> SizeTry:
    """Return the first try for a maximum size, of which `sound` bytes are needed for the sound.

    Raises:
        OutputImpossibleError: no pictures fit beside it.
    """
    duration = max(Fraction(1, 10), played.duration)
    rate = Fraction(len(played.times)) / duration
    budget = int(limit * _SPARE) - sound - len(played.times) * 24 - 2000
    if budget <= 0:
        raise OutputImpossibleError(f"{limit} bytes are too few for its sound of {sound} bytes and any pictures.")
    with closing(played.pictures(0, 1)) as pictures:
        still = next(pictures).still
    return first_try(coding, budget, duration, (still.width, still.height), rate)


def plan_coded(value: VideoValue, bench: Workbench, form: ClipForm) -> PlannedOutput:
    """Plan an output that `cut_coded` makes.

    Raises:
        OutputImpossibleError: the codec cannot hold the pictures, or the maximum size is too small for the sound.
        CutbackError: as `Format.plan`.
    """
    return bench.retried(lambda: _planned(value, bench, form))


def _planned(value: VideoValue, bench: Workbench, form: ClipForm) -> PlannedOutput:
    coding = VideoCoding(value.codec, value.quality, value.crf, value.bitrate)
    limit = value.max_size
    if limit is None:
        return planned_tracks(bench, replace(form, coding=coding))
    track = bench.footage.pieces()[0][0].index.video
    if track is None or coding.copies(track.descriptions[0].codec):
        planned = planned_tracks(bench, replace(form, coding=coding))
        if planned.size <= limit:
            return planned
        if track is None:
            raise OutputImpossibleError(f"Its sound has {planned.size} bytes; at most {limit} are wanted.")
    sound = 0
    with suppress(OutputImpossibleError):
        sound = planned_tracks(bench, replace(form, pictures=False, texts=False)).size
    tried = _first_within(limit, coding, PlayedClip(bench), sound)
    planned = planned_tracks(bench, replace(form, coding=tried.coding, height=tried.height))
    return replace(planned, size=min(planned.size, limit))


def _said(made: Cut, coding: VideoCoding, bench: Workbench, how: str) -> Cut:
    """Note in the facts how the pictures were encoded, unless some were copied."""
    track = bench.footage.pieces()[0][0].index.video
    if track is None or coding.copies(track.descriptions[0].codec) or made.facts.frames_copied:
        return made
    entry = track.descriptions[0]
    depth = pixels_of(entry).depth
    codec = codec_for_whole(entry.codec, depth) if coding.codec is None else codec_named(coding.codec)
    words = [coding.said(codec.encoder), f"{made.facts.width}×{made.facts.height}", *([how] if how else [])]
    return replace(made, facts=replace(made.facts, quality=", ".join(words)))
