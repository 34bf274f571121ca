"""Fragmented MP4: a table for every two seconds, so that it can be played, appended and cut off while it arrives."""

from __future__ import annotations

from fractions import Fraction

from cutback.cutting.cut import Cut
from cutback.cutting.mp4.layout import Extent
from cutback.cutting.mp4.write_fragments import (
    FIRST,
    MP4_BRANDS,
    FragmentedTrack,
    behind_decoding,
    fragmented,
    initialization,
    media_segment,
    segment_index,
)
from cutback.cutting.outputs.format import Workbench
from cutback.cutting.outputs.hls_segments import TrackSegment, even_starts, picture_segments, sound_segments
from cutback.cutting.outputs.made import OutputFile

TARGET = Fraction(2)
"""Seconds of a fragment; longer only where no keyframe comes sooner."""


def fragmented_file(cut: Cut, name: str, bench: Workbench) -> OutputFile:
    """Write a cut in fragments. Each begins with a keyframe, and is followed by the sound and the texts of its time."""
    tracks = [fragmented(track) for track in sorted(cut.tracks, key=lambda track: track.kind != "video")]
    plans = _segments(tracks, cut)
    tracks = [behind_decoding(track) for track in tracks]
    groups: list[list[Extent]] = []
    number = 0
    for place in range(len(plans[0])):
        group: list[Extent] = []
        for track, (made, plan) in enumerate(zip(tracks, plans, strict=True), FIRST):
            for segment in plan[place]:
                number += 1
                before, extents = media_segment(made, number, segment.first, segment.stop, track)
                group += [bench.stored(before), *extents]
        groups.append(group)
    lengths = [sum((each.duration for each in segments), Fraction(0)) for segments in plans[0]]
    sizes = [sum(extent.length for extent in group) for group in groups]
    head = initialization(tracks, cut.created, tags=cut.tags, brands=MP4_BRANDS, duration=cut.facts.duration)
    head += segment_index(tracks[0], list(zip(sizes, lengths, strict=True)))
    return OutputFile(name, (bench.stored(head), *(extent for group in groups for extent in group)))


def _segments(tracks: list[FragmentedTrack], cut: Cut) -> list[list[list[TrackSegment]]]:
    """Return, for each track and each fragment of the first track, the track's segments that begin in it."""
    lead, *others = tracks
    if lead.track.kind == "video":
        first = picture_segments(lead, TARGET)
    else:
        first = sound_segments(lead, even_starts(cut.facts.duration, TARGET))
    starts = [segment.start for segment in first]
    made = [[[segment] for segment in first]]
    for other in others:
        groups: list[list[TrackSegment]] = [[] for _ in first]
        for segment in sound_segments(other, starts):
            place = sum(start <= segment.start for start in starts[1:])
            groups[place].append(segment)
        made.append(groups)
    return made
