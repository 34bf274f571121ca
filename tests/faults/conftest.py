"""Worker processes that end with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.worker_processes import WorkerProcesses


@pytest.fixture
def make_workers(tmp_path: Path) -> Iterator[Callable[..., WorkerProcesses]]:
    made: list[WorkerProcesses] = []

    def make(**settings: Any) -> WorkerProcesses:
        made.append(WorkerProcesses(tmp_path / str(len(made)), **settings))
        return made[-1]

    yield make
    for workers in made:
        for process in workers.processes:
            process.kill()
            process.wait()
