"""The edits of a job, done one after the other. What Cutback can do to a clip is in `steps/`, a file for each edit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from cutback.cutting.codecs.encoder import usual_rate
from cutback.cutting.edit_value import Edit
from cutback.cutting.edits import steps
from cutback.cutting.edits.assets import Assets
from cutback.cutting.edits.clip_time import ClipTime
from cutback.cutting.edits.edited_pictures import EditedPictures
from cutback.cutting.edits.graph import GraphsInUse
from cutback.cutting.edits.inset_footage import InsetFootage
from cutback.cutting.edits.interpolation import check_interpolation
from cutback.cutting.edits.job_fonts import fonts_of
from cutback.cutting.edits.kept_channels import channels_of
from cutback.cutting.edits.kept_shape import keeping_shape
from cutback.cutting.edits.overlay import Overlays
from cutback.cutting.edits.sound_stream import Sound, Volume, silence
from cutback.cutting.edits.step import EditStep, PaintedClip
from cutback.cutting.edits.subtitles import Cue, stacked
from cutback.cutting.index import TrackName, layout_of
from cutback.cutting.job import ByteSource, CutJob
from cutback.cutting.plan.changed_parts import ChangedPart, DrawnSpan
from cutback.cutting.plan.crossfades import Crossfade
from cutback.cutting.plan.pieces import Located, has_pictures, languages
from cutback.cutting.plan.retiming import Retiming
from cutback.domain.errors import EditImpossibleError
from cutback.domain.subclasses import subclasses_in
from cutback.domain.times import FRAME_TOLERANCE, format_seconds

if TYPE_CHECKING:
    from cutback.cutting.edits.fonts import FontSet

STEPS: Mapping[type[Edit], EditStep[Any]] = {
    step.edit: step() for step in subclasses_in(steps, EditStep) if "edit" in vars(step)
}
"""How each kind of edit is done: what the modules of `steps/` define."""


def prepare(job: CutJob) -> None:
    """Read what a job's edits need from files. Called before the child gives up its rights."""
    for edit in job.edits:
        STEPS[type(edit)].prepare(edit, job)


