"""Tenants see and change their own clips, recordings and cameras only; everything else does not exist for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.web.harness import WebHarness, assert_problem
from tests.web.test_keys import a_key, a_tenant, bearer
from tests.web.test_recordings import recording

from cutback.domain.api_keys import Scope
from cutback.domain.tenants import Visible
from cutback.lifecycle import tenants

REQUEST = {"id": "wave", "source": {"recording": "pipe/sea.mp4", "start": 1, "end": 3}}
MEDIA = "/v1/media/pipe.wave/1/clip.mp4"


@pytest.fixture
def keys(web: WebHarness) -> dict[str, dict[str, str]]:
    """The header of a key of each tenant, and of the installation (`""`). Recordings of two cameras exist."""
    folder = web.settings.data / "recordings" / "pipe"
    folder.mkdir()
    (folder / "sea.mp4").write_bytes(b"bytes of a recording " * 1000)
    for camera in ("pipe-1", "reef-1"):
        web.services.catalogue.put_recording(recording(camera, 0))
    return {"": bearer(a_key(web))} | {
        name: bearer(a_key(web, tenant=a_tenant(web, name))) for name in ("pipe", "reef")
    }


@pytest.fixture
def call(web: WebHarness, keys: dict[str, dict[str, str]]) -> Callable[..., httpx.Response]:
    """Sends a request as a tenant."""

    def send(tenant: str, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        response: httpx.Response = web.client.request(method, path, json=json, headers=keys[tenant] | headers)
        return response

    return send


Call = Callable[..., httpx.Response]


def test_two_tenants_have_clips_of_one_id(web: WebHarness, call: Call) -> None:
    mine = call("pipe", "POST", "/v1/clips", REQUEST)
    other = {**REQUEST, "source": {"recording": "reef/sea.mp4", "start": 1, "end": 2}}
    theirs = call("reef", "POST", "/v1/clips", other)
    assert (mine.status_code, theirs.status_code) == (202, 202)
    assert (mine.json()["id"], mine.json()["tenant"], theirs.json()["tenant"]) == ("wave", "pipe", "reef")
    assert call("pipe", "POST", "/v1/clips", REQUEST).status_code == 200
    web.work()
    shown = call("pipe", "GET", "/v1/clips/wave").json()
    assert shown["self"].endswith("/v1/clips/wave")
    assert shown["media"]["clip"].endswith(MEDIA)
    assert call("pipe", "GET", shown["media"]["clip"]).status_code == 200
    assert [each["tenant"] for each in call("pipe", "GET", "/v1/clips").json()["items"]] == ["pipe"]


def test_the_installation_sees_the_clips_of_every_tenant(web: WebHarness, call: Call) -> None:
    call("pipe", "POST", "/v1/clips", REQUEST)
    web.work()
    [shown] = call("", "GET", "/v1/clips").json()["items"]
    assert shown["self"].endswith("/v1/clips/pipe.wave")
    assert call("", "GET", shown["self"]).json()["id"] == "wave"
    assert call("", "GET", shown["media"]["clip"]).status_code == 200
    assert_problem(call("", "GET", "/v1/clips/wave"), 404, "clip_not_found")


@pytest.mark.parametrize(
    ("method", "path", "reason"),
    [
        ("GET", "/v1/clips/wave", "clip_not_found"),
        ("GET", "/v1/clips/pipe.wave", "clip_not_found"),
        ("GET", "/v1/clips/reef.pipe.wave", "clip_not_found"),
        ("PATCH", "/v1/clips/pipe.wave", "clip_not_found"),
        ("POST", "/v1/clips/pipe.wave/cancel", "clip_not_found"),
        ("POST", "/v1/clips/pipe.wave/retry", "clip_not_found"),
        ("POST", "/v1/clips/pipe.wave/restore", "clip_not_found"),
        ("DELETE", "/v1/clips/pipe.wave", "clip_not_found"),
        ("GET", MEDIA, "not_found"),
        ("GET", "/v1/recordings/pipe-1/100000000000.mp4", "recording_not_found"),
        ("GET", "/v1/recordings/pipe-1/100000000000.mp4/frames", "recording_not_found"),
        ("GET", "/v1/recordings/pipe-1/100000000000.mp4/frames/1.jpg", "recording_not_found"),
        ("GET", "/v1/recordings/pipe-1/100000000000.mp4/preview.mp4?at=1", "recording_not_found"),
        ("GET", "/v1/cameras/pipe-1", "camera_unknown"),
        ("GET", "/v1/coverage?camera=pipe-1&from=2026-11-23T10:00:00Z&to=2026-11-23T11:00:00Z", "camera_unknown"),
    ],
)
def test_what_belongs_to_another_tenant_does_not_exist(
    web: WebHarness, call: Call, method: str, path: str, reason: str
) -> None:
    call("pipe", "POST", "/v1/clips", REQUEST)
    web.work()
    before = web.clip("pipe.wave")
    answer = call("reef", method, path, {} if method == "PATCH" else None, **{"If-Match": "*"})
    theirs = assert_problem(answer, 404, reason)
    assert web.clip("pipe.wave") == before
    unknown = path.replace("pipe", "none").replace("wave", "none")
    same = assert_problem(
        call("reef", method, unknown, {} if method == "PATCH" else None, **{"If-Match": "*"}), 404, reason
    )
    assert set(theirs) == set(same)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"recording": "pipe/sea.mp4", "start": 1, "end": 2}, "recording_not_found"),
        ({"camera": "pipe-1", "from": "2026-11-23T10:00:00Z", "to": "+5s"}, "camera_unknown"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/clips", "/v1/plans"])
def test_nothing_can_be_cut_from_what_belongs_to_another_tenant(
    call: Call, source: dict[str, Any], reason: str, path: str
) -> None:
    assert_problem(call("reef", "POST", path, {"source": source}), 404, reason)


@pytest.mark.parametrize(
    ("inset", "reason"),
    [({"recording": "pipe/sea.mp4"}, "recording_not_found"), ({"camera": "pipe-1"}, "camera_unknown")],
)
@pytest.mark.parametrize("path", ["/v1/clips", "/v1/plans"])
def test_nothing_can_be_inset_from_what_belongs_to_another_tenant(
    call: Call, inset: dict[str, Any], reason: str, path: str
) -> None:
    source = {"camera": "reef-1", "from": "2026-11-23T10:00:00Z", "to": "+5s"}
    wanted = {"source": source, "edits": [{"edit": "inset", **inset}]}
    assert_problem(call("reef", "POST", path, wanted), 404, reason)


def test_lists_have_only_what_the_tenant_sees(call: Call) -> None:
    cameras = call("pipe", "GET", "/v1/cameras").json()["items"]
    recordings = call("pipe", "GET", "/v1/recordings").json()["items"]
    assert ([each["name"] for each in cameras], [each["camera"] for each in recordings]) == (["pipe-1"], ["pipe-1"])
    assert len(call("", "GET", "/v1/cameras").json()["items"]) == 2


def test_a_request_cannot_name_its_tenant(call: Call) -> None:
    assert_problem(call("reef", "POST", "/v1/clips", {**REQUEST, "tenant": "pipe"}), 422, "invalid_request")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/clips"), ("PATCH", "/v1/clips/x"), ("DELETE", "/v1/clips/x"), ("POST", "/v1/clips/x/cancel"),
     ("POST", "/v1/clips/x/retry"), ("POST", "/v1/clips/x/restore")],
)  # fmt: skip
def test_a_key_that_may_only_read_changes_nothing(web: WebHarness, method: str, path: str) -> None:
    headers = bearer(a_key(web, Scope.READ))
    assert_problem(web.client.request(method, path, json=REQUEST, headers=headers), 403, "forbidden")


@pytest.mark.parametrize("path", ["/v1/clips", "/v1/plans"])
def test_a_tenant_cuts_recordings_that_it_sees_by_their_camera_alone(web: WebHarness, path: str) -> None:
    tenants.put_tenant(web.services, "club", Visible(cameras=("north",)))
    mine = bearer(a_key(web, tenant="club"))
    web.services.catalogue.put_recording(recording("north", 0).model_copy(update={"key": "sea.mp4"}))
    web.services.catalogue.put_recording(recording("reef-1", 0))
    seen, other = {"recording": "sea.mp4", "start": 1, "end": 2}, recording("reef-1", 0).key
    assert web.get("/v1/recordings/sea.mp4", headers=mine).status_code == 200
    answer = web.client.post(path, json={"source": seen}, headers=mine)
    assert answer.status_code < 500
    assert answer.json().get("reason") != "recording_not_found"
    for foreign in (other, "unknown.mp4"):
        for wanted in ({"source": {**seen, "recording": foreign}},
                       {"source": seen, "edits": [{"edit": "inset", "recording": foreign}]}):  # fmt: skip
            assert_problem(web.client.post(path, json=wanted, headers=mine), 404, "recording_not_found")
