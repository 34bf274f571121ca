"""The edit of the stage `sdr`."""

from __future__ import annotations

from typing import Literal

from cutback.domain.requests.edit_model import EditModel


class SdrEdit(EditModel):
    """Convert HDR to SDR, for screens that cannot show HDR. Re-encodes all pictures."""

    stage = "sdr"
    edit: Literal["sdr"]
