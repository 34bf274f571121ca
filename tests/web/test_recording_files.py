"""The files of recordings over the REST API: ranges of one version, for players."""

from __future__ import annotations

import pytest
from tests.web.harness import WebHarness, assert_problem
from tests.web.test_keys import a_key, bearer
from tests.web.test_recordings import recording

from cutback.domain.api_keys import Scope
from cutback.domain.tenants import Visible
from cutback.lifecycle.tenants import put_tenant

KEY = "north/100000000000.mp4"
ADDRESS = f"/v1/recordings/{KEY}/file"
CONTENT = bytes(range(256)) * 40


@pytest.fixture
def stocked(web: WebHarness) -> WebHarness:
    """A recording of a camera, whose file has bytes to count."""
    web.services.catalogue.put_recording(recording("north", 0))
    _write(web, KEY, CONTENT)
    return web


def _write(web: WebHarness, key: str, content: bytes) -> None:
    path = web.services.settings.data / "recordings" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_all_of_it_or_a_range_is_sent(stocked: WebHarness) -> None:
    whole = stocked.get(ADDRESS)
    assert (whole.status_code, whole.content) == (200, CONTENT)
    assert (whole.headers["content-type"], whole.headers["x-content-type-options"]) == ("video/mp4", "nosniff")
    part = stocked.get(ADDRESS, headers={"Range": "bytes=300-309"})
    assert (part.status_code, part.content) == (206, CONTENT[300:310])
    assert part.headers["content-range"] == f"bytes 300-309/{len(CONTENT)}"
    assert_problem(stocked.get(ADDRESS, headers={"Range": "bytes=99999-"}), 416, "range_not_satisfiable")
    assert stocked.get(ADDRESS, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304


def test_another_version_than_the_one_that_was_meant_is_refused(stocked: WebHarness) -> None:
    etag = stocked.get(ADDRESS).headers["etag"]
    assert stocked.get(ADDRESS, params={"version": etag}).content == CONTENT
    _write(stocked, KEY, CONTENT[::-1])
    assert_problem(stocked.get(ADDRESS, params={"version": etag}), 409, "source_changed")


def test_what_is_not_a_video_is_saved_and_never_shown(web: WebHarness) -> None:
    page = recording("north", 0).model_copy(update={"key": "north/page.html"})
    web.services.catalogue.put_recording(page)
    _write(web, page.key, b"<script>alert(1)</script>")
    answer = web.get(f"/v1/recordings/{page.key}/file")
    assert (answer.headers["content-type"], answer.headers["content-disposition"]) == (
        "application/octet-stream",
        "attachment",
    )


def test_files_that_are_not_in_the_catalogue_or_of_others_do_not_exist(stocked: WebHarness) -> None:
    _write(stocked, "north/unknown.mp4", CONTENT)
    assert_problem(stocked.get("/v1/recordings/north/unknown.mp4/file"), 404, "recording_not_found")
    assert_problem(stocked.get("/v1/recordings/..%2F..%2Fcutback.sqlite/file"), 404, "recording_not_found")
    put_tenant(stocked.services, "pipe", Visible(cameras=("pipe-*",)))
    key = bearer(a_key(stocked, Scope.READ, tenant="pipe"))
    assert_problem(stocked.get(ADDRESS, headers=key), 404, "recording_not_found")
