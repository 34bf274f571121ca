"""Changes decoded pictures on their way to the encoder, and the clip's header where that is enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av

from cutback.cutting.codecs.encoder import in_encodable_format, usual_rate
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.edit_values import Edit
from cutback.cutting.edits.graph import PictureGraph
from cutback.cutting.edits.overlay import Orientation
from cutback.cutting.edits.shape_chain import ShapeChain, upright
from cutback.cutting.edits.step import EditStep, PaintedClip
from cutback.cutting.index import Track
from cutback.cutting.turns import shape_of_pixels, turned_matrix, turns_of

_HD = 720
"""Pictures with at least this many rows and unspecified colours use the colours of HD television."""

_UNSPECIFIED, _BT709, _SMPTE170M = 2, 1, 6
"""Matrix coefficients in ITU-T H.273."""


class EditedPictures:
    """What the edits of a job do to its pictures."""

    def __init__(self, steps: Sequence[tuple[Edit, EditStep[Any]]], scene: PaintedClip) -> None:
        """`steps` are the edits with their steps, in order."""
        self.retiming = scene.retiming
        """None if the speed stays."""
        self._scene = scene
        painting = [(edit, step, step.painted(edit, scene)) for edit, step in steps]
        self.painted = [(edit, step, parts) for edit, step, parts in painting if parts]
        """The edits that change pictures without changing their shape, and where in the finished clip."""
        self._steps = steps
        shaping = [(edit, step) for edit, step in steps if step.changes_shape]
        only_turns = len(shaping) == 1 and shaping[0][1].turns_players(shaping[0][0])
        self._turns_players = only_turns or 0
        self.shapes = bool(shaping) and not only_turns
        """Whether the pictures get another size or orientation, so that all of them are encoded."""
        self.said: list[str] = []
        """What was done to them."""

    def finished(self, cut: Fraction) -> Fraction:
        """Convert a time in cut time to finished time."""
        return cut if self.retiming is None else self.retiming.finished(cut)

    def pace(self, track: Track) -> Fraction:
        """Return the clip's usual frame rate, divided by that of a track."""
        if self.retiming is None:
            return Fraction(1)
        leg = self.retiming.legs[0]
        return leg.speed if leg.period is None else 1 / leg.period / usual_rate(track)

    def matrix(self, track: Track) -> bytes:
        """Return the matrix of the clip's track: how players turn its pictures."""
        if self.shapes:
            return b""  # they are upright
        if not self._turns_players:
            return track.matrix
        said = f"rotate: {self._turns_players}° clockwise, by the clip's header, without re-encoding"
        self.said.append(said)
        return self._turned(track)

    def _turned(self, track: Track) -> bytes:
        if not self._turns_players:
            return track.matrix
        width, height = (side >> 16 for side in track.display_size)
        return turned_matrix(track.matrix, self._turns_players, (width, height))

    def display_size(self, track: Track) -> tuple[int, int]:
        """Return the displayed size for the track's header; (0, 0) for that of the encoded pictures."""
        return (0, 0) if self.shapes else track.display_size

    def changed(self, track: Track, pictures: Iterator[Picture], times: Sequence[Fraction] | None) -> Iterator[Picture]:
        """Yield a recording's pictures, changed. `times` are when they are shown, in seconds; None: not painted.

        Raises:
            EditImpossibleError: an edit does not fit them.
        """
        graph: PictureGraph | None = None
        for number, original in enumerate(pictures):
            picture, frame = original, original.frame
            if self.shapes:
                if graph is None or not graph.takes(frame):
                    graph = PictureGraph(frame, self._chain(track, picture).filters)
                picture = replace(picture, frame=_tagged(frame, graph.apply(frame)), aspect=None)
            if self.painted and times is not None and number < len(times):
                view = self._view(track, picture)
                picture = replace(picture, frame=self._painted(picture.frame, times[number], view))
            yield picture

    def _view(self, track: Track, picture: Picture) -> Orientation:
        if self.shapes:
            return Orientation()
        aspect = picture.aspect or shape_of_pixels(track, picture.frame.width, picture.frame.height)
        return Orientation(turns_of(self._turned(track)), Fraction(aspect))

    def _painted(self, frame: av.VideoFrame, at: Fraction, view: Orientation) -> av.VideoFrame:
        pts, painted = frame.pts, frame
        for edit, step, parts in self.painted:
            if any(part.start <= at < part.end for part in parts):
                if painted is frame:
                    painted = in_encodable_format(frame)
                painted = step.paint(edit, painted, at, self._scene, view)
        painted.pts = pts
        return painted

    def _chain(self, track: Track, picture: Picture) -> ShapeChain:
        """Return the filters for a picture, and say what they do."""
        width, height = picture.frame.width, picture.frame.height
        aspect = picture.aspect or shape_of_pixels(track, width, height)
        canvas = upright(width, height, Fraction(aspect), turns_of(track.matrix))
        for edit, step in self._steps:
            canvas = step.shape(edit, canvas, self.said)
        return canvas


def _tagged(before: av.VideoFrame, after: av.VideoFrame) -> av.VideoFrame:
    """Name the colours of a picture that had none: what players assume depends on its size, which has changed."""
    if int(before.colorspace) == _UNSPECIFIED and (before.height >= _HD) != (after.height >= _HD):
        after.colorspace = _BT709 if before.height >= _HD else _SMPTE170M
    return after
