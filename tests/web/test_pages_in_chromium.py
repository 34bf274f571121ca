"""The pages in a real browser, on the real program with a real worker: find, step, mark, cut, watch, share."""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from tests.support.browser import Complaints, chromium, without_complaints
from tests.support.decode import decode_presented
from tests.support.media import cached_media
from tests.support.picture import read_luma_counter
from tests.support.spec import MediaSpec
from tests.support.waiting import PATIENCE, eventually
from tests.web.api_process import ApiProcess, api_process

from cutback.domain.requests.edit_list import KINDS as EDITS
from cutback.domain.requests.outputs.known import KINDS as FORMATS
from cutback.domain.requests.request import ClipRequest

pytestmark = pytest.mark.slow

RECORDINGS = {
    "north-point.2026-06-21T05-30-00Z.mp4": MediaSpec(frames=150, gop=30),
    "north-point.2026-06-21T05-31-00Z.mp4": MediaSpec(frames=150, gop=50, bframes=3, open_gop=True),
    "north-point.2026-06-21T05-32-00Z.mp4": MediaSpec(frames=150, gop=30, fps=Fraction(30000, 1001)),
    "south-point.2026-06-21T05-30-00Z.mp4": MediaSpec(frames=120, gop=30),
    "west-point.2026-06-21T05-30-00Z.mp4": MediaSpec(frames=90, gop=30, codec="libx265", tag="hvc1", audio=None),
}
KEY = next(iter(RECORDINGS))
HEVC = "west-point.2026-06-21T05-30-00Z.mp4"
CLOCKED = "north-point.2026-06-21T05-32-00Z.mp4"
"""Its frames have times that no decimal number has."""
MILLISECONDS = PATIENCE * 1000

LUMA = """(source) => {
  const from = document.querySelector(source);
  const canvas = document.createElement('canvas');
  canvas.width = from.videoWidth || from.width; canvas.height = from.videoHeight || from.height;
  const pen = canvas.getContext('2d');
  pen.drawImage(from, 0, 0, canvas.width, canvas.height);
  const {data} = pen.getImageData(0, 0, canvas.width, canvas.height);
  let text = '';
  for (let i = 0; i < data.length; i += 4) {
    text += String.fromCharCode(Math.round(0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2]));
  }
  return {width: canvas.width, height: canvas.height, luma: btoa(text)};
}"""


@dataclass
class Installation:
    """A running program with recordings, and a browser."""

    api: ApiProcess
    page: Any
    complaints: Complaints = field(default_factory=Complaints)
    """Of the test that runs."""

    def open(self, path: str) -> None:
        self.page.goto(self.api.url + path)

    def counter(self, source: str = ".frame canvas") -> int:
        found = self.page.evaluate(LUMA, source)
        luma = np.frombuffer(base64.b64decode(found["luma"]), np.uint8).reshape(found["height"], found["width"])
        return read_luma_counter(luma)

    def shown(self) -> int:
        """The frame that the player says to show exactly."""
        self.page.wait_for_selector(".exact[data-truth=exact]", timeout=MILLISECONDS)
        return int(self.page.get_attribute(".exact", "data-frame"))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def step(self, key: str, frame: int) -> None:
        self.press(key)
        self.page.wait_for_selector(f".exact[data-truth=exact][data-frame='{frame}']", timeout=MILLISECONDS)

    def clips(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = httpx.get(f"{self.api.url}/v1/clips").json()["items"]
        return items


@contextmanager
def installed(
    folder: Path, recordings: Mapping[str, MediaSpec], cache: Path, **settings: str
) -> Iterator[Installation]:
    """The program with a worker and these recordings, by their keys, and a browser; `settings` are of the program."""
    kept = folder / "cutback-data" / "recordings"
    kept.mkdir(parents=True)
    for key, spec in recordings.items():
        shutil.copy(cached_media(spec, cache), kept / key)
    with api_process(folder, listen="127.0.0.1:0", **settings) as api:
        assert api.shell.run("scan")[0] == 0
        api.shell.start("worker")
        with chromium(api.url) as page:
            page.set_default_timeout(MILLISECONDS)
            yield Installation(api, page)


@contextmanager
def fresh(installation: Installation) -> Iterator[Installation]:
    """The browser without drafts, wide; the block fails if a page complains meanwhile."""
    page = installation.page
    page.set_viewport_size({"width": 1440, "height": 900})
    page.evaluate("localStorage.clear()")
    with without_complaints(page.context) as installation.complaints:
        yield installation
        page.unroute_all(behavior="ignoreErrors")


@contextmanager
def private_window(installation: Installation) -> Iterator[Any]:
    """A page that shares nothing with the others; the block fails if it complains."""
    context = installation.page.context.browser.new_context()
    try:
        with without_complaints(context):
            page = context.new_page()
            page.set_default_timeout(MILLISECONDS)
            yield page
    finally:
        context.close()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("pages"), RECORDINGS, Path(pytestconfig.cache.mkdir("media"))) as made:
        yield made


