"""Which moments of a camera the tiles of a sheet show. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from cutback.domain.base import iso
from cutback.domain.cameras.recording import CameraRecording

SHORTEST_SLOT = timedelta(seconds=1)
_SEAM = timedelta(seconds=2)
"""Footage with a gap this short is shown as if it had none."""


@dataclass(frozen=True, slots=True)
class TileSlot:
    """A part of a recording of which a tile shows a picture."""

    recording: CameraRecording
    begins: datetime
    ends: datetime
    covered_until: datetime
    """The end of the footage that follows without a gap."""


@dataclass(frozen=True, slots=True)
class CameraTile:
    """A tile: when to show it, and what it shows."""

    begins: datetime
    ends: datetime
    at: datetime
    """What the camera's clock showed."""
    recording: str
    frame: int
    x: int
    y: int
    """Its place on the sheet, in pixels."""

    def public(self) -> dict[str, Any]:
        """Return it as the API shows it."""
        moments = {name: iso(getattr(self, name)) for name in ("begins", "ends", "at")}
        return {**moments, "recording": self.recording, "frame": self.frame, "x": self.x, "y": self.y}


def tile_slots(
    recordings: Sequence[CameraRecording], begins: datetime, ends: datetime, count: int
) -> tuple[TileSlot, ...]:
    """Divide a span into up to `count` slots of equal length, and return those that have footage, cut to it.

    `recordings` overlap the span and are in order of their start.
    """
    length = max(SHORTEST_SLOT, (ends - begins) / count)
    starts, until = [each.start for each in recordings], _covered_until(recordings)
    found = []
    for number in range(count):
        begin, end = begins + number * length, min(ends, begins + (number + 1) * length)
        place = bisect_right(starts, begin) - 1
        if place < 0 or recordings[place].end <= begin:
            place += 1
        if place == len(recordings) or recordings[place].start >= end or begin >= end:
            continue
        chosen = recordings[place]
        slot = TileSlot(chosen, max(begin, chosen.start), min(end, chosen.end), min(ends, until[place]))
        if slot.begins < slot.ends:
            found.append(slot)
    return tuple(found)


def _covered_until(recordings: Sequence[CameraRecording]) -> list[datetime]:
    until: list[datetime] = []
    for each in reversed(recordings):
        end = each.end
        if until and recordings[len(recordings) - len(until)].start <= end + _SEAM:
            end = max(end, until[-1])
        until.append(end)
    return until[::-1]


def camera_tiles(slots: Sequence[TileSlot], found: Mapping[str, Any]) -> tuple[CameraTile, ...]:
    """Return the tiles of a sheet in the form of `cutback.cutting.sprites.slot_sprites`, made for these slots.

    A tile is shown until the next one, or until the footage ends.
    """
    shown = found["tiles"]
    begins = [slots[tile["slot"]].begins for tile in shown]
    tiles = []
    for number, tile in enumerate(shown):
        slot = slots[tile["slot"]]
        row, column = divmod(number, found["columns"])
        tiles.append(
            CameraTile(
                begins=slot.begins,
                ends=min([slot.covered_until, *begins[number + 1 : number + 2]]),
                at=slot.recording.start + timedelta(microseconds=round(Fraction(tile["at"]) * 1_000_000)),
                recording=slot.recording.key,
                frame=tile["frame"],
                x=column * found["width"],
                y=row * found["height"],
            )
        )
    return tuple(tiles)
