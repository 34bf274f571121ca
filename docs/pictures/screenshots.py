"""Take pictures of the pages: every place, dark and light, wide and narrow, loading, empty, with an error, and full.

Usage: python docs/pictures/screenshots.py [--docs] [PLACE ...]

They are of the real program with the recordings and clips of `cutback demo --serve`. All go to build/screenshots, where
sheet-PLACE.webp shows all of a place side by side. Those in the docs are then in docs/pictures/pages. Names of places
make only their pictures, and --docs only those in the docs.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from playwright.sync_api import TimeoutError as TooSlowError
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "screenshots"

Theme = Literal["dark", "light"]
THEMES: tuple[Theme, ...] = ("dark", "light")
WIDTHS: Mapping[int, int] = {1440: 900, 390: 844}
"""The height for each width."""
FACES = ("loading", "empty", "error", "full")
SHRUNK = 3
"""How much smaller pictures are on a sheet."""
DOCS_WIDTH = 1200
QUALITY = 70
TIMEOUT_MILLISECONDS = 120_000

DAWN = "from=2026-06-21T05:29:50.000Z&to=2026-06-21T05:31:10.000Z"
SEA = "north-point.2026-06-21T05-30-00Z.mp4"


@dataclass(frozen=True)
class Place:
    """A place of the pages."""

    path: str
    sign: str
    """A selector of what is there once it is full."""
    empty: str = ""
    """The path of its empty face, if it is another one."""
    key: str = ""
    """What is pressed before the picture is taken."""


PLACES: Mapping[str, Place] = {
    "library": Place(f"/cameras/south-point?{DAWN}", ".wall .tile img", empty="/"),
    "recordings": Place("/recordings", ".wall .tile img"),
    "cutting-room": Place(f"/cut?recording={SEA}&at=14.5&in=12.4&out=20.9", ".foot b", empty="/cut"),
    "clips": Place("/clips", ".wall .tile img"),
    "clip": Place("/clips/first-wave-1", "video", empty="/clips/none"),
    "status": Place("/status", ".four"),
    "settings": Place("/settings", "main h2"),
    "keys": Place("/clips", ".wall .tile", key="?"),
}
IN_DOCS = {
    ("library", "full", "dark", 1440): "library",
    ("library", "full", "dark", 390): "library-phone",
    ("cutting-room", "full", "dark", 1440): "cutting-room",
    ("clips", "full", "light", 1440): "clips",
    ("clip", "full", "light", 1440): "clip",
    ("clip", "full", "dark", 390): "clip-phone",
    ("status", "full", "light", 1440): "status",
    ("settings", "full", "light", 1440): "settings",
}
"""Which pictures the docs show, under which name."""
SETTLED = """new Promise((done) => {
  let since = performance.now();
  new PerformanceObserver(() => (since = performance.now())).observe({type: 'resource'});
  const begun = since;
  const look = () => {
    const now = performance.now();
    const seen = [...document.images].filter((each) => each.getBoundingClientRect().top < innerHeight);
    const loading = seen.some((each) => !each.complete);
    if ((!loading && now - since > 3000) || now - begun > 60000) done(0);
    else setTimeout(look, 100);
  };
  look();
})"""
"""Resolves once every picture in the window is there and nothing has arrived for a while."""
PROBLEM = {
    "type": "about:blank",
    "title": "The records do not answer.",
    "status": 503,
    "detail": "The records do not answer. Try again.",
    "reason": "records_unavailable",
    "retryable": True,
}


@contextmanager
def working(data: Path) -> Iterator[None]:
    """Run `cutback worker` on this data folder: the status shows it."""
    command = [sys.executable, "-m", "cutback", "worker", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def served(data: Path) -> Iterator[str]:
    """Run `cutback api` on this data folder. Yields its address."""
    command = [sys.executable, "-m", "cutback", "api", "--json", "--listen", "127.0.0.1:0", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def _unanswered(_: Any) -> None:
    pass


def _refused(route: Any) -> None:
    route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(PROBLEM))


def take(page: Any, place: Place, face: str, urls: Mapping[str, str]) -> bytes:
    """Open a place with one of its faces, and return its picture as PNG."""
    handlers: dict[str, Callable[[Any], None]] = {"loading": _unanswered, "error": _refused}
    empty = face == "empty"
    if face in handlers:
        page.route("**/v1/**", handlers[face])
    page.goto(urls["empty" if empty else "full"] + (place.empty if empty and place.empty else place.path))
    signs = {"loading": "[aria-busy=true]", "error": "[role=alert], .face", "empty": "main, .face", "full": place.sign}
    with suppress(TooSlowError):  # the picture shows what is there instead
        page.wait_for_selector(signs[face], timeout=TIMEOUT_MILLISECONDS if face == "full" else 15_000)
    if face != "loading":
        with suppress(TooSlowError):
            page.wait_for_selector("[aria-busy=true]", state="detached", timeout=15_000)
        page.evaluate(SETTLED)
    if place.key:
        page.keyboard.press(place.key)
    picture: bytes = page.screenshot(timeout=TIMEOUT_MILLISECONDS)
    page.unroute_all(behavior="ignoreErrors")
    return picture


def sheet(pictures: Mapping[tuple[str, str, int], bytes]) -> Image.Image:
    """Put all pictures of a place side by side: a row for each theme, its wide ones first."""
    rows = [[each for each in pictures if each[1] == theme] for theme in THEMES]
    height = max(WIDTHS.values()) // SHRUNK
    width = max(sum(each[2] // SHRUNK + 8 for each in row) for row in rows)
    made = Image.new("RGB", (width, (height + 8) * len(rows)), "#808080")
    for number, row in enumerate(rows):
        left = 0
        for each in sorted(row, key=lambda each: (-each[2], FACES.index(each[0]))):
            picture = Image.open(io.BytesIO(pictures[each])).convert("RGB")
            small = picture.reduce(SHRUNK)
            made.paste(small, (left, number * (height + 8)))
            left += small.width + 8
    return made


def keep(picture: bytes, name: str) -> None:
    """Put a picture into the docs."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    if image.width > DOCS_WIDTH:
        image = image.resize((DOCS_WIDTH, round(image.height * DOCS_WIDTH / image.width)), Image.Resampling.LANCZOS)
    image.save(HERE / "pages" / f"{name}.webp", quality=QUALITY, method=6)


