"""HLS: playlists, and each track in segments of its own, one track for each quality and one for each sound."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from cutback.cutting.assembled import AssembledAhead
from cutback.cutting.clip_form import ClipForm
from cutback.cutting.cut import Cut
from cutback.cutting.mp4.codec_names import channels_of, codec_name, video_range
from cutback.cutting.mp4.write_fragments import FragmentedTrack, fragmented, initialization, media_segment
from cutback.cutting.output_values import Hls
from cutback.cutting.outputs.format import Format, Made, PlannedOutput, Workbench
from cutback.cutting.outputs.hls_playlists import (
    ListedSegment,
    ListedTrack,
    ascending,
    master_playlist,
    media_playlist,
    target_duration,
)
from cutback.cutting.outputs.hls_segments import TrackSegment, even_starts, picture_segments, sound_segments
from cutback.cutting.outputs.made import MadeOutput, OutputFile
from cutback.cutting.outputs.planned import planned_tracks
from cutback.cutting.outputs.played import PlayedClip
from cutback.cutting.outputs.shown_size import shown_size
from cutback.domain.errors import OutputImpossibleError

TARGET = Fraction(6)
"""Seconds of a segment, as Apple recommends; longer only where no keyframe comes sooner."""

MOST_SEGMENTS = 20_000
"""Of all tracks together: each is an object in the clip store."""

_FORM = ClipForm(texts=False, one_entry=True, closed_gops=True)

_SEGMENT = 300
"""Bytes that a segment needs besides its samples: its header and its line in the playlist."""


@dataclass(frozen=True, slots=True)
class _Segmented:
    """A track, and where its segments begin."""

    made: FragmentedTrack
    segments: tuple[TrackSegment, ...]

    @property
    def starts(self) -> list[Fraction]:
        """Seconds."""
        return [segment.start for segment in self.segments]


@dataclass(frozen=True, slots=True)
class _Packaged:
    """A track as it is listed, and its files."""

    listed: ListedTrack
    files: tuple[OutputFile, ...]


class HlsFormat(Format[Hls]):
    """Media playlists with segments in fragmented MP4, and a master playlist."""

    extension = ".m3u8"

    def make(self, value: Hls, name: str, bench: Workbench) -> Made:
        """See `Format.make`."""
        return bench.retried(lambda: self._packaged(value, name, bench))

    def forms(self, value: Hls, bench: Workbench) -> tuple[ClipForm, ...]:
        """See `Format.forms`."""
        return tuple(_forms(value, bench))

    def plan(self, value: Hls, bench: Workbench) -> PlannedOutput:
        """See `Format.plan`."""
        return bench.retried(lambda: _planned(value, bench))

    def _packaged(self, value: Hls, name: str, bench: Workbench) -> Made:
        cuts = _qualities(value, bench)
        shown = [
            _Segmented(made, tuple(picture_segments(made, TARGET)))
            for made in (fragmented(track) for cut in cuts for track in cut.tracks if track.kind == "video")
        ]
        starts = shown[0].starts if shown else even_starts(cuts[0].facts.duration, TARGET)
        heard = [
            _Segmented(made, tuple(sound_segments(made, starts)))
            for made in (fragmented(track) for track in cuts[0].tracks if track.kind == "audio")
        ]
        target = target_duration(_listed(segment) for each in (*shown, *heard) for segment in each.segments)
        dated = all(ascending(map(cuts[0].recorded, each.starts)) for each in (*shown, *heard))
        packager = _Packager(name, bench, cuts[0], target, dated=dated)
        pictures = [packager.pictures(each) for each in shown]
        packaged = [packager.sound(each, number) for number, each in enumerate(heard)]
        master = master_playlist([each.listed for each in pictures], [each.listed for each in packaged])
        files = [file for each in (*pictures, *packaged) for file in each.files]
        if len(files) > MOST_SEGMENTS:
            raise OutputImpossibleError(f"hls: it would have {len(files)} files; at most {MOST_SEGMENTS} are possible.")
        first = OutputFile(self.file_name(name), (bench.stored(master.encode()),))
        facts = replace(
            cuts[0].facts,
            size=first.size + sum(file.size for file in files),
            frames_encoded=sum(made.facts.frames_encoded for made in cuts),
        )
        clip = AssembledAhead(cuts[0].head, cuts[0].extents, bench.sources, bench.spool)
        return Made(MadeOutput(name, facts, (first, *files)), cuts[0].still, clip)


def _qualities(value: Hls, bench: Workbench) -> list[Cut]:
    """Cut the qualities, the highest first; those that are higher than the pictures are one. Only one has the sound."""
    first, lower = _heights(value)
    cuts = [bench.cut(replace(_FORM, height=first))]
    video = next((track for track in cuts[0].tracks if track.kind == "video"), None)
    if video is None:
        return cuts
    highest = shown_size(video)[1]
    forms = (replace(_FORM, sound=False, height=height) for height in lower if height < highest)
    return [*cuts, *map(bench.cut, forms)]


def _heights(value: Hls) -> tuple[int | None, list[int]]:
    """Return the height of the highest quality, None if it is that of the clip, and the heights of the lower ones."""
    if not value.qualities:
        return None, []
    # 4:2:0 has no odd heights.
    first, *lower = sorted({2 * round(height / 2) for height in value.qualities}, reverse=True)
    return first, lower


def _forms(value: Hls, bench: Workbench) -> list[ClipForm]:
    """Return the forms of the qualities, as `_qualities` cuts them."""
    first, lower = _heights(value)
    forms = [replace(_FORM, height=first)]
    played = PlayedClip(bench)
    if first is not None and lower and played.times:
        with closing(played.pictures(0, 1)) as pictures:
            highest = min(first, next(pictures).still.height)
        forms += [replace(_FORM, sound=False, height=height) for height in lower if height < highest]
    return forms


def _planned(value: Hls, bench: Workbench) -> PlannedOutput:
    planned = [planned_tracks(bench, form) for form in _forms(value, bench)]
    frames = planned[0].report["frames"]
    report = {**planned[0].report, "frames": {**frames, "encode": sum(each.encoded for each in planned)}}
    files = (len(planned) + 1) * ceil(PlayedClip(bench).duration / TARGET)
    return PlannedOutput(report, sum(each.size for each in planned) + files * _SEGMENT)


class _Packager:
    """Puts the tracks of one output into segments."""

    def __init__(self, name: str, bench: Workbench, cut: Cut, target: int, *, dated: bool) -> None:
        self._name, self._bench, self._cut, self._target, self._dated = name, bench, cut, target, dated

    def pictures(self, segmented: _Segmented) -> _Packaged:
        """Package a quality."""
        track = segmented.made.track
        width, high = shown_size(track)
        name = f"{self._name}-{high}p"
        files, listed = self._written(segmented, name)
        length = sum((segment.duration for segment in segmented.segments), Fraction(0))
        entry = track.entries[-1]
        about = ListedTrack(
            f"{name}.m3u8",
            codec_name(entry),
            listed,
            self._target,
            width=width,
            height=high,
            rate=Fraction(len(track)) / length,
            range=video_range(entry),
        )
        return _Packaged(about, files)

    def sound(self, segmented: _Segmented, number: int) -> _Packaged:
        """Package an audio track."""
        track = segmented.made.track
        name = f"{self._name}-sound" + (f"-{number + 1}" if number else "")
        files, listed = self._written(segmented, name)
        entry = track.entries[0]
        about = ListedTrack(
            f"{name}.m3u8",
            codec_name(entry),
            listed,
            self._target,
            channels=channels_of(entry),
            language=track.language,
        )
        return _Packaged(about, files)

    def _written(self, segmented: _Segmented, name: str) -> tuple[tuple[OutputFile, ...], tuple[ListedSegment, ...]]:
        made = segmented.made
        head = OutputFile(f"{name}-init.mp4", (self._bench.stored(initialization([made], self._cut.created)),))
        files, listed = [], []
        for number, segment in enumerate(segmented.segments, 1):
            before, extents = media_segment(made, number, segment.first, segment.stop)
            file = OutputFile(f"{name}-{number:05}.m4s", (self._bench.stored(before), *extents))
            files.append(file)
            recorded = self._cut.recorded(segment.start) if self._dated else None
            listed.append(ListedSegment(file.name, _listed(segment), file.size, recorded))
        playlist = self._bench.stored(media_playlist(head.name, listed, self._target).encode())
        return (OutputFile(f"{name}.m3u8", (playlist,)), head, *files), tuple(listed)


def _listed(segment: TrackSegment) -> Fraction:
    """Return the seconds of a segment as a playlist has them."""
    return round(segment.duration, 6)
