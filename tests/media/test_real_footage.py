"""Real footage, cut at random: every frame is the same as in the original."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.media.check_clip import LEAST_PSNR, TOLERANCE, check_layout
from tests.media.cuts import CutResult, cut_in_process
from tests.support.decode import Presented, decode_presented, decode_warnings, frame_md5, psnr
from tests.support.media import luma_of
from tests.support.real_footage import FOOTAGE, require_footage

CUTS = 10


@dataclass(frozen=True)
class Original:
    """A recording as FFmpeg shows it."""

    path: Path
    times: list[Fraction]
    md5s: list[str]
    end: Fraction
    audio: np.ndarray
    rate: int
    audio_start: Fraction


@dataclass(frozen=True)
class Cut:
    """A clip of the original's frames from `first` on."""

    first: int
    start: Fraction
    clip: CutResult
    shown: Presented


def watch(path: Path) -> Original:
    """Decode all of it."""
    shown = decode_presented(path)
    zero = min([shown.frames[0].time, *([shown.audio_start] if shown.audio_start is not None else [])])
    times = [time - zero for time in shown.times]
    return Original(
        path,
        times,
        [frame.md5 for frame in shown.frames],
        times[-1] + (shown.frames[-1].duration or times[-1] - times[-2]),
        shown.audio,
        shown.sample_rate,
        (shown.audio_start or Fraction(0)) - zero,
    )


def random_cut(original: Original, chance: random.Random) -> Cut:
    """A short one, anywhere; the frames it must have are worked out from the original's times."""
    times = original.times
    first = chance.choice([0, chance.randrange(len(times)), chance.randrange(len(times)), len(times) - 2])
    stop = min(len(times), first + chance.randrange(1, 16 if len(times) > 500 else 40))
    begin = times[first] - chance.choice([Fraction(0), Fraction(1, 2000), Fraction(1, 100)])
    begin = max(Fraction(0), Fraction(f"{float(begin):.6f}"))
    end = times[stop] if stop < len(times) else original.end
    clip = cut_in_process([original.path], (0, begin, Fraction(f"{float(end):.6f}")))
    return Cut(first, times[first], clip, decode_presented(clip.data, luma=True))


def check_pictures(original: Original, cuts: list[Cut]) -> None:
    """Frames that are not bit-identical are compared by their samples, in one pass over the original."""
    open_points: dict[int, list[np.ndarray]] = {}
    for cut in cuts:
        identical = 0
        for number, frame in enumerate(cut.shown.frames, cut.first):
            if frame.md5 == original.md5s[number]:
                identical += 1
            else:
                assert frame.luma is not None
                open_points.setdefault(number, []).append(frame.luma)
        assert identical >= cut.clip.facts.frames_copied
    with av.open(str(original.path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for number, picture in enumerate(container.decode(video=0)):
            if number in open_points:
                assert frame_md5(picture) == original.md5s[number]
                rows = luma_of(picture)
                worst = min(psnr(rows, other) for other in open_points.pop(number))
                assert worst >= LEAST_PSNR, f"frame {number} has {worst:.1f} dB"
            if not open_points:
                break
    assert not open_points


def sound_offset(original: Original, cut: Cut) -> float | None:
    """Seconds by which a clip's sound is off, by correlation with the original's; None where it is too quiet."""
    rate = original.rate
    assert cut.shown.audio_start is not None
    piece = cut.shown.audio[rate // 20 : rate // 20 + rate].astype(np.float64)
    if len(piece) < rate // 5 or np.sqrt(np.mean(piece**2)) < 0.003:
        return None
    reach = rate // 10
    expected = round(float(cut.start + cut.shown.audio_start - original.audio_start) * rate) + rate // 20
    low = max(0, expected - reach)
    window = original.audio[low : expected + len(piece) + reach].astype(np.float64)
    size = 1 << (len(window) + len(piece)).bit_length()
    product = np.fft.rfft(window, size) * np.conj(np.fft.rfft(piece, size))
    scores = np.fft.irfft(product, size)[: max(1, len(window) - len(piece) + 1)]
    energy = np.convolve(window**2, np.ones(len(piece)), "valid")[: len(scores)]
    scores = scores / np.sqrt(energy * np.sum(piece**2) + 1e-12)
    if scores.max() < 0.9 or np.sort(scores)[-200:].min() > 0.98:
        return None  # nothing in it to tell one moment from another
    return (low + int(np.argmax(scores)) - expected) / rate


def check_footage(name: str, cuts: int, seed: str) -> None:
    """All that is promised, for `cuts` random cuts."""
    (path,) = require_footage(name)
    original = watch(path)
    chance = random.Random(f"{name} {seed}")
    made = [random_cut(original, chance) for _ in range(cuts)]
    for cut in made:
        facts, shown = cut.clip.facts, cut.shown
        (span,) = facts.spans
        stop = next((n for n, time in enumerate(original.times) if time >= span.end - TOLERANCE), len(original.times))
        assert len(shown.frames) == facts.frames == stop - cut.first
        assert abs(span.start - cut.start) <= TOLERANCE
        for number, time in enumerate(shown.times, cut.first):
            assert abs(time - (original.times[number] - cut.start)) <= TOLERANCE
        assert decode_warnings(cut.clip.data) == []
        check_layout(cut.clip.data)
        if len(original.audio):
            offset = sound_offset(original, cut)
            assert offset is None or abs(offset) <= 0.020
            assert shown.audio_end is not None
            length = min(
                facts.duration,
                original.audio_start + Fraction(len(original.audio), original.rate) - cut.start,
            )
            assert abs(shown.audio_end - length) <= Fraction(1024, original.rate) + TOLERANCE
    check_pictures(original, made)


@pytest.mark.slow
@pytest.mark.parametrize("name", FOOTAGE)
def test_random_cuts_of_real_footage_are_exact(name: str) -> None:
    check_footage(name, CUTS, "first")


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", FOOTAGE)
def test_many_random_cuts_of_real_footage_are_exact(name: str) -> None:
    """CUTBACK_TEST_CUTS cuts of each file (100), CUTBACK_TEST_SEED chooses which."""
    cuts = int(os.environ.get("CUTBACK_TEST_CUTS", "100"))
    for round_number in range(max(1, cuts // CUTS)):
        check_footage(name, CUTS, f"{os.environ.get('CUTBACK_TEST_SEED', 'soak')} {round_number}")
