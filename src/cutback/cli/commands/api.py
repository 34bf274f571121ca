"""`cutback api`: serves the REST API, without workers."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from cutback.cli.command import command
from cutback.cli.exit_codes import Exit
from cutback.cli.screen import Screen

if TYPE_CHECKING:
    from cutback.web.api.serve import ApiServer

_TICK_SECONDS = 0.5

Listen = Annotated[
    str | None, typer.Option("--listen", metavar="HOST:PORT", help="Where the API listens (CUTBACK_LISTEN).")
]


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(
        app,
        "api",
        panel=panel,
        examples=(
            ("", "serve the API on 127.0.0.1:8080"),
            ("--listen 0.0.0.0:8080", "serve other machines as well, which needs an API key"),
        ),
    )(api)


def api(screen: Screen, listen: Listen = None) -> None:
    """Serve the REST API until Ctrl-C, without workers.

    After SIGTERM or Ctrl-C, the server finishes what it has begun. A second signal ends it at once.
    """
    from cutback.adapters.build import build
    from cutback.settings.settings import load_settings
    from cutback.web.api.serve import ApiServer
    from cutback.worker.logs import configure_logging
    from cutback.worker.signals import stopping_on_signals

    settings = load_settings(data=screen.data, listen=listen)
    configure_logging(settings.log_level, settings.log_format)
    stop = threading.Event()
    with stopping_on_signals(stop), build(settings) as services:
        services.check()
        with ApiServer(services) as server:
            screen.show(f"The API answers at [bold]{server.url}[/]")
            screen.document({"url": server.url})
            while server.running and not stop.wait(_TICK_SECONDS):
                pass
        screen.document({"url": server.url, "stopped": True})
        end_if_it_hangs(server)


def end_if_it_hangs(server: ApiServer) -> None:
    """End the process if a request hangs in a library: Python would wait for its thread."""
    if not server.ended:
        logging.shutdown()
        os._exit(Exit.FAILED)
