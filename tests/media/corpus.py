"""Probes and cuts every file of a folder, and checks the clips by decoding them with another FFmpeg.

Run as `python -m tests.media.corpus FOLDER`, or `make media-corpus FOLDER=…`. The `ffmpeg` program, which shares no
library with Cutback, decodes both recording and clip: small grey pictures with their times, and sound at 8 kHz.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import cutback

WIDTH, HEIGHT = 48, 32
RATE = 8000
LONGEST = 120
"""Seconds of a recording that are decoded to judge its clips."""
TOLERANCE = 0.0015
"""Seconds within which a time names a frame: a millisecond, and the rounding of decimal times."""
SAME_PICTURE = 4.0
"""Levels (of 255) by which small grey pictures may differ on average and still be the same: edges are re-encoded."""
IN_SYNC = 0.03
"""Seconds that sound may be off."""

GOOD = ("exact", "refused")
BAD = ("wrong", "crashed")


@dataclass(frozen=True)
class Decoded:
    """What the ffmpeg program shows and plays of a file."""

    times: list[float]
    """Of each picture, in seconds from the first moment of the file."""
    pictures: NDArray[np.uint8]
    """(pictures, HEIGHT, WIDTH)."""
    sound: NDArray[np.float32]
    """Mono, `RATE` samples a second from the first moment of the file."""


@dataclass(frozen=True)
class Verdict:
    """How one file fared."""

    file: str
    kind: str
    """`exact`, `refused`, `wrong`, `crashed` or `unjudged`."""
    detail: str
    seconds: float


class UndecodableError(Exception):
    """The ffmpeg program cannot decode the file either."""


def decode(path: Path, seconds: float = LONGEST) -> Decoded:
    """Decode the first video and audio track of a file.

    Raises:
        UndecodableError: nothing comes out.
    """
    with tempfile.TemporaryDirectory() as folder:
        times, raw, sound = (Path(folder) / name for name in ("times", "raw", "sound"))
        small = f"scale={WIDTH}:{HEIGHT}:flags=area,format=gray"
        pictures = ["-map", "0:v:0?", "-t", str(seconds), "-fps_mode", "passthrough", "-vf", small]
        heard = ["-map", "0:a:0?", "-t", str(seconds), "-af", f"aresample={RATE}:async=1:first_pts=0", "-ac", "1"]
        subprocess.run(
            ["ffmpeg", "-v", "error", "-nostdin", "-y", "-copyts", "-start_at_zero", "-i", path,
             *pictures, "-enc_time_base", "-1", "-c:v", "rawvideo", "-f", "framemd5", times,
             *pictures, "-f", "rawvideo", raw,
             *heard, "-f", "f32le", sound],
            check=False, capture_output=True, timeout=600,
        )  # fmt: skip
        shown = _read_times(times)
        found = np.fromfile(raw, np.uint8) if raw.exists() else np.zeros(0, np.uint8)
        count = min(len(shown), len(found) // (WIDTH * HEIGHT))
        played = np.fromfile(sound, np.float32) if sound.exists() else np.zeros(0, np.float32)
    if not count and not len(played):
        raise UndecodableError("the ffmpeg program decodes nothing of it")
    return Decoded(shown[:count], found[: count * WIDTH * HEIGHT].reshape(count, HEIGHT, WIDTH), played)


def _read_times(path: Path) -> list[float]:
    tick = Fraction(1, 1000)
    times: list[float] = []
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.startswith("#tb 0:"):
            tick = Fraction(line.partition(":")[2].strip())
        elif line and not line.startswith("#"):
            times.append(float(int(line.split(",")[2]) * tick))
    return times


def compare(recording: Decoded, clip: Decoded, start: float, end: float) -> str:
    """What is wrong with a clip of the recording from `start` to `end`; nothing where it is right."""
    wanted = [n for n, at in enumerate(recording.times) if start - TOLERANCE <= at < end - TOLERANCE]
    if len(wanted) != len(clip.times):
        return f"{len(clip.times)} pictures instead of {len(wanted)}"
    base = recording.times[wanted[0]] if wanted else start
    for number, n in enumerate(wanted):
        off = clip.times[number] - clip.times[0] - (recording.times[n] - base)
        if abs(off) > 2 * TOLERANCE:
            return f"picture {number} is {off:+.4f} s off its time"
        error = _difference(clip.pictures[number], recording.pictures[n])
        if error > SAME_PICTURE:
            return f"picture {number} is another one (differs by {error:.1f} levels)"
    return _compare_sound(recording, clip, base, end)


def _difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(np.int16) - b).mean())


def _compare_sound(recording: Decoded, clip: Decoded, start: float, end: float) -> str:
    low, high = round(start * RATE), min(round(end * RATE), len(recording.sound))
    expected = recording.sound[low:high]
    heard = clip.sound[: len(expected)]
    if len(expected) < RATE // 4 or float(np.abs(expected).max()) < 0.01:
        return ""
    if len(heard) < 0.9 * len(expected):
        return f"{len(heard) / RATE:.2f} s of sound instead of {len(expected) / RATE:.2f} s"
    faults = [
        fault
        for at in range(0, len(expected) - RATE // 2 + 1, RATE)
        if (fault := _compare_window(expected[at : at + RATE], heard[at : at + RATE]))
    ]
    # Where a recording's sound steps, players resolve the overlap or gap in different ways.
    return faults[0] if len(faults) > len(expected) / RATE / 3 else ""


def _compare_window(expected: NDArray[np.float32], heard: NDArray[np.float32]) -> str:
    if len(heard) < RATE // 4 or float(np.abs(expected).max()) < 0.01:
        return ""
    size = 1 << (len(expected) + len(heard)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(expected, size)), size)
    near = round(0.5 * RATE)
    around = np.concatenate([product[-near:], product[: near + 1]])
    lag = (int(np.argmax(around)) - near) / RATE
    likeness = float(around.max() / (np.linalg.norm(heard) * np.linalg.norm(expected) + 1e-9))
    if likeness < 0.6:
        return f"another sound is heard (likeness {likeness:.2f})"
    at_zero = float(around[near] / around.max())
    if abs(lag) > IN_SYNC and at_zero < 0.95:  # a steady tone fits at every period
        return f"sound is {lag:+.3f} s off"
    return ""


def ranges(duration: float, seed: str, count: int) -> Iterator[tuple[float, float]]:
    """Random ranges of a recording, the same for the same seed."""
    chosen = random.Random(seed)
    for _ in range(count):
        length = min(duration, chosen.uniform(0.3, 4))
        start = chosen.uniform(0, max(0.0, min(duration, LONGEST) - length))
        yield round(start, 3), round(start + length, 3)


def judge(path: Path, count: int, seed: str) -> Verdict:
    """Probe a file, cut some clips of it, and compare them with it."""
    began = time.monotonic()

    def verdict(kind: str, detail: str = "") -> Verdict:
        return Verdict(str(path), kind, detail, round(time.monotonic() - began, 2))

    try:
        duration = float(cutback.probe(path).duration)
        if duration <= 0:
            return verdict("unjudged", "it lasts no time")
        with tempfile.TemporaryDirectory() as folder:
            recording: Decoded | None = None
            for number, (start, end) in enumerate(ranges(duration, f"{seed}:{path.name}", count)):
                made = cutback.cut(path, start=start, end=end, output=Path(folder) / f"{number}.mp4")
                recording = recording or decode(path)
                wrong = compare(recording, decode(made.path), start, end)
                if wrong:
                    return verdict("wrong", f"{start} to {end}: {wrong}")
    except UndecodableError as error:
        return verdict("unjudged", str(error))
    except cutback.CutbackError as error:
        crashed = error.reason in {"media_crashed", "internal_error", "clip_damaged"}
        return verdict("crashed" if crashed else "refused", f"{error.reason}: {error.detail}")
    except subprocess.TimeoutExpired:
        return verdict("unjudged", "the ffmpeg program took too long")
    return verdict("exact")


def run(files: Sequence[Path], count: int, seed: str, told: Callable[[int, Verdict], None]) -> list[Verdict]:
    """Check all files, one after another; `told` is called for each."""
    verdicts = []
    for number, path in enumerate(files, 1):
        found = judge(path, count, seed)
        told(number, found)
        verdicts.append(found)
    return verdicts


def totals(verdicts: Sequence[Verdict]) -> list[str]:
    """Rows: how many of each kind, and of refusals and faults, of each reason."""
    kinds = Counter(found.kind for found in verdicts)
    rows = [f"{kind:<9} {kinds[kind]:>6}" for kind in (*GOOD, "unjudged", *BAD)]
    reasons = Counter(
        f"{found.kind}: {found.detail.partition(':')[0]}" for found in verdicts if found.kind in {"refused", "crashed"}
    )
    return rows + [f"  {reason:<40} {number:>6}" for reason, number in reasons.most_common()]


def main() -> int:
    """Return 1 if a clip was wrong or something crashed."""
    parser = argparse.ArgumentParser(description="Probe and cut every file of a folder, and judge the clips.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cuts", type=int, default=3, help="clips of each file (3)")
    parser.add_argument("--seed", default="1", help="other random ranges (1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write a line of JSON for each file")
    arguments = parser.parse_args()
    files = sorted(path for path in arguments.folder.rglob("*") if path.is_file())
    if not files:
        parser.error(f"no files in {arguments.folder}")
    began = time.monotonic()

    def told(number: int, found: Verdict) -> None:
        left = (time.monotonic() - began) / number * (len(files) - number)
        if found.kind in BAD:
            print(f"{found.kind}: {found.file}: {found.detail}")
        print(f"{number} of {len(files)}, about {left:.0f} s left", file=sys.stderr, end="\n" if left < 1 else "\r")

    verdicts = run(files, arguments.cuts, arguments.seed, told)
    if arguments.json:
        arguments.json.write_text("".join(json.dumps(asdict(found)) + "\n" for found in verdicts))
    print(*totals(verdicts), sep="\n")
    return any(found.kind in BAD for found in verdicts)


if __name__ == "__main__":
    sys.exit(main())
