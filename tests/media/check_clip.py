"""Checks a clip against the expected one, computed only from the recording as a player shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tests.media.cuts import CutResult, boxes
from tests.media.recordings import ReferenceRecording, edited_length
from tests.support.decode import Presented, decode_presented, decode_warnings, psnr
from tests.support.media import MIN_QUALITY, match_sound
from tests.support.shape import shape_of

from cutback.domain.times import FrameNumber, FromEnd, Instant

TOLERANCE = Fraction(1, 1000)
"""Within it a time names a frame."""

HELD = Fraction(1, 5)
"""Seconds: a picture shown for longer counts as held, also within a range that begins or ends meanwhile."""

IN_SYNC = 0.020
"""Seconds that sound may be off."""

LEAST_PSNR = 38.0
"""Decibels that a re-encoded picture has to reach."""


@dataclass(frozen=True)
class ExpectedRange:
    """A range of a recording, brought to its frames."""

    reference: ReferenceRecording
    first: int
    stop: int
    start: Fraction
    end: Fraction
    clamped: bool

    @property
    def duration(self) -> Fraction:
        """Seconds."""
        return self.end - self.start


def in_seconds(reference: ReferenceRecording, instant: Instant) -> Fraction:
    """A time of a recording, also where it is given as a frame's number."""
    if isinstance(instant, FromEnd):
        return reference.end - instant.seconds
    if not isinstance(instant, FrameNumber):
        return instant
    return reference.times[instant.frame] if instant.frame < len(reference.times) else reference.end


def expected_range(reference: ReferenceRecording, start: Instant, end: Instant) -> ExpectedRange | None:
    """The frames with start <= time < end; None if there are none (or, without pictures, no sound)."""
    begin, finish = in_seconds(reference, start), in_seconds(reference, end)
    beyond = isinstance(end, FrameNumber) and end.frame > len(reference.times)
    clamped = beyond or finish > reference.end + TOLERANCE
    if not reference.times:
        return (
            None
            if begin >= reference.end
            else ExpectedRange(reference, 0, 0, begin, min(finish, reference.end), clamped)
        )
    inside = [n for n, t in enumerate(reference.times) if begin - TOLERANCE <= t < finish - TOLERANCE]
    ends = [*reference.times[1:], reference.video_end]
    on_show = [
        n
        for n, (t, until) in enumerate(zip(reference.times, ends, strict=True))
        if until - t > HELD and t < begin - TOLERANCE and begin + TOLERANCE < until
    ]
    inside = on_show + inside
    if not inside:
        return None
    first, stop = inside[0], inside[-1] + 1
    real_start = begin if on_show else reference.times[first]
    if first == 0 and reference.sound_start is not None and reference.sound_start < real_start:
        real_start = max(begin, reference.sound_start)
    at_end = max(reference.video_end, min(finish, reference.end))
    real_end = reference.times[stop] if stop < len(reference.times) else at_end
    if ends[stop - 1] - reference.times[stop - 1] > HELD and real_end > finish + TOLERANCE:
        real_end = finish
    return ExpectedRange(reference, first, stop, real_start, real_end, clamped)


def check_clip(clip: CutResult, wanted: Sequence[ExpectedRange], *, like: str = "exact") -> Presented:
    """Everything that is promised of a clip. Returns what it shows.

    `like="copy"`: every frame is a copy.
    """
    shown = decode_presented(clip.data, luma=True)
    pictures = [(part.reference, n) for part in wanted for n in range(part.first, part.stop)]
    assert [frame.counter for frame in shown.frames] == [reference.counters[n] for reference, n in pictures]
    _check_times(clip, shown, wanted)
    _check_pictures(clip, shown, pictures)
    _check_sound(shown, wanted)
    _check_facts(clip, shown, wanted)
    assert decode_warnings(clip.data) == []
    check_layout(clip.data)
    if shown.frames:
        reference = wanted[0].reference
        assert shape_of(clip.data) == reference.shape, "rotation, shape of pixels, colours"
    assert not clip.facts.remade, f"it had to be made again: {clip.facts.notes}"
    if like == "copy":
        assert clip.facts.frames_encoded == 0
    return shown


def _check_times(clip: CutResult, shown: Presented, wanted: Sequence[ExpectedRange]) -> None:
    base, times = Fraction(0), []
    for part in wanted:
        times += [base + max(part.reference.times[n], part.start) - part.start for n in range(part.first, part.stop)]
        base += part.duration
    off = [float(a - b) for a, b in zip(shown.times, times, strict=True)]
    assert all(abs(x) <= 0.001 for x in off), f"frames are off their times by up to {max(off, key=abs)} s"
    if shown.frames:
        total = sum((part.duration for part in wanted), Fraction(0))
        # Where sound outlasts the recording's last picture, the picture may stay or go.
        soonest = total - max(Fraction(0), wanted[-1].end - max(wanted[-1].reference.video_end, wanted[-1].start))
        length = edited_length(clip.data, b"vide")
        assert length is not None, "an edit list says how long the pictures last"
        end = times[0] + length
        assert soonest - _slack(wanted) <= end <= total + _slack(wanted), "how long the last frame is shown"


def _check_pictures(clip: CutResult, shown: Presented, pictures: Sequence[tuple[ReferenceRecording, int]]) -> None:
    identical = 0
    worst = (100.0, -1)
    for number, (frame, (reference, n)) in enumerate(zip(shown.frames, pictures, strict=True)):
        original = reference.shown.frames[n]
        if frame.md5 == original.md5:
            identical += 1
            continue
        assert frame.luma is not None
        assert original.luma is not None
        worst = min(worst, (psnr(frame.luma, original.luma), number))
    assert identical >= clip.facts.frames_copied, "copied frames are the recording's own, bit for bit"
    assert worst[0] >= LEAST_PSNR, f"frame {worst[1]} of the clip has {worst[0]:.1f} dB"


