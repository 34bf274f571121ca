"""Speed and timelapse: which frames are shown when, what is heard, and that little is re-encoded or read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.media.cuts import BytesSource, CutResult, ask, cut_in_child, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.support.decode import Presented, decode_presented, decode_warnings
from tests.support.media import MediaSpec, cached_media
from tests.support.sampling import slow_except

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.crop import Crop
from cutback.cutting.edit_values.sound import Gain
from cutback.cutting.edit_values.time import Speed, SpeedSpan, Timelapse
from cutback.cutting.job import CutGap, CutJob, CutRange, Limits, WallClock
from cutback.cutting.preview import preview
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import AtMoment, Point
from cutback.domain.times import FromEnd
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]

RANGE = ask((0, Fraction(1), Fraction(5)))
FIRST, STOP = 30, 150


def speed(value: str | int) -> Speed:
    return Speed(Fraction(value), (), None)


def spans(*parts: tuple[Point, Point, str]) -> Speed:
    return Speed(None, tuple(SpeedSpan(start, end, Fraction(pace)) for start, end, pace in parts), None)


def edited(
    recording: Path | bytes, *edits: Edit, ranges: Sequence[CutRange | CutGap] = RANGE, clock: WallClock | None = None
) -> CutResult:
    return cut_ranges([recording], ranges, edits=edits, wall_clocks=(clock,))


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


# --- speed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pace", slow_except(["0.5", "0.0625", "0.7", "2"], "0.7", "2"))
def test_the_speed_changes_times_and_re_encodes_nothing(recording: Recordings, pace: str) -> None:
    one = recording("pyramid")
    plain, changed = edited(one.path), edited(one.path, speed(pace))
    found = shown(changed)
    assert found.counters == one.counters[FIRST:STOP]
    assert near(found.times, [Fraction(n, 30) / Fraction(pace) for n in range(STOP - FIRST)])
    assert changed.facts.frames_copied == plain.facts.frames_copied > 0
    assert changed.facts.duration == plain.facts.duration / Fraction(pace)


def test_times_of_a_variable_frame_rate_are_scaled_one_by_one(recording: Recordings) -> None:
    one = recording("vfr")
    plain, changed = edited(one.path), edited(one.path, speed("0.5"))
    assert near(shown(changed).times, [2 * time for time in shown(plain).times])


def test_spans_have_speeds_of_their_own(recording: Recordings) -> None:
    one = recording("pyramid")
    clip = edited(one.path, spans((Fraction(1), Fraction(2), "0.5"), (Fraction(3), FromEnd(Fraction(1, 2)), "2")))
    found = shown(clip)
    # 1 s, 1 s that lasts 2, 1 s, half a second that lasts a quarter, half a second
    assert clip.facts.duration == Fraction("4.75")
    assert found.counters == one.counters[FIRST:STOP]
    expected = [Fraction(n, 30) for n in range(30)]
    expected += [1 + Fraction(n, 15) for n in range(30)]
    expected += [3 + Fraction(n, 30) for n in range(30)]
    expected += [4 + Fraction(n, 60) for n in range(15)]
    expected += [Fraction("4.25") + Fraction(n, 30) for n in range(15)]
    assert near(found.times, expected)
    assert clip.facts.frames_copied == edited(one.path).facts.frames_copied


def test_frames_are_left_out_where_there_would_be_too_many(recording: Recordings) -> None:
    one = recording("pyramid")
    clip = edited(one.path, spans((Fraction(1), Fraction(3), "8")))
    found = shown(clip)
    assert clip.facts.duration == Fraction("2.25")
    inside = one.counters[FIRST + 30 : FIRST + 90]
    fast = [n for n in found.counters if n in inside]
    assert len(fast) == round(0.25 * 30)
    assert all(abs(a - b) <= 4 for a, b in zip(fast, inside[::8], strict=True))
    assert [n for n in found.counters if n not in inside] == [n for n in one.counters[FIRST:STOP] if n not in inside]
    assert clip.facts.frames_copied > 0, "what is not sped up is copied"
    assert "some frames are left out" in clip.facts.edits[0]


def test_speed_goes_on_over_joined_ranges(recording: Recordings) -> None:
    one = recording("pyramid")
    wanted = ask((0, Fraction(1), Fraction(2)), (0, Fraction(4), Fraction(5)))
    clip = edited(one.path, spans((Fraction("0.5"), Fraction("1.5"), "0.5")), ranges=wanted)
    found = shown(clip)
    assert clip.facts.duration == 3
    assert found.counters == one.counters[30:60] + one.counters[120:150]
    assert found.times[30] == pytest.approx(1.5, abs=0.001)


def test_a_filled_gap_has_the_speed_of_the_clip(recording: Recordings) -> None:
    wanted: list[CutRange | CutGap] = [CutRange(0, Fraction(1), Fraction(2)), CutGap(Fraction(1), "freeze")]
    clip = edited(recording("pyramid").path, speed("0.5"), ranges=wanted)
    assert clip.facts.duration == 4
    assert near(shown(clip).times, [Fraction(n, 15) for n in range(60)])


def test_speed_and_shape_go_together(recording: Recordings) -> None:
    one = recording("pyramid")
    clip = edited(one.path, Crop(Fraction(1), None, None, None, None, None), speed("0.5"))
    assert len(shown(clip).frames) == STOP - FIRST
    assert (clip.facts.width, clip.facts.duration) == (180, Fraction(8))


# --- moments ---------------------------------------------------------------------------------------

CLOCK = WallClock(Fraction(1_790_000_000), Fraction(1), "north-point")
"""Of the recording's time zero."""


