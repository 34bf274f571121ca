"""The machine's own Chromium, a server that it plays clips from, and the script with which it does."""

from __future__ import annotations

import http.server
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.support.serving import serving
from tests.support.waiting import PATIENCE

from cutback.domain.media_types import UNKNOWN, media_type_of

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

PAGE = b"""<!DOCTYPE html><meta charset=utf-8><title>clip</title><link rel=icon href="data:,"><body></body>"""

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
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
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
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    return context.getImageData(0, 0, canvas.width, canvas.height).data.some((value, i) => i % 4 < 3 && value);
  };
  // A picture of about this time is on the screen; or none is new, since it is there already.
  const shown = (time) => new Promise((resolve) => {
    const timer = setTimeout(resolve, 2000);
    const look = (_, frame) => {
      if (Math.abs(frame.mediaTime - time) > 0.25) return video.requestVideoFrameCallback(look);
      clearTimeout(timer);
      resolve();
    };
    video.requestVideoFrameCallback(look);
  });
  const pictures = [];
  for (const time of times) {
    const sought = once('seeked');
    const there = shown(time);
    video.currentTime = time;
    await sought;
    // `seeked` may come before the picture reaches the compositor: the one before is drawn until then, or nothing.
    await there;
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
        kind = media_type_of(self.path)
        self.send_header("Content-Type", "text/html" if kind == UNKNOWN else kind)
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


@contextmanager
def served(files: dict[str, bytes]) -> Iterator[str]:
    """A server's address; `files` may grow meanwhile."""
    handler = type("Handler", (_Ranges,), {"files": files})
    with serving(handler) as address:
        yield address


@dataclass
class Complaints:
    """What pages complained of, and which complaints the test provokes."""

    heard: list[str] = field(default_factory=list)
    provoked: list[str] = field(default_factory=list)

    def expect(self, *words: str) -> None:
        """Complaints that contain one of these words are provoked by the test."""
        self.provoked += words

    def unexpected(self) -> list[str]:
        """The complaints that the test did not provoke."""
        return [each for each in self.heard if not any(words in each for words in self.provoked)]


@contextmanager
def without_complaints(context: Any) -> Iterator[Complaints]:
    """Fail if a page of this browser context complains in this block, in any tab.

    A complaint is an error or a warning in the console, an error that no script catches, an answer of 400 and above,
    and a request that was refused or failed. A request that the page itself gives up is none.
    """
    complaints = Complaints()

    def hear_console(said: Any) -> None:
        if said.type in {"error", "warning"}:
            complaints.heard.append(f"{said.text} {said.location.get('url', '')}".strip())

    def hear_error(error: Any) -> None:
        complaints.heard.append(str(error.error))

    def hear_answer(answer: Any) -> None:
        if answer.status >= 400:
            complaints.heard.append(f"{answer.status} {answer.url}")

    def hear_failure(request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":
            complaints.heard.append(f"{request.failure} {request.url}")

    heard = {"console": hear_console, "weberror": hear_error, "response": hear_answer, "requestfailed": hear_failure}
    for name, hear in heard.items():
        context.on(name, hear)
    yield complaints
    for name, hear in heard.items():
        context.remove_listener(name, hear)
    unexpected = complaints.unexpected()
    assert not unexpected, unexpected


@contextmanager
def chromium(address: str) -> Iterator[Any]:
    """A page in it. Without a browser, the test is skipped; with CI, it fails."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        _missing("CHROMIUM IS MISSING: whether browsers play the clips was not tested (apt install chromium)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("PLAYWRIGHT IS MISSING: whether browsers play the clips was not tested")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, headless=True, args=FLAGS, timeout=PATIENCE * 1000
        )
        made = browser.new_page()
        made.set_default_timeout(PATIENCE * 1000)
        made.goto(address + "/")
        yield made
        browser.close()
