"""The library, the clips and the status in a real browser, on the real program with a real worker."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from PIL import Image
from standardwebhooks.webhooks import Webhook
from tests.support.browser import without_complaints
from tests.support.media import cached_media
from tests.support.receiver import receiving
from tests.support.spec import MediaSpec
from tests.support.waiting import eventually
from tests.web.api_process import api_process
from tests.web.test_pages_in_chromium import MILLISECONDS, Installation, installed

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
    folder, cache = tmp_path_factory.mktemp("places"), Path(pytestconfig.cache.mkdir("media"))
    with installed(folder, RECORDINGS, cache, webhook_private="true") as made:
        yield made


@pytest.fixture
def place(installation: Installation) -> Iterator[Installation]:
    """The browser with a page of its own; the test fails if the page complains."""
    before = installation.page
    context = before.context.browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(MILLISECONDS)
    with without_complaints(context) as complaints:
        yield Installation(installation.api, page, complaints)
    context.close()


@pytest.fixture
def elsewhere(tmp_path: Path, installation: Installation) -> Iterator[Installation]:
    """Another program without recordings, for what changes who may ask, in a context of the same browser.

    Two browsers at once are not possible in one process.
    """
    (tmp_path / "cutback-data" / "recordings").mkdir(parents=True)
    context = installation.page.context.browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(MILLISECONDS)
    with api_process(tmp_path, listen="127.0.0.1:0") as api, without_complaints(context) as complaints:
        yield Installation(api, page, complaints)
        context.close()


def requests_of(page: Any) -> list[str]:
    """The paths that the page requests from now on."""
    paths: list[str] = []
    page.on("request", lambda request: paths.append(request.url.partition("://")[2].partition("/")[2]))
    return paths


def height(page: Any) -> int:
    """How tall the page is, in pixels."""
    found: int = page.evaluate("document.documentElement.scrollHeight")
    return found


def cut(place: Installation, name: str) -> None:
    """Have a second of a recording cut, and wait for the clip."""
    wanted = ("--recording", KEY, "--from", "1", "--to", "2", "--id", name, "--wait")
    assert place.api.shell.run("submit", *wanted)[0] == 0


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


def test_a_clip_that_was_cut_from_a_recording_is_counted_on_the_strip_of_its_camera(place: Installation) -> None:
    cut(place, "shown")  # as the test of the status does: it counts clips
    clips = httpx.get(f"{place.api.url}/v1/clips?camera=north-point").json()["items"]
    assert "shown" not in [clip["id"] for clip in clips]
    place.open(f"/cameras/north-point?{SPAN}")
    place.page.wait_for_selector("p.sub:text-matches('recorded . [1-9][0-9]* clip')")
    place.open("/cameras/north-point?from=2026-06-21T04:00:00.000Z&to=2026-06-21T05:00:00.000Z")
    place.page.wait_for_selector("p.sub:has-text('recorded')")
    assert "clip" not in place.page.inner_text("p.sub")


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


def test_any_number_of_clips_scrolls_with_the_same_few_tiles(place: Installation) -> None:
    run = place.api.shell.run
    assert run("submit", "--recording", KEY, "--from", "1", "--to", "2", "--id", "one-of-many", "--wait")[0] == 0
    real = httpx.get(f"{place.api.url}/v1/clips/one-of-many").json()
    asked: list[int] = []

    def list_clips(route: Any) -> None:
        query = dict(parse_qsl(route.request.url.partition("?")[2]))
        first, many = int(query.get("cursor", 0)), int(query["limit"])
        asked.append(first)
        items = [
            {**real, "id": f"clip-{number:06}", "title": f"Wave {number}"} for number in range(first, first + many)
        ]
        route.fulfill(json={"items": items, "next": str(first + many) if first + many < 100_000 else None})

    place.page.route("**/v1/clips?limit=*", list_clips)
    place.page.route("**/v1/clips?&limit=*", list_clips)
    place.open("/clips")
    place.page.wait_for_selector(".tile:has-text('Wave 0')")
    tiles = []
    for _ in range(12):
        tall = height(place.page)
        place.page.evaluate(f"scrollTo(0, {tall})")
        eventually(lambda tall=tall: height(place.page) > tall, "more clips")  # type: ignore[misc]
        tiles.append(place.page.locator(".tallwall .tile").count())
    assert max(asked) >= 48 * 12
    assert max(tiles) < 100
    before = asked.count(0)
    place.page.evaluate("scrollTo(0, 0)")
    place.page.wait_for_selector(".tile:has-text('Wave 0')")
    assert asked.count(0) == before + 1, "clips that were far away were forgotten, and read again"


def test_a_failed_clip_offers_the_remedy_in_the_list(place: Installation) -> None:
    run = place.api.shell.run
    run("submit", "--recording", KEY, "--from", "60", "--to", "70", "--id", "too-late", "--wait")
    place.open("/clips?state=failed")
    tile = place.page.locator(".tile:has(a[href='/clips/too-late'])")
    assert "does not overlap" in tile.inner_text()
    tile.locator(".button:text('Choose another range')").click()
    place.page.wait_for_selector(".exact[data-truth=exact]")
    assert place.page.evaluate("location.pathname") == "/cut"


def test_a_clip_that_no_browser_decodes_says_what_to_do(place: Installation) -> None:
    cut(place, "undecodable")
    place.page.route("**/v1/media/**", lambda route: route.fulfill(body="no video", content_type="video/mp4"))
    place.open("/clips/undecodable")
    place.page.wait_for_selector("[role=alert]:has-text('This browser cannot show this clip')")
    place.page.unroute("**/v1/media/**")
    place.page.click("[role=alert] button:text('Try again')")
    eventually(lambda: place.page.evaluate("document.querySelector('video')?.readyState > 0"), "the video")


def test_moments_that_cannot_be_read_are_not_said_to_be_none(place: Installation) -> None:
    place.page.route("**/v1/moments?*", lambda route: route.fulfill(status=500, json={"status": 500}))
    place.open(f"/cameras/north-point?{SPAN}")
    place.page.wait_for_selector("[aria-label=Moments]:has-text('cannot be read now')")
    place.page.unroute("**/v1/moments?*")
    place.page.click("[aria-label=Moments] button")
    place.page.wait_for_selector("[aria-label=Moments]:not(:has-text('cannot be read')):not(:has(.bone))")
    place.complaints.expect(" 500 ", "500 http")


def test_clips_are_filtered_by_camera_and_day(place: Installation) -> None:
    run = place.api.shell.run
    span = ("--camera", "south-point", "--from", "2026-06-21T05:30:01Z", "--to", "2026-06-21T05:30:02Z")
    assert run("submit", *span, "--id", "south", "--wait")[0] == 0
    assert run("submit", "--recording", KEY, "--from", "0", "--to", "1", "--id", "north", "--wait")[0] == 0
    place.open("/clips")
    place.page.wait_for_selector("a[href='/clips/north']")
    place.page.select_option(".filters select", "south-point")
    place.page.wait_for_selector("a[href='/clips/north']", state="detached")
    place.page.wait_for_selector("a[href='/clips/south']")
    place.page.fill(".filters input[type=date]", "2020-01-01")
    place.page.wait_for_selector(".face:has-text('No clip matches')")
    place.page.click("button:text('Show all')")
    place.page.wait_for_selector("a[href='/clips/north']")


def test_a_span_is_chosen_on_the_strip_by_keys_alone_and_times_change_their_zone(place: Installation) -> None:
    place.open(f"/cameras/north-point?{SPAN}")
    place.page.wait_for_selector(".wall .tile")
    place.page.focus(".strip")
    place.page.keyboard.press("Home")
    for _ in range(6):
        place.page.keyboard.press("PageDown")
    place.page.keyboard.press("Shift+PageDown")
    place.page.wait_for_selector(".picking:has-text('05:30:02 – 05:30:04')")
    place.page.keyboard.press("Shift+ArrowLeft")
    place.page.wait_for_selector(".picking:has-text('1.8 s')")
    place.page.keyboard.press("Escape")
    place.page.wait_for_selector(".picking", state="detached")
    for key in ("o", "i"):
        place.page.keyboard.press(key)
        place.page.wait_for_selector(".picking")
    place.page.select_option(".act select:has(option[value=utc])", "utc")
    place.page.wait_for_selector(".sub:has-text('UTC')")


@pytest.mark.parametrize("tabs", [2, pytest.param(7, marks=pytest.mark.soak)])
def test_all_tabs_of_a_browser_share_one_event_stream(place: Installation, tabs: int) -> None:
    context = place.page.context
    streams: list[str] = []
    context.on("request", lambda request: streams.append(request.url) if "/v1/events" in request.url else None)
    pages = [place.page, *(context.new_page() for _ in range(tabs - 1))]
    for page in pages:
        page.set_default_timeout(MILLISECONDS)
        page.goto(place.api.url + "/clips")
        page.wait_for_selector(".tile, .face")
    cut(place, f"told-{tabs}")
    for page in pages:
        page.wait_for_selector(f"a[href='/clips/told-{tabs}']")
    assert len(streams) == 1
    pages[0].close()
    place.page = pages[1]
    held = "navigator.locks.query().then(({held}) => held.length)"
    eventually(lambda: pages[1].evaluate(held) == 1 and len(streams) == 2, "another tab takes over")
    cut(place, f"after-{tabs}")
    for page in pages[1:]:
        page.wait_for_selector(f"a[href='/clips/after-{tabs}']")
    assert len(streams) == 2


def test_a_session_that_ends_in_the_middle_is_renewed_and_nothing_typed_is_lost(
    place: Installation,
) -> None:
    cut(place, "kept")
    refused = {"status": 401, "reason": "unauthorized", "title": "Sign in.", "detail": "Sign in.", "remedy": "Sign in."}
    place.open("/clips/kept")
    title = place.page.get_by_label("Title")
    title.fill("A long ride")
    place.page.route("**/v1/clips/kept", lambda route: route.fulfill(status=401, json=refused))
    title.blur()
    place.page.wait_for_selector("dialog[open]:has-text('Nothing is lost')")
    place.page.unroute("**/v1/clips/kept")
    place.page.route("**/v1/session", lambda route: route.fulfill(json={"tenant": "", "key_id": "k", "scopes": []}))
    place.page.fill("dialog input[name=key]", "ck_again")
    place.page.click("dialog button:text('Sign in')")
    place.page.wait_for_selector("dialog", state="detached")
    assert title.input_value() == "A long ride"
    title.focus()
    title.blur()
    place.page.wait_for_selector("h1:text('A long ride')", state="attached")
    place.complaints.expect(" 401 ", "401 http")


def test_a_finished_clip_is_notified_of_if_people_want_that(place: Installation) -> None:
    place.page.context.grant_permissions(["notifications"])
    place.page.add_init_script(
        "globalThis.told = []; globalThis.Notification = class { static permission = 'granted';"
        " static async requestPermission() { return 'granted'; }"
        " constructor(title, more) { told.push([title, more.tag]); } };"
    )
    place.open("/settings")
    place.page.click("label:has-text('Tell me when') input")
    place.page.click("a[href='/']")
    place.open(f"/cameras/north-point?{SPAN}")
    place.page.wait_for_selector(".wall .tile")
    place.page.focus(".strip")
    place.page.keyboard.press("Home")
    for _ in range(6):
        place.page.keyboard.press("PageDown")
    place.page.keyboard.press("Shift+ArrowRight")
    place.page.click(".picking button:text-is('Cut')")
    eventually(lambda: place.page.evaluate("told.length") == 1, "the notification")
    assert place.page.evaluate("told[0][0]") == "The clip is ready"


def test_the_stream_goes_on_after_the_network_was_away(place: Installation) -> None:
    place.open("/clips")
    place.page.wait_for_selector(".tile, .face")
    place.page.context.set_offline(True)
    place.page.wait_for_selector(".lost")
    cut(place, "away")
    place.page.context.set_offline(False)
    place.page.wait_for_selector(".lost", state="detached")
    place.page.wait_for_selector("a[href='/clips/away']")
    place.complaints.expect("net::ERR_INTERNET_DISCONNECTED")


def _section(page: Any, title: str) -> Any:
    """A part of the settings."""
    return page.locator(f"section:has(h2:text-is('{title}'))")


def test_keys_are_made_shown_once_and_revoked(elsewhere: Installation) -> None:
    """The first key closes the open access: the page signs in with it, and goes on."""
    asked: list[str] = []

    def answer(dialog: Any) -> None:
        asked.append(dialog.message)
        dialog.dismiss() if len(asked) == 1 else dialog.accept()

    page = elsewhere.page
    page.on("dialog", answer)
    elsewhere.open("/settings")
    keys = _section(page, "Keys")

    def make(name: str, scope: str) -> str:
        keys.get_by_label("Name of the new key").fill(name)
        keys.get_by_label("What it may do").select_option(scope)
        keys.get_by_role("button", name="Make a key").click()
        keys.locator(f"tr:has-text('{name}')").wait_for()
        return str(keys.locator("code").inner_text())

    def answered(key: str) -> tuple[int, list[str]]:
        found = httpx.get(f"{elsewhere.api.url}/v1/session", headers={"Authorization": f"Bearer {key}"})
        return found.status_code, found.json().get("scopes", [])

    keys.get_by_role("button", name="Make a key").wait_for()
    assert keys.locator("option").count() == 1, "a first key that may less would lock everybody out"
    first = make("operator", "admin read request")
    assert httpx.get(f"{elsewhere.api.url}/v1/session").status_code == 401
    beach = make("the beach", "read")
    assert (answered(beach), first != beach) == ((200, ["read"]), True)
    page.reload()
    row = keys.locator("tr:has-text('the beach')")
    row.wait_for()
    assert beach not in page.content(), "it is shown once"
    row.get_by_role("button", name="Revoke").click()
    assert "the beach" in asked[0]
    assert answered(beach)[0] == 200, "not without a yes"
    row.get_by_role("button", name="Revoke").click()
    row.wait_for(state="detached")
    assert answered(beach)[0] == 401


POLLS = """async () => {
  const {ask} = await import('/assets/app/api.js');
  const real = globalThis.fetch;
  const refused = (error) => error.status;
  const [arrived, heard] = [Promise.withResolvers(), Promise.withResolvers()];
  globalThis.hear = heard.resolve;
  globalThis.fetch = async (where, about) => {
    if (where === '/v1/session' && about.method === 'POST') {
      globalThis.between = await ask('/clips?limit=1').catch(refused);
      globalThis.late = ask('/clips?limit=2').catch(refused);
      await arrived.promise;
    }
    const answer = await real(where, about);
    if (where === '/v1/clips?limit=2') {
      arrived.resolve();
      await heard.promise;
    }
    return answer;
  };
}"""
"""Between the first key and the session, the page asks for clips twice. It hears the second answer after `hear()`."""


def test_polls_that_are_refused_while_the_first_key_is_made_ask_for_no_key(elsewhere: Installation) -> None:
    page = elsewhere.page
    elsewhere.open("/settings")
    page.get_by_label("Name of the new key").fill("operator")
    assert page.locator("button:text('Sign out')").count() == 0
    page.evaluate(POLLS)
    page.get_by_role("button", name="Make a key").click()
    page.locator("p:has-text('Signed in with the key') button:text('Sign out')").wait_for()
    page.evaluate("hear()")
    assert [page.evaluate("between"), page.evaluate("late")] == [401, 401]
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.locator("dialog").count() == 0
    assert page.inner_text("code").startswith("ck_")
    page.route("**/v1/webhooks", lambda route: route.fulfill(status=401, json={"status": 401}))
    page.fill("[aria-label='Address of the new webhook']", "https://example.com/hook")
    page.press("[aria-label='Address of the new webhook']", "Enter")
    page.wait_for_selector("dialog[open]:has-text('Nothing is lost')")
    elsewhere.complaints.expect(" 401 ", "401 http")


def test_a_webhook_is_added_tested_and_deleted_and_its_deliveries_are_listed(place: Installation) -> None:
    page = place.page
    with receiving() as receiver:
        place.open("/settings")
        webhooks = _section(page, "Webhooks")
        webhooks.get_by_label("Address of the new webhook").fill(receiver.url + "/hook")
        webhooks.get_by_role("button", name="Add").click()
        row = webhooks.locator(f"tr:has-text('{receiver.url}/hook')")
        row.wait_for()
        secret = webhooks.locator("code").inner_text()
        webhooks.get_by_text("Deliveries", exact=True).click()
        webhooks.get_by_text("Nothing was delivered yet").wait_for()

        webhooks.get_by_role("button", name="Send a test").click()
        page.wait_for_selector(".toast:has-text('The receiver answered 204')")
        log = webhooks.locator("details tr")
        log.first.wait_for()
        assert "204" in log.first.inner_text()
        [(path, headers, body)] = receiver.came
        assert path == "/hook"
        Webhook(secret).verify(body, headers)

        receiver.statuses = [500]
        webhooks.get_by_role("button", name="Send a test").click()
        page.wait_for_selector(".toast:has-text('the receiver answered 500')")
        eventually(lambda: "500" in log.first.inner_text(), "the failure in the log")
        assert log.count() == 2
        page.on("dialog", lambda dialog: dialog.accept())
        row.get_by_role("button", name="Delete").click()
        row.wait_for(state="detached")
        assert httpx.get(f"{place.api.url}/v1/webhooks").json()["items"] == []
