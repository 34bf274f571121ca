"""A still of a moment, after all edits."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import islice

from cutback.cutting.edit_values.colour import Denoise
from cutback.cutting.edit_values.deinterlace import Deinterlace
from cutback.cutting.output_values import StillValue
from cutback.cutting.outputs.format import Format, Made, PlannedOutput, Workbench
from cutback.cutting.outputs.image_file import ImageKind, image_of
from cutback.cutting.outputs.made import MadeOutput, OutputFile
from cutback.cutting.outputs.planned import planned_still, scratch
from cutback.cutting.outputs.played import PlayedClip
from cutback.cutting.posters.still import Still
from cutback.domain.errors import MediaUnreadableError, OutputImpossibleError
from cutback.domain.measures import Point

_EXTENSIONS = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}

_AROUND = 16
"""Frames on either side of one that some edits compare it with."""


class StillFormat(Format[StillValue]):
    """One picture of the clip."""

    plays = "nothing"

    def __init__(self, kind: ImageKind) -> None:
        """`kind` is how it is encoded."""
        self._kind = kind
        self._name = "a WebP" if kind == "webp" else f"a {kind.upper()}"
        self.extension = _EXTENSIONS[kind]  # type: ignore[misc]

    def make(self, value: StillValue, name: str, bench: Workbench) -> Made:
        """See `Format.make`."""
        return bench.retried(lambda: self._drawn(value, PlayedClip(bench), name, bench))

    def plan(self, value: StillValue, bench: Workbench) -> PlannedOutput:
        """See `Format.plan`. The still itself is made: it takes as long as an estimate."""
        return bench.retried(lambda: self._planned(value, PlayedClip(bench), scratch(bench)))

    def _planned(self, value: StillValue, clip: PlayedClip, bench: Workbench) -> PlannedOutput:
        made = self._drawn(value, clip, "still", bench).output.facts
        number = clip.number_at(value.at)
        return planned_still(bench, clip.bytes_read(number, number + 1), made)

    def _drawn(self, value: StillValue, clip: PlayedClip, name: str, bench: Workbench) -> Made:
        still = _shown_at(value.at, clip, bench)
        image = image_of(still, self._kind, value.width)
        facts = clip.facts(size=len(image.data), width=image.width, height=image.height, frames=1, drawn_as=self._name)
        file = OutputFile(self.file_name(name), (bench.stored(image.data),))
        return Made(MadeOutput(name, replace(facts, duration=Fraction(0)), (file,)), still)


def _shown_at(point: Point, clip: PlayedClip, bench: Workbench) -> Still:
    if not clip.times:
        raise OutputImpossibleError("The clip has no pictures; choose a format of sound, such as m4a.")
    number = clip.number_at(point)
    around = _AROUND if any(isinstance(edit, Deinterlace | Denoise) for edit in bench.job.edits) else 0
    first = max(0, number - around)
    pictures = clip.pictures(first, number + around + 1)
    picture = next(islice(pictures, number - first, None), None)
    if picture is None:
        raise MediaUnreadableError("A picture that the clip shows cannot be decoded.")
    for _ in pictures:
        pass  # then the clip knows what its edits did
    return picture.still
