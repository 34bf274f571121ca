"""Converts a camera's local time to a moment in UTC, including the nights when clocks change. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SLACK = timedelta(minutes=1)
"""How far a camera's clock may be ahead of the store's clock."""


@dataclass(frozen=True, slots=True)
class Zones:
    """Time zones of cameras: the first whose glob matches the camera's name, or else `default`."""

    default: tzinfo = UTC
    of: tuple[tuple[str, tzinfo], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Zones:
        """Parse `Europe/Lisbon` or `Europe/Lisbon, bells-*=Australia/Melbourne`.

        Raises:
            ValueError: a name is not in the time zone database, or more than one zone has no cameras.
        """
        defaults, special = [], []
        for part in filter(None, (part.strip() for part in text.split(","))):
            glob, found, name = part.rpartition("=")
            if found:
                special.append((glob.strip(), zone_of(name.strip())))
            else:
                defaults.append(zone_of(name))
        if len(defaults) > 1:
            raise ValueError("only one time zone may be without cameras, as in Europe/Lisbon,bells-*=Asia/Tokyo")
        return cls(defaults[0] if defaults else UTC, tuple(special))

    def for_camera(self, camera: str) -> tzinfo:
        """Return the camera's time zone."""
        return next((zone for glob, zone in self.of if fnmatchcase(camera, glob)), self.default)


UTC_EVERYWHERE = Zones()


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name.

    Raises:
        ValueError: there is none.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name[:100]!r} is not a time zone, such as Europe/Lisbon or UTC") from None


def moment_of(local: datetime, zone: tzinfo, *, length: timedelta, stored_at: datetime) -> tuple[datetime, str]:
    """Convert `local` in `zone` to UTC, with a note if it is ambiguous or does not exist.

    In autumn, an hour occurs twice: the result is the one for which a recording of this `length` ends closest before
    its arrival in the store. In spring, an hour is skipped: it is read as if the clock had not been put forward.
    """
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first, ""
    if first > second:  # a gap: the offset before the change gives the later moment
        return first, (
            f"{local:%Y-%m-%d %H:%M:%S} does not exist in {zone}: clocks were put forward; "
            f"read as {first:%Y-%m-%d %H:%M:%S} UTC."
        )
    chosen = second if second + length <= stored_at + SLACK else first
    which = "second" if chosen is second else "first"
    return chosen, (
        f"{local:%Y-%m-%d %H:%M:%S} occurred twice in {zone}: clocks were put back; read as the {which} time, "
        f"{chosen:%H:%M:%S} UTC, judging by its arrival in the store."
    )
