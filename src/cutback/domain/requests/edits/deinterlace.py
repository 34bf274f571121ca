"""The edit of the stage `deinterlace`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cutback.domain.requests.edit_model import EditModel


class DeinterlaceEdit(EditModel):
    """Make whole pictures of interlaced ones. Re-encodes all pictures, unless the recording is progressive."""

    stage = "deinterlace"
    edit: Literal["deinterlace"]
    rate: Literal["frame", "field"] = Field(
        "frame", description="`field`: a picture of each field, twice as many as frames, so that motion stays smooth."
    )

    @property
    def excludes(self) -> frozenset[str]:
        """See `EditModel`: a picture of each field is a change of times."""
        return frozenset({"speed", "freeze", "reverse"}) if self.rate == "field" else frozenset()
