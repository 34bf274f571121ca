"""Draws the logo of the demo."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image, ImageDraw

_SIZE = 400


def draw_logo(path: Path) -> None:
    """Draw three waves in a circle, unless they are there already."""
    if path.exists():
        return
    picture = Image.new("RGBA", (_SIZE, _SIZE))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((0, 0, _SIZE - 1, _SIZE - 1), fill="#0b3c5d")
    draw.ellipse((30, 30, _SIZE - 31, _SIZE - 31), outline="white", width=10)
    for row in range(3):
        points = [(x, 150 + 50 * row + 22 * math.sin(x / 22)) for x in range(80, _SIZE - 80)]
        draw.line(points, fill="white", width=16, joint="curve")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
