"""The examples of docs/api.md and the README run as they stand against a real server with a worker."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.media import cached_media
from tests.support.spec import MediaSpec
from tests.support.waiting import PATIENCE
from tests.web.api_process import ApiProcess, api_process

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/api.md", "README.md")
TEXT = "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
EXAMPLES = re.findall(r"^<!-- test: api -->\n```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
ADDRESS = "http://127.0.0.1:8080"
CURL = 'curl() { command curl --fail-with-body "$@"; }\n'
RECORDINGS = ("sea.mp4", "north-point.2026-06-21T05-30-00Z.mp4")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[ApiProcess]:
    folder = tmp_path_factory.mktemp("reader")
    made = cached_media(MediaSpec(frames=900, gop=60), Path(pytestconfig.cache.mkdir("media")))
    recordings = folder / "cutback-data" / "recordings"
    recordings.mkdir(parents=True)
    for name in RECORDINGS:
        shutil.copy(made, recordings / name)
    with api_process(folder) as server:
        assert server.shell.run("scan")[0] == 0
        server.shell.start("worker")
        yield server


def run(server: ApiProcess, example: str) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", CURL + example.replace(ADDRESS, server.url)],
        cwd=server.shell.folder, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{example}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_examples_run(running: ApiProcess) -> None:
    """All of them, in order: later ones build on earlier ones."""
    assert EXAMPLES
    for example in EXAMPLES:
        run(running, example)


def test_the_first_example_makes_a_clip(running: ApiProcess) -> None:
    assert '"state":"ready"' in run(running, EXAMPLES[0])
