"""Pictures of another camera or recording: of the same moment, at their place, in their colours."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
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
from tests.support.media import MediaSpec, cached_media
from tests.support.picture import CounterUnreadableError, luma_of, read_luma_counter
from tests.support.shape import shape_of

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.overlay import InsetOverlay
from cutback.cutting.edit_values.rotate import Rotate
from cutback.cutting.edit_values.scale import Scale
from cutback.cutting.edit_values.time import Speed
from cutback.cutting.job import CutGap, CutJob, CutRange, InsetRange, WallClock
from cutback.cutting.preview import preview
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import Percent, Place
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]
Luma = NDArray[np.uint8]

OTHER = 5000
"""The number in the first picture of the other recording."""
T0 = Fraction(1_795_514_592)
NORTH = WallClock(T0, Fraction(1), "north")
"""The clip's camera."""
INSET = InsetOverlay(
    camera="south", recording=None, begins=Fraction(0), layout="over", place="top-right", margin=0,
    width=Percent(Fraction(50)), height=None, opacity=Fraction(1), start=None, duration=None,
)  # fmt: skip
BESIDE = replace(INSET, layout="beside", width=None)


@pytest.fixture(scope="session")
def other(media_folder: Path) -> Path:
    """Four seconds at 25 frames a second."""
    spec = MediaSpec(fps=Fraction(25), frames=100, first_counter=OTHER, seed=2, audio=None, gop=25)
    return cached_media(spec, media_folder)


def edited(
    one: ReferenceRecording,
    other: Path | BytesSource,
    *edits: Edit,
    late: Fraction = Fraction(0),
    seconds: float = 2,
    **options: Any,
) -> CutResult:
    """The recording's first seconds; the other camera began `late` seconds after it."""
    return cut_ranges(
        [one.path, other],
        ask((0, Fraction(0), Fraction(seconds))),
        edits=edits,
        wall_clocks=(NORTH, WallClock(T0 + late, Fraction(1), "south")),
        insets=[InsetRange("south", 1, Fraction(0), Fraction(4))],
        **options,
    )


def lumas(clip: CutResult | bytes) -> list[Luma]:
    data = clip if isinstance(clip, bytes) else clip.data
    assert decode_warnings(data) == []
    with av.open(io.BytesIO(data), "r") as container:
        return [luma_of(frame).copy() for frame in container.decode(video=0)]


def number(luma: Luma) -> int | None:
    try:
        return read_luma_counter(luma)
    except CounterUnreadableError:
        return None


def halves(clip: CutResult) -> tuple[list[int | None], list[int | None]]:
    """The numbers in the left and the right half of each picture."""
    found = lumas(clip)
    return [number(luma[:, :320]) for luma in found], [number(luma[:, 320:]) for luma in found]


def shown_at(seconds: Fraction) -> int | None:
    """The number of the other recording's picture at a time."""
    rank = int((seconds + Fraction(1, 1000)) * 25)
    return OTHER + rank if seconds >= 0 and rank < 100 else None


def test_two_cameras_stand_side_by_side_at_the_same_moment(recording: Recordings, other: Path) -> None:
    one = recording("pyramid")
    clip = edited(one, other, BESIDE)
    left, right = halves(clip)
    assert left == one.counters[:60]
    assert right == [shown_at(Fraction(frame, 30)) for frame in range(60)]
    assert (clip.facts.width, clip.facts.height, clip.facts.frames) == (640, 180, 60)
    assert decode_presented(clip.data).audio_start == 0
    assert clip.facts.edits == ("inset: south, beside the pictures",)


def test_nothing_is_shown_before_the_other_camera_begins(recording: Recordings, other: Path) -> None:
    late = Fraction("0.71")
    clip = edited(recording("pyramid"), other, BESIDE, late=late)
    assert halves(clip)[1] == [shown_at(Fraction(frame, 30) - late) for frame in range(60)]
    assert lumas(clip)[3][:, 330:].max() < 24, "black"


def test_nothing_is_shown_where_the_other_camera_has_a_gap(recording: Recordings, other: Path) -> None:
    one = recording("pyramid")
    clocks = (NORTH, *(WallClock(T0 + begins, Fraction(1), "south") for begins in (Fraction(0), Fraction(1))))
    clip = cut_ranges(
        [one.path, other, other],
        ask((0, Fraction(0), Fraction(2))),
        edits=[BESIDE],
        wall_clocks=clocks,
        insets=[InsetRange("south", 1, Fraction(0), Fraction("0.5")), InsetRange("south", 2, Fraction(0), Fraction(4))],
    )
    expected = [
        shown_at(at) if at < Fraction("0.499") else shown_at(at - 1) for at in (Fraction(n, 30) for n in range(60))
    ]
    assert halves(clip)[1] == expected
    assert expected[20] is None


