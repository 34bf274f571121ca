"""Cameras, recordings and coverage over the REST API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.web.harness import WebHarness, assert_problem

from cutback.adapters.sqlite.catalogue import SqliteCatalogue
from cutback.catalogue.covered_span import cover_span
from cutback.catalogue.locate import Found, Patience, locate_footage
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.requests.sources import CameraSpan
from cutback.web.api.recording_view import show_coverage

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


def recording(camera: str, minute: float, *, seconds: float = 600, **fields: Any) -> CameraRecording:
    start = TEN + timedelta(minutes=minute)
    return CameraRecording(
        key=f"{camera}/{start:%H%M%S%f}.mp4",
        etag="e", size=1, camera=camera, start=start, duration=Fraction(seconds), frame_rate=Fraction(30),
        stored_at=start + timedelta(seconds=seconds + 1), index=((0, 1),), rules="r", **fields,
    )  # fmt: skip


@pytest.fixture
def three(web: WebHarness) -> WebHarness:
    """Two recordings of one camera with a gap between them, and one of another."""
    for each in (recording("north", 0), recording("north", 30), recording("South ★/2", 0)):
        web.services.catalogue.put_recording(each)
    return web


def test_cameras_are_listed_by_name_with_their_zones(three: WebHarness) -> None:
    first = three.get("/v1/cameras?limit=1").json()
    [camera] = first["items"]
    assert (camera["name"], camera["recordings"], camera["time_zone"]) == ("South ★/2", 1, "UTC")
    second = three.get("/v1/cameras", params={"limit": 1, "cursor": first["next"]}).json()
    assert ([each["name"] for each in second["items"]], second["next"]) == (["north"], None)
    assert second["items"][0]["first"] == "2026-11-23T10:00:00.000000Z"
    assert second["items"][0]["last"] == "2026-11-23T10:40:00.000000Z"
    assert len(three.get(camera["links"]["recordings"]).json()["items"]) == 1


def test_a_camera_is_found_by_its_name_whatever_it_contains(three: WebHarness) -> None:
    assert three.get("/v1/cameras/South%20%E2%98%85%2F2").json()["name"] == "South ★/2"
    assert_problem(three.get("/v1/cameras/east"), 404, "camera_unknown")


def test_recordings_are_listed_by_start_without_internals(three: WebHarness) -> None:
    page = three.get("/v1/recordings?camera=north&limit=1").json()
    [first] = page["items"]
    assert (first["key"], first["end"]) == ("north/100000000000.mp4", "2026-11-23T10:10:00.000000Z")
    assert not {"index", "evidence", "rules", "sequencer"} & set(first)
    rest = three.get("/v1/recordings", params={"camera": "north", "cursor": page["next"]}).json()
    assert ([each["key"] for each in rest["items"]], rest["next"]) == (["north/103000000000.mp4"], None)
    assert three.get(first["self"]).json() == first


def test_recordings_of_a_span_are_those_that_overlap_it(three: WebHarness) -> None:
    found = three.get("/v1/recordings?from=2026-11-23T10:10:00Z&to=2026-11-23T11:00:00Z").json()["items"]
    assert [each["key"] for each in found] == ["north/103000000000.mp4"]


@pytest.mark.parametrize(
    "key", ["none.mp4", "north/../north/100000000000.mp4", "north%2F100000000000.mp4%00", "%0d%0a"]
)
def test_an_unknown_recording_is_not_found(three: WebHarness, key: str) -> None:
    problem = assert_problem(three.get_exactly(f"/v1/recordings/{key}"), 404, "recording_not_found")
    assert key not in problem["detail"]


@pytest.mark.parametrize(
    "address",
    [
        "/v1/recordings?cursor=x", "/v1/recordings?limit=0", "/v1/recordings?camra=north", "/v1/cameras?cursor=x",
        "/v1/coverage?camera=north", "/v1/coverage?camera=north&from=2026-11-23T10:00:00Z&to=2026-11-23T10:00:00Z",
        "/v1/coverage?camera=north&from=2026-11-23T10:00:00Z&to=2026-12-23T10:00:00Z",
        "/v1/coverage?camera=north&from=2026-11-23T10:00:00&to=2026-11-23T11:00:00",
    ],
)  # fmt: skip
def test_a_wrong_question_is_refused(three: WebHarness, address: str) -> None:
    assert_problem(three.get(address), 422, "invalid_request")


def test_coverage_has_what_is_covered_and_the_gaps(three: WebHarness) -> None:
    span = "from=2026-11-23T09:50:00Z&to=2026-11-23T10:50:00Z"
    found = three.get(f"/v1/coverage?camera=north&{span}").json()

    def periods(name: str) -> list[str]:
        return [f"{each['begins'][11:16]} {each['ends'][11:16]}" for each in found[name]]

    assert periods("covered") == ["10:00 10:10", "10:30 10:40"]
    assert periods("gaps") == ["09:50 10:00", "10:10 10:30", "10:40 10:50"]
    assert_problem(three.get(f"/v1/coverage?camera=east&{span}"), 404, "camera_unknown")


@given(
    starts=st.lists(st.integers(0, 3000), min_size=1, max_size=8, unique=True),
    lengths=st.lists(st.integers(1, 9000), min_size=8, max_size=8),
    growing=st.sampled_from([False, True]),
    where=st.fractions(0, Fraction(999, 1000)),
)
@settings(deadline=None, max_examples=60)
def test_any_moment_within_a_listed_coverage_can_be_cut(
    starts: list[int], lengths: list[int], growing: Any, where: Fraction
) -> None:
    """Whatever recordings meet, overlap, contradict each other or drift; times are tenths of seconds."""
    drift = Patience().drift
    begins, ends = TEN - timedelta(minutes=1), TEN + timedelta(minutes=30)
    with TemporaryDirectory() as folder:
        catalogue = SqliteCatalogue(Path(folder) / "c.sqlite")
        for number, start in enumerate(sorted(starts)):
            is_last = number == len(starts) - 1
            catalogue.put_recording(
                recording("north", start / 600, seconds=lengths[number] / 10, growing=growing and is_last)
            )
        shown = show_coverage("north", begins, ends, cover_span(catalogue, "north", begins, ends, drift=drift))
        assert shown["covered"]
        for period in shown["covered"]:
            first, after = (datetime.fromisoformat(period[name]) for name in ("begins", "ends"))
            moment = first + timedelta(microseconds=int((after - first) / timedelta(microseconds=1) * where))
            span = CameraSpan.model_validate({"camera": "north", "from": moment, "to": moment + timedelta(seconds=1)})
            verdict = locate_footage(span, catalogue, Patience(), asked_at=TEN, now=TEN + timedelta(days=30))
            assert isinstance(verdict, Found), (moment, verdict)
            take = verdict.coverage.takes[0]
            assert take.begins == moment
            assert 0 <= take.start <= take.recording.duration * (1 + drift)
        catalogue.close()
