"""A real browser plays the clips to their end, and shows the right pictures at both ends."""

from __future__ import annotations

import base64
import http.server
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from tests.media.judge import Wanted, wanted_of
from tests.media.recordings import Known
from tests.media.rig import cut_here, cut_ranges
from tests.support.media import read_luma_counter

from cutback.cutting.job import CutGap, CutRange, Fill
from cutback.times import Instant

Recordings = Callable[[str], Known]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
]

PAGE = b"""<!DOCTYPE html><meta charset=utf-8><title>clip</title><body></body>"""

PLAY = """async ({url, times}) => {
  document.getElementById('v')?.remove();
  const video = document.createElement('video');
  Object.assign(video, {id: 'v', muted: true, playsInline: true});
  document.body.append(video);
  const once = (name) => new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no ' + name + ' within 15 s')), 15000);
    video.addEventListener(name, () => { clearTimeout(timer); resolve(); }, {once: true});
    video.addEventListener('error', () => {
      clearTimeout(timer);
      reject(new Error('error ' + (video.error ? video.error.code + ' ' + video.error.message : '')));
    }, {once: true});
  });
  const loaded = once('loadeddata');
  video.src = url;
  await loaded;
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const luma = () => {
    context.drawImage(video, 0, 0);
    const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
    const out = new Uint8Array(canvas.width * canvas.height);
    for (let i = 0; i < out.length; i++) {
      out[i] = 0.2126 * data[4 * i] + 0.7152 * data[4 * i + 1] + 0.0722 * data[4 * i + 2];
    }
    let text = '';
    for (let i = 0; i < out.length; i += 8192) text += String.fromCharCode(...out.subarray(i, i + 8192));
    return btoa(text);
  };
  const drawn = () => {
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(video, 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height).data.some((value, i) => i % 4 < 3 && value);
  };
  const pictures = [];
  for (const time of times) {
    const sought = once('seeked');
    video.currentTime = time;
    await sought;
    // `seeked` may come before the picture reaches the compositor: nothing is drawn until then.
    for (let tries = 0; tries < 100 && !drawn(); tries++) await new Promise(requestAnimationFrame);
    pictures.push(luma());
  }
  const back = once('seeked');
  video.currentTime = 0;
  await back;
  video.playbackRate = 2;
  const ended = once('ended');
  // A clip of one frame may end before play() has answered, which rejects it.
  await video.play().catch((error) => { if (!video.ended) throw error; });
  await ended;
  const quality = video.getVideoPlaybackQuality();
  return {width: canvas.width, height: canvas.height, pictures, duration: video.duration, ended: video.ended,
          position: video.currentTime, corrupted: quality.corruptedVideoFrames};
}"""


class _Ranges(http.server.BaseHTTPRequestHandler):
    """Serves a page and the clips, with ranges, as any store does."""

    protocol_version = "HTTP/1.1"
    files: dict[str, bytes]

    def do_GET(self) -> None:
        content = self.files.get(self.path)
        if content is None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        begin, end = 0, len(content)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked:
            begin = int(asked[1])
            end = min(end, int(asked[2]) + 1) if asked[2] else end
        self.send_response(206 if asked else 200)
        self.send_header("Content-Type", "video/mp4" if self.path.endswith(".mp4") else "text/html")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(end - begin))
        if asked:
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(content)}")
        self.end_headers()
        try:
            self.wfile.write(content[begin:end])
        except ConnectionError:  # a browser that has seen enough hangs up
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


def _missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """What the server offers."""
    return {"/": PAGE}


