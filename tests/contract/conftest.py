"""What the contract suites share."""

from __future__ import annotations

import pytest
from tests.contract.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
