"""Which tests `make test` leaves to `make test-slow`."""

from __future__ import annotations

from pathlib import Path
from subprocess import run
from sys import executable

import pytest
from tests.support.long_tests import IN_EVERY_RUN, LIST, listed, long_ones, missing

ROOT = Path(__file__).parents[2]


def test_of_several_cases_the_quickest_stays() -> None:
    seconds = {"a.py::one": 0.6, "a.py::two[x]": 0.7, "a.py::two[y]": 0.6, "a.py::three[x]": 1.1, "a.py::quick": 0.3}
    assert long_ones(seconds) == ["a.py::three[x]", "a.py::two[x]", "a.py::one"]


def test_what_is_important_stays() -> None:
    assert long_ones(dict.fromkeys(IN_EVERY_RUN, 20.0)) == []
    assert not IN_EVERY_RUN & {*listed(LIST.read_text().splitlines())}


def test_a_test_that_is_gone_is_named() -> None:
    long = listed(["# seconds, test", "2.5 a.py::gone[x y]", "1.0 a.py::there", "1.0 not_collected.py::test"])
    assert missing(long, ["a.py::there", "b.py::other"]) == ["a.py::gone[x y]"]


@pytest.mark.slow
@pytest.mark.parametrize(("choice", "chosen"), [("slow", True), ("not slow", False)])
def test_a_long_test_is_slow(choice: str, *, chosen: bool) -> None:
    long = next(test for test in listed(LIST.read_text().splitlines()) if "[" not in test)
    collected = run(
        [executable, "-m", "pytest", "-q", "--collect-only", "-m", choice, long],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (long in collected.stdout) == chosen