@pytest.fixture
def pages(installation: Installation) -> Iterator[Installation]:
    """The browser without drafts; a test fails if a page complains meanwhile, or is refused something."""
    with fresh(installation) as pages:
        yield pages


@pytest.mark.parametrize("key", [key for key in RECORDINGS if key.startswith("north")])
def test_the_frame_that_is_named_is_the_frame_that_is_seen(pages: Installation, key: str) -> None:
    pages.open(f"/cut?recording={key}&at=1")
    first = pages.shown()
    assert pages.counter() == first
    pages.step("ArrowRight", first + 1)
    assert pages.counter() == first + 1
    pages.step(",", first)
    pages.step(",", first - 1)
    assert pages.counter() == first - 1
    for wanted in (147, 0, 61, 29, 30):
        box = pages.page.get_by_label("Time; type a time")
        box.fill(f"frame {wanted}")
        box.press("Enter")
        pages.page.wait_for_selector(f".exact[data-truth=exact][data-frame='{wanted}']")
        assert pages.counter() == wanted


@pytest.mark.parametrize("key", [key for key in RECORDINGS if key.startswith("north")])
def test_what_plays_is_where_it_says(pages: Installation, key: str) -> None:
    """The video element plays from the frame on show, or the decoder where Chromium's element gives up."""
    pages.open(f"/cut?recording={key}&at=1")
    first = pages.shown()
    pages.press(" ")
    eventually(lambda: int(pages.page.get_attribute(".exact", "data-frame")) > first + 5, "it plays")
    pages.press(" ")
    frame = pages.shown()
    assert pages.counter() == frame
    pages.press("[", " ")
    pages.page.wait_for_selector(f".exact[data-truth=exact][data-frame='{RECORDINGS[key].frames - 1}']")
    assert pages.counter() == RECORDINGS[key].frames - 1, "it stops with the last frame"


def test_a_clip_is_found_cut_and_watched_by_keys_alone(pages: Installation) -> None:
    before = {clip["id"] for clip in pages.clips()}
    pages.open(f"/cut?recording={KEY}&at=1")
    first = pages.shown()
    pages.press("i")
    box = pages.page.get_by_label("Time; type a time")
    box.fill("frame 74")
    box.press("Enter")
    box.blur()
    pages.page.wait_for_selector(".exact[data-truth=exact][data-frame='74']")
    pages.press("o")
    pages.page.wait_for_selector(".foot b")
    assert "45 frames" in pages.page.inner_text(".foot") or "frames copied" in pages.page.inner_text(".foot")
    pages.press("Enter")
    pages.page.wait_for_selector(".toast")
    eventually(lambda: any(each["id"] not in before and each["state"] == "ready" for each in pages.clips()), "the clip")
    (clip,) = (each for each in pages.clips() if each["id"] not in before)
    content = httpx.get(clip["media"]["clip"]).content
    assert decode_presented(content).counters == list(range(first, 75))

    pages.open("/clips")
    pages.page.click(f"a[href='/clips/{clip['id']}']")
    pages.page.wait_for_selector("video")
    pages.page.evaluate("document.querySelector('video').play()")
    eventually(lambda: pages.page.evaluate("document.querySelector('video').ended"), "the clip's end")


def test_a_clip_with_the_cameras_clock_has_the_frames_that_were_marked(pages: Installation) -> None:
    """The clock needs the camera's time, so the request names moments instead of frames."""
    before = {clip["id"] for clip in pages.clips()}
    pages.open(f"/cut?recording={CLOCKED}&in=1.0&out=2.0")
    pages.shown()
    pages.page.select_option("[aria-label='Add an edit']", "clock")
    pages.page.select_option("[aria-label=Place]", "center")
    pages.page.wait_for_selector(".foot b")
    pages.press("Enter")
    eventually(lambda: any(each["id"] not in before and each["state"] == "ready" for each in pages.clips()), "the clip")
    (clip,) = (each for each in pages.clips() if each["id"] not in before)
    assert clip["request"]["source"][0]["camera"] == "north-point"
    assert decode_presented(httpx.get(clip["media"]["clip"]).content).counters == list(range(30, 60))


