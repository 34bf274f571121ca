"""`speed`: shows the clip, or parts of it, faster or slower.

All frames are kept and get other times, which re-encodes nothing, up to 60 frames a second. Above, frames are chosen at
the recording's own rate, and encoded. So are those of slow motion that shows something between frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import av

from cutback.cutting.edit_values.time import Speed
from cutback.cutting.edits.clip_time import ClipTime
from cutback.cutting.edits.graph import Filter, sound_through
from cutback.cutting.edits.sound_stream import Sound, SoundReader, exactly, silence
from cutback.cutting.edits.step import EditStep, PaintedClip
from cutback.cutting.plan.pieces import Located
from cutback.cutting.plan.plan import Between
from cutback.cutting.plan.retiming import Leg, Retiming
from cutback.domain.errors import EditImpossibleError
from cutback.domain.times import format_seconds

MOST_FPS = 60
"""Frames a second above which some are left out."""

_SLOWEST_SOUND, _FASTEST_SOUND = Fraction(1, 2), Fraction(4)
"""Speeds outside of these drop the sound, unless the request says otherwise."""

_RAMP_STEPS = 16
"""Parts of a ramp, each with one speed."""

_CHOSEN = {
    "left out": "some frames are left out",
    "blend": "pictures between frames are blended",
    "interpolate": "pictures between frames are interpolated",
}

_LEAST_TEMPO, _MOST_TEMPO = Fraction(1, 2), Fraction(100)
"""What FFmpeg's atempo takes."""


class SpeedStep(EditStep[Speed]):
    """Changes the times of frames, and stretches the sound."""

    edit = Speed
    changes_sound = True
    changes_length = True
    unneeded = "speed: nothing to do, because 1 is the speed of the recording"

    def concerns(self, edit: Speed, pieces: Sequence[Located]) -> bool:
        """See `EditStep`."""
        del pieces
        speeds = [span.speed for span in edit.spans] if edit.speed is None else [edit.speed]
        return any(speed != 1 for speed in speeds)

    def drops_sound(self, edit: Speed) -> bool:
        """See `EditStep`."""
        return edit.speed is not None and _way(edit, edit.speed) == "drop"

    def retiming(self, edit: Speed, time: ClipTime, rate: Fraction | None) -> Retiming:
        """See `EditStep`."""
        spans = [(Fraction(0), time.duration, edit.speed)] if edit.speed is not None else _spans(edit, time)
        legs: list[Leg] = []
        at, finished = Fraction(0), Fraction(0)
        for start, end, speed in [*spans, (time.duration, time.duration, Fraction(1))]:
            for low, high, pace in ((at, start, Fraction(1)), (start, end, speed)):
                if low < high:
                    legs.append(Leg(low, high, finished, pace))
            at = end
        if edit.ramp:
            legs = ramped(legs, edit.ramp)
        placed: list[Leg] = []
        for leg in legs:
            made = _leg(leg.start, leg.end, finished, leg.speed, rate, edit.between)
            placed.append(replace(made, ramp=leg.ramp))
            finished = made.ends
        return Retiming(tuple(placed))

    def sound(self, edit: Speed, sound: Sound, scene: PaintedClip, said: list[str]) -> Sound:
        """See `EditStep`."""
        del said
        assert scene.retiming is not None
        legs = scene.retiming.legs

        def changed() -> Iterator[av.AudioFrame]:
            reader = SoundReader(sound.blocks())
            read = written = 0
            for leg in legs:
                count = round(leg.end * sound.rate) - read
                wanted = round(leg.ends * sound.rate) - written
                read, written = read + count, written + wanted
                heard = reader.read(count)
                way = _way(edit, leg.speed)
                if leg.ramp and way == "pitch":
                    way = "resample"  # what keeps the pitch needs longer parts of one speed
                yield from _stretched(heard, way, leg.speed, sound, wanted)

        return replace(sound, duration=legs[-1].ends, blocks=changed)

    def words(self, edit: Speed, retiming: Retiming) -> str:
        """See `EditStep`."""
        legs = [leg for leg in retiming.legs if leg.speed != 1 and not leg.ramp]
        parts = [
            f"{float(leg.speed):g} from {format_seconds(leg.start, 3)} to {format_seconds(leg.end, 3)} s"
            for leg in legs
        ]
        what = f"{float(edit.speed):g}" if edit.speed is not None else ", ".join(parts)
        chosen = {leg.between if leg.speed < 1 else "left out" for leg in retiming.legs if leg.period is not None}
        said = [words for name, words in _CHOSEN.items() if name in chosen]
        ramps = [f"changing over {format_seconds(edit.ramp, 3)} s"] if edit.ramp else []
        return "; ".join([f"speed: {what}", *ramps, *said])


