"""The fonts that texts are drawn with: DejaVu Sans, which is part of Cutback, and those of a folder.

A text is split into runs, each of one font: the font that the request names, then DejaVu Sans, then the folder's.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from cutback.domain.errors import EditImpossibleError

FAMILY = "DejaVu Sans"
"""The family of the fonts that are part of Cutback."""

MAX_FONTS = 200
"""Maximum fonts of the folder that are looked at, in the order of their names."""

MAX_FONT_BYTES = 64 * 1024 * 1024
"""Larger fonts are not used."""

_ENDINGS = frozenset({".ttf", ".otf", ".ttc", ".otc"})

_UNKNOWN = "\U0010fffe"
"""A character that no font has, so that it shows the glyph for unknown ones."""

_STRIKES = (109, 136, 128, 160, 96, 64, 32)
"""Sizes in pixels of fonts that consist of bitmaps, such as Noto Color Emoji (109); they have no others."""

_COLOUR_TABLES = frozenset({b"CBDT", b"sbix", b"COLR"})

_AS_EMOJI = "\ufe0f"
"""Asks for the coloured form of the character before it (Unicode Technical Standard 51)."""

_JOINER = "\u200d"

Direction = Literal["ltr", "rtl"]


@dataclass(frozen=True, slots=True)
class Face:
    """One font file, or one of the fonts in a collection."""

    family: str
    style: str
    data: bytes = field(repr=False)
    number: int = 0
    """Its number in a collection."""

    @property
    def bold(self) -> bool:
        """Whether its letters are heavy."""
        return "bold" in self.style.lower() or "black" in self.style.lower()

    @property
    def colour(self) -> bool:
        """Whether it has coloured glyphs."""
        return not _COLOUR_TABLES.isdisjoint(_tables(self))

    def sized(self, size: int) -> tuple[ImageFont.FreeTypeFont, float]:
        """Return it in a size in pixels, and the factor by which what it draws must be scaled."""
        return _sized(self, size)

    def has(self, cluster: str) -> bool:
        """Whether it has a glyph for each visible character."""
        return all(_has(self, character) for character in cluster if not _is_invisible(character))


@dataclass(frozen=True, slots=True)
class Run:
    """A part of a line in one font, to be drawn at once."""

    text: str
    face: Face
    direction: Direction | None
    """None if the line has no other run; then its characters decide."""


class FontSet:
    """The fonts that a clip can use."""

    def __init__(self, extra: Sequence[Face] = (), folder: str = "") -> None:
        """`extra` are the fonts of the folder."""
        self._extra = list(extra)
        self._folder = folder

    def runs(self, edit: str, text: str, family: str | None, weight: str) -> list[Run]:
        """Return the runs of a line, from left to right. `edit` is the name of the edit that shows it.

        Raises:
            EditImpossibleError: there is no font of that family, or no font has a character.
        """
        faces = self._order(edit, family, bold=weight == "bold")
        chosen: list[tuple[str, Face]] = []
        missing: list[str] = []
        for cluster in _clusters(text):
            fitting = sorted(faces, key=lambda face: not face.colour) if _AS_EMOJI in cluster else faces
            face = next((face for face in fitting if face.has(cluster)), None)
            if face is None:
                missing.append(cluster)
            else:
                chosen.append((cluster, face))
        if missing:
            shown = ", ".join(_named(cluster) for cluster in list(dict.fromkeys(missing))[:5])
            where = "add a font that has it to the folder of CUTBACK_FONTS"
            raise EditImpossibleError(f"{edit}: no font has {shown}; {where}")
        if len({id(face) for _, face in chosen}) <= 1:
            return [Run(text, face, None) for _, face in chosen[:1]]
        return _in_visual_order(chosen)

    def _order(self, edit: str, family: str | None, *, bold: bool) -> list[Face]:
        def by_weight(faces: Sequence[Face]) -> list[Face]:
            return sorted(faces, key=lambda face: face.bold != bold)

        everything = [*by_weight(own_faces()), *by_weight(self._extra)]
        if family is None:
            return everything
        wanted = [face for face in everything if face.family.casefold() == family.casefold()]
        if not wanted:
            raise EditImpossibleError(f"{edit}: there is no font {family!r}; {self._known()}")
        return wanted + [face for face in everything if face not in wanted]

    def _known(self) -> str:
        families = sorted(families_in(self._folder)) if self._folder else []
        if not families:
            return f"only {FAMILY} is there, because the folder of CUTBACK_FONTS has none"
        return "the fonts are " + ", ".join([FAMILY, *families][:20])


@lru_cache(maxsize=1)
def own_faces() -> tuple[Face, ...]:
    """Return the fonts that are part of Cutback."""
    folder = resources.files("cutback.cutting.edits") / "fonts"
    files = {"Book": "DejaVuSans.ttf", "Bold": "DejaVuSans-Bold.ttf"}
    return tuple(Face(FAMILY, style, (folder / name).read_bytes()) for style, name in files.items())


@lru_cache(maxsize=2)
def load_fonts(
    folder: str, characters: frozenset[str] = frozenset(), families: frozenset[str] = frozenset()
) -> FontSet:
    """Read the fonts of a folder that are of a wanted family, or have what DejaVu Sans does not have.

    Reads nothing for texts that DejaVu Sans can show. Called while files can still be opened; what was read is kept.
    """
    own = own_faces()
    lacking = {each for each in characters if not any(face.has(each) for face in own)}
    wanted = {family.casefold() for family in families} - {FAMILY.casefold()}
    emoji = _AS_EMOJI in characters
    if not folder or not (lacking or wanted or emoji):
        return FontSet((), folder if wanted else "")
    found = [
        face
        for face in _faces_in(folder)
        if face.family.casefold() in wanted
        or (emoji and face.colour)
        or any(face.has(character) for character in lacking)
    ]
    return FontSet(found, folder)


@lru_cache(maxsize=2)
def families_in(folder: str) -> frozenset[str]:
    """Return the names of the families of a folder's fonts."""
    return frozenset(face.family for face in _faces_in(folder))