AT_ONCE = """async (keys) => {
  for (const key of keys) {
    document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
    await new Promise((next) => { // before anything is painted
      const channel = new MessageChannel();
      channel.port1.onmessage = next;
      channel.port2.postMessage(0);
    });
  }
}"""


def test_keys_that_are_pressed_at_once_follow_each_other(pages: Installation) -> None:
    with _planned(pages) as asked:
        pages.page.evaluate("localStorage.clear()")
        pages.open(f"/cut?recording={KEY}&at=1.2")
        pages.shown()
        pages.page.evaluate(AT_ONCE, ["i", "o"])
        source = {"recording": KEY, "start": {"frame": 36}, "end": {"frame": 37}}
        _asked(pages, asked, source=source)


def test_changes_are_undone_and_drafts_survive_a_reload(pages: Installation) -> None:
    pages.open(f"/cut?recording={KEY}&at=2")
    pages.page.evaluate("localStorage.clear()")
    pages.open(f"/cut?recording={KEY}&at=2")
    pages.shown()
    pages.press("a")
    pages.page.wait_for_selector(".chip")
    pages.press("a", "i")
    marked = pages.page.inner_text(".chip small")
    pages.press("Control+z")
    eventually(lambda: pages.page.inner_text(".chip small") != marked, "the undo")
    pages.press("Control+Shift+Z")
    eventually(lambda: pages.page.inner_text(".chip small") == marked, "the redo")
    pages.page.reload()
    pages.page.wait_for_selector(".chip")
    assert pages.page.inner_text(".chip small") == marked


@contextmanager
def _planned(pages: Installation) -> Iterator[list[dict[str, Any]]]:
    """The requests whose plans the page asks for; all get the same plan, which takes no time."""
    asked: list[dict[str, Any]] = []
    body = {"source": {"recording": KEY, "start": {"frame": 30}, "end": {"frame": 60}}}
    plan = httpx.post(f"{pages.api.url}/v1/plans", json=body, timeout=PATIENCE).text

    def answer(route: Any) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(status=200, content_type="application/json", body=plan)

    pages.page.route("**/v1/plans", answer)
    try:
        yield asked
    finally:
        pages.page.unroute("**/v1/plans")


def _fresh(pages: Installation, query: str = "in=1.0&out=2.0&at=1.2") -> None:
    """Open the cutting room without a draft."""
    pages.page.evaluate("localStorage.clear()")
    pages.open(f"/cut?recording={KEY}&{query}")
    pages.shown()
    pages.page.wait_for_selector("[aria-label='Add an edit']:not([disabled])")


def _last(pages: Installation, asked: list[dict[str, Any]]) -> dict[str, Any]:
    """The newest request; routes are answered only while something is asked of the browser."""
    pages.page.evaluate("0")
    return asked[-1] if asked else {}


def _asked(pages: Installation, asked: list[dict[str, Any]], **wanted: Any) -> None:
    """Wait until the page asks for these fields; what it asks is a valid request."""
    eventually(lambda: wanted.items() <= _last(pages, asked).items(), f"{wanted} in a request")
    ClipRequest.model_validate(asked[-1])


def _asked_for(pages: Installation, asked: list[dict[str, Any]], kind: str) -> None:
    """Wait until the page asks for this edit first."""
    eventually(lambda: _last(pages, asked).get("edits", [{}])[0].get("edit") == kind, kind)


OUTPUTS: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("mp4", {"Quality": "small", "Codec": "hevc"}, {"codec": "hevc", "quality": "small"}),
    ("mov", {"Ends": "keyframe"}, {"format": "mov", "precision": "keyframe"}),
    ("webm", {"Quality": "max_size", "Codec": "av1"}, {"format": "webm", "codec": "av1", "max_size": "10MB"}),
    ("hls", {}, {"format": "hls"}),
    ("gif", {}, {"format": "gif"}),
    ("webp", {}, {"format": "webp"}),
    ("jpeg", {}, {"format": "jpeg", "at": 0.2}),
    ("png", {}, {"format": "png", "at": 0.2}),
    *((each, {}, {"format": each}) for each in ("m4a", "mp3", "wav", "opus", "flac")),
]


