"""Long tables of cases: a few of them run in `make test`, the others in `make test-slow` or in a soak."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import cycle, islice
from typing import Any

import pytest


def examples(many: int) -> int:
    """How many examples a property is tried with: all of them with CI=true, as `.ci/run` sets it, else a quarter."""
    return many if os.environ.get("CI") else many // 4


def each_once(*axes: Sequence[Any]) -> list[tuple[Any, ...]]:
    """As few combinations of the axes' values as hold each value at least once."""
    longest = max(map(len, axes))
    return list(zip(*(islice(cycle(axis), longest) for axis in axes), strict=True))


def slow_except(cases: Iterable[Any], *quick: Any, slow_one_in: int = 1) -> list[Any]:
    """The cases as parameters; all but the `quick` ones are marked slow.

    With `slow_one_in`, only one in so many of these is; the others are marked as a soak.

    Raises:
        ValueError: a quick one is not among the cases.
    """
    cases = list(cases)
    if missing := [case for case in quick if case not in cases]:
        raise ValueError(f"not among the cases: {missing}")
    slow = [case for case in cases if case not in quick][::slow_one_in]
    return [
        case if case in quick else pytest.param(case, marks=pytest.mark.slow if case in slow else pytest.mark.soak)
        for case in cases
    ]
