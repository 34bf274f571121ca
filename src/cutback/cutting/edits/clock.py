"""`clock`: the time at which each picture was recorded, by the clock of its camera."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import av

from cutback.cutting.edit_values import ClockOverlay
from cutback.cutting.edits.overlay import Orientation
from cutback.cutting.edits.overlay_part import opacity_at, part_of
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart
from cutback.cutting.edits.text import prepare_lettering
from cutback.cutting.job import CutJob
from cutback.domain.errors import EditImpossibleError

if TYPE_CHECKING:
    from PIL import Image

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMATS = {"datetime": "%Y-%m-%d %H:%M:%S", "date": "%Y-%m-%d", "time": "%H:%M:%S"}


class ClockStep(EditStep[ClockOverlay]):
    """Draws the time once a second."""

    def __init__(self) -> None:
        self._zones: dict[str, ZoneInfo] = {}

    def prepare(self, edit: ClockOverlay, job: CutJob) -> None:
        """See `EditStep`."""
        prepare_lettering(job)
        self._zones[edit.zone] = ZoneInfo(edit.zone)

    def painted(self, edit: ClockOverlay, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`."""
        if scene.time.moment(Fraction(0)) is None:
            raise EditImpossibleError("clock: it needs a source that names a camera.")
        for name in scene.time.cameras if edit.camera else ("",):
            scene.fonts().runs("clock", f"{name}  0123456789-:", edit.font, edit.weight)
        return (part_of("clock", edit, scene),)

    def paint(
        self, edit: ClockOverlay, frame: av.VideoFrame, at: Fraction, scene: PaintedClip, view: Orientation
    ) -> av.VideoFrame:
        """See `EditStep`."""
        moment = scene.time.moment(scene.cut(at))
        if moment is None:
            return frame
        text = self._text(edit, *moment)

        def draw(width: int, height: int) -> Image.Image:
            from cutback.cutting.edits.lettering import drawn

            return drawn(edit, "clock", text, scene.fonts(), width, height)

        opacity = opacity_at(at, edit, part_of("clock", edit, scene))
        return scene.overlays.put(frame, edit, text, draw, view, opacity)

    def _text(self, edit: ClockOverlay, epoch: Fraction, camera: str) -> str:
        zone = self._zones.get(edit.zone) or ZoneInfo(edit.zone)
        # A frame's time may be rounded down by a tick; it is not of the second before.
        since = timedelta(microseconds=int(epoch * 1_000_000) + 1000)
        shown = (_EPOCH + since).astimezone(zone).strftime(_FORMATS[edit.show])
        return f"{camera}  {shown}" if edit.camera else shown

    def described(self, edit: ClockOverlay) -> str:
        """See `EditStep`."""
        return f"clock: {edit.show} in {edit.zone}"
