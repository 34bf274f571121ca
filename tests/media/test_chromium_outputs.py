"""A real browser plays every other kind of output that it can, to its end, with the right pictures at both ends."""

from __future__ import annotations

import base64
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from tests.media.cuts import ask
from tests.media.outputs import OutputMade, make_output
from tests.media.recordings import ReferenceRecording
from tests.support.browser import PLAY
from tests.support.media import read_luma_counter
from tests.support.sampling import slow_except

from cutback.cutting.output_values import (
    Flac,
    Gif,
    JpegStill,
    M4a,
    Mov,
    Mp3,
    Mp4,
    Opus,
    OutputValue,
    PngStill,
    Wav,
    WebM,
    Webp,
)

pytestmark = pytest.mark.slow

START, END = Fraction("1.4"), Fraction("2.4")
FIRST, LAST = 42, 71
"""The numbers of the clip's first and last frames."""
FPS = 30

VIDEOS: dict[str, OutputValue] = {
    "mp4 with av1": Mp4(codec="av1", quality="small"),
    "mp4 with vp9": Mp4(codec="vp9", quality="small"),
    "webm with vp9": WebM(codec="vp9", quality="small"),
    "mov": Mov(),
    "mp4 in fragments": Mp4(fragmented=True),
    "webm with av1": WebM(codec="av1", quality="small"),
}
SOUNDS: tuple[OutputValue, ...] = (M4a(), Mp3(), Wav(), Opus(), Flac())
PICTURES: dict[str, tuple[OutputValue, int, int]] = {
    "jpeg": (JpegStill(Fraction(1, 2), None), FIRST + 15, FIRST + 15),
    "png": (PngStill(Fraction(1, 2), None), FIRST + 15, FIRST + 15),
    "webp": (Webp(None, 12, 0, None, Fraction(1, 2)), FIRST + 15, FIRST + 15),
    "gif": (Gif(320, 10, 0, None), FIRST, FIRST + 27),
    "animated webp": (Webp(320, 10, 0, None, None), FIRST, FIRST + 27),
}
"""The output, and the numbers of its first and last pictures."""

LISTEN = """async (url) => {
  const sound = new Audio();
  const once = (name) => new Promise((resolve, reject) => {
    sound.addEventListener(name, resolve, {once: true});
    sound.addEventListener('error', () => reject(new Error(sound.error.message)), {once: true});
  });
  const loaded = once('canplaythrough');
  sound.src = url;
  await loaded;
  const ended = once('ended');
  sound.playbackRate = 4;
  await sound.play();
  await ended;
  return sound.duration;
}"""

LOOK = """async (url) => {
  const answer = await fetch(url);
  const data = await answer.arrayBuffer();
  const decoder = new ImageDecoder({data, type: answer.headers.get('content-type')});
  await decoder.tracks.ready;
  await decoder.completed;
  const seen = [];
  for (const frameIndex of [0, decoder.tracks.selectedTrack.frameCount - 1]) {
    const {image} = await decoder.decode({frameIndex});
    const canvas = new OffscreenCanvas(image.displayWidth, image.displayHeight);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
    let luma = '';
    for (let i = 0; i < data.length; i += 4) {
      luma += String.fromCharCode(0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2]);
    }
    seen.push({picture: btoa(luma), width: canvas.width, height: canvas.height});
  }
  return seen;
}"""


@pytest.fixture
def offered(
    recording: Callable[[str], ReferenceRecording], address: str, files: dict[str, bytes]
) -> Callable[[OutputValue], tuple[str, OutputMade]]:
    """Makes an output and puts it on the server; returns its address, too."""

    def offer(value: OutputValue) -> tuple[str, OutputMade]:
        made = make_output([recording("pyramid").path], ask((0, START, END)), value)
        [(name, content)] = made.files.items()
        path = f"/{len(files)}-{name}"
        files[path] = content
        return address + path, made

    return offer


def number(picture: str, width: int, height: int) -> int:
    return read_luma_counter(np.frombuffer(base64.b64decode(picture), np.uint8).reshape(height, width))


@pytest.mark.parametrize("name", slow_except(VIDEOS, slow_one_in=2))
def test_chromium_plays_a_video_to_its_end(name: str, offered: Any, page: Any) -> None:
    url, made = offered(VIDEOS[name])
    assert made.facts.frames == LAST - FIRST + 1
    length = float(END - START)
    result = page.evaluate(PLAY, {"url": url, "times": [0.5 / FPS, length - 0.5 / FPS]})
    assert (result["ended"], result["corrupted"]) == (True, 0)
    assert result["duration"] == pytest.approx(length, abs=0.1 if name == "mp4 in fragments" else 0.05)
    assert [number(picture, result["width"], result["height"]) for picture in result["pictures"]] == [FIRST, LAST]


@pytest.mark.parametrize("value", SOUNDS, ids=lambda value: type(value).__name__.lower())
def test_chromium_plays_sound_to_its_end(value: OutputValue, offered: Any, page: Any) -> None:
    url, _ = offered(value)
    assert page.evaluate(LISTEN, url) == pytest.approx(float(END - START), abs=0.06)


@pytest.mark.parametrize("name", PICTURES)
def test_chromium_shows_the_right_pictures(name: str, offered: Any, page: Any) -> None:
    value, first, last = PICTURES[name]
    url, _ = offered(value)
    assert [number(**seen) for seen in page.evaluate(LOOK, url)] == [first, last]
