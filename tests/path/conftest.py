"""Fixtures for tests of the path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.path.harness import PathHarness
from tests.path.shell import Shell
from tests.path.text_recordings import TextRecordings
from tests.support.forking import forked_children
from tests.support.media import cached_media
from tests.support.spec import MediaSpec


@pytest.fixture
def make_harness(tmp_path: Path) -> Callable[..., PathHarness]:
    return lambda **settings: PathHarness(tmp_path / "data", **settings)


@pytest.fixture
def harness(make_harness: Callable[..., PathHarness]) -> PathHarness:
    return make_harness()


@pytest.fixture
def text_recordings(harness: PathHarness) -> TextRecordings:
    return TextRecordings(harness)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def media(pytestconfig: pytest.Config) -> Callable[[MediaSpec], Path]:
    folder = Path(pytestconfig.cache.mkdir("media"))
    return lambda spec: cached_media(spec, folder)


@pytest.fixture
def forked_cutters() -> Iterator[None]:
    """The child processes of cutters in this process are forked from one that has imported everything."""
    with forked_children():
        yield
