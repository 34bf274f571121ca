"""HLS: playlists, and each track in segments of its own, one track for each quality and one for each sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from cutback.cutting.clip_form import ClipForm
from cutback.cutting.cut import Cut
from cutback.cutting.mp4.codec_names import channels_of, codec_name, video_range
from cutback.cutting.mp4.layout import OutTrack
from cutback.cutting.mp4.write_fragments import FragmentedTrack, fragmented, initialization, media_segment
from cutback.cutting.output_values import Hls
from cutback.cutting.outputs.format import Format, Made, Workbench
from cutback.cutting.outputs.hls_playlists import ListedSegment, ListedTrack, master_playlist, media_playlist
from cutback.cutting.outputs.hls_segments import TrackSegment, even_starts, picture_segments, sound_segments
from cutback.cutting.outputs.made import MadeOutput, OutputFile
from cutback.cutting.outputs.played import PlayedClip
from cutback.cutting.turns import sideways, turns_of
from cutback.domain.errors import OutputImpossibleError

TARGET = Fraction(6)
"""Seconds of a segment, as Apple recommends; longer only where no keyframe comes sooner."""

MOST_SEGMENTS = 20_000
"""Of all tracks together: each is an object in the clip store."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Packaged:
    """A track as it is listed, and its files."""

    listed: ListedTrack
    files: tuple[OutputFile, ...]
    segments: tuple[TrackSegment, ...]


class HlsFormat(Format[Hls]):
    """Media playlists with segments in fragmented MP4, and a master playlist."""

    extension = ".m3u8"

    def make(self, value: Hls, name: str, bench: Workbench) -> Made:
        """See `Format.make`."""
        return bench.retried(lambda: self._packaged(value, name, bench))

    def _packaged(self, value: Hls, name: str, bench: Workbench) -> Made:
        cuts = _qualities(value, bench)
        packager = _Packager(name, bench, PlayedClip(bench), cuts[0].created)
        pictures = [
            packager.pictures(track, height=_shown_size(track)[1])
            for made in cuts
            for track in made.tracks
            if track.kind == "video"
        ]
        sounds = [track for track in cuts[0].tracks if track.kind == "audio"]
        starts = even_starts(cuts[0].facts.duration, TARGET)
        if pictures:
            starts[:] = [segment.start for segment in pictures[0].segments]
        packaged = [packager.sound(track, number, starts) for number, track in enumerate(sounds)]
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
        return Made(MadeOutput(name, facts, (first, *files)), cuts[0].still)


def _qualities(value: Hls, bench: Workbench) -> list[Cut]:
    """Cut the qualities, the highest first; those that are higher than the pictures are one. Only one has the sound."""
    if not value.qualities:
        return [bench.cut(ClipForm(texts=False, one_entry=True, closed_gops=True))]
    first, *lower = sorted(set(value.qualities), reverse=True)
    cuts = [bench.cut(ClipForm(texts=False, height=first, one_entry=True, closed_gops=True))]
    video = next((track for track in cuts[0].tracks if track.kind == "video"), None)
    if video is None:
        return cuts
    highest = _shown_size(video)[1]
    lower = [height for height in lower if height < highest]
    forms = (ClipForm(sound=False, texts=False, height=height, one_entry=True, closed_gops=True) for height in lower)
    return [*cuts, *map(bench.cut, forms)]


def _shown_size(track: OutTrack) -> tuple[int, int]:
    width, height = (side >> 16 for side in track.display_size)
    if not (width and height):
        width, height = int.from_bytes(track.entries[0][32:34]), int.from_bytes(track.entries[0][34:36])
    return (height, width) if sideways(turns_of(track.matrix)) else (width, height)


class _Packager:
    """Puts the tracks of one output into segments."""

    def __init__(self, name: str, bench: Workbench, clip: PlayedClip, created: datetime | None) -> None:
        self._name, self._bench, self._clip, self._created = name, bench, clip, created

    def pictures(self, track: OutTrack, *, height: int) -> _Packaged:
        """Package a quality."""
        made = fragmented(track)
        segments = picture_segments(made, TARGET)
        name = f"{self._name}-{height}p"
        files, listed = self._written(made, segments, name)
        length = sum((segment.duration for segment in segments), Fraction(0))
        width, high = _shown_size(track)
        entry = track.entries[-1]
        about = ListedTrack(
            f"{name}.m3u8",
            codec_name(entry),
            listed,
            width=width,
            height=high,
            rate=Fraction(len(track)) / length,
            range=video_range(entry),
        )
        return _Packaged(about, files, tuple(segments))

    def sound(self, track: OutTrack, number: int, starts: Sequence[Fraction]) -> _Packaged:
        """Package an audio track, with segments that begin where those of the pictures do."""
        made = fragmented(track)
        segments = sound_segments(made, starts)
        name = f"{self._name}-sound" + (f"-{number + 1}" if number else "")
        files, listed = self._written(made, segments, name)
        entry = track.entries[0]
        about = ListedTrack(
            f"{name}.m3u8", codec_name(entry), listed, channels=channels_of(entry), language=track.language
        )
        return _Packaged(about, files, tuple(segments))

    def _written(
        self, made: FragmentedTrack, segments: Sequence[TrackSegment], name: str
    ) -> tuple[tuple[OutputFile, ...], tuple[ListedSegment, ...]]:
        head = OutputFile(f"{name}-init.mp4", (self._bench.stored(initialization(made, self._created)),))
        files, listed = [], []
        for number, segment in enumerate(segments, 1):
            before, extents = media_segment(made, number, segment.first, segment.stop)
            file = OutputFile(f"{name}-{number:05}.m4s", (self._bench.stored(before), *extents))
            files.append(file)
            listed.append(
                ListedSegment(file.name, round(segment.duration, 6), file.size, self._recorded(segment.start))
            )
        playlist = self._bench.stored(media_playlist(head.name, listed).encode())
        return (OutputFile(f"{name}.m3u8", (playlist,)), head, *files), tuple(listed)

    def _recorded(self, start: Fraction) -> datetime | None:
        """Return when the camera recorded what is shown at a time; None if that is not known."""
        epoch = self._clip.recorded(start)
        return None if epoch is None else _EPOCH + timedelta(microseconds=round(epoch * 1_000_000))
