"""`cutback backup`: copies the database while workers run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cutback.cli.command import command
from cutback.cli.console import escape
from cutback.cli.screen import Screen


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(app, "backup", panel=panel, examples=(("/backups/cutback.sqlite", "copy it while workers run"),))(backup)


def backup(
    screen: Screen,
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Write the copy to this file or folder.")],
    *,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing file.")] = False,
) -> None:
    """Copy the database (queue, records, catalogue, events) to a file, while workers run.

    Recordings and clips are not copied: they are files, or objects in a store.
    """
    from cutback.adapters.build import back_up
    from cutback.cli.views import formatting

    settings = screen.settings()
    screen.existing().close()
    path = target / settings.database_path.name if target.is_dir() else target
    size = back_up(settings, path, replace=force)
    screen.document({"path": str(path), "size": size})
    screen.show(f"[green]✓[/] [bold]{escape(str(path))}[/] [dim]{formatting.size(size)}[/]")
