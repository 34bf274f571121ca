"""`cutback schema`: prints the request format, for programs and editors."""

from __future__ import annotations

import json
import sys

import typer

from cutback.cli.command import command
from cutback.cli.screen import Screen


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(
        app, "schema", panel=panel, examples=(("> clip-request.schema.json", "write it to a file, for an editor"),)
    )(schema)


def schema(screen: Screen) -> None:
    """Print the JSON Schema of a clip request."""
    from cutback.domain.requests.request import ClipRequest

    content = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ClipRequest.model_json_schema(mode="validation"),
    }
    indent = None if screen.json else 2
    sys.stdout.write(json.dumps(content, indent=indent, ensure_ascii=False) + "\n")
