"""What the outputs of all formats share."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AliasChoices, Field

from cutback.domain.base import Model
from cutback.domain.requests.presets import PRESETS, check_preset

NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,31}$"
"""An output's name: its file is named after it."""


def format_field(name: str, description: str, *, written: str = "format") -> Any:
    """Return the field that names the format; `container` is an older name for it. `written` is the one in JSON."""
    names = AliasChoices("format", "container")
    return Field(name, description=description, validation_alias=names, serialization_alias=written)


class OutputModel(Model):
    """An output. Its `format` names its kind."""

    extension: ClassVar[str]
    """Of its file, with the dot."""

    format: str
    name: Annotated[str, Field(pattern=NAME_PATTERN)] | None = Field(
        None,
        exclude_if=lambda name: name is None,
        description="Its name: its file is named after it. `clip` for the first output, the format for others.",
    )
    precision: Literal["exact", "keyframe", "instant"] = Field(
        "exact",
        description="`exact`: exactly the requested frames. `keyframe`: extended to keyframes, copied without "
        "re-encoding. `instant`: copied without re-encoding; the edit list hides the frames outside of the range.",
    )
    preset: Annotated[str, AfterValidator(check_preset)] | None = Field(
        None,
        exclude_if=lambda preset: preset is None,
        description=f"A name for edits and output fields, to which it expands: {', '.join(PRESETS)}, or one of the "
        "installation's own.",
    )
