"""The fifth section: what a Lambda function imports at a cold start, from the same zip that it runs."""

from __future__ import annotations

import platform
import re
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.lambda_zip import PYTHON, build, find_python

Say = Callable[[str], None]

HANDLER = "cutback.worker.aws_lambda"
LIMIT = 0.7
_SHOWN = 12
_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| (\s*)(\S+)")


@dataclass(frozen=True, slots=True)
class ColdStart:
    """Of the handler's import."""

    python: str
    seconds: float
    """Median of the runs, in a fresh interpreter each; bytecode is in the zip."""
    zipped: int
    unpacked: int
    """Bytes."""
    costly: tuple[tuple[str, float], ...]
    """Packages by what importing them took, seconds, what they import in turn included."""


def measure_cold_start(cache: Path, *, runs: int, say: Say) -> ColdStart:
    """Build the zip for this processor, unpack it, and import the handler from there alone."""
    version = PYTHON if find_python(PYTHON) else f"{sys.version_info[0]}.{sys.version_info[1]}"
    python = find_python(version)
    assert python is not None
    say(f"building the zip for Python {version}")
    made = build("arm64" if platform.machine() == "aarch64" else "x86_64", version, cache / "lambda")
    folder = cache / "lambda" / "unpacked"
    with zipfile.ZipFile(made) as archive:
        archive.extractall(folder)
        unpacked = sum(entry.file_size for entry in archive.infolist())
    program = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); import time; t = time.perf_counter(); import {HANDLER}; "
    )
    taken = [float(_run(python, program + "print(time.perf_counter() - t)")[0]) for _ in range(runs + 1)][1:]
    _, listing = _run(python, program, "-X", "importtime")
    say(f"imported in {statistics.median(taken):.3f} s")
    return ColdStart(version, statistics.median(taken), made.stat().st_size, unpacked, _costly(listing))


def _run(python: str, program: str, *options: str) -> tuple[str, str]:
    done = subprocess.run([python, "-I", "-S", *options, "-c", program], check=True, capture_output=True, text=True)
    return done.stdout, done.stderr


def _costly(listing: str) -> tuple[tuple[str, float], ...]:
    """The costliest packages of `-X importtime`, each with all that it was the first to import."""
    took: dict[str, float] = {}
    for _, total, _, name in _LINE.findall(listing):
        if "." not in name or (name.startswith("cutback.") and name.count(".") == 1):
            took[name] = max(took.get(name, 0.0), int(total) / 1e6)
    return tuple(sorted(took.items(), key=lambda each: -each[1])[:_SHOWN])
