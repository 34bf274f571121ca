"""`cutback settings`: shows the effective settings and where each comes from."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cutback.cli.command import command
from cutback.cli.console import escape
from cutback.cli.screen import Screen


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(
        app,
        "settings",
        panel=panel,
        examples=(("", "show changed settings"), ("--all", "show all settings"), ("--json", "print JSON for programs")),
    )(settings)


def settings(
    screen: Screen,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also show defaults.")] = False,
) -> None:
    """Show the effective settings, and where each comes from. Secrets are hidden."""
    from cutback.settings.settings import describe_settings

    found = describe_settings(data=screen.data)
    screen.document({"settings": [_as_dict(each) for each in found]})
    if screen.json:
        return
    from cutback.cli.views import formatting

    shown = [each for each in found if everything or each.origin != "default"]
    if not shown:
        screen.hint("All settings have their defaults. To show them: --all")
        return
    table = formatting.table("setting", "value", "from", clipped=["value"])
    for each in shown:
        table.add_row(each.variable, escape(each.shown), escape(each.origin))
    screen.show(table)


def _as_dict(each: Any) -> dict[str, Any]:
    return {"name": each.variable, "value": each.value, "from": each.origin}