def test_every_format_and_preset_is_offered(pages: Installation) -> None:
    assert {each[0] for each in OUTPUTS} == set(FORMATS)
    page = pages.page
    with _planned(pages) as asked:
        _fresh(pages)
        for name, choices, output in OUTPUTS:
            page.select_option("[aria-label=Format]", name)
            for label, choice in choices.items():
                page.select_option(f"[aria-label='{label}']", choice)
            _asked(pages, asked, output=output)
            pages.press("Control+z", *["Control+z" for _ in choices])
        page.select_option("[aria-label=Format]", "hls")
        page.click("[aria-label=Qualities] button:text('720')")
        page.click("[aria-label=Qualities] button:text('360')")
        _asked(pages, asked, output={"format": "hls", "qualities": [720, 360]})
        page.select_option("[aria-label=Format]", "gif")
        page.fill("[aria-label='Size at most']", "2 MB")
        page.press("[aria-label='Size at most']", "Enter")
        _asked(pages, asked, output={"format": "gif", "max_size": "2 MB"})
        page.select_option("[aria-label=Format]", "mp4")
        page.select_option("[aria-label='Use a preset']", "share")
        scale = {"edit": "scale", "width": 1280, "height": 720}
        eventually(lambda: _last(pages, asked).get("edits", [])[:1] == [scale], "the preset's edits")
        page.select_option("select[aria-label=Size]", "360")
        smaller = {"edit": "scale", "height": 360}
        eventually(lambda: _last(pages, asked).get("edits", [])[:1] == [smaller], "the size")


def test_chapters_begin_with_the_frames_on_show(pages: Installation) -> None:
    page = pages.page
    with _planned(pages) as asked:
        _fresh(pages, "in=1.0&out=3.0&at=1.4")
        eventually(lambda: "source" in _last(pages, asked), "a request")
        assert "chapters" not in asked[-1]
        page.select_option("[aria-label=Chapters]", "frames")
        page.fill("[aria-label='Title of chapter 1']", "Left 波")
        page.press("[aria-label='Title of chapter 1']", "Enter")
        eventually(lambda: _titles(pages, asked) == ["Left 波"], "the chapter")
        [chapter] = _last(pages, asked)["chapters"]
        assert abs(chapter["at"] - 0.4) < 0.04, "in the time of the clip, not of the recording"
        ClipRequest.model_validate(asked[-1])
        pages.press("End")
        page.click("button:has-text('Another from this frame on')")
        page.wait_for_selector("[aria-label='Title of chapter 2']")
        page.select_option("[aria-label=Format]", "webm")
        eventually(lambda: _last(pages, asked).get("output", {}).get("format") == "webm", "the format")
        assert _titles(pages, asked) == ["Left 波"], "the other one is outside of the range"
        page.click("[aria-label='Remove chapter 2']")
        page.click("[aria-label='Remove chapter 1']")
        eventually(lambda: _last(pages, asked).get("chapters") == [], "no chapters")
        page.select_option("[aria-label=Format]", "gif")
        assert not page.query_selector("[aria-label=Chapters]")


REOPENED: list[tuple[dict[str, Any], list[Any]]] = [
    ({"edit": "speed", "speed": 2}, [0.5, 1, 1.5, 1.8]),
    ({"edit": "freeze", "at": 0.2, "duration": 0.1}, [0.5, {"finished": "1"}, 1.5, 1.8]),
]
"""An edit of a clip, and where its chapters begin when it is opened again. A freeze moves them as no frame says."""


@pytest.mark.parametrize(("edit", "wanted"), REOPENED)
def test_a_clip_that_is_opened_again_has_the_chapters_that_were_written(
    pages: Installation, edit: dict[str, Any], wanted: list[Any]
) -> None:
    name = f"chaptered-{edit['edit']}"
    points = ["0:00.5", {"finished": 1}, "2026-06-21T05:30:02.5Z", "-0.2"]
    if edit["edit"] == "speed":
        points[1] = {"finished": 0.5}
    body = {
        "source": {"camera": "north-point", "from": "2026-06-21T05:30:01Z", "to": "2026-06-21T05:30:03Z"},
        "edits": [edit],
        "chapters": [{"at": at, "title": f"Chapter {i}"} for i, at in enumerate(points)],
        "id": name,
    }
    httpx.post(f"{pages.api.url}/v1/clips", json=body, timeout=PATIENCE).raise_for_status()
    eventually(lambda: any(each["id"] == name and each["state"] == "ready" for each in pages.clips()), "the clip")
    with _planned(pages) as asked:
        pages.open(f"/cut?recording={KEY}&clip={name}")
        pages.shown()
        pages.page.wait_for_selector("[aria-label='Title of chapter 4']")
        eventually(lambda: "chapters" in _last(pages, asked), "a request")
    assert [each["at"] for each in asked[-1]["chapters"]] == wanted
    ClipRequest.model_validate(asked[-1])


