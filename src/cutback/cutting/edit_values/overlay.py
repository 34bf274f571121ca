"""The values of the edits of the stage `overlay`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from cutback.cutting.edit_value import Edit
from cutback.domain.measures import Measure, Place, Point

_SHOWN = {"datetime": "{date} {time}", "date": "{date}", "time": "{time}"}
"""What of a clock is shown, as a text with fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOverlay(Edit):
    """What all overlays have in common: where and when they are shown."""

    place: Place
    margin: Measure
    start: Point | None
    duration: Fraction | None
    """Seconds in finished time; None: to the end."""
    fade_in: Fraction = Fraction(0)
    """Seconds in finished time in which it appears."""
    fade_out: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettering(PlacedOverlay):
    """What overlays of letters have in common: how they look."""

    font: str | None = None
    """The family; None: the one that is part of Cutback."""
    size: Measure
    """The height of a line."""
    weight: Literal["regular", "bold"]
    color: str
    """Six hexadecimal digits, behind #."""
    box: bool
    """Whether a dark box is behind the letters."""
    shadow: bool = False
    """Whether the letters cast a shadow."""
    zone: str = "UTC"
    drawn_as: Literal["pictures", "subtitles"] = "pictures"

    @property
    def letters(self) -> str:
        """What fonts must have to show it, besides digits and the names of cameras."""
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOverlay(Lettering):
    """Letters on the pictures."""

    kind = "text"

    text: str
    """With fields, as in `cutback.domain.text_fields`."""

    @property
    def letters(self) -> str:
        """See `Lettering`."""
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOverlay(Lettering):
    """The clock of the camera on the pictures."""

    kind = "clock"

    show: Literal["datetime", "date", "time"]
    format: str | None = None
    """Instead of `show`: a text with fields, as in `cutback.domain.text_fields`."""
    camera: bool
    """Whether the camera's name is in front."""

    @property
    def text(self) -> str:
        """What is drawn, with fields."""
        shown = _SHOWN[self.show] if self.format is None else self.format
        return f"{{camera}}  {shown}" if self.camera else shown

    @property
    def letters(self) -> str:
        """See `Lettering`."""
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOverlay(PlacedOverlay):
    """A picture from the assets on the pictures."""

    kind = "image"

    asset: str
    width: Measure | None
    """None: it follows from the height, or is its own."""
    height: Measure | None
    opacity: Fraction
    """From above 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InsetOverlay(PlacedOverlay):
    """The pictures of another camera or recording, on the pictures or beside them."""

    kind = "inset"

    camera: str | None
    """None: of a recording."""
    recording: str | None
    begins: Fraction
    """Seconds in the recording at which it begins."""
    layout: Literal["over", "beside", "below"]
    width: Measure | None
    """None: it follows from the height, or is 30 %."""
    height: Measure | None
    opacity: Fraction
    """From above 0 to 1."""

    @property
    def shows(self) -> str:
        """The name of the camera or of the recording."""
        return self.camera or self.recording or ""
