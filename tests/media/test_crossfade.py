"""Crossfades: what is mixed and how much, that sound has no dip and no jump, that the rest is copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.media.cuts import BytesSource, CutResult, ask, cut_in_child, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.support.decode import Presented, decode_presented, decode_warnings
from tests.support.media import MediaSpec, cached_media
from tests.support.sampling import slow_except

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.crop import Crop
from cutback.cutting.edit_values.fade import Fade
from cutback.cutting.edit_values.overlay import TextOverlay
from cutback.cutting.edit_values.sound import Gain
from cutback.cutting.edit_values.time import Loop, Reverse, Speed, Timelapse
from cutback.cutting.job import CutGap, CutJob, CutRange, WallClock
from cutback.cutting.preview import preview
from cutback.domain.errors import EditImpossibleError
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]
Luma = NDArray[np.uint8]

HALF = Fraction(1, 2)


def ranges(*wanted: tuple[int, str, str, str]) -> tuple[CutRange, ...]:
    """From (source, start, end, crossfade)."""
    return tuple(
        CutRange(source, Fraction(start), Fraction(end), crossfade=Fraction(crossfade))
        for source, start, end, crossfade in wanted
    )


TWO = ranges((0, "0", "2", "0"), (0, "3", "5", "0.5"))


def joined(
    recordings: Sequence[Path | bytes], wanted: Sequence[CutRange | CutGap] = TWO, *edits: Edit, clocked: bool = False
) -> CutResult:
    clock = (WallClock(Fraction(1000), Fraction(1), "north"),) if clocked else ()
    return cut_ranges(recordings, wanted, edits=edits, wall_clocks=clock)


def shown(clip: CutResult) -> Presented:
    found = decode_presented(clip.data, luma=True)
    assert decode_warnings(clip.data) == []
    assert not clip.facts.remade, clip.facts.notes
    assert len(found.frames) == clip.facts.frames
    return found


def lumas(found: Presented) -> list[Luma]:
    return [frame.luma for frame in found.frames if frame.luma is not None]


def mixed(before: Luma, after: Luma, share: float) -> Luma:
    return (before * (1 - share) + after * share).astype(np.uint8)


def off(a: Luma, b: Luma) -> float:
    return float(np.abs(a.astype(np.float32) - b).mean())


def expected(source: list[Luma], joins: Sequence[tuple[int, int, int]]) -> list[Luma]:
    """The pictures of ranges [first, stop) of a recording that overlap by some frames."""
    made: list[Luma] = []
    for first, stop, overlap in joins:
        taken, count = source[first:stop], len(made) - overlap
        for number in range(overlap):
            made[count + number] = mixed(made[count + number], taken[number], (number + 0.5) / overlap)
        made += taken[overlap:]
    return made


def test_pictures_are_mixed_frame_by_frame_and_the_clip_is_shorter_by_the_crossfade(recording: Recordings) -> None:
    one = recording("pyramid")
    clip = joined([one.path])
    found = shown(clip)
    assert clip.facts.duration == Fraction(2) + 2 - HALF
    assert [frame.time for frame in found.frames] == [Fraction(n, 30) for n in range(105)]
    wanted = expected(lumas(decode_presented(one.path, luma=True)), [(0, 60, 0), (90, 150, 15)])
    assert len(wanted) == 105
    assert max(off(a, b) for a, b in zip(lumas(found), wanted, strict=True)) < 3
    assert clip.facts.edits == ("crossfade: 0.5 s at 1.5 s",)
    assert [(span.start, span.end) for span in clip.facts.spans] == [
        (Fraction(0), Fraction(2)),
        (Fraction(3), Fraction(5)),
    ]


def test_only_the_overlap_is_encoded_up_to_the_next_keyframe(recording: Recordings) -> None:
    one = recording("pyramid")  # keyframes at 48, 96 and 144
    clip = joined([one.path], ranges((0, "0", "3", "0"), (0, "3.2", "5", "0.5")))
    found = shown(clip)
    source = {frame.md5: frame.counter for frame in one.shown.frames}
    copied = [source.get(frame.md5) for frame in found.frames]
    assert len(found.frames) == 90 + 54 - 15
    assert copied[:70] == one.counters[:70]
    assert copied[-6:-1] == one.counters[144:149]
    assert clip.facts.frames_encoded <= 48 + 4, "a group of pictures, and frames that need one after the end"


def test_chains_of_ranges_overlap_one_after_the_other(recording: Recordings) -> None:
    one = recording("pyramid")
    wanted = ranges((0, "0", "1", "0"), (0, "2", "3", "0.3"), (0, "1", "2", "0.7"), (0, "4", "5", "0.3"))
    found = shown(joined([one.path], wanted))
    source = lumas(decode_presented(one.path, luma=True))
    chain = expected(source, [(0, 30, 0), (60, 90, 9), (30, 60, 21), (120, 150, 9)])
    assert len(chain) == 30 + 21 + 9 + 21
    assert max(off(a, b) for a, b in zip(lumas(found), chain, strict=True)) < 3
    assert found.audio_end == pytest.approx(Fraction(81, 30), abs=0.03)


@pytest.mark.parametrize(
    "name",
    slow_except(["open-gop", "hevc-hdr10", "vfr", "ts", "rotated", "no-b-frames"], "open-gop", "hevc-hdr10", "vfr"),
)
def test_other_recordings_overlap_too(recording: Recordings, name: str) -> None:
    one = recording(name)
    found = shown(joined([one.path], ranges((0, "0", "1.5", "0"), (0, "2", "3.5", "0.5"))))
    head = cut_ranges([one.path], ask((0, Fraction(0), Fraction(3, 2))))
    rest = cut_ranges([one.path], ask((0, Fraction(2), Fraction(7, 2))))
    before, after = decode_presented(head.data, luma=True), decode_presented(rest.data, luma=True)
    overlap = sum(frame.time < HALF for frame in after.frames)
    base = head.facts.duration - HALF
    kept = sum(frame.time < base - Fraction(1, 1000) for frame in before.frames)
    assert len(found.frames) == kept + len(after.frames)
    for number in (0, overlap // 2, overlap - 1):
        time = after.frames[number].time + base
        tail = [frame for frame in before.frames if frame.time <= time + Fraction(2, 1000)][-1]
        share = float(after.frames[number].time / HALF) + 0.5 / overlap
        assert tail.luma is not None
        wanted = mixed(tail.luma, lumas(after)[number], share)
        assert off(lumas(found)[kept + number], wanted) < 3
    assert off(lumas(found)[-1], lumas(after)[-1]) < 3


# --- sound -----------------------------------------------------------------------------------------


def levels(found: Presented, at: float, width: float = 0.02) -> float:
    part = found.audio[round((at - width) * found.sample_rate) : round((at + width) * found.sample_rate)]
    return float(np.sqrt(np.mean(part.astype(np.float64) ** 2)))


@pytest.mark.parametrize("edits", [(), (Gain(Fraction(1, 1000)),)], ids=["packets", "decoded"])
def test_sound_is_mixed_at_equal_power(recording: Recordings, edits: tuple[Edit, ...]) -> None:
    one = recording("pyramid")
    found = shown(joined([one.path], TWO, *edits))
    rate = found.sample_rate
    assert found.audio_jumps == []
    source = one.shown.audio
    begin = round(1.5 * rate)
    count = rate // 2
    place = (np.arange(count) + 0.5) / count * np.pi / 2
    # The grid of packets may move a range by at most half a packet.
    best = min(
        float(
            np.abs(
                found.audio[begin : begin + count]
                - source[begin : begin + count] * np.cos(place)
                - source[3 * rate - shift : 3 * rate - shift + count] * np.sin(place)
            ).mean()
        )
        for shift in range(-513, 514)
    )
    assert best < 0.12 * float(np.abs(source[begin : begin + count]).mean())


def test_packets_outside_of_the_overlap_are_copied(recording: Recordings) -> None:
    one = recording("pyramid")
    clip = joined([one.path])
    found, plain = shown(clip), decode_presented(one.path)
    rate = found.sample_rate
    assert np.array_equal(found.audio[rate // 8 : rate + rate // 4], plain.audio[rate // 8 : rate + rate // 4])


def test_sounds_of_recordings_that_differ_are_decoded_and_mixed(recording: Recordings, media_folder: Path) -> None:
    one = recording("pyramid")
    other = cached_media(MediaSpec(frames=90, width=320, height=240, fps=Fraction(15), sample_rate=44100), media_folder)
    clip = joined([one.path, other], ranges((0, "0", "2", "0"), (1, "0", "2", "1")))
    found = shown(clip)
    assert clip.facts.duration == 3
    assert clip.facts.frames == 30 + 30
    assert (clip.facts.width, clip.facts.height) == (320, 180)
    assert "Pictures of 320×240 are scaled to 320×180, with black bars." in clip.facts.notes
    assert found.audio_end == pytest.approx(3, abs=0.03)
    assert levels(found, 1.5) > 0.5 * levels(found, 0.5)


# --- with edits and other joins --------------------------------------------------------------------


def test_edits_are_in_the_time_of_the_joined_ranges(recording: Recordings) -> None:
    one = recording("pyramid")
    text = TextOverlay(
        text="Left", place="center", margin=4, size=30, weight="bold", color="#ffffff", box=True,
        start=Fraction(2), duration=HALF,
    )  # fmt: skip
    found, before = lumas(shown(joined([one.path], TWO, text))), lumas(shown(joined([one.path])))
    changed = [int((np.abs(a.astype(int) - b) > 50).sum()) > 150 for a, b in zip(found, before, strict=True)]
    assert changed == [60 <= number < 75 for number in range(105)]


def test_a_crossfade_is_slower_in_slow_motion_and_is_cropped(recording: Recordings) -> None:
    one = recording("pyramid")
    plain = lumas(shown(joined([one.path])))
    slow = joined([one.path], TWO, Speed(HALF, (), None))
    assert slow.facts.duration == 7
    assert max(off(a, b) for a, b in zip(lumas(shown(slow)), plain, strict=True)) < 2
    crop = joined([one.path], TWO, Crop(None, None, 0, 0, 160, 90))
    assert max(off(a, b[:90, :160]) for a, b in zip(lumas(shown(crop)), plain, strict=True)) < 3


def test_a_timelapse_and_a_fade_go_through_a_crossfade(recording: Recordings) -> None:
    one = recording("pyramid")
    clip = joined([one.path], TWO, Timelapse(Fraction(2), Fraction(10)), Fade(Fraction(1), HALF, "black"))
    assert len(shown(clip).frames) == 20


@pytest.mark.parametrize(("edit", "name"), [(Loop(2, None, None), "loop"), (Reverse(), "reverse")])
def test_loops_and_reverse_refuse_a_crossfade(recording: Recordings, edit: Edit, name: str) -> None:
    with pytest.raises(EditImpossibleError, match=f"{name}: ranges that overlap in a crossfade"):
        joined([recording("pyramid").path], TWO, edit)


def test_ranges_that_meet_are_not_joined_into_one(recording: Recordings) -> None:
    one = recording("pyramid")
    clip = joined([one.path], ranges((0, "0", "2", "0"), (0, "2", "4", "1")))
    assert clip.facts.frames == 90
    shown(clip)


def test_a_crossfade_over_seams_of_a_camera_mixes_what_is_shown(recording: Recordings) -> None:
    """The end of what is before and the beginning of what follows consist of several recordings."""
    one = recording("pyramid")
    wanted = [
        CutRange(0, Fraction(0), Fraction(1), seam_after=True),
        CutRange(1, Fraction(1), Fraction("1.2"), seam_before=True),
        CutRange(0, Fraction(3), Fraction("3.2"), seam_after=True, crossfade=HALF),
        CutRange(1, Fraction("3.2"), Fraction(4), seam_before=True),
    ]
    found = shown(joined([one.path, one.path], wanted))
    source = lumas(decode_presented(one.path, luma=True))
    chain = expected(source, [(0, 36, 0), (90, 120, 15)])
    assert len(found.frames) == len(chain) == 51
    assert max(off(a, b) for a, b in zip(lumas(found), chain, strict=True)) < 3


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (ranges((0, "0", "1", "0"), (0, "2", "4", "1.5")), "crossfade: 1.5 s are longer than what is before it"),
        (ranges((0, "0", "3", "0"), (0, "3", "4", "1.5")), "crossfade: 1.5 s are longer than what is after it"),
        (
            ranges((0, "0", "1", "0"), (0, "2", "3", "0.6"), (0, "3", "4", "0.6")),
            "crossfade: 0.6 s are longer than what is before it",
        ),
        ((*TWO[:1], CutGap(Fraction(1), "freeze"), *TWO[1:]), "crossfade: a filled gap cannot be part of it"),
        (
            (*TWO[:1], replace(TWO[1], end=Fraction(3) + Fraction(1, 5)), CutGap(Fraction(1), "black")),
            "crossfade: a filled gap cannot be part of it",
        ),
    ],
)
def test_a_crossfade_that_does_not_fit_is_refused(
    recording: Recordings, wanted: Sequence[CutRange | CutGap], said: str
) -> None:
    with pytest.raises(EditImpossibleError, match=said):
        joined([recording("pyramid").path], wanted)


def test_a_crossfade_of_a_whole_range_is_possible(recording: Recordings) -> None:
    one = recording("pyramid")
    assert len(shown(joined([one.path], ranges((0, "0", "1", "0"), (0, "2", "4", "1")))).frames) == 60
    assert len(shown(joined([one.path], ranges((0, "0", "2", "0"), (0, "2", "3", "1")))).frames) == 60


def test_the_plan_says_what_is_encoded_for_it(recording: Recordings) -> None:
    source = BytesSource(recording("pyramid").path.read_bytes())
    planned = preview(CutJob((source.size,), TWO), [source])
    reasons = [segment["reason"] for segment in planned["parts"][1]["segments"] if segment["action"] == "encode"]
    assert "joined: crossfade" in reasons[0]
    assert planned["clip_duration"] in {"3.5", 3.5}


def test_the_child_makes_crossfades(recording: Recordings, cutter: ChildCutter) -> None:
    one = recording("pyramid")
    clip = cut_in_child(cutter, [one.path], wanted=TWO)
    assert len(shown(clip).frames) == 105
