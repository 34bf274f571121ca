"""What the demo asks for: a dozen requests that show what Cutback does with each kind."""

from __future__ import annotations

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
    Wish("first-light", "first light", ((12, 24),)),
    Wish("first-wave", "the first wave", (("00:00:41.367", "00:00:53.9"),)),
    Wish("next-wave", "the next wave overlaps it", ((48.2, 61.033),)),
    Wish("a-minute", "a whole minute", (("00:01:15", "00:02:15"),)),
    Wish("by-frames", "by frame numbers", (({"frame": 2700}, {"frame": 3000}),)),
    Wish("keyframes", "snapped to keyframes", ((100.5, 115.5),), precision="keyframe"),
    Wish("instant", "exact by the edit list", ((100.5, 115.5),), precision="instant"),
    Wish("two-waves", "two waves, joined", ((41.367, 48.2), (180.1, 187))),
    Wish("a-minute", "the same minute again", (("00:01:15", "00:02:15"),)),
    Wish("gulls", "gulls go by", ((150, 156.25),)),
    Wish("the-end", "reaches beyond the end", ((285, 310),)),
    Wish("too-late", "lies beyond the end", ((400, 410),), foreseen=ClipState.FAILED),
)


@dataclass(frozen=True, slots=True)
class SubmittedWish:
    """A wish, and the clip that was submitted for it."""

    wish: Wish
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


def submit_all(services: Services, recording: str) -> list[SubmittedWish]:
    """Ask for everything. Each run of the demo has ids of its own, so there is always something to see."""
    run = 1
    while services.records.get_clip(f"{WISHES[0].name}-{run}") is not None:
        run += 1
    asked: list[SubmittedWish] = []
    for wish in WISHES:
        request = validate_request(
            {
                "id": f"{wish.name}-{run}",
                # The same clip asked for twice is asked for in the same words.
                "title": next(first.title for first in WISHES if first.name == wish.name),
                "tags": ["demo"],
                "source": [{"recording": recording, "start": start, "end": end} for start, end in wish.ranges],
                "output": {"precision": wish.precision},
            }
        )
        again = any(each.clip.id == request.id for each in asked)
        asked.append(SubmittedWish(wish, accept.submit(services, request), again))
    return asked
