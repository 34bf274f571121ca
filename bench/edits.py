"""Edits: each made by Cutback and by the ffmpeg command line, which re-encodes all of it with the same settings."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from bench.meter import measure
from bench.sources import minute_of, run_ffmpeg

Say = Callable[[str], None]

START, SECONDS = 10, 30
"""Of the clip, in a minute of 1080p30 H.264 with a keyframe every two seconds."""

SETTINGS = "libx264 -preset veryfast -crf 17, 2 B-frames, a look-ahead of 20 and a keyframe every 2 s; AAC, 192 kbit/s"
_ENCODING = (
    *("-c:v", "libx264", "-preset", "veryfast", "-crf", "17", "-threads", "2"),
    *("-x264-params", "keyint=60:min-keyint=1:bframes=2:rc-lookahead=20", "-c:a", "aac", "-b:a", "192k"),
)

MOST_MEMORY = 350_000_000
"""Bytes that a clip of 1080p H.264 may take, parent and child together."""

_MINUTES = 120
"""Of the recording from which a timelapse is made: the same minute, so many times."""


@dataclass(frozen=True, slots=True)
class Work:
    """A clip with an edit."""

    name: str
    edits: tuple[Mapping[str, Any], ...]
    ffmpeg: tuple[str, ...] = ()
    """What makes the same with ffmpeg; empty if nothing is compared."""
    limit: float | None = None
    """The highest ratio that is promised."""
    outputs: tuple[Mapping[str, Any], ...] = ()
    """What is made of it; empty for an MP4."""
    exact: str = ""
    """The filter of ffmpeg that makes the pictures that both should show; empty if their quality is not compared."""
    beside: str = "ffmpeg"
    """What the ratio is to: ffmpeg, or the name of another work."""
    memory: int = MOST_MEMORY


PLAIN = "no edit"
"""The work that copies."""

_TEXT = {"edit": "text", "text": "Left at the point", "place": "bottom"}
_DRAWN = "drawtext=text='Left at the point':fontsize=54:fontcolor=white:box=1:x=(w-tw)/2:y=h-100"

WORKS = (
    Work(PLAIN, ()),
    Work("crop to 9:16", ({"edit": "crop", "aspect": "9:16"},), ("-vf", "crop=608:1080"), 1.1, exact="crop=608:1080"),
    Work(
        "scale to 720 rows", ({"edit": "scale", "height": 720},), ("-vf", "scale=1280:720"), 1.1, exact="scale=1280:720"
    ),
    Work("text throughout", (_TEXT,), ("-vf", _DRAWN), 1.1),
    Work("text for 2 s", ({**_TEXT, "from": 10, "duration": 2},), ("-vf", f"{_DRAWN}:enable='between(t,10,12)'"), 0.15),
    Work(
        "fade out in 2 s",
        ({"edit": "fade", "out": 2},),
        ("-vf", "fade=out:st=28:d=2", "-af", "afade=out:st=28:d=2"),
        0.15,
    ),
    Work(
        "blur of a region for 2 s", ({"edit": "blur", "x": 600, "y": 300, "width": 200, "height": 200, "duration": 2},)
    ),
    Work("speed 0.5, frames kept", ({"edit": "speed", "speed": 0.5}, {"edit": "mute"}), limit=1.5, beside=PLAIN),
    Work("freeze for 2 s", ({"edit": "freeze", "at": 10, "duration": 2},), beside=PLAIN),
    Work("colour", ({"edit": "colour", "contrast": 10, "saturation": 10},)),
    Work("denoise", ({"edit": "denoise"},)),
    Work("reverse", ({"edit": "reverse"},)),
    Work("one output of another quality", (), outputs=({"quality": "small"},)),
    Work(
        "three outputs, encoded from one decoder",
        (),
        outputs=(
            {"name": "clip", "quality": "small"},
            {"name": "high", "quality": "good"},
            {"name": "first", "quality": "best"},
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a clip took; medians, the peak excepted."""

    wall: float
    cpu: float
    """Seconds."""
    size: int
    """Bytes of the clip."""
    peak: int = 0
    """Bytes of memory, parent and child; 0 if it was not measured."""
    read: int = 0
    """Bytes of the recording."""
    psnr: float | None = None
    """Decibels between the clip's pictures and those that it should show, of luma and chroma; None: unknown."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A work, and what it took."""

    work: Work
    cutback: Cost
    ffmpeg: Cost | None


@dataclass(frozen=True, slots=True)
class Timelapse:
    """A timelapse of two hours in thirty seconds."""

    cutback: Cost
    recording: int
    """Bytes."""
    decoding: float
    """Processor seconds that decoding all pictures of one minute takes."""
    minutes: int = _MINUTES