def test_the_first_chapter_is_in_the_clip_and_one_outside_is_said_to_be_left_out(pages: Installation) -> None:
    page = pages.page
    with _planned(pages) as asked:
        _fresh(pages, "in=1.0&out=2.0&at=4.0")
        page.select_option("[aria-label=Chapters]", "frames")
        eventually(lambda: [each["at"] for each in _last(pages, asked).get("chapters", [])] == [0], "the beginning")
        assert "left out" not in page.inner_text("[aria-label=Output]")
        page.click("button:has-text('Another from this frame on')")
        page.wait_for_selector("p:text('chapter 2 is left out')")
        assert len(_last(pages, asked)["chapters"]) == 1


def _titles(pages: Installation, asked: list[Any]) -> list[str]:
    return [each["title"] for each in _last(pages, asked).get("chapters", [])]


def test_a_still_is_the_frame_on_show_when_it_was_chosen(pages: Installation) -> None:
    before = {clip["id"] for clip in pages.clips()}
    _fresh(pages, "in=1.0&out=2.0&at=1.4")
    frame = pages.shown()
    pages.page.select_option("[aria-label=Format]", "png")
    pages.press("Home")
    pages.page.wait_for_selector(".foot span:not(.muted) > b")
    pages.press("Enter")
    eventually(lambda: any(each["id"] not in before and each["state"] == "ready" for each in pages.clips()), "the clip")
    (clip,) = (each for each in pages.clips() if each["id"] not in before)
    picture = Image.open(io.BytesIO(httpx.get(clip["media"]["clip"]).content)).convert("L")
    assert read_luma_counter(np.asarray(picture)) == frame


def test_every_edit_is_a_card_that_makes_a_valid_request(pages: Installation) -> None:
    page = pages.page
    with _planned(pages) as asked:
        _fresh(pages)
        offered = page.locator("[aria-label='Add an edit'] option").evaluate_all("all => all.map(each => each.value)")
        assert offered[1:] == list(EDITS), "all of them, in the order of their stages"
        for kind in EDITS:
            page.select_option("[aria-label='Add an edit']", kind)
            if kind in {"image", "music"}:
                page.wait_for_selector(".foot .fault:has-text('Asset is missing')")
                page.fill("[aria-label=Asset]", "a.png")
                page.press("[aria-label=Asset]", "Enter")
            _asked_for(pages, asked, kind)
            assert asked[-1]["edits"][0].keys() <= EDITS[kind].model_json_schema()["properties"].keys()
            ClipRequest.model_validate(asked[-1])
            page.click(".card header button[title=Remove]")


def test_cards_are_ordered_within_their_stage_and_switched_off(pages: Installation) -> None:
    page = pages.page
    with _planned(pages) as asked:
        _fresh(pages)

        def kinds() -> list[str]:
            return [each["edit"] for each in _last(pages, asked).get("edits", [])]

        for kind in ("fade", "text", "crop", "clock"):
            page.select_option("[aria-label='Add an edit']", kind)
        eventually(lambda: kinds() == ["crop", "text", "clock", "fade"], "the order of stages")
        page.locator("[aria-label='Move Clock; arrow keys move it']").scroll_into_view_if_needed()
        grip = page.locator("[aria-label='Move Clock; arrow keys move it']").bounding_box()
        over = page.locator(".card[data-kind=text] header").bounding_box()
        page.mouse.move(grip["x"] + 8, grip["y"] + 8)
        page.mouse.down()
        page.mouse.move(grip["x"] + 8, over["y"] + 10, steps=4)
        page.mouse.up()
        eventually(lambda: kinds() == ["crop", "clock", "text", "fade"], "the order after the drag")
        pages.press("Control+z")
        eventually(lambda: kinds() == ["crop", "text", "clock", "fade"], "the undo of the drag")
        page.click("[aria-label='Crop is on']")
        eventually(lambda: kinds() == ["text", "clock", "fade"], "the crop switched off")
        pages.press("Control+z")
        eventually(lambda: kinds() == ["crop", "text", "clock", "fade"], "the undo of the switch")