@pytest.mark.parametrize(
    ("place", "x", "y"), [("top-right", 160, 0), ("bottom-left", 0, 90), ("center", 80, 46), ("top-left", 0, 0)]
)
def test_it_is_in_its_place(recording: Recordings, other: Path, place: Place, x: int, y: int) -> None:
    clip = edited(recording("pyramid"), other, replace(INSET, place=place), seconds=0.5)
    found = [number(luma[y : y + 90, x : x + 160]) for luma in lumas(clip)]
    assert found == [shown_at(Fraction(frame, 30)) for frame in range(15)]


def test_it_is_shown_below(recording: Recordings, other: Path) -> None:
    one = recording("pyramid")
    found = lumas(edited(one, other, replace(BESIDE, layout="below"), seconds=0.5))
    assert [number(luma[:180]) for luma in found] == one.counters[:15]
    assert [number(luma[180:]) for luma in found] == [shown_at(Fraction(frame, 30)) for frame in range(15)]


def test_another_shape_fits_into_its_half(recording: Recordings, media_folder: Path) -> None:
    tall = cached_media(
        MediaSpec(width=180, height=320, fps=Fraction(25), frames=50, first_counter=OTHER, audio=None), media_folder
    )
    clip = edited(recording("pyramid"), tall, BESIDE, seconds=0.5)
    middle = 480
    for frame, luma in enumerate(lumas(clip)):
        assert luma[:, 322 : middle - 54].max() < 24
        assert number(luma[:, middle - 50 : middle + 52]) == shown_at(Fraction(frame, 30))


def test_only_the_part_that_shows_it_is_re_encoded(recording: Recordings, other: Path) -> None:
    one = recording("pyramid")
    edit = replace(INSET, start=Fraction(1), duration=Fraction(1), margin=8)
    clip = edited(one, other, edit, seconds=4)
    plain = edited(one, other, seconds=4)
    there = [
        float(np.abs(after[10:90, 170:300].astype(int) - before[10:90, 170:300]).mean()) > 10
        for before, after in zip(lumas(plain), lumas(clip), strict=True)
    ]
    assert there == [30 <= frame < 60 for frame in range(120)]
    assert clip.facts.frames_copied >= 45


def test_opacity_mixes_both(recording: Recordings, other: Path) -> None:
    one = recording("pyramid")
    plain, full, half = (
        lumas(edited(one, other, *edits, seconds=0.4))[6][:90, 160:].astype(float)
        for edits in ((), (INSET,), (replace(INSET, opacity=Fraction(1, 2)),))
    )
    assert np.abs(half - (plain + full) / 2).mean() < 4
    assert np.abs(full - plain).mean() > 20


def test_in_slow_motion_it_is_of_the_moment_of_each_frame(recording: Recordings, other: Path) -> None:
    one = recording("pyramid")
    clip = edited(one, other, Speed(Fraction(1, 2), (), "drop"), BESIDE, seconds=1)
    left, right = halves(clip)
    assert left == one.counters[:30]
    assert right == [shown_at(Fraction(frame, 30)) for frame in range(30)]


def test_of_a_recording_it_begins_where_the_edit_says(recording: Recordings, other: Path) -> None:
    one = recording("pyramid")
    edit = replace(BESIDE, camera=None, recording="b.mp4", begins=Fraction("1.2"), start=Fraction("0.5"))
    clip = cut_ranges(
        [one.path, other],
        ask((0, Fraction(0), Fraction(2))),
        edits=[edit],
        insets=[InsetRange("b.mp4", 1, Fraction(0), None)],
    )
    begins = Fraction("1.2") - Fraction("0.5")
    expected = [shown_at(Fraction(frame, 30) + begins) if frame >= 15 else None for frame in range(60)]
    assert halves(clip)[1] == expected


