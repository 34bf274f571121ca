"""The plan for random GOP structures, checked with references that the plan cannot see."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.support.sampling import examples
from tests.unit.cutting.gop_structures import (
    Builder,
    Recording,
    make_track,
    recordings,
    regular,
    spans,
)

from cutback.cutting.index import Track
from cutback.cutting.job import Precision
from cutback.cutting.plan.plan import ENTRIES_TRIED, PlannedRun, plan_video
from cutback.cutting.plan.steps import steps

thorough = settings(deadline=None, max_examples=examples(150))


PRECISIONS: tuple[Precision, ...] = ("exact", "keyframe", "instant")


def planned(data: st.DataObject, precision: Precision) -> tuple[Recording, int, int, tuple[PlannedRun, ...]]:
    recording = data.draw(recordings())
    first, stop = data.draw(spans(recording))
    return recording, first, stop, plan_video(recording.track, first, stop, precision, recording.entry_at)


def shown(track: Track, run: PlannedRun) -> list[int]:
    """The ranks of a copied run's samples that the source presents."""
    return sorted(track.rank(n) for n in run.samples if track.window[0] <= track.pts[n] < track.window[1])


def copied(runs: tuple[PlannedRun, ...]) -> set[int]:
    return {sample for run in runs if run.action == "copy" for sample in run.samples}


# --- what is presented -----------------------------------------------------------------------------


@thorough
@given(st.data(), st.sampled_from(["exact", "instant"]))
def test_every_wanted_frame_is_presented_once_and_no_other(data: st.DataObject, precision: Precision) -> None:
    _, first, stop, runs = planned(data, precision)
    assert [rank for run in runs for rank in range(run.first, run.end)] == list(range(first, stop))
    assert all(len(run) > 0 and run.reason for run in runs)


@thorough
@given(st.data())
def test_exact_copies_only_the_samples_of_its_frames(data: st.DataObject) -> None:
    recording, _, _, runs = planned(data, "exact")
    for run in runs:
        if run.action == "copy":
            assert shown(recording.track, run) == list(range(run.first, run.end))
            assert len(run.samples) == len(run), "a copied sample is not presented"


@thorough
@given(st.data())
def test_samples_come_in_decoding_order_each_once(data: st.DataObject) -> None:
    precision = data.draw(st.sampled_from(PRECISIONS))
    _, _, _, runs = planned(data, precision)
    for run in runs:
        assert all(before < after for before, after in pairwise(run.samples))
    orders = [(run.action, run.samples[0], run.samples[-1]) for run in runs]
    kinds = [action for action, _, _ in orders]
    assert kinds in (["copy"], ["encode"], ["encode", "copy"], ["copy", "encode"], ["encode", "copy", "encode"])


# --- what it needs ---------------------------------------------------------------------------------


@thorough
@given(st.data())
def test_nothing_is_copied_whose_references_are_not(data: st.DataObject) -> None:
    precision = data.draw(st.sampled_from(PRECISIONS))
    recording, _, _, runs = planned(data, precision)
    there = copied(runs)
    lacking = {sample: recording.pictures[sample].refers - there for sample in there}
    assert not any(lacking.values()), lacking


@thorough
@given(st.data())
def test_copying_begins_at_a_keyframe_that_allows_it_and_leaves_out_what_leads_it(data: st.DataObject) -> None:
    recording, first, _, runs = planned(data, "exact")
    for run in runs:
        if run.action == "copy":
            entry = run.samples[0]
            assert recording.pictures[entry].keyframe
            assert recording.entries[entry] == ("open" if run.rewritten else "clean")
            assert recording.track.rank(entry) == run.first >= first
            assert all(recording.track.pts[n] >= recording.track.pts[entry] for n in run.samples)


@thorough
@given(st.data())
def test_what_is_encoded_can_be_decoded_from_what_is_fed(data: st.DataObject) -> None:
    recording, _, _, runs = planned(data, "exact")
    for run in runs:
        if run.action == "encode":
            wanted = {recording.track.order[rank] for rank in range(run.first, run.end)}
            assert recording.needed(wanted) <= set(run.samples)
            assert recording.pictures[run.samples[0]].keyframe
            assert run.samples[-1] == max(wanted), "more is fed than is needed"


@thorough
@given(st.data())
def test_what_is_encoded_is_fed_from_the_last_keyframe_that_serves(data: st.DataObject) -> None:
    recording, _, _, runs = planned(data, "exact")
    for run in runs:
        if run.action == "encode":
            earliest = recording.track.pts[recording.track.order[run.first]]
            serving = [n for n in recording.track.sync if recording.track.pts[n] <= earliest]
            assert run.samples[0] == serving[-1]


# --- how little is re-encoded ----------------------------------------------------------------------


@thorough
@given(st.data())
def test_copying_begins_at_the_first_keyframe_that_allows_it(data: st.DataObject) -> None:
    recording, first, stop, runs = planned(data, "exact")
    track = recording.track
    tried = [n for n in track.sync if n in track.order[first:stop]][:ENTRIES_TRIED]
    leads = {n: any(p.leads for p in recording.pictures[n + 1 : _next_keyframe(recording, n)]) for n in tried}
    fit = [n for n in tried if recording.entries[n] == "open" or (recording.entries[n] == "clean" and not leads[n])]
    begun = [run.samples[0] for run in runs if run.action == "copy"]
    assert begun == fit[:1]
    assert len(recording.asked) <= ENTRIES_TRIED


