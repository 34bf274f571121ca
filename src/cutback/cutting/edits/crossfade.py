"""Mixes the end of what was shown before into the pictures of the range that follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import av

from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.edits.graph import GraphsInUse, MixGraph
from cutback.cutting.index import Track
from cutback.cutting.plan.crossfades import Crossfade
from cutback.domain.errors import MediaUnreadableError
from cutback.domain.times import FRAME_TOLERANCE

Shaping = Callable[[Track, Iterator[Picture], Sequence[Fraction]], Iterator[Picture]]
"""Rotates, crops and scales a recording's pictures, which are shown at these times, in cut time."""

Fit = Callable[[av.VideoFrame], av.VideoFrame]
"""Converts a picture to the size, the format and the colours of the clip."""


class Mixer:
    """The pictures of one crossfade."""

    def __init__(self, crossfade: Crossfade, shaped: Shaping) -> None:
        """Nothing is decoded yet."""
        self.crossfade = crossfade
        self._shaped = shaped
        self._tail = self._read()
        self._shown: tuple[Fraction, Picture] | None = None
        self._coming: tuple[Fraction, Picture] | None = None

    def covers(self, cut: Fraction) -> bool:
        """Whether a time in cut time is within the crossfade."""
        return self.crossfade.start <= cut + FRAME_TOLERANCE and cut + FRAME_TOLERANCE < self.crossfade.end

    def mixed(self, frame: av.VideoFrame, cut: Fraction, graphs: GraphsInUse, fit: Fit) -> av.VideoFrame:
        """Return a picture that begins at a time, with the one before it mixed in. `fit` makes pictures alike.

        Raises:
            MediaUnreadableError: the picture that is shown before cannot be decoded.
        """
        share = self.crossfade.share(cut)
        above = fit(frame)
        if share >= 1:
            return above
        below = fit(self._at(cut).frame)
        return graphs.graph(self, above, lambda: MixGraph(above)).apply(above, below, share)

    def _at(self, cut: Fraction) -> Picture:
        """Return the picture of the tail that is shown at a time. Times come in order, but for those that go back."""
        if self._shown is not None and cut + FRAME_TOLERANCE < self._shown[0]:
            self._tail, self._shown, self._coming = self._read(), None, None
        while True:
            if self._coming is None:
                self._coming = next(self._tail, None)
            if self._coming is None or (self._shown is not None and self._coming[0] > cut + FRAME_TOLERANCE):
                break
            self._shown, self._coming = self._coming, None
        if self._shown is None:
            raise MediaUnreadableError("A picture of a crossfade cannot be decoded.")
        return self._shown[1]

    def _read(self) -> Iterator[tuple[Fraction, Picture]]:
        """Yield the pictures of the tail, each with the time at which it begins, in cut time."""
        begins = self.crossfade.start
        for media, _, piece in self.crossfade.tail:
            track = media.index.video
            assert track is not None
            times = [track.seconds(track.pts[sample]) for sample in track.order[piece.first : piece.stop]]
            cuts = [begins + max(time - piece.start, Fraction(0)) for time in times]
            yield from zip(cuts, self._shaped(track, media.frames(piece.first, piece.stop), cuts), strict=False)
            begins += piece.duration
