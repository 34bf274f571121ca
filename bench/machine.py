"""Records when, where and with which command figures were measured."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import av

import cutback


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a reader has to know before comparing figures."""

    date: str
    command: str
    cores: int
    memory: int
    """Bytes."""
    processor: str
    python: str
    cutback: str
    av: str
    ffmpeg: str
    load: float
    """Average load of the last minute as the run began: much of it means that the figures say little."""

    def line(self) -> str:
        """All of it, in a sentence for the page."""
        return (
            f"Measured {self.date} by `{self.command}` on {self.cores} cores ({self.processor}), "
            f"{self.memory / 2**30:.0f} GiB of memory, Python {self.python}, Cutback {self.cutback}, "
            f"PyAV {self.av}, ffmpeg {self.ffmpeg}; load at the start {self.load:.1f}."
        )


def circumstances(command: str) -> Circumstances:
    """Of this moment and this machine (Linux)."""
    return Circumstances(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        command=command,
        cores=len(os.sched_getaffinity(0)),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        processor=_processor(),
        python=platform.python_version(),
        cutback=cutback.__version__,
        av=av.__version__,
        ffmpeg=_ffmpeg(),
        load=os.getloadavg()[0],
    )


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _ffmpeg() -> str:
    try:
        told = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "not installed"
    return told.split()[2]
