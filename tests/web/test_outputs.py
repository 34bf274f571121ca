"""Outputs over the REST API: what is wrong with them is said beside the field, and plans tell what comes of each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from tests.support.media import cached_media, read_counter
from tests.support.spec import MediaSpec
from tests.web.harness import WebHarness, assert_problem
from tests.web.media_harness import MediaHarness

from cutback.domain.requests.outputs.known import KINDS

SOURCE = {"recording": "sea.mp4", "start": "1.5", "end": "4.5"}


def faults(web: WebHarness, path: str, **request: Any) -> dict[str, str]:
    """The problem of each field that is refused."""
    problem = assert_problem(web.client.post(path, json={"source": SOURCE, **request}), 422, "invalid_request")
    return {fault["path"]: fault["problem"] for fault in problem["errors"]}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebHarness]:
    """Nothing that is refused leaves anything behind."""
    made = WebHarness(tmp_path_factory.mktemp("web"))
    yield made
    assert made.get("/v1/clips").json()["items"] == []
    made.close()


# --- fields ----------------------------------------------------------------------------------------

_NO_TEXT = "must be a string"
_NO_INTEGER = "must be an integer"
_NO_SIZE = "expected bytes (5000000)"
_NO_POINT = "expected seconds of the clip"
WRONG: dict[str, list[tuple[Any, str]]] = {
    "name": [("", "pattern"), ("A b", "pattern"), ("../a", "pattern"), (3, _NO_TEXT)],
    "precision": [("fast", "must be 'exact'"), (1, "must be 'exact'")],
    "preset": [("fone", "did you mean 'phone'?"), (3, _NO_TEXT)],
    "at": [("soon", _NO_POINT), (True, _NO_POINT), ([], _NO_POINT)],
    "width": [(0, "must be at least 16"), ("640", _NO_INTEGER), (10**6, "must be at most"), (64.5, _NO_INTEGER)],
    "fps": [(0, "must be at least 1"), (51, "must be at most 50"), ("12", _NO_INTEGER)],
    "loop": [(-1, "must be at least 0"), (10**6, "must be at most 10000"), (True, _NO_INTEGER)],
    "max_size": [(0, "must be 1000 to"), (-1, "must be 1000 to"), (10**15, "must be 1000 to"), ("3 MiB", _NO_SIZE),
                 (True, _NO_SIZE), (1.5, _NO_SIZE)],
    "crf": [(-1, "must be at least 0"), (64, "must be at most 63"), ("20", _NO_INTEGER), (True, _NO_INTEGER)],
    "bitrate": [(5, "must be 10000 to"), ("1Gb", "expected bits a second"), (True, "expected bits a second")],
    "quality": [("huge", "must be 'small', 'good' or 'best'"), (1, "must be 'small', 'good' or 'best'")],
    "codec": [("h265", "must be '"), (1, "must be '")],
    "fragmented": [("yes", "must be true or false"), (1, "must be true or false")],
    "qualities": [("720", "must be a list"), ([64] * 9, "at most 8 items")],
}  # fmt: skip
"""Values that no format takes for a field, and what is said about them."""


@pytest.mark.parametrize("name", KINDS)
def test_each_wrong_field_is_named(name: str, web: WebHarness) -> None:
    fields = [field for field in KINDS[name].model_fields if field != "format"]
    for number in range(max(len(WRONG[field]) for field in fields)):
        wrong = {field: WRONG[field][number % len(WRONG[field])] for field in fields}
        output = {"format": name, **{field: value for field, (value, _) in wrong.items()}}
        for begin, request in (("output", {"output": output}), ("outputs[1]", {"outputs": [{}, output]})):
            found = faults(web, "/v1/clips", **request)
            assert sorted(found) == sorted(f"{begin}.{field}" for field in fields)
            assert all(said in found[f"{begin}.{field}"] for field, (_, said) in wrong.items())


@pytest.mark.parametrize(
    ("output", "path", "said"),
    [
        ({"format": "avi"}, "", "did you mean 'wav'?"),
        ({"format": 1}, "", "the formats are mp4, mov, webm"),
        ({"format": None}, "", "the formats are mp4, mov, webm"),
        ({"container": "mpeg"}, "", "did you mean 'jpeg'?"),
        ({"name": "waveform"}, ".name", "names that begin with 'waveform' are taken by other files"),
    ],
)
def test_a_wrong_format_or_name_is_named(output: dict[str, Any], path: str, said: str, web: WebHarness) -> None:
    for begin, request in (("output", {"output": output}), ("outputs[1]", {"outputs": [{}, output]})):
        found = faults(web, "/v1/clips", **request)
        assert list(found) == [begin + path]
        assert said in found[begin + path]


def test_a_field_of_another_format_is_named_with_those_that_exist(web: WebHarness) -> None:
    every = {field for kind in KINDS.values() for field in kind.model_fields}
    for name, kind in KINDS.items():
        foreign = sorted(every - set(kind.model_fields))
        found = faults(web, "/v1/clips", output={"format": name, **dict.fromkeys(foreign, 1)})
        assert sorted(found) == [f"output.{field}" for field in foreign]
        known = f"the fields are {', '.join(kind.model_fields)}"
        assert all(known in said or "did you mean" in said for said in found.values())


# --- combinations ----------------------------------------------------------------------------------

_TWICE = "two of them have the same name"
COMBINATIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "two qualities": ({"output": {"quality": "good", "crf": 3}}, "output", "quality and crf contradict each other"),
    "two sizes": ({"output": {"bitrate": "1M", "max_size": "3MB"}}, "output", "bitrate and max_size contradict"),
    "a CRF of another codec": ({"output": {"crf": 60}}, "output.crf", "at most 51; only vp9 and av1 go up to 63"),
    "a quality of what is copied": ({"output": {"quality": "best", "precision": "instant"}}, "output.quality", "exact"),
    "a codec of what is copied": ({"output": {"codec": "av1", "precision": "keyframe"}}, "output.codec", "exact"),
    "hidden frames": ({"output": {"fragmented": True, "precision": "instant"}}, "output.fragmented", "exact or key"),
    "H.264 in WebM": ({"output": {"format": "webm", "codec": "h264"}}, "output.codec", "must be 'vp9' or 'av1'"),
    "AV1 in MOV": ({"output": {"format": "mov", "codec": "av1"}}, "output.codec", "must be 'h264' or 'hevc'"),
    "copied qualities": (
        {"output": {"format": "hls", "qualities": [720], "precision": "keyframe"}}, "output.qualities", "exact",
    ),
    "a quality of nothing": ({"output": {"format": "hls", "qualities": [720, 3]}}, "output.qualities[1]", "least 64"),
    "hidden frames in HLS": ({"output": {"format": "hls", "precision": "instant"}}, "output.precision", "must be"),
    "a still that loops": ({"output": {"format": "webp", "at": 1, "loop": 3}}, "output.loop", "a still (at) has none"),
    "a still with a rate": ({"output": {"format": "webp", "at": 1, "fps": 3}}, "output.fps", "a still (at) has none"),
    "a still with a size": ({"output": {"format": "webp", "at": 1, "max_size": "1MB"}}, "output.max_size", "a still"),
    "a wide animation": ({"output": {"format": "webp", "width": 5000}}, "output.width", "must be at most 1920"),
    "both names of the format": ({"output": {"format": "mp4", "container": "mp4"}}, "output.container", "not a field"),
    "no object": ({"output": []}, "output", "must be an object such as"),
    "an edit of what is copied": (
        {"output": {"precision": "keyframe"}, "edits": [{"edit": "scale", "width": 64}]}, "edits", "not keyframe",
    ),
    "no outputs": ({"outputs": []}, "outputs", "must have 1 or more items"),
    "fifty outputs": ({"outputs": [{"name": f"n{n}"} for n in range(50)]}, "outputs", "at most 10 items"),
    "no list": ({"outputs": {}}, "outputs", "must be a list"),
    "no object in the list": ({"outputs": [{}, 3]}, "outputs[1]", "must be an object such as"),
    "both output and outputs": ({"output": {"precision": "keyframe"}, "outputs": [{}]}, "output", "leave it out"),
    "a preset of one of several": ({"outputs": [{"preset": "phone"}]}, "outputs[0].preset", "a single output"),
    "the same name": ({"outputs": [{}, {"name": "clip"}]}, "outputs", _TWICE),
    "the same format twice": ({"outputs": [{}, {"format": "jpeg"}, {"format": "jpeg", "at": 2}]}, "outputs", _TWICE),
    "a name of HLS": (
        {"outputs": [{"format": "hls"}, {"name": "clip-720p-init"}]}, "outputs[1].name", "taken by the files of 'clip'",
    ),
    "an edit of one that is copied": (
        {"outputs": [{}, {"precision": "instant"}], "edits": [{"edit": "scale", "width": 64}]}, "edits", "not instant",
    ),
}  # fmt: skip
"""A request, the field that is named, and a part of what is said."""


@pytest.mark.parametrize("name", COMBINATIONS)
def test_a_wrong_combination_names_its_field(name: str, web: WebHarness) -> None:
    request, path, said = COMBINATIONS[name]
    for address in ("/v1/clips", "/v1/plans"):
        found = faults(web, address, **request)
        assert list(found) == [path]
        assert said in found[path]


# --- plans -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recording(pytestconfig: pytest.Config) -> Path:
    return cached_media(MediaSpec(frames=180, gop=30), Path(pytestconfig.cache.mkdir("media")))


@pytest.fixture
def media(tmp_path: Path, recording: Path, forked_cutters: None) -> Iterator[MediaHarness]:
    del forked_cutters
    made = MediaHarness(tmp_path / "data", recording)
    yield made
    made.close()


@pytest.mark.slow
def test_a_plan_tells_the_size_and_what_is_copied_of_each_output(media: MediaHarness) -> None:
    """What it tells is what the clip then has: nearly in bytes, exactly in pictures."""
    outputs = [
        {},
        {"name": "keys", "precision": "keyframe"},
        {"name": "small", "quality": "small"},
        {"format": "m4a"},
        {"format": "hls"},
        {"format": "jpeg", "at": 1, "width": 160},
    ]
    planned = media.client.post("/v1/plans", json={"source": SOURCE, "outputs": outputs}).json()
    assert media.objects() == []

    media.submit(source=SOURCE, outputs=outputs)
    media.work()
    made = media.get("/v1/clips/wave").json()["result"]["outputs"]
    told = planned["outputs"]
    assert [each["name"] for each in told] == ["clip", "keys", "small", "m4a", "hls", "jpeg"]
    assert [each["name"] for each in made] == [each["name"] for each in told]
    assert [each["format"] for each in told] == ["mp4", "mp4", "mp4", "m4a", "hls", "jpeg"]
    for plan, output in zip(told, made, strict=True):
        assert (plan["frames_copied"], plan["frames_encoded"]) == (output["frames_copied"], output["frames_encoded"])
        assert 0.7 < plan["size"] / output["size"] < 1.4, plan["name"]
    copied = {each["name"]: (each["frames_copied"], each["frames_encoded"]) for each in told}
    assert copied["keys"] == (120, 0)
    assert copied["small"] == (0, 90)
    assert copied["clip"] == copied["hls"]
    assert copied["clip"][0] >= 60
    assert planned["expected"]["size"] == sum(each["size"] for each in told)


@pytest.mark.parametrize(
    ("outputs", "reason", "said"),
    [
        ([{}, {"max_size": 2000, "name": "tiny"}], "output_impossible", "2000 bytes are too few"),
        ([{}, {"format": "jpeg", "at": 60}], "edit_impossible", "at"),
    ],
)
def test_a_plan_says_what_one_of_the_outputs_would_fail_with(
    outputs: list[dict[str, Any]], reason: str, said: str, media: MediaHarness
) -> None:
    response = media.client.post("/v1/plans", json={"source": SOURCE, "outputs": outputs})
    assert said in assert_problem(response, 422, reason)["detail"]


# --- requests that must work as they stand ---------------------------------------------------------

AS_THEY_STAND: dict[str, tuple[str, dict[str, str]]] = {
    "a small GIF": (
        """{"source": {"recording": "a.mp4", "start": 12, "end": 16},
            "output": {"format": "gif", "width": 480, "max_size": 5000000}}""",
        {"clip": "clip.gif"},
    ),
    "qualities to stream": (
        """{"source": {"recording": "a.mp4", "start": 12, "end": 42},
            "output": {"format": "hls", "qualities": [720, 360]}}""",
        {"clip": "clip.m3u8"},
    ),
    "AV1 with a maximum size": (
        """{"source": {"recording": "a.mp4", "start": 12, "end": 42},
            "output": {"format": "mp4", "codec": "av1", "max_size": "3MB"}}""",
        {"clip": "clip.mp4"},
    ),
    "several outputs": (
        """{"source": {"recording": "a.mp4", "start": 12, "end": 42},
            "outputs": [{"name": "clip", "format": "mp4"}, {"name": "sound", "format": "m4a"},
                        {"name": "still", "format": "jpeg", "at": 3.5}]}""",
        {"clip": "clip.mp4", "sound": "sound.m4a", "still": "still.jpg"},
    ),
    "the older name of the format": (
        """{"source": {"recording": "a.mp4", "start": 12, "end": 16}, "output": {"container": "mp4"}}""",
        {"clip": "clip.mp4"},
    ),
}
"""A request, and the files that come of it."""
_FRAME = Fraction(1, 5)


@pytest.fixture(scope="module")
def long_recording(pytestconfig: pytest.Config) -> Path:
    spec = MediaSpec(width=384, height=216, fps=1 / _FRAME, frames=215, gop=10)
    return cached_media(spec, Path(pytestconfig.cache.mkdir("media")))


@pytest.mark.slow
@pytest.mark.parametrize("name", AS_THEY_STAND)
def test_a_request_works_as_it_stands(name: str, tmp_path: Path, long_recording: Path, forked_cutters: None) -> None:
    del forked_cutters
    text, files = AS_THEY_STAND[name]
    request = json.loads(text)
    media = MediaHarness(tmp_path / "data", long_recording)
    shutil.copy(long_recording, tmp_path / "data" / "recordings" / "a.mp4")
    media.submit(**request)
    media.work()
    clip = media.get("/v1/clips/wave").json()
    media.close()
    assert clip["state"] == "ready", clip
    begins, ends = request["source"]["start"], request["source"]["end"]
    assert Fraction(clip["result"]["duration"]) == ends - begins
    folder = tmp_path / "data" / "clips" / "wave" / "1"
    for output, file in files.items():
        path = folder / file
        limit = {"gif": 5_000_000, "mp4": 3_000_000}.get(request.get("output", {}).get("format", ""), 1 << 40)
        assert 0 < path.stat().st_size <= limit
        if path.suffix == ".m3u8":
            path = folder / "clip-216p.m3u8"
        with av.open(str(path)) as container:
            shown = [read_counter(frame) for frame in container.decode(video=0)] if output != "sound" else []
            heard = bool(container.streams.audio)
        first = round(begins / _FRAME)
        match output, path.suffix:
            case "still", _:
                assert shown == [first + int(Fraction("3.5") / _FRAME)]
            case "sound", _:
                assert heard
            case _:
                assert shown == list(range(first, round(ends / _FRAME)))
