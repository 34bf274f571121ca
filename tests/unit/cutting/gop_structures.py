"""Random recordings as indexes show them, together with what an index does not show: references between pictures."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from cutback.cutting.codecs.codec import Entry
from cutback.cutting.index import Description, Index, Track, presented_order

FOREVER = 2**62
TIMESCALE = 90_000
SOUND_RATE = 48_000


@dataclass
class Picture:
    """A coded picture, known to the test in full."""

    refers: frozenset[int]
    """Samples it is predicted from."""
    place: int
    """Its place in the order of presentation, hidden ones counted."""
    keyframe: bool = False
    anchor: bool = False
    """A keyframe or a P picture: others are presented before it that are decoded after it."""
    leads: bool = False
    """Decoded after its group's keyframe and presented before it."""


@dataclass(repr=False)
class Recording:
    """A track and the truth about it."""

    pictures: list[Picture]
    track: Track
    entries: dict[int, Entry]
    """How copying may begin at each keyframe."""
    runs_ahead: bool = False
    """Whether decoding is more than one P picture ahead of presentation."""
    asked: list[int] = field(default_factory=list)

    def __repr__(self) -> str:
        """For hypothesis: in decoding order, each picture's place and, for keyframes, how they may be entered."""
        about = [f"{self.entries[n]}@{p.place}" if p.keyframe else str(p.place) for n, p in enumerate(self.pictures)]
        ticks = [self.track.pts[n] for n in self.track.order]
        return f"Recording({' '.join(about)}; presented at {ticks}, window {self.track.window})"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - as hypothesis calls it
        printer.text(repr(self))

    def entry_at(self, sample: int) -> Entry:
        """For `plan_video`."""
        self.asked.append(sample)
        return self.entries[sample]

    def needed(self, samples: set[int]) -> set[int]:
        """These samples and all that they are predicted from, directly or not."""
        found: set[int] = set()
        left = list(samples)
        while left:
            sample = left.pop()
            if sample not in found:
                found.add(sample)
                left += self.pictures[sample].refers
        return found

    @property
    def frames(self) -> int:
        """How many are presented."""
        return len(self.track.order)


class Builder:
    """Puts pictures together in decoding order."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self.anchors: list[int] = []
        """Of the group at hand, oldest first."""
        self._next = 0

    def keyframe(self, leading: int, *, tree: bool, references: int, radl: bool) -> None:
        """A group's first picture, with pictures presented before it where the group is open (or RADL)."""
        before = [] if radl else self.anchors[-references:]
        sample = len(self.pictures)
        self.pictures.append(Picture(frozenset(), self._next + leading, keyframe=True, anchor=True))
        self._between(self._next, leading, before, sample, tree=tree, leads=True)
        self._next += leading + 1
        self.anchors = [sample]

    def mini_gop(self, between: int, *, tree: bool, references: int) -> None:
        """A P picture and the B pictures presented before it."""
        before = self.anchors[-references:]
        sample = len(self.pictures)
        self.pictures.append(Picture(frozenset(before), self._next + between, anchor=True))
        self._between(self._next, between, before, sample, tree=tree, leads=False)
        self._next += between + 1
        self.anchors.append(sample)

    def runs_ahead(self, between: int, then: int, *, tree: bool, references: int) -> None:
        """Two P pictures, and only then what is presented before either: B pictures may refer to both."""
        before = self.anchors[-references:]
        near = len(self.pictures)
        self.pictures.append(Picture(frozenset(before), self._next + between, anchor=True))
        self.pictures.append(Picture(frozenset([near]), self._next + between + 1 + then, anchor=True))
        self._between(self._next, between, [*before, near], near + 1, tree=tree, leads=False)
        self._between(self._next + between + 1, then, [near], near + 1, tree=tree, leads=False)
        self._next += between + then + 2
        self.anchors += [near, near + 1]

    def _between(self, first: int, count: int, before: list[int], behind: int, *, tree: bool, leads: bool) -> None:
        """B pictures at places [first, first + count): in a row, or as a pyramid."""
        if not count:
            return
        middle = count // 2 if tree else 0
        sample = len(self.pictures)
        self.pictures.append(Picture(frozenset([*before, behind]), first + middle, leads=leads))
        if tree:
            self._between(first, middle, before, sample, tree=True, leads=leads)
            self._between(first + middle + 1, count - middle - 1, [sample], behind, tree=True, leads=leads)
        else:
            self._between(first + 1, count - 1, before, behind, tree=False, leads=leads)


