"""The edit of the stage `rotate`."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from cutback.domain.requests.edit_model import EditModel


class RotateEdit(EditModel):
    """Turn the pictures clockwise. Alone and without `flip`, it re-encodes nothing: the clip tells players to turn."""

    stage = "rotate"
    edit: Literal["rotate"]
    degrees: Literal[0, 90, 180, 270] = Field(0, description="Clockwise.")
    flip: Literal["horizontal", "vertical"] | None = Field(None, description="Mirror the turned pictures.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.degrees and self.flip is None:
            raise ValueError("needs degrees or flip")
        return self
