"""Texts and clocks on pictures: drawn where and when they should be, and read back from the pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.media.cuts import CutResult, ask, cut_in_child, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.support.decode import Presented, decode_presented, decode_warnings
from tests.support.fonts import bitmap_font, rectangle_font
from tests.support.media import MediaSpec, cached_media
from tests.support.sampling import slow_except
from tests.support.shape import shape_of

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.crop import Crop
from cutback.cutting.edit_values.fade import Fade
from cutback.cutting.edit_values.overlay import ClockOverlay, Lettering, TextOverlay
from cutback.cutting.edit_values.rotate import Rotate
from cutback.cutting.edit_values.time import Reverse, Speed, Timelapse
from cutback.cutting.edits.fonts import FontSet, load_fonts
from cutback.cutting.edits.lettering import drawn as drawn_with
from cutback.cutting.job import CutGap, CutRange, WallClock
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import Finished, Percent, Place
from cutback.domain.text_fields import escaped
from cutback.domain.times import FromEnd
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]
Luma = NDArray[np.uint8]

RANGE = ask((0, Fraction(0), Fraction(5)))
TEXT = TextOverlay(
    text="Left", place="bottom-right", margin=8, size=Percent(Fraction(20)), weight="bold", color="#ffffff", box=True,
    start=None, duration=None,
)  # fmt: skip
CLOCK = WallClock(Fraction(int(datetime(2026, 11, 24, 10, 3, 12, tzinfo=UTC).timestamp())), Fraction(1), "north")
TIME = ClockOverlay(
    zone="Australia/Sydney", show="time", camera=False, place="top-left", margin=4, size=24, weight="bold",
    color="#ffffff", box=True, start=None, duration=None,
)  # fmt: skip


def edited(
    recording: Path, *edits: Edit, ranges: Sequence[CutRange | CutGap] = RANGE, clock: WallClock | None = CLOCK
) -> CutResult:
    return cut_ranges([recording], ranges, edits=edits, wall_clocks=(clock,))


def shown(clip: CutResult) -> Presented:
    found = decode_presented(clip.data, luma=True)
    assert decode_warnings(clip.data) == []
    assert not clip.facts.remade
    return found


def lumas(found: Presented) -> list[Luma]:
    return [frame.luma for frame in found.frames if frame.luma is not None]


def drawn(edit: Lettering, text: str, width: int, height: int, fonts: FontSet | None = None) -> Image.Image:
    """The letters alone, which unit tests compare with a reference rendering."""
    return drawn_with(edit, "text", text, fonts or FontSet(), width, height)


def rendered(edit: Lettering, text: str, below: Luma, fonts: FontSet | None = None) -> Luma:
    """The picture with the text on it."""
    image = drawn(edit, text, below.shape[1], below.shape[0], fonts)
    rgba = np.asarray(image).astype(np.float32)
    alpha = rgba[..., 3] / 255
    letters = 16 + 219 / 255 * rgba[..., 0]  # white and black letters: one channel is enough
    return (below * (1 - alpha) + letters * alpha).astype(np.uint8)


def off(a: Luma, b: Luma) -> float:
    return float(np.abs(a.astype(np.float32) - b).mean())


def differs(a: Luma, b: Luma) -> bool:
    """Whether there are letters on one of them."""
    return int((np.abs(a.astype(int) - b) > 50).sum()) > 150


# --- text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place", slow_except(["top-left", "top", "right", "center", "bottom-right"], "top", "bottom-right")
)
def test_a_text_is_drawn_as_pillow_renders_it(recording: Recordings, place: Place) -> None:
    one = recording("pyramid")
    edit = replace(TEXT, place=place)
    plain, clip = lumas(shown(edited(one.path))), shown(edited(one.path, edit))
    assert len(plain) == len(clip.frames)
    for before, after in list(zip(plain, lumas(clip), strict=True))[::15]:
        wanted = rendered(edit, "Left", before)
        assert off(wanted, before) > 1, "it can be seen"
        assert off(after, wanted) < 1.5


def test_only_the_pictures_with_the_text_are_re_encoded(recording: Recordings) -> None:
    one = recording("pyramid")
    plain, clip = edited(one.path), edited(one.path, replace(TEXT, start=Fraction(1), duration=Fraction(1)))
    found, before = shown(clip), lumas(shown(plain))
    changed = [differs(a, b) for a, b in zip(lumas(found), before, strict=True)]
    assert changed == [30 <= number < 60 for number in range(150)]
    assert clip.facts.frames_copied >= 60
    assert found.audio_end == shown(plain).audio_end
    assert clip.facts.edits == ("text: “Left”",)


@pytest.mark.parametrize(("start", "first"), [(FromEnd(Fraction(1)), 120), (Finished(Fraction(2)), 60), (None, 0)])
def test_a_text_appears_at_its_point(recording: Recordings, start: Fraction | None, first: int) -> None:
    one = recording("pyramid")
    found = lumas(shown(edited(one.path, replace(TEXT, start=start, duration=Fraction(1, 2)))))
    changed = [differs(a, b) for a, b in zip(found, lumas(shown(edited(one.path))), strict=True)]
    assert [number for number, is_changed in enumerate(changed) if is_changed] == list(range(first, first + 15))


def test_points_are_in_cut_time_and_lengths_in_finished_time(recording: Recordings) -> None:
    one = recording("pyramid")
    slow = Speed(Fraction("0.5"), (), None)
    clip = edited(one.path, slow, replace(TEXT, start=Fraction(1), duration=Fraction(1)))
    found, before = shown(clip), lumas(shown(edited(one.path, slow)))
    changed = [n for n, (a, b) in enumerate(zip(lumas(found), before, strict=True)) if differs(a, b)]
    assert changed == list(range(30, 45)), "from 2 s to 3 s of the finished clip, at 15 frames a second"


@pytest.mark.parametrize(
    "name", slow_except(["rotated", "hevc-hdr10", "open-gop", "no-b-frames"], "rotated", "hevc-hdr10")
)
def test_a_text_is_upright_and_in_place_on_other_recordings(recording: Recordings, name: str) -> None:
    one = recording(name)
    wanted = ask((0, Fraction(0), Fraction(2)))
    turns = shape_of(one.path).rotation // 90
    before = [np.rot90(luma, turns) for luma in lumas(shown(edited(one.path, ranges=wanted)))]
    after = [np.rot90(luma, turns) for luma in lumas(shown(edited(one.path, TEXT, ranges=wanted)))]
    for below, picture in list(zip(before, after, strict=True))[::10]:
        expected = rendered(TEXT, "Left", below)
        assert off(picture, expected) < off(picture, below) / 2


def test_a_text_follows_a_rotation_that_players_do(recording: Recordings) -> None:
    one = recording("pyramid")
    turn = Rotate(90, None)
    before, clip = lumas(shown(edited(one.path, turn))), edited(one.path, turn, TEXT)
    assert shape_of(clip.data).rotation == -90
    picture, below = np.rot90(lumas(shown(clip))[20], -1), np.rot90(before[20], -1)
    assert off(picture, rendered(TEXT, "Left", below)) < 1.5


def test_pixels_that_are_not_square_do_not_stretch_letters(media_folder: Path) -> None:
    path = cached_media(MediaSpec(frames=60, codec_options={"x264-params": "sar=2/1"}), media_folder)
    wanted = ask((0, Fraction(0), Fraction(2)))
    before, after = (lumas(shown(edited(path, *edits, ranges=wanted)))[20] for edits in ((), (TEXT,)))
    columns = np.flatnonzero(np.abs(after.astype(int) - before).max(0) > 30)
    image = drawn(TEXT, "Left", 640, 180)
    left, _, right, _ = image.getbbox() or (0, 0, 0, 0)
    assert columns[-1] - columns[0] == pytest.approx((right - left) / 2, abs=4)


def test_a_text_that_is_too_wide_is_set_smaller(recording: Recordings) -> None:
    image = drawn(TEXT, "A long line of letters that is wider than the picture", 320, 180)
    left, _, right, _ = image.getbbox() or (0, 0, 0, 0)
    assert 200 < right - left <= 320 - 16
    with pytest.raises(EditImpossibleError, match="letters of"):
        edited(recording("pyramid").path, replace(TEXT, text="m" * 200))


@pytest.mark.parametrize("text", ["%{localtime}", "a:textfile=/etc/passwd", "[a];movie=x[b]", "'\\,;", "é ß Ω Ж"])
def test_a_text_is_drawn_letter_by_letter_whatever_it_says(recording: Recordings, text: str) -> None:
    one = recording("pyramid")
    edit = replace(TEXT, text=escaped(text), size=14)
    before, after = lumas(shown(edited(one.path)))[30], lumas(shown(edited(one.path, edit)))[30]
    assert off(after, rendered(edit, text, before)) < 1.5


@pytest.mark.parametrize("kind", ["text", "clock"])
def test_an_overlay_appears_and_disappears(recording: Recordings, kind: str) -> None:
    one = recording("pyramid")
    time = {"start": Fraction(1), "duration": Fraction(2), "fade_in": Fraction(1, 2), "fade_out": Fraction(1)}
    edit, words = (TEXT, "Left") if kind == "text" else (replace(TIME, show="date"), "2026-11-24")
    before, clip = lumas(shown(edited(one.path))), edited(one.path, replace(edit, **time))  # type: ignore[arg-type]
    found = lumas(shown(clip))
    for number in (29, 30, 33, 37, 45, 59, 66, 75, 82, 89, 90):
        since, left = Fraction(number - 30, 15), Fraction(90 - number, 30)
        opacity = float(max(Fraction(0), min(Fraction(1), since, left)))
        below = before[number].astype(float)
        letters = rendered(edit, words, before[number]) - below
        # How much of the letters is in the difference, whatever noise the encoder adds.
        assert ((found[number] - below) * letters).sum() / (letters**2).sum() == pytest.approx(opacity, abs=0.04)
    assert clip.facts.frames_copied >= 30


def test_a_fade_that_is_longer_than_its_overlay_is_refused(recording: Recordings) -> None:
    edit = replace(TEXT, start=Fraction(4), fade_in=Fraction(1, 2), fade_out=Fraction(1))
    with pytest.raises(EditImpossibleError, match=r"text: it is shown for 1 s, which is shorter .* 1\.5 s"):
        edited(recording("pyramid").path, edit)


def test_a_shadow_is_dark_below_and_to_the_right_of_the_letters() -> None:
    edit = replace(TEXT, box=False, text="I", size=120)
    plain, dark = (np.asarray(drawn(each, "I", 320, 180)).astype(int) for each in (edit, replace(edit, shadow=True)))
    letter = plain[..., 3] > 200
    assert (dark[letter][:, :3] >= 250).all(), "letters are above their shadow"
    aside = np.roll(letter, (7, 7), (0, 1)) & (plain[..., 3] == 0)
    assert aside.sum() > 500
    assert dark[aside][:, 3].mean() > 120
    assert dark[aside][:, :3].max() == 0
    elsewhere = np.roll(letter, (-12, -12), (0, 1)) & ~letter
    assert dark[elsewhere & (plain[..., 3] == 0)][:, 3].mean() < 20


def test_the_fields_of_a_text_are_those_of_each_picture(recording: Recordings) -> None:
    one = recording("pyramid")
    edit = replace(TEXT, text="{camera} {{{hour}h{second}}}", zone="Australia/Sydney", size=20)
    below, found = (lumas(shown(edited(one.path, *edits))) for edits in ((), (edit,)))
    for number, text in ((29, "north {21h12}"), (30, "north {21h13}"), (149, "north {21h16}")):
        wrong = off(found[number], rendered(edit, "north {21h19}", below[number]))
        assert off(found[number], rendered(edit, text, below[number])) < min(1.7, wrong)


@pytest.mark.parametrize("drawn_as", ["pictures", "subtitles"])
def test_fields_of_a_moment_need_a_camera(recording: Recordings, drawn_as: Literal["pictures", "subtitles"]) -> None:
    edit = replace(TEXT, text="{date}", drawn_as=drawn_as)
    with pytest.raises(EditImpossibleError, match=r"text: \{date\} needs a source that names a camera"):
        edited(recording("pyramid").path, edit, clock=None)


def test_right_to_left_texts_are_shaped(recording: Recordings) -> None:
    one = recording("pyramid")
    before, after = lumas(shown(edited(one.path)))[30], lumas(shown(edited(one.path, replace(TEXT, text="موجة"))))[30]
    assert off(after, rendered(replace(TEXT, text="موجة"), "موجة", before)) < 1.5


def test_the_confined_child_draws_letters_of_further_fonts(recording: Recordings, tmp_path: Path) -> None:
    (tmp_path / "han.ttf").write_bytes(rectangle_font("Test Han", {"波": 1000}))
    (tmp_path / "emoji.ttf").write_bytes(bitmap_font("Test Emoji", {"🏄": (255, 255, 255)}))
    one = recording("pyramid")
    edit, text = replace(TEXT, text="a波🏄"), "a波🏄"
    with closing(ChildCutter(warm=False, fonts=str(tmp_path))) as cutter:
        clip = cut_in_child(cutter, [one.path], (0, Fraction(0), Fraction(5)), edits=[edit])
    below, found = lumas(shown(edited(one.path)))[40], lumas(shown(clip))[40]
    assert off(found, rendered(edit, text, below, load_fonts(str(tmp_path), frozenset(text), frozenset()))) < 1.5


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (replace(TEXT, text="波 wave"), "text: no font has 波"),
        (replace(TEXT, font="Lobster"), "text: there is no font 'Lobster'"),
        (replace(TEXT, start=Fraction(9)), "text: 9 s is not within the clip"),
        (replace(TEXT, start=Finished(Fraction(5))), "text: it would begin at 5 s, but the clip ends at 5 s"),
    ],
)
def test_a_text_that_cannot_be_shown_is_refused(recording: Recordings, edit: TextOverlay, said: str) -> None:
    with pytest.raises(EditImpossibleError, match=said):
        edited(recording("pyramid").path, edit)


def test_a_text_on_a_filled_gap_is_refused(recording: Recordings) -> None:
    wanted: list[CutRange | CutGap] = [CutRange(0, Fraction(1), Fraction(2)), CutGap(Fraction(1), "freeze")]
    with pytest.raises(EditImpossibleError, match="text: it would be on a filled gap"):
        edited(recording("pyramid").path, TEXT, ranges=wanted)


def test_overlays_are_painted_in_order_after_crop_and_before_fade(recording: Recordings) -> None:
    one = recording("pyramid")
    crop, fade = Crop(Fraction(1), None, None, None, None, None), Fade(Fraction(1), Fraction(0), "black")
    second = replace(TEXT, text="Right", place="top-left")
    clip = edited(one.path, crop, TEXT, second, fade)
    below = lumas(shown(edited(one.path, crop)))
    found = lumas(shown(clip))
    both = rendered(second, "Right", rendered(TEXT, "Left", below[60]))
    assert off(found[60], both) < 2
    assert found[0].max() < 24, "letters fade too"


# --- clock -----------------------------------------------------------------------------------------


def read_clock(edit: ClockOverlay, picture: Luma, below: Luma, zone: str) -> datetime:
    """The time that a picture shows: the one whose rendering is nearest, of a minute."""
    begin = datetime(2026, 11, 24, 10, 3, 0, tzinfo=UTC).timestamp()
    moments = [datetime.fromtimestamp(begin + second, UTC) for second in range(60)]
    texts = [moment.astimezone(ZoneInfo(zone)).strftime("%H:%M:%S") for moment in moments]
    distances = [off(picture, rendered(edit, text, below)) for text in texts]
    return moments[int(np.argmin(distances))]


@pytest.mark.parametrize("zone", ["Australia/Sydney", "UTC"])
def test_the_clock_shows_the_second_in_which_each_frame_was_recorded(recording: Recordings, zone: str) -> None:
    one = recording("pyramid")
    edit = replace(TIME, zone=zone)
    wanted = ask((0, Fraction("1.5"), Fraction("3.5")))
    below, found = (lumas(shown(edited(one.path, *edits, ranges=wanted))) for edits in ((), (edit,)))
    for number in (0, 14, 15, 16, 44, 45, 59):
        second = 12 + int(Fraction("1.5") + Fraction(number, 30))
        assert read_clock(edit, found[number], below[number], zone).second == second


def test_a_clock_has_the_format_that_is_asked_for(recording: Recordings) -> None:
    one = recording("pyramid")
    edit = replace(TIME, format="at {hour12}.{minute}.{second} {ampm}", zone="Australia/Sydney")
    wanted = ask((0, Fraction(2), Fraction(3)))
    below, found = (lumas(shown(edited(one.path, *edits, ranges=wanted))) for edits in ((), (edit,)))
    texts = [f"at 09.03.{second} {half}" for second in (13, 14, 15) for half in ("AM", "PM")]
    distances = [off(found[15], rendered(edit, text, below[15])) for text in texts]
    assert texts[int(np.argmin(distances))] == "at 09.03.14 PM"
    assert min(distances) < 1


def test_the_clock_jumps_where_ranges_are_joined_and_slows_down_with_the_clip(recording: Recordings) -> None:
    one = recording("pyramid")
    wanted = ask((0, Fraction(0), Fraction(1)), (0, Fraction(4), Fraction(5)))
    slow = Speed(Fraction("0.5"), (), None)
    below, found = (lumas(shown(edited(one.path, *edits, ranges=wanted))) for edits in ((slow,), (slow, TIME)))
    seconds = [read_clock(TIME, found[n], below[n], TIME.zone).second for n in (0, 29, 30, 59)]
    assert seconds == [12, 12, 16, 16]


@pytest.mark.parametrize("edit", [Reverse(), Timelapse(Fraction(5), Fraction(1))], ids=["reverse", "timelapse"])
def test_the_clock_is_true_for_frames_that_are_chosen_or_shown_backwards(recording: Recordings, edit: Edit) -> None:
    one = recording("pyramid")
    wanted = ask((0, Fraction("0.5"), Fraction("4.5")))
    plain, found = (shown(edited(one.path, edit, *more, ranges=wanted)) for more in ((), (TIME,)))
    below, seen = lumas(plain), lumas(found)
    numbers = [number for number, counter in enumerate(plain.counters) if len(below) < 10 or counter % 30 in {0, 29}]
    recorded = [12 + plain.counters[number] // 30 for number in numbers]
    assert [read_clock(TIME, seen[n], below[n], TIME.zone).second for n in numbers] == recorded


def test_a_clock_needs_a_camera(recording: Recordings) -> None:
    with pytest.raises(EditImpossibleError, match="clock: it needs a source that names a camera"):
        edited(recording("pyramid").path, TIME, clock=None)


def test_the_name_of_the_camera_is_in_front(recording: Recordings) -> None:
    one = recording("pyramid")
    edit = replace(TIME, camera=True, show="datetime", size=14)
    below, found = (lumas(shown(edited(one.path, *edits)))[5] for edits in ((), (edit,)))
    assert off(found, rendered(edit, "north  2026-11-24 21:03:12", below)) < 1.5


def test_the_confined_child_draws_letters(recording: Recordings, cutter: ChildCutter) -> None:
    one = recording("pyramid")
    clip = cut_in_child(cutter, [one.path], (0, Fraction(0), Fraction(5)), edits=[TEXT, TIME], wall_clocks=[CLOCK])
    below, found = lumas(shown(edited(one.path)))[40], lumas(shown(clip))[40]
    assert off(found, rendered(TIME, "21:03:13", rendered(TEXT, "Left", below))) < 1.5
