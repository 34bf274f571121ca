"""`fade`: pictures and sound come from black, white or the clip's poster, and turn into black or white."""

from __future__ import annotations

from fractions import Fraction

import av

from cutback.cutting.edit_values.fade import Fade
from cutback.cutting.edits.graph import MixGraph
from cutback.cutting.edits.overlay import Orientation
from cutback.cutting.edits.solid import solid_like
from cutback.cutting.edits.sound_stream import Sound, Volume, faded_ends, fading_volume
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart, ShownAt
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import Point
from cutback.domain.times import format_seconds


class FadeStep(EditStep[Fade]):
    """Mixes pictures with a colour or the poster, and lowers the sound."""

    edit = Fade
    changes_sound = True

    def progresses(self, edit: Fade) -> bool:
        """See `EditStep`."""
        del edit
        return True

    def painted(self, edit: Fade, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`."""
        duration = scene.duration
        if edit.fade_in + edit.fade_out > duration:
            raise EditImpossibleError(
                f"fade: {format_seconds(edit.fade_in + edit.fade_out, 3)} s are more than the clip has: "
                f"{format_seconds(duration, 3)} s."
            )
        if edit.poster is not None:
            at = scene.shown(edit.poster, "fade").finished
            if at < edit.fade_in or (edit.fade_out and at > duration - edit.fade_out):
                raise EditImpossibleError(f"fade: the poster, at {format_seconds(at, 3)} s, is in a part that fades.")
        parts = []
        if edit.fade_in:
            parts.append(PaintedPart(Fraction(0), edit.fade_in))
        if edit.fade_out:
            parts.append(PaintedPart(duration - edit.fade_out, duration))
        return tuple(parts)

    def paint(
        self, edit: Fade, frame: av.VideoFrame, at: ShownAt, scene: PaintedClip, view: Orientation
    ) -> av.VideoFrame:
        """See `EditStep`."""
        del view
        weight = Fraction(1)
        if edit.fade_in:
            weight = min(weight, at.finished / edit.fade_in)
        if edit.fade_out:
            weight = min(weight, (scene.duration - at.finished) / edit.fade_out)
        if weight >= 1:
            return frame
        white = edit.color == "white"
        solid = scene.graphs.graph((edit, "colour"), frame, lambda: solid_like(frame, white=white))
        graph = scene.graphs.graph(edit, frame, lambda: MixGraph(frame))
        return graph.apply(frame, solid, max(weight, Fraction(0)))

    def poster(self, edit: Fade) -> Point | None:
        """See `EditStep`."""
        return edit.poster

    def mix(
        self, edit: Fade, frame: av.VideoFrame, poster: av.VideoFrame, at: ShownAt, scene: PaintedClip
    ) -> av.VideoFrame:
        """See `EditStep`."""
        if at.finished >= edit.fade_in:
            return self.paint(edit, frame, at, scene, Orientation())
        graph = scene.graphs.graph(edit, frame, lambda: MixGraph(frame))
        return graph.apply(frame, poster, at.finished / edit.fade_in)

    def volume(self, edit: Fade, duration: Fraction) -> Volume:
        """See `EditStep`."""
        return fading_volume(edit.fade_in, edit.fade_out, duration)

    def sound(self, edit: Fade, sound: Sound, scene: PaintedClip, said: list[str]) -> Sound:
        """See `EditStep`."""
        del scene, said
        return faded_ends(sound, edit.fade_in, edit.fade_out)

    def described(self, edit: Fade) -> str:
        """See `EditStep`."""
        begins = edit.color if edit.poster is None else "the poster"
        ends = [(edit.fade_in, f"in from {begins}"), (edit.fade_out, f"out to {edit.color}")]
        return "fade: " + ", ".join(f"{words} in {format_seconds(length, 3)} s" for length, words in ends if length)
