"""Presets: what they expand to, and that what a request says itself wins."""

from __future__ import annotations

from typing import Any

import pytest

from cutback.domain.errors import InvalidRequestError
from cutback.domain.requests.presets import PRESETS
from cutback.domain.requests.request import ClipRequest, parse_request, validate_request

RANGE: dict[str, Any] = {"recording": "sea.mp4", "start": 1, "end": 3}


def request(preset: str, *edits: dict[str, Any], **output: Any) -> ClipRequest:
    return validate_request({"source": RANGE, "edits": list(edits), "output": {"preset": preset} | output})


def kinds(made: ClipRequest) -> list[str]:
    return [edit.edit for edit in made.edits]


@pytest.mark.parametrize(
    ("preset", "expanded"),
    [
        ("phone", {"edits": [{"edit": "crop", "aspect": "9:16"}, {"edit": "scale", "height": 1280}]}),
        ("square", {"edits": [{"edit": "crop", "aspect": "1:1"}, {"edit": "scale", "height": 1080}]}),
        (
            "share",
            {"edits": [{"edit": "scale", "width": 1280, "height": 720}, {"edit": "loudness", "lufs": -16}]},
        ),
        ("preview", {"edits": [{"edit": "scale", "width": 640, "height": 360}, {"edit": "mute"}]}),
        ("archive", {"output": {"precision": "keyframe"}}),
    ],
)
def test_a_preset_is_the_same_request_as_what_it_expands_to(preset: str, expanded: dict[str, Any]) -> None:
    made = request(preset)
    assert made == validate_request({"source": RANGE} | expanded)
    assert made.id == validate_request({"source": RANGE} | expanded).id
    assert parse_request(made.model_dump_json()) == made
    assert '"preset"' not in made.model_dump_json()


def test_the_tests_know_every_preset() -> None:
    assert set(PRESETS) == {"phone", "square", "share", "preview", "archive"}


def test_edits_of_the_request_stand_among_those_of_the_preset() -> None:
    text = {"edit": "text", "text": "Left at the point", "from": {"finished": 3}, "duration": 3, "place": "bottom"}
    assert kinds(request("share", text, {"edit": "fade", "out": 1})) == ["scale", "text", "fade", "loudness"]


def test_what_the_request_says_wins() -> None:
    made = request("share", {"edit": "scale", "height": 480}, {"edit": "mute"})
    assert kinds(made) == ["scale", "mute"]
    assert dict(made.edits[0])["height"] == 480
    assert kinds(request("share", {"edit": "timelapse", "duration": 3})) == ["scale", "timelapse"]
    assert request("archive", precision="exact").output.precision == "exact"


@pytest.mark.parametrize(
    ("output", "path", "problem"),
    [
        ({"preset": "shair"}, "output.preset", "is not a preset; did you mean 'share'?"),
        ({"preset": "xyzzy"}, "output.preset", "the presets are phone, square"),
        ({"preset": 3}, "output.preset", "string"),
        ({"preset": "share", "precision": "instant"}, "edits", "needs the precision exact, not instant"),
    ],
)
def test_a_preset_that_cannot_be_used_is_refused(output: dict[str, Any], path: str, problem: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        validate_request({"source": RANGE, "output": output})
    found = {fault.path: fault.problem for fault in refused.value.faults}
    assert problem in found[path]


def test_faults_name_the_edit_as_it_was_written() -> None:
    with pytest.raises(InvalidRequestError, match=r"edits\[0\].db: must be from"):
        request("share", {"edit": "gain", "db": 99})
