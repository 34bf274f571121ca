"""Sound with timestamps that step back or ahead is heard at its times, before and after the step."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from tests.media.changes import step_fragments, step_sound
from tests.media.cuts import CutResult, cut_in_process
from tests.support.decode import Presented, decode_presented, decode_warnings
from tests.support.made_once import made_once
from tests.support.media import FRAGMENTED, MIN_QUALITY, MediaSpec, cached_media, match_sound
from tests.support.sampling import slow_except

TS = MediaSpec(frames=180, gop=30, bframes=0, suffix=".ts")
AT = Fraction(3)
"""Seconds at which the sound of the recordings steps."""

KINDS: dict[str, tuple[MediaSpec, Callable[[bytes, Fraction, Fraction], bytes]]] = {
    "ts": (TS, step_sound),
    "fragmented": (MediaSpec(frames=180, gop=30, bframes=0, muxer_options=FRAGMENTED), step_fragments),
}
STEPS = ["-0.2", "-0.64", "-0.011", "0.35"]
"""-0.64: thirty packets, so that two packets have one time."""

RANGES = {
    "across": [("2", "4.5")],
    "before": [("1", "2.3")],
    "behind": [("3.9", "5")],
    "from within": [("2.9", "4.5")],
    "joined": [("2", "2.3"), ("2.7", "4.1"), ("4.5", "5")],
}


def stepped(kind: str, by: str, folder: Path) -> tuple[Path, MediaSpec, Fraction]:
    """A recording whose sound steps, and the time of its first picture."""
    spec, change = KINDS[kind]
    path = cached_media(spec, folder)
    with_step = made_once(
        path.with_name(f"{path.stem}-steps{by}{path.suffix}"),
        lambda making: making.write_bytes(change(path.read_bytes(), AT + first_sound(path), Fraction(by))),
    )
    return with_step, spec, first_sound(path)


def first_sound(path: Path) -> Fraction:
    """The container's own time of the first sound, which is earlier than the first picture."""
    shown = decode_presented(path)
    assert shown.audio_start is not None
    return shown.zero + shown.audio_start


def heard(shown: Presented, at: float, expected: float, spec: MediaSpec) -> float:
    """By how many seconds the sound at a time of the clip is off."""
    assert shown.audio_start is not None
    low = round((at - float(shown.audio_start)) * shown.sample_rate)
    piece = shown.audio[low : low + round(0.12 * shown.sample_rate)]
    match = match_sound(piece, shown.sample_rate, spec, expected, 0.05)
    assert match.quality >= MIN_QUALITY, f"at {at:.3f} s another sound is heard than {expected:.3f} s"
    return match.start - expected


def judge(clip: CutResult, ranges: list[tuple[str, str]], by: Fraction, path: Path, spec: MediaSpec) -> None:
    """Compare every tenth of a second but around the step and the joins."""
    shown = decode_presented(clip.data)
    source = decode_presented(path)
    assert source.audio_start is not None
    # The recording's time zero in its own sound, found from a block before the step.
    zero = match_sound(source.audio[24_000:36_000], 48_000, spec, 0.5, 0.1).start - 0.5
    pictures = min(source.times) - source.audio_start
    step_begin, step_end = float(AT + min(by, Fraction(0))) - 0.15, float(AT + max(by, Fraction(0))) + 0.25
    step_end += float(max(-by, Fraction(0)))
    base, compared = 0.0, 0
    for (_, end), span in zip(ranges, clip.facts.spans, strict=True):
        at = float(span.start) + 0.05
        while at + 0.12 < min(float(span.end), float(end)) - 0.03:
            if not step_begin <= at <= step_end:
                expected = zero + at - (float(by) if at > step_end else 0.0)
                off = heard(shown, base + at - float(span.start), expected, spec)
                assert abs(off) <= (0.0005 if len(ranges) == 1 else 0.012), f"{off:+.4f} s off at {at:.3f} s"
                compared += 1
            at += 0.1
        base += float(span.end - span.start)
    assert compared >= 4
    assert pictures >= 0
    assert not clip.facts.remade
    assert shown.audio_end is not None
    assert abs(float(shown.audio_end) - base) <= 0.03
    assert all(jump > 0 for _, jump in shown.audio_jumps), "never back"


@pytest.mark.parametrize("case", slow_except(product(KINDS, STEPS), ("ts", "-0.64"), ("fragmented", "0.35")), ids=str)
def test_sound_after_a_step_is_heard_at_its_times(case: tuple[str, str], media_folder: Path) -> None:
    kind, by = case
    path, spec, _ = stepped(kind, by, media_folder)
    faults = []
    for name, ranges in RANGES.items():
        clip = cut_in_process([path], *((0, Fraction(start), Fraction(end)) for start, end in ranges))
        try:
            judge(clip, ranges, Fraction(by), path, spec)
            assert decode_warnings(clip.data) == []
        except AssertionError as fault:
            faults.append(f"{name}: {str(fault)[:200]}")
    assert not faults, "\n".join(faults)
