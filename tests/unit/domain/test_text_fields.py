"""Fields of texts on pictures."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutback.cutting.edit_values.overlay import TextOverlay
from cutback.domain.errors import InvalidRequestError
from cutback.domain.requests.request import validate_request
from cutback.domain.text_fields import check_fields, escaped, fields_in, filled, partly_filled
from cutback.reading.edit_values import edits_of


def text_of(text: str, **fields: Any) -> str:
    source = {"recording": "a.mp4", "start": 1, "end": 9}
    request = validate_request({"source": source, "edits": [{"edit": "text", "text": text}], **fields})
    [edit] = edits_of(request.edits, request.text_field)
    assert isinstance(edit, TextOverlay)
    return edit.text


def faults(text: str, **fields: Any) -> str:
    with pytest.raises(InvalidRequestError) as refused:
        text_of(text, **fields)
    return str(refused.value)


def test_fields_of_the_request_are_filled_in_and_those_of_pictures_stay() -> None:
    labels = {"rider": "Ana {1}", "board name": "5'10"}
    made = text_of("{title}: {labels.rider}, {labels.board name} {camera} {{x}}", title="Left", labels=labels)
    assert fields_in(made) == ["camera"]
    assert filled(made, {"camera": "north"}.__getitem__) == "Left: Ana {1}, 5'10 north {x}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{camra}", "unknown field {camra}; did you mean {camera}? Write {{ and }} to show braces"),
        ("%{localtime}", "unknown field {localtime}"),
        ("{qqqqqq}", "the fields are {camera}, {date}"),
        ("{qqqqqq}", "{labels.NAME}; write {{ and }} to show braces"),
        ("{title}", "edits[0].text: {title} needs a title in the request"),
        ("{labels.rider}", "edits[0].text: {labels.rider}: the request has no such label"),
        ("{", "has a { or } that belongs to no field; write {{ or }} to show it"),
        ("a } b", "has a { or } that belongs to no field"),
        ("{camera!r}", "{camera!r} is not a field"),
        ("{date:%Y}", "{date:%Y} is not a field"),
        ("{}", "{} is not a field"),
        ("{camera.__class__}", "unknown field {camera.__class__}"),
        ("{0[secret]}", "unknown field {0[secret]}"),
    ],
)
def test_what_is_not_a_field_is_refused_by_name(text: str, said: str) -> None:
    assert said in faults(text)


@given(st.text(max_size=60))
def test_an_escaped_text_shows_itself(text: str) -> None:
    assert fields_in(escaped(text)) == []
    assert filled(escaped(text), str) == text
    assert partly_filled(escaped(text), lambda _: None) == escaped(text)


@given(st.text(alphabet="{}ab.!:[]camer", max_size=30))
def test_a_text_is_refused_or_filled_in(text: str) -> None:
    try:
        check_fields(text)
    except ValueError:
        return
    assert isinstance(filled(text, lambda field: f"<{field}>"), str)
