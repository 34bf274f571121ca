"""Previews of a few frames in H.264, from recordings that browsers cannot play, made in the real sandbox."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from tests.support.decode import decode_presented
from tests.support.media import cached_media
from tests.support.picture import read_luma_counter
from tests.support.sampling import slow_except
from tests.support.spec import MediaSpec
from tests.web.harness import assert_problem
from tests.web.media_harness import KEY, MediaHarness

from cutback.catalogue.register import register
from cutback.sandbox.cutter import ChildCutter

pytestmark = pytest.mark.usefixtures("forked_cutters")

ADDRESS = f"/v1/recordings/{KEY}/preview.mp4"

HEVC_10 = MediaSpec(
    frames=40, gop=20, codec="libx265", pix_fmt="yuv420p10le", width=800, height=450, fps=Fraction(30000, 1001)
)
INTERLACED = MediaSpec(
    frames=40, gop=20, width=720, height=576, fps=Fraction(25), codec_options={"x264-params": "tff=1"}, audio=None
)
SPECS = {
    "hevc_10_bits": HEVC_10,
    "interlaced": INTERLACED,
    "turned": MediaSpec(frames=40, gop=20, width=800, height=450, rotation=90),
    "mpeg4": MediaSpec(frames=40, gop=20, codec="mpeg4", audio=None),
    "irregular_times": MediaSpec(
        frames=40, gop=10, time_base=Fraction(1, 1000), pts=tuple(n * n * 2 + 20 * n for n in range(40)), audio=None
    ),
}


def served(folder: Path, cache: Path, spec: MediaSpec) -> Iterator[MediaHarness]:
    made = MediaHarness(folder / "data", cached_media(spec, cache))
    made.is_turned = spec.rotation != 0
    yield made
    made.close()


@pytest.fixture
def media(tmp_path: Path, pytestconfig: pytest.Config, request: pytest.FixtureRequest) -> Iterator[MediaHarness]:
    spec = getattr(request, "param", SPECS["mpeg4"])
    yield from served(tmp_path, Path(pytestconfig.cache.mkdir("media")), spec)


def begins_of(found: dict[str, Any]) -> list[Fraction]:
    begins = [Fraction(0)]
    for ticks, count in found["durations"]:
        begins += [begins[-1] + Fraction(ticks * (n + 1), found["time_scale"]) for n in range(count)]
    return begins


@pytest.mark.parametrize(
    "media",
    slow_except(SPECS.values(), HEVC_10, INTERLACED),
    ids=list(SPECS),
    indirect=True,
)
def test_a_preview_has_exactly_the_frames_around_a_moment_for_every_browser(media: MediaHarness) -> None:
    response = media.get(f"{ADDRESS}?at=19&seconds=0.9")
    assert (response.status_code, response.headers["content-type"]) == (200, "video/mp4")
    begins = begins_of(media.get(f"/v1/recordings/{KEY}/frames").json())
    expected = [number for number, begin in enumerate(begins[:-1]) if abs(begin - begins[19]) < Fraction(9, 20)]
    headers = response.headers
    assert (headers["cutback-first-frame"], headers["cutback-frames"]) == (str(expected[0]), str(len(expected)))

    shown = decode_presented(io.BytesIO(response.content), luma=True)
    turned_back = [
        np.rot90(frame.luma, -1 if media.is_turned else 0) for frame in shown.frames if frame.luma is not None
    ]
    assert [read_luma_counter(luma) for luma in turned_back] == expected
    assert [frame.time for frame in shown.frames] == [begins[number] - begins[expected[0]] for number in expected]
    with av.open(io.BytesIO(response.content), mode="r") as container:
        assert [stream.type for stream in container.streams] == ["video"]
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt, codec.profile) == ("h264", "yuv420p", "High")
        assert max(codec.width, codec.height) <= 640
        assert not any(frame.interlaced_frame for frame in container.decode(video=0))


def test_a_preview_may_be_kept_and_comes_in_ranges(media: MediaHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    version = media.get(f"/v1/recordings/{KEY}/frames").json()["version"]
    wanted = {"at": "10", "seconds": "0.5", "version": version}
    whole = media.client.get(ADDRESS, params=wanted)
    assert whole.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert media.get(f"{ADDRESS}?at=10&seconds=0.5").headers["cache-control"] == "private, no-cache"

    def fail(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(ChildCutter, "excerpt", fail)  # from here on, all comes from the cache
    etag = whole.headers["etag"]
    part = media.client.get(ADDRESS, params=wanted, headers={"Range": "bytes=10-19", "If-Range": etag})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    assert media.client.get(ADDRESS, params=wanted, headers={"If-None-Match": etag}).status_code == 304
    beyond = media.client.get(ADDRESS, params=wanted, headers={"Range": "bytes=99999999-"})
    assert_problem(beyond, 416, "range_not_satisfiable")
    assert beyond.headers["content-range"] == f"bytes */{len(whole.content)}"
    others = [
        media.client.get(ADDRESS, params={**wanted, "version": "other"}),
        media.get(f"{ADDRESS}?at=11&seconds=0.5"),
    ]
    assert [answer.status_code for answer in others] == [409, 500], "another version, another moment"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("at=40", "range_outside_recording"),
        ("at=-1", "invalid_request"),
        ("at=1.5", "invalid_request"),
        ("seconds=2", "invalid_request"),
        ("at=1&seconds=0", "invalid_request"),
        ("at=1&seconds=10.1", "invalid_request"),
        ("at=1&seconds=nan", "invalid_request"),
        ("at=1&seconds=1e-999999999", "invalid_request"),
    ],
)
def test_a_preview_that_is_impossible_is_refused(media: MediaHarness, query: str, reason: str) -> None:
    assert_problem(media.get(f"{ADDRESS}?{query}"), 422, reason)


def test_a_recording_whose_key_ends_like_the_address_of_a_preview_is_found(media: MediaHarness) -> None:
    key = "north-point/preview.mp4"
    path = media.settings.data / "recordings" / key
    path.parent.mkdir()
    path.write_bytes((media.settings.data / "recordings" / KEY).read_bytes())
    register(media.services, key, camera="north-point", start=datetime(2026, 6, 21, 8, tzinfo=UTC))
    assert media.get(f"/v1/recordings/{key}").json()["key"] == key
    assert media.get(f"/v1/recordings/{key}/preview.mp4?at=3&seconds=0.2").status_code == 200
    assert_problem(media.get(ADDRESS), 422, "invalid_request")


def test_the_ends_of_a_recording_have_previews_too(media: MediaHarness) -> None:
    def frames(answer: httpx.Response) -> tuple[str, str]:
        return answer.headers["cutback-first-frame"], answer.headers["cutback-frames"]

    assert frames(media.get(f"{ADDRESS}?at=0&seconds=1")) == ("0", "15")
    assert frames(media.get(f"{ADDRESS}?at=39&seconds=1")) == ("24", "16")


def test_previews_share_the_slots_of_the_sandbox(media: MediaHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutback.web.api.sandbox_slots._PATIENCE", 0.01)
    slots = media.app.state.sandbox_slots
    with slots.one(), slots.one():
        assert_problem(media.get(f"{ADDRESS}?at=1"), 503, "overloaded")


def test_only_recordings_of_the_catalogue_have_previews(media: MediaHarness) -> None:
    for key in ("sea.mp4", "none.mp4", "../cutback.sqlite", "%2e%2e/cutback.sqlite"):
        assert_problem(media.get_exactly(f"/v1/recordings/{key}/preview.mp4?at=1"), 404, "recording_not_found")
