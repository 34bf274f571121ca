"""A real file system that fills up, for tests of full and read-only disks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """Mount one at `place`. Where that is not permitted the test is skipped, or, with CI set, fails."""
    place.mkdir(parents=True, exist_ok=True)
    options = f"size={megabytes}m"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        why = f"a small file system cannot be mounted here: {mounted.stderr.strip()}"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def make_read_only(place: Path, *, read_only: bool = True) -> None:
    """Let nothing more be written there, or let it again."""
    subprocess.run(["mount", "-o", f"remount,{'ro' if read_only else 'rw'}", place], check=True)