def test_a_crop_follows_when_its_box_is_dragged_at_two_frames(pages: Installation) -> None:
    page = pages.page
    with _planned(pages) as asked:
        _fresh(pages, "in=1.0&out=2.0&at=1.0")
        page.select_option("[aria-label='Add an edit']", "crop")
        page.click("text=Follow something")
        for frame, by in ((30, -40), (45, 40)):
            box = page.get_by_label("Time; type a time")
            box.fill(f"frame {frame}")
            box.press("Enter")
            page.wait_for_selector(f".exact[data-truth=exact][data-frame='{frame}']")
            crop = page.locator(".cropbox").bounding_box()
            page.mouse.move(crop["x"] + 30, crop["y"] + 90)
            page.mouse.down()
            page.mouse.move(crop["x"] + 30 + by, crop["y"] + 90, steps=3)
            page.mouse.up()
        eventually(lambda: len(_last(pages, asked).get("edits", [{}])[0].get("path", ())) == 2, "two points")
        ClipRequest.model_validate(asked[-1])
        first, last = asked[-1]["edits"][0]["path"]
        assert (first["at"], last["at"]) == (0, 0.5)
        assert float(first["x"].removesuffix("%")) < float(last["x"].removesuffix("%"))
        middle = page.locator(".cropbox").bounding_box()["x"]
        pages.press("Shift+ArrowLeft")
        eventually(lambda: page.locator(".cropbox").bounding_box()["x"] < middle - 20, "the box at the first point")


def test_overlays_are_placed_by_dragging_them_on_the_picture(pages: Installation) -> None:
    page = pages.page
    with _planned(pages) as asked:
        _fresh(pages)
        page.select_option("[aria-label='Add an edit']", "text")
        box = page.locator(".overlay.text").bounding_box()
        area = page.locator(".frame").bounding_box()
        page.mouse.move(box["x"] + 5, box["y"] + 5)
        page.mouse.down()
        page.mouse.move(area["x"] + area["width"] * 0.15, area["y"] + area["height"] * 0.1, steps=3)
        page.mouse.up()
        eventually(lambda: _last(pages, asked).get("edits", [{}])[0].get("place") == "top-left", "the new place")
        moved = page.locator(".overlay.text").bounding_box()
        assert moved["y"] + moved["height"] < area["y"] + area["height"] / 3
        page.select_option("[aria-label='Add an edit']", "fade")
        assert page.locator(".fading").count() == 1, "0.2 s into a fade of 0.5 s"
        pages.press("]")
        pages.shown()
        assert float(page.locator(".fading").evaluate("each => each.style.opacity")) > 0.8, "the end of the fade"


def test_a_fade_from_the_poster_shows_the_poster_over_the_first_frames(pages: Installation) -> None:
    page = pages.page
    fading = page.locator(".fading.poster")
    with _planned(pages) as asked:
        _fresh(pages)
        page.select_option("[aria-label='Add an edit']", "crop")
        page.select_option("[aria-label='Add an edit']", "fade")
        page.click("[data-kind=fade] summary")
        for typed, poster, frame in (("0.8", 0.8, 54), ("-0", "-0", 59)):
            page.fill("[data-kind=fade] [aria-label=Poster]", typed)
            page.press("[data-kind=fade] [aria-label=Poster]", "Enter")
            fade = {"edit": "fade", "in": 0.5, "out": 0.5, "poster": poster}
            eventually(partial(_edit_is, pages, asked, fade), f"the poster at {typed}")
            page.wait_for_selector(f".fading.poster[data-frame='{frame}']")
        pages.press("[")
        pages.shown()
        eventually(lambda: fading.evaluate(FADING)["width"] > 0, "the picture of the poster")
        first = fading.evaluate(FADING)
        assert first["opacity"] == 1, "the clip begins with the poster"
        box = page.locator(".cropbox").bounding_box()
        area = fading.bounding_box()
        assert [area[side] for side in ("x", "width")] == [pytest.approx(box[side], abs=3) for side in ("x", "width")]
        assert first["whole"] / area["width"] == pytest.approx((16 / 9) / (9 / 16), rel=0.02), "the same part of it"
        _fresh(pages, "in=1.0&out=2.0&at=1.8")
        assert fading.count() == 0, "behind the fade"


def _edit_is(pages: Installation, asked: list[dict[str, Any]], wanted: dict[str, Any]) -> bool:
    return bool(_last(pages, asked).get("edits", [None])[-1] == wanted)


FADING = """each => {
  const picture = each.querySelector('img');
  return {
    opacity: Number(each.style.opacity),
    width: picture?.naturalWidth || 0, whole: picture?.getBoundingClientRect().width || 0,
  };
}"""


