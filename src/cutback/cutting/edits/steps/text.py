"""`text`: a line of text on the pictures, all the time or for a part of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import av

from cutback.cutting.edit_values.overlay import TextOverlay
from cutback.cutting.edits.job_fonts import prepare_lettering
from cutback.cutting.edits.overlay import Orientation
from cutback.cutting.edits.overlay_part import fades, opacity_at, part_of
from cutback.cutting.edits.recorded_time import cues_by_second, with_moment, zone_of
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart, ShownAt
from cutback.cutting.edits.subtitles import Cue
from cutback.cutting.job import CutJob
from cutback.domain.errors import EditImpossibleError
from cutback.domain.text_fields import fields_in, filled, widest

if TYPE_CHECKING:
    from PIL import Image


class TextStep(EditStep[TextOverlay]):
    """Draws the text once, and puts it onto the pictures."""

    edit = TextOverlay
    depends_on_size = True

    def prepare(self, edit: TextOverlay, job: CutJob) -> None:
        """See `EditStep`."""
        zone_of(edit.zone)
        prepare_lettering(job)

    def needs_pictures(self, edit: TextOverlay) -> bool:
        """See `EditStep`."""
        return edit.drawn_as == "pictures"

    def progresses(self, edit: TextOverlay) -> bool:
        """See `EditStep`."""
        return fades(edit)

    def painted(self, edit: TextOverlay, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`."""
        if edit.drawn_as == "subtitles":
            return ()  # `cues` checks them
        part = part_of("text", edit, scene)
        for text in _examples(edit, scene):
            scene.fonts().runs("text", text, edit.font, edit.weight)
        return (part,)

    def cues(self, edit: TextOverlay, scene: PaintedClip) -> Sequence[Cue]:
        """See `EditStep`."""
        if edit.drawn_as == "pictures":
            return ()
        _examples(edit, scene)  # refuses fields of a moment where there is none
        part = part_of("text", edit, scene)
        if not fields_in(edit.text):
            return [Cue(part.start, part.end, with_moment(edit.text, edit.zone, None))]
        return list(cues_by_second("text", scene, part, lambda moment: with_moment(edit.text, edit.zone, moment)))

    def paint(
        self, edit: TextOverlay, frame: av.VideoFrame, at: ShownAt, scene: PaintedClip, view: Orientation
    ) -> av.VideoFrame:
        """See `EditStep`."""
        text = with_moment(edit.text, edit.zone, scene.time.moment(at.cut))

        def draw(width: int, height: int) -> Image.Image:
            from cutback.cutting.edits.lettering import drawn

            return drawn(edit, "text", text, scene.fonts(), width, height)

        opacity = opacity_at(at.finished, edit, part_of("text", edit, scene))
        return scene.overlays.put(frame, edit, text, draw, view, opacity)

    def described(self, edit: TextOverlay) -> str:
        """See `EditStep`."""
        track = ", as subtitles" if edit.drawn_as == "subtitles" else ""
        return f"text: “{filled(edit.text, '{{{}}}'.format)}”{track}"


def _examples(edit: TextOverlay, scene: PaintedClip) -> list[str]:
    """Return the text with all characters that it can show.

    Raises:
        EditImpossibleError: it has fields of a moment, and a part of the clip has none.
    """
    known = fields_in(edit.text)
    if not known:
        return [with_moment(edit.text, edit.zone, None)]
    if not scene.time.is_known:
        raise EditImpossibleError(f"text: {{{known[0]}}} needs a source that names a camera.")
    return [widest(edit.text, camera, edit.zone) for camera in scene.time.cameras]
