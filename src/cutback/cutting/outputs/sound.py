"""Sound alone: M4A, copied where possible; MP3, WAV, Opus and FLAC, encoded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction

import av

from cutback.cutting.clip_form import ClipForm, nothing_in
from cutback.cutting.edit_values.sound import AudioTrack
from cutback.cutting.edits.sound_stream import Sound
from cutback.cutting.job import CutProgress
from cutback.cutting.mp4.layout import lay_out
from cutback.cutting.mp4.write import M4A_BRANDS, front_matter
from cutback.cutting.output_values import M4a, SoundValue
from cutback.cutting.outputs.format import Format, Made, PlannedOutput, Workbench
from cutback.cutting.outputs.made import MadeOutput, OutputFile
from cutback.cutting.outputs.planned import beginning, planned_sound, planned_tracks, scratch
from cutback.cutting.outputs.played import PlayedClip
from cutback.cutting.outputs.sound_file import SoundKind, write_sound_file
from cutback.cutting.plan.plan import FrameRange
from cutback.cutting.source.footage import MediaSource
from cutback.cutting.tags import tags_of_clip, texts_of

_SAMPLED = 4
"""Seconds that are encoded for a plan."""


class M4aFormat(Format[M4a]):
    """AAC in an MP4, as it is in the video; the edit list cuts it to the sample."""

    extension = ".m4a"
    plays = "sound"

    def make(self, value: M4a, name: str, bench: Workbench) -> Made:
        """See `Format.make`."""
        del value
        made = bench.cut(ClipForm(pictures=False, texts=False, sound_codecs=frozenset({"aac"})))
        tracks = [track for track in made.tracks if track.kind == "audio"]
        placed = lay_out(tracks)
        head = front_matter(tracks, placed, made.tags, made.created, M4A_BRANDS)
        extents = (bench.stored(head), *placed.extents)
        facts = replace(made.facts, size=len(head) + placed.size)
        return Made(MadeOutput(name, facts, (OutputFile(self.file_name(name), extents),)))

    def plan(self, value: M4a, bench: Workbench) -> PlannedOutput:
        """See `Format.plan`."""
        del value
        form = ClipForm(pictures=False, texts=False, sound_codecs=frozenset({"aac"}))
        return bench.retried(lambda: planned_tracks(bench, form))


class SoundFormat(Format[SoundValue]):
    """A file of sound that is always encoded."""

    plays = "sound"

    def __init__(self, kind: SoundKind) -> None:
        """`kind` is also its extension."""
        self._kind = kind
        self.extension = f".{kind}"  # type: ignore[misc]

    def make(self, value: SoundValue, name: str, bench: Workbench) -> Made:
        """See `Format.make`."""
        del value
        return bench.retried(lambda: self._written(PlayedClip(bench), name, bench))

    def plan(self, value: SoundValue, bench: Workbench) -> PlannedOutput:
        """See `Format.plan`. Its beginning is encoded: its size tells that of the rest."""
        del value
        return bench.retried(lambda: self._planned(PlayedClip(bench), scratch(bench)))

    def _planned(self, clip: PlayedClip, bench: Workbench) -> PlannedOutput:
        sound = _of(clip)
        sample = beginning(sound, _SAMPLED)
        deep = any(_is_deep(media, piece.start, piece.end) for media, piece in _recordings(bench))
        extent = write_sound_file(sample, self._kind, bench.spool, deep=deep).extent
        size = round(extent.length * sound.duration / sample.duration)
        return planned_sound(bench, size, self._kind.upper())

    def _written(self, clip: PlayedClip, name: str, bench: Workbench) -> Made:
        notes: list[str] = []
        chapters = clip.chapters(notes)  # one that is impossible fails before the sound is decoded
        sound = _of(clip)
        recordings = _recordings(bench)
        own, job = [media.index.tags for media, _ in recordings], bench.job
        tags = tags_of_clip(own, keep_location=job.keep_location, title=job.title, labels=job.labels)
        file = write_sound_file(
            _watched(sound, bench),
            self._kind,
            bench.spool,
            deep=any(_is_deep(media, piece.start, piece.end) for media, piece in recordings),
            texts=texts_of(tags),
            chapters=chapters,
        )
        facts = clip.facts(size=file.extent.length)
        facts = replace(facts, notes=(*facts.notes, *notes))
        several = max(len(media.index.audio) for media, _ in recordings)
        if several > 1 and not any(isinstance(edit, AudioTrack) for edit in bench.job.edits):
            facts = replace(
                facts, notes=(*facts.notes, f"Only the first of its {several} audio tracks is in the file.")
            )
        return Made(MadeOutput(name, facts, (OutputFile(self.file_name(name), (file.extent,)),)))


def _of(clip: PlayedClip) -> Sound:
    sound = clip.sound()
    if sound is None or not sound.samples:
        raise nothing_in(ClipForm(pictures=False))
    return sound


def _recordings(bench: Workbench) -> list[tuple[MediaSource, FrameRange]]:
    return [(media, piece) for media, _, piece in bench.footage.pieces() if piece.fill is None]


def _watched(sound: Sound, bench: Workbench) -> Sound:
    """The same sound, reporting how much of it was read."""
    blocks, total = sound.blocks, max(1, sound.samples)

    def read() -> Iterator[av.AudioFrame]:
        position = 0
        for block in blocks():
            position += block.samples
            bench.progress(CutProgress(min(1.0, position / total), 0))
            yield block

    return replace(sound, blocks=read)


def _is_deep(media: MediaSource, start: Fraction, end: Fraction) -> bool:
    """Whether its first audio track has more than 16 bits, without loss."""
    track = next(iter(media.index.audio), None)
    if track is None or not _is_lossless(track.descriptions[0].codec):
        return False
    with closing(media.sound(track, start, end)) as decoded:
        frame = next(decoded, None)
        return frame is not None and frame.format.bits > 16


def _is_lossless(codec: str) -> bool:
    return codec.startswith("pcm_") or codec in {"flac", "alac", "truehd"}
