"""Assets over the REST API: which there are, and their files."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.web.harness import WebHarness, assert_problem
from tests.web.test_keys import a_key, bearer

from cutback.domain.api_keys import Scope
from cutback.domain.tenants import Visible
from cutback.lifecycle.tenants import put_tenant

LOGO = b"\x89PNG and so on" * 100


def folder(web: WebHarness) -> Path:
    return Path(web.services.assets.url)


@pytest.fixture
def stocked(web: WebHarness) -> WebHarness:
    for name, content in {
        "logo.png": LOGO,
        "sound/sea.mp3": b"sound",
        "pipe/own.webp": b"theirs",
        "page.html": b"<script>",
    }.items():
        path = folder(web) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return web


def names(web: WebHarness, **headers: str) -> list[str]:
    return [each["name"] for each in web.get("/v1/assets", headers=headers).json()["items"]]


def test_assets_are_listed_by_the_names_that_edits_use(stocked: WebHarness) -> None:
    assert names(stocked) == ["logo.png", "page.html", "pipe/own.webp", "sound/sea.mp3"]
    assert stocked.get("/v1/assets").json()["items"][0]["size"] == len(LOGO)


def test_without_assets_the_list_is_empty(web: WebHarness) -> None:
    assert names(web) == []


def test_a_picture_or_a_range_of_it_is_sent(stocked: WebHarness) -> None:
    answer = stocked.get("/v1/assets/logo.png/file")
    assert (answer.status_code, answer.content) == (200, LOGO)
    assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == ("image/png", "nosniff")
    assert stocked.get("/v1/assets/logo.png/file", headers={"Range": "bytes=1-3"}).content == LOGO[1:4]
    assert stocked.get("/v1/assets/sound/sea.mp3/file").headers["content-type"] == "audio/mpeg"
    assert_problem(
        stocked.get("/v1/assets/logo.png/file", headers={"Range": "bytes=99999-"}), 416, "range_not_satisfiable"
    )


def test_what_browsers_would_show_as_a_page_is_saved(stocked: WebHarness) -> None:
    answer = stocked.get("/v1/assets/page.html/file")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"


def test_other_files_are_not_assets(stocked: WebHarness) -> None:
    assert_problem(stocked.get("/v1/assets/none.png/file"), 404, "asset_not_found")
    (folder(stocked) / "out.png").symlink_to(stocked.settings.data / "cutback.sqlite")
    assert_problem(stocked.get("/v1/assets/out.png/file"), 404, "asset_not_found")
    assert "out.png" not in names(stocked)
    outside = stocked.get_exactly("/v1/assets/..%2Fcutback.sqlite/file")
    assert outside.status_code in {404, 422}
    assert b"SQLite" not in outside.content


def test_a_tenant_sees_the_assets_of_its_folder_only(stocked: WebHarness) -> None:
    put_tenant(stocked.services, "pipe", Visible(cameras=("pipe-*",)))
    key = bearer(a_key(stocked, Scope.READ, tenant="pipe"))
    assert names(stocked, **key) == ["own.webp"]
    assert stocked.get("/v1/assets/own.webp/file", headers=key).content == b"theirs"
    assert_problem(stocked.get("/v1/assets/logo.png/file", headers=key), 404, "asset_not_found")
    put_tenant(stocked.services, "empty", Visible(cameras=("x",)))
    assert names(stocked, **bearer(a_key(stocked, Scope.READ, tenant="empty"))) == []
