"""Mangled recordings, one after another: each gives a clip or a named failure, and the parent is never affected.

`make media-fuzz` runs for ten minutes or CUTBACK_TEST_FUZZ_SECONDS; `make test-slow` runs it for a few seconds.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.check_clip import check_clip, expected_range
from tests.media.cuts import cut_in_child
from tests.media.mutate import mutated
from tests.media.recipes import RECIPES
from tests.media.recordings import ReferenceRecording, made
from tests.media.test_child import children

from cutback.cutting.job import Limits, Precision
from cutback.domain.errors import CutbackError
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]

BRIEFLY = 8
"""Seconds."""

SEEDS = [
    *("pyramid", "open-gop-cavlc", "slices", "10-bit", "interlaced", "two-entries", "avc3-changing", "edit-list"),
    *("hevc-open", "hevc-hdr10", "av1", "opus-vp9", "mpeg4", "mjpeg"),
    *("fragmented", "mkv", "ts", "ts-changing", "ts-back", "mov", "sound-alone", "opus", "ac3-ts"),
    *("hybrid-b-frames", "hybrid-without-tfdt", "ipcm", "fpcm-fragmented", "5.1"),
]

# An exception of our own code is `internal_error`, which is none of these: then the test fails, and shows the log.
NAMED = {
    *("media_unreadable", "media_unsupported", "media_too_large", "media_too_slow", "media_crashed"),
    *("clip_damaged", "range_outside_recording"),
}

LIMITS = Limits(seconds=20, stall_seconds=10, memory=1 << 30, frames=100_000)


def mangled(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """One of the ways in which files get broken, by accident or with intent."""
    size = len(data)
    at, length = chance.randrange(size), min(size, chance.choice([1, 8, 188, 4096, 65536]))
    match chance.randrange(8):
        case 0 | 1 | 2:
            return mutated(data, chance.randrange(1 << 30), 0)
        case 3:  # bits anywhere, so that decoders meet them, too
            changed = bytearray(data)
            for _ in range(chance.choice([1, 4, 32, 256])):
                changed[chance.randrange(size)] ^= 1 << chance.randrange(8)
            return bytes(changed)
        case 4:
            return data[:at]
        case 5:
            return data[:at] + data[at + length :]
        case 6:
            return data[:at] + chance.randbytes(length) + data[at + length :]
        case _:
            return data[:at] + other[at:]


def fuzz(cutter: ChildCutter, files: list[bytes], seconds: float, seed: str) -> tuple[Counter[str], list[str]]:
    """How often each outcome came about, and what should never have."""
    chance = random.Random(seed)
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        number = sum(outcomes.values())
        data = mangled(chance.choice(files), chance.choice(files), chance)
        start = Fraction(chance.randrange(0, 5000), 1000)
        ranges = [
            (0, start, start + Fraction(chance.randrange(40, 1500), 1000)) for _ in range(chance.choice([1, 1, 2]))
        ]
        precision: Precision = chance.choice(["exact", "exact", "exact", "keyframe", "instant"])
        try:
            clip = cut_in_child(cutter, [data], *ranges, precision=precision, limits=LIMITS)
            outcomes["clip"] += 1
            if len(clip.data) != clip.facts.size:
                faults.append(f"{number}: {len(clip.data)} bytes instead of {clip.facts.size}")
        except CutbackError as error:
            outcomes[error.reason] += 1
            if error.reason == "media_crashed":
                sys.stdout.write(f"{number}: {error.detail or 'the child died'}\n")
            if error.reason not in NAMED:
                faults.append(f"{number}: {error.reason} {error.detail}")
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            outcomes["parent"] += 1
            faults.append(f"{number}: {type(error).__name__}: {error}")
    return outcomes, faults


@pytest.fixture
def warm_cutter() -> Iterator[ChildCutter]:
    """Children started ahead, as many cuts follow."""
    cutter = ChildCutter(warm=True)
    yield cutter
    cutter.close()


def check(recording: Recordings, folder: Path, cutter: ChildCutter, seconds: float, seed: str) -> None:
    """Fuzz, then see that the parent still does its work and no child is left."""
    files = [made(RECIPES[name], folder).read_bytes() for name in SEEDS]
    cutter.warm_up()
    before = len(children())
    outcomes, faults = fuzz(cutter, files, seconds, seed)
    sys.stdout.write(f"\n{sum(outcomes.values())} mangled recordings: {dict(outcomes.most_common())}\n")
    assert not faults, "\n".join(faults)
    assert outcomes["clip"], "some of them can still be cut"
    assert len(outcomes) > 1
    reference = recording("pyramid")
    part = expected_range(reference, Fraction("1.1"), Fraction("2.3"))
    assert part is not None
    check_clip(cut_in_child(cutter, [reference.path], (0, Fraction("1.1"), Fraction("2.3"))), [part])
    assert len(children()) <= before


@pytest.mark.slow
def test_mangled_recordings_affect_only_their_own_job(
    recording: Recordings, media_folder: Path, warm_cutter: ChildCutter
) -> None:
    check(recording, media_folder, warm_cutter, BRIEFLY, "briefly")


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_fuzz_many_more_mangled_recordings(recording: Recordings, media_folder: Path, warm_cutter: ChildCutter) -> None:
    """CUTBACK_TEST_FUZZ_SECONDS (600), CUTBACK_TEST_SEED chooses which."""
    seconds = float(os.environ.get("CUTBACK_TEST_FUZZ_SECONDS", "600"))
    check(recording, media_folder, warm_cutter, seconds, os.environ.get("CUTBACK_TEST_SEED", "fuzz"))
