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
        ([{}, {"name": "clip"}], {}, "outputs", "two of them have the same name"),
        ([{}, {"name": "Two"}], {}, "outputs[1].name", "pattern"),
        ([{}, {"name": "../two"}], {}, "outputs[1].name", "pattern"),
        ([{}, {"name": "poster-640"}], {}, "outputs[1].name", "names that begin with 'poster' are taken"),
        (
            [{"format": "hls"}, {"name": "clip-720p-init"}],
            {},
            "outputs[1].name",
            "'clip-' are taken by the files of 'clip'",
        ),
        (
            [{"name": "a-sound"}, {"format": "hls", "name": "a"}],
            {},
            "outputs[0].name",
            "'a-' are taken by the files of 'a'",
        ),
        ([{}, {"format": "avi"}], {}, "outputs[1]", "unknown format 'avi'"),
        ([{}, {"precision": "x"}], {}, "outputs[1].precision", "must be"),
        ([{"preset": "phone"}], {}, "outputs[0].preset", "single output"),
        ([{}], {"output": {"precision": "keyframe"}}, "output", "leave it out"),
        (
            [{}, {"precision": "instant"}],
            {"edits": [{"edit": "scale", "width": 64}]},
            "edits",
            "scale needs the precision exact",
        ),
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


def test_names_that_no_file_of_hls_has_are_free() -> None:
    made = request({"format": "hls"}, {"format": "jpeg", "name": "clip-sound"}, {"name": "clips"})
    assert list(made.wanted_outputs) == ["clip", "clip-sound", "clips"]


def test_a_single_output_has_no_name_of_other_files_either() -> None:
    output = {"format": "jpeg", "name": "poster-640"}
    with pytest.raises(InvalidRequestError) as caught:
        validate_request({"source": {"recording": "a.mp4", "start": 1, "end": 3}, "output": output})
    [fault] = caught.value.faults
    assert fault.path == "output.name"
    assert "names that begin with 'poster' are taken" in fault.problem


@pytest.mark.parametrize(
    ("output", "fields"),
    [
        ({"format": "mp4", "codec": "av1", "max_size": "3MB"}, {"codec": "av1", "max_size": 3_000_000}),
        ({"codec": "hevc", "bitrate": "2.5M"}, {"codec": "hevc", "bitrate": 2_500_000}),
        ({"bitrate": "800k"}, {"codec": None, "bitrate": 800_000}),
        ({"format": "mov", "codec": "hevc", "quality": "best"}, {"codec": "hevc", "quality": "best"}),
        ({"format": "webm"}, {"codec": "vp9", "quality": None}),
        ({"format": "webm", "codec": "av1", "crf": 63}, {"codec": "av1", "crf": 63}),
    ],
)
def test_codec_and_quality_are_read(output: dict[str, Any], fields: dict[str, Any]) -> None:
    made = validate_request({"source": {"recording": "a.mp4", "start": 1, "end": 3}, "output": output})
    assert {name: getattr(made.output, name) for name in fields} == fields
    assert parse_request(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        ({"format": "webm", "codec": "h264"}, "must be 'vp9' or 'av1'"),
        ({"format": "mov", "codec": "av1"}, "must be 'h264' or 'hevc'"),
        ({"format": "webm", "precision": "keyframe"}, "must be 'exact'"),
        ({"quality": "good", "crf": 20}, "quality and crf contradict each other"),
        ({"bitrate": "1M", "max_size": "3MB"}, "bitrate and max_size contradict each other"),
        ({"crf": 60}, "must be at most 51"),
        ({"quality": "best", "precision": "instant"}, "needs the precision exact"),
        ({"codec": "av1", "precision": "keyframe"}, "needs the precision exact"),
        ({"bitrate": "1Gb"}, "expected bits a second"),
        ({"bitrate": 5}, "must be 10000 to"),
        ({"max_size": "big"}, "expected bytes"),
    ],
)
def test_impossible_codecs_and_qualities_are_refused(output: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        validate_request({"source": {"recording": "a.mp4", "start": 1, "end": 3}, "output": output})
    assert any(problem in fault.problem for fault in caught.value.faults)
