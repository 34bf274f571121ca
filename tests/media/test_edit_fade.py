"""Fades: how dark each picture is, how loud the sound is, and that the rest is copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.media.cuts import CutResult, ask, cut_in_child, cut_ranges
from tests.media.outputs import bench
from tests.media.recordings import ReferenceRecording
from tests.support.decode import Presented, decode_presented, decode_warnings
from tests.support.picture import read_luma_counter
from tests.support.sampling import slow_except

from cutback.cutting.assembled import Assembled
from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.colour import Blur
from cutback.cutting.edit_values.crop import Crop
from cutback.cutting.edit_values.fade import Fade
from cutback.cutting.edit_values.scale import Scale
from cutback.cutting.edit_values.time import Freeze, Reverse, Speed, Timelapse
from cutback.cutting.job import THE_CLIP, CutGap, CutRange, JobOutput
from cutback.cutting.output_values import OutputValue, Webp
from cutback.cutting.outputs.make import make_outputs
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import Finished, Percent, Point
from cutback.domain.times import FromEnd
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


# --- from the poster ---------------------------------------------------------------------------------


def from_poster(at: Point, begin: str = "0.5", end: str = "0") -> Fade:
    return Fade(Fraction(begin), Fraction(end), "black", at)


def with_poster(
    paths: Sequence[Path | bytes],
    *edits: Edit,
    ranges: Sequence[CutRange | CutGap] = RANGE,
    value: OutputValue = THE_CLIP[0].value,
) -> tuple[bytes, NDArray[np.uint8]]:
    """A clip, and the luma of the picture of its posters."""
    with bench(paths, ranges, outputs=[JobOutput("clip", value)], edits=edits) as desk:
        made = make_outputs(desk.job, desk.sources, desk.spool, lambda _: None)
        [file] = made.outputs[0].files
        data = Assembled(b"", file.extents, desk.sources, desk.spool).read_at(0, file.size)
    assert made.still is not None
    return data, luma_of(made.still.picture.frame)


def luma_of(frame: av.VideoFrame) -> NDArray[np.uint8]:
    return np.frombuffer(bytes(frame.planes[0]), np.uint8).reshape(frame.height, -1)[:, : frame.width]


def lumas(data: bytes) -> list[NDArray[np.int16]]:
    with av.open(BytesIO(data), "r") as container:
        return [luma_of(frame).astype(np.int16) for frame in container.decode(video=0)]


def test_a_clip_comes_from_its_poster(recording: Recordings) -> None:
    one = recording("pyramid")
    data, poster = with_poster([one.path], from_poster(Fraction(2)))
    found, plain = lumas(data), lumas(edited(one).data)
    assert len(found) == len(plain) == 150
    assert read_luma_counter(poster) == one.counters[60]
    for number in (0, 3, 8, 14, 20):
        weight = min(1, number / 15)
        wanted = weight * plain[number] + (1 - weight) * plain[60]
        assert np.abs(found[number] - wanted).mean() < 2.5, number
    assert read_luma_counter(found[0].astype(np.uint8)) == one.counters[60]


@pytest.mark.slow
def test_what_comes_from_the_poster_is_re_encoded_and_its_sound_fades(recording: Recordings) -> None:
    one = recording("pyramid")
    wanted = ask((0, Fraction(0), Fraction(3)))
    clip, usual = (
        edited(one, each, ranges=wanted) for each in (from_poster(Fraction("1.5"), end="0.5"), fade("0.5", "0.5"))
    )
    assert clip.facts.edits == ("fade: in from the poster in 0.5 s, out to black in 0.5 s",)
    assert clip.facts.frames_copied == usual.facts.frames_copied > 0
    assert lumas(clip.data)[-1].mean() < 30
    assert packets(clip.data) == packets(usual.data)


POINTS: list[tuple[Point, Sequence[Edit], int]] = [
    (FromEnd(Fraction("0.5")), (), 135),
    (Finished(Fraction(2)), (Speed(Fraction(2), (), None),), 120),
    (Fraction(4), (Speed(Fraction(2), (), None),), 120),
    (Fraction(1), (Reverse(),), 30),
    (Finished(Fraction(1)), (Reverse(),), 119),
    (Fraction(4), (Timelapse(Fraction(2), Fraction(10)),), 120),
    (Fraction(1), (Freeze(Fraction(1), Fraction(1)),), 30),
    (Finished(Fraction("1.5")), (Freeze(Fraction(1), Fraction(1)),), 30),
    (Finished(Fraction("2.5")), (Freeze(Fraction(1), Fraction(1)),), 45),
]


@pytest.mark.parametrize(
    ("at", "edits", "number"), [POINTS[0], *(pytest.param(*each, marks=pytest.mark.slow) for each in POINTS[1:])]
)
def test_the_poster_is_the_picture_of_its_point(
    recording: Recordings, at: Point, edits: Sequence[Edit], number: int
) -> None:
    one = recording("pyramid")
    data, poster = with_poster([one.path], *edits, from_poster(at))
    assert read_luma_counter(poster) == one.counters[number]
    assert read_luma_counter(lumas(data)[0].astype(np.uint8)) == one.counters[number]


@pytest.mark.slow
def test_nothing_that_is_blurred_is_seen_in_the_poster(recording: Recordings) -> None:
    """Neither in the pictures that come from it."""
    one = recording("pyramid")
    whole = Percent(Fraction(100))
    blur = Blur(Percent(Fraction(0)), Percent(Fraction(0)), whole, whole, "pixelate", 60, Fraction(2), Fraction(1))
    data, poster = with_poster([one.path], blur, from_poster(Fraction(2)))
    sharp, blurred = lumas(edited(one).data), lumas(edited(one, blur).data)
    for picture in (poster, lumas(data)[0]):
        assert np.abs(picture - blurred[60]).mean() < 2.5
        assert np.abs(picture - sharp[60]).mean() > 10


@pytest.mark.slow
def test_the_poster_can_be_of_another_range_with_another_size(recording: Recordings) -> None:
    one = recording("pyramid")
    wider = edited(one, Scale(400, 180, "pad", enlarge=True)).data
    wanted = ask((0, Fraction(0), Fraction(1)), (1, Fraction(3), Fraction(4)))
    data, poster = with_poster([one.path, wider], from_poster(Fraction("1.5")), ranges=wanted)
    assert poster.shape == (180, 320)
    assert np.abs(lumas(data)[0] - poster).mean() < 2.5
    assert np.abs(lumas(data)[45] - poster).mean() < 1


@pytest.mark.slow
def test_other_outputs_come_from_the_poster_too(recording: Recordings) -> None:
    one = recording("pyramid")
    wanted = ask((0, Fraction(0), Fraction(2)))
    data, poster = with_poster([one.path], from_poster(Fraction(1)), ranges=wanted, value=Webp(320, 10, 0, None, None))
    assert read_luma_counter(poster) == one.counters[30]
    with Image.open(BytesIO(data)) as image:
        assert read_luma_counter(np.asarray(image.convert("L"))) == one.counters[30]


@pytest.mark.parametrize(
    ("fade", "said"),
    [
        (from_poster(Fraction("0.2")), "fade: the poster, at 0.2 s, is in a part that fades"),
        (from_poster(FromEnd(Fraction("0.2")), end="1"), "fade: the poster, at 4.8 s, is in a part that fades"),
        (from_poster(Fraction(6)), "fade: 6 s is not within the clip"),
    ],
)
def test_a_poster_that_does_not_fit_is_refused(recording: Recordings, fade: Fade, said: str) -> None:
    with pytest.raises(EditImpossibleError, match=said):
        edited(recording("pyramid"), fade)


def test_a_filled_gap_is_no_poster_to_come_from(recording: Recordings) -> None:
    wanted: list[CutRange | CutGap] = [CutRange(0, Fraction(1), Fraction(2)), CutGap(Fraction(1), "freeze")]
    with pytest.raises(EditImpossibleError, match="fade: its poster would be a filled gap"):
        edited(recording("pyramid"), from_poster(Fraction("1.5")), ranges=wanted)


# --- what does not fit -------------------------------------------------------------------------------


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
