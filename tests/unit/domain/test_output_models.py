"""Outputs that are no video: their fields, and which types their files have."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, get_args

import pytest

from cutback.cutting.job import JobOutput
from cutback.cutting.output_values import FORMATS
from cutback.domain.errors import InvalidRequestError
from cutback.domain.media_types import UNKNOWN, media_type_of
from cutback.domain.requests.outputs.known import KINDS
from cutback.domain.requests.request import ClipRequest, validate_request
from cutback.domain.times import FromEnd
from cutback.reading.output_values import outputs_of


def request(**output: Any) -> ClipRequest:
    """A request with an output."""
    return validate_request({"source": {"recording": "a.mp4", "start": 1, "end": 4}, "output": output})


def output_of(made: ClipRequest) -> JobOutput:
    """The only output of the job."""
    [output] = outputs_of(made.wanted_outputs)
    return output


def test_every_format_has_a_model_and_a_value() -> None:
    assert list(KINDS) == list(FORMATS)


@pytest.mark.parametrize("kind", KINDS.values())
def test_files_are_served_with_a_type(kind: Any) -> None:
    assert media_type_of(f"clip{kind.extension}") != UNKNOWN


@pytest.mark.parametrize("name", KINDS)
def test_the_only_required_field_is_the_format(name: str) -> None:
    made = output_of(request(format=name))
    assert (made.name, type(made.value), made.precision) == ("clip", FORMATS[name], "exact")


def test_a_still_has_a_moment_and_a_width() -> None:
    value: Any = output_of(request(format="jpeg", at="3.5", width=640)).value
    assert (value.at, value.width) == (Fraction("3.5"), 640)
    last: Any = output_of(request(format="png", at=-2)).value
    assert last.at == FromEnd(Fraction(2))


_VALUES: dict[str, Any] = {
    "name": "one",
    "preset": "phone",
    "at": 1,
    "width": 64,
    "fps": 5,
    "loop": 2,
    "max_size": "1MB",
    "crf": 20,
    "bitrate": "1M",
    "qualities": (240,),
}
"""Of the fields that any format may have; those with few choices are tried with each."""


def _choices(annotation: Any) -> list[Any]:
    parts = get_args(annotation)
    return [value for part in parts for value in (get_args(part) or [part]) if value is not type(None)]


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind in KINDS.values() for field in kind.model_fields])
def test_a_record_reads_what_it_wrote(kind: Any, field: str) -> None:
    """The record of a clip holds every field, also those that the request left out."""
    for value in [_VALUES[field]] if field in _VALUES else _choices(kind.model_fields[field].annotation):
        made = kind.model_validate({field: value})
        assert kind.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        ({"format": "mp3", "precision": "keyframe"}, "output.precision"),
        ({"format": "jpeg", "precision": "instant"}, "output.precision"),
        ({"format": "jpeg", "at": "soon"}, "output.at"),
        ({"format": "jpeg", "width": 0}, "output.width"),
        ({"format": "mp3", "at": 3}, "output.at"),
        ({"format": "mp4", "width": 640}, "output.width"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(output: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        request(**output)
    assert fault in [each.path for each in refused.value.faults]