def test_a_span_can_be_given_in_moments(recording: Recordings) -> None:
    one = recording("pyramid")
    moments = (AtMoment(CLOCK.epoch + 2), AtMoment(CLOCK.epoch + 3))
    by_moment = edited(one.path, spans((*moments, "0.5")), clock=CLOCK)
    assert shown(by_moment).times == shown(edited(one.path, spans((Fraction(1), Fraction(2), "0.5")))).times


@pytest.mark.parametrize(
    ("edit", "clock", "said"),
    [
        (spans((Fraction(1), Fraction(9), "2")), None, "speed: 9 s is not within the clip"),
        (spans((FromEnd(Fraction(9)), Fraction(2), "2")), None, "9 s before its end is not within the clip"),
        (spans((Fraction(3), FromEnd(Fraction(2)), "2")), None, "before it begins"),
        (spans((Fraction(0), Fraction(2), "2"), (Fraction(1), Fraction(3), "2")), None, "overlap"),
        (spans((AtMoment(CLOCK.epoch), Fraction(2), "2")), None, "needs a source that names a camera"),
        (spans((AtMoment(CLOCK.epoch), Fraction(2), "2")), CLOCK, "a moment is not within the clip"),
        (spans((Fraction(0), AtMoment(CLOCK.epoch + 60), "2")), CLOCK, "a moment is not within the clip"),
    ],
)
def test_points_outside_of_the_clip_are_refused(
    recording: Recordings, edit: Speed, clock: WallClock | None, said: str
) -> None:
    with pytest.raises(EditImpossibleError, match=said):
        edited(recording("pyramid").path, edit, clock=clock)


def test_a_slow_motion_that_would_last_too_long_is_refused(recording: Recordings) -> None:
    with pytest.raises(EditImpossibleError, match="longer than 30 s"):
        cut_ranges([recording("pyramid").path], RANGE, edits=[speed("0.1")], limits=Limits(duration=30))


# --- sound -----------------------------------------------------------------------------------------


def pitch(found: Presented, start: float = 0.3, end: float = 1.2) -> float:
    """Hz, by zero crossings."""
    part = found.audio[round(start * found.sample_rate) : round(end * found.sample_rate)]
    rising = np.flatnonzero((part[:-1] < 0) & (part[1:] >= 0))
    return float((len(rising) - 1) * found.sample_rate / (rising[-1] - rising[0]))


@pytest.mark.parametrize(
    ("pace", "way", "hertz"),
    [("2", None, 440), ("0.5", None, 440), ("2", "resample", 880), ("0.5", "resample", 220), ("0.25", "pitch", 440)],
)
def test_sound_keeps_its_pitch_unless_asked_otherwise(tone: Path, pace: str, way: str | None, hertz: int) -> None:
    clip = edited(tone, Speed(Fraction(pace), (), way))  # type: ignore[arg-type]
    found = decode_presented(clip.data)
    assert pitch(found) == pytest.approx(hertz, rel=0.02)
    assert found.audio_end is not None
    assert abs(found.audio_end - 4 / Fraction(pace)) <= Fraction(1100, 48_000)
    assert clip.facts.duration == 4 / Fraction(pace)


@pytest.mark.parametrize("pace", ["0.4", "5"])
def test_sound_far_from_its_speed_is_dropped(recording: Recordings, pace: str) -> None:
    assert decode_presented(edited(recording("pyramid").path, speed(pace)).data).audio_start is None


def test_sound_of_a_span_is_silent_if_dropped_and_the_rest_stays_in_place(tone: Path) -> None:
    clip = edited(tone, Speed(None, (SpeedSpan(Fraction(1), Fraction(2), Fraction("0.5")),), "drop"))
    found = decode_presented(clip.data)
    level = [
        float(np.abs(found.audio[round(s * 48_000) : round((s + 0.8) * 48_000)]).mean()) for s in (0.1, 1.1, 2.1, 3.1)
    ]
    assert [value > 0.1 for value in level] == [True, False, False, True]
    assert clip.facts.duration == 5


def test_gain_follows_speed(tone: Path) -> None:
    clip = edited(tone, speed(2), Gain(Fraction(-20)))
    assert 0.02 < np.abs(decode_presented(clip.data).audio[4800:40_000]).mean() < 0.04  # of a sine of 0.05