def _faces_in(folder: str) -> Iterator[Face]:
    """Yield the fonts of a folder; what is not a font, or cannot be read, is passed over."""
    try:
        files = sorted(each for each in Path(folder).iterdir() if each.suffix.lower() in _ENDINGS)
    except OSError:
        return
    for file in files[:MAX_FONTS]:
        try:
            if file.stat().st_size > MAX_FONT_BYTES:
                continue
            data = file.read_bytes()
        except OSError:
            continue
        for number in range(_fonts_of_collection(data)):
            try:
                font, _ = _open(data, number, 16)
            except OSError:
                break
            family, style = font.getname()
            if family:
                yield Face(family, style or "", data, number)


def _fonts_of_collection(data: bytes) -> int:
    if data[:4] != b"ttcf" or len(data) < 12:
        return 1
    return min(int(struct.unpack_from(">I", data, 8)[0]), 32)


def _open(data: bytes, number: int, size: int) -> tuple[ImageFont.FreeTypeFont, float]:
    """Open a font in a size; a font of bitmaps in its own one.

    Raises:
        OSError: it is not a font.
    """
    problem: OSError | None = None
    for pixels in (size, *_STRIKES):
        try:
            font = ImageFont.truetype(BytesIO(data), pixels, index=number, layout_engine=ImageFont.Layout.RAQM)
        except OSError as error:
            problem = error
        else:
            return font, size / pixels
    assert problem is not None
    raise problem


@lru_cache(maxsize=32)
def _sized(face: Face, size: int) -> tuple[ImageFont.FreeTypeFont, float]:
    return _open(face.data, face.number, size)


