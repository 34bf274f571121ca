"""The edit of the stage `deinterlace`."""

from __future__ import annotations

from typing import Literal

from cutback.domain.requests.edit_model import EditModel


class DeinterlaceEdit(EditModel):
    """Make whole pictures of interlaced ones. Re-encodes all pictures, unless the recording is progressive."""

    stage = "deinterlace"
    edit: Literal["deinterlace"]
