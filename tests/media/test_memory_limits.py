"""Re-encoding keeps within the memory of a job, or is refused before it begins; a plan says what it takes."""

from __future__ import annotations

import signal
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.cuts import BytesSource, ask, cut_in_child
from tests.media.test_child import start_program
from tests.support.decode import decode_presented
from tests.support.media import MediaSpec, cached_media
from tests.support.sampling import slow_except

from cutback.cutting.codecs.memory import Effort, Pixels, needed
from cutback.cutting.job import CutJob, Limits
from cutback.cutting.preview import preview
from cutback.domain.errors import MediaCrashedError, MediaTooLargeError
from cutback.sandbox.cutter import ChildCutter

LARGE = MediaSpec(width=1920, height=1080, frames=12, gop=100, codec="mpeg4", audio=None, codec_options={"b": "20M"})
"""Not copied by an exact cut."""
SMALL = {
    "h264": MediaSpec(width=1280, height=720, frames=24, gop=12, codec_options={"preset": "ultrafast"}, audio=None),
    "hevc": MediaSpec(
        width=1280, height=720, frames=24, gop=12, codec="libx265",
        codec_options={"preset": "ultrafast", "x265-params": "log-level=error"}, audio=None,
    ),
    "mpeg4": MediaSpec(width=1280, height=720, frames=24, gop=12, codec="mpeg4", audio=None),
}  # fmt: skip
"""Their edges, or all of them, are encoded by x264 and x265."""
MB = 1_000_000
RANGE = (0, Fraction("0.1"), Fraction("0.3"))
NEARLY_ALL = (0, Fraction("0.1"), Fraction("0.7"))
SIZE = Pixels(1920, 1080, 8)


@pytest.fixture
def cutter(interpreter_cutter: ChildCutter) -> ChildCutter:
    """Its processes start as in a worker: they are what is tested here."""
    return interpreter_cutter


def least(memory: int) -> int:
    return needed("libx264", SIZE, Effort(1, 0), memory, beside_copies=False)


@pytest.fixture(scope="module")
def large(media_folder: Path) -> Path:
    return cached_media(LARGE, media_folder)


def test_too_little_memory_is_told_before_anything_is_encoded(large: Path, cutter: ChildCutter) -> None:
    with pytest.raises(MediaTooLargeError, match=r"Re-encoding pictures of 1920x1080 takes about \d+ MB"):
        cut_in_child(cutter, [large], RANGE, limits=Limits(memory=128 << 20))
    source = BytesSource(large.read_bytes())
    job = CutJob((source.size,), ask(RANGE), limits=Limits(memory=128 << 20))
    with pytest.raises(MediaTooLargeError, match="Re-encoding"):
        preview(job, [source])


def test_little_memory_is_kept_to(large: Path, cutter: ChildCutter) -> None:
    """The child's address space is limited to it, so that one byte more would end it."""
    memory = 400 << 20
    assert least(memory) <= memory < needed("libx264", SIZE, Effort(2, 20), memory, beside_copies=False)
    clip = cut_in_child(cutter, [large], RANGE, limits=Limits(memory=memory))
    assert len(decode_presented(clip.data).frames) == clip.facts.frames == 6


def test_a_plan_says_what_a_cut_takes(large: Path) -> None:
    source = BytesSource(large.read_bytes())
    told = preview(CutJob((source.size,), ask(RANGE)), [source])["memory"]
    assert told == {
        "bytes": needed("libx264", SIZE, Effort(2, 20), Limits().memory, beside_copies=False),
        "threads": 2,
        "look_ahead": 20,
    }
    copied = preview(CutJob((source.size,), ask(RANGE), "keyframe"), [source])
    assert copied["memory"] == {}


