"""The section of scanning: what it costs to take files of ten seconds into the catalogue."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.sources import SourcesError, minute_of, run_ffmpeg
from cutback.adapters.build import build
from cutback.catalogue.scan import Scanner
from cutback.lifecycle.arrivals import enter_recordings
from cutback.settings.settings import Settings

Say = Callable[[str], None]

CAMERAS = 40
SECONDS = 10
AT_ONCE = CAMERAS * 5 // SECONDS
"""New files that a scan finds every five seconds, where forty cameras write files of ten."""
LIMIT = 0.03
"""Seconds of processor time a file may cost."""

_BEGIN = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scans:
    """Seconds of processor time a file, children included."""

    files: int
    first: float
    """When all of them are new at once."""
    rate: float
    """Files a second then, by the wall clock."""
    steady: float
    """When `AT_ONCE` are new in each scan."""
    idle: float
    """For each file that is known already."""


def measure_scans(cache: Path, *, files: int, say: Say) -> Scans:
    """Scan a folder with many new files; then again and again with a few new ones; then with none.

    Raises:
        SourcesError: there is no ffmpeg to make the recordings with, or a file was not entered.
    """
    with tempfile.TemporaryDirectory(dir=cache, prefix="scans-") as name:
        root = Path(name)
        part = root / "part.mp4"
        run_ffmpeg(part, ["-i", str(minute_of(cache, "g2", say)), "-t", str(SECONDS), "-c", "copy"])
        (root / "recordings").mkdir()
        with build(Settings(data=root, scan_seconds=0)) as services:
            scanner = Scanner(services, enter_recordings)
            first, seconds = _scan(scanner, _arrive(root, part, 0, files))
            say(f"{files} new files: {first / files * 1000:.1f} ms of processor time for each, {files / seconds:.0f}/s")
            rounds = max(2, files // 4 // AT_ONCE)
            steady = sum(
                _scan(scanner, _arrive(root, part, files + number * AT_ONCE, AT_ONCE))[0] for number in range(rounds)
            )
            say(f"{AT_ONCE} new files in each scan: {steady / rounds / AT_ONCE * 1000:.1f} ms for each")
            idle, _ = _scan(scanner, 0)
    known = files + rounds * AT_ONCE
    return Scans(files, first / files, files / seconds, steady / rounds / AT_ONCE, idle / known)


def _arrive(root: Path, part: Path, start: int, count: int) -> int:
    for number in range(start, start + count):
        begins = _BEGIN + timedelta(seconds=SECONDS * (number // CAMERAS))
        path = root / "recordings" / f"camera-{number % CAMERAS:02}.{begins:%Y%m%dT%H%M%S}Z.mp4"
        shutil.copyfile(part, path)
        os.utime(path, (begins.timestamp(), begins.timestamp() + SECONDS))
    return count


def _scan(scanner: Scanner, expected: int) -> tuple[float, float]:
    """Seconds of processor time, and of the wall clock."""
    before, began = _processor_seconds(), time.perf_counter()
    found = scanner.scan()
    took = _processor_seconds() - before, time.perf_counter() - began
    if len(found.entered) != expected:
        raise SourcesError(f"{len(found.entered)} of {expected} files were entered: {found.failed}")
    return took


def _processor_seconds() -> float:
    usages = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
