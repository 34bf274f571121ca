"""What the server of `forking` imports before it forks: the commands, and what the child that cuts needs."""

from __future__ import annotations

from importlib import import_module

from cutback.cli.lazy_group import COMMANDS
from cutback.sandbox.preload import preload

MODULES = {module for commands in COMMANDS.values() for module in commands.values()}

for name in sorted({*MODULES, "cutback.adapters.build", "cutback.sandbox.child", "tests.support.forking"}):
    import_module(name)
preload()
