"""Sprites and waveforms of recordings over the REST API, with real media in the real sandbox."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from PIL import Image
from tests.support.decode import decode_presented
from tests.support.made_once import made_once
from tests.support.media import cached_media
from tests.support.picture import read_counter
from tests.support.spec import MediaSpec
from tests.web.harness import assert_problem
from tests.web.media_harness import KEY, MediaHarness

from cutback.sandbox.cutter import ChildCutter

SPEC = MediaSpec(width=480, height=272, frames=300, gop=30)
SPRITES, SHEET = f"/v1/recordings/{KEY}/sprites.vtt", f"/v1/recordings/{KEY}/sprites.jpg"
WAVEFORM = f"/v1/recordings/{KEY}/waveform.json"
RATE, BURSTS = 48000, ((1.25, 0.8), (3.5, 0.4), (5.0, 0.1))
"""(second, amplitude) of sine bursts of a quarter of a second, on the left channel alone."""


@pytest.fixture(scope="module")
def recording(pytestconfig: pytest.Config) -> Path:
    return cached_media(SPEC, Path(pytestconfig.cache.mkdir("media")))


@pytest.fixture(scope="module")
def bursts(pytestconfig: pytest.Config) -> Path:
    return made_once(Path(pytestconfig.cache.mkdir("media")) / "sine-bursts-1.mp4", make_bursts)


def make_bursts(path: Path) -> None:
    """Six seconds of black with bursts of a sine."""
    times = np.arange(6 * RATE) / RATE
    left = np.zeros(6 * RATE, np.float32)
    for begin, amplitude in BURSTS:
        heard = (times >= begin) & (times < begin + 0.25)
        left[heard] = amplitude * np.sin(2 * np.pi * 1000 * times[heard])
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", 10)
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        audio = container.add_stream("aac", RATE, bit_rate=192_000)
        audio.codec_context.layout = "stereo"
        container.start_encoding()
        for number in range(60):
            frame = av.VideoFrame.from_ndarray(np.zeros((96, 160, 3), np.uint8), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(video.encode(frame))
            block = left[number * RATE // 10 : (number + 1) * RATE // 10]
            sound = av.AudioFrame.from_ndarray(np.stack([block, np.zeros_like(block)]), "fltp", "stereo")
            sound.sample_rate, sound.pts, sound.time_base = RATE, number * RATE // 10, Fraction(1, RATE)
            container.mux(audio.encode(sound))
        container.mux([*video.encode(None), *audio.encode(None)])


@pytest.fixture
def media(tmp_path: Path, recording: Path) -> Iterator[MediaHarness]:
    made = MediaHarness(tmp_path / "data", recording)
    yield made
    made.close()


@pytest.fixture
def heard(tmp_path: Path, bursts: Path) -> Iterator[MediaHarness]:
    made = MediaHarness(tmp_path / "data", bursts)
    yield made
    made.close()


CUE = re.compile(r"frame (\d+)\n([\d:.]+) --> ([\d:.]+)\nsprites\.jpg#xywh=(\d+),(\d+),(\d+),(\d+)\n")


def seconds(stamp: str) -> Fraction:
    hours, minutes, rest = stamp.split(":")
    return (int(hours) * 60 + int(minutes)) * 60 + Fraction(rest)


def test_each_tile_shows_the_frame_that_the_vtt_says(media: MediaHarness, recording: Path) -> None:
    answer = media.get(SPRITES)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/vtt; charset=utf-8")
    assert answer.text.startswith("WEBVTT\n\n")
    sheet = Image.open(io.BytesIO(media.get(SHEET).content))
    times = [frame.time for frame in decode_presented(recording).frames]
    cues = CUE.findall(answer.text + "\n")
    assert len(cues) == 10
    assert sheet.size == (1600, 92)
    due = Fraction(0)
    for frame, begin, end, x, y, width, height in cues:
        area = int(x), int(y), int(x) + int(width), int(y) + int(height)
        tile = sheet.crop(area).resize((SPEC.width, SPEC.height), Image.Resampling.BICUBIC)
        shown = av.VideoFrame.from_ndarray(np.asarray(tile.convert("RGB")), "rgb24").reformat(format="yuv420p")
        assert read_counter(shown) == int(frame)
        assert seconds(begin) == due == (times[int(frame)] if int(frame) else 0)
        due = seconds(end)
    assert due == 10


def test_sprites_are_made_once_for_each_version(media: MediaHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    first = media.get(SPRITES)
    monkeypatch.setattr(ChildCutter, "sprites", None)
    media.services.cache.close()
    assert media.get(SPRITES).text == first.text
    assert media.get(SPRITES, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    sheet = media.get(SHEET)
    assert sheet.headers["content-type"] == "image/jpeg"
    assert media.get(SHEET, headers={"If-None-Match": sheet.headers["etag"]}).status_code == 304


def test_peaks_are_those_of_the_decoded_sound(heard: MediaHarness, bursts: Path) -> None:
    found = heard.get(WAVEFORM).json()
    with av.open(str(bursts)) as container:
        frames = [(frame.pts, frame.to_ndarray()) for frame in container.decode(audio=0)]
    for resolution in ("fine", "coarse"):
        numerator, denominator = found[resolution]["seconds"]
        per_peak = RATE * numerator // denominator
        peaks = found[resolution]["peaks"]
        lows, highs = np.zeros(len(peaks) // 2), np.zeros(len(peaks) // 2)
        for pts, samples in frames:
            place = (pts + np.arange(samples.shape[1])) // per_peak
            inside = (place >= 0) & (place < len(lows))
            np.minimum.at(lows, place[inside], samples.min(axis=0)[inside])
            np.maximum.at(highs, place[inside], samples.max(axis=0)[inside])
        assert np.abs(lows * 1000 - peaks[::2]).max() <= 1
        assert np.abs(highs * 1000 - peaks[1::2]).max() <= 1
    for begin, amplitude in BURSTS:
        middle = int((begin + 0.12) * 100)
        assert abs(found["fine"]["peaks"][2 * middle + 1] - amplitude * 1000) < 60
        assert found["fine"]["peaks"][2 * int((begin + 0.5) * 100) + 1] < 20


def test_the_waveform_is_also_a_picture_and_made_once(heard: MediaHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    first = heard.get(WAVEFORM)
    monkeypatch.setattr(ChildCutter, "waveform", None)
    heard.services.cache.close()
    picture = heard.get(WAVEFORM.replace("json", "svg"))
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text.count(",") == len(first.json()["coarse"]["peaks"])
    assert heard.get(WAVEFORM, headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_only_what_the_catalogue_has_is_made(media: MediaHarness) -> None:
    for name in ("sprites.vtt", "sprites.jpg", "waveform.json", "waveform.svg", "activity.json"):
        assert_problem(media.get(f"/v1/recordings/sea.mp4/{name}"), 404, "recording_not_found")
