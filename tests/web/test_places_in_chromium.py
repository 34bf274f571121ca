"""The library, the clips and the status in a real browser, on the real program with a real worker."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from tests.support.browser import chromium
from tests.support.media import cached_media
from tests.support.spec import MediaSpec
from tests.web.api_process import api_process
from tests.web.test_pages_in_chromium import MILLISECONDS, Installation

pytestmark = pytest.mark.slow

RECORDINGS = {
    "north-point.2026-06-21T05-30-00Z.mp4": MediaSpec(frames=150, gop=30),
    "south-point.2026-06-21T05-30-00Z.mp4": MediaSpec(frames=120, gop=30),
}
KEY = next(iter(RECORDINGS))
SPAN = "from=2026-06-21T05:29:50.000Z&to=2026-06-21T05:30:10.000Z"


@pytest.fixture(scope="module")
def recording(pytestconfig: pytest.Config) -> Path:
    return cached_media(RECORDINGS[KEY], Path(pytestconfig.cache.mkdir("media")))


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("places")
    recordings = folder / "cutback-data" / "recordings"
    recordings.mkdir(parents=True)
    for key, spec in RECORDINGS.items():
        shutil.copy(cached_media(spec, Path(pytestconfig.cache.mkdir("media"))), recordings / key)
    with api_process(folder, listen="127.0.0.1:0") as api:
        assert api.shell.run("scan")[0] == 0
        api.shell.start("worker")
        with chromium(api.url) as page:
            page.set_default_timeout(MILLISECONDS)
            yield Installation(api, page)


@pytest.fixture
def place(installation: Installation) -> Iterator[Installation]:
    """The browser with a page of its own; the test fails if the page complains."""
    before = installation.page
    context = before.context.browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(MILLISECONDS)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda answer: complaints.append(answer.url) if answer.status >= 400 else None)
    yield Installation(installation.api, page, complaints)
    context.close()
    assert complaints == []


def requests_of(page: Any) -> list[str]:
    """The paths that the page requests from now on."""
    paths: list[str] = []
    page.on("request", lambda request: paths.append(request.url.partition("://")[2].partition("/")[2]))
    return paths


def test_an_upload_without_a_camera_is_asked_about_and_then_listed(
    place: Installation, recording: Path, tmp_path: Path
) -> None:
    file = tmp_path / "surf session.mp4"
    shutil.copy(recording, file)
    place.open("/recordings")
    place.page.set_input_files("input[type=file]", file)
    camera = place.page.wait_for_selector(".sending input[name=camera]")
    assert camera.input_value() == "uploads"
    camera.fill("my phone")
    place.page.fill(".sending input[name=start]", "2026-06-22T08:15:00")
    place.page.click(".sending button:text('Upload')")
    place.page.wait_for_selector(".wall .tile:has-text('my phone')")
    (listed,) = httpx.get(f"{place.api.url}/v1/recordings?camera=my%20phone").json()["items"]
    assert (listed["key"], listed["start"][:19]) == ("uploads/surf session.mp4", "2026-06-22T08:15:00")
    place.open("/")
    place.page.wait_for_selector(".cam:has-text('my phone')")


def test_a_recording_is_looked_through_with_its_sprites(place: Installation) -> None:
    place.open(f"/cameras/north-point?{SPAN}")
    box = place.page.wait_for_selector(".wall .tile .pic img").bounding_box()
    place.page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + 20)
    assert float(place.page.wait_for_selector("canvas.sprite").get_attribute("data-from")) == 0
    place.page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20)
    place.page.wait_for_selector("canvas.sprite[data-from='4']")


def test_many_cameras_ask_for_no_frame_map_and_only_for_pictures_that_are_seen(place: Installation) -> None:
    (real, *_) = httpx.get(f"{place.api.url}/v1/cameras?limit=1").json()["items"]
    many = {"items": [{**real, "name": f"camera-{number:03}"} for number in range(100)], "next": None}
    place.page.route("**/v1/cameras?*", lambda route: route.fulfill(body=json.dumps(many)))
    empty = json.dumps({"items": [], "next": None, "covered": [], "gaps": []})
    for path in ("recordings?*", "coverage?*", "activity?*", "moments?*", "clips?camera=*"):
        place.page.route(f"**/v1/{path}", lambda route: route.fulfill(body=empty))
    Image.new("RGB", (300, 169)).save(picture := io.BytesIO(), "jpeg")
    place.page.route(
        "**/keyframe.jpg?*", lambda route: route.fulfill(body=picture.getvalue(), content_type="image/jpeg")
    )
    asked = requests_of(place.page)
    place.open("/")
    place.page.wait_for_selector(".cam img")
    place.page.wait_for_load_state("networkidle")
    assert not [path for path in asked if path.endswith("/frames")]
    first = [path for path in asked if "keyframe.jpg" in path]
    assert 5 < len(first) < 40, first
    with place.page.expect_request(lambda request: "keyframe.jpg" in request.url and "camera-099" in request.url):
        place.page.locator(".cam").last.scroll_into_view_if_needed()


def test_the_status_shows_the_day_the_workers_and_why_clips_failed(place: Installation) -> None:
    run = place.api.shell.run
    assert run("submit", "--recording", KEY, "--from", "1", "--to", "2", "--id", "shown", "--wait")[0] == 0
    run("submit", "--recording", KEY, "--from", "50", "--to", "60", "--id", "beyond", "--wait")
    status = httpx.get(f"{place.api.url}/v1/status").json()
    letter = {
        "id": "7",
        "subject": "wave",
        "reason": "unreadable",
        "receive_count": 5,
        "died_at": "2026-06-21T05:30:00Z",
    }
    status["queue"]["dead"] = 1
    sent: list[Any] = []
    place.page.route("**/v1/status", lambda route: route.fulfill(json=status))
    place.page.route("**/v1/dead-letters?*", lambda route: route.fulfill(json={"items": [letter], "next": None}))

    def redrive(route: Any) -> None:
        sent.append(route.request.post_data_json)
        route.fulfill(json={"queue": "clips", "redriven": 1})

    place.page.route("**/v1/dead-letters/redrive", redrive)
    place.open("/status")
    place.page.wait_for_selector(".chart rect.good")
    assert "1 clip became ready and 1 failed" in place.page.get_attribute(".chart .plot", "aria-label")
    failures = place.page.inner_text("section:has(h2:text('by reason'))")
    remedy = httpx.get(f"{place.api.url}/v1/clips/beyond").json()["failure"]["remedy"]
    assert remedy in failures
    assert "waits for work" in place.page.inner_text("section:has(h2:text('Workers'))")
    place.page.click("button:text-is('Send back')")
    place.page.wait_for_selector(".toast:has-text('1 message')")
    assert sent == [{"queue": "clips", "ids": ["7"]}]


def test_the_status_says_what_does_not_answer(place: Installation) -> None:
    broken = {"name": "records", "ok": False, "seconds": 5.0, "reason": "records_unavailable"}
    said = {"dependencies": [broken], "attention": ["records does not answer: records_unavailable."]}
    place.page.route("**/v1/status", lambda route: route.fulfill(json=said))
    place.open("/status")
    place.page.wait_for_selector("[role=alert]:has-text('records does not answer')")
    assert "records_unavailable" in place.page.inner_text("section:has(h2:text('Storage'))")
