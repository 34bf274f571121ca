"""The index of an MP4 by Cutback's own parser, checked; and whether it is enough to read the file's samples by.

Nothing here needs the libraries of FFmpeg, which take long to load.
"""

from __future__ import annotations

from cutback.cutting.codecs import parameter_sets
from cutback.cutting.index import Hull, Index, Track
from cutback.cutting.job import ByteSource, Limits
from cutback.cutting.mp4.read import read_index
from cutback.domain.errors import MediaUnreadableError

PICTURES = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg"})

_QUICKTIME_SOUNDS = frozenset({"ima4", "MAC3", "MAC6", "QDM2", "QDMC", "Qclp", "agsm", "ms\0\x02", "ms\0\x11"})
"""Older sound of QuickTime, which players of MP4 do not know: libavformat takes it apart, and it is encoded."""

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
