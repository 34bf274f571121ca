"""`cutback presets`: what the presets of requests expand to."""

from __future__ import annotations

import json

import typer

from cutback.cli.command import command
from cutback.cli.screen import Screen


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(
        app, "presets", panel=panel, examples=(("", "the built-in presets, and those of the file in CUTBACK_PRESETS"),)
    )(presets)


def presets(screen: Screen) -> None:
    """List the presets of requests, and the edits and output fields to which they expand."""
    from rich.table import Table

    from cutback.cli.console import escape
    from cutback.domain.requests.presets import PRESETS

    own = screen.settings().request_rules.presets
    found = [{"preset": name, "own": name in own, **each.as_json()} for name, each in {**PRESETS, **own}.items()]
    if screen.json:
        screen.document({"presets": found})
        return
    table = Table("PRESET", "EDITS", "OUTPUT", box=None, pad_edge=False)
    for row in found:
        edits = "\n".join(escape(json.dumps(edit, ensure_ascii=False)) for edit in row["edits"])
        table.add_row(row["preset"], edits, escape(json.dumps(row["output"]) if row["output"] else ""))
    screen.show(table)
