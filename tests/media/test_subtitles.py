"""Subtitles of an MP4 are copied, at their own times."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.test_index_window import Bytes
from tests.support.media import MediaSpec, cached_media

from cutback.cutting.job import CutJob, CutRange
from cutback.sandbox.cutter import ChildCutter

TEXT = """1
00:00:00,500 --> 00:00:02,000
first

2
00:00:02,500 --> 00:00:05,000
second

3
00:00:06,000 --> 00:00:08,000
third
"""


def seconds(clock: str) -> float:
    hours, minutes, rest = clock.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


@pytest.fixture
def ffmpeg() -> str:
    found = shutil.which("ffmpeg")
    if found is None and os.environ.get("CI"):
        pytest.fail("ffmpeg is missing: apt-get install ffmpeg")
    if found is None:
        pytest.skip("ffmpeg is missing: apt-get install ffmpeg")
    return found


def test_subtitles_are_carried_over_with_their_times(
    ffmpeg: str, tmp_path: Path, media_folder: Path, cutter: ChildCutter
) -> None:
    plain = cached_media(MediaSpec(frames=300, gop=60, bframes=3), media_folder)
    (tmp_path / "text.srt").write_text(TEXT)
    titled, made = tmp_path / "titled.mp4", tmp_path / "clip.mp4"
    inputs = ["-i", str(plain), "-i", str(tmp_path / "text.srt"), "-map", "0", "-map", "1"]
    subprocess.run([ffmpeg, "-v", "error", *inputs, "-c", "copy", "-c:s", "mov_text", str(titled)], check=True)
    source = Bytes(titled)
    job = CutJob((source.size,), (CutRange(0, Fraction(41, 30), Fraction(71, 10)),))
    with cutter.render(job, [source], on_progress=lambda _: None, stopped=lambda: False) as clip:
        made.write_bytes(b"".join(clip.chunks()))
    read_back = subprocess.run(
        [ffmpeg, "-v", "error", "-i", str(made), "-map", "0:s", "-f", "srt", "-"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = [
        (seconds(start), seconds(end), text) for start, end, text in re.findall(r"(\S+) --> (\S+)\n(\w+)", read_back)
    ]
    assert [text for _, _, text in found] == ["first", "second", "third"]
    times = [time for start, end, _ in found for time in (start, end)]
    wanted = [0, 0.633, 1.133, 3.633, 4.633, 5.733]
    assert times == pytest.approx(wanted, abs=0.002)
