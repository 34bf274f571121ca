"""The edit of the stage `scale`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cutback.domain.measures import MAX_PIXELS
from cutback.domain.requests.edit_model import EditModel

_Size = Annotated[int, Field(strict=True, ge=16, le=MAX_PIXELS)]


class ScaleEdit(EditModel):
    """Change the size of the pictures. Re-encodes all of them."""

    stage = "scale"
    edit: Literal["scale"]
    width: _Size | None = Field(
        None, description="Pixels. If only one of `width` and `height` is given, the other follows."
    )
    height: _Size | None = Field(None, description="Pixels.")
    mode: Literal["fit", "fill", "pad"] = Field(
        "fit",
        description="With both: `fit` keeps all of the picture within them, `fill` fills them and cuts the rest off, "
        "`pad` adds black bars.",
    )
    enlarge: Annotated[bool, Field(strict=True)] = Field(False, description="Whether pictures may become larger.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.width is None and self.height is None:
            raise ValueError("needs width, height or both")
        if self.mode != "fit" and (self.width is None or self.height is None):
            raise ValueError(f"{self.mode} needs width and height")
        return self
