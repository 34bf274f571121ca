"""The fonts that a job's overlays of letters use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av

from cutback.cutting.edit_values.overlay import Lettering, TextOverlay
from cutback.cutting.job import CutJob

if TYPE_CHECKING:
    from cutback.cutting.edits.fonts import FontSet


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
    texts = [edit.letters for edit in shown]
    names = [clock.camera for clock in job.wall_clocks if clock is not None]
    families = {edit.font for edit in shown if edit.font is not None}
    return load_fonts(job.fonts, frozenset("".join([*texts, *names])), frozenset(families))