@pytest.fixture(scope="module")
def address(files: dict[str, bytes]) -> Iterator[str]:
    """The server's address."""
    handler = type("Handler", (_Ranges,), {"files": files})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Any]:
    """A page in the machine's own Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        _missing("CHROMIUM IS MISSING: whether browsers play the clips was not tested (apt install chromium)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("PLAYWRIGHT IS MISSING: whether browsers play the clips was not tested")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        made = browser.new_page()
        made.goto(address + "/")
        yield made
        browser.close()


CLIPS: dict[str, list[tuple[str, str, str]]] = {
    "copied between encoded edges": [("pyramid", "1.1", "4.7")],
    "from keyframe to keyframe": [("pyramid", "1.6", "4.8")],
    "encoded whole": [("one-gop", "2.2", "3.4")],
    "open GOP": [("open-gop", "1.5", "4.4")],
    "fragmented": [("fragmented", "1.1", "3.2")],
    "no B-frames": [("no-b-frames", "1.3", "3.1")],
    "29.97 without end": [("29.97", "5.0", "100")],
    "variable frame rate": [("vfr", "1.5", "4.5")],
    "no sound": [("no-sound", "1.1", "2.2")],
    "sound that begins late": [("sound-late", "0", "1.4")],
    "picture that begins late": [("picture-late", "0", "1.4")],
    "one frame": [("pyramid", "2.0", "2.03")],
    "joined": [("pyramid", "1.1", "2.3"), ("pyramid", "4.05", "5.9")],
    "joined of two kinds": [("pyramid", "1.1", "2.3"), ("29.97", "2.2", "3.5")],
    "of a TS": [("ts", "1.1", "3.1")],
    "of an MKV": [("mkv", "1.1", "3.1")],
    "mp3": [("mp3", "1.1", "2.6")],
}


@pytest.mark.timeout(90)
@pytest.mark.parametrize("kind", CLIPS)
def test_chromium_plays_a_clip_to_its_end(
    kind: str, recording: Recordings, page: Any, address: str, files: dict[str, bytes]
) -> None:
    names = list(dict.fromkeys(name for name, _, _ in CLIPS[kind]))
    ranges: list[tuple[int, Instant, Instant]] = [
        (names.index(name), Fraction(start), Fraction(end)) for name, start, end in CLIPS[kind]
    ]
    clip = cut_here([recording(name).path for name in names], *ranges)
    parts = [part for n, start, end in ranges if (part := wanted_of(recording(names[n]), start, end))]
    at = _middles(parts)
    url = f"/{len(files)}.mp4"
    files[url] = clip.data
    result = page.evaluate(PLAY, {"url": address + url, "times": [float(time) for _, time in at]})
    assert result["ended"]
    assert result["corrupted"] == 0
    assert abs(result["duration"] - float(clip.facts.duration)) <= 0.05
    assert abs(result["position"] - result["duration"]) <= 0.05
    assert (result["width"], result["height"]) == (clip.facts.width, clip.facts.height)
    seen = [_number(picture, result["width"], result["height"]) for picture in result["pictures"]]
    assert seen == [number for number, _ in at]


@pytest.mark.timeout(90)
@pytest.mark.parametrize("name", ["pyramid", "29.97"])
@pytest.mark.parametrize("fill", ["freeze", "black"])
def test_chromium_plays_a_clip_with_a_filled_gap_to_its_end(
    name: str, fill: Fill, recording: Recordings, page: Any, address: str, files: dict[str, bytes]
) -> None:
    known = recording(name)
    ends = [(Fraction("1.1"), Fraction("2.3")), (Fraction("3.5"), Fraction("4.9"))]
    before, behind = (CutRange(0, *pair) for pair in ends)
    clip = cut_ranges([known.path], [before, CutGap(Fraction("2.7"), fill), behind])
    parts = [part for start, end in ends if (part := wanted_of(known, start, end))]
    gap = parts[0].duration
    at = [(number, time if time < gap else time + Fraction("2.7")) for number, time in _middles(parts)]
    if fill == "freeze":
        at += [(at[1][0], gap + part) for part in (Fraction("0.5"), Fraction("2.5"))]
    url = f"/{len(files)}.mp4"
    files[url] = clip.data
    result = page.evaluate(PLAY, {"url": address + url, "times": [float(time) for _, time in at]})
    assert (result["ended"], result["corrupted"]) == (True, 0)
    assert abs(result["position"] - float(clip.facts.duration)) <= 0.05
    seen = [_number(picture, result["width"], result["height"]) for picture in result["pictures"]]
    assert seen == [number for number, _ in at]


def _middles(parts: list[Wanted]) -> list[tuple[int, Fraction]]:
    """The numbers of the first and the last frame of each part, and a time while each is shown."""
    wanted = []
    base = Fraction(0)
    for part in parts:
        for n in dict.fromkeys((part.first, part.stop - 1)):
            times = part.known.times
            end = times[n + 1] if n + 1 < len(times) else part.known.video_end
            wanted.append((part.known.counters[n], base + (times[n] + end) / 2 - part.start))
        base += part.duration
    return wanted


def _number(picture: str, width: int, height: int) -> int:
    return read_luma_counter(np.frombuffer(base64.b64decode(picture), np.uint8).reshape(height, width))
