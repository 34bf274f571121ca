"""The values of the edits of the stage `sdr`."""

from __future__ import annotations

from dataclasses import dataclass

from cutback.cutting.edit_value import Edit


@dataclass(frozen=True, slots=True)
class Sdr(Edit):
    """Convert HDR to SDR."""

    kind = "sdr"