@lru_cache(maxsize=64)
def _tables(face: Face) -> frozenset[bytes]:
    """Return the names of a font's tables."""
    data, at = face.data, 0
    if data[:4] == b"ttcf":
        at = struct.unpack_from(">I", data, 12 + 4 * face.number)[0]
    count = struct.unpack_from(">H", data, at + 4)[0]
    return frozenset(data[at + 12 + 16 * place : at + 16 + 16 * place] for place in range(count))


@lru_cache(maxsize=4096)
def _has(face: Face, character: str) -> bool:
    return _drawn(face, character) != _drawn(face, _UNKNOWN)


@lru_cache(maxsize=256)
def _drawn(face: Face, character: str) -> bytes:
    font, scale = _sized(face, 20)
    side = round(40 / scale)
    image = Image.new("RGBA", (side, side))
    ImageDraw.Draw(image).text((side // 4, side // 4), character, font=font, embedded_color=face.colour)
    return image.tobytes()


def _named(cluster: str) -> str:
    return " ".join(f"{each} (U+{ord(each):04X})" for each in cluster if not _is_invisible(each))


def _is_invisible(character: str) -> bool:
    """Whether nothing is drawn for a character: spaces, joiners, marks of direction, variation selectors."""
    return unicodedata.category(character) in {"Zs", "Cf"} or "\ufe00" <= character <= "\ufe0f"


def _clusters(text: str) -> Iterator[str]:
    """Yield characters together with those that change them: accents, joiners, tones of skin."""
    cluster = ""
    for character in text:
        joins = cluster.endswith(_JOINER) and unicodedata.category(character) == "So"
        if cluster and (joins or character == _JOINER or _modifies(character)):
            cluster += character
            continue
        if cluster:
            yield cluster
        cluster = character
    if cluster:
        yield cluster


def _modifies(character: str) -> bool:
    return unicodedata.category(character) in {"Mn", "Me", "Mc"} or "\U0001f3fb" <= character <= "\U0001f3ff"


# --- the order of runs -----------------------------------------------------------------------------


def _in_visual_order(chosen: Sequence[tuple[str, Face]]) -> list[Run]:
    """Return the runs of a line with several fonts, from left to right (Unicode Standard Annex 9, with three levels).

    Within a run, HarfBuzz and FriBiDi shape and order the letters.
    """
    directions = _directions([cluster for cluster, _ in chosen])
    base = next((each for each in map(_strong, (cluster for cluster, _ in chosen)) if each is not None), "ltr")
    pieces = [(cluster, face, direction) for (cluster, face), direction in zip(chosen, directions, strict=True)]
    runs = []
    for (_, direction), group in groupby(pieces, key=lambda piece: (id(piece[1]), piece[2])):
        members = list(group)
        runs.append(Run("".join(cluster for cluster, _, _ in members), members[0][1], direction))
    ordered: list[Run] = []
    for direction, same in groupby(runs if base == "ltr" else runs[::-1], key=lambda run: run.direction):
        part = list(same)
        ordered += part if direction == base else part[::-1]
    return ordered


def _directions(clusters: Sequence[str]) -> list[Direction]:
    """Return the direction of each character; what has none takes that of its neighbours, or the line's."""
    strong = [_strong(cluster) or _number(cluster) for cluster in clusters]
    base: Direction = next((each for each in map(_strong, clusters) if each is not None), "ltr")
    found: list[Direction] = []
    for place, direction in enumerate(strong):
        if direction is not None:
            found.append(direction)
            continue
        before = found[-1] if found else base
        after = next((each for each in strong[place:] if each is not None), base)
        found.append(before if before == after else base)
    return found


def _strong(cluster: str) -> Direction | None:
    kind = unicodedata.bidirectional(cluster[0])
    if kind in {"R", "AL"}:
        return "rtl"
    return "ltr" if kind == "L" else None


def _number(cluster: str) -> Direction | None:
    return "ltr" if unicodedata.bidirectional(cluster[0]) in {"EN", "AN"} else None
