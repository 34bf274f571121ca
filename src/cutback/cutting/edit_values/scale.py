"""The values of the edits of the stage `scale`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cutback.cutting.edit_value import Edit


@dataclass(frozen=True, slots=True)
class Scale(Edit):
    """Change the size of the pictures."""

    kind = "scale"

    width: int | None
    height: int | None
    mode: Literal["fit", "fill", "pad"]
    enlarge: bool
