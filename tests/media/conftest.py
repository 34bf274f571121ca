"""Recordings that are made once per session, a browser for clips, and checks for leftovers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from tests.media.recordings import ReferenceRecording, reference_recording
from tests.support.browser import PAGE, chromium, served, without_complaints
from tests.support.forking import forked_children
from tests.support.made_once import made_once

from cutback.sandbox.cutter import ChildCutter


@pytest.fixture(scope="session")
def media_folder(pytestconfig: pytest.Config) -> Path:
    """Where generated recordings are kept from one run to the next."""
    return Path(pytestconfig.cache.mkdir("media"))


@pytest.fixture(scope="session")
def recording(media_folder: Path) -> Callable[[str], ReferenceRecording]:
    """A recording of the catalogue by its name."""
    return cache(lambda name: reference_recording(name, media_folder))


@pytest.fixture(scope="session")
def tone(media_folder: Path) -> Path:
    """Six seconds of 440 Hz, without pictures."""

    def make(path: Path) -> None:
        with av.open(str(path), "w") as container:
            stream = container.add_stream("aac", 48_000)
            stream.layout = "mono"
            wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(6 * 48_000) / 48_000)
            frame = av.AudioFrame.from_ndarray(wave.astype(np.float32).reshape(1, -1), "fltp", "mono")
            frame.sample_rate = 48_000
            for each in (frame, None):
                container.mux(stream.encode(each))

    return made_once(media_folder / "tone-440.mp4", make)


@pytest.fixture
def cutter(forked_cutters: None) -> Iterator[ChildCutter]:
    """A cutter whose child processes are forked from one that has imported everything, closed in the end."""
    with closing(ChildCutter(warm=False)) as made:
        yield made


@pytest.fixture
def forked_cutters() -> Iterator[None]:
    """The child processes of cutters in this process are forked from one that has imported everything."""
    with forked_children():
        yield


@pytest.fixture
def interpreter_cutter() -> Iterator[ChildCutter]:
    """A cutter whose child processes start as in a worker: for tests of these processes, as they cost 0.4 s each."""
    with closing(ChildCutter(warm=False)) as made:
        yield made


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


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """What the server offers."""
    return {"/": PAGE}


@pytest.fixture(scope="module")
def address(files: dict[str, bytes]) -> Iterator[str]:
    """The server's address."""
    with served(files) as at:
        yield at


@pytest.fixture(scope="module")
def browser_page(address: str) -> Iterator[Any]:
    """A page in the machine's own Chromium."""
    with chromium(address) as made:
        yield made


@pytest.fixture
def page(browser_page: Any) -> Iterator[Any]:
    """The page; the test fails if it complains meanwhile."""
    with without_complaints(browser_page.context):
        yield browser_page
