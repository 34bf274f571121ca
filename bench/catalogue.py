"""The third section: finding the recordings of a moment among ten and among ten million."""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from cutback.adapters.catalogue_rules import length_class
from cutback.adapters.ordering import to_micros
from cutback.adapters.sqlite.catalogue import SqliteCatalogue
from cutback.domain.cameras.recording import CameraRecording

Say = Callable[[str], None]

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_LENGTH = timedelta(minutes=10)
_LONG = timedelta(days=1)
_SPAN = timedelta(seconds=30)
_OF_A_CAMERA = 10_000
_LOOKUPS = 5_000
_CHUNK = 500_000

_INSERT = """
    INSERT INTO recordings (key, camera, length_class, starts_at, ends_at, content)
    WITH RECURSIVE number(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :last),
    made AS (
        SELECT printf('camera-%04d', n / :each) AS camera, n % :each AS place,
            n % :each * :distance / 1000000 + :begin / 1000000 AS second FROM number
    ),
    named AS (SELECT *, camera || '.' || strftime('%Y%m%dT%H%M%S', second, 'unixepoch') || '.mp4' AS key FROM made)
    SELECT key, camera, :class, second * 1000000, second * 1000000 + :length,
        replace(replace(replace(:content, 'THE KEY', key), 'THE CAMERA', camera),
            '2026-01-01T00:00:00.000000Z', strftime('%Y-%m-%dT%H:%M:%S.000000Z', second, 'unixepoch'))
    FROM named
"""


@dataclass(frozen=True, slots=True)
class Lookups:
    """What finding takes, in seconds: (p50, p99)."""

    recordings: int
    size: int
    """Bytes of the file."""
    covering: tuple[float, float]
    neighbours: tuple[float, float]
    page: tuple[float, float]
    cameras: float
    """Listing all of them."""


def measure_catalogue(cache: Path, sizes: Sequence[int], *, say: Say) -> list[Lookups]:
    """A catalogue of each size, made below `cache` and removed again."""
    found = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="catalogue-", dir=cache) as name:
            path = Path(name) / "cutback.sqlite"
            _fill(path, size, say)
            with closing(SqliteCatalogue(path)) as catalogue:
                found.append(_measure(catalogue, path, size))
    return found


def _fill(path: Path, size: int, say: Say) -> None:
    """By SQL alone, the indexes made at last: ten million puts would take an hour."""
    cameras, each = max(1, size // _OF_A_CAMERA), min(size - 1, _OF_A_CAMERA - 1)
    sample = CameraRecording(
        key="THE KEY",
        etag='"9bb58f26192e4ba00f01e2e7b136bbd8-12"',
        size=412_345_678,
        camera="THE CAMERA",
        start=_BEGIN,
        duration=Fraction(_LENGTH // timedelta(seconds=1)),
        stored_at=_BEGIN,
        sequencer="0055AED6DCD90281E5",
        width=1920,
        height=1080,
        codecs=("h264", "aac"),
        frame_rate=Fraction(30),
        index=((0, 32), (412_000_000, 345_678)),
    )
    with closing(SqliteCatalogue(path)) as catalogue:
        for camera in range(cameras):  # of each, one that is as long as many others together
            long = {"key": f"long-{camera:04d}.mp4", "camera": f"camera-{camera:04d}", "start": _BEGIN}
            catalogue.put_recording(sample.model_copy(update={**long, "duration": Fraction(_LONG.days * 86400)}))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -262144")
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE tbl_name = 'recordings' AND type = 'index' AND sql NOT NULL"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        length = to_micros(_BEGIN + _LENGTH) - to_micros(_BEGIN)
        values = {
            "each": each,
            "distance": length,
            "length": length,
            "begin": to_micros(_BEGIN),
            "class": length_class(sample),
            "content": sample.model_dump_json(),
        }
        for first in range(0, cameras * each, _CHUNK):
            last = min(first + _CHUNK, cameras * each)
            connection.execute(_INSERT, {**values, "first": first, "last": last})
            say(f"{last + cameras:,} of {size:,} recordings catalogued")
        for _, statement in indexes:
            connection.execute(statement)
        connection.execute(
            "INSERT OR REPLACE INTO camera_lengths"
            " SELECT camera, length_class, COUNT(*) FROM recordings GROUP BY camera, length_class"
        )
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("rb") as file:
        os.fsync(file.fileno())  # or the look-ups would be measured while the disk is still busy with it
    say(f"the indexes are made; {path.stat().st_size / 1e9:.1f} GB")


def _measure(catalogue: SqliteCatalogue, path: Path, size: int) -> Lookups:
    dice = random.Random(1)
    cameras, each = max(1, size // _OF_A_CAMERA), min(size - 1, _OF_A_CAMERA - 1)
    whole, day = _LENGTH * each, min(_LONG, _LENGTH * each)

    def anywhere() -> tuple[str, datetime, datetime]:
        # Half of them at times when the day-long recording runs in parallel with others.
        moment = _BEGIN + dice.random() * (day if dice.random() < 0.5 else whole)
        return f"camera-{dice.randrange(cameras):04d}", moment, moment + _SPAN

    def covering() -> None:
        assert catalogue.covering(*anywhere())

    def neighbours() -> None:
        assert catalogue.neighbours(*anywhere())

    def page() -> None:
        camera, start, end = anywhere()
        catalogue.list_recordings(camera, start=start, end=end + _LONG)

    found, near, listed = (_timed(work, _LOOKUPS) for work in (covering, neighbours, page))
    began = time.perf_counter()
    assert sum(camera.recordings for camera in catalogue.cameras()) == cameras * (each + 1)
    return Lookups(size, path.stat().st_size, found, near, listed, time.perf_counter() - began)


def _timed(work: Callable[[], None], count: int) -> tuple[float, float]:
    took = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    took.sort()
    return took[count // 2], took[count * 99 // 100]
