"""Recordings that are made once per session, and checks for leftovers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.media.recordings import ReferenceRecording, reference_recording

from cutback.sandbox.cutter import ChildCutter


@pytest.fixture(scope="session")
def media_folder(pytestconfig: pytest.Config) -> Path:
    """Where generated recordings are kept from one run to the next."""
    return Path(pytestconfig.cache.mkdir("media"))


@pytest.fixture(scope="session")
def recording(media_folder: Path) -> Callable[[str], ReferenceRecording]:
    """A recording of the catalogue by its name."""
    return cache(lambda name: reference_recording(name, media_folder))


@pytest.fixture
def cutter() -> Iterator[ChildCutter]:
    """A cutter with child processes, closed in the end."""
    made = ChildCutter(warm=False)
    yield made
    made.close()


@pytest.fixture(scope="session")
def ffmpeg() -> Callable[..., None]:
    """Runs the ffmpeg program of the system with arguments."""
    program = shutil.which("ffmpeg")
    if program is None and os.environ.get("CI"):
        pytest.fail("ffmpeg is missing: apt-get install ffmpeg")
    if program is None:
        pytest.skip("ffmpeg is missing: apt-get install ffmpeg")

    def run(*arguments: str) -> None:
        subprocess.run([program, "-v", "error", "-nostdin", "-y", *arguments], check=True)

    return run