def _check_sound(shown: Presented, wanted: Sequence[ExpectedRange]) -> None:
    if all(part.reference.sound_start is None for part in wanted):
        assert shown.audio_start is None
        return
    sounding = [part for part in wanted if _overlap(part)[1] > _overlap(part)[0]]
    if not sounding:
        return
    assert shown.audio_start is not None
    assert shown.audio_end is not None
    base = Fraction(0)
    for part in wanted:
        begin, end = _overlap(part)
        if end > begin:
            _judge_sync(shown, part, base - part.start + begin, base - part.start + end)
        base += part.duration
    # FFmpeg plays the last packet whole.
    frame = max(Fraction(1024, shown.sample_rate), *(part.reference.audio_frame for part in wanted))
    alone, (_, end) = wanted[0], _overlap(wanted[-1])
    if len(wanted) == 1:
        first = max(Fraction(0), _overlap(alone)[0] - alone.start)
        assert abs(shown.audio_start - first) <= frame, "when the sound begins"
        length = end - alone.start
    else:
        length = base
    assert abs(shown.audio_end - length) <= frame + TOLERANCE, (
        f"the sound ends at {float(shown.audio_end):.4f} s instead of {float(length):.4f} s"
    )
    if not any(part.reference.shown.audio_jumps for part in wanted):
        assert shown.audio_jumps == []


def _overlap(part: ExpectedRange) -> tuple[Fraction, Fraction]:
    """From when to when the recording sounds within a range, in its own seconds."""
    if part.reference.sound_start is None:
        return Fraction(0), Fraction(0)
    return max(part.start, part.reference.sound_start), min(part.end, part.reference.sound_end)


def _judge_sync(shown: Presented, part: ExpectedRange, begin: Fraction, end: Fraction) -> None:
    """Compare half-second blocks from `begin` to `end`, in the clip's seconds, with the expected sound."""
    assert shown.audio_start is not None
    rate = shown.sample_rate
    guard = 0.03 if end - begin > Fraction(1, 4) else 0.0  # an encoder smears a join over a packet
    at, stop = float(begin) + guard, float(end) - guard
    while stop - at >= 0.12:
        piece_end = stop if stop - at < 0.7 else at + 0.5
        low, high = (
            round((at - float(shown.audio_start)) * rate),
            round((piece_end - float(shown.audio_start)) * rate),
        )
        piece = shown.audio[max(0, low) : high]
        heard_at = float(shown.audio_start) + max(0, low) / rate
        expected = part.reference.reference_at_zero + float(_overlap(part)[0] - begin) + heard_at
        match = match_sound(piece, rate, part.reference.spec, expected, 0.1)
        assert match.quality >= MIN_QUALITY, (
            f"at {at:.3f} s of the clip another sound is heard than at {expected:.3f} s of {part.reference.name}"
        )
        assert abs(match.start - expected) <= IN_SYNC, f"sound off by {match.start - expected:+.4f} s at {at:.3f} s"
        at = piece_end


def _slack(wanted: Sequence[ExpectedRange]) -> Fraction:
    """Seconds by which ends may differ: Matroska rounds, and its packets do not say how much is padding."""
    rough = any(part.reference.path.suffix in {".mkv", ".webm"} for part in wanted)
    return Fraction(1, 50) if rough else TOLERANCE


def _check_facts(clip: CutResult, shown: Presented, wanted: Sequence[ExpectedRange]) -> None:
    facts = clip.facts
    assert facts.size == len(clip.data)
    assert facts.frames == len(shown.frames) == facts.frames_copied + facts.frames_encoded
    assert facts.duration == sum(span.end - span.start for span in facts.spans)
    off = _slack(wanted)
    assert abs(facts.duration - sum(part.duration for part in wanted)) <= off * len(wanted)
    if shown.frames:
        luma = shown.frames[0].luma
        assert luma is not None
        assert (facts.height, facts.width) == luma.shape
    merged = _spans(wanted)
    spans = [(span.start, span.end, span.clamped) for span in facts.spans]
    assert len(spans) == len(merged)
    for (start, end, clamped), (real_start, real_end, really) in zip(spans, merged, strict=True):
        assert abs(start - real_start) <= off
        assert abs(end - real_end) <= off, f"it ends at {float(real_end):.4f} s, not at {float(end):.4f} s"
        assert clamped == really
    fractions = [step.fraction for step in clip.progress]
    assert fractions == sorted(fractions), "progress goes forward"
    assert all(0 <= fraction <= 1 for fraction in fractions)


def _spans(wanted: Sequence[ExpectedRange]) -> list[tuple[Fraction, Fraction, bool]]:
    """Consecutive ranges of one recording may be reported as one."""
    spans: list[tuple[ReferenceRecording, Fraction, Fraction, bool]] = []
    for part in wanted:
        if spans and spans[-1][0] is part.reference and spans[-1][2] == part.start:
            reference, start, _, clamped = spans.pop()
            spans.append((reference, start, part.end, clamped or part.clamped))
        else:
            spans.append((part.reference, part.start, part.end, part.clamped))
    return [(start, end, clamped) for _, start, end, clamped in spans]


def check_layout(data: bytes) -> None:
    """A faststart MP4: its index before its media, and not a byte that belongs to no box."""
    found = list(boxes(data))
    kinds = [kind for kind, *_ in found]
    assert kinds[0] == b"ftyp"
    assert kinds.index(b"moov") < kinds.index(b"mdat")
    assert found[-1][3] == len(data)
