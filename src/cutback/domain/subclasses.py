"""Finds the classes that the modules of a package define, so that a new module needs no entry in a list."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def subclasses_in(package: ModuleType, base: type[T]) -> tuple[type[T], ...]:
    """Import the modules of a package; return the subclasses of `base` that they define.

    They are in the order of the modules' names, and in each module in the order in which it defines them.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."))
    return tuple(
        found
        for name in names
        for found in vars(import_module(name)).values()
        if isinstance(found, type) and issubclass(found, base) and found.__module__ == name
    )