@thorough
@given(st.data())
def test_the_tail_is_less_than_a_mini_gop(data: st.DataObject) -> None:
    recording, _, stop, runs = planned(data, "exact")
    if len(runs) > 1 and runs[-1].action == "encode":
        tail = runs[-1]
        assert tail.end == stop
        samples = recording.track.order[tail.first : stop]
        between = [recording.pictures[sample] for sample in samples]
        before = recording.pictures[: samples[0]]
        assert any(picture.place > between[-1].place for picture in before), "it is decoded before all beyond the end"
        assert recording.runs_ahead or not any(picture.anchor for picture in between)


def _next_keyframe(recording: Recording, sample: int) -> int:
    return next((n for n in recording.track.sync if n > sample), len(recording.pictures))


def test_a_picture_decoded_far_ahead_is_not_copied_over_a_hole() -> None:
    builder = Builder()
    builder.keyframe(0, tree=False, references=1, radl=False)
    builder.runs_ahead(1, 2, tree=False, references=1)  # presented I b P b b P, decoded I P P b b b
    recording = regular(builder)
    made = plan_video(recording.track, 0, 4, "exact", recording.entry_at)
    assert [(run.action, run.first, run.end) for run in made] == [("copy", 0, 1), ("encode", 1, 4)]


@thorough
@given(st.data())
def test_frames_that_share_a_time_are_neither_lost_nor_copied_twice(data: st.DataObject) -> None:
    recording = data.draw(recordings(everything_shown=True))
    assume(recording.frames > 1)
    for twin in range(1, recording.frames):
        times = sorted(recording.track.pts)
        times[twin] = times[twin - 1]
        track = make_track(recording.pictures, times, 3000, recording.track.window)
        runs = plan_video(track, 0, recording.frames, "exact", recording.entry_at)
        ranks = [rank for run in runs for rank in range(run.first, run.end)]
        assert ranks == list(range(recording.frames))
        for run in runs:
            if run.action == "copy":
                assert sorted(run.samples) == sorted(track.order[run.first : run.end])


# --- keyframe and instant --------------------------------------------------------------------------


@thorough
@given(st.data())
def test_keyframe_covers_the_range_and_goes_from_keyframe_to_keyframe(data: st.DataObject) -> None:
    recording, first, stop, runs = planned(data, "keyframe")
    (run,) = runs
    track = recording.track
    assert run.action == "copy"
    assert run.first <= first
    assert stop <= run.end
    assert shown(track, run) == list(range(run.first, run.end))
    begin = run.samples[0]
    assert recording.pictures[begin].keyframe
    groups = range(begin, _next_keyframe(recording, run.samples[-1]))
    assert list(run.samples) == [n for n in groups if track.pts[n] >= track.pts[begin]]


@thorough
@given(st.data())
def test_keyframe_takes_no_group_more_than_the_range_needs(data: st.DataObject) -> None:
    recording, first, stop, (run,) = planned(data, "keyframe")
    track = recording.track
    wanted = track.order[first:stop]
    earlier = [n for n in track.sync if track.pts[n] <= track.pts[wanted[0]]]
    assert run.samples[0] == earlier[-1]
    assert run.samples[-1] < _next_keyframe(recording, max(wanted))


@thorough
@given(st.data())
def test_instant_holds_the_wanted_frames_and_what_they_need_from_one_keyframe_on(data: st.DataObject) -> None:
    recording, first, stop, (run,) = planned(data, "instant")
    wanted = {recording.track.order[rank] for rank in range(first, stop)}
    assert (run.action, run.first, run.end) == ("copy", first, stop)
    assert recording.needed(wanted) <= set(run.samples)
    assert recording.pictures[run.samples[0]].keyframe
    assert run.samples[-1] == max(wanted)


# --- what is told of it ----------------------------------------------------------------------------


@thorough
@given(st.data())
def test_the_steps_that_are_shown_are_the_plan_and_tell_of_every_touched_frame_once(data: st.DataObject) -> None:
    precision = data.draw(st.sampled_from(PRECISIONS))
    recording, _, _, runs = planned(data, precision)
    track = recording.track
    made = steps(track, runs)
    assert all(before.end == after.first for before, after in pairwise(made))
    assert [(s.action, s.reason, s.first, s.end) for s in made if s.action in {"copy", "encode"}] == [
        (s.action, s.reason, s.first, s.end) for s in runs
    ]
    told = {track.order[rank]: step.action for step in made for rank in range(step.first, step.end)}
    presented = {n for n in track.order if runs[0].first <= track.rank(n) < runs[-1].end}
    hidden = copied(runs) & set(track.order) - presented
    assert {n for n, action in told.items() if action == "hide"} == hidden
    used = {sample for run in runs for sample in run.samples} & set(track.order)
    assert used <= told.keys()
    assert sum(step.copied for step in made) == sum(track.sizes[n] for n in copied(runs) & set(track.order))
