"""`cutback demo`: a drawn sea, a dozen requests, and what becomes of them. Ends by itself."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.live import Live

from cutback.cli.command import command
from cutback.cli.console import escape
from cutback.cli.exit_codes import UnforeseenError
from cutback.cli.screen import Screen
from cutback.domain.errors import StoppedError

if TYPE_CHECKING:
    from cutback.cli.demo.script import SubmittedWish
    from cutback.services import Services
    from cutback.settings.settings import Settings
    from cutback.worker.crew import Crew

CAMERA = "north-point"
SECONDS = 300
START = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
RECORDING = f"{CAMERA}.{START:%Y-%m-%dT%H-%M-%SZ}.mp4"

_TICK_SECONDS = 0.2
_DEADLINE_SECONDS = 900.0
_DEATHS_TOLERATED = 3


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(app, "demo", panel=panel, examples=(("", "all of it at work, in about a minute"),))(demo)


def demo(screen: Screen) -> None:
    """See it work: a drawn recording, a dozen requests, two workers.

    Draws five minutes of sea (once, and keeps them), asks for a dozen clips, shows them being made, and ends.
    """
    from cutback.adapters.build import build
    from cutback.cli.demo import view
    from cutback.cli.demo.script import submit_all
    from cutback.worker.crew import Crew
    from cutback.worker.poll import stopping_on_signals

    settings = _settings(screen)
    stop = threading.Event()
    with stopping_on_signals(stop):
        services = build(settings)
        recording = settings.data / "recordings" / RECORDING
        make_once(screen, recording, stop)
        environment = {"CUTBACK_SOURCE_STORE": settings.source_store, "CUTBACK_CLIP_STORE": settings.clip_store}
        logs = settings.data / "logs"
        asked = submit_all(services, RECORDING)
        screen.show(f"[dim]{len(asked)} requests are in the queue; {settings.workers} workers take them.[/]", "")
        with Crew(settings.workers, settings.data, logs=logs, environment=environment) as crew:
            asked = watch(screen, services, asked, crew, stop)
    screen.document(view.as_dict(services, asked, recording))
    screen.show(*view.report(services, asked, recording, screen.out.width))
    astray = [each.clip.id for each in asked if not each.as_foreseen]
    if astray:
        raise UnforeseenError(f"{', '.join(astray)} ended otherwise than foreseen; see cutback show {astray[0]}.")


def _settings(screen: Screen) -> Settings:
    """The demo keeps to its folder, wherever recordings and clips usually lie."""
    from cutback.settings.settings import load_settings

    data = load_settings(data=screen.data).data
    return load_settings(data=data, source_store=str(data / "recordings"), clip_store=str(data / "clips"))


def make_once(screen: Screen, path: Path, stop: threading.Event) -> None:
    """Draw the recording, unless it is there from an earlier time.

    Raises:
        StoppedError: `stop` was set; nothing is left behind.
    """
    from cutback.cli.views import formatting

    if path.exists():
        screen.show(
            f"[green]✓[/] [bold]{escape(str(path))}[/] [dim]is there: {formatting.size(path.stat().st_size)}[/]"
        )
        return
    from cutback.cli.demo.drawing.sea import make_recording

    path.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    if not screen.live:
        screen.hint("Drawing five minutes of sea, once ...")
    with screen.bar("drawing five minutes of sea") as moved:

        def progress(fraction: float) -> None:
            if stop.is_set():
                raise StoppedError
            moved(fraction, "")

        try:
            make_recording(path, seconds=SECONDS, camera=CAMERA, start=START, progress=progress)
        except RuntimeError as error:  # Ctrl-C reaches the processes that draw as well
            if stop.wait(_TICK_SECONDS):
                raise StoppedError from error
            raise
    screen.show(
        f"[green]✓[/] [bold]{escape(str(path))}[/] [dim]drawn in {formatting.took(time.monotonic() - began)}: "
        f"{formatting.size(path.stat().st_size)}, kept for the next time[/]"
    )


def watch(
    screen: Screen, services: Services, asked: list[SubmittedWish], crew: Crew, stop: threading.Event
) -> list[SubmittedWish]:
    """Follow the clips until all are settled.

    Raises:
        StoppedError: `stop` was set.
        UnforeseenError: workers die again and again, or it takes for ever.
    """
    from cutback.cli.demo import view

    deadline = time.monotonic() + _DEADLINE_SECONDS
    with Live(console=screen.err, transient=True, auto_refresh=False) as live:
        while True:
            crew.tend()
            before, asked = asked, [each.refreshed(services) for each in asked]
            if screen.live:
                live.update(view.moving_table(asked), refresh=True)
            else:
                screen.show(*view.changes(before, asked))
            if all(each.clip.state.final for each in asked):
                return asked
            if crew.deaths > _DEATHS_TOLERATED or time.monotonic() > deadline:
                raise UnforeseenError(f"The workers' logs say why: {services.settings.data / 'logs'}.")
            if stop.wait(_TICK_SECONDS):
                raise StoppedError("The clips stay in the queue; cutback up goes on with them.")
