"""The values of the edits of the stage `deinterlace`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cutback.cutting.edit_value import Edit


@dataclass(frozen=True, slots=True)
class Deinterlace(Edit):
    """Make whole pictures of interlaced ones."""

    kind = "deinterlace"

    rate: Literal["frame", "field"] = "frame"
    """Of what a picture is made."""
