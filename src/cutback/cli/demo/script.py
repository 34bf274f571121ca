"""What the demo asks for: a dozen requests that show what Cutback does with each kind."""

from __future__ import annotations

from collections.abc import Sequence
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
    foreseen: ClipState = ClipState.READY


WISHES = (
    Wish("first-light", "first light", ((2, 10),)),
    Wish("first-wave", "the first wave", (("00:00:12.367", "00:00:20.9"),)),
    Wish("next-wave", "the next wave overlaps it", ((17.2, 27.033),)),
    Wish("half-a-minute", "half a minute", (("00:00:15", "00:00:45"),)),
    Wish("by-frames", "by frame numbers", (({"frame": 900}, {"frame": 1050}),)),
    Wish("keyframes", "snapped to keyframes", ((40.5, 50.5),), precision="keyframe"),
    Wish("instant", "exact by the edit list", ((40.5, 50.5),), precision="instant"),
    Wish("two-waves", "two waves, joined", ((12.367, 17.2), (45.1, 49))),
    Wish("half-a-minute", "the same half again", (("00:00:15", "00:00:45"),)),
    Wish("the-end", "reaches beyond the end", ((52, 75),)),
    Wish("too-late", "lies beyond the end", ((400, 410),), foreseen=ClipState.FAILED),
)
"""What is asked of the first camera."""

LATER = (Wish("south-point", "another camera", ((30, 36.25),)),)
"""What is asked of the second camera, once its recording has been drawn."""


@dataclass(frozen=True, slots=True)
class SubmittedWish:
    """A wish, and the clip that was submitted for it."""

    wish: Wish
    recording: str
    """The key of what it is cut from."""
    clip: Clip
    again: bool
    """Whether the same had been asked for already: then it is the same clip."""

    @property
    def as_foreseen(self) -> bool:
        """Whether it ended as it should."""
        return self.clip.state is self.wish.foreseen

    def refreshed(self, services: Services) -> SubmittedWish:
        """With the clip as it stands now."""
        return replace(self, clip=services.records.get_clip(self.clip.id) or self.clip)


def next_run(services: Services) -> int:
    """The number of this run of the demo. Each has ids of its own, so there is always something to see."""
    run = 1
    while services.records.get_clip(f"{WISHES[0].name}-{run}") is not None:
        run += 1
    return run


def submit_all(services: Services, wishes: Sequence[Wish], recording: str, run: int) -> list[SubmittedWish]:
    """Ask for these wishes."""
    asked: list[SubmittedWish] = []
    for wish in wishes:
        request = validate_request(
            {
                "id": f"{wish.name}-{run}",
                # The same clip asked for twice is asked for in the same words.
                "title": next(first.title for first in wishes if first.name == wish.name),
                "tags": ["demo"],
                "source": [{"recording": recording, "start": start, "end": end} for start, end in wish.ranges],
                "output": {"precision": wish.precision},
            }
        )
        again = any(each.clip.id == request.id for each in asked)
        asked.append(SubmittedWish(wish, recording, accept.submit(services, request), again))
    return asked
