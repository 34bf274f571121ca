"""Several outputs of one request: their names, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from cutback.domain.errors import InvalidRequestError
from cutback.domain.requests.request import ClipRequest, parse_request, validate_request


def request(*outputs: dict[str, Any], **fields: Any) -> ClipRequest:
    source = {"recording": "a.mp4", "start": 1, "end": 3}
    return validate_request({"source": source, "outputs": list(outputs), **fields})


def test_the_first_output_is_the_clip_and_others_have_the_name_of_their_format() -> None:
    made = request({}, {"format": "mp4", "precision": "keyframe"}, {"name": "small"})
    assert list(made.wanted_outputs) == ["clip", "mp4", "small"]
    assert parse_request(made.model_dump_json()) == made
    assert not made.is_one_plain_mp4


def test_a_request_without_outputs_has_one() -> None:
    made = validate_request({"source": {"recording": "a.mp4", "start": 1, "end": 3}})
    assert list(made.wanted_outputs) == ["clip"]
    assert "outputs" not in made.model_dump(mode="json")


@pytest.mark.parametrize(
    ("outputs", "fields", "where", "problem"),
    [
        ([{}] * 50, {}, "outputs", "at most 10 items"),
        ([], {}, "outputs", "1 or more items"),
        ([{}, {"name": "clip"}], {}, "", "two of them have the same name"),
        ([{}, {"name": "Two"}], {}, "outputs[1].name", "pattern"),
        ([{}, {"name": "../two"}], {}, "outputs[1].name", "pattern"),
        ([{}, {"name": "poster-640"}], {}, "", "are taken"),
        ([{}, {"format": "avi"}], {}, "outputs[1]", "unknown format 'avi'"),
        ([{}, {"precision": "x"}], {}, "outputs[1].precision", "must be"),
        ([{"preset": "phone"}], {}, "", "single output"),
        ([{}], {"output": {"precision": "keyframe"}}, "", "leave it out"),
        ([{}, {"precision": "instant"}], {"edits": [{"edit": "scale", "width": 64}]}, "", "needs the precision exact"),
    ],
)
def test_impossible_outputs_are_refused(
    outputs: list[dict[str, Any]], fields: dict[str, Any], where: str, problem: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        request(*outputs, **fields)
    [fault] = caught.value.faults
    assert fault.path == where
    assert problem in fault.problem
