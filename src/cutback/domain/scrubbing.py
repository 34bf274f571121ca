"""What players and pages need of sprites and waveforms: WebVTT and SVG. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any

from cutback.domain.base import iso
from cutback.domain.cameras.tile_slots import CameraTile
from cutback.domain.wallclock import seconds_between

_SVG_WIDTH, _SVG_HEIGHT = 1000, 100


def sprites_vtt(found: Mapping[str, Any], sheet: str) -> str:
    """Return WebVTT for a sheet of tiles, in the form of `cutback.cutting.sprites`: a cue for each, named by its frame.

    `sheet` is the address of the sheet. A tile is shown from its frame's time until the next one's; the first one also
    before.
    """
    tiles, width, height = found["tiles"], found["width"], found["height"]
    times = [Fraction(0), *(Fraction(tile["at"]) for tile in tiles[1:]), Fraction(found["end"])]
    cues = ["WEBVTT"]
    for number, (tile, (begin, end)) in enumerate(zip(tiles, pairwise(times), strict=True)):
        row, column = divmod(number, found["columns"])
        area = f"{column * width},{row * height},{width},{height}"
        cues.append(f"frame {tile['frame']}\n{_stamp(begin)} --> {_stamp(end)}\n{sheet}#xywh={area}")
    return "\n\n".join(cues) + "\n"


def camera_sprites_vtt(tiles: Sequence[CameraTile], since: datetime, size: tuple[int, int], sheet: str) -> str:
    """Return WebVTT for a camera's tiles: a cue for each, named by its moment. Times count from `since`.

    `size` is that of a tile in pixels, `sheet` the address of the sheet.
    """
    cues = ["WEBVTT"]
    for tile in tiles:
        begin, end = (_stamp(seconds_between(since, moment)) for moment in (tile.begins, tile.ends))
        cues.append(f"{iso(tile.at)}\n{begin} --> {end}\n{sheet}#xywh={tile.x},{tile.y},{size[0]},{size[1]}")
    return "\n\n".join(cues) + "\n"


def _stamp(seconds: Fraction) -> str:
    minutes, millis = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{millis // 1000:02d}.{millis % 1000:03d}"


def waveform_svg(peaks: Sequence[int], scale: int) -> str:
    """Return a waveform as a shape in the colour of the text around it: low, high, low, high and so on."""
    count = max(1, len(peaks) // 2)
    across, middle = _SVG_WIDTH / count, _SVG_HEIGHT / 2

    def point(number: int, value: int) -> str:
        return f"{(number + 0.5) * across:.1f},{middle - value * middle / scale:.1f}"

    above = [point(number, value) for number, value in enumerate(peaks[1::2])]
    below = [point(number, value) for number, value in enumerate(peaks[::2])]
    points = " ".join([*above, *reversed(below)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SVG_WIDTH} {_SVG_HEIGHT}" '
        f'preserveAspectRatio="none"><polygon points="{points}" fill="currentColor" stroke="currentColor" '
        'stroke-width="0.5"/></svg>\n'
    )
