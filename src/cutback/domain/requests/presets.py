"""Presets: names for edits and output fields that belong together. They expand to ordinary fields. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import TypeAdapter, ValidationInfo

from cutback.domain.requests.edit_list import KINDS, Edits, contradictions
from cutback.domain.requests.edit_model import STAGES, EditModel
from cutback.domain.requests.rules import rules_of


@dataclass(frozen=True, slots=True)
class Preset:
    """What a preset expands to."""

    edits: tuple[EditModel, ...]
    output: Mapping[str, Any]
    """Fields of `output`."""

    def as_json(self) -> dict[str, Any]:
        """Return the fields of a request that it stands for, without those that have their default."""
        edits = [edit.model_dump(mode="json", by_alias=True, exclude_defaults=True) for edit in self.edits]
        return {"edits": edits, "output": dict(self.output)}


def _preset(*edits: dict[str, Any], **output: Any) -> Preset:
    return Preset(TypeAdapter(Edits).validate_python(edits), output)


PRESETS: Mapping[str, Preset] = {
    "phone": _preset({"edit": "crop", "aspect": "9:16"}, {"edit": "scale", "height": 1280}),
    "square": _preset({"edit": "crop", "aspect": "1:1"}, {"edit": "scale", "height": 1080}),
    "share": _preset({"edit": "scale", "width": 1280, "height": 720}, {"edit": "loudness", "lufs": -16}),
    "preview": _preset({"edit": "scale", "width": 640, "height": 360}, {"edit": "mute"}),
    "archive": _preset(precision="keyframe"),
}
"""The built-in presets, by name."""


def known_presets(info: ValidationInfo) -> Mapping[str, Preset]:
    """Return the presets that a validation knows: the built-in ones, and the installation's own."""
    return {**rules_of(info).presets, **PRESETS}


def check_preset(name: str, info: ValidationInfo) -> str:
    """Check that there is a preset with this name.

    Raises:
        ValueError: there is none; the message names the nearest one.
    """
    known = known_presets(info)
    if name not in known:
        near = get_close_matches(name[:40].lower(), known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"the presets are {', '.join(known)}"
        raise ValueError(f"is not a preset; {hint}")
    return name


def with_edits_of(preset: Preset, edits: tuple[EditModel, ...]) -> tuple[EditModel, ...]:
    """Return the edits of a request and those of a preset, in stage order.

    An edit of the request takes the place of the preset's of the same kind, or of one that it contradicts.
    """
    own = {edit.edit for edit in edits}
    added = [
        edit
        for edit in preset.edits
        if (edit.edit not in own or KINDS[edit.edit].repeats) and not contradictions({edit.edit, *own})
    ]
    return tuple(sorted((*edits, *added), key=lambda edit: STAGES.index(edit.stage)))
