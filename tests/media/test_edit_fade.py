"""Fades: how dark each picture is, how loud the sound is, and that the rest is copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest
from tests.media.cuts import CutResult, ask, cut_in_child, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.support.decode import Presented, decode_presented, decode_warnings
from tests.support.sampling import slow_except

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.crop import Crop
from cutback.cutting.edit_values.fade import Fade
from cutback.cutting.edit_values.time import Speed, Timelapse
from cutback.cutting.job import CutGap, CutRange
from cutback.domain.errors import EditImpossibleError
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]

RANGE = ask((0, Fraction(0), Fraction(5)))


def fade(begin: str = "0", end: str = "0", color: str = "black") -> Fade:
    return Fade(Fraction(begin), Fraction(end), color)  # type: ignore[arg-type]


def edited(one: ReferenceRecording, *edits: Edit, ranges: Sequence[CutRange | CutGap] = RANGE) -> CutResult:
    return cut_ranges([one.path], ranges, edits=edits)


def shown(clip: CutResult) -> Presented:
    found = decode_presented(clip.data, luma=True)
    assert decode_warnings(clip.data) == []
    assert not clip.facts.remade
    assert len(found.frames) == clip.facts.frames
    return found


def levels(found: Presented) -> list[float]:
    return [float(frame.luma.mean()) for frame in found.frames if frame.luma is not None]


@pytest.mark.parametrize(("color", "level"), [("black", 16), ("white", 235)])
def test_each_picture_is_mixed_with_the_colour(recording: Recordings, color: str, level: int) -> None:
    one = recording("pyramid")
    before, after = levels(shown(edited(one))), levels(shown(edited(one, fade("1", "0.5", color))))
    assert len(before) == len(after) == 150
    for number, (plain, faded) in enumerate(zip(before, after, strict=True)):
        weight = min(1, number / 30, (150 - number) / 15)
        assert faded == pytest.approx(weight * plain + (1 - weight) * level, abs=2)


def test_only_what_fades_is_re_encoded_up_to_the_next_keyframe(recording: Recordings) -> None:
    one = recording("pyramid")  # keyframes at 48 and 96
    plain, clip = edited(one), edited(one, fade("0.5"))
    found = shown(clip)
    copied = {frame.md5 for frame in shown(plain).frames[48:]}
    assert all(frame.md5 in copied for frame in found.frames[48 : 48 + clip.facts.frames_copied])
    assert clip.facts.frames_copied >= plain.facts.frames_copied - 48 > 0
    assert [frame.counter for frame in found.frames[48:]] == one.counters[48:150]
    assert clip.facts.edits == ("fade: in from black in 0.5 s",)


def test_a_fade_at_both_ends_copies_what_is_between(recording: Recordings) -> None:
    clip = edited(recording("pyramid"), fade("0.5", "0.5"))
    assert clip.facts.frames_copied >= 80
    assert clip.facts.edits == ("fade: in from black in 0.5 s, out to black in 0.5 s",)
    shown(clip)


@pytest.mark.parametrize("name", slow_except(["open-gop", "vfr", "hevc", "hevc-hdr10", "rotated"], "vfr", "hevc-hdr10"))
def test_other_recordings_fade_too(recording: Recordings, name: str) -> None:
    one = recording(name)
    wanted = ask((0, Fraction(0), Fraction(3)))
    plain, clip = edited(one, ranges=wanted), edited(one, fade("1"), ranges=wanted)
    before, after = shown(plain), shown(clip)
    assert [frame.time for frame in after.frames] == [frame.time for frame in before.frames]
    assert levels(after)[0] < 20
    assert levels(after)[-1] == pytest.approx(levels(before)[-1], abs=1)


def test_the_sound_fades_with_the_pictures(recording: Recordings) -> None:
    one = recording("pyramid")
    before, after = shown(edited(one)), shown(edited(one, fade("1", "1")))
    rate = after.sample_rate

    def loud(found: Presented, at: float) -> float:
        part = found.audio[round((at - 0.05) * rate) : round((at + 0.05) * rate)]
        return float(np.sqrt(np.mean(part.astype(np.float64) ** 2)))

    for at, weight in ((0.25, 0.25), (0.75, 0.75), (2.5, 1.0), (4.25, 0.75), (4.75, 0.25)):
        assert loud(after, at) / loud(before, at) == pytest.approx(weight, abs=0.08)


def test_sound_that_does_not_fade_is_copied(recording: Recordings) -> None:
    one = recording("pyramid")
    plain, clip = edited(one), edited(one, fade("1", "1"))
    before, after = packets(plain.data), packets(clip.data)
    assert len(after) == pytest.approx(len(before), abs=2)
    kept = [number for number, packet in enumerate(after) if packet in before]
    rate = shown(clip).sample_rate
    assert kept == list(range(kept[0], kept[-1] + 1)), "without a hole"
    assert len(kept) > 3 * rate / 1024 - 10, "three of five seconds"
    # Around both seams, the sound is that of the recording at its loudness.
    heard, known = shown(clip).audio.astype(np.float64), shown(plain).audio.astype(np.float64)
    times = np.arange(min(len(heard), len(known))) / rate
    gains = np.clip(np.minimum(times, 5 - times), 0, 1)
    gains = gains if heard.ndim == 1 else gains[:, None]
    wrong = np.abs(heard[: len(times)] - gains * known[: len(times)])
    assert wrong[rate // 10 : -rate // 10].max() < 0.04 * np.abs(known).max()


def packets(clip: bytes) -> list[bytes]:
    """The coded sound of a clip."""
    with av.open(BytesIO(clip), "r") as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_lengths_are_in_finished_time(recording: Recordings) -> None:
    one = recording("pyramid")
    clip = edited(one, Speed(Fraction("0.5"), (), None), fade("1"))
    found = levels(shown(clip))
    assert found[0] < 20
    slow = levels(shown(edited(one, Speed(Fraction("0.5"), (), None))))
    # A second is 15 frames at half the speed.
    assert found[7] == pytest.approx(16 + (slow[7] - 16) * 7 / 15, abs=2)
    assert found[15:] == pytest.approx(slow[15:], abs=1)
    assert clip.facts.frames_copied > 0


def test_a_fade_follows_a_crop_and_a_timelapse(recording: Recordings) -> None:
    one = recording("pyramid")
    crop = Crop(Fraction(1), None, None, None, None, None)
    clip = edited(one, crop, Timelapse(Fraction(2), Fraction(10)), fade("1", "0.5"))
    found = levels(shown(clip))
    assert len(found) == 20
    assert found[0] < 18
    assert found[-1] < found[12]


def test_a_fade_over_joined_ranges_is_that_of_the_clip(recording: Recordings) -> None:
    wanted = ask((0, Fraction(0), Fraction(1)), (0, Fraction(3), Fraction(4)))
    found = levels(shown(edited(recording("pyramid"), fade("0.5", "0.5"), ranges=wanted)))
    assert len(found) == 60
    assert found[0] < 18
    assert found[59] < 25
    assert min(found[20:40]) > 40


def test_a_fade_that_does_not_fit_is_refused(recording: Recordings) -> None:
    with pytest.raises(EditImpossibleError, match="fade: 6 s are more than the clip has: 5 s"):
        edited(recording("pyramid"), fade("3", "3"))
    wanted: list[CutRange | CutGap] = [CutRange(0, Fraction(1), Fraction(2)), CutGap(Fraction(1), "freeze")]
    with pytest.raises(EditImpossibleError, match="fade: it would be on a filled gap"):
        edited(recording("pyramid"), fade("0", "0.5"), ranges=wanted)
    assert edited(recording("pyramid"), fade("0.5"), ranges=wanted).facts.frames == 60


def test_the_child_fades(recording: Recordings, cutter: ChildCutter) -> None:
    clip = cut_in_child(cutter, [recording("pyramid").path], (0, Fraction(0), Fraction(5)), edits=[fade("0.5")])
    assert levels(shown(clip))[0] < 18
    assert clip.facts.frames_copied > 0


@pytest.mark.parametrize(
    "fade", [Fade(Fraction(0), Fraction(1, 2), "black"), Fade(Fraction(1, 2), Fraction(0), "black")]
)
def test_a_short_clip_fades_at_one_end_only(recording: Recordings, fade: Fade) -> None:
    """Its packets of sound reach beyond both ends, and all of them are encoded."""
    clip = cut_ranges([recording("pyramid").path], ask((0, Fraction(0), Fraction(3, 5))), edits=[fade])
    assert clip.facts.frames == 18
    assert decode_warnings(clip.data) == []
