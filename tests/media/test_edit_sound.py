"""Edits of the sound: what is heard, and that pictures stay copied."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import pytest
from tests.media.cuts import BytesSource, CutResult, ask, cut_in_child, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.support.decode import decode_presented

from cutback.cutting.edit_values import Edit, Gain, Loudness, Mute
from cutback.cutting.job import CutJob
from cutback.cutting.preview import preview
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]

RANGES = ask((0, Fraction(1), Fraction(4)))


def edited(one: ReferenceRecording, *edits: Edit, ranges: object = RANGES) -> CutResult:
    return cut_ranges([one.path], ranges, edits=edits)  # type: ignore[arg-type]


def loudness_of(clip: bytes) -> tuple[float, float]:
    """The integrated loudness in LUFS and the true peak in dBTP, by FFmpeg's meter over the file."""
    graph = av.filter.Graph()
    last = None
    with av.open(io.BytesIO(clip), "r") as container:
        stream = container.streams.audio[0]
        source = graph.add_abuffer(template=stream)
        graph.link_nodes(source, graph.add("ebur128", metadata="1", peak="true"), graph.add("abuffersink")).configure()
        for frame in container.decode(stream):
            graph.push(frame)
            try:
                while True:
                    last = graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                pass
    assert last is not None
    found = dict(last.metadata)
    return float(found["lavfi.r128.I"]), 20 * math.log10(float(found["lavfi.r128.true_peak"]))


def rms(samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def test_mute_leaves_out_the_sound_and_copies_the_pictures(recording: Recordings) -> None:
    one = recording("pyramid")
    plain, muted = edited(one), edited(one, Mute())
    shown = decode_presented(muted.data)
    assert shown.audio_start is None
    assert [frame.counter for frame in shown.frames] == one.counters[30:120]
    assert (muted.facts.frames_copied, muted.facts.frames_encoded) == (
        plain.facts.frames_copied,
        plain.facts.frames_encoded,
    )
    assert muted.facts.edits == ("mute: without sound",)


@pytest.mark.parametrize("decibels", [Fraction(-12), Fraction("3.5")])
def test_gain_changes_the_level_by_its_decibels(recording: Recordings, decibels: Fraction) -> None:
    one = recording("pyramid")
    plain, louder = edited(one), edited(one, Gain(decibels))
    before, after = decode_presented(plain.data), decode_presented(louder.data)
    inner = slice(24_000, 120_000)
    assert 20 * math.log10(rms(after.audio[inner]) / rms(before.audio[inner])) == pytest.approx(
        float(decibels), abs=0.1
    )
    assert abs(len(after.audio) - len(before.audio)) <= 1024
    assert louder.facts.frames_copied == plain.facts.frames_copied > 0
    assert louder.facts.edits == (f"gain: {float(decibels):+g} dB",)


def test_loudness_is_reached_within_half_a_unit(recording: Recordings) -> None:
    clip = edited(recording("pyramid"), Loudness(Fraction(-27), Fraction(-1)))
    reached, peak = loudness_of(clip.data)
    assert reached == pytest.approx(-27, abs=0.5)
    assert peak <= -0.5
    assert clip.facts.edits[0].startswith("loudness: ")


def test_loudness_stops_at_the_true_peak_and_says_what_was_reached(recording: Recordings) -> None:
    clip = edited(recording("pyramid"), Loudness(Fraction(-5), Fraction(-12)))
    reached, peak = loudness_of(clip.data)
    assert peak == pytest.approx(-12, abs=0.7)
    assert reached < -6
    assert "reached instead of -5" in clip.facts.edits[0]
    assert f"{reached:.0f}" in clip.facts.edits[0].replace(f"{reached:.1f}", f"{reached:.0f}")


def test_several_ranges_are_edited_as_one_sound(recording: Recordings) -> None:
    one = recording("pyramid")
    wanted = ask((0, Fraction(1), Fraction(2)), (0, Fraction(4), Fraction(5)))
    plain, quieter = edited(one, ranges=wanted), edited(one, Gain(Fraction(-6)), ranges=wanted)
    before, after = decode_presented(plain.data), decode_presented(quieter.data)
    assert abs(len(after.audio) - len(before.audio)) <= 1024
    assert rms(after.audio[8000:90_000]) / rms(before.audio[8000:90_000]) == pytest.approx(10 ** (-6 / 20), rel=0.03)


def test_a_clip_without_sound_takes_edits_of_sound(recording: Recordings) -> None:
    muted = edited(recording("pyramid"), Mute())
    again = cut_ranges([muted.data], ask((0, Fraction(0), Fraction(2))), edits=[Gain(Fraction(3))])
    assert decode_presented(again.data).audio_start is None
    assert again.facts.frames == 60


def test_edits_reach_the_child_process(recording: Recordings, cutter: ChildCutter) -> None:
    one = recording("pyramid")
    clip = cut_in_child(cutter, [one.path], (0, Fraction(1), Fraction(4)), edits=[Gain(Fraction(-12))])
    assert clip.facts.edits == ("gain: -12 dB",)
    assert rms(decode_presented(clip.data).audio) < rms(decode_presented(edited(one).data).audio) / 3


def test_loudness_is_measured_in_the_confined_child(recording: Recordings, cutter: ChildCutter) -> None:
    wanted = Loudness(Fraction(-27), Fraction(-1))
    clip = cut_in_child(cutter, [recording("pyramid").path], (0, Fraction(1), Fraction(4)), edits=[wanted])
    assert loudness_of(clip.data)[0] == pytest.approx(-27, abs=0.5)


def test_the_plan_says_what_happens_to_the_sound(recording: Recordings) -> None:
    source = BytesSource(recording("pyramid").path.read_bytes())
    planned = {
        edit: preview(CutJob((source.size,), RANGES, edits=(edit,)), [source])["parts"][0]["sound"][0]
        for edit in (Mute(), Gain(Fraction(1)))
    }
    assert [(sound["action"], sound["reason"]) for sound in planned.values()] == [
        ("drop", "muted"),
        ("encode", "edited; becomes AAC"),
    ]
