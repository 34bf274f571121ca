"""What a kind of edit knows: which pictures it changes, and how it changes pictures and sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import av

from cutback.cutting.edits.assets import Assets
from cutback.cutting.edits.clip_time import ClipTime
from cutback.cutting.edits.graph import Filter, GraphsInUse
from cutback.cutting.edits.inset_footage import InsetFootage
from cutback.cutting.edits.overlay import Orientation, Overlays
from cutback.cutting.edits.shape_chain import ShapeChain
from cutback.cutting.edits.sound_stream import Sound, Volume
from cutback.cutting.edits.subtitles import Cue
from cutback.cutting.index import TrackName
from cutback.cutting.job import CutJob
from cutback.cutting.plan.pieces import Located
from cutback.cutting.plan.retiming import Retiming
from cutback.cutting.source.sound_file import SoundFile
from cutback.domain.measures import Finished, Point
from cutback.domain.times import FRAME_TOLERANCE

if TYPE_CHECKING:
    from cutback.cutting.edits.fonts import FontSet

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class PaintedPart:
    """A part of the finished clip, in seconds, whose pictures an edit changes."""

    start: Fraction
    end: Fraction


class ShownAt(NamedTuple):
    """When a picture is shown, in seconds."""

    finished: Fraction
    """In finished time."""
    cut: Fraction
    """When it begins in cut time. Where frames are chosen or shown backwards, this does not follow from the other."""


@dataclass(frozen=True, slots=True)
class PaintedClip:
    """The clip that edits work on."""

    time: ClipTime
    retiming: Retiming | None
    duration: Fraction
    """Seconds in finished time."""
    overlays: Overlays
    graphs: GraphsInUse
    assets: Assets
    insets: InsetFootage
    fonts: Callable[[], FontSet]
    """The fonts that its texts can use."""
    most_subtitles: int
    """The limit on the subtitles of the clip."""

    def cut(self, finished: Fraction) -> Fraction:
        """Convert a time in finished time to cut time."""
        return finished if self.retiming is None else self.retiming.cut(finished)

    def retimed(self, cut: Fraction) -> Fraction:
        """Convert a time in cut time to finished time."""
        return cut if self.retiming is None else self.retiming.finished(cut)

    def shown(self, point: Point, name: str) -> ShownAt:
        """Return times within the picture of a point. Backwards, a picture ends where it begins otherwise.

        Raises:
            EditImpossibleError: the point is not within the clip.
        """
        finished, cut = self.finished(point, name), self.time.cut(point, name, self.retiming)
        if self.retiming is not None and self.retiming.backwards:
            if isinstance(point, Finished):
                cut = max(Fraction(0), cut - 2 * FRAME_TOLERANCE)
            else:
                finished = max(Fraction(0), finished - 2 * FRAME_TOLERANCE)
        return ShownAt(finished, cut)

    def finished(self, point: Point, name: str) -> Fraction:
        """Return a point in finished time; `name` is the edit's.

        Raises:
            EditImpossibleError: it is not within the clip.
        """
        cut = self.time.cut(point, name, self.retiming)
        if isinstance(point, Finished):  # while a picture is held, time stands still in the cut, but not here
            return point.seconds
        return cut if self.retiming is None else self.retiming.finished(cut)


class EditStep(Generic[E]):
    """How a kind of edit is done. These defaults change nothing."""

    edit: type[E]
    """The class of its values."""
    without_sound = ""
    """What is said if it drops the sound, besides what it says anyway."""
    unneeded = ""
    """What is said if it does not concern the clip."""
    changes_shape = False
    """Whether it rotates, crops or scales."""
    whole_clip = False
    """Whether it paints all pictures of the clip alike, those of filled gaps included."""
    temporal = False
    """Whether it paints a picture by means of its neighbours: with `filters`, not with `paint`."""
    before_shape = False
    """Whether it does so before pictures get another shape."""
    depends_on_size = False
    """Whether it fits pictures of some sizes only, which painting one of them tells."""
    makes_sdr = False
    """Whether it converts HDR to SDR: all pictures of the clip, when they have their shape."""
    changes_sound = False
    """Whether the sound must be decoded."""
    needs_sound = False
    """Whether it does nothing to a clip without sound."""
    changes_length = False
    """Whether it makes the sound longer or shorter."""

    def pieces(self, edit: E, pieces: Sequence[Located], time: ClipTime) -> Sequence[Located]:
        """Return the ranges of the clip, as often as they are shown.

        Raises:
            EditImpossibleError: it does not fit the clip.
        """
        del edit, time
        return pieces

    def concerns(self, edit: E, pieces: Sequence[Located]) -> bool:
        """Whether it changes anything of these ranges."""
        del edit, pieces
        return True

    def keeps_channels(self, edit: E) -> int | None:
        """Return of how many channels sound is that it leaves as it is; None if it changes any sound."""
        del edit
        return None

    def shapes(self, edit: E) -> bool:
        """Whether the pictures get another size or orientation."""
        del edit
        return self.changes_shape

    def needs_pictures(self, edit: E) -> bool:
        """Whether it can be done only to a clip with video. What changes sound can be done to sound alone."""
        del edit
        return not self.changes_sound

    def drops_sound(self, edit: E) -> bool:
        """Whether the clip has no sound."""
        del edit
        return False

    def added_track(self, edit: E, assets: Assets) -> SoundFile | None:
        """Return a track that the clip gets: without sound of its own, the clip has this track's rate and channels.

        Raises:
            EditImpossibleError: it cannot be read.
        """
        del edit, assets
        return None

    def replaces_sound(self, edit: E) -> bool:
        """Whether nothing is heard of the recordings' own sound."""
        del edit
        return False

    def retiming(self, edit: E, time: ClipTime, rate: Fraction | None) -> Retiming | None:
        """Return the speeds of the clip; None if they stay. `rate` is the recording's frames a second.

        Raises:
            EditImpossibleError: it does not fit the clip.
        """
        del edit, time, rate
        return None

    def words(self, edit: E, retiming: Retiming) -> str:
        """Say what a change of speed does."""
        del edit, retiming
        return ""

    def progresses(self, edit: E) -> bool:
        """Whether what it paints changes from moment to moment, so that a held picture is drawn again and again."""
        del edit
        return False

    def turns_players(self, edit: E) -> int:
        """Return the degrees by which players can turn the pictures instead, if nothing else changes their shape."""
        del edit
        return 0

    def moves(self, edit: E) -> bool:
        """Whether its shape moves in the course of the clip."""
        del edit
        return False

    def shape(self, edit: E, canvas: ShapeChain, said: list[str], scene: PaintedClip | None = None) -> ShapeChain:
        """Return the picture after this edit; say in `said` what was done. `scene` is the clip, if there is one.

        Raises:
            EditImpossibleError: it does not fit the picture.
        """
        del edit, scene, said
        return canvas

    def prepare(self, edit: E, job: CutJob) -> None:
        """Read what it needs from files. Called before the child gives up its rights."""
        del edit, job

    def painted(self, edit: E, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """Return the parts of the clip whose pictures it changes without changing their shape.

        Raises:
            EditImpossibleError: it does not fit the clip.
        """
        del edit, scene
        return ()

    def cues(self, edit: E, scene: PaintedClip) -> Sequence[Cue]:
        """Return what it shows as subtitles.

        Raises:
            EditImpossibleError: it does not fit the clip.
        """
        del edit, scene
        return ()

    def paint(self, edit: E, frame: av.VideoFrame, at: ShownAt, scene: PaintedClip, view: Orientation) -> av.VideoFrame:
        """Return a picture, changed, that is shown at `at`, as `view` says."""
        del edit, at, scene, view
        return frame

    def poster(self, edit: E) -> Point | None:
        """Return the point of the clip whose picture it mixes into others, and which is the clip's poster."""
        del edit
        return None

    def mix(
        self, edit: E, frame: av.VideoFrame, poster: av.VideoFrame, at: ShownAt, scene: PaintedClip
    ) -> av.VideoFrame:
        """Return a picture that is shown at `at`, with the poster mixed in, which has its size and colours.

        It is called instead of `paint` if the edit has a poster.
        """
        del edit, poster, at, scene
        return frame

    def filters(self, edit: E) -> list[Filter]:
        """Return the filters of a temporal edit: as many pictures come out as go in."""
        del edit
        return []

    def described(self, edit: E) -> str:
        """Say what painting does."""
        del edit
        return ""

    def chosen_track(self, edit: E, languages: Sequence[Sequence[str]]) -> TrackName | None:
        """Return the only audio track of the clip; None: all. `languages` are those of the tracks of each range.

        Raises:
            EditImpossibleError: there is no such track.
        """
        del edit, languages
        return None

    def check_sound(self, edit: E, layout: str) -> None:
        """Check that it can be done to sound with these channels.

        Raises:
            EditImpossibleError: it cannot.
        """
        del edit, layout

    def sound(self, edit: E, sound: Sound, scene: PaintedClip, said: list[str]) -> Sound:
        """Return the changed sound; say in `said` what was done."""
        del edit, scene, said
        return sound

    def volume(self, edit: E, duration: Fraction) -> Volume | None:
        """Return how loud the sound of a clip of so many seconds is, if the edit changes nothing else of it.

        Then only packets that change are encoded. None: all of the sound must be decoded, changed and encoded.
        """
        del edit, duration
        return None
