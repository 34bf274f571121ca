"""Every place in both themes and at both widths: axe-core finds nothing, nothing jumps, nothing is cut off."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.browser import chromium, without_complaints
from tests.support.media import cached_media
from tests.support.spec import MediaSpec
from tests.support.waiting import eventually
from tests.web.api_process import api_process
from tests.web.test_pages_in_chromium import MILLISECONDS, Installation

VENDOR = Path(__file__).resolve().parents[1] / "vendor"
AXE = VENDOR / "axe-core" / "axe.min.js"
SPEC = MediaSpec(frames=150, gop=30)
KEY = "north-point.2026-06-21T05-30-00Z.mp4"
SPAN = "from=2026-06-21T05:29:50.000Z&to=2026-06-21T05:30:10.000Z"

FINDINGS = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map((each) =>
  each.id + ': ' + each.nodes.map((node) => node.target.join(' ') + ' ' + node.failureSummary).join(' | '))"""
SHIFT = """new Promise((done) => { let sum = 0; new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) sum += each.value;
}).observe({type: 'layout-shift', buffered: true});
requestAnimationFrame(() => requestAnimationFrame(() => done(sum))); })"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

PLACES: dict[str, tuple[str, str]] = {
    "library": ("/cameras/north-point?" + SPAN, ".wall .tile"),
    "recordings": ("/recordings", ".wall .tile"),
    "cutting room": (f"/cut?recording={KEY}&in=1.0&out=2.0", ".exact[data-truth=exact]"),
    "clips": ("/clips", ".wall .tile"),
    "clip": ("/clips/made", "video"),
    "failed clip": ("/clips/failed", "[role=alert]"),
    "status": ("/status", ".four"),
    "settings": ("/settings", "main h2"),
    "cameras": ("/", ".cam"),
}


def test_axe_core_is_the_vendored_version() -> None:
    digest = re.search(
        r"^\| `axe-core/axe.min.js` .*`([0-9a-f]{64})`", (VENDOR / "README.md").read_text(), re.MULTILINE
    )
    assert digest is not None
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == digest[1]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("accessible")
    recordings = folder / "cutback-data" / "recordings"
    recordings.mkdir(parents=True)
    for key in (KEY, KEY.replace("north", "south")):
        shutil.copy(cached_media(SPEC, Path(pytestconfig.cache.mkdir("media"))), recordings / key)
    with api_process(folder, listen="127.0.0.1:0") as api:
        assert api.shell.run("scan")[0] == 0
        api.shell.start("worker")
        for name, begin in (("made", 1), ("failed", 50)):
            arguments = (
                "submit",
                "--recording",
                KEY,
                "--from",
                str(begin),
                "--to",
                str(begin + 1),
                "--id",
                name,
                "--wait",
            )
            assert api.shell.run(*arguments)[0] == (name == "failed")
        with chromium(api.url) as page:
            yield Installation(api, page)


@contextmanager
def window(installation: Installation, *, theme: str = "dark", width: int = 1440, zoom: int = 1) -> Iterator[Any]:
    """A page of a browser that prefers this theme. `zoom` enlarges everything, as browsers do: fewer, larger pixels."""
    context = installation.page.context.browser.new_context(
        viewport={"width": width // zoom, "height": 900 // zoom}, device_scale_factor=zoom, color_scheme=theme
    )
    page = context.new_page()
    page.set_default_timeout(MILLISECONDS)
    page.add_init_script(f"localStorage.setItem('cutback.theme', '{theme}')")
    try:
        with without_complaints(context):
            yield page
    finally:
        context.close()


def _open(page: Any, installation: Installation, place: str) -> None:
    path, sign = PLACES[place]
    page.goto(installation.api.url + path)
    page.wait_for_selector(sign)
    page.wait_for_selector("[aria-busy=true]", state="detached")


@pytest.fixture
def share(installation: Installation) -> str:
    """The address of a shared clip."""
    with window(installation) as page:
        _open(page, installation, "clip")
        page.click("button:text('Share')")
        link: str = page.wait_for_selector("input.link").input_value()
        return link


@pytest.mark.slow
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_and_nothing_jumps(installation: Installation, share: str, theme: str, width: int) -> None:
    findings: dict[str, object] = {}
    with window(installation, theme=theme, width=width) as page:

        def judge(place: str) -> None:
            page.evaluate(AXE.read_text(encoding="utf-8"))
            if found := page.evaluate(FINDINGS):
                findings[place] = found
            if (wider := page.evaluate(OVERFLOW)) > 0:
                findings[f"{place} is too wide"] = wider
            if (shift := page.evaluate(SHIFT)) >= 0.05:
                findings[f"{place} jumps"] = shift

        for place in PLACES:
            _open(page, installation, place)
            judge(place)
        page.keyboard.press("?")
        page.wait_for_selector("dialog[open]")
        judge("keys")
        page.goto(share)
        eventually(lambda: page.evaluate("document.querySelector('video').readyState > 0"), "the shared clip")
        judge("shared clip")
    assert findings == {}


@pytest.mark.slow
@pytest.mark.parametrize("width", [1440, 640])
def test_at_200_percent_nothing_is_cut_off(installation: Installation, width: int) -> None:
    cut_off: list[str] = []
    with window(installation, width=width, zoom=2) as page:
        for place in PLACES:
            _open(page, installation, place)
            if page.evaluate(OVERFLOW) > 0:
                cut_off.append(place)
    assert cut_off == []