@pytest.mark.parametrize(
    "case",
    slow_except(
        [("h264", 150), ("h264", 190), ("mpeg4", 150), ("mpeg4", 200), ("hevc", 380), ("hevc", 440)],
        *[("h264", 150), ("mpeg4", 200)],
    ),
    ids=str,
)
def test_what_is_predicted_to_fit_fits(case: tuple[str, int], media_folder: Path, cutter: ChildCutter) -> None:
    """Also where threads take most of the memory, because pictures are small."""
    codec, memory = case
    path = cached_media(SMALL[codec], media_folder)
    clip = cut_in_child(cutter, [path], NEARLY_ALL, limits=Limits(memory=memory * MB))
    assert clip.facts.frames == 18


BLIND = """
from cutback.cutting.codecs import encoder, memory
encoder.encoder_needs = memory.encoder_needs = memory.needed = lambda *_, **__: 0
from cutback.sandbox.child import main
main()
"""
"""A child that takes encoders for free: they begin, and an allocation fails sooner or later."""


@pytest.mark.parametrize(
    "case",
    slow_except(
        [
            ("h264", 20),
            ("h264", 30),
            ("h264", 80),
            ("mpeg4", 40),
            ("mpeg4", 110),
            ("hevc", 60),
            ("hevc", 90),
            ("hevc", 115),
        ],
        *[("h264", 80), ("mpeg4", 40), ("hevc", 90)],
    ),
    ids=str,
)
def test_an_encoder_that_fails_hangs_or_dies_for_want_of_memory_is_named(
    case: tuple[str, int], media_folder: Path, cutter: ChildCutter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With these limits, x264 reports an error of its own, and x265 aborts, crashes or waits for ever."""
    codec, memory = case
    monkeypatch.setattr("cutback.sandbox.cutter.start_child", lambda: start_program(BLIND))
    path = cached_media(SMALL[codec], media_folder)
    # A parent alone must look at the right moment, a tenth of a second long, which a busy machine may keep it from.
    for _ in range(5):
        with pytest.raises((MediaTooLargeError, MediaCrashedError)) as raised:
            cut_in_child(cutter, [path], NEARLY_ALL, limits=Limits(memory=memory * MB, stall_seconds=4))
        if raised.type is MediaTooLargeError:
            break
    assert "needs more memory" in str(raised.value)


GREEDY = """
import mmap
from cutback.cutting.codecs.encoder import Shape
opened, held = Shape._open, []

def beside_others(*arguments):
    held.append(mmap.mmap(-1, 150_000_000))
    return opened(*arguments)

Shape._open = beside_others
from cutback.sandbox.child import main
main()
"""
"""A child that has taken memory for other things before it opens an encoder."""


def test_an_encoder_is_judged_by_what_is_left_and_not_by_the_whole_limit(
    media_folder: Path, cutter: ChildCutter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cutback.sandbox.cutter.start_child", lambda: start_program(GREEDY))
    path = cached_media(SMALL["mpeg4"], media_folder)
    with pytest.raises(
        MediaTooLargeError, match=r"takes about \d+ MB of memory; of the limit of 200 MB, \d+ MB are left"
    ):
        cut_in_child(cutter, [path], NEARLY_ALL, limits=Limits(memory=200 * MB))


DIES = """
import os, socket, sys
from cutback.sandbox import wire
from cutback.sandbox.messages import Confinement, MemoryForecast
sock = socket.socket(fileno=int(sys.argv[1]))
wire.receive_spool(sock)
wire.receive(sock)
wire.send(sock, Confinement(()))
wire.send(sock, MemoryForecast(int(sys.argv[2])))
os.kill(os.getpid(), int(sys.argv[3]))
"""
"""A child that says how much memory an encoder will leave, and dies at once."""


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
@pytest.mark.parametrize(
    ("left", "error"), [(100 * MB, MediaTooLargeError), (400 * MB, MediaCrashedError)], ids=["little", "enough"]
)
def test_a_child_that_dies_while_an_encoder_opens_is_judged_by_what_that_left(
    number: signal.Signals, left: int, error: type[Exception], cutter: ChildCutter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cutback.sandbox.cutter.start_child", lambda: start_program(DIES, str(left), str(int(number))))
    with pytest.raises(error):
        cut_in_child(cutter, [bytes(100)], RANGE, limits=Limits(memory=500 * MB))
