"""Moments: how many rides of the drawn sea are found, and how long a day of a camera takes.

The rides are known, because the sea is drawn. The seeds of the measurement (names of cameras) were not used to choose
any of the constants in `cutback.domain.cameras.moments` and `cutback.cutting.activity`; those of `TUNED` were.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av

from cutback.adapters.build import build
from cutback.catalogue.register import Arrival, register_all
from cutback.cli.demo.drawing.ride import RIDE_END, RIDE_START
from cutback.cli.demo.drawing.sea import make_recording
from cutback.cli.demo.drawing.swell import seed_of, swell
from cutback.cutting.job import Limits
from cutback.cutting.sprites import sprites
from cutback.cutting.waveform import waveform
from cutback.domain.cameras.moments import CameraMoment
from cutback.domain.errors import CutbackError
from cutback.lifecycle.activity import activities
from cutback.lifecycle.moments import camera_moments
from cutback.services import Services
from cutback.settings.settings import Settings

Say = Callable[[str], None]

TUNED = ("tuned-1", "tuned-2", "measured-1", "measured-2", "measured-3", "measured-4")
MEASURED = ("measured-5", "measured-6")
SECONDS = 300
SIZE = (640, 360)
BEGINS = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
HOURS = 24
ENOUGH = 2.0
"""Seconds for a day of a camera, warm."""
LEAST_FOUND = 0.9
SCRUBBED_SECONDS = 60
MOST_FALSE = 1.0
"""In ten minutes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in one recording."""

    camera: str
    tuned: bool
    rides: int
    found: int
    false_alarms: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Day:
    """How long the moments of a day take."""

    hours: int
    cold: float
    """Seconds of a process that knows nothing of the recordings."""
    warm: float
    """Seconds of a process that finds the activity kept."""
    process: float
    """The same with the start of `cutback moments`."""


@dataclass(frozen=True, slots=True)
class Scrubbing:
    """What sprites and a waveform cost, in seconds of processor time of one thread."""

    seconds: int
    """Length of the recording."""
    sprites: float
    waveform: float
    decode: float
    """Decoding all of its pictures and sound."""


@dataclass(frozen=True, slots=True)
class MomentFigures:
    """Everything that this section measures."""

    findings: tuple[Finding, ...]
    day: Day
    scrubbing: Scrubbing


def measure_moments(cache: Path, *, say: Say, picture: Path | None = None) -> MomentFigures:
    """Draw what is missing, and measure. `picture` is where to write what was found in the first measured sea."""
    folder = cache / f"moments-{os.getpid()}"
    findings: list[Finding] = []
    try:
        for camera in (*TUNED, *MEASURED):
            sea = drawn(cache, camera, say)
            findings.append(_find(folder / camera, camera, sea, picture if camera == MEASURED[0] else None))
            say(f"moments: {findings[-1]}")
        day = _measure_day(folder / "day", drawn(cache, MEASURED[0], say))
        say(f"moments: {day}")
        scrubbing = _measure_scrubbing(cache, say)
        say(f"moments: {scrubbing}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return MomentFigures(tuple(findings), day, scrubbing)


def drawn(cache: Path, camera: str, say: Say) -> Path:
    """Return the recording of a sea, drawn unless it is in the cache."""
    path = cache / f"sea-{camera}-{SECONDS}.mp4"
    if not path.exists():
        say(f"drawing {path.name}")
        make_recording(path, seconds=SECONDS, size=SIZE, camera=camera, start=BEGINS)
    return path


def _find(folder: Path, camera: str, sea: Path, picture: Path | None) -> Finding:
    with _services(folder, [(_key(camera, BEGINS), sea)]) as services:
        [recording] = services.catalogue.covering(camera, BEGINS, BEGINS + timedelta(seconds=1))
        moments = camera_moments(services, camera, BEGINS, BEGINS + timedelta(hours=1)).moments
        [line] = activities(services, [recording], limits=services.settings.limits)
    rides = _rides(camera)
    peaks = [(moment.peak - BEGINS).total_seconds() for moment in moments]
    whole = [(begin, end) for begin, end in rides if begin >= 0 and end <= SECONDS]
    if picture is not None and not isinstance(line, CutbackError):
        picture.write_text(draw(line["values"], moments, rides), encoding="utf-8")
    return Finding(
        camera,
        camera in TUNED,
        rides=len(whole),
        found=sum(any(_is_in(peak, ride) for peak in peaks) for ride in whole),
        false_alarms=sum(not any(_is_in(peak, ride) for ride in rides) for peak in peaks),
        seconds=SECONDS,
    )


def _rides(camera: str) -> list[tuple[float, float]]:
    """When somebody rides: (begin, end) in seconds; some of them are cut off by the recording's ends."""
    waves = sorted(swell(seed_of(camera), SECONDS), key=lambda wave: wave.breaks_at)
    return [(wave.breaks_at + RIDE_START, wave.breaks_at + RIDE_END) for wave in waves if wave.ridden]


def _is_in(peak: float, ride: tuple[float, float]) -> bool:
    """A peak is accurate to a second."""
    return ride[0] - 1 <= peak <= ride[1] + 1


