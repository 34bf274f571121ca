"""`clock`: the time at which each picture was recorded, by the clock of its camera."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from cutback.cutting.edit_values.overlay import ClockOverlay
from cutback.cutting.edits.job_fonts import prepare_lettering
from cutback.cutting.edits.overlay import Orientation
from cutback.cutting.edits.overlay_part import fades, opacity_at, part_of
from cutback.cutting.edits.recorded_time import cues_by_second, with_moment, zone_of
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart, ShownAt
from cutback.cutting.edits.subtitles import Cue
from cutback.cutting.job import CutJob
from cutback.domain.errors import EditImpossibleError
from cutback.domain.text_fields import filled, widest

if TYPE_CHECKING:
    from PIL import Image


class ClockStep(EditStep[ClockOverlay]):
    """Draws the time once a second."""

    edit = ClockOverlay
    depends_on_size = True

    def prepare(self, edit: ClockOverlay, job: CutJob) -> None:
        """See `EditStep`."""
        zone_of(edit.zone)
        prepare_lettering(job)

    def needs_pictures(self, edit: ClockOverlay) -> bool:
        """See `EditStep`."""
        return edit.drawn_as == "pictures"

    def progresses(self, edit: ClockOverlay) -> bool:
        """See `EditStep`."""
        return fades(edit)

    def painted(self, edit: ClockOverlay, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`."""
        if edit.drawn_as == "subtitles":
            return ()  # `cues` checks them
        part = _part(edit, scene)
        for name in scene.time.cameras:
            scene.fonts().runs("clock", widest(edit.text, name, edit.zone), edit.font, edit.weight)
        return (part,)

    def cues(self, edit: ClockOverlay, scene: PaintedClip) -> Sequence[Cue]:
        """See `EditStep`."""
        if edit.drawn_as == "pictures":
            return ()
        part = _part(edit, scene)
        return list(cues_by_second("clock", scene, part, lambda moment: "" if moment is None else _text(edit, moment)))

    def paint(
        self, edit: ClockOverlay, frame: av.VideoFrame, at: ShownAt, scene: PaintedClip, view: Orientation
    ) -> av.VideoFrame:
        """See `EditStep`."""
        moment = scene.time.moment(at.cut)
        if moment is None:
            return frame
        text = _text(edit, moment)

        def draw(width: int, height: int) -> Image.Image:
            from cutback.cutting.edits.lettering import drawn

            return drawn(edit, "clock", text, scene.fonts(), width, height)

        opacity = opacity_at(at.finished, edit, part_of("clock", edit, scene))
        return scene.overlays.put(frame, edit, text, draw, view, opacity)

    def described(self, edit: ClockOverlay) -> str:
        """See `EditStep`."""
        track = ", as subtitles" if edit.drawn_as == "subtitles" else ""
        shown = edit.show if edit.format is None else f"“{filled(edit.format, '{{{}}}'.format)}”"
        return f"clock: {shown} in {edit.zone}{track}"


def _part(edit: ClockOverlay, scene: PaintedClip) -> PaintedPart:
    """Return the part of the clip that shows the clock.

    Raises:
        EditImpossibleError: it is not within the clip, or no camera is known.
    """
    if not scene.time.cameras:
        raise EditImpossibleError("clock: it needs a source that names a camera.")
    return part_of("clock", edit, scene)


def _text(edit: ClockOverlay, moment: tuple[Fraction, str]) -> str:
    return with_moment(edit.text, edit.zone, moment)
