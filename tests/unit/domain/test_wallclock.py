"""Wall-clock times and camera spans, as requests write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutback.domain.cameras.local_time import Zones
from cutback.domain.errors import InvalidRequestError
from cutback.domain.requests.batch import requests_in, single_requests
from cutback.domain.requests.request import ClipRequest, parse_request, validate_request
from cutback.domain.requests.rules import RequestRules
from cutback.domain.wallclock import millis, parse_moment

MOMENT = datetime(2026, 6, 21, 10, 3, 12, 480000, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-06-21T10:03:12.480Z",
        "2026-06-21t10:03:12.48z",
        "2026-06-21T12:03:12.480+02:00",
        "2026-06-21 10:03:12.480000999Z",
        1782036192480,
        Decimal(1782036192480),
    ],
)
def test_a_moment_is_exact_in_every_form(value: str | int | Decimal) -> None:
    assert parse_moment(value) == MOMENT


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("2026-06-21T10:03:12", "offset"),
        (1782036192, "seconds since 1970"),
        ("yesterday", "expected"),
        ("2026-02-30T10:03:12Z", "valid date"),
        ("0001-01-01T00:00:00+14:00", "year 1;"),
        (True, "expected"),
        (None, "expected"),
        (-1, "expected|year"),
        (Decimal("1e400"), "expected"),
        (10**30, "expected"),
        ({"frame": 1}, "expected"),
    ],
)
def test_other_values_are_refused_with_what_is_expected(value: object, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        parse_moment(value)


@given(st.integers(10**11 * 7, 10**11 * 70))
def test_milliseconds_come_back_as_they_were(value: int) -> None:
    assert value == millis(parse_moment(value))


def camera(**fields: object) -> ClipRequest:
    return validate_request({"source": {"camera": "north", **fields}})


def test_around_a_moment_is_the_same_request_as_from_and_to() -> None:
    around = camera(at="2026-06-21T10:03:12.480Z", before=5, after="00:00:02.500")
    plain = camera(**{"from": "2026-06-21T10:03:07.480Z", "to": "2026-06-21T12:03:14.980+02:00"})
    assert plain == around
    assert plain.id == around.id


def test_a_request_by_camera_survives_its_own_json() -> None:
    request = camera(**{"from": 1782036192480, "to": 1782036221900}, gaps="freeze")
    assert request == parse_request(request.model_dump_json())


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"from": 1782036192480}, "source[0].to"),
        ({"from": 1782036192480, "to": 1782036192480}, "source[0].to"),
        ({"from": 1782036192480, "to": 1782036192480 + 90_000_000}, "source[0].to"),
        ({"from": 1782036192480, "to": 1782036192481, "gaps": "loop"}, "source[0].gaps"),
        ({"at": 1782036192480}, "source[0]"),
        ({"before": 1, "after": 1}, "source[0]"),
        ({"at": 1782036192480, "before": -1, "after": 1}, "source[0]"),
        ({"at": 1782036192480, "before": 1, "from": 1782036192480, "to": 1782036192481}, "source[0]"),
        ({"from": 1782036192480, "to": 1782036192481, "camera": ""}, "source[0].camera"),
        ({"from": 1782036192480, "to": 1782036192481, "camera": "a\n"}, "source[0].camera"),
        ({"from": 1782036192480, "to": 1782036192481, "start": 1}, "source[0].start"),
    ],
)
def test_a_wrong_span_is_refused_by_its_path(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        camera(**fields)
    assert path in [fault.path for fault in refused.value.faults]


ZONES = Zones.parse("Europe/Lisbon,bells-*=Australia/Melbourne")
RULES = RequestRules(ZONES)


@pytest.mark.parametrize(
    "fields",
    [
        {"from": "2026-06-21T11:03:12.480", "to": "2026-06-21 11:03:14.480"},
        {"from": "2026-06-21T11:03:12.480", "to": "+2"},
        {"at": "2026-06-21T11:03:13.480", "before": 1, "after": 1},
        {"from": "2026-06-21T11:03:12.480", "to": "2026-06-21T10:03:14.480Z"},
    ],
)
def test_moments_without_an_offset_are_on_the_cameras_clock(fields: dict[str, object]) -> None:
    local = validate_request({"source": {"camera": "north", **fields}}, RULES)
    exact = camera(**{"from": "2026-06-21T10:03:12.480Z", "to": "2026-06-21T10:03:14.480Z"})
    assert exact == local
    assert exact.id == local.id, "the id is that of the moments, however they are written"
    assert local == parse_request(local.model_dump_json()), "the record needs no zones"


def test_each_camera_of_a_batch_has_its_own_clock_also_in_a_dead_letter() -> None:
    span = {"camera": ["north", "bells-1"], "from": "2026-06-21T23:59", "to": "2026-06-22T00:01"}
    body = json.dumps({"source": span})
    found = [validate_request(each, RULES).spans[0] for each in single_requests(json.loads(body))]
    assert [each.start.astimezone(UTC) for each in found] == [
        datetime(2026, 6, 21, 22, 59, tzinfo=UTC),
        datetime(2026, 6, 21, 13, 59, tzinfo=UTC),
    ]
    assert [(each.end - each.start).total_seconds() for each in found] == [120, 120]
    assert [request.spans[0] for request in requests_in(body, RULES)] == found
    assert requests_in(body) == [], "without zones they are not guessed"


@pytest.mark.parametrize(
    ("moment", "hint"),
    [
        ("2026-10-25T01:30:00", "source.0..from: occurs twice in Europe/Lisbon.*01:30:00.01:00 or .*01:30:00.00:00"),
        ("2026-03-29T01:30:00", "source.0..from: does not exist in Europe/Lisbon"),
        ("2026-02-30T01:30:00", "source.0..from: is not a valid date"),
        ("0001-01-01T00:00:00", "source.0..from: is in the year 1"),
        ("10:03", "source.0..from: expected a moment"),
    ],
)
def test_a_moment_that_the_cameras_clock_does_not_show_once_is_refused(moment: str, hint: str) -> None:
    with pytest.raises(InvalidRequestError, match=hint):
        validate_request({"source": {"camera": "north", "from": moment, "to": 1782036192480}}, RULES)


def test_a_moment_without_an_offset_is_refused_where_no_zone_is_known() -> None:
    with pytest.raises(InvalidRequestError, match=r"source\[0\].from: needs an offset from UTC, such as Z or"):
        camera(**{"from": "2026-06-21T11:03:12", "to": 1782036192480})
