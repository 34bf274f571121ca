"""SqliteRegistry: the registry contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.registry_contract import RegistryContract, RegistryFactory

from cutback.adapters.sqlite.registry import SqliteRegistry


class SqliteRegistryFactory(RegistryFactory):
    def __init__(self, path: Path) -> None:
        self.path = path
        self.opened: list[SqliteRegistry] = []

    def open(self) -> SqliteRegistry:
        self.opened.append(SqliteRegistry(self.path))
        return self.opened[-1]


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[SqliteRegistryFactory]:
    factory = SqliteRegistryFactory(tmp_path / "cutback.sqlite")
    yield factory
    for registry in factory.opened:
        registry.close()


class TestSqliteRegistry(RegistryContract):
    """All of the contract."""