def _spans(edit: Speed, time: ClipTime) -> list[tuple[Fraction, Fraction, Fraction]]:
    spans = [(time.cut(span.start, "speed"), time.cut(span.end, "speed"), span.speed) for span in edit.spans]
    at = Fraction(0)
    for start, end, _ in spans:
        if end <= start:
            raise EditImpossibleError(f"speed: a span ends at {format_seconds(end, 3)} s, before it begins.")
        if start < at:
            raise EditImpossibleError("speed: its spans overlap, or are not in order.")
        at = end
    return spans


def ramped(legs: Sequence[Leg], ramp: Fraction) -> list[Leg]:
    """Return the legs with short ones between them, whose speeds lead from one to the next, slowly at both ends.

    Raises:
        EditImpossibleError: a leg is shorter than the ramps at its ends.
    """
    half, made = ramp / 2, list[Leg]()
    for number, leg in enumerate(legs):
        start = leg.start + half if number else leg.start
        end = leg.end - half if number + 1 < len(legs) else leg.end
        if start > end:
            raise EditImpossibleError(
                f"speed: the part from {format_seconds(leg.start, 3)} to {format_seconds(leg.end, 3)} s is shorter "
                f"than the ramps at its ends, of {format_seconds(half, 3)} s each."
            )
        if start < end:
            made.append(replace(leg, start=start, end=end))
        if number + 1 < len(legs):
            made += _ramp(end, ramp, leg.speed, legs[number + 1].speed)
    return made


def _ramp(start: Fraction, length: Fraction, before: Fraction, behind: Fraction) -> Iterator[Leg]:
    step = length / _RAMP_STEPS
    for number in range(_RAMP_STEPS):
        part = Fraction(2 * number + 1, 2 * _RAMP_STEPS)
        eased = part * part * (3 - 2 * part)
        # Equal steps in the logarithm: 0.25 to 4 passes through 1. Rounded, so that times stay short fractions.
        speed = round(Fraction(float(before) * (float(behind) / float(before)) ** float(eased)), 4)
        yield Leg(start + number * step, start + (number + 1) * step, Fraction(0), speed, ramp=True)


def _leg(
    start: Fraction, end: Fraction, begins: Fraction, speed: Fraction, rate: Fraction | None, between: Between
) -> Leg:
    leg = Leg(start, end, begins, speed)
    if rate is not None and speed < 1 and between != "repeat":
        words = "pictures are blended" if between == "blend" else "motion is interpolated"
        period = 1 / min(rate, Fraction(MOST_FPS))
        return replace(leg, period=period, reason=f"edited: speed; {words}", between=between)
    if rate is None or speed <= 1 or rate * speed <= MOST_FPS + Fraction(1, 10):
        return leg
    reason = f"edited: speed; {float(rate * speed):.0f} frames a second are too many"
    return replace(leg, period=1 / min(rate, Fraction(MOST_FPS)), reason=reason)


def _way(edit: Speed, speed: Fraction) -> str:
    if speed == 1:
        return "keep"
    if edit.sound is not None:
        return edit.sound
    return "pitch" if _SLOWEST_SOUND <= speed <= _FASTEST_SOUND else "drop"


def _stretched(
    heard: Iterator[av.AudioFrame], way: str, speed: Fraction, sound: Sound, wanted: int
) -> Iterator[av.AudioFrame]:
    if way == "drop":
        for _ in heard:
            pass
        yield from silence(wanted, sound.rate, sound.layout)
        return
    if way != "keep":
        filters = _tempo(speed) if way == "pitch" else _tape(speed, sound.rate)
        heard = sound_through(heard, sound.rate, sound.layout, filters)
    yield from exactly(heard, wanted, sound.rate, sound.layout)


def _tempo(speed: Fraction) -> list[Filter]:
    """Return filters that change the speed and keep the pitch: one takes no less than half the speed."""
    filters = []
    while speed < _LEAST_TEMPO:
        filters.append(Filter("atempo", {"tempo": 0.5}))
        speed *= 2
    return [*filters, Filter("atempo", {"tempo": float(min(speed, _MOST_TEMPO))})]


def _tape(speed: Fraction, rate: int) -> list[Filter]:
    return [Filter("asetrate", {"sample_rate": round(rate * speed)}), Filter("aresample", {"sample_rate": rate})]
