"""The frame that is named is the frame that is seen, for every kind of timing: numbers are read from the pictures."""

from __future__ import annotations

import bisect
import itertools
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.media.recordings import ReferenceRecording, reference_recording
from tests.support.browser import chromium
from tests.support.waiting import PATIENCE
from tests.web.api_process import api_process
from tests.web.test_pages_in_chromium import MILLISECONDS, Installation, fresh

pytestmark = pytest.mark.slow

DECODED = ["vfr", "rate-changes", "held", "pyramid", "edit-list", "negative-cts", "fragmented", "open-gop", "29.97"]
"""Kinds of recordings (tests/media/recipes.py) that Chromium's decoder shows. In some, the first frame is not at 0."""
BY_SERVER = ["hevc", "hevc-open"]

PLACED = """async ({time}) => {
  const video = document.querySelector('.frame video');
  const shown = new Promise((done) => video.requestVideoFrameCallback((_, about) => done(about.mediaTime)));
  video.currentTime = time;
  return await Promise.race([shown, new Promise((done) => setTimeout(done, 20000, null))]);
}"""
"""Where the element says to be after a seek."""


@pytest.fixture(scope="module")
def references(pytestconfig: pytest.Config) -> dict[str, ReferenceRecording]:
    folder = Path(pytestconfig.cache.mkdir("media"))
    return {name: reference_recording(name, folder) for name in (*DECODED, *BY_SERVER)}


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, references: dict[str, ReferenceRecording]
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("exact")
    kept = folder / "cutback-data" / "recordings"
    kept.mkdir(parents=True)
    for name, one in references.items():
        shutil.copy(one.path, kept / _key(name, one))
    with api_process(folder, listen="127.0.0.1:0") as api:
        assert api.shell.run("scan")[0] == 0
        with chromium(api.url) as page:
            page.set_default_timeout(MILLISECONDS)
            yield Installation(api, page)


@pytest.fixture
def pages(installation: Installation) -> Iterator[Installation]:
    with fresh(installation) as pages:
        yield pages


def _key(name: str, one: ReferenceRecording) -> str:
    return f"{name.replace('.', '-')}.2026-06-21T05-30-00Z{one.path.suffix}"


def _go(pages: Installation, frame: int) -> None:
    """Show a frame by typing its number."""
    box = pages.page.get_by_label("Time; type a time")
    box.fill(f"frame {frame}")
    box.press("Enter")
    box.blur()
    pages.page.wait_for_selector(f".exact[data-truth=exact][data-frame='{frame}']")


def _frames(one: ReferenceRecording) -> list[int]:
    """The first and the last, those around keyframes, and some between them."""
    count = len(one.counters)
    around = {frame + by for frame in one.keyframes[1:4] for by in (-1, 0, 1)}
    return sorted({0, 1, count // 3, count // 2, count - 2, count - 1} | {each for each in around if 0 <= each < count})


@pytest.mark.parametrize("name", [*DECODED, *BY_SERVER])
def test_the_frame_that_is_named_is_the_frame_that_is_seen(
    pages: Installation, references: dict[str, ReferenceRecording], name: str
) -> None:
    one = references[name]
    pages.open(f"/cut?recording={_key(name, one)}&at=0")
    first = pages.shown()
    assert pages.counter() == one.counters[first]
    assert ("from the server" in pages.page.inner_text(".exact")) == (name in BY_SERVER)
    for frame in reversed(_frames(one)):
        _go(pages, frame)
        assert pages.counter() == one.counters[frame], f"frame {frame}"
    middle = len(one.counters) // 2
    _go(pages, middle)
    for key, frame in (("ArrowRight", middle + 1), (",", middle), (",", middle - 1), (",", middle - 2)):
        pages.step(key, frame)
        assert pages.counter() == one.counters[frame], f"frame {frame} after {key}"


@pytest.mark.parametrize("name", [each for each in DECODED if each != "open-gop"])
def test_the_elements_way_and_the_decoders_agree(
    pages: Installation, references: dict[str, ReferenceRecording], name: str
) -> None:
    """Chromium's element gives up the recording with open GOPs; there, the decoder plays as well."""
    one = references[name]
    key = _key(name, one)
    pages.open(f"/cut?recording={key}&at=0")
    pages.shown()
    starts = _starts(httpx.get(f"{pages.api.url}/v1/recordings/{key}/frames", timeout=PATIENCE).json())
    assert len(starts) == len(one.counters) + 1
    for frame in _frames(one)[::-2]:
        _go(pages, frame)
        assert pages.counter() == one.counters[frame], f"frame {frame}"
        said = pages.page.evaluate(PLACED, {"time": (starts[frame] + starts[frame + 1]) / 2})
        placed = bisect.bisect(starts, said + 1e-4) - 1
        assert pages.counter(".frame video") == one.counters[placed], f"frame {frame}"
        # Without an edit list, Chromium seeks by decode times: just before a keyframe, it may begin with the keyframe.
        assert placed == frame or (name == "fragmented" and placed in one.keyframes and placed - frame < 3)


def _starts(said: dict[str, Any]) -> list[float]:
    """When each frame begins in seconds, and when the last one ends, of a frame map of the API."""
    ticks = [ticks for ticks, times in said["durations"] for _ in range(times)]
    begin = Fraction(str(said["start"])) * said["time_scale"]
    return [float(each / said["time_scale"]) for each in itertools.accumulate(ticks, initial=begin)]
