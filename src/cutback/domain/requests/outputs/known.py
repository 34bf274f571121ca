"""The formats of outputs. A new one is its own file here, an entry in `KINDS`, and its writer in `cutting/outputs/`."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Discriminator, Tag

from cutback.domain.requests.outputs.animation import GifOutput, WebpOutput
from cutback.domain.requests.outputs.hls import HlsOutput
from cutback.domain.requests.outputs.model import OutputModel
from cutback.domain.requests.outputs.mov import MovOutput
from cutback.domain.requests.outputs.mp4 import Mp4Output
from cutback.domain.requests.outputs.sound import FlacOutput, M4aOutput, Mp3Output, OpusOutput, WavOutput
from cutback.domain.requests.outputs.still import JpegOutput, PngOutput
from cutback.domain.requests.outputs.webm import WebMOutput

KINDS: Mapping[str, type[OutputModel]] = {
    "mp4": Mp4Output,
    "mov": MovOutput,
    "webm": WebMOutput,
    # sound alone
    "m4a": M4aOutput,
    "mp3": Mp3Output,
    "wav": WavOutput,
    "opus": OpusOutput,
    "flac": FlacOutput,
    # stills
    "jpeg": JpegOutput,
    "png": PngOutput,
    # moving pictures
    "gif": GifOutput,
    "webp": WebpOutput,
    # streaming
    "hls": HlsOutput,
}
"""The models by the names of formats."""

DEFAULT = "mp4"
"""The format of an output that names none."""


def output_of(fields: Mapping[str, Any]) -> OutputModel:
    """Build an output from its fields.

    Raises:
        ValidationError: a field is invalid.
    """
    return KINDS[_kind(fields)].model_validate(fields)


def _kind(value: Any) -> str:
    if isinstance(value, OutputModel):
        return value.format
    name = value.get("format", value.get("container", DEFAULT)) if isinstance(value, Mapping) else ""
    return name if isinstance(name, str) else ""


def _check_kind(value: object) -> object:
    """Refuse an unknown format; name the nearest one."""
    if isinstance(value, OutputModel):
        return value
    if not isinstance(value, dict):
        raise ValueError('must be an object such as {"format": "mp4"}')  # noqa: TRY004 - pydantic collects ValueErrors
    name = value.get("format", value.get("container", DEFAULT))
    if not isinstance(name, str) or name not in KINDS:
        shown = "".join(c if c.isprintable() else "?" for c in str(name)[:40])
        near = get_close_matches(shown.lower(), KINDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"the formats are {', '.join(KINDS)}"
        raise ValueError(f"unknown format {shown!r}; {hint}")
    return value


if TYPE_CHECKING:
    Output: TypeAlias = OutputModel
else:
    _any_kind = reduce(or_, (Annotated[kind, Tag(name)] for name, kind in KINDS.items()))
    Output = Annotated[_any_kind, Discriminator(_kind), BeforeValidator(_check_kind)]
"""An output of any format."""
