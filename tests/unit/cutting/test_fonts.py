"""Which font each part of a text is drawn with, and the order of the parts."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from tests.support.fonts import bitmap_font, rectangle_font

from cutback.cutting.edit_values.overlay import TextOverlay
from cutback.cutting.edits import fonts
from cutback.cutting.edits.fonts import FontSet, load_fonts, own_faces
from cutback.cutting.edits.lettering import drawn
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import Percent

TEXT = TextOverlay(
    text="", place="center", margin=8, size=40, weight="regular", color="#ffcc00", box=False, start=None, duration=None
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = tmp_path_factory.mktemp("fonts")
    (made / "han.ttf").write_bytes(rectangle_font("Test Han", {"波": 1000, "浪": 1000}))
    (made / "han-bold.ttf").write_bytes(rectangle_font("Test Han", {"波": 1000, "浪": 1000}, style="Bold"))
    (made / "surf.otf").write_bytes(rectangle_font("Test Surf", dict.fromkeys("abcdefgh", 500)))
    (made / "emoji.ttf").write_bytes(bitmap_font("Test Emoji", {"🏄": (255, 0, 0), "☺": (0, 255, 0)}))
    (made / "broken.ttf").write_bytes(b"\0\1\0\0 no font")
    (made / "notes.txt").write_text("no font")
    return str(made)


def runs(text: str, folder: str, family: str | None = None, weight: str = "regular") -> list[tuple[str, str]]:
    families: frozenset[str] = frozenset() if family is None else frozenset({family})
    found = load_fonts(folder, frozenset(text), families).runs("text", text, family, weight)
    return [(run.text, run.face.family) for run in found]


def picture(text: str, folder: str, edit: TextOverlay = TEXT) -> Image.Image:
    return drawn(edit, "text", text, load_fonts(folder, frozenset(text), frozenset()), 320, 180)


@pytest.mark.parametrize("weight", ["regular", "bold"])
@pytest.mark.parametrize("text", ["Left at the point", "AVATAR é ß", "موجة كبيرة", "wave שלום 12"])
def test_a_line_looks_like_a_reference_rendering(text: str, weight: Literal["regular", "bold"]) -> None:
    """Letters without a box are those that Pillow draws in their colour on a background of that colour's opposite."""
    edit = replace(TEXT, weight=weight, size=24)
    made = Image.new("RGBA", (320, 180), "#0033ff")
    made.alpha_composite(drawn(edit, "text", text, FontSet(), 320, 180))
    file = {"regular": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}[weight]
    font = ImageFont.truetype(Path(fonts.__file__).parent / "fonts" / file, 24, layout_engine=ImageFont.Layout.RAQM)
    ascent, descent = font.getmetrics()
    wide, high = round(font.getlength(text)), ascent + descent
    reference = Image.new("RGB", (320, 180), "#0033ff")
    left, top = 8 + round(Fraction(304 - wide, 2)), 8 + round(Fraction(164 - high, 2))
    ImageDraw.Draw(reference).text((left, top), text, font=font, fill="#ffcc00")
    difference = np.abs(np.asarray(made.convert("RGB")).astype(int) - np.asarray(reference))
    assert np.asarray(reference).std() > 5, "there is something to compare"
    assert difference.max() <= 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wave", [("wave", "DejaVu Sans")]),
        ("a 波浪 b", [("a ", "DejaVu Sans"), ("波浪", "Test Han"), (" b", "DejaVu Sans")]),
        ("☺", [("☺", "DejaVu Sans")]),
        ("☺\ufe0f", [("☺\ufe0f", "Test Emoji")]),
        ("e\u0301🏄🏽", [("e\u0301", "DejaVu Sans"), ("🏄", "Test Emoji")]),
    ],
)
def test_a_text_is_split_by_the_fonts_that_have_its_characters(
    folder: str, text: str, expected: list[tuple[str, str]]
) -> None:
    if "🏽" in text:
        with pytest.raises(EditImpossibleError, match=r"U\+1F3FD"):
            runs(text, folder)
        text = text.replace("🏽", "")
    assert runs(text, folder) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc שלום 波 d", ["abc ", "שלום", " ", "波", " d"]),
        ("שלום 波 abc", ["波", " abc", "שלום "]),
        ("שלום 波 17", ["波", " 17", "שלום "]),
        ("波 שלום עולם", ["波", " ", "שלום עולם"]),
        ("ש🏄ל", ["ל", "🏄", "ש"]),
    ],
)
def test_runs_stand_in_the_order_of_their_scripts(folder: str, text: str, expected: list[str]) -> None:
    assert [words for words, _ in runs(text, folder)] == expected


