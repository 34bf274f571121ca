"""`text`: a line of text on the pictures, all the time or for a part of it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av

from cutback.cutting.edit_values import Lettering, TextOverlay
from cutback.cutting.edits.overlay import Orientation
from cutback.cutting.edits.overlay_part import opacity_at, part_of
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart
from cutback.cutting.job import CutJob

if TYPE_CHECKING:
    from PIL import Image

    from cutback.cutting.edits.fonts import FontSet


class TextStep(EditStep[TextOverlay]):
    """Draws the text once, and puts it onto the pictures."""

    def prepare(self, edit: TextOverlay, job: CutJob) -> None:
        """See `EditStep`."""
        del edit
        prepare_lettering(job)

    def painted(self, edit: TextOverlay, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`."""
        scene.fonts().runs("text", edit.text, edit.font, edit.weight)
        return (part_of("text", edit, scene),)

    def paint(
        self, edit: TextOverlay, frame: av.VideoFrame, at: Fraction, scene: PaintedClip, view: Orientation
    ) -> av.VideoFrame:
        """See `EditStep`."""

        def draw(width: int, height: int) -> Image.Image:
            from cutback.cutting.edits.lettering import drawn

            return drawn(edit, "text", edit.text, scene.fonts(), width, height)

        opacity = opacity_at(at, edit, part_of("text", edit, scene))
        return scene.overlays.put(frame, edit, edit.text, draw, view, opacity)

    def described(self, edit: TextOverlay) -> str:
        """See `EditStep`."""
        return f"text: “{edit.text}”"


def prepare_lettering(job: CutJob) -> None:
    """Read the fonts of a job, and draw something: Pillow imports some of its modules when they are first used."""
    from cutback.cutting.edits.lettering import drawn
    from cutback.cutting.edits.overlay_image import frame_of

    edit = TextOverlay(
        text="A", place="center", margin=0, size=16, weight="regular", color="#ffffff", box=True, shadow=True,
        start=None, duration=None,
    )  # fmt: skip
    frame_of(drawn(edit, "text", "A", fonts_of(job), 64, 64), av.VideoFrame(64, 64, "yuv420p"))


def fonts_of(job: CutJob) -> FontSet:
    """Return the fonts that a job's texts can use. They are read from files once."""
    from cutback.cutting.edits.fonts import load_fonts

    shown = [edit for edit in job.edits if isinstance(edit, Lettering)]
    texts = [edit.text for edit in shown if isinstance(edit, TextOverlay)]
    names = [clock.camera for clock in job.wall_clocks if clock is not None]
    families = {edit.font for edit in shown if edit.font is not None}
    return load_fonts(job.fonts, frozenset("".join([*texts, *names])), frozenset(families))
