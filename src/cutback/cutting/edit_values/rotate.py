"""The values of the edits of the stage `rotate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cutback.cutting.edit_value import Edit


@dataclass(frozen=True, slots=True)
class Rotate(Edit):
    """Turn the pictures clockwise, then mirror them."""

    kind = "rotate"

    degrees: Literal[0, 90, 180, 270]
    flip: Literal["horizontal", "vertical"] | None