def test_a_font_of_bitmaps_is_scaled_to_the_size_of_the_letters(folder: str) -> None:
    image = np.asarray(picture("🏄", folder))
    red = (image[..., 0] > 200) & (image[..., 1] < 50) & (image[..., 3] > 200)
    rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
    assert (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1) == (pytest.approx(40, abs=2),) * 2


def test_a_rectangle_of_another_font_stands_on_the_same_baseline_and_moves_what_follows(folder: str) -> None:
    image = np.asarray(picture("H波", folder))
    high = np.flatnonzero((image[..., 3] > 200).any(1))
    letter = np.asarray(picture("H", folder))
    alone = np.flatnonzero((letter[..., 3] > 200).any(1))
    assert high[-1] == pytest.approx(alone[-1], abs=4)  # the line is as high as its highest font
    columns = np.flatnonzero((image[..., 3] > 200).any(0))
    assert columns[-1] - columns[0] == pytest.approx(40 + 40 * 0.75 - 4, abs=4)


def test_a_named_font_comes_first_and_in_its_weight(folder: str) -> None:
    assert runs("abcz", folder, "test surf") == [("abc", "Test Surf"), ("z", "DejaVu Sans")]
    [bold] = load_fonts(folder, frozenset("波"), frozenset()).runs("text", "波", None, "bold")
    [regular] = load_fonts(folder, frozenset("波"), frozenset()).runs("text", "波", None, "regular")
    assert (bold.face.style, regular.face.style) == ("Bold", "Regular")


@pytest.mark.parametrize("family", ["Test Surff", "../../etc/passwd", "%{localtime}", ""])
def test_a_missing_font_is_named_with_those_that_are_there(folder: str, family: str) -> None:
    with pytest.raises(EditImpossibleError, match="the fonts are DejaVu Sans, Test Emoji, Test Han, Test Surf"):
        runs("a", folder, family)
    with pytest.raises(EditImpossibleError, match="only DejaVu Sans is there"):
        runs("a", "", family)


@pytest.mark.parametrize("weight", ["regular", "bold"])
def test_a_character_that_no_font_has_is_named(folder: str, weight: str) -> None:
    with pytest.raises(EditImpossibleError, match=r"no font has 鯨 \(U\+9BE8\), 🐋 \(U\+1F40B\); add a font"):
        runs("a 鯨 b 🐋", folder, weight=weight)


def test_no_character_is_drawn_as_the_box_for_unknown_ones() -> None:
    """Bold letters of DejaVu Sans lack characters that the regular ones have: those are taken."""
    regular, bold = own_faces()
    candidates = (chr(code) for code in range(0x1D400, 0x1D800))
    only_regular = next(each for each in candidates if regular.has(each) and not bold.has(each))
    [run] = FontSet().runs("text", only_regular, None, "bold")
    assert run.face == regular


def test_fonts_are_read_only_if_a_text_needs_them(tmp_path: Path) -> None:
    (tmp_path / "han.ttf").write_bytes(rectangle_font("Test Han", {"波": 1000}))
    load_fonts(str(tmp_path), frozenset("wave"), frozenset())
    (tmp_path / "han.ttf").unlink()
    with pytest.raises(EditImpossibleError, match="no font has 波"):
        runs("波", str(tmp_path))


def test_a_folder_that_is_not_there_has_no_fonts(tmp_path: Path) -> None:
    with pytest.raises(EditImpossibleError, match="no font has 波"):
        runs("波", str(tmp_path / "missing"))


def test_only_as_many_fonts_as_the_limit_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.ttf").write_bytes(rectangle_font(f"Font {name}", {"波": 1000}))
    monkeypatch.setattr(fonts, "MAX_FONTS", 2)
    assert fonts.families_in(str(tmp_path)) == {"Font a", "Font b"}


def test_letters_that_would_be_too_small_are_refused(folder: str) -> None:
    with pytest.raises(EditImpossibleError, match=r"letters of . pixels are too small"):
        picture("波" * 200, folder, replace(TEXT, size=Percent(Fraction(20))))
