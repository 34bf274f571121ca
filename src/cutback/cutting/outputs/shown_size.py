"""The size at which players show a track. Pure."""

from __future__ import annotations

from cutback.cutting.mp4.layout import OutTrack
from cutback.cutting.turns import sideways, turns_of


def shown_size(track: OutTrack) -> tuple[int, int]:
    """Return the width and height in pixels at which a video track is shown, upright."""
    width, height = (side + (1 << 15) >> 16 for side in track.display_size)
    if not (width and height):
        width, height = int.from_bytes(track.entries[0][32:34]), int.from_bytes(track.entries[0][34:36])
    return (height, width) if sideways(turns_of(track.matrix)) else (width, height)