@st.composite
def recordings(draw: st.DrawFn, *, everything_shown: bool = False) -> Recording:
    """A recording of up to a few dozen pictures; its frames are at least 5 ms apart."""
    builder = Builder()
    references = draw(st.integers(1, 4))
    tree, ahead = draw(st.booleans()), draw(st.integers(0, 3)) == 0
    for number in range(draw(st.integers(1, 6))):
        radl = number > 0 and draw(st.integers(0, 9)) == 0
        leading = draw(st.integers(0, 7)) if radl or (number and draw(st.booleans())) else 0
        builder.keyframe(leading, tree=tree, references=references, radl=radl)
        for between in draw(st.lists(st.integers(0, 7), max_size=4)):  # none: a lone frame
            if ahead:
                builder.runs_ahead(between, draw(st.integers(0, 3)), tree=tree, references=references)
            else:
                builder.mini_gop(between, tree=tree, references=references)
    pictures = builder.pictures
    steps = _durations(draw, len(pictures))
    origin = draw(st.integers(-20_000, 200_000))
    times = [origin + sum(steps[:place]) for place in range(len(pictures))]
    hidden = 0 if everything_shown else draw(st.integers(0, min(5, len(pictures) - 1)))
    cut_off = 0 if everything_shown else draw(st.integers(0, min(3, len(pictures) - 1 - hidden)))
    window = (times[hidden], times[len(pictures) - cut_off] if cut_off else FOREVER)
    track = make_track(pictures, times, steps[-1], window)
    kinds: list[Entry] = ["clean", "open", "open", "none"]
    return Recording(pictures, track, {sample: draw(st.sampled_from(kinds)) for sample in track.sync}, ahead)


def _durations(draw: st.DrawFn, count: int) -> list[int]:
    """Ticks of each frame, in the order of presentation: of one rate, or varying."""
    if draw(st.booleans()):
        return [draw(st.sampled_from([3000, 3003, 1500, 3750, 9000]))] * count
    return draw(st.lists(st.integers(450, 20_000), min_size=count, max_size=count))


def make_track(pictures: list[Picture], times: list[int], last: int, window: tuple[int, int]) -> Track:
    """The index of pictures that are presented at `times`, as a container would have it."""
    pts = array("q", (times[picture.place] for picture in pictures))
    delay = max(n - picture.place for n, picture in enumerate(pictures)) + 8
    earliest = [times[0] - 3000 * n for n in range(delay, 0, -1)] + times
    order = presented_order(pts, window)
    shift = -Fraction(pts[order[0]], TIMESCALE)
    end = min(pts[order[-1]] + last, window[1])
    return Track(
        id=1,
        kind="video",
        descriptions=(Description("h264", b"entry", b"avcC", 64, 36),),
        timescale=TIMESCALE,
        dts=array("q", earliest[: len(pictures)]),
        pts=pts,
        sizes=array("I", (9000 if picture.keyframe else 700 for picture in pictures)),
        offsets=array("q", (10_000 * n for n in range(len(pictures)))),
        last_duration=last,
        sync=array("I", (n for n, picture in enumerate(pictures) if picture.keyframe)),
        described=((0, 0),),
        shift=shift,
        window=window,
        start=Fraction(0),
        end=Fraction(end, TIMESCALE) + shift,
        frames=len(order),
        order=order,
    )


def make_sound(start: Fraction, end: Fraction) -> Track:
    """A sound track; its packets do not matter where pictures are planned."""
    count = max(1, int((end - start) * SOUND_RATE / 1024))
    ticks = array("q", range(0, count * 1024, 1024))
    return Track(
        id=2,
        kind="audio",
        descriptions=(Description("aac", b"entry", b"\x11\x90", sample_rate=SOUND_RATE, channels=2),),
        timescale=SOUND_RATE,
        dts=ticks,
        pts=ticks,
        sizes=array("I", [300] * count),
        offsets=ticks,
        last_duration=1024,
        sync=array("I", range(count)),
        described=((0, 0),),
        shift=start,
        window=(0, FOREVER),
        start=start,
        end=end,
        frames=count,
        order=array("q", range(count)),
    )


def as_index(track: Track | None, sound: Track | None = None) -> Index:
    """A recording's index of these tracks."""
    return Index("mp4", tuple(one for one in (track, sound) if one is not None))


def regular(builder: Builder) -> Recording:
    """Pictures of a thirtieth of a second, all presented, every keyframe a clean entry."""
    times = list(range(0, 3000 * len(builder.pictures), 3000))
    track = make_track(builder.pictures, times, 3000, (0, FOREVER))
    return Recording(builder.pictures, track, dict.fromkeys(track.sync, "clean"))


@st.composite
def spans(draw: st.DrawFn, recording: Recording) -> tuple[int, int]:
    """Presented frames [first, stop), at least one."""
    first = draw(st.integers(0, recording.frames - 1))
    return first, draw(st.integers(first + 1, recording.frames))
