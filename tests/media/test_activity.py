"""Activity against drawn footage in which something moves during known seconds."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from tests.support.made_once import made_once

from cutback.cutting.activity import UNIT, activity
from cutback.cutting.job import Limits
from cutback.domain.errors import RangeOutsideRecordingError
from cutback.sandbox.cutter import ChildCutter

FPS, SECONDS = 10, 12
MOVES = range(5, 8)
"""The seconds in which something moves."""
WIDTH, HEIGHT = 320, 180


ROWS, COLUMNS = np.mgrid[0:HEIGHT, 0:WIDTH]
WALL = 110 + 30 * np.sin(COLUMNS / 9) * np.cos(ROWS / 7)


class Bytes:
    """A `ByteSource` in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)
        self.read = 0

    def read_at(self, offset: int, length: int) -> bytes:
        self.read += length
        return self._data[offset : offset + length]

    def prefetch(self, ranges: object) -> None:
        """Nothing to fetch."""


@dataclass(frozen=True)
class Kind:
    """How footage is encoded."""

    name: str
    codec: str
    options: dict[str, str]
    suffix: str = ".mp4"
    gop: int = 20
    bit_rate: int = 0


KINDS = [
    Kind("crf", "libx264", {"crf": "23", "preset": "veryfast"}),
    Kind(  # as cameras have it: with a finest quantiser, so that stillness does not fill the rate with noise
        "constant bitrate",
        "libx264",
        {"preset": "veryfast", "maxrate": "100k", "bufsize": "200k", "qmin": "24"},
        bit_rate=100_000,
    ),
    Kind("mpeg-ts", "libx264", {"crf": "23", "preset": "veryfast"}, suffix=".ts"),
    Kind("one keyframe", "libx264", {"crf": "23", "preset": "veryfast"}, gop=10_000),
    Kind("b-frames", "libx264", {"crf": "23", "preset": "veryfast", "bf": "3"}),
    Kind("all keyframes", "mjpeg", {}, gop=1),
]


def picture(second: float, noise: np.random.Generator, light: float) -> np.ndarray[Any, Any]:
    """A textured wall with a camera's noise, and a box that moves across it now and then."""
    wall = WALL + noise.normal(0, 2, (HEIGHT, WIDTH))
    if int(second) in MOVES:
        left = int((second - MOVES[0]) * 70) % (WIDTH - 70)
        box = np.random.default_rng(5).integers(0, 255, (70, 60))
        wall[50:120, left : left + 60] = box
    shades = np.clip(wall * light, 0, 255).astype(np.uint8)
    return np.repeat(shades[:, :, None], 3, axis=2)


def make(path: Path, kind: Kind, light_at_end: float = 1.0) -> None:
    noise = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        options = {"g": str(kind.gop), "sc_threshold": "0", **kind.options}
        stream = container.add_stream(kind.codec, FPS, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = WIDTH, HEIGHT
        stream.pix_fmt = "yuvj420p" if kind.codec == "mjpeg" else "yuv420p"
        if kind.bit_rate:
            stream.bit_rate = kind.bit_rate
        for number in range(FPS * SECONDS):
            second = number / FPS
            light = 1 + (light_at_end - 1) * second / SECONDS
            frame = av.VideoFrame.from_ndarray(picture(second, noise, light), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture(scope="session")
def footage(pytestconfig: pytest.Config) -> Any:
    folder = Path(pytestconfig.cache.mkdir("activity"))

    def find(kind: Kind, light_at_end: float = 1.0) -> Bytes:
        name = f"{kind.name.replace(' ', '-')}-{light_at_end}-3{kind.suffix}"
        return Bytes(made_once(folder / name, lambda path: make(path, kind, light_at_end)).read_bytes())

    return find


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_activity_is_highest_where_something_moves(footage: Any, kind: Kind) -> None:
    found = activity(footage(kind), Limits())
    values = found["values"]
    assert (len(values), found["step"]) == (SECONDS, 1)
    still = [value for second, value in enumerate(values) if second not in {*MOVES, MOVES[0] - 1, MOVES[-1] + 1}]
    moved = [values[second] for second in MOVES]
    lowest = sum(moved) / len(moved) if kind.gop == 1 else min(moved)  # keyframes alone tell only of changes
    assert lowest > 1.3 * max(still[1:]), values


def test_a_slow_change_of_light_is_no_activity(footage: Any) -> None:
    """The keyframes change with the light, and activity is measured by them."""
    bright, dusk = (activity(footage(KINDS[0], light), Limits())["values"] for light in (1.0, 0.45))
    still = [second for second in range(1, SECONDS) if second not in range(MOVES[0] - 1, MOVES[-1] + 2)]
    assert max(dusk[second] for second in still) < min(dusk[second] for second in MOVES)
    assert abs(median(dusk[s] for s in still) - median(bright[s] for s in still)) < 0.5 * UNIT


def test_nothing_but_the_index_is_read(footage: Any) -> None:
    source = footage(KINDS[0])
    index = activity(source, Limits())
    assert index["kinds"] == [[0, "h264 320x180"]]
    whole = source.size
    assert source.read < whole / 2, "the samples themselves are not read"


def test_sound_alone_has_no_activity() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", 48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts = 48000, 0
        container.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(RangeOutsideRecordingError):
        activity(Bytes(file.getvalue()), Limits())


def test_the_child_answers_for_each_recording_and_a_damaged_one_costs_only_itself(footage: Any) -> None:
    good = footage(KINDS[0])
    cutter = ChildCutter(warm=False)
    try:
        sources = [good, Bytes(b"no video at all" * 100), good]
        answers = dict(cutter.activities(sources, limits=Limits(), stopped=lambda: False))
    finally:
        cutter.close()
    assert answers[0] == answers[2] == activity(good, Limits())
    assert getattr(answers[1], "reason", "") in {"media_unreadable", "media_unsupported"}