def test_a_clock_with_a_format_is_drawn_as_the_format_says(pages: Installation) -> None:
    page = pages.page
    page.evaluate("localStorage.clear()")
    pages.open(f"/cut?recording={CLOCKED}&in=1.0&out=2.0&at=1.0")
    pages.shown()
    page.wait_for_selector("[aria-label='Add an edit']:not([disabled])")
    page.select_option("[aria-label='Add an edit']", "clock")
    clock = page.locator(".overlay.clock")
    plain = clock.inner_text().split()
    page.click("[data-kind=clock] summary")
    page.fill("[data-kind=clock] [aria-label=Format]", "{day}.{month}.{year} {hour12}h{minute} {ampm}")
    page.press("[data-kind=clock] [aria-label=Format]", "Enter")
    year, month, day = plain[-2].split("-")
    hour, minute, _ = plain[-1].split(":")
    half = "AM" if int(hour) < 12 else "PM"
    words = [plain[0], f"{day}.{month}.{year}", f"{int(hour) % 12 or 12:02}h{minute}", half]
    eventually(lambda: clock.inner_text().split() == words, "the format")


SEEN = """() => {
  window.seen = [];
  const label = document.querySelector('.exact');
  new MutationObserver(() => window.seen.push(Number(label.dataset.frame))).observe(label, {attributes: true});
}"""


def test_a_join_is_played_without_what_lies_between_and_has_a_crossfade(pages: Installation) -> None:
    page = pages.page
    with _planned(pages) as asked:
        _fresh(pages, "in=0.5&out=1.0&at=0.5")
        page.click("[aria-label=Ranges] button:text('Add')")
        for key, frame in (("i", 90), ("o", 119)):
            box = page.get_by_label("Time; type a time")
            box.fill(f"frame {frame}")
            box.press("Enter")
            page.wait_for_selector(f".exact[data-truth=exact][data-frame='{frame}']")
            pages.press(key)
        page.evaluate(SEEN)
        pages.press("e")
        page.wait_for_selector(".exact[data-truth=exact][data-frame='119']")
        seen = page.evaluate("window.seen")
        assert not [frame for frame in seen if 30 <= frame < 90], "between the ranges"
        assert {each < 30 for each in seen} == {True, False}, "the ends of both"
        page.fill("[aria-label='Seconds of crossfade']", "0.2")
        page.press("[aria-label='Seconds of crossfade']", "Enter")
        eventually(lambda: _last(pages, asked)["source"][-1].get("join") == {"crossfade": 0.2}, "the crossfade")
        assert [each["start"]["frame"] for each in asked[-1]["source"]] == [15, 90]
        page.click("[aria-label='Move range 2 up']")
        eventually(lambda: _last(pages, asked)["source"][0]["start"]["frame"] == 90, "the other order")


def test_what_no_browser_decodes_is_played_as_a_preview_and_said_to_be_approximate(pages: Installation) -> None:
    pages.open(f"/cut?recording={HEVC}&at=0.5")
    first = pages.shown()
    assert "from the server" in pages.page.inner_text(".exact")
    assert pages.counter() == first
    pages.press(" ")
    pages.page.wait_for_selector(".exact[data-truth=approximate]")
    eventually(lambda: int(pages.page.get_attribute(".exact", "data-frame")) > first + 3, "it plays")
    pages.page.wait_for_selector(".exact[data-truth=exact][data-frame='89']")
    assert pages.counter() == 89


def test_drafts_are_the_same_in_all_tabs_and_open_from_a_link(pages: Installation) -> None:
    page = pages.page
    with _planned(pages):
        _fresh(pages)
        with page.expect_popup() as opened:
            page.evaluate("address => void window.open(address)", f"/cut?recording={KEY}")
        other = opened.value
        try:
            other.set_default_timeout(MILLISECONDS)
            other.wait_for_selector(".chip")
            page.fill("[aria-label='Name of range 1']", "Left at the point")
            page.press("[aria-label='Name of range 1']", "Enter")
            eventually(lambda: other.input_value(".chip input") == "Left at the point", "the name in the other tab")
        finally:
            other.close()
        page.evaluate(
            "Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (t) => { window.t = t }}})"
        )
        page.click("button:text('Copy link')")
        page.wait_for_selector(".toast:has-text('copied')")
        link = page.evaluate("window.t")
    with private_window(pages) as guest:
        guest.goto(link)
        name = "document.querySelector('.chip input')?.value"
        eventually(lambda: guest.evaluate(name) == "Left at the point", "the name in the private window")


SMALL = """() => [...document.querySelectorAll('main button:not(.handle), main select, main input')]
  .map((each) => ({name: each.ariaLabel || each.textContent, box: each.getBoundingClientRect()}))
  .filter(({box}) => box.width && (box.width < 44 || box.height < 44))
  .map(({name, box}) => `${name}: ${box.width} x ${box.height}`)"""


