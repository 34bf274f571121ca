"""The index of an MP4 by Cutback's own parser, checked; and whether it is enough to read the file's samples by.

Nothing here needs the libraries of FFmpeg, which take long to load.
"""

from __future__ import annotations

from fractions import Fraction

from cutback.cutting.codecs import parameter_sets, vpx
from cutback.cutting.index import Hull, Index, Track, byte_ranges, decode_start
from cutback.cutting.job import ByteSource, Limits
from cutback.cutting.mp4.read import read_index
from cutback.domain.errors import MediaUnreadableError

PICTURES = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg"})

_QUICKTIME_SOUNDS = frozenset({"ima4", "MAC3", "MAC6", "QDM2", "QDMC", "Qclp", "agsm", "ms\0\x02", "ms\0\x11"})
"""Older sound of QuickTime, which players of MP4 do not know: libavformat takes it apart, and it is encoded."""

_BEGINNING = Hull(Fraction(0), Fraction(1))
_LOOKED_AT = 64
"""Samples at the beginning of a recording that tell whether some show nothing."""

HEAD_BYTES = 4096
"""Bytes of a sample that are enough to find its first slice's type after SEI messages."""


def read_own_index(source: ByteSource, limits: Limits, hull: Hull | None = None) -> Index:
    """Read a recording's index; of its samples only those needed for `hull`, or all of them.

    Raises:
        CutbackError: as `cutback.cutting.mp4.read.read_index`.
        MediaUnreadableError: there are no parameter sets, either.
    """
    index = read_index(source, limits, hull)
    if index.video is not None:
        _check_parameter_sets(source, index.video)
    return index


def is_direct(index: Index) -> bool:
    """Whether Cutback supports the file's edit lists and codecs by itself."""
    video = index.video
    shown = [track for track in index.tracks if track.kind != "other"]
    sounds = {entry.codec for track in index.audio for entry in track.descriptions}
    return (
        all(track.plain for track in shown)
        and not sounds & _QUICKTIME_SOUNDS
        and (video is None or all(entry.codec in PICTURES for entry in video.descriptions))
    )


def shows_all(source: ByteSource, limits: Limits, index: Index, hull: Hull | None = None) -> bool:
    """Whether each of the video's samples shows a picture, as the index counts them.

    Only samples themselves can tell. Those at the beginning are read, because an encoder that writes frames to be
    hidden writes them in every group, and those that `hull` needs, which are read for the clip anyway.
    """
    video = index.video
    if video is None or not any(entry.codec in vpx.CODECS for entry in video.descriptions):
        return True
    first = index if not video.partial else read_index(source, limits, _BEGINNING)
    needed = range(_LOOKED_AT)
    if first.video is not None and not _show(source, first.video, needed):
        return False
    if hull is None:
        return True
    begin, end = (video.rank_at(video.ticks(instant)) for instant in (hull.start, hull.end))
    wanted = video.order[begin:end]
    return not wanted or _show(source, video, range(decode_start(video, wanted[0]), max(wanted) + 1))


def _show(source: ByteSource, track: Track, samples: range) -> bool:
    samples = samples[: max(0, len(track.pts) - samples.start)]
    source.prefetch(byte_ranges(track, samples))
    for sample in samples:
        codec = track.descriptions[track.description_of(sample)].codec
        head = source.read_at(track.offsets[sample], min(track.sizes[sample], vpx.HEAD_BYTES))
        if vpx.shows(codec, memoryview(head)):
            continue
        # It may be the first of several frames in one sample; their sizes are at its end.
        whole = source.read_at(track.offsets[sample], track.sizes[sample])
        if not vpx.shows(codec, memoryview(whole)):
            return False
    return True


def read_head(source: ByteSource, track: Track, sample: int) -> bytes:
    """The beginning of a sample, at least `HEAD_BYTES` of it."""
    return source.read_at(track.offsets[sample], min(track.sizes[sample], HEAD_BYTES))


def _check_parameter_sets(source: ByteSource, track: Track) -> None:
    """H.264 and HEVC need them: in the sample entry or, if not there, in the first keyframe.

    Raises:
        MediaUnreadableError: there are none.
    """
    for number, entry in enumerate(track.descriptions):
        if entry.codec not in parameter_sets.CODECS or parameter_sets.in_configuration(entry.codec, entry.extradata):
            continue
        sample = next((sample for sample in track.sync if track.description_of(sample) == number), None)
        length_size = parameter_sets.length_size(entry.codec, entry.extradata)
        if sample is not None and not parameter_sets.in_sample(
            entry.codec, read_head(source, track, sample), length_size
        ):
            raise MediaUnreadableError(parameter_sets.MISSING)
