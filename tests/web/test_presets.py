"""What programs that offer edits learn from the API: presets, and the stages of edits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.web.harness import WebHarness

from cutback.domain.requests.edit_list import KINDS
from cutback.domain.requests.edit_model import STAGES


def test_presets_are_listed_with_what_they_expand_to(make_web: Callable[..., WebHarness], tmp_path: Path) -> None:
    own = tmp_path / "presets.toml"
    own.write_text('[surf]\nedits = [{edit = "crop", aspect = "9:16"}]\noutput = {format = "gif", width = 320}\n')
    found = {each["name"]: each for each in make_web(presets=str(own)).get("/v1/presets").json()["items"]}
    assert found["phone"] == {
        "name": "phone",
        "own": False,
        "edits": [{"edit": "crop", "aspect": "9:16"}, {"edit": "scale", "height": 1280}],
        "output": {},
    }
    assert found["archive"]["output"] == {"precision": "keyframe"}
    assert found["surf"]["own"]
    assert found["surf"]["output"] == {"format": "gif", "width": 320}


def test_schemas_of_edits_say_their_stage_and_what_excludes_them(web: WebHarness) -> None:
    schemas = web.get("/v1/openapi.json").json()["components"]["schemas"]
    found = {each["properties"]["edit"]["const"]: each for name, each in schemas.items() if name.endswith("Edit")}
    assert found.keys() == KINDS.keys()
    for name, kind in KINDS.items():
        assert found[name]["x-stage"] == {"name": kind.stage, "number": STAGES.index(kind.stage)}
        assert found[name]["x-repeats"] == kind.repeats
        assert set(found[name]["x-contradicts"]) == kind.contradicts
