"""Texts and clocks as a subtitle track: read back by FFmpeg's decoder, with pictures and sound copied."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
import pytest
from tests.media.cuts import BytesSource, CutResult, ask, cut_in_child, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.media.test_edit_overlay import CLOCK, TEXT, TIME
from tests.support.decode import decode_presented, decode_warnings

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.sound import Mute
from cutback.cutting.edit_values.time import Speed
from cutback.cutting.job import CutJob, Limits
from cutback.cutting.preview import preview
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import Finished
from cutback.domain.text_fields import escaped
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]
Shown = list[tuple[Fraction, Fraction, str]]

LINE = replace(TEXT, text="Left at the point", drawn_as="subtitles")
CLOCK_LINE = replace(TIME, drawn_as="subtitles")


def cues(clip: bytes) -> Shown:
    """The subtitles of a clip, in seconds, as FFmpeg decodes them; without those that are empty."""
    found: Shown = []
    with av.open(io.BytesIO(clip), "r") as container:
        [stream] = container.streams.subtitles
        assert (stream.codec_context.name, stream.time_base) == ("mov_text", Fraction(1, 90_000))
        decoder: Any = stream.codec_context
        for packet in container.demux(stream):
            if packet.size <= 2:
                continue
            assert packet.pts is not None
            assert packet.duration is not None
            begins = Fraction(packet.pts, 90_000)
            shown = decoder.decode2(packet)
            text = "".join(rect.ass.decode().split(",", 8)[-1] for rect in shown.rects)
            found.append((begins, begins + Fraction(packet.duration, 90_000), text.replace("\\N", "\n")))
    return found


def edited(one: ReferenceRecording, *edits: Edit, ranges: Sequence[tuple[int, int]] = ((0, 5),)) -> CutResult:
    wanted = ask(*((0, Fraction(start), Fraction(end)) for start, end in ranges))
    clip = cut_ranges([one.path], wanted, edits=edits, wall_clocks=(CLOCK,))
    assert not clip.facts.remade
    return clip


def test_a_text_becomes_a_subtitle_at_its_time_and_nothing_is_encoded(recording: Recordings) -> None:
    one = recording("pyramid")
    plain = edited(one)
    clip = edited(one, replace(LINE, start=Fraction(5, 4), duration=Fraction(3, 2)))
    assert cues(clip.data) == [(Fraction(5, 4), Fraction(11, 4), "Left at the point")]
    before, after = decode_presented(plain.data), decode_presented(clip.data)
    assert [frame.counter for frame in after.frames] == [frame.counter for frame in before.frames]
    assert clip.facts.frames_encoded == plain.facts.frames_encoded
    assert (after.audio == before.audio).all()
    assert decode_warnings(clip.data) == []
    assert clip.facts.edits == ("text: “Left at the point”, as subtitles",)


def test_the_clock_is_one_subtitle_a_second_of_its_camera(recording: Recordings) -> None:
    clip = edited(recording("pyramid"), CLOCK_LINE, ranges=((1, 3), (4, 5)))
    expected = [(Fraction(n), Fraction(n + 1), text) for n, text in enumerate(("21:03:13", "21:03:14", "21:03:16"))]
    assert cues(clip.data) == expected


def test_the_plan_counts_subtitles(recording: Recordings) -> None:
    source = BytesSource(recording("pyramid").path.read_bytes())
    wanted = ask((0, Fraction(0), Fraction(5)))
    job = CutJob((source.size,), wanted, edits=(CLOCK_LINE,), wall_clocks=(CLOCK,))
    assert preview(job, [source])["subtitles"] == 5
    assert preview(replace(job, edits=()), [source])["subtitles"] == 0


def test_more_text_at_once_than_a_subtitle_holds_is_refused_by_name(recording: Recordings) -> None:
    many = [replace(LINE, text="\U0001f30a" * 200)] * 82
    with pytest.raises(EditImpossibleError, match="subtitles at the same time have 65681 bytes"):
        edited(recording("pyramid"), *many)
    assert cues(edited(recording("pyramid"), *many[1:]).data)[0][2].count("\U0001f30a") == 81 * 200


def test_the_clock_begins_in_the_middle_of_a_second(recording: Recordings) -> None:
    wanted = ask((0, Fraction(3, 2), Fraction(3)))
    clip = cut_ranges([recording("pyramid").path], wanted, edits=[CLOCK_LINE], wall_clocks=[CLOCK])
    half = Fraction(1, 2)
    assert cues(clip.data) == [(Fraction(0), half, "21:03:13"), (half, 3 * half, "21:03:14")]


def test_subtitles_follow_a_change_of_speed(recording: Recordings) -> None:
    slow = Speed(Fraction("0.5"), (), None)
    line = replace(LINE, start=Finished(Fraction(3)), duration=Fraction(1))
    clip = edited(recording("pyramid"), slow, CLOCK_LINE, line, ranges=((0, 2),))
    assert cues(clip.data) == [
        (Fraction(0), Fraction(2), "21:03:12"),
        (Fraction(2), Fraction(3), "21:03:13"),
        (Fraction(3), Fraction(4), "21:03:13\nLeft at the point"),
    ]


def test_more_subtitles_than_the_limit_are_refused_before_work(recording: Recordings) -> None:
    wanted, limits = ask((0, Fraction(0), Fraction(4))), Limits(subtitles=3)
    with pytest.raises(EditImpossibleError, match="clock: 5 seconds as subtitles are too many; the limit is 3"):
        cut_ranges([recording("pyramid").path], wanted, edits=[CLOCK_LINE], wall_clocks=[CLOCK], limits=limits)
    four = [replace(LINE, text=str(number)) for number in range(4)]
    with pytest.raises(EditImpossibleError, match="text: the clip would have more than 3 subtitles"):
        cut_ranges([recording("pyramid").path], wanted, edits=four, limits=limits)
    plain = cut_ranges([recording("pyramid").path], wanted, edits=four[:1], wall_clocks=[CLOCK], limits=limits)
    assert [text for _, _, text in cues(plain.data)] == ["0"], "a text without fields does not tick"


@pytest.mark.parametrize("text", ["%{localtime}", "[a];movie=x[b]", "é موجة 波 🏄"])
def test_subtitles_say_what_the_text_says(recording: Recordings, text: str) -> None:
    """No font is needed, as players draw them."""
    [(_, _, found)] = cues(edited(recording("pyramid"), replace(LINE, text=escaped(text))).data)
    assert found.replace("\\{", "{").replace("\\}", "}") == text


def test_the_confined_child_writes_subtitles_of_a_clip_without_sound(
    recording: Recordings, cutter: ChildCutter
) -> None:
    wanted = (0, Fraction(0), Fraction(2))
    edits: list[Edit] = [CLOCK_LINE, LINE, Mute()]
    clip = cut_in_child(cutter, [recording("pyramid").path], wanted, edits=edits, wall_clocks=[CLOCK])
    assert [text for _, _, text in cues(clip.data)] == [f"21:03:1{n}\nLeft at the point" for n in (2, 3)]
