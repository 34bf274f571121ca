"""Makes a small H.264 copy of some frames, which every browser plays, whatever the recording is. Runs in the child.

It has the recording's frames at the recording's times, with 8 bits and 4:2:0, upright and with square pixels. HDR
becomes SDR. Of interlaced pictures it shows one field: that needs no neighbours, so each frame stays exactly that
frame. There is no sound.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction

import av
from av.video.reformatter import ColorRange

from cutback.cutting.codecs.codec import WholeIndexNeededError
from cutback.cutting.codecs.colours import UNSPECIFIED, matrix_of, range_of, shows_hdr
from cutback.cutting.codecs.dynamic_range import ToSdr
from cutback.cutting.codecs.encoder import usual_rate
from cutback.cutting.codecs.h264.codec import H264
from cutback.cutting.codecs.pictures import Picture, PictureEncoder
from cutback.cutting.cut import Cut
from cutback.cutting.edit_values.scale import Scale
from cutback.cutting.edits.graph import Filter, PictureGraph
from cutback.cutting.edits.shape_chain import ShapeChain, upright
from cutback.cutting.edits.steps.scale import ScaleStep
from cutback.cutting.index import Track
from cutback.cutting.job import ByteSource, CutJob, Facts
from cutback.cutting.mp4.entries import colour_box
from cutback.cutting.mp4.layout import SPOOL, OutTrack, lay_out
from cutback.cutting.mp4.write import front_matter
from cutback.cutting.plan.pieces import Located, open_pieces
from cutback.cutting.spool import Spool
from cutback.cutting.turns import shape_of_pixels, turns_of
from cutback.domain.errors import (
    EditImpossibleError,
    MediaUnreadableError,
    MediaUnsupportedError,
    RangeOutsideRecordingError,
)

LARGEST = 640
"""Maximum pixels of width and height."""

_FINEST = 10_000
"""Minimum ticks per second, as in clips."""
_KEYFRAMES_PER_SECOND = 4
"""Browsers show any frame soon if there are many."""
_OPTIONS = "keyint={keyint}:min-keyint=1:scenecut=0:bframes=0:rc-lookahead=0:sync-lookahead=0:mbtree=0"


def excerpt(job: CutJob, sources: Sequence[ByteSource], spool: Spool) -> Cut:
    """Encode the frames of a job's only range.

    Raises:
        CutbackError: something is wrong with the media or with the range.
    """
    try:
        try:
            return _make(open_pieces(job, sources), spool)
        except WholeIndexNeededError:
            return _make(open_pieces(job, sources, whole_index=True), spool)
    except (IndexError, OverflowError, struct.error) as error:
        raise MediaUnreadableError("Its index is damaged.") from error


def _make(pieces: list[Located], spool: Spool) -> Cut:
    [(media, _, piece)] = pieces
    track = media.index.video
    if track is None:
        raise RangeOutsideRecordingError("The recording has no pictures.")
    first, last = track.order[piece.first], track.order[piece.stop - 1]
    finer = -(-_FINEST // track.timescale)
    out = OutTrack("video", track.timescale * finer, [])
    encoder = _SmallEncoder(track, out.timescale)
    for picture in media.frames(piece.first, piece.stop):
        encoder.encode(picture, ((picture.frame.pts or 0) - track.pts[first]) * finer, out, spool)
    encoder.finish(out, spool)
    if len(out) != piece.stop - piece.first:
        raise MediaUnreadableError(f"{len(out)} pictures could be decoded instead of {piece.stop - piece.first}.")
    out.duration = Fraction(track.end_of(last) - track.pts[first], track.timescale)
    out.last_duration = max(1, (track.end_of(last) - track.pts[last]) * finer)
    out.display_size = (encoder.width << 16, encoder.height << 16)
    placed = lay_out([out])
    head = front_matter([out], placed)
    size, count = len(head) + placed.size, len(out)
    return Cut(head, placed.extents, Facts(size, out.duration, encoder.width, encoder.height, count, 0, count, ()))


class _SmallEncoder:
    """Makes pictures small, and encodes them."""

    def __init__(self, track: Track, timescale: int) -> None:
        self._track, self._timescale = track, timescale
        self._graph: PictureGraph | None = None
        self._is_field = False
        self._to_sdr = ToSdr()
        self._encoder: PictureEncoder | None = None
        self.width = self.height = 0

    def encode(self, picture: Picture, ticks: int, out: OutTrack, spool: Spool) -> None:
        """Add a picture to the track."""
        frame = self._small(picture)
        if self._encoder is None:
            self._encoder = self._open(frame)
            colours = (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace))
            boxes = colour_box(*colours, full_range=False)
            out.entries = [H264().own_entry(self.width, self.height, self._encoder.header, boxes)]
        frame.pts = ticks
        self._write(frame, out, spool)

    def finish(self, out: OutTrack, spool: Spool) -> None:
        """Add what the encoder still has."""
        if self._encoder is not None:
            self._write(None, out, spool)

    def _write(self, frame: av.VideoFrame | None, out: OutTrack, spool: Spool) -> None:
        assert self._encoder is not None
        for coded in self._encoder.encode(frame):
            data = H264().sample(coded.data)
            out.add(pts=coded.pts, size=len(data), sync=coded.keyframe, origin=SPOOL, offset=spool.append(data))

    def _small(self, picture: Picture) -> av.VideoFrame:
        frame = picture.frame
        if self._graph is None or not self._graph.takes(frame) or frame.interlaced_frame != self._is_field:
            self._is_field = frame.interlaced_frame
            canvas = self._canvas(picture)
            if not self.width:
                self.width, self.height = canvas.width, canvas.height
            self._graph = PictureGraph(frame, canvas.filters)
        small = self._graph.apply(frame)
        if shows_hdr(small):
            frame = small = self._to_sdr.apply(small)
        return _in_8_bits(frame, small, self.width, self.height)

    def _canvas(self, picture: Picture) -> ShapeChain:
        frame = picture.frame
        width, height = frame.width, frame.height
        aspect = Fraction(picture.aspect or shape_of_pixels(self._track, width, height))
        filters: tuple[Filter, ...] = ()
        if self._is_field:
            height, aspect, filters = (height + 1) // 2, aspect / 2, (Filter("field", {"type": 0}),)
        canvas = upright(width, height, aspect, turns_of(self._track.matrix))
        canvas = ShapeChain(canvas.width, canvas.height, (*filters, *canvas.filters))
        try:
            return ScaleStep().shape(Scale(LARGEST, LARGEST, "fit", enlarge=False), canvas, [])
        except EditImpossibleError:
            raise MediaUnsupportedError("Its pictures are too narrow to be shown small.") from None

    def _open(self, frame: av.VideoFrame) -> PictureEncoder:
        rate = usual_rate(self._track)
        keyint = max(1, round(rate / _KEYFRAMES_PER_SECOND))
        options = {
            "preset": "veryfast",
            "crf": "26",
            "profile": "high",
            "x264-params": _OPTIONS.format(keyint=keyint),
        }
        return PictureEncoder(H264.encoder, frame, timescale=self._timescale, rate=rate, options=options, aspect=None)


def _in_8_bits(before: av.VideoFrame, frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """Convert to 8 bits, 4:2:0 and limited range, and name colours that had no name: players guess them by the size."""
    space = matrix_of(frame) if int(frame.colorspace) != UNSPECIFIED else matrix_of(before)
    made = frame.reformat(
        width=width,
        height=height,
        format="yuv420p",
        src_colorspace=space,
        dst_colorspace=space,
        src_color_range=range_of(frame),
        dst_color_range=ColorRange.MPEG,
    )
    made.colorspace, made.color_range = space, ColorRange.MPEG
    made.color_primaries, made.color_trc = before.color_primaries, before.color_trc
    return made
