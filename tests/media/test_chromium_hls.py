"""hls.js in a real browser plays HLS completely, with the right pictures at both ends."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.media.cuts import ask
from tests.media.outputs import make_output
from tests.media.recordings import ReferenceRecording
from tests.support.browser import PLAY
from tests.support.media import read_luma_counter

from cutback.cutting.output_values import Hls

pytestmark = pytest.mark.slow

Recordings = Callable[[str], ReferenceRecording]

VENDORED = Path(__file__).parents[1] / "vendor"
HLS_JS = VENDORED / "hls.js" / "hls.min.js"

PLAY_HLS = PLAY.replace(
    "video.src = url;",
    "window.hls?.destroy(); window.hls = new Hls(); const whole = new Promise((done) => hls.on('hlsBufferEos', done));"
    "hls.loadSource(url); hls.attachMedia(video);",
).replace("await loaded;", "await loaded; await whole;")
"""Seeks once everything is loaded: hls.js ends the stream then, without which Chromium never shows the last frame."""

START, END = Fraction(31, 30), Fraction(181, 30)


@pytest.fixture(scope="module")
def browser_page(browser_page: Any) -> Any:
    """A page in the machine's own Chromium, with hls.js."""
    browser_page.add_script_tag(content=HLS_JS.read_text(encoding="utf-8"))
    return browser_page


def test_the_player_is_the_one_that_is_listed() -> None:
    digest = hashlib.sha256(HLS_JS.read_bytes()).hexdigest()
    assert f"`{digest}`" in (VENDORED / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "qualities"),
    [("pyramid", ()), ("open-gop", ()), ("pyramid", (180, 96)), ("no-sound", ()), ("no-b-frames", ()), ("5.1", ())],
)
def test_is_played_to_its_end(
    recording: Recordings,
    page: Any,
    address: str,
    files: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    qualities: tuple[int, ...],
) -> None:
    monkeypatch.setattr("cutback.cutting.outputs.hls.TARGET", Fraction(2))
    one = recording(name)
    made = make_output([one.path], ask((0, START, END)), Hls(qualities))
    folder = f"/{len(files)}"
    files.update({f"{folder}/{file}": data for file, data in made.files.items()})
    shown = [number for number, time in enumerate(one.times) if START <= time < END]
    length, frame = float(made.facts.duration), 1 / float(one.spec.fps)
    times = [frame / 2, length / 2, length - frame / 2]
    result = page.evaluate(PLAY_HLS, {"url": f"{address}{folder}/clip.m3u8", "times": times})
    assert (result["ended"], result["corrupted"]) == (True, 0)
    assert result["duration"] == pytest.approx(length, abs=0.06)
    seen = [_counter(picture, result["width"], result["height"]) for picture in result["pictures"]]
    assert (seen[0], seen[-1]) == (one.counters[shown[0]], one.counters[shown[-1]])
    assert seen[0] < seen[1] < seen[2]


def _counter(picture: str, width: int, height: int) -> int:
    luma = np.frombuffer(base64.b64decode(picture), np.uint8).reshape(height, width)
    return read_luma_counter(luma)
