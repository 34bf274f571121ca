"""The commands by name. Each is imported when it is called, so `cutback --version` imports none of them."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from cutback.domain.errors import WrongUsageError

COMMANDS = {
    "Single recordings": {
        "cut": "cutback.cli.commands.cut",
        "probe": "cutback.cli.commands.cut",
        "plan": "cutback.cli.commands.plan",
    },
    "Clips": {
        "submit": "cutback.cli.commands.clips",
        "clips": "cutback.cli.commands.clips",
        "show": "cutback.cli.commands.clips",
        "cancel": "cutback.cli.commands.clips",
        "delete": "cutback.cli.commands.clips",
        "retry": "cutback.cli.commands.clips",
        "events": "cutback.cli.commands.events",
        "dead-letters": "cutback.cli.commands.dead_letters",
        "redrive": "cutback.cli.commands.dead_letters",
    },
    "Cameras": {
        "cameras": "cutback.cli.commands.cameras",
        "recordings": "cutback.cli.commands.cameras",
        "moments": "cutback.cli.commands.moments",
        "scan": "cutback.cli.commands.scan",
        "register": "cutback.cli.commands.scan",
    },
    "Operation": {
        "up": "cutback.cli.commands.up",
        "api": "cutback.cli.commands.api",
        "keys": "cutback.cli.commands.keys",
        "tenants": "cutback.cli.commands.tenants",
        "status": "cutback.cli.commands.status",
        "settings": "cutback.cli.commands.settings",
        "backup": "cutback.cli.commands.backup",
        "migrate": "cutback.cli.commands.migrate",
        "worker": "cutback.cli.commands.worker",
        "demo": "cutback.cli.demo.command",
        "presets": "cutback.cli.commands.presets",
        "schema": "cutback.cli.commands.schema",
    },
}
"""The panels of `cutback --help`, each with its commands and the modules that register them."""

_MODULES = {name: (panel, module) for panel, commands in COMMANDS.items() for name, module in commands.items()}


class LazyGroup(TyperGroup):
    """A group that knows the names of its commands, and imports each only when needed."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return every command, in the order of the help."""
        del ctx
        return list(_MODULES)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """Return the command with that name; None if there is none."""
        if cmd_name not in self.commands and cmd_name in _MODULES:
            self.commands.update(load(cmd_name))
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """Find the command to call.

        Raises:
            WrongUsageError: there is no such command.
        """
        name = args[0]
        if ctx.resilient_parsing and name not in _MODULES:
            return None, None, []  # a shell that completes a line with an unknown command
        if name not in _MODULES and not name.startswith("-"):
            close = difflib.get_close_matches(name, _MODULES, n=1)
            hint = f"Did you mean {close[0]}?" if close else "cutback --help lists them."
            raise WrongUsageError(f"Unknown command: {name}. {hint}")
        return super().resolve_command(ctx, args)


def load(name: str) -> dict[str, TyperCommand]:
    """Return the commands of the module that registers `name`, by name."""
    panel, module = _MODULES[name]
    app = typer.Typer()
    app.callback()(_together)  # otherwise an app with one command becomes that command
    importlib.import_module(module).register(app, panel)
    return dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def _together() -> None:
    pass
