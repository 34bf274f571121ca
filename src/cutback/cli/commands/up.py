"""`cutback up`: runs all of Cutback on one machine, with a live view."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from cutback.cli.command import command
from cutback.cli.commands.api import Listen, end_if_it_hangs
from cutback.cli.screen import Screen


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(
        app,
        "up",
        panel=panel,
        examples=(
            ("", "run CUTBACK_WORKERS workers until Ctrl-C"),
            ("--workers 4 --data /srv/cutback", "run four workers on another data folder"),
            ("--listen 127.0.0.1:8081", "serve the API on another port"),
        ),
    )(up)


def up(
    screen: Screen,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Start this many workers (CUTBACK_WORKERS).")
    ] = None,
    listen: Listen = None,
    *,
    no_api: Annotated[bool, typer.Option("--no-api", help="Do not serve the API.")] = False,
) -> None:
    """Run everything on this machine, until Ctrl-C.

    Starts workers, restarts them if they die, serves the REST API, and shows what happens.
    """
    from cutback.adapters.build import build
    from cutback.catalogue.scan import scanning
    from cutback.cli.folder_lock import only_one
    from cutback.cli.views.live import View, follow
    from cutback.lifecycle.arrivals import enter_recordings
    from cutback.settings.settings import load_settings
    from cutback.web.api.serve import ApiServer
    from cutback.worker.crew import Crew
    from cutback.worker.logs import configure_logging
    from cutback.worker.signals import stopping_on_signals

    settings = load_settings(data=screen.data, workers=workers, listen=listen)
    services = build(settings)
    services.check()
    logs: Path | None = None
    if screen.live:
        logs = settings.data / "logs"  # log lines would disturb the view
    else:
        configure_logging(settings.log_level, settings.log_format)
    view = View(services)
    stop = threading.Event()
    with ExitStack() as stack:
        stack.enter_context(only_one(settings.data))
        services.clips.check_writable()
        server = None if no_api else ApiServer(services)
        stack.enter_context(stopping_on_signals(stop))
        stack.enter_context(scanning(services, stop, enter_recordings))
        crew = stack.enter_context(Crew(settings.workers, settings.data, logs=logs))
        if server is not None:
            stack.enter_context(server)
            screen.hint(f"The API answers at {server.url}")
        follow(screen, view, crew, stop)
    if screen.live:
        screen.hint(f"Stopped. The workers' logs are in {logs}.")
    services.tracer.close()
    if server is not None:
        end_if_it_hangs(server)
