"""The edit `inset`, of the stage `overlay`: the pictures of another camera or recording."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cutback.domain.measures import Percent, Place
from cutback.domain.requests.edit_fields import Between, LengthField, MeasureField
from cutback.domain.requests.edits.overlay import OverlayModel
from cutback.domain.requests.sources import CameraName, Key

MAX_INSETS = 4
"""Maximum insets of one request: each of them is decoded besides the clip."""


class InsetEdit(OverlayModel):
    """Show another camera of the same moment, or another recording, in the pictures or beside them."""

    contradicts = frozenset({"reverse"})
    edit: Literal["inset"]
    camera: CameraName | None = Field(None, description="The other camera, whose pictures are of the same moment.")
    recording: Key | None = Field(None, description="Instead of `camera`: another recording's key.")
    begins: LengthField = Field(
        Fraction(0), alias="start", description="With `recording`: where in it the inset begins, in seconds."
    )
    layout: Literal["over", "beside", "below"] = Field(
        "over", description="`over`: in the pictures. `beside`, `below`: pictures become twice as wide or as high."
    )
    place: Place = Field("top-right", description="Where in the picture, with the layout `over`.")
    width: MeasureField | None = Field(None, description="Its width; percent of the picture's. 30% by default.")
    height: MeasureField | None = Field(None, description="Its height; percent of the picture's.")
    opacity: Annotated[Fraction, Between("0", "1")] = Field(Fraction(1), description="0 is invisible, 1 opaque.")

    @classmethod
    def check_together(cls, edits: Sequence[Self]) -> None:
        """See `EditModel`: there are not too many, and only one of them doubles the size of the pictures."""
        if len(edits) > MAX_INSETS:
            raise ValueError(f"inset occurs {len(edits)} times; it may occur {MAX_INSETS} times")
        doubling = [inset.layout for inset in edits if inset.layout != "over"]
        if len(doubling) > 1:
            raise ValueError(f"only one inset can be beside or below the pictures, not {len(doubling)}")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.camera is None) == (self.recording is None):
            raise ValueError("needs either camera or recording")
        if self.begins and self.recording is None:
            raise ValueError("start needs recording; pictures of a camera are those of the same moment")
        if self.recording is not None and self.recording.endswith(".m3u8"):
            raise ValueError("recording must not be a playlist; name its camera instead")
        if not self.opacity:
            raise ValueError("opacity must not be zero")
        for name in ("width", "height"):
            value = getattr(self, name)
            if value is not None and self.layout != "over":
                raise ValueError(f"{name} and the layout {self.layout} contradict each other; leave one of them out")
            if value == 0 or (isinstance(value, Percent) and not value.percent):
                raise ValueError(f"{name} must not be zero")
        return self
