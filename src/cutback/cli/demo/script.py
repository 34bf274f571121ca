"""The requests of the demo: fifteen, to show what Cutback does with each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.requests.request import validate_request
from cutback.lifecycle import accept
from cutback.services import Services


@dataclass(frozen=True, slots=True)
class Wish:
    """One request, as the demo plans it."""

    name: str
    title: str
    ranges: tuple[tuple[Any, Any], ...]
    precision: str = "exact"
    edits: tuple[Mapping[str, Any], ...] = ()
    crossfade: float = 0
    """Seconds over which each range turns into the next one."""
    camera: str = ""
    """If it asks for moments of a camera and not for parts of a recording: its name."""
    foreseen: ClipState = ClipState.READY


LOGO = "demo-logo.png"
"""The asset that one of the requests draws."""

_MINUTE = "2026-06-21T05:30:"

WISHES = (
    Wish("first-light", "first light", ((2, 10),)),
    Wish("first-wave", "the first wave", (("00:00:12.367", "00:00:20.9"),)),
    Wish("next-wave", "the next wave overlaps it", ((17.2, 27.033),)),
    Wish("half-a-minute", "half a minute", (("00:00:15", "00:00:45"),)),
    Wish("by-frames", "by frame numbers", (({"frame": 900}, {"frame": 1050}),)),
    Wish("keyframes", "extended to keyframes", ((40.5, 50.5),), precision="keyframe"),
    Wish("instant", "exact by the edit list", ((40.5, 50.5),), precision="instant"),
    Wish("two-waves", "two waves, joined", ((12.367, 17.2), (45.1, 49))),
    Wish("half-a-minute", "the same half again", (("00:00:15", "00:00:45"),)),
    Wish(
        "for-phones",
        "tall, half as fast, with the clock",
        ((f"{_MINUTE}12Z", f"{_MINUTE}16Z"),),
        camera="north-point",
        edits=(
            {"edit": "crop", "aspect": "9:16"},
            {"edit": "speed", "spans": [{"from": 1, "to": 3, "speed": 0.5}], "sound": "drop"},
            {"edit": "clock", "show": "time", "camera": False, "size": "10%", "place": "top-right"},
        ),
    ),
    Wish("timelapse", "the minute in three seconds", ((0, 60),), edits=({"edit": "timelapse", "duration": 3},)),
    Wish(
        "crossfade",
        "two rides crossfaded, with a logo",
        ((12, 16), (45, 49)),
        crossfade=0.5,
        edits=({"edit": "image", "asset": LOGO, "width": "12%", "opacity": 0.8, "from": 1, "duration": 2},),
    ),
    Wish("the-end", "extends beyond the end", ((52, 75),)),
    Wish("too-late", "is after the end", ((400, 410),), foreseen=ClipState.FAILED),
)
"""The requests for the first camera."""

LATER = (Wish("south-point", "another camera", ((45, 51.25),)),)
"""The requests for the second camera, once its recording is drawn."""


@dataclass(frozen=True, slots=True)
class SubmittedWish:
    """A planned request, and the clip that was submitted for it."""

    wish: Wish
    recording: str
    """The key of the recording that it is cut from."""
    clip: Clip
    again: bool
    """Whether the same request was sent before, so that it is the same clip."""

    @property
    def as_foreseen(self) -> bool:
        """Whether it ended as expected."""
        return self.clip.state is self.wish.foreseen

    def refreshed(self, services: Services) -> SubmittedWish:
        """Return it with the clip's current record."""
        return replace(self, clip=services.records.get_clip(self.clip.id) or self.clip)


def next_run(services: Services) -> int:
    """Return the number of this run of the demo. Each run uses its own ids, so there is always something to see."""
    run = 1
    while services.records.get_clip(f"{WISHES[0].name}-{run}") is not None:
        run += 1
    return run


def _source(wish: Wish, recording: str) -> list[dict[str, Any]]:
    if wish.camera:
        return [{"camera": wish.camera, "from": begin, "to": end} for begin, end in wish.ranges]
    parts: list[dict[str, Any]] = [{"recording": recording, "start": start, "end": end} for start, end in wish.ranges]
    if wish.crossfade:
        for part in parts[1:]:
            part["join"] = {"crossfade": wish.crossfade}
    return parts


def submit_all(
    services: Services, wishes: Sequence[Wish], recording: str, run: int, *, kept: bool = False
) -> list[SubmittedWish]:
    """Submit these requests.

    With `kept`, clips that this run has already requested stay as they are, and deleted ones are left out.
    """
    asked: list[SubmittedWish] = []
    for wish in wishes:
        request = validate_request(
            {
                "id": f"{wish.name}-{run}",
                # Submitting the same clip twice needs exactly the same request.
                "title": next(first.title for first in wishes if first.name == wish.name),
                "tags": ["demo"],
                "source": _source(wish, recording),
                "edits": list(wish.edits),
                "output": {"precision": wish.precision},
            }
        )
        again = any(each.clip.id == request.id for each in asked)
        clip = services.records.get_clip(request.stored_id) if kept else None
        if clip is None:
            clip = accept.submit(services, request)
        if clip.delete_at is None:
            asked.append(SubmittedWish(wish, recording, clip, again))
    return asked
