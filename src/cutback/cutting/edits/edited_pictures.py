"""Changes decoded pictures on their way to the encoder, and the clip's header where that is enough."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, TypeAlias

import av

from cutback.cutting.codecs.dynamic_range import ToSdr
from cutback.cutting.codecs.encoder import in_encodable_format, usual_rate
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.edit_value import Edit
from cutback.cutting.edits.crossfade import Mixer
from cutback.cutting.edits.graph import Filter, PictureGraph, through, with_named_colours
from cutback.cutting.edits.like_first import CodedShape, LikeFirst
from cutback.cutting.edits.overlay import Orientation
from cutback.cutting.edits.shape_chain import ShapeChain, upright
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart, ShownAt
from cutback.cutting.index import Track
from cutback.cutting.plan.crossfades import Crossfade
from cutback.cutting.plan.pieces import Located, first_pictures, of_each_kind, piece_at
from cutback.cutting.turns import Turn, shape_of_pixels, turned_matrix, turns_of
from cutback.domain.errors import EditImpossibleError, MediaUnreadableError
from cutback.domain.measures import Point
from cutback.domain.times import FRAME_TOLERANCE

Painting: TypeAlias = tuple[Edit, EditStep[Any], tuple[PaintedPart, ...]]
"""An edit that changes pictures without changing their shape, and the parts of the finished clip where it does."""


class EditedPictures:
    """What the edits of a job do to its pictures."""

    def __init__(
        self,
        steps: Sequence[tuple[Edit, EditStep[Any]]],
        scene: PaintedClip,
        crossfades: Sequence[Crossfade] = (),
        pieces: Sequence[Located] = (),
    ) -> None:
        """`steps` are the edits with their steps, in order, `pieces` the ranges of the clip.

        Raises:
            EditImpossibleError: an edit does not fit the clip.
        """
        self.retiming = scene.retiming
        """None if the speed stays."""
        self._scene = scene
        painting = [(edit, step, step.painted(edit, scene)) for edit, step in steps]
        self.painted: list[Painting] = [(edit, step, parts) for edit, step, parts in painting if parts]
        self._mixers = [Mixer(crossfade, self._as_shaped) for crossfade in crossfades]
        self._steps = steps
        self._crossfades, self._pieces = crossfades, pieces
        self._posters: dict[Edit, av.VideoFrame] = {}
        self._like_first: LikeFirst | None = None
        for edit, step, _ in self.painted:
            if (point := step.poster(edit)) is not None:
                self._check_poster(edit, point)
        self._makes_sdr = any(step.makes_sdr for _, step, _ in self.painted)
        shaping = [(edit, step) for edit, step in steps if step.shapes(edit)]
        only_turns = len(shaping) == 1 and shaping[0][1].turns_players(shaping[0][0])
        self._turns_players = only_turns or 0
        self.shapes = bool(shaping) and not only_turns
        """Whether the pictures get another size or orientation, so that all of them are encoded."""
        self.moves = any(step.moves(edit) for edit, step in steps)
        """Whether their shape moves in the course of the clip."""
        self.said: list[str] = []
        """What was done to them."""

    def finished(self, cut: Fraction) -> Fraction:
        """Convert a time in cut time to finished time."""
        return cut if self.retiming is None else self.retiming.finished(cut)

    def shown_at(self, finished: Fraction) -> ShownAt:
        """Return when a picture is shown that begins at a time in finished time."""
        return ShownAt(finished, self._scene.cut(finished))

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

    def check(self) -> None:
        """Check that the edits fit the size of the pictures, by the first one of each kind of recording.

        Raises:
            EditImpossibleError: one does not.
            MediaUnreadableError: the first picture of the clip cannot be decoded, and others must become like it.
        """
        tried = [painting for painting in self.painted if painting[1].depends_on_size]
        if not (self.shapes or tried):
            return
        self._find_target()
        kinds = of_each_kind(self._pieces)
        for (media, _, _), first in zip(kinds, first_pictures(kinds, 1), strict=True):
            track, pictures = media.index.video, iter(first)
            assert track is not None
            if self.shapes:
                pictures = self._shaped(track, pictures, None)
            for picture in self._in_target(track, pictures):
                for edit, step, parts in tried:
                    middle = (parts[0].start + parts[0].end) / 2  # it may be invisible at its beginning
                    frame, view = in_encodable_format(picture.frame), self._view(track, picture)
                    step.paint(edit, frame, self.shown_at(middle), self._scene, view)

    @property
    def depend_on_time(self) -> bool:
        """Whether what is done to a picture depends on when it is shown."""
        return bool(self.painted or self._mixers or self.moves)

    def changed(
        self,
        track: Track,
        pictures: Iterator[Picture],
        times: Sequence[ShownAt] | None,
        fit: Callable[[av.VideoFrame], av.VideoFrame],
    ) -> Iterator[Picture]:
        """Yield a recording's pictures, changed. `times` are when they are shown; None: not painted.

        `fit` converts a picture to the size and the format of the clip.

        Raises:
            EditImpossibleError: an edit does not fit them.
            MediaUnreadableError: the first picture of the clip cannot be decoded, and others must become like it.
        """
        self._find_target()
        if not self._shows_fields:
            pictures = self._before_shape(pictures)
        if self.shapes:
            pictures = self._shaped(track, pictures, times)
        pictures = self._in_target(track, pictures)
        if self._makes_sdr:
            pictures = _sdr(pictures)
        if self._mixers and times is not None:
            pictures = self._mixed(pictures, times, fit)
        for painting in self.painted:
            edit, step, _ = painting
            if step.before_shape or step.makes_sdr:
                continue
            if step.temporal:
                pictures = _compared(pictures, step.filters(edit))
            elif step.whole_clip or times is not None:
                pictures = self._painted(track, pictures, painting, times, fit)
        return pictures

    def _shaped(self, track: Track, pictures: Iterator[Picture], times: Sequence[ShownAt] | None) -> Iterator[Picture]:
        graph: PictureGraph | None = None
        for number, picture in enumerate(pictures):
            frame = picture.frame
            if graph is None or not graph.takes(frame):
                chain = self._chain(track, picture, self.said)
                graph = PictureGraph(frame, chain.filters)
            at = times[number].cut if times is not None and number < len(times) else Fraction(0)
            for move in chain.moves:
                graph.change(move.filter, move.option, move.value(at))
            yield replace(picture, frame=with_named_colours(frame, graph.apply(frame)), aspect=None)

    def _find_target(self) -> None:
        """Find out how the first recording's pictures are coded, if others differ. Decodes its first picture.

        Raises:
            MediaUnreadableError: it cannot be decoded.
        """
        if self._like_first is not None or len(kinds := of_each_kind(self._pieces)) < 2:
            return
        track, pictures = kinds[0][0].index.video, next(first_pictures(kinds, 1))
        assert track is not None
        if not pictures:  # decoders skip what they do not understand
            raise MediaUnreadableError("The first picture of the clip cannot be decoded.")
        picture = pictures[0]
        width, height = picture.frame.width, picture.frame.height
        aspect, turns = Fraction(1), tuple[Turn, ...]()
        if self.shapes:
            chain = self._chain(track, picture, [])
            width, height = chain.width, chain.height
        else:
            aspect = Fraction(picture.aspect or shape_of_pixels(track, width, height))
            turns = turns_of(self._turned(track))
        # 4:2:0 has no odd sizes.
        target = CodedShape(width - width % 2, height - height % 2, aspect, turns)
        self._like_first = LikeFirst(target, None if self.shapes else picture.aspect)

    def _in_target(self, track: Track, pictures: Iterator[Picture]) -> Iterator[Picture]:
        """Make pictures like those of the first recording, if there are others."""
        if self._like_first is None:
            return pictures
        if self.shapes:  # they are upright, with square pixels
            return self._like_first.fitted(pictures, None, ())
        size = track.descriptions[0].width, track.descriptions[0].height
        return self._like_first.fitted(pictures, shape_of_pixels(track, *size), turns_of(self._turned(track)))

    @property
    def fitted(self) -> tuple[str, ...]:
        """What was done to pictures that differ from those of the first recording."""
        return () if self._like_first is None else tuple(self._like_first.said)

    def _before_shape(self, pictures: Iterator[Picture]) -> Iterator[Picture]:
        for edit, step, _ in self.painted:
            if step.before_shape:
                pictures = _compared(pictures, step.filters(edit))
        return pictures

    @property
    def _shows_fields(self) -> bool:
        """Whether pictures are those of fields, so that they are deinterlaced already."""
        return self.retiming is not None and any(leg.between == "fields" for leg in self.retiming.legs)

    def _as_shaped(self, track: Track, pictures: Iterator[Picture], cuts: Sequence[Fraction]) -> Iterator[Picture]:
        """Yield pictures with the shape of the clip; `cuts` are when they are shown, in cut time."""
        pictures = self._before_shape(pictures)
        if self.shapes:
            pictures = self._shaped(track, pictures, [ShownAt(self.finished(cut), cut) for cut in cuts])
        pictures = self._in_target(track, pictures)
        return _sdr(pictures) if self._makes_sdr else pictures

    def _mixed(
        self, pictures: Iterator[Picture], times: Sequence[ShownAt], fit: Callable[[av.VideoFrame], av.VideoFrame]
    ) -> Iterator[Picture]:
        for number, picture in enumerate(pictures):
            cut = times[number].cut if number < len(times) else None
            mixer = next((each for each in self._mixers if cut is not None and each.covers(cut)), None)
            if mixer is None or cut is None:
                yield picture
                continue
            pts, made = picture.frame.pts, mixer.mixed(picture.frame, cut, self._scene.graphs, fit)
            made.pts = pts
            yield replace(picture, frame=made)

    def _view(self, track: Track, picture: Picture) -> Orientation:
        if self.shapes:
            return Orientation()
        turns = turns_of(self._turned(track)) if self._like_first is None else self._like_first.target.turns
        return Orientation(turns, self.shape_of_pixels(track, picture))

    def shape_of_pixels(self, track: Track, picture: Picture) -> Fraction:
        """Return the width of a pixel of a changed picture, divided by its height. `track` is its recording's."""
        if self.shapes:
            return Fraction(1)
        if self._like_first is not None:
            return self._like_first.target.aspect
        return Fraction(picture.aspect or shape_of_pixels(track, picture.frame.width, picture.frame.height))

    def _painted(
        self,
        track: Track,
        pictures: Iterator[Picture],
        painting: Painting,
        times: Sequence[ShownAt] | None,
        fit: Callable[[av.VideoFrame], av.VideoFrame],
    ) -> Iterator[Picture]:
        edit, step, parts = painting
        point = step.poster(edit)
        for number, picture in enumerate(pictures):
            at = times[number] if times is not None and number < len(times) else ShownAt(Fraction(0), Fraction(0))
            if not any(part.start <= at.finished < part.end for part in parts):
                yield picture
                continue
            pts = picture.frame.pts
            if point is None:
                frame = in_encodable_format(picture.frame)
                painted = step.paint(edit, frame, at, self._scene, self._view(track, picture))
            else:
                frame = fit(picture.frame)
                painted = step.mix(edit, frame, fit(self._poster(edit, point, fit)), at, self._scene)
            painted.pts = pts
            yield replace(picture, frame=painted)

    def _poster(self, edit: Edit, point: Point, fit: Callable[[av.VideoFrame], av.VideoFrame]) -> av.VideoFrame:
        """Return the picture of a point of the clip, after all edits before this one."""
        if edit not in self._posters:
            shown = self._scene.shown(point, edit.kind)
            (media, _, piece), since = piece_at(self._pieces, shown.cut)
            track = media.index.video
            assert track is not None
            ticks = track.ticks(piece.start + since + FRAME_TOLERANCE)
            rank = min(max(track.rank_at(ticks) - 1, piece.first), piece.stop - 1)
            before = self._steps[: next(number for number, (each, _) in enumerate(self._steps) if each is edit)]
            edits = EditedPictures(before, self._scene, self._crossfades, self._pieces)
            decoded = media.frames(rank, rank + 1)
            if self._shows_fields:
                decoded = edits._before_shape(decoded)
            made = next(edits.changed(track, decoded, [shown], fit), None)
            if made is None:
                raise MediaUnreadableError("The picture of its poster cannot be decoded.")
            self._posters[edit] = made.frame
        return self._posters[edit]

    def _check_poster(self, edit: Edit, point: Point) -> None:
        """Refuse a picture that no recording has."""
        (_, _, piece), _ = piece_at(self._pieces, self._scene.shown(point, edit.kind).cut)
        if piece.fill is not None:
            raise EditImpossibleError(f"{edit.kind}: its poster would be a filled gap.")

    def _chain(self, track: Track, picture: Picture, said: list[str]) -> ShapeChain:
        """Return the filters for a picture; say in `said` what they do."""
        width, height = picture.frame.width, picture.frame.height
        aspect = picture.aspect or shape_of_pixels(track, width, height)
        canvas = upright(width, height, Fraction(aspect), turns_of(track.matrix))
        for edit, step in self._steps:
            canvas = step.shape(edit, canvas, said, self._scene)
        return canvas


def _sdr(pictures: Iterator[Picture]) -> Iterator[Picture]:
    to_sdr = ToSdr()
    for picture in pictures:
        yield replace(picture, frame=to_sdr.apply(picture.frame))


def _compared(pictures: Iterator[Picture], filters: Sequence[Filter]) -> Iterator[Picture]:
    """Yield pictures through filters that compare them with their neighbours."""
    waiting: deque[Picture] = deque()

    def frames() -> Iterator[av.VideoFrame]:
        for picture in pictures:
            waiting.append(picture)
            yield in_encodable_format(picture.frame)

    for frame in through(frames(), filters):
        picture = waiting.popleft()
        yield replace(picture, frame=frame)
