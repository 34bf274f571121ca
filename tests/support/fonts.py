"""Makes small fonts: each glyph is a filled rectangle as high as a line, or a coloured bitmap.

Tables: https://learn.microsoft.com/typography/opentype/spec.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping

from PIL import Image

UNITS = 1000
"""Units of an em."""

ASCENT, DESCENT = 800, 200


def rectangle_font(family: str, characters: Mapping[str, int], *, style: str = "Regular") -> bytes:
    """A TrueType font whose glyph for a character is a rectangle of that width, in thousandths of an em.

    The rectangle fills the advance and stands on the baseline, 700 units high; the glyph for unknown characters is
    empty.
    """
    widths = [500, *characters.values()]
    glyphs = [b"", *(_rectangle(width) for width in characters.values())]
    loca, glyf = [0], b""
    for glyph in glyphs:
        glyf += glyph
        loca.append(len(glyf))
    tables = _common(family, style, list(characters), widths)
    tables[b"glyf"] = glyf
    tables[b"loca"] = struct.pack(f">{len(loca)}I", *loca)
    return _font(tables)


def bitmap_font(family: str, characters: Mapping[str, tuple[int, int, int]], *, size: int = 109) -> bytes:
    """A font that has one size: each character is a square of one colour, as emoji fonts store theirs (CBDT, CBLC)."""
    count = len(characters) + 1
    bitmaps = [_bitmap(colour, size) for colour in characters.values()]
    data, offsets = struct.pack(">HH", 3, 0), []
    for bitmap in bitmaps:
        offsets.append(len(data) - 4)
        data += bitmap
    offsets.append(len(data) - 4)
    subtable = struct.pack(">HHI", 1, 17, 4) + struct.pack(f">{len(offsets)}I", *offsets)
    listed = struct.pack(">HHI", 1, count - 1, 8) + subtable
    line = struct.pack(">bbBbbbbbbbbb", size * 4 // 5, -(size // 5), size, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    strike = struct.pack(">IIII", 56, len(listed), 1, 0) + line + line
    strike += struct.pack(">HHBBBb", 1, count - 1, size, size, 32, 1)
    tables = _common(family, "Regular", list(characters), [UNITS] * count)
    tables[b"CBLC"] = struct.pack(">HHI", 3, 0, 1) + strike + listed
    tables[b"CBDT"] = data
    return _font(tables)


def _rectangle(width: int) -> bytes:
    header = struct.pack(">hhhhh", 1, 0, 0, width, 700)
    corners = [(0, 0), (0, 700), (width, 0), (0, -700)]  # relative to the previous one
    points = struct.pack(">HH", 3, 0) + bytes([1] * 4)
    points += b"".join(struct.pack(">h", x) for x, _ in corners) + b"".join(struct.pack(">h", y) for _, y in corners)
    glyph = header + points
    return glyph + bytes(-len(glyph) % 4)


def _bitmap(colour: tuple[int, int, int], size: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", (size, size), (*colour, 255)).save(file, "PNG")
    png = file.getvalue()
    return struct.pack(">BBbbBI", size, size, 0, size * 4 // 5, size, len(png)) + png


def _common(family: str, style: str, characters: list[str], widths: list[int]) -> dict[bytes, bytes]:
    count = len(widths)
    groups = sorted((ord(each), number + 1) for number, each in enumerate(characters))
    cmap = struct.pack(">HHHHI", 0, 1, 3, 10, 12) + struct.pack(">HHIII", 12, 0, 16 + 12 * len(groups), 0, len(groups))
    cmap += b"".join(struct.pack(">III", code, code, glyph) for code, glyph in groups)
    head = struct.pack(">IIIIHHQQ", 0x10000, 0x10000, 0, 0x5F0F3CF5, 0, UNITS, 0, 0)
    head += struct.pack(">hhhhHHhhh", 0, 0, UNITS, UNITS, 0, 8, 2, 1, 0)
    hhea = struct.pack(">IhhhH", 0x10000, ASCENT, -DESCENT, 0, max(widths))
    hhea += struct.pack(">11hH", 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, count)
    texts = {1: family, 2: style, 4: f"{family} {style}", 6: f"{family}-{style}".replace(" ", "")}
    names, strings = b"", b""
    for number, text in texts.items():
        coded = text.encode("utf-16-be")
        names += struct.pack(">HHHHHH", 3, 1, 0x409, number, len(coded), len(strings))
        strings += coded
    return {
        b"head": head,
        b"hhea": hhea,
        b"maxp": struct.pack(">IH", 0x10000, count) + struct.pack(">13H", 4, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
        b"hmtx": b"".join(struct.pack(">Hh", width, 0) for width in widths),
        b"cmap": cmap,
        b"name": struct.pack(">HHH", 0, len(texts), 6 + len(names)) + names + strings,
        b"post": struct.pack(">IIhhIIIII", 0x30000, 0, 0, 0, 0, 0, 0, 0, 0),
    }


def _font(tables: Mapping[bytes, bytes]) -> bytes:
    directory, body = struct.pack(">IHHHH", 0x10000, len(tables), 0, 0, 0), b""
    at = 12 + 16 * len(tables)
    for name in sorted(tables):
        data = tables[name]
        directory += struct.pack(">4sIII", name, 0, at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    return directory + body