def measure_edits(cache: Path, *, runs: int, quick: bool, say: Say) -> list[Edited]:
    """Make each clip `runs` times, in turns with ffmpeg; memory is sampled in a run of its own, unless `quick`."""
    source, folder = minute_of(cache, "g2", say), cache / "edits"
    found = []
    for work in WORKS:
        ours, theirs, peak = [], [], 0
        for number in range(1 if quick else 0, runs + 1):
            sampled = quick or number == 0
            cost = _cutback(source, START, START + SECONDS, work, folder, sampled=sampled)
            peak = max(peak, cost.peak)
            if number == 0:
                continue
            ours.append(cost)
            if number == runs:
                ours[0] = _with_psnr(ours[0], source, work.exact, folder)
            if work.ffmpeg:
                theirs.append(_ffmpeg(source, work.ffmpeg, folder))
            if work.ffmpeg and number == runs:
                theirs[0] = _with_psnr(theirs[0], source, work.exact, folder)
        say(f"{work.name}: {ours[-1]}")
        middle = _middle(ours)
        cost = replace(middle, peak=peak)
        found.append(Edited(work, cost, _middle(theirs) if theirs else None))
    shutil.rmtree(folder, ignore_errors=True)
    return found


def measure_timelapse(cache: Path, *, say: Say) -> Timelapse:
    """Make two hours of the minute, if they are missing (some 5 GB), and a timelapse of them."""
    minute, folder = minute_of(cache, "g2", say), cache / "edits"
    source = cache / "g2-2h.mp4"
    if not source.exists():
        say("making two hours of that minute")
        run_ffmpeg(source, ["-stream_loop", str(_MINUTES - 1), "-i", str(minute), "-c", "copy"])
    work = Work("timelapse", ({"edit": "timelapse", "duration": 30, "fps": 30},))
    cost = _cutback(source, 0, 60 * _MINUTES, work, folder, sampled=True)
    say(f"timelapse: {cost}")
    folder.mkdir(parents=True, exist_ok=True)
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(minute), "-an", "-f", "null", "-"]
    decoding = measure(command, cwd=folder, sampled=False).cpu
    shutil.rmtree(folder, ignore_errors=True)
    return Timelapse(cost, source.stat().st_size, decoding)


def _cutback(source: Path, start: int, end: int, work: Work, folder: Path, *, sampled: bool) -> Cost:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    clip = folder / "clip.mp4"
    command = [sys.executable, "-m", "cutback", "cut", str(source), "--from", str(start), "--to", str(end)]
    command += [part for edit in work.edits for part in ("--edit", json.dumps(edit))]
    if work.outputs:
        request = folder / "request.json"
        request.write_text(json.dumps({"outputs": work.outputs}))
        command += ["--request", str(request)]
    measured = measure([*command, "-o", str(clip), "--json"], cwd=folder, sampled=sampled)
    told = json.loads(next(line for line in measured.output.splitlines() if line.startswith("{")))
    return Cost(measured.wall, measured.cpu, clip.stat().st_size, measured.peak or 0, told["bytes_read"])


def _ffmpeg(source: Path, arguments: tuple[str, ...], folder: Path) -> Cost:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    clip = folder / "clip.mp4"
    where = ["-ss", str(START), "-i", str(source), "-t", str(SECONDS)]
    command = ["ffmpeg", "-nostdin", "-v", "error", *where, *arguments, *_ENCODING, str(clip)]
    measured = measure(command, cwd=folder, sampled=False)
    return Cost(measured.wall, measured.cpu, clip.stat().st_size)


def _with_psnr(cost: Cost, source: Path, exact: str, folder: Path) -> Cost:
    """Compare the clip in the folder with what it should show."""
    if not exact:
        return cost
    part = ["-ss", str(START), "-t", str(SECONDS), "-i", str(source)]
    graph = f"[1:v]{exact},setpts=PTS-STARTPTS[exact];[0:v]setpts=PTS-STARTPTS[made];[made][exact]psnr=shortest=1"
    command = ["ffmpeg", "-nostdin", "-v", "info", "-i", str(folder / "clip.mp4"), *part, "-lavfi", graph]
    told = measure([*command, "-an", "-f", "null", "-"], cwd=folder, sampled=False).output
    found = re.search(r"PSNR .*average:([0-9.]+)", told)
    return cost if found is None else replace(cost, psnr=float(found[1]))


def _middle(costs: list[Cost]) -> Cost:
    first = costs[0]
    return replace(first, wall=median(cost.wall for cost in costs), cpu=median(cost.cpu for cost in costs))