# --- timelapse -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("duration", "fps"), [("1", 30), ("0.5", 24), ("2", 10), ("0.1", 1), ("8", 60)])
def test_a_timelapse_has_exactly_its_frames(recording: Recordings, duration: str, fps: int) -> None:
    one = recording("pyramid")
    clip = edited(one.path, Timelapse(Fraction(duration), Fraction(fps)))
    found = shown(clip)
    count = max(1, round(Fraction(duration) * fps))
    assert near(found.times, [Fraction(n, fps) for n in range(count)])
    assert clip.facts.duration == Fraction(count, fps)
    step = Fraction(STOP - FIRST, count)
    off = [abs(number - one.counters[FIRST] - n * step) for n, number in enumerate(found.counters)]
    assert max(off) <= max(Fraction(1), step / 2)
    assert found.counters == sorted(found.counters)
    assert found.audio_start is None
    assert f"{count} frames" in clip.facts.edits[0]


@pytest.mark.parametrize(("speed", "fps", "count"), [("5", 10, 8), ("2", 30, 60), ("1000", 30, 1)])
def test_a_timelapse_has_a_speed_instead_of_a_duration(recording: Recordings, speed: str, fps: int, count: int) -> None:
    one = recording("pyramid")
    clip = edited(one.path, Timelapse(None, Fraction(fps), Fraction(speed)), ranges=ask((0, Fraction(1), Fraction(5))))
    found = shown(clip)
    assert near(found.times, [Fraction(n, fps) for n in range(count)])
    off = [abs(number - one.counters[30] - n * Fraction(120, count)) for n, number in enumerate(found.counters)]
    assert max(off) <= max(Fraction(1), Fraction(60, count))


def test_a_timelapse_that_would_be_too_long_is_refused(recording: Recordings) -> None:
    source = BytesSource(recording("pyramid").path.read_bytes())
    wanted = (CutRange(0, Fraction(1), Fraction(5)),) * 1000
    with pytest.raises(EditImpossibleError, match="timelapse: the clip would be 4000 s long; at most 3600"):
        preview(CutJob((source.size,), wanted, edits=(Timelapse(None, Fraction(1), Fraction(1)),)), [source])


def test_a_timelapse_reads_and_decodes_only_what_it_shows(media_folder: Path) -> None:
    spec = MediaSpec(frames=900, gop=30, audio=None)
    path = cached_media(spec, media_folder)
    whole = ask((0, Fraction(0), Fraction(30)))
    clip = edited(path, Timelapse(Fraction(1), Fraction(15)), ranges=whole)
    assert [number % 30 for number in shown(clip).counters] == [0] * 15, "keyframes"
    assert clip.bytes_read * 3 < path.stat().st_size


def test_a_timelapse_goes_on_over_joined_ranges(recording: Recordings) -> None:
    one = recording("pyramid")
    wanted = ask((0, Fraction(1), Fraction(2)), (0, Fraction(4), Fraction(5)))
    clip = edited(one.path, Timelapse(Fraction(1), Fraction(20)), ranges=wanted)
    found = shown(clip)
    assert len(found.counters) == 20
    assert all(number in one.counters[30:60] for number in found.counters[:10])
    assert all(number in one.counters[120:150] for number in found.counters[10:])


def test_frames_cannot_be_chosen_from_filled_gaps_or_without_pictures(recording: Recordings, tone: Path) -> None:
    wanted: list[CutRange | CutGap] = [CutRange(0, Fraction(1), Fraction(2)), CutGap(Fraction(1), "freeze")]
    edit = Timelapse(Fraction(1), Fraction(10))
    with pytest.raises(EditImpossibleError, match="timelapse: frames cannot be chosen, because the clip fills gaps"):
        edited(recording("pyramid").path, edit, ranges=wanted)
    with pytest.raises(EditImpossibleError, match="timelapse: the clip has no pictures"):
        edited(tone, edit)


def test_the_child_makes_a_timelapse(recording: Recordings, cutter: ChildCutter) -> None:
    edits = [Timelapse(Fraction(1), Fraction(20))]
    clip = cut_in_child(cutter, [recording("pyramid").path], (0, Fraction(1), Fraction(5)), edits=edits)
    assert clip.facts.frames == 20


def test_the_plan_says_what_is_chosen(recording: Recordings) -> None:
    source = BytesSource(recording("pyramid").path.read_bytes())
    found = preview(CutJob((source.size,), RANGE, edits=(Timelapse(Fraction(1), Fraction(20)),)), [source])
    [segment] = [each for each in found["parts"][0]["segments"] if each["action"] == "encode"]
    assert (segment["frames"], segment["reason"], found["clip_duration"]) == (20, "edited: timelapse", "1")
    slow = preview(CutJob((source.size,), RANGE, edits=(speed("0.5"),)), [source])
    assert (slow["clip_duration"], slow["frames"]["copy"] > 0) == ("8", True)