class Pipeline:
    """The edits of one job, with their steps."""

    def __init__(
        self,
        job: CutJob,
        pieces: Sequence[Located],
        sources: Sequence[ByteSource],
        crossfades: Sequence[Crossfade] = (),
    ) -> None:
        """`pieces` are the ranges of the job as they were found in its recordings, `sources` all that it may read.

        Raises:
            EditImpossibleError: an edit does not fit the clip.
            MediaUnsupportedError: some of the recordings have video, others do not.
        """
        self._steps = [(edit, STEPS[type(edit)]) for edit in job.edits]
        self._assets = Assets(job, sources)
        self._insets = InsetFootage(job, sources)
        self._job = job
        self._check_pictures(pieces)
        repeated = False
        for edit, step in self._steps:
            shown = step.pieces(edit, pieces, ClipTime(pieces, job))
            if crossfades and len(shown) != len(pieces):
                raise EditImpossibleError(
                    f"{edit.kind}: ranges that overlap in a crossfade cannot be shown several times."
                )
            repeated = repeated or len(shown) > len(pieces)
            pieces = shown
        self.pieces = list(pieces)
        """The ranges of the clip, as often as they are shown."""
        self._crossfades = crossfades
        self.time = ClipTime(pieces, job)
        concerned = [step.concerns(edit, pieces) for edit, step in self._steps]
        self._unneeded = [step.unneeded for (_, step), does in zip(self._steps, concerned, strict=True) if not does]
        self._steps = [each for each, does in zip(self._steps, concerned, strict=True) if does]
        kept = keeping_shape(self._steps, pieces) | self._keeping_channels(pieces)
        self._unneeded += kept.values()
        self._steps = [(edit, step) for edit, step in self._steps if edit not in kept]
        self.retiming = self._retiming(pieces)
        """The clip's speeds; None if they stay."""
        if (self.retiming is not None or repeated) and self.length > job.limits.duration:
            raise EditImpossibleError(f"The clip would be longer than {job.limits.duration} s.")
        self._check_gaps(pieces)

    def _keeping_channels(self, pieces: Sequence[Located]) -> dict[Edit, str]:
        """Return the edits that leave the channels of all sound as they are, and what they say."""
        keeping = {edit: channels for edit, step in self._steps if (channels := step.keeps_channels(edit)) is not None}
        if not keeping or self.silent([]) or self.replaces_sound:
            return {}
        found = channels_of(pieces, self.heard(languages(pieces)))
        return {
            edit: f"{edit.kind}: nothing to do, because the sound is {layout_of(channels)}"
            for edit, channels in keeping.items()
            if found == {channels}
        }

    def _check_pictures(self, pieces: Sequence[Located]) -> None:
        """Refuse edits of pictures if there are none: they would change nothing."""
        if has_pictures(pieces):
            return
        for edit, step in self._steps:
            if step.needs_pictures(edit):
                raise EditImpossibleError(f"{edit.kind}: the clip has no pictures.")

    def _check_gaps(self, pieces: Sequence[Located]) -> None:
        """Refuse to paint on filled gaps: they repeat one group of pictures."""
        at = Fraction(0)
        for _, _, piece in pieces:
            begins, at = at, at + piece.duration
            if piece.fill is None:
                continue
            for edit, step in self._steps:
                if step.moves(edit):
                    raise EditImpossibleError(f"{edit.kind}: a part that moves would be on a filled gap.")
            for part in self._changed(self.pictures(), whole_clip=False):
                if part.start is not None and part.end is not None and part.start < at and part.end > begins:
                    raise EditImpossibleError(f"{part.reason.partition(': ')[2]}: it would be on a filled gap.")

    def _retiming(self, pieces: Sequence[Located]) -> Retiming | None:
        if not self._steps:
            return None
        track = pieces[0][0].index.video
        rate = None if track is None else usual_rate(track)
        made = ((edit.kind, step.retiming(edit, self.time, rate)) for edit, step in self._steps)
        name, found = next(((name, retiming) for name, retiming in made if retiming is not None), ("", None))
        if self._crossfades and found is not None and found.backwards:
            raise EditImpossibleError(f"{name}: ranges that overlap in a crossfade cannot be shown backwards.")
        chooses = found is not None and (found.backwards or any(leg.period is not None for leg in found.legs))
        if chooses and (track is None or any(piece.fill is not None for _, _, piece in pieces)):
            what = "has no pictures" if track is None else "fills gaps; leave them out (skip)"
            raise EditImpossibleError(f"{name}: frames cannot be chosen, because the clip {what}.")
        if found is not None and track is not None:
            check_interpolation(name, found, track, self._job.limits.interpolated_pixels)
        return found

    def finished(self, cut: Fraction) -> Fraction:
        """Convert a time in cut time to finished time."""
        return cut if self.retiming is None else self.retiming.finished(cut)

    @property
    def length(self) -> Fraction:
        """Seconds of the finished clip."""
        return self.time.duration if self.retiming is None else self.retiming.length

    def pictures(self) -> EditedPictures:
        """Return what is done to the pictures."""
        return EditedPictures(self._steps, self._scene(), self._crossfades, self.pieces)

    @property
    def poster(self) -> Fraction | None:
        """When the finished clip shows the picture that an edit makes its poster, in seconds; None if none does."""
        points = ((edit.kind, step.poster(edit)) for edit, step in self._steps)
        return next((self._scene().shown(point, name).finished for name, point in points if point is not None), None)

    def _scene(self) -> PaintedClip:
        return PaintedClip(
            self.time,
            self.retiming,
            self.length,
            Overlays(),
            GraphsInUse(),
            self._assets,
            self._insets,
            self._fonts,
            self._job.limits.subtitles,
        )

    def subtitles(self) -> list[Cue]:
        """Return what overlays show as subtitles, in order.

        Raises:
            EditImpossibleError: they show too much at once.
        """
        scene, most = self._scene(), self._job.limits.subtitles
        overlays, count = [], 0
        for edit, step in self._steps:
            overlays.append(cues := step.cues(edit, scene))
            count += len(cues)
            if count > most:
                raise EditImpossibleError(f"{edit.kind}: the clip would have more than {most} subtitles.")
        return stacked(overlays)

    def _fonts(self) -> FontSet:
        return fonts_of(self._job)

    def changed(self) -> tuple[ChangedPart, ...]:
        """Return the parts of the clip whose pictures are re-encoded, and why."""
        return self._changed(self.pictures())

    def _changed(self, pictures: EditedPictures, *, whole_clip: bool = True) -> tuple[ChangedPart, ...]:
        parts = [
            ChangedPart(
                min(self._cut(part.start), self.time.duration - 2 * FRAME_TOLERANCE),  # the last picture may be held
                self._cut(part.end),
                f"edited: {edit.kind}",
                DrawnSpan(part.start, part.end, step.progresses(edit)),
            )
            for edit, step, painted in pictures.painted
            for part in painted
            if whole_clip or not step.whole_clip
        ]
        parts += [ChangedPart(each.start, each.end, "joined: crossfade") for each in self._crossfades]
        if pictures.shapes:
            names = [edit.kind for edit, step in self._steps if step.shapes(edit)]
            parts.append(ChangedPart(None, None, f"edited: {', '.join(names)}"))
        return tuple(parts)

    def _cut(self, finished: Fraction) -> Fraction:
        return finished if self.retiming is None else self.retiming.cut(finished)

    def described(self) -> Iterator[str]:
        """Say what crossfades, changes of speed and painting do."""
        yield from self._unneeded
        for crossfade in self._crossfades:
            yield f"crossfade: {format_seconds(crossfade.duration, 3)} s at {format_seconds(crossfade.start, 3)} s"
        for edit, step in self._steps:
            if words := step.described(edit):
                yield words
            if self.retiming is not None and (words := step.words(edit, self.retiming)):
                yield words

    @property
    def makes_sdr(self) -> bool:
        """Whether all pictures become SDR, so that nothing else converts their dynamic range."""
        return any(step.makes_sdr for _, step in self._steps)

    def announced(self) -> Iterator[str]:
        """Say what a plan does not show otherwise: which edits do nothing, and that HDR becomes SDR."""
        yield from self._unneeded
        yield from (step.described(edit) for edit, step in self._steps if step.makes_sdr)

    def silent(self, said: list[str]) -> bool:
        """Whether the clip has no sound; say in `said` what leaves it out."""
        muting = [step for edit, step in self._steps if step.drops_sound(edit)]
        said += [step.without_sound for step in muting if step.without_sound]
        return bool(muting)

    def heard(self, languages: Sequence[Sequence[str]]) -> Sequence[TrackName]:
        """Return the audio tracks that the clip has. `languages` are those of the tracks of each range.

        Raises:
            EditImpossibleError: there is no such track.
        """
        for edit, step in self._steps:
            if (chosen := step.chosen_track(edit, languages)) is not None:
                return (chosen,)
        return range(max(map(len, languages)))

    def without_effect(self, heard: Sequence[TrackName]) -> Iterator[str]:
        """Say which edits of sound do nothing, because the clip has none. `heard` are its audio tracks."""
        if heard or any(step.added_track(edit, self._assets) is not None for edit, step in self._steps):
            return
        for edit, step in self._steps:
            if step.needs_sound:
                yield f"{edit.kind}: the clip has no sound"

    @property
    def change_sound(self) -> bool:
        """Whether the sound must be decoded, changed and encoded."""
        return any(step.changes_sound for _, step in self._steps)

    @property
    def volume(self) -> Volume | None:
        """How loud the sound is, if edits change nothing else of it; None if all of it must be encoded."""
        changing = [(edit, step) for edit, step in self._steps if step.changes_sound]
        if len(changing) != 1 or self.retiming is not None:
            return None
        [(edit, step)] = changing
        return step.volume(edit, self.time.duration)

    @property
    def replaces_sound(self) -> bool:
        """Whether nothing is heard of the recordings' own sound."""
        return any(step.replaces_sound(edit) for edit, step in self._steps)

    def added_sound(self, length: Fraction) -> Sound | None:
        """Return the silence to which edits add a track if nothing is heard of the recordings; None if they add none.

        `length` is that of the finished clip, in seconds.

        Raises:
            EditImpossibleError: the track cannot be read.
        """
        tracks = (step.added_track(edit, self._assets) for edit, step in self._steps)
        track = next((each for each in tracks if each is not None), None)
        if track is None:
            return None
        rate, layout = track.rate, track.layout
        return Sound(rate, layout, length, lambda: silence(round(length * rate), rate, layout))

    def check_sound(self, layout: str) -> None:
        """Check that the edits can be done to sound with these channels.

        Raises:
            EditImpossibleError: one cannot.
        """
        for edit, step in self._steps:
            step.check_sound(edit, layout)

    def sound(self, sound: Sound, said: list[str], *, added: bool = False) -> Sound:
        """Return what the edits make of an audio track, to its end; say in `said` what was done.

        If `added`, it is `added_sound`, which has the length of the finished clip.

        Raises:
            EditImpossibleError: an edit cannot be done to it.
        """
        self.check_sound(sound.layout)
        scene = self._scene()
        for edit, step in self._steps:
            if not (added and step.changes_length):
                sound = step.sound(edit, sound, scene, said)
        return sound
