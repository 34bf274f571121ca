"""`text`: a line of text on the pictures, all the time or for a part of it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av

from cutback.cutting.edit_values import TextOverlay
from cutback.cutting.edits.overlay import Orientation
from cutback.cutting.edits.overlay_part import opacity_at, part_of
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart

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
        return (part_of("text", edit, scene),)

    def paint(
        self, edit: TextOverlay, frame: av.VideoFrame, at: Fraction, scene: PaintedClip, view: Orientation
    ) -> av.VideoFrame:
        """See `EditStep`."""

        def draw(width: int, height: int) -> Image.Image:
            from cutback.cutting.edits.lettering import drawn

            return drawn(edit, edit.text, width, height)

        opacity = opacity_at(at, edit, part_of("text", edit, scene))
        return scene.overlays.put(frame, edit, edit.text, draw, view, opacity)

    def described(self, edit: TextOverlay) -> str:
        """See `EditStep`."""
        return f"text: “{edit.text}”"


def import_lettering() -> None:
    """Draw something once while files can be opened: Pillow imports some of its modules when they are first used."""
    from cutback.cutting.edits.lettering import drawn
    from cutback.cutting.edits.overlay_image import frame_of

    edit = TextOverlay(
        text="A", place="center", margin=0, size=16, weight="regular", color="#ffffff", box=True, shadow=True,
        start=None, duration=None,
    )  # fmt: skip
    frame_of(drawn(edit, "A", 64, 64), av.VideoFrame(64, 64, "yuv420p"))
