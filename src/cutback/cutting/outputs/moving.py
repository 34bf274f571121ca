"""GIF and animated WebP, after all edits."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Literal

from cutback.cutting.job import CutProgress
from cutback.cutting.mp4.layout import Extent
from cutback.cutting.output_values import Gif, StillValue, Webp
from cutback.cutting.outputs.animation import AnimationFrames, kept, write_gif, write_webp
from cutback.cutting.outputs.animation_tries import MOST_TRIES, AnimationSettings, smaller
from cutback.cutting.outputs.format import Format, Made, PlannedOutput, Workbench
from cutback.cutting.outputs.image_file import OF_PNG
from cutback.cutting.outputs.made import MadeOutput, OutputFile
from cutback.cutting.outputs.pacing import Paced, paced
from cutback.cutting.outputs.planned import planned_pictures, scratch
from cutback.cutting.outputs.played import PlayedClip
from cutback.cutting.outputs.still import StillFormat
from cutback.cutting.posters.still import Still
from cutback.domain.errors import MediaTooLargeError, OutputImpossibleError

_MOST_PIXELS = 150_000_000
"""Of all frames together: they are kept as they are until the animation is finished, with three bytes for a pixel."""

_WIDTH = 480
"""Pixels of an animated WebP, if the request does not say."""

_SAMPLED = 10
"""Frames that are encoded for a plan."""


class AnimationFormat(Format[Gif | Webp]):
    """Moving pictures without sound."""

    plays = "nothing"

    def __init__(self, kind: Literal["gif", "webp"]) -> None:
        """`kind` is also its extension."""
        self._kind = kind
        self._name = "a GIF" if kind == "gif" else "a WebP"
        self.extension = f".{kind}"  # type: ignore[misc]

    def make(self, value: Gif | Webp, name: str, bench: Workbench) -> Made:
        """See `Format.make`."""
        if isinstance(value, Webp) and value.at is not None:
            return StillFormat("webp").make(StillValue(value.at, value.width), name, bench)
        return bench.retried(lambda: self._drawn(value, PlayedClip(bench), name, bench))

    def plan(self, value: Gif | Webp, bench: Workbench) -> PlannedOutput:
        """See `Format.plan`. Some frames are encoded: their size tells that of the others."""
        if isinstance(value, Webp) and value.at is not None:
            return StillFormat("webp").plan(StillValue(value.at, value.width), bench)
        return bench.retried(lambda: self._planned(value, PlayedClip(bench), scratch(bench)))

    def _planned(self, value: Gif | Webp, clip: PlayedClip, bench: Workbench) -> PlannedOutput:
        if not clip.times:
            raise OutputImpossibleError("The clip has no pictures; choose a format of sound, such as m4a.")
        chosen = paced(clip.times, clip.duration, Fraction(value.fps))
        place = max(0, len(chosen) // 2 - _SAMPLED // 2)
        frames, _ = _frames(clip, value.width or _WIDTH, chosen, bench, range(place, place + _SAMPLED))
        settings = AnimationSettings(frames.width, Fraction(value.fps))
        only = frames.slower(frames.paced[:1])
        first, some = (self._written(each, settings, 0, bench)[0].length for each in (only, frames))
        more = Fraction(some - first, max(1, len(frames.offsets) - 1))
        size = round(first + more * (len(chosen) - 1))
        if value.max_size is not None:
            size = min(size, value.max_size)
        return planned_pictures(bench, len(chosen), size, self._name)

    def _drawn(self, value: Gif | Webp, clip: PlayedClip, name: str, bench: Workbench) -> Made:
        width = value.width or _WIDTH
        frames, still = _frames(clip, width, paced(clip.times, clip.duration, Fraction(value.fps)), bench)
        settings = AnimationSettings(frames.width, Fraction(value.fps))
        tries, begins = 1, bench.spool.size
        extent, size, count = self._written(frames, settings, value.loop, bench)
        while value.max_size is not None and extent.length > value.max_size:
            worse = smaller(settings, extent.length, value.max_size, palette=self._kind == "gif")
            if worse is None or tries == MOST_TRIES:
                had = f"{extent.length:,} bytes instead of {value.max_size:,}"
                raise OutputImpossibleError(f"max_size: the smallest of {tries} tries has {had}.")
            settings, tries = worse, tries + 1
            bench.spool.truncate(begins)
            extent, size, count = self._written(frames, settings, value.loop, bench)
        facts = clip.facts(size=extent.length, width=size[0], height=size[1], frames=count, drawn_as=self._name)
        if tries > 1:
            facts = replace(facts, notes=(*facts.notes, self._chosen(settings, size, tries)))
        return Made(MadeOutput(name, facts, (OutputFile(self.file_name(name), (extent,)),)), still)

    def _written(
        self, frames: AnimationFrames, settings: AnimationSettings, loop: int, bench: Workbench
    ) -> tuple[Extent, tuple[int, int], int]:
        size = settings.width, max(1, round(Fraction(frames.height * settings.width, frames.width)))
        chosen = frames.slower(paced([frame.at for frame in frames.paced], frames.end, settings.fps))

        def alive() -> None:
            bench.progress(CutProgress(1.0, len(frames.offsets)))

        if self._kind == "gif":
            dither: Literal["diffusion", "pattern"] = "diffusion" if settings.colours == 256 else "pattern"
            colours = settings.colours
            extent = write_gif(chosen, bench.spool, size=size, colours=colours, dither=dither, loop=loop, alive=alive)
        else:
            extent = write_webp(chosen, bench.spool, size=size, quality=settings.quality, loop=loop, alive=alive)
        return extent, size, len(chosen.offsets)

    def _chosen(self, settings: AnimationSettings, size: tuple[int, int], tries: int) -> str:
        look = f"{settings.colours} colours" if self._kind == "gif" else f"quality {settings.quality}"
        width, height = size
        return (
            f"To keep max_size: {width}×{height} pixels, {float(settings.fps):g} frames per second, {look}, "
            f"after {tries} tries."
        )


def _frames(
    clip: PlayedClip, width: int, chosen: list[Paced], bench: Workbench, places: range | None = None
) -> tuple[AnimationFrames, Still]:
    """Keep the frames of an animation in the spool; also return the one for the posters.

    That is the one that an edit makes the poster, or the one in the middle.

    With `places`, only those of the chosen frames are kept.
    """
    if not clip.times:
        raise OutputImpossibleError("The clip has no pictures; choose a format of sound, such as m4a.")
    kept_ones = chosen if places is None else chosen[places.start : places.stop]
    wanted = {frame.frame for frame in kept_ones}
    first, last = kept_ones[0].frame, kept_ones[-1].frame
    middle = kept_ones[len(kept_ones) // 2].frame
    if (wanted_poster := clip.poster) is not None:
        middle = min(wanted, key=lambda frame: abs(frame - wanted_poster))
    size: tuple[int, int] | None = None
    poster: Still | None = None
    offsets: list[int] = []
    for number, picture in enumerate(clip.pictures(first, last + 1), first):
        if number not in wanted:
            continue
        still = picture.still
        if size is None:
            size = still.size_within(width)
            if size[0] * size[1] * len(chosen) > _MOST_PIXELS:
                raise MediaTooLargeError(
                    f"An animation of {len(chosen)} frames of {size[0]}×{size[1]} pixels is too large; "
                    "ask for a lower width or fps."
                )
        if number == middle:
            poster = still
        offsets.append(kept(still.exactly(*size, OF_PNG), bench.spool))
        bench.progress(CutProgress(number / len(clip.times), len(offsets)))
    assert size is not None
    assert poster is not None
    begins = Fraction(0) if places is None else kept_ones[0].at
    frames = tuple(Paced(place, frame.at - begins) for place, frame in enumerate(kept_ones))
    following = chosen[places.stop].at if places is not None and places.stop < len(chosen) else clip.duration
    return AnimationFrames(*size, tuple(offsets), frames, following - begins), poster
