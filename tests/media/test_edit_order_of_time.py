"""Freeze, loop and reverse: which frame is shown when, what is heard, and that what can be copied is copied."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from tests.media.cuts import CutResult, ask, cut_in_child, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.support.decode import Presented, PresentedFrame, decode_presented, decode_warnings
from tests.support.sampling import slow_except

from cutback.cutting.codecs import encoder
from cutback.cutting.codecs.pictures import PictureEncoder
from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.crop import Crop
from cutback.cutting.edit_values.fade import Fade
from cutback.cutting.edit_values.overlay import TextOverlay
from cutback.cutting.edit_values.sound import Mute
from cutback.cutting.edit_values.time import Freeze, Loop, Reverse
from cutback.cutting.job import CutGap, CutRange
from cutback.cutting.pictures import chosen
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import Finished, Percent, Point
from cutback.domain.times import FromEnd
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]

RANGE = ask((0, Fraction(1), Fraction(5)))
FIRST, STOP = 30, 150


def edited(one: ReferenceRecording, *edits: Edit, ranges: Sequence[CutRange | CutGap] = RANGE) -> CutResult:
    return cut_ranges([one.path], ranges, edits=edits)


def shown(clip: CutResult) -> Presented:
    """What a clip shows; it decodes without complaint, and its facts are true."""
    found = decode_presented(clip.data)
    assert decode_warnings(clip.data) == []
    assert not clip.facts.remade
    assert len(found.frames) == clip.facts.frames == clip.facts.frames_copied + clip.facts.frames_encoded
    end = found.frames[-1].time + found.frames[-1].duration
    assert abs(end - clip.facts.duration) < Fraction(1, 50)
    return found


def near(times: Sequence[Fraction], expected: Sequence[Fraction]) -> bool:
    return len(times) == len(expected) and all(
        abs(a - b) <= Fraction(1, 1000) for a, b in zip(times, expected, strict=True)
    )


def light(frame: PresentedFrame) -> float:
    assert frame.luma is not None
    return float(frame.luma.mean())


def loud(found: Presented, start: float, end: float) -> float:
    rate = found.sample_rate
    part = found.audio[round(start * rate) : round(end * rate)].astype(np.float64)
    return float(np.sqrt(np.mean(part**2)))


# --- freeze ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "number"), [(Fraction(0), 0), (Fraction(2), 60), (Fraction("1.99"), 59), (FromEnd(Fraction(0)), 119)]
)
def test_a_picture_is_held_and_nothing_is_re_encoded(recording: Recordings, at: Point, number: int) -> None:
    one = recording("pyramid")
    plain, clip = edited(one), edited(one, Freeze(at, Fraction(3)))
    found = shown(clip)
    assert found.counters == one.counters[FIRST:STOP]
    assert near(found.times, [Fraction(n, 30) + (3 if n > number else 0) for n in range(120)])
    assert clip.facts.frames_copied == plain.facts.frames_copied > 0
    assert clip.facts.duration == 7


def test_the_sound_is_silent_while_a_picture_is_held_and_then_goes_on(recording: Recordings) -> None:
    one = recording("pyramid")
    before, after = shown(edited(one)), shown(edited(one, Freeze(Fraction(2), Fraction(1))))
    assert loud(after, 2.1, 2.9) < 0.01 * loud(before, 2.1, 2.9)
    rate = after.sample_rate
    heard, known = (found.audio.astype(np.float64) for found in (after, before))
    for start, shift in ((0.5, 0.0), (3.2, 1.0)):
        a = heard[round(start * rate) : round((start + 0.5) * rate)]
        b = known[round((start - shift) * rate) : round((start - shift + 0.5) * rate)]
        assert np.abs(a - b).max() < 0.1 * np.abs(known).max()


def test_what_is_drawn_while_a_picture_is_held_comes_with_the_next_one(recording: Recordings) -> None:
    text = TextOverlay(
        text="A",
        place="center",
        margin=0,
        size=Percent(Fraction(20)),
        weight="bold",
        color="#ffffff",
        box=True,
        start=Fraction(3),
        duration=Fraction(1),
        shadow=False,
        fade_in=Fraction(0),
        fade_out=Fraction(0),
    )
    one = recording("pyramid")
    clip = edited(one, Freeze(Fraction(2), Fraction(2)), text)
    plain = edited(one, Freeze(Fraction(2), Fraction(2)))
    luma = [decode_presented(each.data, luma=True).frames for each in (plain, clip)]
    differs = [
        np.abs(a.luma.astype(int) - b.luma).mean() > 3
        for a, b in zip(*luma, strict=True)
        if a.luma is not None and b.luma is not None
    ]
    assert [n for n, each in enumerate(differs) if each] == list(range(90, 120)), "its point is before the freeze"


@pytest.mark.parametrize("frames", range(1, 5))
def test_the_last_picture_is_held_though_pictures_are_reordered(recording: Recordings, frames: int) -> None:
    one = recording("pyramid")
    ranges = ask((0, Fraction(1), Fraction(4) + Fraction(frames, 30)))
    clip = edited(one, Freeze(FromEnd(Fraction(0)), Fraction(3)), Mute(), ranges=ranges)
    assert shown(clip).counters == one.counters[FIRST : 120 + frames]
    assert clip.facts.frames_copied > 0


def test_the_last_picture_is_held_in_a_clip_that_is_encoded(recording: Recordings) -> None:
    one = recording("pyramid")
    crop = Crop(Fraction(1), None, None, None, None, None)
    clip = edited(one, crop, Freeze(FromEnd(Fraction(0)), Fraction(3)), Mute())
    assert near(shown(clip).times, [Fraction(n, 30) for n in range(120)])
    assert clip.facts.frames_copied == 0


def test_a_picture_is_held_for_ten_minutes_though_ticks_are_fine(recording: Recordings) -> None:
    data, one = io.BytesIO(), recording("pyramid")
    with (
        av.open(str(one.path)) as source,
        av.open(data, "w", format="mp4", options={"video_track_timescale": "10000000"}) as fine,
    ):
        stream = fine.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                fine.mux(packet)
    clip = cut_ranges([data.getvalue()], RANGE, edits=[Freeze(Fraction(1), Fraction(600))])
    assert near(shown(clip).times, [Fraction(n, 30) + (600 if n > 30 else 0) for n in range(120)])


@pytest.mark.parametrize("at", [Fraction(0), FromEnd(Fraction(0))])
def test_a_held_picture_fades(recording: Recordings, at: Point) -> None:
    one = recording("pyramid")
    fade_in, fade_out = (Fraction(1), Fraction(0)) if at == 0 else (Fraction(0), Fraction(1))
    plain = edited(one, Freeze(at, Fraction(2)))
    clip = edited(one, Freeze(at, Fraction(2)), Fade(fade_in, fade_out, "black"))
    found = shown(clip)
    brightness = {frame.time: light(frame) for frame in decode_presented(clip.data, luma=True).frames}
    before = [light(frame) for frame in decode_presented(plain.data, luma=True).frames]
    full, whole = (before[0], 0) if at == 0 else (before[-1], 6)
    during = [(abs(time - whole), seen) for time, seen in brightness.items() if abs(time - whole) < 1]
    assert len(during) == pytest.approx(30, abs=1), "it is drawn for each frame of the fade"
    assert all(abs(seen - 16 - (full - 16) * float(part)) < 3 for part, seen in during)
    assert clip.facts.frames_copied > 0
    assert found.times[-1] < 6


def test_what_is_drawn_over_a_held_picture_begins_and_ends_on_time(recording: Recordings) -> None:
    one = recording("pyramid")
    text = TextOverlay(
        text="A", place="center", margin=0, size=Percent(Fraction(20)), weight="bold", color="#ffffff", box=True,
        start=Finished(Fraction("4.5")), duration=Fraction(1),
    )  # fmt: skip
    hold = Freeze(FromEnd(Fraction(0)), Fraction(2))
    pictures = decode_presented(edited(one, hold, text).data, luma=True).frames
    held = [frame for frame in pictures if frame.time >= Fraction("3.95")]
    assert near([frame.time for frame in held], [Fraction(119, 30), Fraction("4.5"), Fraction("5.5")])
    without, drawn, after = (frame.luma.astype(int) for frame in held if frame.luma is not None)
    assert np.abs(drawn - without).mean() > 3
    assert np.abs(after - without).mean() < 1


# --- loop ------------------------------------------------------------------------------------------


def test_the_clip_is_shown_several_times_and_its_pictures_are_copied_each_time(recording: Recordings) -> None:
    one = recording("pyramid")
    plain, clip = edited(one), edited(one, Loop(3, None, None))
    found = shown(clip)
    assert found.counters == one.counters[FIRST:STOP] * 3
    assert near(found.times, [Fraction(n, 30) for n in range(360)])
    assert clip.facts.frames_copied == 3 * plain.facts.frames_copied > 0
    assert clip.facts.duration == 12
    assert clip.facts.edits == ("loop: the clip is shown 3 times",)
    assert loud(found, 9, 11) == pytest.approx(loud(shown(plain), 1, 3), rel=0.1)


def test_a_part_is_shown_several_times(recording: Recordings) -> None:
    one = recording("pyramid")
    wanted = ask((0, Fraction(1), Fraction(2)), (0, Fraction(3), Fraction(4)))
    clip = edited(one, Loop(2, Fraction("0.5"), FromEnd(Fraction("0.5"))), ranges=wanted)
    counters = one.counters[30:60] + one.counters[90:120]
    assert shown(clip).counters == counters[:15] + counters[15:45] * 2 + counters[45:]
    assert clip.facts.duration == 3


def test_a_fade_is_at_the_end_of_the_last_time(recording: Recordings) -> None:
    clip = edited(recording("pyramid"), Loop(2, None, None), Fade(Fraction(0), Fraction(1), "black"))
    frames = decode_presented(clip.data, luma=True).frames
    assert clip.facts.frames_copied > 0
    levels = [float(frame.luma.mean()) for frame in frames if frame.luma is not None]
    assert levels[-1] < 25 < min(levels[100:140])


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (Loop(2, Fraction(9), None), "loop: 9 s is not within the clip"),
        (Loop(2, Fraction(2), FromEnd(Fraction(2))), "loop: its part ends at 2 s, before it begins"),
        (Freeze(Fraction(9), Fraction(1)), "freeze: 9 s is not within the clip"),
    ],
)
def test_what_is_not_within_the_clip_is_refused(recording: Recordings, edit: Edit, said: str) -> None:
    with pytest.raises(EditImpossibleError, match=said):
        edited(recording("pyramid"), edit)


# --- reverse ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", slow_except(["pyramid", "open-gop", "one-gop", "hevc-10", "ts"], "open-gop", "hevc-10")
)
def test_the_frames_come_from_the_last_to_the_first(
    recording: Recordings, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = recording(name)
    size = 320 * 180 * 3 // 2
    monkeypatch.setattr(chosen, "KEPT", 7 * size)  # slices of a few pictures, each a part of a group
    wanted = ask((0, Fraction(1), Fraction(3)))
    found = shown(edited(one, Reverse(), ranges=wanted))
    assert found.counters == one.counters[30:90][::-1]
    assert near(found.times, [Fraction(n, 30) for n in range(60)])
    assert found.audio.size == 0


def test_times_of_a_variable_frame_rate_are_reversed_one_by_one(recording: Recordings) -> None:
    one = recording("vfr")
    plain, back = edited(one), edited(one, Reverse())
    starts = [frame.time for frame in shown(plain).frames]
    ends = [*starts[1:], plain.facts.duration]
    assert near(shown(back).times, [plain.facts.duration - end for end in reversed(ends)])


def test_joined_ranges_are_reversed_as_one_clip_and_other_edits_go_with_it(recording: Recordings) -> None:
    one = recording("pyramid")
    wanted = ask((0, Fraction(1), Fraction(2)), (0, Fraction(4), Fraction(5)))
    clip = edited(one, Crop(Fraction(1), None, None, None, None, None), Reverse(), ranges=wanted)
    frames = decode_presented(clip.data, luma=True).frames
    plain = decode_presented(
        edited(one, Crop(Fraction(1), None, None, None, None, None), ranges=wanted).data, luma=True
    ).frames
    assert len(frames) == 60
    for found, expected in zip(frames, reversed(plain), strict=True):
        assert found.luma is not None
        assert expected.luma is not None
        assert np.abs(found.luma.astype(int) - expected.luma).mean() < 3


def test_the_encoder_keeps_few_pictures_where_decoding_keeps_some(
    recording: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []

    class Noted(PictureEncoder):
        def __init__(self, *arguments: Any, options: Mapping[str, str], **more: Any) -> None:
            used.append(options["x264-params"])
            super().__init__(*arguments, options=options, **more)

    monkeypatch.setattr(encoder, "PictureEncoder", Noted)
    crop = Crop(Fraction(1), None, None, None, None, None)
    edited(recording("pyramid"), crop)
    edited(recording("pyramid"), Reverse())
    assert ["rc-lookahead=8:" in each for each in used] == [False, True]


def test_a_filled_gap_cannot_be_reversed(recording: Recordings) -> None:
    ranges: list[CutRange | CutGap] = [CutRange(0, Fraction(1), Fraction(2)), CutGap(Fraction(1), "freeze")]
    with pytest.raises(EditImpossibleError, match="fills gaps"):
        edited(recording("pyramid"), Reverse(), ranges=ranges)


def test_the_child_freezes_loops_and_reverses(recording: Recordings, cutter: ChildCutter) -> None:
    one = recording("pyramid")
    for edit, frames in ((Freeze(Fraction(1), Fraction(1)), 60), (Loop(2, None, None), 120), (Reverse(), 60)):
        clip = cut_in_child(cutter, [one.path], (0, Fraction(1), Fraction(3)), edits=[edit])
        assert clip.facts.frames == frames
