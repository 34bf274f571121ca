"""What an output would be: what is copied and encoded, and about how large it becomes.

Where all pictures are encoded, a few of them are: their sizes tell that of the others far better than those of the
recording do, which has another codec, another quality or other pictures.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import Any

import av

from cutback.cutting.clip_form import ClipForm, nothing_in
from cutback.cutting.codecs.coding import VideoCoding
from cutback.cutting.codecs.encoder import Shape
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.edits.sound_stream import Sound
from cutback.cutting.job import Facts
from cutback.cutting.outputs.format import PlannedOutput, Workbench
from cutback.cutting.outputs.played import PlayedClip
from cutback.cutting.pictures.chosen import numbered
from cutback.cutting.preview import preview
from cutback.cutting.spool import Spool
from cutback.cutting.turns import sideways
from cutback.domain.errors import MediaUnreadableError

_PLACES = 3
"""Where in a clip pictures are encoded for an estimate."""

_AT_EACH = 14

_GOP = 2
"""Seconds between keyframes of everything that is encoded."""

_TRACK, _PICTURE, _PACKET = 900, 14, 6
"""Bytes that an MP4 needs for a track, for a picture and for a packet of sound, besides their data."""


def scratch(bench: Workbench) -> Workbench:
    """Return a workbench for samples, whose spool is in memory and whose progress nobody follows."""
    return replace(bench, spool=Spool(io.BytesIO()), progress=lambda _: None)


def planned_tracks(bench: Workbench, form: ClipForm) -> PlannedOutput:
    """Plan an output that consists of the tracks of a cut.

    Raises:
        CutbackError: what the output would fail with.
    """
    report = preview(bench.job, bench.sources, form, footage=bench.footage)
    frames = report["frames"]
    if not (any(frames.values()) or report["bytes"]["music"] or _heard(report)):
        raise nothing_in(form)
    if frames["encode"] and not frames["copy"]:
        report = with_encoded(report, encoded_size(PlayedClip(bench), bench, form.coding, form.height))
    return PlannedOutput(report, report["bytes"]["clip"] + _overhead(report))


def _overhead(report: dict[str, Any]) -> int:
    sounds = _heard(report)
    pictures: int = sum(report["frames"][action] for action in ("copy", "encode", "hide"))
    packets: int = sum(track["packets"] for track in sounds)
    return _TRACK * (1 + bool(sounds)) + _PICTURE * pictures + _PACKET * packets


def _heard(report: dict[str, Any]) -> list[dict[str, Any]]:
    every: list[dict[str, Any]] = [track for part in report["parts"] for track in part["sound"]]
    return [track for track in every if track["action"] != "drop"]


def with_encoded(report: dict[str, Any], size: int) -> dict[str, Any]:
    """Return a report whose encoded pictures have a size, in bytes; each of its segments has its share."""
    sizes = report["bytes"]
    factor = Fraction(size, max(1, sizes["encoded"]))
    parts = []
    for part in report["parts"]:
        segments = [
            {**each, "bytes_encoded": round(each["bytes_encoded"] * factor)} if each["bytes_encoded"] else each
            for each in part["segments"]
        ]
        amounts = {"bytes": {**part["bytes"], "encoded": round(part["bytes"]["encoded"] * factor)}}
        parts.append({**part, "segments": segments, **(amounts if "bytes" in part else {})})
    clip = sizes["clip"] - sizes["encoded"] + size
    return {**report, "parts": parts, "bytes": {**sizes, "encoded": size, "clip": clip}}


def encoded_size(clip: PlayedClip, bench: Workbench, coding: VideoCoding, height: int | None) -> int:
    """Return about how many bytes all pictures of a clip have when they are encoded.

    Raises:
        MediaUnreadableError: some cannot be decoded.
        OutputImpossibleError: the codec cannot hold them.
        EditImpossibleError: an edit does not fit them.
    """
    duration = max(clip.duration, Fraction(1, 100))
    keyframes, others = _sampled(clip, bench, coding, height)
    count = len(clip.times)
    if coding.bit_rate is not None:
        return max(1, int(coding.bit_rate * duration / 8))
    groups = min(count, ceil(duration / _GOP))
    size = groups * _mean(keyframes) + (count - groups) * _mean(others or keyframes)
    return int(size) if coding.most is None else int(min(size, coding.most * duration / 8))


def _sampled(
    clip: PlayedClip, bench: Workbench, coding: VideoCoding, height: int | None
) -> tuple[list[int], list[int]]:
    """Encode pictures in some places; return the sizes of keyframes and of other pictures."""
    track = bench.footage.pieces()[0][0].index.video
    assert track is not None
    keyframes: list[int] = []
    others: list[int] = []
    shape: Shape | None = None
    for first, stop in _places(len(clip.times)):
        ticks = [round(time * track.timescale) for time in clip.times[first:stop]]
        with closing(clip.pictures(first, stop)) as pictures:
            played = next(pictures, None)
            if played is None:
                raise MediaUnreadableError("A picture that the clip shows cannot be decoded.")
            if shape is None:
                limit, turned = bench.job.limits.memory, sideways(played.still.turns)
                shape = Shape(track, track.timescale, beside_copies=False, limit=limit, height=height, turned=turned,
                              coding=coding)  # fmt: skip

            def decoded(began: Picture = played.still.picture, rest: Any = pictures) -> Iterator[Picture]:
                yield began
                for each in rest:
                    yield each.still.picture

            coded = list(shape.encode(numbered(decoded()), ticks.__getitem__, stop - first))
        keyframes += [len(each.data) for each in coded if each.keyframe]
        others += [len(each.data) for each in coded if not each.keyframe]
    return keyframes, others


def _places(count: int) -> list[tuple[int, int]]:
    """Return the pictures [first, stop) of a clip that are encoded for an estimate."""
    if count <= _PLACES * _AT_EACH:
        return [(0, count)] if count else []
    middles = [count * (2 * number + 1) // (2 * _PLACES) for number in range(_PLACES)]
    return [(middle - _AT_EACH // 2, middle + _AT_EACH // 2) for middle in middles]


def _mean(sizes: list[int]) -> Fraction:
    return Fraction(sum(sizes), max(1, len(sizes)))


# --- formats into which nothing is copied ----------------------------------------------------------


def planned_pictures(bench: Workbench, frames: int, size: int, drawn_as: str) -> PlannedOutput:
    """Plan an output of `size` bytes that has `frames` pictures and no sound."""
    form = ClipForm(sound=False, texts=False, drawn_as=drawn_as)
    report = with_encoded(preview(bench.job, bench.sources, form, footage=bench.footage), size)
    report["frames"] = {**report["frames"], "encode": frames}
    return PlannedOutput(report, size)


def planned_still(bench: Workbench, read: int, made: Facts) -> PlannedOutput:
    """Plan an output that is one picture, which is made already; `read` bytes are decoded for it."""
    form = ClipForm(pictures=False, sound=False, texts=False)
    report = preview(bench.job, bench.sources, form, footage=bench.footage)
    report["frames"] = {**report["frames"], "encode": 1}
    report["clip_duration"] = "0"
    report["notes"] = list(dict.fromkeys([*report["notes"], *made.notes]))
    size = made.size
    report["bytes"] = {**report["bytes"], "decoded": read, "read": read, "encoded": size, "clip": size}
    return PlannedOutput(report, size)


def planned_sound(bench: Workbench, size: int, becomes: str) -> PlannedOutput:
    """Plan an output that is encoded sound."""
    form = ClipForm(pictures=False, texts=False, sound_codecs=frozenset(), sound_becomes=becomes)
    report = preview(bench.job, bench.sources, form, footage=bench.footage)
    report["bytes"] = {**report["bytes"], "clip": size}
    return PlannedOutput(report, size)


def beginning(sound: Sound, seconds: int) -> Sound:
    """Return the first seconds of sound; nothing behind them is read."""
    most = min(sound.samples, seconds * sound.rate)

    def blocks() -> Iterator[av.AudioFrame]:
        count = 0
        with closing(sound.blocks()) as whole:  # type: ignore[type-var]
            for block in whole:
                yield block
                count += block.samples
                if count >= most:
                    return

    return replace(sound, duration=Fraction(most, sound.rate), blocks=blocks)
