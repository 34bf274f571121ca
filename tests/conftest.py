"""What holds for all tests."""

from __future__ import annotations

import pytest
from hypothesis import settings
from tests.support import real_time
from tests.support.long_tests import mark


def pytest_configure() -> None:
    """Begin in each process that runs tests."""
    real_time.give_up()
    settings.register_profile("patient", deadline=None)  # on a busy machine, any example may take long
    settings.load_profile("patient")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what takes long, before `-m` and `-k` choose."""
    mark(items, whole_files=not any("::" in argument for argument in config.args))
