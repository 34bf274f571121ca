"""Runs the same function in several threads or processes that start together."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, TypeVar

from tests.support.waiting import PATIENCE

T = TypeVar("T")


def in_threads(count: int, work: Callable[[int], T]) -> list[T]:
    """The results of `work(0)` … `work(count - 1)`, all begun at the same moment."""
    start = threading.Barrier(count)

    def run(number: int) -> T:
        start.wait(PATIENCE)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count), timeout=PATIENCE))


def in_processes(work: Callable[..., T], arguments: Sequence[Any]) -> list[T]:
    """The results of `work(argument)` for each argument, each in a fresh process, begun at about one moment.

    `work` is a module's function and everything is picklable; nothing is inherited.
    """
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(len(arguments), mp_context=context) as pool:
        start = manager.Barrier(len(arguments))
        futures = [pool.submit(_after, start, work, argument) for argument in arguments]
        return [future.result(PATIENCE) for future in futures]


def _after(start: Any, work: Callable[..., T], argument: Any) -> T:
    start.wait(PATIENCE)
    return work(argument)
