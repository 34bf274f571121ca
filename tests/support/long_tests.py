"""The tests that take long: `make test` leaves them to `make test-slow`, so that it ends within five minutes.

They stand in tests/long_tests.txt, with the seconds that each took on two quiet cores. `make test-timings` measures
them and writes the file anew. Of a test with several cases, the quickest case stays in `make test`, unless it alone
takes long.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

LIST = Path(__file__).parent.parent / "long_tests.txt"

LONG = 0.4
"""Seconds from which a test is long."""
LONG_FOR_ALL = 0.8
"""Seconds from which even the quickest case of a test is long."""

IN_EVERY_RUN = frozenset(
    {
        "tests/unit/test_docs.py::test_examples_run_as_they_stand[README.md]",
        "tests/path/test_cli_path.py::test_up_makes_what_is_submitted_and_stops_cleanly",
        "tests/path/test_cli_path.py::test_a_worker_that_dies_is_replaced",
        "tests/faults/test_worker_kills.py::test_a_worker_asked_to_stop_gives_its_job_back_at_once[2]",
        "tests/faults/test_worker_kills.py::test_kills_lose_nothing_and_double_nothing[a dozen]",
        "tests/faults/test_sqlite_kills.py::test_what_was_acknowledged_survives_any_kill",
    }
)
"""Too important to be left out, however long they take."""


def long_ones(seconds: Mapping[str, float]) -> list[str]:
    """The ids of those that are long, of tests that took so many seconds; the longest first. Pure."""
    cases: dict[str, list[str]] = defaultdict(list)
    for test in seconds:
        cases[test.partition("[")[0]].append(test)
    kept = {
        quickest
        for tests in cases.values()
        if len(tests) > 1 and seconds[quickest := min(tests, key=lambda each: seconds[each])] < LONG_FOR_ALL
    }
    found = [test for test in seconds if seconds[test] >= LONG and test not in kept | IN_EVERY_RUN]
    return sorted(found, key=lambda test: -seconds[test])


def listed(lines: Iterable[str]) -> dict[str, float]:
    """The tests and seconds of a file like tests/long_tests.txt. Pure."""
    pairs = (line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    return {test: float(seconds) for seconds, test in pairs}


def missing(long: Iterable[str], collected: Iterable[str]) -> list[str]:
    """Those of the long tests that no longer exist, as far as the files were collected that held them. Pure."""
    found = set(collected)
    files = {test.partition("::")[0] for test in found}
    return [test for test in long if test.partition("::")[0] in files and test not in found]


def mark(items: Sequence[pytest.Item], *, whole_files: bool) -> None:
    """Mark the tests of the list as `slow` and `long`.

    Raises:
        UsageError: the list names a test that does not exist; only `whole_files` show that.
    """
    long = listed(LIST.read_text().splitlines())
    if whole_files and (gone := missing(long, (item.nodeid for item in items))):
        raise pytest.UsageError(f"Take what does not exist any more out of tests/{LIST.name}: " + ", ".join(gone))
    for item in items:
        if item.nodeid in long:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.long)


def _measured(report: Path) -> dict[str, float]:
    """The seconds of all tests in a report that pytest wrote (`--junitxml`, family xunit1)."""
    found: dict[str, float] = {}
    for case in ET.parse(report).iter("testcase"):
        file, name = case.attrib["file"], case.attrib["name"]
        inside = case.attrib["classname"].removeprefix(file.removesuffix(".py").replace("/", "."))
        test = "::".join([file, *filter(None, inside.split(".")), name])
        found[test] = found.get(test, 0) + float(case.attrib["time"])
    return found


def _write(seconds: Mapping[str, float]) -> None:
    about = "# Written by `make test-timings`: seconds on two cores, and the test. See tests/support/long_tests.py."
    LIST.write_text("\n".join([about, *(f"{seconds[test]:.1f} {test}" for test in long_ones(seconds))]) + "\n")


if __name__ == "__main__":
    _write(_measured(Path(sys.argv[1])))
