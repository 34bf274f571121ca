"""Items computed ahead arrive in order, stop in time, and pass on errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from tests.support.waiting import PATIENCE

from cutback.cutting.decode_ahead import ahead


def test_items_come_in_order_and_all_of_them() -> None:
    assert list(ahead(iter(range(100)), 4)) == list(range(100))
    assert list(ahead(iter(()), 4)) == []


def test_no_more_than_so_many_are_worked_out_before_they_are_taken() -> None:
    begun, enough = [], threading.Event()

    def items() -> Iterator[int]:
        for number in range(20):
            begun.append(number)
            if number == 4:
                enough.set()
            yield number

    taken = ahead(items(), 4)
    assert next(taken) == 0
    assert enough.wait(PATIENCE)
    taken.close()
    assert len(begun) <= 6


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("three")

    taken = ahead(items(), 4)
    assert [next(taken), next(taken)] == [1, 2]
    with pytest.raises(ValueError, match="three"):
        next(taken)


def test_closing_waits_for_the_thread() -> None:
    taken = ahead(iter(range(1000)), 2)
    next(taken)
    taken.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