def _measure_day(folder: Path, sea: Path) -> Day:
    folder.mkdir(parents=True)
    hour = folder / "hour.mp4"
    _repeat(sea, hour, 3600 // SECONDS)
    begins = BEGINS.replace(hour=0, minute=0)
    hours = [(_key("point", begins + timedelta(hours=number)), hour) for number in range(HOURS)]
    span = begins, begins + timedelta(hours=HOURS)
    with _services(folder / "data", hours) as services:
        cold = _timed(lambda: camera_moments(services, "point", *span))
    with build(Settings(data=folder / "data")) as services:
        warm = _timed(lambda: camera_moments(services, "point", *span))
    options = ["--camera", "point", "--from", span[0].isoformat(), "--to", span[1].isoformat(), "--json"]
    command = [sys.executable, "-m", "cutback.cli.app", "moments", *options, "--data", str(folder / "data")]
    began = time.monotonic()
    shown = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    process = time.monotonic() - began
    assert shown["moments"]
    return Day(HOURS, cold, warm, process)


class FileSource:
    """A `ByteSource` that reads a file."""

    def __init__(self, path: Path) -> None:
        """Open it."""
        self._file = path.open("rb")
        self.size = path.stat().st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """See `ByteSource`."""
        self._file.seek(offset)
        return self._file.read(length)

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """The file system reads ahead by itself."""


def scrubbed(cache: Path, say: Say) -> Path:
    """Return a minute of a sea with 1920 x 1080 pixels, drawn unless it is in the cache."""
    path = cache / f"sea-scrubbed-{SCRUBBED_SECONDS}.mp4"
    if not path.exists():
        say(f"drawing {path.name}")
        make_recording(path, seconds=SCRUBBED_SECONDS, size=(1920, 1080), camera="scrubbed", start=BEGINS)
    return path


def _measure_scrubbing(cache: Path, say: Say) -> Scrubbing:
    path = scrubbed(cache, say)

    def decode() -> None:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_count = 1
            for _ in container.decode():
                pass

    def spent(work: Callable[[], object]) -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    return Scrubbing(
        SCRUBBED_SECONDS,
        sprites=spent(lambda: sprites(FileSource(path), Limits())),
        waveform=spent(lambda: waveform(FileSource(path), Limits())),
        decode=spent(decode),
    )


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _services(folder: Path, files: Sequence[tuple[str, Path]]) -> Services:
    """Services over a folder with these recordings, all of them registered."""
    recordings = folder / "recordings"
    recordings.mkdir(parents=True)
    for key, path in files:
        os.link(path, recordings / key)
    services = build(Settings(data=folder))
    for result in register_all(services, [Arrival(key) for key, _ in files]):
        if isinstance(result, CutbackError):
            raise result
    return services


def _key(camera: str, begins: datetime) -> str:
    return f"{camera}.{begins:%Y-%m-%dT%H-%M-%SZ}.mp4"


def _repeat(sea: Path, path: Path, times: int) -> None:
    """Write a recording's pictures several times in a row, as copied packets."""
    with av.open(str(path), "w") as output:
        stream = None
        for number in range(times):
            with av.open(str(sea)) as source:
                video = source.streams.video[0]
                stream = stream or output.add_stream_from_template(video)
                for packet in source.demux(video):
                    if packet.size and packet.pts is not None and packet.dts is not None:
                        shift = int(Fraction(number * SECONDS) / packet.time_base)
                        packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                        output.mux(packet)


# --- the picture -----------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _TOP = 1000, 220, 24


def draw(values: Sequence[int], moments: Sequence[CameraMoment], rides: Sequence[tuple[float, float]]) -> str:
    """Return an SVG of an activity line, the moments found in it (bands) and what is really there (bars below)."""
    across, highest = _WIDTH / len(values), max(values)
    floor = _HEIGHT - 44

    def high(value: float) -> float:
        return floor - (floor - _TOP) * value / highest

    points = " ".join(f"{(n + 0.5) * across:.1f},{high(value):.1f}" for n, value in enumerate(values))
    bands, dots = [], []
    for moment in moments:
        start, end, peak = ((when - BEGINS).total_seconds() for when in (moment.begins, moment.ends, moment.peak))
        bands.append(
            f'<rect x="{start * across:.1f}" y="{_TOP}" width="{(end - start) * across:.1f}" '
            f'height="{floor - _TOP}" fill="#f4a261" opacity="{0.2 + 0.5 * moment.strength:.2f}"/>'
        )
        dots.append(f'<circle cx="{(peak + 0.5) * across:.1f}" cy="{_TOP - 8}" r="4" fill="#c8553d"/>')
    bars = [
        f'<rect x="{max(0.0, begin) * across:.1f}" y="{floor + 10}" '
        f'width="{(min(len(values), end) - max(0.0, begin)) * across:.1f}" height="8" rx="4" fill="#2a9d8f"/>'
        for begin, end in rides
        if end > 0 and begin < len(values)
    ]
    caption = (
        "activity of each second, with the moments found in it (orange, a dot at each peak); below it, in green, the "
        "rides that were drawn"
    )
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">',
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
            *bands,
            f'<polyline points="{points}" fill="none" stroke="#264653" stroke-width="1.5"/>',
            *dots,
            *bars,
            f'<text x="4" y="{_HEIGHT - 8}" fill="#264653">{caption}</text>',
            "</svg>",
            "",
        ]
    )
