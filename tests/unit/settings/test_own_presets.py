"""An installation's own presets: how they are read, what is refused, and what a request makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cutback.domain.errors import InvalidRequestError, SettingsError
from cutback.domain.requests.request import parse_request, validate_request
from cutback.domain.requests.rules import RequestRules
from cutback.settings.settings import load_settings

SURF = """
[surf]
edits = [{edit = "crop", aspect = "9:16"}, {edit = "text", text = "{title} {labels.rider}"}]

[quick]
output = {precision = "keyframe"}
"""

RANGE = {"recording": "sea.mp4", "start": 1, "end": 3}


def rules(tmp_path: Path, text: str, **more: int) -> RequestRules:
    path = tmp_path / "presets.toml"
    path.write_text(text)
    return load_settings(data=tmp_path, presets=str(path), **more).request_rules


def asked(preset: str) -> dict[str, Any]:
    return {"source": RANGE, "title": "Left", "labels": {"rider": "Ana"}, "output": {"preset": preset}}


def test_a_request_with_an_own_preset_is_the_same_as_one_that_lists_what_it_expands_to(tmp_path: Path) -> None:
    own = rules(tmp_path, SURF)
    made = validate_request(asked("surf"), own)
    edits = [{"edit": "crop", "aspect": "9:16"}, {"edit": "text", "text": "{title} {labels.rider}"}]
    assert made == validate_request(asked("surf") | {"output": {}, "edits": edits})
    assert parse_request(made.model_dump_json()) == made, "a worker without the file understands it"
    assert validate_request(asked("quick"), own).output.precision == "keyframe"
    assert validate_request(asked("square"), own) == validate_request(asked("square"))


def test_a_preset_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match=r"output.preset: is not a preset; did you mean 'surf'"):
        validate_request(asked("surv"), rules(tmp_path, SURF))
    with pytest.raises(InvalidRequestError, match=r"output.preset: is not a preset"):
        validate_request(asked("surf"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[share]\nedits = []", "share: is a built-in preset; choose another name"),
        ("[Surf]\nedits = []", "'Surf': must be 1 to 64 lower-case letters"),
        ("surf = 3", "surf: must be a table with edits or output"),
        ("[surf]\nedit = []", "surf.edit: is not a field; the fields are edits and output"),
        ('[surf]\nedits = [{edit = "speed", speed = nan}]', r"surf.edits\[0\].speed: must be a number from"),
        ('[surf]\nedits = [{edit = "cropp"}]', r"surf.edits\[0\]: unknown edit 'cropp'; did you mean 'crop'"),
        ('[surf]\noutput = {preset = "share"}', "surf.output.preset: a preset cannot contain another one"),
        ("[surf]\noutput = {precise = true}", "surf.output.precise: is not a field"),
        ("[surf", "presets.toml is not valid TOML"),
    ],
)
def test_a_file_with_a_fault_is_refused_at_start_with_preset_and_field(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as refused:
        rules(tmp_path, text)
    assert "CUTBACK_PRESETS" in str(refused.value)
    assert "presets.toml" in str(refused.value)


def test_a_file_that_is_not_there_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="none\\.toml does not exist"):
        load_settings(data=tmp_path, presets=str(tmp_path / "none.toml"))


def test_edits_and_texts_are_limited_by_settings(tmp_path: Path) -> None:
    own = rules(tmp_path, "", limit_edits=2, limit_text=3)
    texts = [{"edit": "text", "text": "abc"}] * 3
    with pytest.raises(InvalidRequestError, match="edits: must have at most 2 items"):
        validate_request({"source": RANGE, "edits": texts}, own)
    with pytest.raises(InvalidRequestError, match=r"edits\[0\].text: must have at most 3 characters"):
        validate_request({"source": RANGE, "edits": [{"edit": "text", "text": "abcd"}]}, own)
    more = rules(tmp_path, "", limit_edits=101, limit_text=201)
    many = [{"edit": "text", "text": "a" * 201}] * 101
    made = validate_request({"source": RANGE, "edits": many}, more)
    assert type(made).model_validate_json(made.model_dump_json()) == made, "its record is read without the settings"


def test_rules_for_moments_can_name_own_presets(tmp_path: Path) -> None:
    path = tmp_path / "presets.toml"
    path.write_text(SURF)
    rule = '[{"camera": "north", "preset": "surf"}]'
    loaded = load_settings(data=tmp_path, presets=str(path), moment_rules=rule)
    assert [each.preset for each in loaded.moment_rules] == ["surf"]
    with pytest.raises(SettingsError, match="rule 1: preset is not a preset"):
        load_settings(data=tmp_path, moment_rules=rule)