def main(names: list[str], *, only_docs: bool) -> None:
    """Take the pictures of these places, or of all; or only those that the docs show."""
    BUILD.mkdir(parents=True, exist_ok=True)
    demo = [
        sys.executable,
        "-m",
        "cutback",
        "demo",
        "--serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        str(BUILD / "full"),
    ]
    subprocess.run(demo, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with ExitStack() as stack:
        stack.enter_context(working(BUILD / "full"))
        urls = {name: stack.enter_context(served(BUILD / name)) for name in ("full", "empty")}
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=program, headless=True, args=["--no-sandbox", "--disable-gpu", "--mute-audio"]
        )
        for name in names or list(PLACES):
            pictures: dict[tuple[str, str, int], bytes] = {}
            for theme, width in product(THEMES, WIDTHS):
                faces = [face for face in FACES if not only_docs or (name, face, theme, width) in IN_DOCS]
                context = browser.new_context(viewport={"width": width, "height": WIDTHS[width]}, color_scheme=theme)
                context.add_init_script(f"localStorage.setItem('cutback.theme', '{theme}')")
                for face in faces:
                    page = context.new_page()
                    picture = pictures[face, theme, width] = take(page, PLACES[name], face, urls)
                    (BUILD / f"{name}-{face}-{theme}-{width}.png").write_bytes(picture)
                    if (name, face, theme, width) in IN_DOCS:
                        keep(picture, IN_DOCS[name, face, theme, width])
                    page.close()
                context.close()
            if not only_docs:
                sheet(pictures).save(BUILD / f"sheet-{name}.webp", quality=QUALITY)
        browser.close()


if __name__ == "__main__":
    main([each for each in sys.argv[1:] if each != "--docs"], only_docs="--docs" in sys.argv)
