"""Requests: what is accepted, how faults are reported with their paths, and the ids of equal requests."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutback.domain.errors import InvalidRequestError
from cutback.domain.requests.request import ClipRequest, parse_request, validate_request
from cutback.domain.times import FrameNumber

RANGE = {"recording": "sea.mp4", "start": 1, "end": 3}


def body(**fields: Any) -> dict[str, Any]:
    return {"source": dict(RANGE), **fields}


def ranged(**fields: Any) -> dict[str, Any]:
    return {"source": [{**RANGE, **fields}]}


def faults(content: Any) -> dict[str, str]:
    """The faults of a request that is refused, problem by path."""
    read = parse_request if isinstance(content, str | bytes) else validate_request
    with pytest.raises(InvalidRequestError) as refused:
        read(content)
    return {fault.path: fault.problem for fault in refused.value.faults}


# --- accepted --------------------------------------------------------------------------------------


def test_a_request_is_read_with_its_times_exact_and_its_defaults() -> None:
    request = parse_request('{"source": {"recording": "a/sea.mp4", "start": 0.1, "end": "00:00:02.500"}}')
    [piece] = request.source
    wanted = {"recording": "a/sea.mp4", "start": Fraction(1, 10), "end": Fraction(5, 2), "join": None}
    assert dict(piece) == wanted
    assert (request.version, request.edits, request.tags, request.labels) == ("1", (), (), {})
    assert (request.output.precision, request.output.format) == ("exact", "mp4")
    assert (request.webhook, request.expires_in) == (None, None)


def test_a_frame_and_a_time_may_bound_the_same_range() -> None:
    request = validate_request(ranged(start={"frame": 30}, end=0.5))
    assert dict(request.source[0])["start"] == FrameNumber(30)


def test_a_request_is_read_back_as_it_was_written() -> None:
    request = validate_request(
        {
            "version": "1",
            "id": "wave-17",
            "source": [dict(RANGE), {**RANGE, "start": {"frame": 3}, "end": {"frame": 9}}],
            "edits": [],
            "output": {"precision": "instant", "format": "mp4"},
            "title": "Links am Kap – 左",
            "tags": ["left", "清"],
            "labels": {"surfer": "4711"},
            "webhook": "https://example.com/hook?a=b",
            "expires_in": 60,
        }
    )
    again = parse_request(request.model_dump_json())
    assert again == request
    assert again.model_dump_json() == request.model_dump_json()


def test_a_part_may_be_an_asset_and_may_follow_by_a_crossfade() -> None:
    source = [{"asset": "intro.mp4"}, {**RANGE, "join": {"crossfade": 0.5}}, {"asset": "out.mp4", "start": 1}]
    request = validate_request({"source": source})
    assert [piece.join.crossfade if piece.join else None for piece in request.source] == [None, Fraction(1, 2), None]
    assert request.assets == ("intro.mp4", "out.mp4")
    assert [piece.recording for piece in request.ranges] == ["sea.mp4"]
    assert parse_request(request.model_dump_json()) == request


def test_a_request_without_joins_keeps_its_id() -> None:
    """Ids that were derived before there were joins stay."""
    assert validate_request({"source": RANGE}).id == "cxleglbs2gxpihzlbvy7xwibmr"


@pytest.mark.parametrize(
    ("source", "path", "problem"),
    [
        ([{**RANGE, "join": {"crossfade": 1}}], "source[0].join", "is for a part that follows another one"),
        ([RANGE, {**RANGE, "join": {"crossfade": 0}}], "source[1].join.crossfade", "must be from 0.01 to 60 seconds"),
        ([RANGE, {**RANGE, "join": {"crossfade": 61}}], "source[1].join.crossfade", "must be from 0.01 to 60 seconds"),
        ([RANGE, {**RANGE, "join": {"wipe": 1}}], "source[1].join.wipe", "is not a field"),
        ([RANGE, {"asset": "../x.mp4"}], "source[1].asset", "must be relative"),
        ([RANGE, {"asset": "x.mp4", "start": 3, "end": 2}], "source[1]", "end must be after start"),
        ([RANGE, {"asset": "x.mp4", "recording": "y.mp4"}], "source[1].recording", "is not a field"),
    ],
)
def test_a_wrong_join_is_refused_by_name(source: Any, path: str, problem: str) -> None:
    assert problem in faults({"source": source})[path]


def test_a_crossfade_needs_exact_clips() -> None:
    found = faults({"source": [RANGE, {**RANGE, "join": {"crossfade": 1}}], "output": {"precision": "keyframe"}})
    assert found["source[1].join"] == "needs the precision exact, not keyframe"


@pytest.mark.parametrize("url", ["http://localhost:8000/x", "http://127.0.0.1/", "http://[::1]:9/", "https://a.b/"])
def test_webhooks_may_be_https_or_lead_to_this_machine(url: str) -> None:
    assert validate_request(body(webhook=url)).webhook == url


# --- refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ('{"source": {}} trailing', "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("null", "must be a JSON object"),
        ('"text"', "must be a JSON object"),
        ('{"source": {"recording": "a", "start": NaN, "end": 1}}', "NaN is not a JSON number"),
        ('{"source": {"recording": "a", "start": 0, "end": Infinity}}', "Infinity is not a JSON number"),
        ('{"source": {"recording": "a", "start": -Infinity, "end": 1}}', "-Infinity is not a JSON number"),
        ('{"id": "a", "id": "b"}', "'id' appears twice"),
        ('{"source": {"recording": "a", "start": 0, "start": 1, "end": 2}}', "'start' appears twice"),
        ('{"labels": {"a": "1", "\\u0061": "2"}}', "'a' appears twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"expires_in": ' + "9" * 5000 + "}", "more than 100 digits"),
        (b"\xff\xfe\x00", "not "),
        (b'{"title": "\xff"}', "not UTF-8"),
        (" " * (1024 * 1024 + 1), "larger than"),
    ],
)
def test_text_that_is_not_strict_json_is_refused(text: str | bytes, problem: str) -> None:
    found = faults(text)
    assert list(found) == [""]
    assert problem in found[""]


@pytest.mark.parametrize(
    ("content", "path", "problem"),
    [
        ({}, "source", "is missing"),
        (body(sauce=1), "sauce", "is not a field; did you mean 'source'?"),
        (body(version="2"), "version", "'1'"),
        (body(version=1), "version", "'1'"),
        (body(id=""), "id", "pattern"),
        (body(id="-a"), "id", "pattern"),
        (body(id="a/b"), "id", "pattern"),
        (body(id="a\n"), "id", "pattern"),
        (body(id="a" * 129), "id", "pattern"),
        (body(id=7), "id", "string"),
        ({"source": []}, "source", "1 or more items"),
        ({"source": [dict(RANGE)] * 101}, "source", "at most 100"),
        ({"source": [dict(RANGE)] * 1000}, "source", "at most 100"),
        ({"source": [dict(RANGE)] * 8000}, "", "more than 5000 values"),
        (ranged(start=-1), "source[0].start", "must not be negative"),
        (ranged(end=None), "source[0].end", "expected seconds"),
        (ranged(start=3), "source[0]", "end must be after start"),
        (ranged(start="00:00:04"), "source[0]", "end must be after start"),
        (ranged(start={"frame": 5}, end={"frame": 5}), "source[0]", "end must be after start"),
        (ranged(end=1e300), "source[0].end", "is too large or too small"),
        (ranged(recording=""), "source[0].recording", "1 to 1024 bytes"),
        (ranged(recording="/etc/passwd"), "source[0].recording", "must be relative"),
        (ranged(recording="a/../../b"), "source[0].recording", "must be relative"),
        (ranged(recording=".."), "source[0].recording", "must be relative"),
        (ranged(recording="a/./b"), "source[0].recording", "must be relative"),
        (ranged(recording="a//b"), "source[0].recording", "must be relative"),
        (ranged(recording="a\\..\\b"), "source[0].recording", "backslash"),
        (ranged(recording="a\0b"), "source[0].recording", "control characters"),
        (ranged(recording="a\nb"), "source[0].recording", "control characters"),
        (ranged(recording="a\x85b"), "source[0].recording", "control characters"),
        (ranged(recording="a\ud800b"), "source[0].recording", "control characters"),
        (ranged(recording="波" * 342), "source[0].recording", "1 to 1024 bytes"),
        (body(edits=[{"edit": "slow"}]), "edits[0]", "unknown edit 'slow'"),
        (body(edits={"edit": "mute"}), "edits", "must be a list"),
        (body(edits=["mute"]), "edits[0]", "must be an object"),
        (body(output={"precision": "fast"}), "output.precision", "'exact', 'keyframe' or 'instant'"),
        (body(output={"format": "avi"}), "output", "unknown format 'avi'"),
        (body(output={"container": "mp"}), "output", "did you mean 'mp4'?"),
        (body(output={"format": "mp4", "container": "mp4"}), "output.container", "is not a field"),
        (body(output="mp4"), "output", "must be an object"),
        (body(title="a\x00b"), "title", "control characters"),
        (body(title="a" * 201), "title", "at most 200"),
        (body(tags=["a", ""]), "tags[1]", "1 or more characters"),
        (body(tags=["t"] * 51), "tags", "at most 50"),
        (body(labels={"a": 1}), "labels.a", "string"),
        (body(labels={str(number): "" for number in range(51)}), "labels", "at most 50"),
        (body(webhook="http://example.com/"), "webhook", "must be an https://"),
        (body(webhook="ftp://example.com/"), "webhook", "must be an https:// URL"),
        (body(webhook="https://user:secret@example.com/"), "webhook", "user name or password"),
        (body(webhook="https://[::1/"), "webhook", "is not a URL"),
        (body(webhook="https://example.com/a b"), "webhook", "no spaces"),
        (body(webhook="https://b\u00fccher.example/"), "webhook", "only ASCII"),
        (body(webhook="https://example.com/\u6ce2"), "webhook", "only ASCII"),
        (body(webhook="https://" + "a" * 64 + ".example/"), "webhook", "neither a name nor an address"),
        (body(webhook="https://" + "a." * 130 + "example/"), "webhook", "neither a name nor an address"),
        (body(webhook="https://a..b/"), "webhook", "neither a name nor an address"),
        (body(webhook="https://a%2eb/"), "webhook", "neither a name nor an address"),
        (body(webhook="https://a.b:99999/"), "webhook", "is not a URL"),
        (body(webhook="https://a.b/\r\nX: y"), "webhook", "control characters"),
        (body(expires_in=59), "expires_in", "60"),
        (body(chapters="jumps"), "chapters", "'joins'"),
        (body(chapters=7), "chapters", "must be a list"),
        (body(chapters=[{"at": 1}]), "chapters[0].title", "is missing"),
        (body(chapters=[{"at": "soon", "title": "a"}]), "chapters[0].at", "expected seconds of the clip"),
        (body(chapters=[{"at": 1, "title": ""}]), "chapters[0].title", "1 or more characters"),
        (body(chapters=[{"at": 1, "title": " "}]), "chapters[0].title", "must not be blank"),
        (body(chapters=[{"at": 1, "title": "a\nb"}]), "chapters[0].title", "control characters"),
        (body(chapters=[{"at": 1, "title": "波" * 86}]), "chapters[0].title", "at most 255 bytes in UTF-8"),
        (body(chapters=[{"at": 1, "title": "a", "end": 2}]), "chapters[0].end", "is not a field"),
        (body(chapters=[{"at": 1, "title": "a"}] * 256), "chapters", "at most 255"),
        (body(expires_in="3600"), "expires_in", "integer"),
        (body(expires_in=3600.5), "expires_in", "integer"),
    ],
)
def test_a_wrong_field_is_reported_with_its_path_and_what_is_expected(
    content: dict[str, Any], path: str, problem: str
) -> None:
    found = faults(content)
    assert path in found, found
    assert problem in found[path]


def test_every_fault_is_named_at_once() -> None:
    found = faults(
        {
            "source": [dict(RANGE), {"recording": "../x", "start": -1, "end": "soon", "colour": 1}],
            "title": "\x07",
            "sauce": 1,
            "expires_in": 1,
        }
    )
    assert set(found) == {
        "source[1].recording",
        "source[1].start",
        "source[1].end",
        "source[1].colour",
        "title",
        "sauce",
        "expires_in",
    }


def test_a_fault_shows_no_control_characters_and_stays_short() -> None:
    [path] = faults(body(**{"a\x1b[31m" + "b" * 1000: 1}))
    assert path.isprintable()
    assert len(path) <= 64


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from([*ClipRequest.model_fields, "recording", "start", "end", "frame", "type", "x"])
near_requests = st.dictionaries(fields, json_values | st.just(dict(RANGE)), max_size=6) | st.builds(
    lambda changes: {"source": [{**RANGE, **changes}]}, st.dictionaries(fields, json_values, max_size=3)
)


@settings(max_examples=300)
@given(near_requests | json_values)
def test_any_json_is_a_request_or_refused_with_its_faults(content: object) -> None:
    text = json.dumps(content)
    try:
        request = parse_request(text)
    except InvalidRequestError:
        assert faults(text)
    else:
        assert parse_request(request.model_dump_json()) == request


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_are_refused_without_a_crash(message: str | bytes) -> None:
    assert faults(message)


# --- ids -------------------------------------------------------------------------------------------


def test_a_derived_id_is_that_of_the_content_and_may_itself_be_given() -> None:
    request = validate_request(body(title="波"))
    assert len(request.id) == 26
    assert request.id.isalnum()
    assert request.id == request.id.lower()
    assert validate_request({**body(title="波"), "id": request.id}).id == request.id


@pytest.mark.parametrize(
    "text",
    [
        '{"source": {"recording": "sea.mp4", "start": 1, "end": 3}}',
        '{"source": [{"end": 3.0, "start": "1.000", "recording": "sea.mp4"}]}',
        '{"source": {"recording": "sea.mp4", "start": "00:00:01", "end": "0:03"}, "edits": [], "title": ""}',
        '{"version": "1", "output": {"precision": "exact"}, "source": {"recording":"sea.mp4","start":1e0,"end":3}}',
        '{"source": {"recording": "sea\\u002emp4", "start": 1, "end": 3}, "webhook": null, "labels": {}}',
    ],
)
def test_equal_requests_have_equal_ids_in_every_form(text: str) -> None:
    assert parse_request(text).id == validate_request(body()).id


@pytest.mark.parametrize(
    "other",
    [
        ranged(end="3.000000000001"),
        ranged(recording="Sea.mp4"),
        ranged(start={"frame": 1}, end={"frame": 3}),
        {"source": [dict(RANGE)] * 2},
        body(output={"precision": "keyframe"}),
        body(title="x"),
        body(tags=["x"]),
        body(labels={"x": ""}),
        body(webhook="https://example.com/"),
        body(expires_in=60),
    ],
)
def test_different_requests_have_different_ids(other: dict[str, Any]) -> None:
    assert validate_request(other).id != validate_request(body()).id


def test_the_order_of_ranges_and_of_tags_is_part_of_the_request() -> None:
    first, second = dict(RANGE), {**RANGE, "start": 2}
    assert validate_request({"source": [first, second]}).id != validate_request({"source": [second, first]}).id
    assert validate_request(body(tags=["a", "b"])).id != validate_request(body(tags=["b", "a"])).id
    assert (
        validate_request(body(labels={"a": "1", "b": "2"})).id == validate_request(body(labels={"b": "2", "a": "1"})).id
    )


def test_chapters_are_at_joins_unless_the_request_names_them_or_wants_none() -> None:
    plain = parse_request(json.dumps(body()))
    assert plain.chapters == "joins"
    assert "chapters" not in plain.model_dump(mode="json")
    assert parse_request(json.dumps(body(chapters="joins"))).id == plain.id
    none = parse_request(json.dumps(body(chapters=[])))
    assert none.chapters == ()
    given = [{"at": 1.5, "title": "Left"}, {"at": "-2", "title": "Out"}, {"at": {"finished": 3}, "title": "Late"}]
    named = parse_request(json.dumps(body(chapters=given)))
    assert len({plain.id, none.id, named.id}) == 3
    assert parse_request(named.model_dump_json()) == named
