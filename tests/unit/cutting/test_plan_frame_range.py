"""How a range is adjusted to frames: the tolerance of one millisecond, frame numbers, clamping, and refusals."""

from __future__ import annotations

from array import array
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.support.sampling import examples
from tests.unit.cutting.gop_structures import (
    FOREVER,
    Picture,
    Recording,
    as_index,
    make_sound,
    make_track,
    recordings,
    spans,
)

from cutback.cutting.index import Track, presented_order
from cutback.cutting.plan.plan import HELD, snap_to_frames
from cutback.domain.errors import RangeOutsideRecordingError
from cutback.domain.times import FrameNumber, Instant

thorough = settings(deadline=None, max_examples=examples(150))
MILLISECOND = Fraction(1, 1000)


@thorough
@given(st.data())
def test_a_time_within_a_millisecond_of_a_frame_is_that_frame(data: st.DataObject) -> None:
    recording = data.draw(recordings())
    first, stop = data.draw(spans(recording))
    off = st.one_of(st.sampled_from([-MILLISECOND, MILLISECOND]), st.fractions(-MILLISECOND, MILLISECOND))
    times = frame_times(recording)
    start, end = times[first] + data.draw(off), times[stop] + data.draw(off)
    piece = snap_to_frames(as_index(recording.track), start, end)
    assert (piece.first, piece.stop) == (first, stop)
    assert (piece.start, piece.end) == (times[first], times[stop])
    assert not piece.clamped


@thorough
@given(st.data())
def test_a_range_holds_the_frames_that_begin_in_it(data: st.DataObject) -> None:
    recording = data.draw(recordings())
    times = frame_times(recording)
    # More than a millisecond from every frame the rule is the plain one: start <= time < end. A picture that is shown
    # for long belongs to the range as well, from where the range begins or until where it ends.
    between = [before + (after - before) * Fraction(k, 4) for before, after in pairwise(times) for k in (1, 2, 3)]
    moments = st.sampled_from([*between, times[-1] + Fraction(1, 10)])
    start, end = sorted((data.draw(moments), data.draw(moments)))
    held = [after - before > HELD for before, after in pairwise(times)]
    inside = [
        n
        for n, (begins, ends) in enumerate(pairwise(times))
        if start <= begins < end or (held[n] and begins < start < min(end, ends))
    ]
    index = as_index(recording.track)
    if not inside:
        with pytest.raises(RangeOutsideRecordingError):
            snap_to_frames(index, start, end)
        return
    piece = snap_to_frames(index, start, end)
    assert list(range(piece.first, piece.stop)) == inside
    begins, ends = times[inside[0]], times[inside[-1] + 1]
    assert piece.start == (max(start, begins) if held[inside[0]] else begins)
    assert piece.end == (min(end, ends) if held[inside[-1]] else ends)
    assert piece.clamped == (end > times[-1])


@thorough
@given(st.data())
def test_frame_numbers_name_the_presented_frames(data: st.DataObject) -> None:
    recording = data.draw(recordings())
    first, stop = data.draw(spans(recording))
    times = frame_times(recording)
    piece = snap_to_frames(as_index(recording.track), FrameNumber(first), FrameNumber(stop))
    assert (piece.first, piece.stop, piece.start, piece.end) == (first, stop, times[first], times[stop])
    assert not piece.clamped
    beyond = snap_to_frames(as_index(recording.track), FrameNumber(first), FrameNumber(recording.frames + 1))
    assert (beyond.first, beyond.stop, beyond.end) == (first, recording.frames, times[-1])
    assert beyond.clamped


@thorough
@given(st.data())
def test_a_part_of_the_index_locates_as_the_whole_does(data: st.DataObject) -> None:
    recording = data.draw(recordings())
    group = data.draw(st.integers(0, len(recording.track.sync) - 1))
    part = held_from(recording.track, recording.track.sync[group])
    assume(part.first_rank < recording.frames)
    first = data.draw(st.integers(part.first_rank, recording.frames - 1))
    stop = data.draw(st.integers(first + 1, recording.frames))
    whole = snap_to_frames(as_index(recording.track), FrameNumber(first), FrameNumber(stop))
    assert whole == snap_to_frames(as_index(recording.track), whole.start, whole.end)
    for piece in (
        snap_to_frames(as_index(part), FrameNumber(first), FrameNumber(stop)),
        snap_to_frames(as_index(part), whole.start, whole.end),
    ):
        assert (piece.first + part.first_rank, piece.stop + part.first_rank) == (first, stop)
        assert (piece.start, piece.end) == (whole.start, whole.end)


