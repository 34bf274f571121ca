"""What is done quickly, answers that come late, and days when clocks change, in a real browser on the real program."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.media import cached_media
from tests.support.spec import MediaSpec
from tests.support.waiting import eventually
from tests.web.test_accessible_in_chromium import SHIFT
from tests.web.test_pages_in_chromium import Installation, fresh, installed

pytestmark = pytest.mark.slow

SPEC = MediaSpec(frames=150, gop=30)
KEY = "north-point.2026-06-21T05-30-00Z.mp4"
AUTUMN, SPRING = "berlin.2026-10-25T00-59-58Z.mp4", "berlin.2026-03-29T00-59-58Z.mp4"
"""Two seconds after they begin, clocks are changed."""
VANISHING, CHANGING = "east-point.2026-06-21T05-30-00Z.mp4", "west-point.2026-06-21T05-30-00Z.mp4"
SHORTER = MediaSpec(frames=120, gop=30)
SPAN = "from=2026-06-21T05:29:50.000Z&to=2026-06-21T05:30:10.000Z"

AT_ONCE = """async ([selector, type, all]) => {
  for (const each of all) {
    const element = document.querySelector(selector);
    const box = element.getBoundingClientRect();
    const about = {bubbles: true, cancelable: true, clientX: box.left + box.width / 2, clientY: box.top + 20, ...each};
    element.dispatchEvent(new globalThis[type](type === 'WheelEvent' ? 'wheel' : 'keydown', about));
    await new Promise((next) => { // before anything is painted
      const channel = new MessageChannel();
      channel.port1.onmessage = next;
      channel.port2.postMessage(0);
    });
  }
}"""

PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Installation]:
    folder, cache = tmp_path_factory.mktemp("quick"), Path(pytestconfig.cache.mkdir("media"))
    recordings = dict.fromkeys((KEY, AUTUMN, SPRING, VANISHING, CHANGING), SPEC)
    with installed(folder, recordings, cache, time_zone="UTC,berlin=Europe/Berlin") as made:
        yield made


@pytest.fixture
def pages(installation: Installation) -> Iterator[Installation]:
    """The browser without drafts; the test fails if a page complains."""
    with fresh(installation) as pages:
        yield pages


def _at_once(page: Any, selector: str, kind: str, *events: dict[str, Any]) -> None:
    page.evaluate(AT_ONCE, [selector, kind, events])


def _keys(page: Any, *keys: str) -> None:
    _at_once(page, "body", "KeyboardEvent", *({"key": key} for key in keys))


def test_turns_of_the_wheel_over_the_strip_add_up(pages: Installation) -> None:
    pages.open(f"/cameras/north-point?{SPAN}")
    pages.page.wait_for_selector(".wall .tile")
    _at_once(pages.page, ".strip", "WheelEvent", {"deltaY": -100}, {"deltaY": -100})
    begins, ends = pages.page.evaluate(
        "['from', 'to'].map((each) => Date.parse(new URL(location.href).searchParams.get(each)))"
    )
    assert ends - begins == pytest.approx(20_000 * 0.8 * 0.8, abs=2)


def test_turns_of_the_wheel_over_the_timeline_add_up(pages: Installation) -> None:
    pages.open(f"/cut?recording={KEY}&in=2.4&out=2.6")
    pages.shown()
    pages.page.wait_for_selector(".handle")
    apart = (
        "(() => { const [a, b] = [...document.querySelectorAll('.handle')].map((each) => parseFloat(each.style.left));"
        " return b - a; })()"
    )
    before = pages.page.evaluate(apart)
    _at_once(pages.page, ".lane", "WheelEvent", {"deltaY": -100}, {"deltaY": -100})
    assert pages.page.evaluate(apart) == pytest.approx(before / 0.8 / 0.8, rel=1e-3)


def test_small_pictures_are_those_of_the_span_on_show(pages: Installation) -> None:
    pages.open(f"/cameras/north-point?{SPAN}")
    pages.page.wait_for_selector(".wall .tile")
    box = pages.page.locator(".strip").bounding_box()
    with pages.page.expect_response(lambda answer: "/thumbnails?" in answer.url):
        pages.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 20)
    pages.page.wait_for_selector(".peek .shot:not(.bone)")
    with pages.page.expect_request(lambda request: "/thumbnails?" in request.url):
        pages.page.mouse.wheel(0, -100)


def _recording(number: int) -> dict[str, Any]:
    return {
        "key": f"made-{number}.mp4",
        "etag": "1",
        "camera": "north-point",
        "start": "2026-06-21T05:30:00Z",
        "end": "2026-06-21T05:30:05Z",
        "duration": 5,
        "codecs": [f"number-{number}"],
        "growing": False,
    }


def test_more_recordings_are_added_once_and_only_to_their_span(pages: Installation) -> None:
    held: list[Any] = []

    def answer(route: Any) -> None:
        if "cursor=" in route.request.url:
            held.append(route)
        else:
            more = "05%3A29%3A50" in route.request.url
            route.fulfill(json={"items": [_recording(1 if more else 3)], "next": "page-2" if more else None})

    pages.page.route("**/v1/recordings?*", answer)
    pages.page.route("**/frames/*", lambda route: route.abort())
    pages.complaints.expect("net::ERR_FAILED")
    pages.open(f"/cameras/north-point?{SPAN}")
    pages.page.wait_for_selector(".wall .tile:has-text('number-1')")
    pages.page.evaluate(
        "(async () => { for (let i = 0; i < 2; i++) {"
        " [...document.querySelectorAll('.act button')].find((each) => /Show more/.test(each.textContent))?.click();"
        " await null; await null; await new Promise((next) => queueMicrotask(next)); } })()"
    )
    eventually(lambda: pages.page.evaluate("0") == 0 and held, "the second page")
    pages.page.click("button[aria-label=Later]")
    pages.page.wait_for_selector(".wall .tile:has-text('number-3')")
    assert len(held) == 1
    held[0].fulfill(json={"items": [_recording(2)], "next": None})
    pages.page.evaluate(PAINTED)
    pages.page.wait_for_load_state("networkidle")
    assert pages.page.locator(".wall .tile:has-text('number-2')").count() == 0


def test_an_older_list_never_replaces_a_newer_one(pages: Installation) -> None:
    """Two shares are revoked; the list that was asked for after the first comes after that of the second."""
    page = pages.page
    shares = [
        {"id": f"s{number}", "clip": f"clip-{number}", "url": "/s/x", "expires_at": "2030-01-01T00:00:00Z"}
        for number in (1, 2, 3)
    ]
    held: list[Any] = []

    def answer(route: Any) -> None:
        if route.request.method == "DELETE":
            shares[:] = [each for each in shares if not route.request.url.endswith(each["id"])]
            route.fulfill(status=204)
        elif len(shares) == 2:
            held.append((route, {"items": list(shares), "next": None}))
        else:
            route.fulfill(json={"items": list(shares), "next": None})

    page.route("**/v1/shares**", answer)
    page.on("dialog", lambda dialog: dialog.accept())
    pages.open("/settings")
    page.wait_for_selector("td:has-text('clip-3')")
    for number in (1, 2):
        page.click(f"tr:has-text('clip-{number}') button")
        eventually(lambda number=number: page.evaluate("0") == 0 and len(shares) == 3 - number, "the revocation")  # type: ignore[misc]
    page.wait_for_selector("tr:has-text('clip-2')", state="detached")
    route, older = held[0]
    with page.expect_response("**/v1/shares**"):
        route.fulfill(json=older)
    page.evaluate(PAINTED)
    assert page.locator("section:has(h2:text('Shared links')) tr").count() == 1


def test_escape_leaves_a_field_as_it_was(pages: Installation) -> None:
    pages.open(f"/cut?recording={KEY}&in=1.0&out=2.0")
    pages.shown()
    name = pages.page.get_by_label("Name of range 1")
    name.fill("A mistake")
    name.press("Escape")
    assert name.input_value() == ""
    name.fill("A wave")
    name.press("Enter")
    assert name.input_value() == "A wave"
    pages.press("Control+z")
    eventually(lambda: name.input_value() == "", "the undo of the only name that was given")


def test_play_pressed_twice_pauses_and_pressed_faster_is_faster(pages: Installation) -> None:
    pages.open(f"/cut?recording={KEY}&at=1")
    frame = pages.shown()
    _keys(pages.page, " ", " ")
    assert pages.page.get_attribute("button.play", "aria-label") == "Play"
    assert pages.shown() == frame
    _keys(pages.page, "l", "l")
    assert pages.page.inner_text(".exact").endswith("2×")
    pages.press("Home")


def test_the_loop_outlives_what_is_played_around_the_ends(pages: Installation) -> None:
    pages.open(f"/cut?recording={KEY}&in=2.0&out=3.0&at=0")
    pages.shown()
    pages.page.wait_for_selector(".chip")
    pages.press("r", "q")
    pages.page.wait_for_selector(".exact:has-text('×')")
    pages.press("w")
    pages.page.wait_for_selector(".exact:has-text('×')")
    pages.step("Home", 0)
    _keys(pages.page, " ")
    eventually(lambda: pages.page.get_attribute(".exact", "data-frame") != "0", "it plays")
    assert int(pages.page.get_attribute(".exact", "data-frame")) >= 60, "from the beginning of the loop"
    pages.press("Home")


def test_a_card_whose_drag_was_taken_away_stays_where_it_is(pages: Installation) -> None:
    page = pages.page
    pages.open(f"/cut?recording={KEY}&in=1.0&out=2.0")
    pages.shown()
    for kind in ("text", "clock"):
        page.wait_for_selector("[aria-label='Add an edit']:not([disabled])")
        page.select_option("[aria-label='Add an edit']", kind)
        page.wait_for_selector(f".card[data-kind={kind}]")
    order = "[...document.querySelectorAll('.card')].map((each) => each.dataset.kind)"
    grip = page.locator("[aria-label='Move Clock; arrow keys move it']")
    grip.scroll_into_view_if_needed()
    box, over = grip.bounding_box(), page.locator(".card[data-kind=text] header").bounding_box()
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    grip.dispatch_event("pointercancel", {"bubbles": True})
    grip.dispatch_event("pointermove", {"clientX": box["x"], "clientY": over["y"] + 5, "bubbles": True})
    assert page.evaluate(order) == ["text", "clock"]
    page.mouse.up()


def test_nothing_moves_while_the_lists_of_the_settings_are_read(pages: Installation) -> None:
    page = pages.page
    shares = [
        {"id": f"s{i}", "clip": f"clip-{i}", "url": "/s/x", "expires_at": "2030-01-01T00:00:00Z"} for i in range(9)
    ]
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route("**/v1/shares", hold)
    with page.expect_response("**/v1/tenants"):
        pages.open("/settings")
    page.evaluate(PAINTED)
    held[0].fulfill(json={"items": shares, "next": None})
    page.wait_for_selector("td:has-text('clip-8')")
    assert page.evaluate(SHIFT) < 0.05


CUT_OFF = """() => [...document.querySelectorAll('a.button, button, .bar nav')]
  .filter((each) => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1)
  .map((each) => each.textContent)"""


def test_no_button_on_a_phone_is_narrower_than_what_it_says(pages: Installation) -> None:
    page = pages.page
    page.set_viewport_size({"width": 390, "height": 844})
    pages.api.shell.run("submit", "--recording", KEY, "--from", "50", "--to", "60", "--id", "beyond", "--wait")
    for path, sign in (
        ("/clips", ".said .button"),
        ("/settings", "td, .muted"),
        (f"/cameras/north-point?{SPAN}", ".wall .tile"),
    ):
        pages.open(path)
        page.wait_for_selector(sign)
        assert page.evaluate(CUT_OFF) == [], path
        for each in page.query_selector_all(".said .button"):
            tile = page.evaluate_handle("each => each.closest('.tile')", each).as_element()
            assert each.bounding_box()["width"] <= tile.bounding_box()["width"]


@pytest.mark.parametrize(
    ("span", "hours", "offsets", "ahead"),
    [
        ("from=2026-10-24T22:00:00Z&to=2026-10-25T23:00:00Z", 25, "UTC+2, then UTC+1", 5),
        ("from=2026-03-28T23:00:00Z&to=2026-03-29T22:00:00Z", 23, "UTC+1, then UTC+2", 3),
    ],
)
def test_a_day_when_clocks_change_is_drawn_true(
    pages: Installation, span: str, hours: int, offsets: str, ahead: int
) -> None:
    """`ahead`: how many hours after midnight clocks show four."""
    page = pages.page
    pages.open(f"/cameras/berlin?{span}")
    page.wait_for_selector(".wall .tile")
    about = page.inner_text(".day > .sub")
    assert f"{hours} hours" in about
    assert offsets in about
    assert page.get_attribute("button:text-is('Day')", "aria-pressed") == "true"
    named = dict(
        page.locator(".hours span").evaluate_all("all => all.map((each) => [each.textContent, each.style.left])")
    )
    assert all(int(name[:2]) % 2 == 0 and name.endswith(":00") for name in named), named
    part = float(named["04:00"].split("px, ")[1].split("%")[0])
    assert part == pytest.approx(100 * ahead / hours, rel=1e-4)
    page.click("button[aria-label=Later]")
    page.wait_for_selector(".day > .sub:not(:has-text('hours'))")
    begins, ends = page.evaluate(
        "['from', 'to'].map((each) => Date.parse(new URL(location.href).searchParams.get(each)))"
    )
    assert ends - begins == 24 * 3_600_000


def test_a_time_that_is_typed_is_found_beyond_the_change_of_clocks(pages: Installation) -> None:
    pages.open(f"/cut?recording={AUTUMN}&at=0")
    pages.shown()
    box = pages.page.get_by_label("Time; type a time")
    assert box.input_value() == "02:59:58.000"
    for typed, frame, offset in (("02:00:01", 90, "UTC+1"), ("02:59:59", 30, "UTC+2")):
        box.fill(typed)
        box.press("Enter")
        pages.page.wait_for_selector(f".exact[data-truth=exact][data-frame='{frame}']")
        assert offset in pages.page.inner_text(".clock small")


def _marked(pages: Installation, key: str) -> None:
    """Mark a range of a recording and name it."""
    page = pages.page
    pages.open(f"/cut?recording={key}&in=1.0&out=4.5&at=2")
    pages.shown()
    name = page.get_by_label("Name of range 1")
    name.fill("A wave")
    name.press("Enter")
    page.wait_for_selector(".foot b")


def test_a_recording_that_vanishes_while_it_is_open_leaves_what_was_marked(
    pages: Installation, installation: Installation, tmp_path: Path
) -> None:
    page = pages.page
    _marked(pages, VANISHING)
    stored = installation.api.shell.folder / "cutback-data" / "recordings" / VANISHING
    stored.rename(tmp_path / "away.mp4")
    assert installation.api.shell.run("scan")[0] == 0
    page.get_by_label("Title").fill("Left at the point")
    page.get_by_label("Title").press("Enter")
    page.wait_for_selector(".face:has-text('This recording is gone')")
    pages.complaints.expect(" 404 ", "404 http")
    assert "kept in this browser" in page.inner_text(".face")
    (tmp_path / "away.mp4").rename(stored)
    assert installation.api.shell.run("scan")[0] == 0
    page.click("button:text('Look again')")
    page.wait_for_selector(".chip")
    assert page.input_value(".chip input") == "A wave"
    assert page.get_by_label("Title").input_value() == "Left at the point"
    assert page.locator(".panel > .why").count() == 0, "it is the same recording"


def test_a_recording_that_changes_while_it_is_open_keeps_what_was_marked_with_a_warning(
    pages: Installation, installation: Installation, pytestconfig: pytest.Config
) -> None:
    page = pages.page
    pages.complaints.expect("409")  # of what is asked of the version that was there before
    _marked(pages, CHANGING)
    stored = installation.api.shell.folder / "cutback-data" / "recordings" / CHANGING
    shutil.copy(cached_media(SHORTER, Path(pytestconfig.cache.mkdir("media"))), stored)
    assert installation.api.shell.run("scan")[0] == 0
    page.get_by_label("Title").fill("Left at the point")
    page.get_by_label("Title").press("Enter")
    page.wait_for_selector(".panel > .why:has-text('has changed since')")
    assert page.input_value(".chip input") == "A wave"
    assert page.get_by_label("Title").input_value() == "Left at the point"
    eventually(lambda: "– 05:30:04.000" in page.inner_text(".chip small"), "the range as far as the recording goes")
    page.click("button:text('They are right')")
    page.wait_for_selector(".panel > .why", state="detached")
    page.reload()
    pages.shown()
    assert page.input_value(".chip input") == "A wave"
    assert page.locator(".panel > .why").count() == 0


LOOKS_AROUND = """async ([key, at, gone]) => {
  const [{Decoder}, {FrameMap}] = [await import('/assets/app/decoder.js'), await import('/assets/app/recordings.js')];
  const said = await (await fetch(`/v1/recordings/${key}/frames`)).json();
  const map = new FrameMap(said);
  if (gone === 'late') map.starts[at + 2] += 0.01;
  if (gone === 'dropped') { // the map has two frames where the decoder has one
    map.starts = Float64Array.from([...map.starts.slice(0, at + 3), map.middle(at + 2), ...map.starts.slice(at + 3)]);
    map.keyframes = map.keyframes.map((each) => (each > at + 2 ? each + 1 : each));
    map.count++;
  }
  if (gone === 'end') { // the map goes on behind the decoder's last picture
    map.starts = Float64Array.from([...map.starts, map.end + 0.05]);
    map.count++;
  }
  globalThis.decoder = new Decoder(`/v1/recordings/${key}/file`, map);
  return (await globalThis.decoder.open()) && (await globalThis.decoder.picture(at)) !== null;
}"""

DECODED = "[decoder.looking, [...decoder.kept.keys()].sort((one, other) => one - other), decoder.map.count]"


@pytest.mark.parametrize(("at", "gone", "absent"), [(40, "late", 42), (40, "dropped", 43), (145, "end", 150)])
def test_a_frame_that_the_decoder_never_has_is_not_made_again_and_again(
    pages: Installation, at: int, gone: str, absent: int
) -> None:
    pages.open(f"/cut?recording={KEY}&at=0")
    pages.shown()
    assert pages.page.evaluate(LOOKS_AROUND, [KEY, at, gone])
    eventually(lambda: not pages.page.evaluate(DECODED)[0], "the end of what is made around")
    _, kept, count = pages.page.evaluate(DECODED)
    assert kept == [each for each in range(kept[0], min(count, kept[-1] + 1)) if each != absent]
    assert kept[0] < at - 7
    assert kept[-1] >= min(at + 8, count - 2), "those behind it are made"
