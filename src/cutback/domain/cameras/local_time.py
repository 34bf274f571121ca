"""From a clock on a camera's wall to the moment it meant, also in the nights when clocks are changed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SLACK = timedelta(minutes=1)
"""How far a camera's clock may be ahead of the store's."""


@dataclass(frozen=True, slots=True)
class Zones:
    """Time zones of cameras: the first whose glob fits the camera's name, else `default`."""

    default: tzinfo = UTC
    of: tuple[tuple[str, tzinfo], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Zones:
        """Read `Europe/Lisbon` or `Europe/Lisbon, bells-*=Australia/Melbourne`.

        Raises:
            ValueError: a name is not one of the time zone database, or more than one has no cameras.
        """
        defaults, special = [], []
        for part in filter(None, (part.strip() for part in text.split(","))):
            glob, found, name = part.rpartition("=")
            if found:
                special.append((glob.strip(), _zone(name.strip())))
            else:
                defaults.append(_zone(name))
        if len(defaults) > 1:
            raise ValueError("only one time zone may stand without cameras, as in Europe/Lisbon,bells-*=Asia/Tokyo")
        return cls(defaults[0] if defaults else UTC, tuple(special))

    def for_camera(self, camera: str) -> tzinfo:
        """The camera's."""
        return next((zone for glob, zone in self.of if fnmatchcase(camera, glob)), self.default)


UTC_EVERYWHERE = Zones()


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name[:100]!r} is not a time zone, such as Europe/Lisbon or UTC") from None


def moment_of(local: datetime, zone: tzinfo, *, length: timedelta, stored_at: datetime) -> tuple[datetime, str]:
    """The moment that a clock in `zone` meant by `local`, and a note where it could mean two, or none.

    An hour that comes twice, in autumn, is the one from which a recording of this `length` ends nearest before the
    store got it. One that is left out, in spring, is read as if the clock had not been put forward.
    """
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first, ""
    if first > second:  # a gap: the offset of before leads to the later moment
        return first, (
            f"{local:%Y-%m-%d %H:%M:%S} does not exist in {zone}: clocks were put forward; "
            f"taken for {first:%Y-%m-%d %H:%M:%S} UTC."
        )
    chosen = second if second + length <= stored_at + SLACK else first
    which = "second" if chosen is second else "first"
    return chosen, (
        f"{local:%Y-%m-%d %H:%M:%S} came twice in {zone}: clocks were put back; taken for the {which} time, "
        f"{chosen:%H:%M:%S} UTC, by when the store got it."
    )
