"""What the demo records: two cameras that see the same day, in short."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DAWN = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
_SMALL = (640, 360)


@dataclass(frozen=True, slots=True)
class DemoRecording:
    """A recording that the demo draws."""

    camera: str
    size: tuple[int, int]
    start: datetime = DAWN
    seconds: int = 60
    only: float | None = None
    """The second at which a single wave breaks, in a lull. What happens then is a moment, which stands out."""

    @property
    def key(self) -> str:
        """Its key in the source store."""
        return f"{self.camera}.{self.start:%Y-%m-%dT%H-%M-%SZ}.mp4"


FIRST = DemoRecording("north-point", (1280, 720))
"""Drawn first, and therefore short."""
SECOND = DemoRecording("south-point", (1920, 1080), only=45)
"""Drawn while the first clips are cut."""
DAY = tuple(
    DemoRecording(camera, _SMALL, DAWN + timedelta(hours=hours), seconds=20)
    for hours in (4, 8)
    for camera in (FIRST.camera, SECOND.camera)
)
"""The rest of the day, for the pages. Small, because it only needs to be looked through."""