@pytest.mark.parametrize("name", ["rotated", "hevc", "open-gop"])
def test_it_is_upright_on_other_recordings(recording: Recordings, other: Path, name: str) -> None:
    one = recording(name)
    edit = replace(INSET, place="center", width=100, height=56)
    clip = edited(one, other, edit, seconds=0.4)
    for frame, luma in enumerate(lumas(clip)):
        upright = np.rot90(luma, shape_of(one.path).rotation // 90)
        high, wide = upright.shape
        y, x = (high - 56) // 2 // 2 * 2, (wide - 100) // 2 // 2 * 2
        found = upright[y : y + 56, x : x + 100]
        assert number(np.ascontiguousarray(found)) == shown_at(one.times[frame])


def test_the_confined_child_shows_it_after_other_edits(recording: Recordings, other: Path, cutter: ChildCutter) -> None:
    one = recording("pyramid")
    edits: Sequence[Edit] = (Rotate(0, "horizontal"), Scale(240, None, "fit", enlarge=False), BESIDE)
    clip = cut_in_child(
        cutter,
        [one.path, other],
        (0, Fraction(1), Fraction(2)),
        edits=edits,
        wall_clocks=(NORTH, replace(NORTH, camera="south")),
        insets=[InsetRange("south", 1, Fraction(0), Fraction(4))],
    )
    found = lumas(clip)
    assert found[0].shape == (136, 480)
    assert [number(luma[:, 240:]) for luma in found] == [shown_at(1 + Fraction(frame, 30)) for frame in range(30)]


def test_what_cannot_be_shown_is_refused_by_name(recording: Recordings, other: Path, tone: Path) -> None:
    one = recording("pyramid")
    with pytest.raises(EditImpossibleError, match="inset: south has no pictures"):
        edited(one, tone, INSET)
    with pytest.raises(EditImpossibleError, match="inset: a camera needs a source that names a camera"):
        cut_ranges([one.path, other], ask((0, Fraction(0), Fraction(1))), edits=[INSET])
    with pytest.raises(EditImpossibleError, match="inset: a margin of 90 pixels leaves no room"):
        edited(one, other, replace(INSET, margin=90), seconds=0.5)
    gap: list[CutRange | CutGap] = [*ask((0, Fraction(0), Fraction(1))), CutGap(Fraction(1), "freeze")]
    with pytest.raises(EditImpossibleError, match="inset: it would be on a filled gap"):
        cut_ranges(
            [one.path, other],
            gap,
            edits=[INSET],
            wall_clocks=(NORTH, replace(NORTH, camera="south")),
            insets=[InsetRange("south", 1, Fraction(0), Fraction(4))],
        )


def test_only_what_is_shown_is_read_and_the_plan_says_what_is_encoded(recording: Recordings, other: Path) -> None:
    sources = [BytesSource(recording("pyramid").path.read_bytes()), BytesSource(other.read_bytes())]
    job = CutJob(
        tuple(source.size for source in sources),
        ask((0, Fraction(0), Fraction(2))),
        edits=(replace(INSET, start=Fraction(1), duration=Fraction("0.2")),),
        wall_clocks=(NORTH, replace(NORTH, camera="south")),
        insets=(InsetRange("south", 1, Fraction(0), Fraction(4)),),
    )
    planned = preview(job, sources)
    assert any("edited: inset" in segment["reason"] for segment in planned["parts"][0]["segments"])
    read = []
    for edit in (job.edits[0], INSET):
        source = BytesSource(other.read_bytes())
        edited(recording("pyramid"), source, edit)
        read.append(source.bytes_read)
    assert read[0] < 0.8 * read[1]


def plain(
    folder: Path, rgb: tuple[int, int, int], size: tuple[int, int], matrix: int, wide: int, *, tagged: bool = False
) -> bytes:
    """A recording of one colour; `matrix` is BT.709 (1) or BT.601 (6), which may be said or not.

    `wide` is 2 for the full range.
    """
    path = folder / "plain.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "qp": "4"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if wide == 2:
            stream.codec_context.color_range = wide
        if tagged:
            stream.codec_context.colorspace = matrix
        picture = np.empty((size[1], size[0], 3), np.uint8)
        picture[:] = rgb
        for number in range(15):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=5 if matrix == 6 else 1, dst_color_range=wide)
            frame.pts, frame.time_base, frame.colorspace = number, Fraction(1, 25), matrix if tagged else 2
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


def colour(clip: CutResult, number: int) -> list[float]:
    """The colour in the middle of a picture, as players show it: by the tags, or BT.601 in a small picture."""
    with av.open(io.BytesIO(clip.data), "r") as container:
        frame = list(container.decode(video=0))[number]
    matrix = 1 if int(frame.colorspace) == 1 else 5
    shown = frame.reformat(format="rgb24", src_colorspace=matrix, src_color_range=1).to_ndarray()
    return list(shown[70:110, 120:200].reshape(-1, 3).mean(axis=0))


@pytest.mark.parametrize(
    ("size", "matrix", "wide", "tagged"),
    [
        ((1280, 720), 1, 1, False),
        ((1280, 720), 1, 1, True),
        ((320, 180), 1, 1, True),
        ((320, 180), 6, 1, True),
        ((320, 180), 6, 2, False),
    ],
)
def test_its_colours_stay_what_they_are(
    recording: Recordings, tmp_path: Path, size: tuple[int, int], matrix: int, wide: int, *, tagged: bool
) -> None:
    rgb = (200, 60, 40)
    other = BytesSource(plain(tmp_path, rgb, size, matrix, wide, tagged=tagged))
    clip = edited(recording("pyramid"), other, replace(INSET, place="center"), seconds=0.4)
    assert colour(clip, 5) == pytest.approx(rgb, abs=4)


def test_joined_recordings_with_another_matrix_keep_their_colours(tmp_path: Path) -> None:
    colours = ((40, 160, 90), (200, 60, 40))
    both = [
        plain(tmp_path, rgb, (320, 180), matrix, 1, tagged=True) for rgb, matrix in zip(colours, (6, 1), strict=True)
    ]
    clip = cut_ranges(both, ask((0, Fraction(0), Fraction("0.4")), (1, Fraction(0), Fraction("0.4"))))
    assert colour(clip, 5) == pytest.approx(colours[0], abs=4)
    assert colour(clip, 15) == pytest.approx(colours[1], abs=4)
