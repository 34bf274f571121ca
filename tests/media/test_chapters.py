"""Chapters of clips: where the request says, or where the footage jumps, as ffprobe reads them in every format."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.cuts import BytesSource, ask
from tests.media.outputs import OutputMade, bench, make
from tests.support.decode import decode_presented
from tests.support.media import MediaSpec, cached_media

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.colour import Colour
from cutback.cutting.edit_values.sound import Loudness
from cutback.cutting.edit_values.time import Freeze, Loop, Reverse, Speed, SpeedSpan
from cutback.cutting.job import ChapterMark, CutGap, CutRange, JobOutput, WallClock
from cutback.cutting.output_values import Flac, M4a, Mov, Mp3, Mp4, Opus, OutputValue, Wav, WebM
from cutback.cutting.outputs.make import make_outputs
from cutback.domain.errors import OutputImpossibleError
from cutback.domain.measures import AtMoment, Finished
from cutback.domain.times import FromEnd

SPEC = MediaSpec(frames=180, gop=30)
WHOLE = ask((0, Fraction(0), Fraction(4)))
MARKS = (
    ChapterMark(Fraction(0), "Paddling"),
    ChapterMark(Fraction(3, 2), "Left – 波 🌊"),
    ChapterMark(FromEnd(Fraction(1)), "Out"),
)
EPOCH = 1_780_000_000
"""2026-05-28 20:26:40 UTC."""


@pytest.fixture
def recording(media_folder: Path) -> Path:
    return cached_media(SPEC, media_folder)


def chapters(made: OutputMade, folder: Path) -> list[tuple[Fraction | int, Fraction | int, str]]:
    """The chapters that ffprobe reads: begin and end in seconds, and the title."""
    program = shutil.which("ffprobe")
    if program is None:
        pytest.skip("ffprobe is not installed (Debian: ffmpeg)")
    path = folder / next(iter(made.files))
    path.write_bytes(made.data)
    command = [program, "-v", "warning", "-show_chapters", "-of", "json", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    found: list[tuple[Fraction | int, Fraction | int, str]] = []
    for each in json.loads(done.stdout)["chapters"]:
        base = Fraction(each["time_base"])
        found.append((each["start"] * base, each["end"] * base, each["tags"]["title"]))
    return found


def clip(
    recordings: Sequence[Path],
    ranges: Sequence[CutRange | CutGap],
    *,
    value: OutputValue | None = None,
    marks: Sequence[ChapterMark] | None = None,
    edits: Sequence[Edit] = (),
    clocks: Sequence[WallClock] = (),
) -> OutputMade:
    output = JobOutput("clip", value or Mp4())
    return make(recordings, ranges, output, chapters=marks, edits=edits, wall_clocks=clocks)["clip"]


@pytest.mark.parametrize(
    "value",
    [Mp4(), Mp4(fragmented=True), Mov(), M4a(), WebM(codec="vp9", quality="small"), Mp3(), Opus(), Flac()],
    ids=["mp4", "fragmented", "mov", "m4a", "webm", "mp3", "opus", "flac"],
)
def test_given_chapters_are_where_the_request_says(value: OutputValue, recording: Path, tmp_path: Path) -> None:
    made = clip([recording], WHOLE, value=value, marks=MARKS)
    found = chapters(made, tmp_path)
    assert [(start, title) for start, _, title in found] == [
        (0, "Paddling"),
        (Fraction(3, 2), "Left – 波 🌊"),
        (3, "Out"),
    ]
    assert [end for _, end, _ in found[:-1]] == [Fraction(3, 2), 3]
    assert abs(Fraction(found[-1][1]) - 4) <= Fraction(1, 20)
    if isinstance(value, Mp4 | Mov):
        assert made.facts.frames_encoded == 0


def test_sound_without_room_for_chapters_is_made_all_the_same(recording: Path, tmp_path: Path) -> None:
    assert chapters(clip([recording], WHOLE, value=Wav(), marks=MARKS), tmp_path) == []


def test_exiftool_reads_the_chapters(recording: Path, tmp_path: Path) -> None:
    program = shutil.which("exiftool")
    if program is None:
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl)")
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip([recording], WHOLE, marks=MARKS).data)
    command = [program, "-json", "-struct", str(path)]
    [found] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert "Left – 波 🌊" in str(found["ChapterList"])
    assert "Warning" not in found


def test_a_clip_of_several_ranges_has_a_chapter_at_each_jump(recording: Path, tmp_path: Path) -> None:
    ranges = ask((0, Fraction(1), Fraction(2)), (0, Fraction(2), Fraction(3)), (0, Fraction(5), Fraction(6)))
    made = clip([recording], ranges)
    assert chapters(made, tmp_path) == [(0, 2, "Part 1"), (2, 3, "Part 2")]
    assert decode_presented(made.data).counters == [*range(30, 90), *range(150, 180)]


def test_a_clip_of_one_range_has_none_and_joins_can_have_none(recording: Path, tmp_path: Path) -> None:
    assert chapters(clip([recording], WHOLE), tmp_path) == []
    assert chapters(clip([recording], WHOLE, edits=[Loop(2, None, None)]), tmp_path) == []
    ranges = ask((0, Fraction(1), Fraction(2)), (0, Fraction(5), Fraction(6)))
    assert chapters(clip([recording], ranges, marks=()), tmp_path) == []


def test_jumps_of_a_camera_are_named_after_it_and_its_moment(recording: Path, tmp_path: Path) -> None:
    """The second recording goes on where the first one ends; the third one begins ten seconds later."""
    clocks = [WallClock(Fraction(EPOCH + start), Fraction(1), "reef") for start in (0, 6, 22)]
    ranges = ask((0, Fraction(4), Fraction(6)), (1, Fraction(0), Fraction(2)), (2, Fraction(0), Fraction(2)))
    found = chapters(clip([recording] * 3, ranges, clocks=clocks), tmp_path)
    assert found == [(0, 4, "reef 2026-05-28 20:26:44 UTC"), (4, 6, "reef 2026-05-28 20:27:02 UTC")]


def test_a_filled_gap_is_no_jump_and_another_camera_is_one(recording: Path, tmp_path: Path) -> None:
    clocks = [
        WallClock(Fraction(EPOCH + start), Fraction(1), name) for start, name in ((0, "reef"), (4, "reef"), (6, "bay"))
    ]
    ranges: list[CutRange | CutGap] = [
        CutRange(0, Fraction(0), Fraction(2)),
        CutGap(Fraction(2), "freeze"),
        CutRange(1, Fraction(0), Fraction(2)),
        CutRange(2, Fraction(0), Fraction(2)),
    ]
    found = chapters(clip([recording] * 3, ranges, clocks=clocks), tmp_path)
    assert found == [(0, 6, "reef 2026-05-28 20:26:40 UTC"), (6, 8, "bay 2026-05-28 20:26:46 UTC")]


@pytest.mark.parametrize(
    ("edit", "starts"),
    [
        (Speed(Fraction(2), (), "drop"), [0, Fraction(3, 4), Fraction(3, 2)]),
        (Speed(None, (SpeedSpan(Fraction(0), Fraction(1), Fraction(1, 2)),), "drop"), [0, Fraction(5, 2), 4]),
        (Freeze(at=Fraction(1), duration=Fraction(2)), [0, Fraction(7, 2), 5]),
        (Reverse(), [1, Fraction(5, 2), Fraction(39, 10)]),
    ],
    ids=["speed", "span", "freeze", "reverse"],
)
def test_chapters_stay_with_their_footage_when_its_speed_changes(
    edit: Edit, starts: list[Fraction], recording: Path, tmp_path: Path
) -> None:
    first = Fraction(1, 10) if isinstance(edit, Reverse) else Fraction(0)
    marks = (ChapterMark(first, "Paddling"), *MARKS[1:])
    found = chapters(clip([recording], WHOLE, marks=marks, edits=[edit]), tmp_path)
    assert [start for start, _, _ in found] == starts


def test_joins_stay_with_their_footage_backwards(recording: Path, tmp_path: Path) -> None:
    ranges = ask((0, Fraction(0), Fraction(1)), (0, Fraction(3), Fraction(5)))
    found = chapters(clip([recording], ranges, edits=[Reverse()]), tmp_path)
    assert found == [(0, 2, "Part 2"), (2, 3, "Part 1")]


def test_points_of_the_finished_clip_and_moments_are_possible(recording: Path, tmp_path: Path) -> None:
    marks = (ChapterMark(Finished(Fraction(1)), "late"), ChapterMark(AtMoment(Fraction(EPOCH + 1)), "early"))
    clock = WallClock(Fraction(EPOCH), Fraction(1), "reef")
    made = clip([recording], WHOLE, marks=marks, edits=[Speed(Fraction(2), (), "drop")], clocks=[clock])
    assert [(start, title) for start, _, title in chapters(made, tmp_path)] == [(Fraction(1, 2), "early"), (1, "late")]


@pytest.mark.parametrize("value", [Mp4(), WebM(codec="vp9", quality="small"), Mp3()], ids=["mp4", "webm", "mp3"])
@pytest.mark.parametrize(
    ("marks", "problem"),
    [
        ([Fraction(0), Fraction(5)], r"chapters\[1\]: 5 s is not within the clip, which has 4 s before edits\."),
        ([Fraction(4)], r"chapters\[0\]: it would begin where the clip ends\."),
        ([FromEnd(Fraction(9))], r"chapters\[0\]: 9 s before its end is not within the clip"),
        ([Fraction(3), FromEnd(Fraction(1))], r"chapters\[1\]: it would begin where chapters\[0\] begins\."),
        ([AtMoment(Fraction(EPOCH))], r"chapters\[0\]: a moment needs a source that names a camera\."),
    ],
    ids=["beyond", "end", "before", "twice", "moment"],
)
def test_chapters_that_do_not_fit_are_refused_by_name(
    marks: list[Fraction | FromEnd | AtMoment], problem: str, value: OutputValue, recording: Path
) -> None:
    with pytest.raises(OutputImpossibleError, match=problem):
        clip([recording], WHOLE, value=value, marks=[ChapterMark(at, "x") for at in marks])


@pytest.mark.parametrize(
    "values",
    [[Mp4()], [Mp4(), WebM(codec="vp9", quality="small")], [M4a()], [Mp3()]],
    ids=["mp4", "mp4 and webm", "m4a", "mp3"],
)
def test_impossible_chapters_are_found_before_anything_is_decoded(values: list[OutputValue], recording: Path) -> None:
    """Colours need all pictures, loudness needs all of the sound."""
    outputs = [JobOutput(f"output-{number}", value) for number, value in enumerate(values)]
    edits = [Colour(Fraction(0), Fraction(0), Fraction(50), Fraction(0)), Loudness(Fraction(-16), Fraction(-1))]
    marks = [ChapterMark(Fraction(5), "x")]
    with bench([recording], WHOLE, outputs=outputs, edits=edits, chapters=marks) as made_with:
        with pytest.raises(OutputImpossibleError, match=r"chapters\[0\]"):
            make_outputs(made_with.job, made_with.sources, made_with.spool, lambda _: None)
        [source] = made_with.sources
        assert isinstance(source, BytesSource)
        assert source.bytes_read < source.size // 10
        assert made_with.spool.size == 0


def test_as_many_chapters_as_possible_with_the_longest_titles(recording: Path, tmp_path: Path) -> None:
    title = "🌊" * 63 + "abc"
    marks = [ChapterMark(Fraction(number, 100), title) for number in range(255)]
    for value in (Mp4(), WebM(codec="vp9", quality="small"), Mp3(), Opus(), Flac()):
        found = chapters(clip([recording], WHOLE, value=value, marks=marks), tmp_path)
        shown = "🌊" * 31 if isinstance(value, Mp3) else title
        assert [(start, name) for start, _, name in found] == [(mark.at, shown) for mark in marks]
