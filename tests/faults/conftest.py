"""Yards, whose processes end with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.yard import Yard


@pytest.fixture
def make_yard(tmp_path: Path) -> Iterator[Callable[..., Yard]]:
    yards: list[Yard] = []

    def make(**settings: Any) -> Yard:
        yards.append(Yard(tmp_path / str(len(yards)), **settings))
        return yards[-1]

    yield make
    for yard in yards:
        for process in yard.processes:
            process.kill()
            process.wait()