@pytest.mark.parametrize(
    ("start", "end"),
    [(Fraction(1), Fraction(2)), (FrameNumber(10), FrameNumber(11)), (FrameNumber(99), FrameNumber(100))],
)
def test_what_begins_at_the_end_or_later_is_refused(start: Instant, end: Instant) -> None:
    index = as_index(plain_track(10))
    assert index.end == 1
    with pytest.raises(RangeOutsideRecordingError, match=r"recording ends at 00:00:01\.000"):
        snap_to_frames(index, start, end)


@pytest.mark.parametrize(
    ("start", "end"),
    [(Fraction("0.42"), Fraction("0.48")), (Fraction("0.5"), Fraction("0.5")), (FrameNumber(5), FrameNumber(5))],
)
def test_a_range_in_which_no_frame_begins_is_refused(start: Instant, end: Instant) -> None:
    with pytest.raises(RangeOutsideRecordingError, match="No frame begins"):
        snap_to_frames(as_index(plain_track(10)), start, end)


def test_a_range_that_ends_within_a_millisecond_of_the_recordings_end_is_not_clamped() -> None:
    index = as_index(plain_track(10))
    assert not snap_to_frames(index, Fraction(0), 1 + MILLISECOND).clamped
    piece = snap_to_frames(index, Fraction(0), 1 + MILLISECOND * 11 / 10)
    assert piece.clamped
    assert piece.end == 1


def test_sound_that_begins_first_is_part_of_a_range_from_zero() -> None:
    late = replace(plain_track(10), shift=Fraction(1, 2), start=Fraction(1, 2), end=Fraction(3, 2))
    index = as_index(late, make_sound(Fraction(0), Fraction(3, 2)))
    piece = snap_to_frames(index, Fraction(0), Fraction(1))
    assert (piece.start, piece.end, piece.first, piece.stop) == (Fraction(0), Fraction(1), 0, 5)
    assert snap_to_frames(index, Fraction(1, 4), Fraction(1)).start == Fraction(1, 4)
    assert snap_to_frames(index, Fraction(6, 10), Fraction(1)).start == Fraction(6, 10)


def test_sound_that_ends_last_is_part_of_a_range_to_the_end() -> None:
    index = as_index(plain_track(10), make_sound(Fraction(0), Fraction(2)))
    assert snap_to_frames(index, Fraction(1, 2), Fraction(2)).end == 2
    assert snap_to_frames(index, Fraction(1, 2), Fraction(3, 2)).end == Fraction(3, 2)
    assert snap_to_frames(index, Fraction(1, 2), Fraction(9, 10)).end == Fraction(9, 10)
    assert snap_to_frames(index, Fraction(1, 2), Fraction(3)).clamped


def test_sound_alone_is_cut_at_the_very_times_and_knows_no_frames() -> None:
    index = as_index(None, make_sound(Fraction(0), Fraction(2)))
    piece = snap_to_frames(index, Fraction("0.3333"), Fraction("1.7"))
    assert (piece.start, piece.end, piece.clamped) == (Fraction("0.3333"), Fraction("1.7"), False)
    assert snap_to_frames(index, Fraction(1), Fraction(9)).end == 2
    with pytest.raises(RangeOutsideRecordingError, match="no video"):
        snap_to_frames(index, FrameNumber(1), FrameNumber(2))


def frame_times(recording: Recording) -> list[Fraction]:
    """When each frame begins, and when the last one ends, in seconds from time zero."""
    track = recording.track
    return [track.seconds(track.pts[n]) for n in track.order] + [track.end]


def plain_track(frames: int) -> Track:
    """Frames of a tenth of a second, each a keyframe."""
    pictures = [Picture(frozenset(), n, keyframe=True, anchor=True) for n in range(frames)]
    return make_track(pictures, list(range(0, 9000 * frames, 9000)), 9000, (0, FOREVER))


def held_from(track: Track, sample: int) -> Track:
    """The same track, of which only the samples from a keyframe on are held."""
    pts = track.pts[sample:]
    order = presented_order(pts, track.window)
    return replace(
        track,
        dts=track.dts[sample:],
        pts=pts,
        sizes=track.sizes[sample:],
        offsets=track.offsets[sample:],
        sync=array("I", (n - sample for n in track.sync if n >= sample)),
        first_rank=sum(track.window[0] <= ticks < track.window[1] for ticks in track.pts[:sample]),
        order=order,
    )