def test_on_a_phone_everything_can_be_touched(pages: Installation) -> None:
    page = pages.page
    page.set_viewport_size({"width": 390, "height": 844})
    with _planned(pages):
        _fresh(pages)
        for kind in ("crop", "speed", "text", "clock", "fade"):
            page.select_option("[aria-label='Add an edit']", kind)
        assert page.evaluate(SMALL) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        player, panel = page.locator(".stage").bounding_box(), page.locator(".panel").bounding_box()
        assert panel["y"] > player["y"] + player["height"], "the panel is under the player"


def test_a_key_can_be_changed_in_the_sheet(pages: Installation) -> None:
    page = pages.page
    _fresh(pages)
    pages.press("?")
    page.click("button:has-text('Change the key: one frame on')")
    pages.press("i")
    page.wait_for_selector("dialog [role=alert]:has-text('in here')")
    pages.press("n", "Escape")
    page.wait_for_selector("dialog", state="detached")
    frame = pages.shown()
    pages.step("n", frame + 1)
    page.evaluate("localStorage.clear()")


def test_a_moment_is_found_on_the_strip_and_on_the_other_camera(pages: Installation) -> None:
    span = "from=2026-06-21T05:29:50.000Z&to=2026-06-21T05:30:10.000Z"
    pages.open(f"/cameras/north-point?{span}")
    pages.page.wait_for_selector(".tile")
    box = pages.page.locator(".strip").bounding_box()
    middle = box["y"] + box["height"] / 2
    pages.page.mouse.move(box["x"] + box["width"] * 0.55, middle)
    pages.page.wait_for_selector(".peek img")
    pages.page.mouse.down()
    pages.page.mouse.move(box["x"] + box["width"] * 0.65, middle, steps=5)
    pages.page.mouse.up()
    assert "05:30:01" in pages.page.inner_text(".picking")
    pages.press("m")
    pages.page.wait_for_selector("h1:text('south-point')")
    assert span.split("&", maxsplit=1)[0].split("=")[1][:16] in pages.page.evaluate(
        "decodeURIComponent(location.search)"
    )
    pages.page.wait_for_selector(".tile")


def test_a_shared_clip_opens_in_a_private_window(pages: Installation) -> None:
    clip = pages.api.shell.json("submit", "--recording", KEY, "--from", "1", "--to", "2", "--id", "shared", "--wait")
    assert clip["state"] == "ready"
    pages.open("/clips/shared")
    pages.page.click("button:text('Share')")
    link = pages.page.wait_for_selector("input.link").input_value()
    with private_window(pages) as other:
        assert other.goto(link).status == 200
        eventually(lambda: other.evaluate("document.querySelector('video').readyState > 0"), "the video")


def test_a_failed_clip_says_why_and_is_tried_again(pages: Installation) -> None:
    pages.api.shell.run("submit", "--recording", KEY, "--from", "50", "--to", "60", "--id", "beyond", "--wait")
    pages.open("/clips/beyond")
    assert "does not overlap" in pages.page.inner_text("[role=alert]")
    pages.page.click("button:text('Try again')")
    eventually(lambda: pages.clips()[0]["attempt"] >= 1, "another try")
    eventually(lambda: "does not overlap" in pages.page.inner_text("main"), "the same failure")


@pytest.mark.parametrize("width", [1440, 390])
def test_no_place_is_wider_than_the_window_or_moves_while_it_loads(pages: Installation, width: int) -> None:
    pages.page.set_viewport_size({"width": width, "height": 844})
    for path in ("/", "/clips", "/status", "/settings", f"/cut?recording={KEY}"):
        pages.open(path)
        pages.page.wait_for_selector("main:not([aria-busy])")
        pages.page.wait_for_load_state("networkidle") if path == "/settings" else None
        assert pages.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        shift = pages.page.evaluate(
            "new Promise((done) => { let sum = 0; new PerformanceObserver((list) => list.getEntries().forEach((each) =>"
            " { if (!each.hadRecentInput) sum += each.value; })).observe({type: 'layout-shift', buffered: true});"
            " setTimeout(() => done(sum), 300); })"
        )
        assert shift < 0.05, path


@contextmanager
def _offline(page: Any) -> Iterator[None]:
    page.context.set_offline(True)
    try:
        yield
    finally:
        page.context.set_offline(False)


def test_without_a_network_the_page_says_so_and_goes_on_later(pages: Installation) -> None:
    page = pages.page
    pages.open("/clips")
    page.wait_for_selector(".tile, .face:has-text('No clip')")
    pages.complaints.expect("net::ERR_INTERNET_DISCONNECTED")
    with _offline(page):
        page.click("button:text('Failed')")
        page.wait_for_selector("[role=alert]:has-text('does not answer')")
    page.click("button:text('Try again')")
    page.wait_for_selector(".tile, .face:has-text('No clip')")
