"""Cuts at the edges of GOPs, frames and recordings, and where ranges are joined."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from tests.media.check_clip import ExpectedRange, check_clip, expected_range
from tests.media.cuts import CutResult, cut_in_child, cut_in_process
from tests.media.recordings import ReferenceRecording
from tests.support.decode import decode_presented, decode_warnings
from tests.support.media import MediaSpec, cached_media
from tests.support.sampling import each_once, slow_except

from cutback.cutting.verify import MOST
from cutback.domain.errors import RangeOutsideRecordingError
from cutback.domain.times import FrameNumber, Instant
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]

EDGY = ["pyramid", "no-b-frames", "open-gop", "fragmented", "29.97", "vfr", "mkv", "ts", "hevc"]
PLACES = [0, 1, 31, 60, -2, -1]
"""Numbers of frames; the negative ones count from the end."""


def cut_and_check(reference: ReferenceRecording, start: Instant, end: Instant) -> tuple[CutResult, ExpectedRange]:
    """One range, cut and judged."""
    part = expected_range(reference, start, end)
    assert part is not None
    clip = cut_in_process([reference.path], (0, start, end))
    check_clip(clip, [part])
    return clip, part


# --- one range -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", slow_except(EDGY, "open-gop", "fragmented", "vfr", "ts", "hevc"))
def test_a_cut_may_begin_exactly_on_a_keyframe(name: str, recording: Recordings) -> None:
    reference = recording(name)
    key = reference.keyframes[2]
    clip, _ = cut_and_check(reference, reference.times[key], reference.times[key + 20])
    if reference.recipe.copies:
        assert clip.facts.frames_copied > 0


def test_an_encoded_run_may_end_with_a_long_group_of_pictures(recording: Recordings) -> None:
    """At 120 fps a group that is encoded is longer than what the last look decodes at most."""
    reference = recording("120")
    clip, _ = cut_and_check(reference, FrameNumber(reference.keyframes[1] + 1), FrameNumber(len(reference.times)))
    assert clip.facts.frames_encoded > MOST


def test_sound_in_pcm_ends_within_its_last_packet(recording: Recordings) -> None:
    reference = recording("pcm-mkv")
    clip, _ = cut_and_check(reference, FrameNumber(90), FrameNumber(120))
    [span] = clip.facts.spans
    assert span.end == reference.video_end, "the sound is the shorter"


@pytest.mark.parametrize("name", ["pyramid", "no-b-frames", "fragmented", "29.97"])
def test_from_keyframe_to_keyframe_nothing_is_encoded(name: str, recording: Recordings) -> None:
    reference = recording(name)
    first, last = reference.keyframes[1], reference.keyframes[3]
    clip, _ = cut_and_check(reference, reference.times[first], reference.times[last])
    assert (clip.facts.frames_copied, clip.facts.frames_encoded) == (last - first, 0)


@pytest.mark.parametrize("case", slow_except(product(EDGY, PLACES), *each_once(EDGY, PLACES)), ids=str)
def test_a_cut_may_be_one_frame_long(case: tuple[str, int], recording: Recordings) -> None:
    name, place = case
    reference = recording(name)
    number = place % len(reference.times)
    clip, _ = cut_and_check(reference, FrameNumber(number), FrameNumber(number + 1))
    assert clip.facts.frames == 1


@pytest.mark.parametrize(
    "name",
    slow_except(
        [*EDGY, "sound-alone", "no-sound", "picture-late", "sound-late", "edit-list"],
        *("pyramid", "mkv", "29.97", "sound-alone", "no-sound", "sound-late", "edit-list"),
    ),
)
def test_the_whole_recording_can_be_requested(name: str, recording: Recordings) -> None:
    reference = recording(name)
    clip, part = cut_and_check(reference, Fraction(0), reference.end)
    assert clip.facts.frames == len(reference.times)
    assert not part.clamped
    if reference.recipe.copies:
        assert clip.facts.frames_encoded == 0


@pytest.mark.parametrize("name", slow_except(EDGY, "pyramid", "no-b-frames", "vfr", "mkv", "ts"))
def test_frame_numbers_count_presented_frames_from_0(name: str, recording: Recordings) -> None:
    reference = recording(name)
    clip = cut_in_process([reference.path], (0, FrameNumber(37), FrameNumber(52)))
    shown = check_clip(clip, [part for part in [expected_range(reference, FrameNumber(37), FrameNumber(52))] if part])
    assert shown.counters == reference.counters[37:52]


@pytest.mark.parametrize("frame", [41, 47, 89])
def test_six_digit_decimals_that_round_above_a_frame_name_that_frame(frame: int, recording: Recordings) -> None:
    reference = recording("pyramid")
    start = Fraction(f"{frame / 30:.6f}")
    assert start > reference.times[frame], "1.366667 and the like"
    clip = cut_in_process([reference.path], (0, start, start + 1))
    part = expected_range(reference, reference.times[frame], reference.times[frame + 30])
    assert part is not None
    check_clip(clip, [part])


def test_an_end_a_millisecond_before_a_frame_excludes_it(recording: Recordings) -> None:
    reference = recording("pyramid")
    part = expected_range(reference, reference.times[10], reference.times[50])
    assert part is not None
    clip = cut_in_process([reference.path], (0, reference.times[10], reference.times[50] - Fraction(1, 1000)))
    check_clip(clip, [part])


def test_an_end_two_milliseconds_after_a_frame_includes_it(recording: Recordings) -> None:
    reference = recording("pyramid")
    part = expected_range(reference, reference.times[10], reference.times[51])
    assert part is not None
    clip = cut_in_process([reference.path], (0, reference.times[10], reference.times[50] + Fraction(2, 1000)))
    check_clip(clip, [part])


# --- beyond the recording --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pyramid", "fragmented", "vfr", "mkv", "ts", "sound-alone", "no-sound"])
def test_a_range_beyond_the_end_is_clamped_and_says_so(name: str, recording: Recordings) -> None:
    reference = recording(name)
    clip, part = cut_and_check(reference, reference.end - 1, reference.end + 100)
    assert part.clamped
    assert [span.clamped for span in clip.facts.spans] == [True]


@pytest.mark.parametrize("name", ["pyramid", "fragmented", "vfr", "mkv", "ts", "sound-alone", "no-sound"])
@pytest.mark.parametrize("beyond", [Fraction(1, 10), Fraction(5000)])
def test_a_range_outside_the_recording_is_refused(name: str, beyond: Fraction, recording: Recordings) -> None:
    reference = recording(name)
    with pytest.raises(RangeOutsideRecordingError) as refused:
        cut_in_process([reference.path], (0, reference.end + beyond, reference.end + beyond + 3))
    assert refused.value.reason == "range_outside_recording"


def test_frame_numbers_beyond_the_last_are_clamped_or_refused(recording: Recordings) -> None:
    reference = recording("pyramid")
    clip, _ = cut_and_check(reference, FrameNumber(190), FrameNumber(5000))
    assert (clip.facts.frames, clip.facts.spans[0].clamped) == (10, True)
    with pytest.raises(RangeOutsideRecordingError):
        cut_in_process([reference.path], (0, FrameNumber(200), FrameNumber(210)))


# --- joins -----------------------------------------------------------------------------------------

JOINS: dict[str, list[tuple[str, str, str]]] = {
    "two of one recording": [("pyramid", "1.1", "2.3"), ("pyramid", "4.05", "5.9")],
    "contiguous": [("pyramid", "1.1", "2.5"), ("pyramid", "2.5", "4.0")],
    "reversed": [("pyramid", "4.2", "5.5"), ("pyramid", "0.7", "1.9")],
    "the same twice": [("open-gop", "1.4", "3.1"), ("open-gop", "1.4", "3.1")],
    "overlapping": [("29.97", "1.0", "3.0"), ("29.97", "2.0", "4.0")],
    "to the end and again from 0": [("pyramid", "5.2", "100"), ("pyramid", "0", "1.3")],
    "three short ones": [("pyramid", "0.2", "0.5"), ("pyramid", "1.4", "1.7"), ("pyramid", "3.0", "3.4")],
    "equal parameters": [("slices", "2.9", "4.2"), ("slices-2", "0.5", "1.9")],
    "another frame rate": [("pyramid", "1.1", "2.3"), ("29.97", "2.2", "3.5")],
    "another codec": [("pyramid", "1.1", "2.3"), ("hevc", "2.2", "3.5")],
    "another container": [("ts", "1.1", "2.3"), ("mkv", "2.2", "3.5"), ("fragmented", "3", "4.1")],
    "another sample rate": [("pyramid", "1.1", "2.3"), ("44.1-mono", "2.2", "3.5")],
    "with and without sound": [("pyramid", "1.1", "2.3"), ("no-sound", "2.2", "3.0"), ("pyramid", "3", "4")],
    "silent first": [("no-sound", "2.2", "3.0"), ("pyramid", "3", "4")],
    "sound that begins late": [("pyramid", "1", "2"), ("sound-late", "0", "1.5"), ("pyramid", "3", "4")],
    "fragmented": [("fragmented", "1.5", "2.5"), ("fragmented", "4.1", "5")],
    "vfr": [("vfr", "1.5", "2.5"), ("vfr", "0.1", "1.2")],
    "sound alone": [("sound-alone", "1.5", "2.5"), ("sound-alone", "4.1", "5")],
}
QUICK_JOINS = [
    *("two of one recording", "contiguous", "overlapping", "to the end and again from 0", "equal parameters"),
    *("another codec", "another container", "another sample rate", "with and without sound", "sound alone"),
]


@pytest.mark.parametrize("joined", slow_except(JOINS, *QUICK_JOINS))
def test_ranges_are_joined_in_order(joined: str, recording: Recordings) -> None:
    names = list(dict.fromkeys(name for name, _, _ in JOINS[joined]))
    files = [recording(name).path for name in names]
    ranges = [(names.index(name), Fraction(start), Fraction(end)) for name, start, end in JOINS[joined]]
    parts = [expected_range(recording(names[source]), start, end) for source, start, end in ranges]
    clip = cut_in_process(files, *ranges)
    check_clip(clip, [part for part in parts if part])
    if joined in {"two of one recording", "equal parameters"}:
        assert clip.facts.frames_copied, "what has equal parameters is copied"


def test_a_range_of_another_size_is_made_the_size_of_the_first(recording: Recordings, media_folder: Path) -> None:
    large = cached_media(MediaSpec(width=480, height=270, frames=60, gop=20, seed=3), media_folder)
    files = [recording("pyramid").path, large]
    clip = cut_in_process(files, (0, Fraction("1.1"), Fraction("2.1")), (1, Fraction("0.5"), Fraction("1.2")))
    shown = decode_presented(clip.data)
    assert shown.counters == [*range(33, 63), *range(15, 36)]
    assert (clip.facts.width, clip.facts.height) == (320, 180)
    assert decode_warnings(clip.data) == []


def test_pictures_and_sound_alone_cannot_be_joined(recording: Recordings) -> None:
    files = [recording("pyramid").path, recording("sound-alone").path]
    with pytest.raises(Exception, match="cannot be joined") as refused:
        cut_in_process(files, (0, Fraction(0), Fraction(1)), (1, Fraction(0), Fraction(1)))
    assert getattr(refused.value, "reason", None) == "media_unsupported"


# --- the child process -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pyramid", "ts", "sound-alone"])
def test_the_child_process_makes_the_same_clip(name: str, recording: Recordings, cutter: ChildCutter) -> None:
    reference = recording(name)
    wanted = (0, Fraction("1.366667"), Fraction("3.2"))
    apart, here = cut_in_child(cutter, [reference.path], wanted), cut_in_process([reference.path], wanted)
    part = expected_range(reference, *wanted[1:])
    assert part is not None
    check_clip(apart, [part])
    counts = ("frames", "frames_copied", "frames_encoded", "duration", "spans")
    assert [getattr(apart.facts, name) for name in counts] == [getattr(here.facts, name) for name in counts]


def test_a_cut_reads_little_more_than_it_copies(recording: Recordings) -> None:
    reference = recording("pyramid")
    clip = cut_in_process([reference.path], (0, reference.times[48], reference.times[96]))
    # Its index, and the media twice at most: once to check, once to store.
    assert clip.bytes_read < 64_000 + 2 * len(clip.data)
