"""Make the pictures of docs/edits.md from a drawn recording: one for each edit that changes pictures.

Usage: python docs/pictures/make.py

The same versions of the libraries make the same files.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
from PIL import Image

from cutback import cut
from cutback.cli.demo.drawing.sea import make_recording

HERE = Path(__file__).parent

START = datetime(2026, 11, 24, 10, 3, 0, tzinfo=UTC)
CLIP = (2, 6)
"""Seconds of the recording."""

SHOWN: Mapping[str, tuple[Sequence[dict[str, Any]], Sequence[float]]] = {
    "original": ((), (0.5,)),
    "rotate": (({"edit": "rotate", "degrees": 90, "flip": "horizontal"},), (0.5,)),
    "crop": (({"edit": "crop", "aspect": "9:16", "gravity": "center"},), (0.5,)),
    "scale": (({"edit": "scale", "width": 320, "height": 320, "mode": "pad"},), (0.5,)),
    "colour": (({"edit": "colour", "saturation": 60, "temperature": 40},), (0.5,)),
    "blur": (({"edit": "blur", "x": "30%", "y": "35%", "width": "40%", "height": "30%"},), (0.5,)),
    "speed": (({"edit": "speed", "speed": 2},), (0.1, 0.5, 0.9)),
    "timelapse": (({"edit": "timelapse", "duration": 1, "fps": 10},), (0.1, 0.5, 0.9)),
    "text": (
        ({"edit": "text", "text": "Left at the point", "place": "bottom", "size": "10%", "weight": "bold"},),
        (0.5,),
    ),
    "fade": (({"edit": "fade", "in": 1, "out": 1},), (0.05, 0.15, 0.5)),
}
"""For each picture, the edits, and which parts of the clip's length are shown."""


def main() -> None:
    """Write `edit-NAME.jpg` beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        sea = Path(folder) / "sea.mp4"
        make_recording(sea, seconds=8, size=(640, 360), start=START)
        for name, (edits, shares) in SHOWN.items():
            clip = Path(folder) / f"{name}.mp4"
            cut(sea, start=CLIP[0], end=CLIP[1], edits=edits, output=clip)
            side_by_side(frames(clip, shares)).save(HERE / f"edit-{name}.jpg", quality=72, optimize=True)


def frames(clip: Path, shares: Sequence[float]) -> list[Image.Image]:
    """Return frames of a clip, at parts of its length."""
    with av.open(str(clip)) as container:
        pictures = [frame.to_image() for frame in container.decode(video=0)]
    return [pictures[round(share * (len(pictures) - 1))] for share in shares]


def side_by_side(pictures: Sequence[Image.Image]) -> Image.Image:
    """Return small pictures in one row."""
    small = [each.resize((round(each.width * 180 / each.height), 180), Image.Resampling.LANCZOS) for each in pictures]
    row = Image.new("RGB", (sum(each.width for each in small) + 4 * (len(small) - 1), 180), "white")
    left = 0
    for each in small:
        row.paste(each, (left, 0))
        left += each.width + 4
    return row


if __name__ == "__main__":
    main()
