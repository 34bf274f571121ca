"""Deinterlacing: no combs where something moves, whatever field is first; progressive pictures stay as they are."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.media.cuts import BytesSource, CutResult, ask, cut_in_child, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.support.decode import decode_presented, decode_warnings

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.crop import Crop
from cutback.cutting.edit_values.deinterlace import Deinterlace
from cutback.cutting.job import CutJob, CutRange
from cutback.cutting.preview import preview
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]
WHOLE = ask((0, Fraction(0), Fraction(1)))


def interlaced(folder: Path, *, top_first: bool) -> Path:
    """A bar that moves by 6 pixels from field to field."""
    path = folder / f"{top_first}.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        order = "tff=1" if top_first else "bff=1"
        stream.options = {"crf": "8", "preset": "ultrafast", "x264-params": order}
        graph = av.filter.Graph()  # the encoder takes the order of fields from the frames
        source = graph.add_buffer(width=320, height=192, format=av.VideoFormat("yuv420p"), time_base=Fraction(1, 25))
        graph.link_nodes(source, graph.add("setfield", "tff" if top_first else "bff"), graph.add("buffersink"))
        graph.configure()
        for number in range(25):
            picture = np.full((288, 320), 128, np.uint8)
            for field in (0, 1):
                row = field if top_first else 1 - field
                x = 20 + 6 * (2 * number + field)
                picture[row:192:2] = 40
                picture[row:192:2, x : x + 30] = 210
            frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            graph.push(frame)
            marked = graph.pull()
            assert isinstance(marked, av.VideoFrame)
            container.mux(stream.encode(marked))
        container.mux(stream.encode(None))
    return path


def lumas(clip: CutResult) -> list[NDArray[Any]]:
    assert decode_warnings(clip.data) == []
    with av.open(io.BytesIO(clip.data), "r") as container:
        frames = list(container.decode(video=0))
    return [frame.to_ndarray(format="gray").astype(int) for frame in frames]


def combs(luma: NDArray[Any]) -> float:
    """How far rows are from both their neighbours, which are alike."""
    middle, above, below = luma[5:-5], luma[4:-6], luma[6:-4]
    return float(((np.abs(middle - above) > 60) & (np.abs(middle - below) > 60)).mean())


@pytest.mark.parametrize("top_first", [True, False])
def test_what_moves_has_no_combs(tmp_path: Path, *, top_first: bool) -> None:
    path = interlaced(tmp_path, top_first=top_first)
    before, clip = lumas(cut_ranges([path], WHOLE)), cut_ranges([path], WHOLE, edits=[Deinterlace()])
    after = lumas(clip)
    assert len(before) == len(after) == 25
    assert min(map(combs, before)) > 0.01
    assert max(map(combs, after[1:-1])) < 0.002
    for number, luma in enumerate(after[1:-1], 1):
        bright = np.argwhere(luma[96] > 150)
        assert bright.min() == pytest.approx(20 + 12 * number, abs=2), "each picture is that of the first field"
    assert (clip.facts.frames_copied, clip.facts.frames_encoded) == (0, 25)
    assert clip.facts.edits == ("deinterlace: one picture of each frame",)
    with av.open(io.BytesIO(clip.data), "r") as container:
        assert not next(container.decode(video=0)).interlaced_frame


@pytest.mark.parametrize("top_first", [True, False])
@pytest.mark.parametrize("edits", [[], [Crop(None, None, 0, 40, 320, 152)]], ids=["alone", "cropped"])
def test_both_fields_are_pictures_at_their_own_times(tmp_path: Path, edits: list[Edit], *, top_first: bool) -> None:
    path = interlaced(tmp_path, top_first=top_first)
    wanted = ask((0, Fraction(3, 25), Fraction(20, 25)))
    clip = cut_ranges([path], wanted, edits=[Deinterlace("field"), *edits])
    pictures = lumas(clip)
    times = [frame.time for frame in decode_presented(clip.data).frames]
    assert times == [Fraction(number, 50) for number in range(34)]
    assert (clip.facts.frames, clip.facts.frames_copied, clip.facts.duration) == (34, 0, Fraction(17, 25))
    assert "deinterlace: one picture of each field" in clip.facts.edits
    assert max(map(combs, pictures[1:-1])) < 0.002
    for number, luma in enumerate(pictures[1:-1], 1):
        bright = np.argwhere(luma[56] > 150)
        assert bright.min() == pytest.approx(20 + 6 * (6 + number), abs=2), "the bar is where it was in this field"


def test_both_fields_of_a_frame_that_is_cut_in_two_are_shown_while_they_last(tmp_path: Path) -> None:
    path = interlaced(tmp_path, top_first=True)
    joined = ask((0, Fraction(0), Fraction(5, 25)), (0, Fraction(10, 25), Fraction(14, 25)))
    clip = cut_ranges([path], joined, edits=[Deinterlace("field")])
    assert len(lumas(clip)) == clip.facts.frames == 18
    found = preview(
        CutJob((path.stat().st_size,), joined, edits=(Deinterlace("field"),)), [BytesSource(path.read_bytes())]
    )
    assert (found["frames"]["copy"], found["frames"]["encode"]) == (0, 18)


def test_what_fades_out_in_a_crossfade_has_no_combs(tmp_path: Path) -> None:
    path = interlaced(tmp_path, top_first=True)
    fifth = Fraction(1, 5)
    joined = (CutRange(0, Fraction(0), 2 * fifth), CutRange(0, 2 * fifth, 4 * fifth, crossfade=fifth))
    for edit in (Deinterlace(), Deinterlace("field")):
        assert max(map(combs, lumas(cut_ranges([path], joined, edits=[edit]))[1:-1])) < 0.002


def test_progressive_pictures_are_copied_and_the_record_says_so(recording: Recordings) -> None:
    one = recording("pyramid").path
    wanted = ask((0, Fraction(0), Fraction(3)))
    plain, clip = cut_ranges([one], wanted), cut_ranges([one], wanted, edits=[Deinterlace()])
    assert clip.facts.edits == ("deinterlace: nothing to do, because the pictures are progressive",)
    assert clip.facts.frames_copied == plain.facts.frames_copied > 0


def test_pictures_are_deinterlaced_before_they_are_cropped(tmp_path: Path, cutter: ChildCutter) -> None:
    path = interlaced(tmp_path, top_first=True)
    edits: list[Edit] = [Deinterlace(), Crop(None, None, 0, 40, 320, 100)]
    clip = cut_in_child(cutter, [path], (0, Fraction(0), Fraction(1)), edits=edits)
    assert max(map(combs, lumas(clip)[1:-1])) < 0.002
