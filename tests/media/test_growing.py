"""A recording that is still being written is cut up to its last complete frame."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.cuts import BytesSource, cut_in_process
from tests.support.decode import decode_presented, decode_warnings
from tests.support.media import FRAGMENTED, MediaSpec, cached_media
from tests.support.sampling import slow_except

from cutback.cutting.job import CutJob, CutRange, Limits
from cutback.cutting.probe import probe
from cutback.reading.range_reader import RangeReader
from cutback.sandbox.cutter import ChildCutter
from cutback.storage.store import Store

FRAMES = 150
SPECS = {
    "transport stream": MediaSpec(frames=FRAMES, gop=30, bframes=2, suffix=".ts"),
    "transport stream, hierarchical": MediaSpec(
        frames=FRAMES, gop=30, bframes=3, suffix=".ts", codec_options={"x264-params": "b-pyramid=normal:b-adapt=0"}
    ),
    "fragments": MediaSpec(frames=FRAMES, gop=30, muxer_options=FRAGMENTED),
    "fragments of a few frames": MediaSpec(
        frames=FRAMES,
        gop=30,
        muxer_options={"movflags": "+empty_moov+default_base_moof", "frag_duration": "120000"},
    ),
}
CUT_AT = 12
"""Lengths at which each recording is examined, in addition to every packet boundary."""

WRITER = """
import sys
part, target, step = open(sys.argv[1], "rb"), open(sys.argv[2], "ab", buffering=0), int(sys.argv[3])
for _ in sys.stdin:
    target.write(part.read(step))
    print(target.tell(), flush=True)
"""


@pytest.fixture(params=slow_except(SPECS, "transport stream, hierarchical", "fragments of a few frames"))
def recorded(request: pytest.FixtureRequest, media_folder: Path) -> Path:
    return cached_media(SPECS[request.param], media_folder)


def test_at_any_length_the_frames_are_whole_and_none_is_missing_between(recorded: Path) -> None:
    data = recorded.read_bytes()
    chance = random.Random(4)
    sizes = [chance.randrange(len(data) // 3, len(data)) for _ in range(CUT_AT)]
    packets = len(data) // 188
    sizes += [188 * (packets - back) for back in (1, 2, 3, 5, 8, 13, *range(21, 34), 55, 89)]
    before = 0
    for size in sorted(sizes):
        clip = cut_in_process([data[:size]], (0, Fraction(0), Fraction(100)), precision="keyframe")
        shown = decode_presented(clip.data)
        assert shown.counters == list(range(len(shown.frames))), f"{size} bytes"
        assert decode_warnings(clip.data) == []
        assert len(shown.frames) >= before, "the more bytes there are, the more frames"
        assert clip.facts.spans[0].clamped
        before = len(shown.frames)
    assert before >= FRAMES - 8
    assert cut_in_process([data], (0, Fraction(0), Fraction(100))).facts.frames == FRAMES


def test_a_probe_says_whether_the_recording_may_grow(recorded: Path) -> None:
    data = recorded.read_bytes()
    whole, part = (probe(BytesSource(piece), Limits()) for piece in (data, data[: len(data) * 2 // 3 + 1]))
    fragments = recorded.suffix == ".mp4"
    assert (whole["fragmented"], whole["truncated"], whole["open_ended"]) == (fragments, False, not fragments)
    assert (part["fragmented"], part["truncated"], part["open_ended"]) == (fragments, True, True)
    assert Fraction(part["duration"]) < Fraction(whole["duration"])


class Camera:
    """A process that appends a recording to a file, a piece whenever it is told to."""

    def __init__(self, recorded: Path, target: Path, step: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(recorded), str(target), str(step)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def write(self) -> int:
        """One more piece; the file's size then."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._process.communicate()


class GrowingReader(RangeReader):
    """A recording that grows whenever it is read."""

    camera: Camera

    def read_at(self, offset: int, length: int) -> bytes:
        """See `RangeReader.read_at`."""
        self.camera.write()
        return super().read_at(offset, length)


@pytest.fixture
def growing(recorded: Path, tmp_path: Path) -> Iterator[tuple[Path, Camera, int]]:
    step = recorded.stat().st_size // 97 + 1
    camera = Camera(recorded, tmp_path / "live", step)
    yield tmp_path / "live", camera, recorded.stat().st_size
    camera.close()


def test_clips_are_cut_while_the_camera_writes(
    cutter: ChildCutter, recorded: Path, growing: tuple[Path, Camera, int]
) -> None:
    path, camera, size = growing
    # Fragments without an edit list begin with their sound; the first picture comes at the reorder delay.
    first = 28 if recorded.suffix == ".mp4" else 30
    while camera.write() < size // 3:
        pass
    store = Store.open(str(path.parent))
    frames: list[int] = []
    finished = False
    while not finished:
        finished = path.stat().st_size == size
        with GrowingReader.open(store, "live") as reader:
            reader.camera = camera
            job = CutJob((reader.size,), (CutRange(0, Fraction(1), Fraction(100)),), limits=Limits())
            with cutter.render(job, [reader], on_progress=lambda _: None, stopped=lambda: False) as made:
                assert finished or path.stat().st_size > reader.size, "it grew meanwhile"
                data = b"".join(made.chunks())
        counters = decode_presented(data).counters
        assert counters == list(range(first, first + len(counters)))
        frames.append(len(counters))
    assert frames == sorted(frames)
    assert frames[0] < frames[-1] == FRAMES - first
