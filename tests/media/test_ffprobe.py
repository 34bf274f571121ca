"""The machine's own ffprobe finds no fault in a clip of any format, and reads what the clip's facts say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.media.cuts import ask
from tests.media.outputs import OutputMade, make_output
from tests.media.recordings import ReferenceRecording
from tests.support.sampling import slow_except

from cutback.cutting.output_values import (
    FORMATS,
    Flac,
    Gif,
    Hls,
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

START, LENGTH = Fraction("1.4"), Fraction("1.2")
FRAMES = 36
FRAME = Fraction(1, 30)
SOUND = "audio aac 48000 2"

OUTPUTS: dict[str, tuple[OutputValue, str, list[str]]] = {
    "mp4": (Mp4(), "mp4", ["h264", SOUND]),
    "mp4 in fragments": (Mp4(fragmented=True), "mp4", ["h264", SOUND]),
    "mp4 with hevc": (Mp4(codec="hevc", quality="small"), "mp4", ["hevc", SOUND]),
    "mp4 with av1": (Mp4(codec="av1", quality="small"), "mp4", ["av1", SOUND]),
    "mp4 with vp9": (Mp4(codec="vp9", quality="small"), "mp4", ["vp9", SOUND]),
    "mov": (Mov(), "mov", ["h264", SOUND]),
    "webm with vp9": (WebM(codec="vp9", quality="small"), "webm", ["vp9", "audio opus 48000 2"]),
    "webm with av1": (WebM(codec="av1", quality="small"), "webm", ["av1", "audio opus 48000 2"]),
    "m4a": (M4a(), "m4a", [SOUND]),
    "mp3": (Mp3(), "mp3", ["audio mp3 48000 2"]),
    "wav": (Wav(), "wav", ["audio pcm_s16le 48000 2"]),
    "opus": (Opus(), "ogg", ["audio opus 48000 2"]),
    "flac": (Flac(), "flac", ["audio flac 48000 2"]),
    "jpeg": (JpegStill(Fraction(1), None), "image2", ["video mjpeg 320x180 1"]),
    "png": (PngStill(Fraction(1), 160), "png_pipe", ["video png 160x90 1"]),
    "gif": (Gif(160, 12, 0, None), "gif", ["video gif 160x90 15"]),
    "webp": (Webp(None, 12, 0, None, Fraction(1)), "webp_pipe", ["video webp 320x180 1"]),
    "hls": (Hls((180, 96)), "hls", [SOUND, "h264", f"video h264 170x96 {FRAMES}"]),
}
"""The output, one of ffprobe's names of its container, and its streams. A codec alone stands for the usual pictures.

FFmpeg cannot read an animated WebP.
"""
STILLS = {"jpeg", "png", "webp"}
DELAY = 2 * FRAME
"""How much later the recording's pictures are shown than decoded. FFmpeg adds it to times in segments of HLS, whose
pictures have negative offsets as CMAF wants it, and to the length of fragments.
"""
PADDED = {"mp3": Fraction(1152 * 2, 48_000), "opus": Fraction(312, 48_000), "mp4 in fragments": DELAY + FRAME * 2}
"""Seconds that ffprobe may count too many: it counts what the encoder put before and after the sound, too."""


@pytest.fixture
def probe(tmp_path: Path) -> Callable[[OutputMade], Any]:
    """Reads and decodes everything in an output."""
    program = shutil.which("ffprobe")
    if program is None and os.environ.get("CI"):
        pytest.fail("ffprobe is missing: apt-get install ffmpeg")
    if program is None:
        pytest.skip("ffprobe is missing: apt-get install ffmpeg")

    def read(made: OutputMade) -> Any:
        for name, content in made.files.items():
            (tmp_path / name).write_bytes(content)
        command = [program, "-v", "warning", "-show_format", "-show_streams", "-count_frames", "-of", "json"]
        ran = subprocess.run([*command, str(tmp_path / next(iter(made.files)))], capture_output=True, check=True)
        assert ran.stderr.decode() == "", "ffprobe warns"
        return json.loads(ran.stdout)

    return read


def described(stream: Any) -> str:
    """A stream as `OUTPUTS` describes it."""
    kind, codec = stream["codec_type"], stream["codec_name"]
    if kind == "video":
        return f"{kind} {codec} {stream['width']}x{stream['height']} {stream['nb_read_frames']}"
    return f"{kind} {codec} {stream['sample_rate']} {stream['channels']}"


def test_every_format_is_probed() -> None:
    assert {type(value) for value, _, _ in OUTPUTS.values()} == set(FORMATS.values())


@pytest.mark.parametrize("name", slow_except(OUTPUTS, "mp4", "m4a", slow_one_in=2))
def test_ffprobe_reads_it_without_a_warning(
    name: str, recording: Callable[[str], ReferenceRecording], probe: Callable[[OutputMade], Any]
) -> None:
    value, container, streams = OUTPUTS[name]
    made = make_output([recording("pyramid").path], ask((0, START, START + LENGTH)), value)
    found = probe(made)
    assert container in found["format"]["format_name"].split(",")
    usual = [f"video {each} 320x180 {FRAMES}" if " " not in each else each for each in streams]
    assert sorted(map(described, found["streams"])) == sorted(usual)
    if name not in STILLS:
        assert 0 <= Fraction(found["format"]["duration"]) - LENGTH <= PADDED.get(name, Fraction(1, 1000))
    for stream in found["streams"]:
        if stream["codec_type"] == "video" and name not in STILLS | {"gif"}:
            assert Fraction(stream["avg_frame_rate"]) == 1 / FRAME or Fraction(stream["r_frame_rate"]) == 1 / FRAME
            assert 0 <= Fraction(stream["start_time"]) <= (DELAY + Fraction(1, 1000) if name == "hls" else 0)
