"""`text`: a line of text on the pictures, all the time or for a part of it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av

from cutback.cutting.edit_values import ClockOverlay, TextOverlay
from cutback.cutting.edits.overlay import Orientation
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart
from cutback.domain.errors import EditImpossibleError
from cutback.domain.times import format_seconds

if TYPE_CHECKING:
    from PIL import Image


class TextStep(EditStep[TextOverlay]):
    """Draws the text once, and puts it onto the pictures."""

    def prepare(self, edit: TextOverlay) -> None:
        """See `EditStep`."""
        del edit
        import_lettering()

    def painted(self, edit: TextOverlay, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`."""
        from cutback.cutting.edits.lettering import check_glyphs

        check_glyphs("text", edit.text)
        return part_of("text", edit, scene)

    def paint(
        self, edit: TextOverlay, frame: av.VideoFrame, at: Fraction, scene: PaintedClip, view: Orientation
    ) -> av.VideoFrame:
        """See `EditStep`."""
        del at

        def draw(width: int, height: int) -> Image.Image:
            from cutback.cutting.edits.lettering import drawn

            return drawn(edit, edit.text, width, height)

        return scene.overlays.put(frame, edit, edit.text, draw, view)

    def described(self, edit: TextOverlay) -> str:
        """See `EditStep`."""
        return f"text: “{edit.text}”"


def import_lettering() -> None:
    """Draw something once while files can be opened: Pillow imports some of its modules when they are first used."""
    from cutback.cutting.edits.lettering import drawn
    from cutback.cutting.edits.overlay_image import frame_of

    edit = TextOverlay("A", "center", 0, 16, "regular", "#ffffff", box=True, start=None, duration=None)
    frame_of(drawn(edit, "A", 64, 64), av.VideoFrame(64, 64, "yuv420p"))


def part_of(name: str, edit: TextOverlay | ClockOverlay, scene: PaintedClip) -> tuple[PaintedPart, ...]:
    """Return the part of the clip that shows an overlay; `name` is the edit's.

    Raises:
        EditImpossibleError: it is not within the clip.
    """
    start = Fraction(0) if edit.start is None else scene.finished(edit.start, name)
    end = scene.duration if edit.duration is None else start + edit.duration
    if start >= scene.duration:
        raise EditImpossibleError(
            f"{name}: {format_seconds(start, 3)} s is not within the clip, which has "
            f"{format_seconds(scene.duration, 3)} s."
        )
    return (PaintedPart(start, min(end, scene.duration)),)
