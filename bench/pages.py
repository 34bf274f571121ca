"""The section on the pages: how long a step to the frame beside takes, in Chromium on the real program."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.browser import FLAGS

from bench.node import start_node
from bench.sources import minute_of
from cutback.adapters.build import build
from cutback.catalogue.register import Arrival, register_all
from cutback.settings.settings import Settings

Say = Callable[[str], None]

STEPS = 90
"""More than the page keeps of decoded frames, and more than a group of pictures."""
FIRST = 400
"""The frame from which the steps forwards begin. Those backwards begin elsewhere, where no picture is kept."""
BACK = 1000
ENOUGH = 0.060
"""Seconds."""
PAUSE, REST = 0.1, 2.0
"""Seconds between two steps, as somebody does who presses the key quickly; and before the first of them."""
_KEY = "cam.2026-06-21T05-30-00Z.mp4"

_WATCH = """() => {
  const label = document.querySelector('.exact');
  globalThis.step = {};
  addEventListener('keydown', () => (globalThis.step = {pressed: performance.now()}), {capture: true});
  new MutationObserver(() => {
    const step = globalThis.step;
    if (label.dataset.truth !== 'exact' || step.asked) return;
    step.asked = true;
    requestAnimationFrame(() => {
      const canvas = document.querySelector('.frame canvas');
      step.shown = performance.now();
      const small = new OffscreenCanvas(96, 54).getContext('2d');
      small.drawImage(canvas, 0, 0, 96, 54);
      step.picture = String(small.getImageData(0, 0, 96, 54).data);
      step.frame = Number(label.dataset.frame);
    });
  }).observe(label, {attributes: true});
}"""
_DONE = """async () => {
  while (globalThis.step.frame === undefined) await new Promise((next) => setTimeout(next, 5));
  const {pressed, shown, frame, picture} = globalThis.step;
  return {seconds: (shown - pressed) / 1000, frame, picture};
}"""


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps in one direction."""

    direction: str
    seconds: Sequence[float]
    """Each from the key until the browser draws the page with that frame."""

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        """Seconds."""
        return statistics.quantiles(self.seconds, n=20)[-1]


def measure_pages(cache: Path, *, say: Say) -> list[Steps]:
    """Open a recording of 1080p H.264 in the cutting room, and step.

    Raises:
        SourcesError: the recording cannot be made.
        RuntimeError: another frame than the next one was shown, or the same picture for two frames.
    """
    folder = cache / f"pages-{os.getpid()}"
    recordings = folder / "data" / "recordings"
    recordings.mkdir(parents=True)
    node = None
    try:
        shutil.copy(minute_of(cache, "g2", say), recordings / _KEY)
        with build(Settings(data=folder / "data")) as services:
            register_all(services, [Arrival(_KEY)])
        node, port = start_node(folder / "data", 0)
        return _measure(f"http://127.0.0.1:{port}", say)
    finally:
        if node is not None:
            node.terminate()
            node.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _measure(address: str, say: Say) -> list[Steps]:
    from playwright.sync_api import sync_playwright  # only this section needs it

    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{address}/cut?recording={_KEY}&at=0")
        page.wait_for_selector(".exact[data-truth=exact]", timeout=120_000)
        page.evaluate(_WATCH)
        found = []
        for direction, key, begin, by in (("forwards", ".", FIRST, 1), ("backwards", ",", BACK, -1)):
            box = page.get_by_label("Time; type a time")
            box.fill(f"frame {begin}")
            box.press("Enter")
            box.blur()
            page.wait_for_selector(f".exact[data-truth=exact][data-frame='{begin}']")
            time.sleep(REST)
            found.append(Steps(direction, _step(page, key, begin, by)))
            say(f"pages: {direction}, median {found[-1].median * 1000:.0f} ms, p95 {found[-1].p95 * 1000:.0f} ms")
        browser.close()
    return found


def _step(page: Any, key: str, begin: int, by: int) -> list[float]:
    seconds, before = [], ""
    for number in range(1, STEPS + 1):
        time.sleep(PAUSE)
        page.keyboard.press(key)
        done = page.evaluate(_DONE)
        if done["frame"] != begin + by * number or done["picture"] == before:
            raise RuntimeError(f"frame {begin + by * number} was not shown: {done['frame']}")
        before = done["picture"]
        seconds.append(done["seconds"])
    return seconds
