"""Fixtures for tests of the REST API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.forking import forked_children
from tests.web.harness import WebHarness


@pytest.fixture
def make_web(tmp_path: Path) -> Iterator[Callable[..., WebHarness]]:
    made: list[WebHarness] = []

    def make(**settings: object) -> WebHarness:
        made.append(WebHarness(tmp_path / f"data-{len(made)}", **settings))
        return made[-1]

    yield make
    for harness in made:
        harness.close()


@pytest.fixture
def web(make_web: Callable[..., WebHarness]) -> WebHarness:
    return make_web()


@pytest.fixture
def forked_cutters() -> Iterator[None]:
    """The child processes of cutters in this process are forked from one that has imported everything."""
    with forked_children():
        yield
