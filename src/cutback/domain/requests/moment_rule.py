"""Rules: which moments of which cameras become clips, and what the clips are like. Pure."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo

from cutback.domain.base import Model, iso
from cutback.domain.cameras.moments import LEAST_STRENGTH, CameraMoment
from cutback.domain.requests.rules import RequestRules
from cutback.domain.validation import problem_of

MOST_RULES = 100
_LONGEST = 600
"""Seconds before and after a moment."""
_LONGEST_NAME = 60


def _check_preset(name: str, info: ValidationInfo) -> str:
    from cutback.domain.requests.presets import check_preset  # which takes all edits with it

    return check_preset(name, info)


class MomentRule(Model):
    """Every moment of these cameras with this strength becomes a clip."""

    camera: str = Field(min_length=1, max_length=200, description="A camera's name; `*` and `?` are wildcards.")
    strength: float = Field(LEAST_STRENGTH, ge=0.1, le=1, description="Lowest strength, from 0.1 to 1.")
    before: float = Field(8, ge=0, le=_LONGEST, description="Seconds before the moment's peak.")
    after: float = Field(12, gt=0, le=_LONGEST, description="Seconds after it.")
    preset: Annotated[str, AfterValidator(_check_preset)] | None = Field(None, description="A preset of the output.")
    tags: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(
        (), max_length=10, description="Tags of the clips, besides `moment`."
    )

    def is_for(self, camera: str) -> bool:
        """Whether it applies to a camera."""
        return fnmatchcase(camera, self.camera)

    def request(self, camera: str, moment: CameraMoment) -> dict[str, Any]:
        """Return the request for the clip of a moment. The same moment always has the same id."""
        content: dict[str, Any] = {
            "id": clip_id(camera, moment, self.preset),
            "source": {
                "camera": camera,
                "at": iso(moment.peak),
                "before": str(self.before),
                "after": str(self.after),
                "gaps": "skip",
            },
            "tags": sorted({"moment", *self.tags}),
        }
        return content | ({"output": {"preset": self.preset}} if self.preset else {})


def clip_id(camera: str, moment: CameraMoment, preset: str | None) -> str:
    """Return the id of a moment's clip: it has the camera, the second of the peak and the preset."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", camera).strip("-")[:_LONGEST_NAME]
    if name != camera:  # two cameras' names may differ only in what is left out
        name = f"{name}-{hashlib.sha256(camera.encode()).hexdigest()[:8]}"
    return "-".join(filter(None, ["moment", name, f"{moment.peak.astimezone(UTC):%Y%m%dT%H%M%SZ}", preset]))


def read_rules(text: str, requests: RequestRules | None = None) -> tuple[MomentRule, ...]:
    """Read rules: a JSON list, or TOML with a table `[[rule]]` for each. `requests` has the presets that they can name.

    Raises:
        ValueError: the text is neither, or a rule is invalid; the message names the rule and the field.
    """
    content: Any
    if text.lstrip().startswith("[") and not text.lstrip().startswith("[["):
        try:
            content = json.loads(text)
        except ValueError:
            raise ValueError("is not a valid JSON list of rules") from None
    else:
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"is not valid TOML: {error}") from None
        if set(table) - {"rule"}:
            raise ValueError(f"has {', '.join(sorted(set(table) - {'rule'}))}; write a table [[rule]] for each rule")
        content = table.get("rule", [])
    return check_rules(content, requests)


def _problem(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "extra_forbidden":
        return f"is not a field of a rule; these are {', '.join(MomentRule.model_fields)}"
    return problem_of(fault)


def check_rules(content: object, requests: RequestRules | None = None) -> tuple[MomentRule, ...]:
    """Return parsed rules. Raises like `read_rules`."""
    if not isinstance(content, list) or len(content) > MOST_RULES:
        raise ValueError(f"must be a list of at most {MOST_RULES} rules")
    rules, faults = [], []
    for number, each in enumerate(content, 1):
        try:
            rules.append(MomentRule.model_validate(each, context=requests))
        except ValidationError as error:
            faults += [
                f"rule {number}: {'.'.join(map(str, fault['loc'])) or 'it'} {_problem(fault)}"
                for fault in error.errors()
            ]
    if faults:
        raise ValueError("; ".join(faults))
    return tuple(rules)
