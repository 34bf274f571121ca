"""`cutback demo`: draws a sea, sends some requests and shows their clips. Ends by itself, or serves the pages."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.live import Live

from cutback.cli.command import command
from cutback.cli.commands.api import Listen, end_if_it_hangs
from cutback.cli.console import escape
from cutback.cli.demo.recordings import DAY, FIRST, SECOND
from cutback.cli.exit_codes import UnforeseenError
from cutback.cli.screen import Screen
from cutback.domain.errors import StoppedError

if TYPE_CHECKING:
    from cutback.cli.demo.background import BackgroundDrawing
    from cutback.cli.demo.script import SubmittedWish
    from cutback.services import Services
    from cutback.settings.settings import Settings
    from cutback.web.api.serve import ApiServer
    from cutback.worker.crew import Crew

_TICK_SECONDS = 0.2
_STILL_SECONDS = 900.0
"""How long the demo waits without any progress."""
_DEATHS_TOLERATED = 3


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    examples = (
        ("", "see everything at work, in a minute or two"),
        ("--serve", "the same with the pages, which stay up until Ctrl-C"),
    )
    command(app, "demo", panel=panel, examples=examples)(demo)


def demo(
    screen: Screen,
    *,
    serve: Annotated[
        bool,
        typer.Option(
            "--serve",
            help="Serve the pages until Ctrl-C. If the output is not a terminal, check that they answer, and end.",
        ),
    ] = False,
    listen: Listen = None,
) -> None:
    """Show Cutback at work: a drawn recording, fifteen requests, two workers.

    Draws a minute of sea, requests clips of it, and draws a second camera meanwhile. Shows how the clips are made, and
    ends. The recordings are kept for the next time.

    With --serve, both cameras get more recordings of the same day, and the pages stay up. The clips are requested only
    once.
    """
    from cutback.adapters.build import build
    from cutback.catalogue.register import register
    from cutback.cli.demo import view
    from cutback.cli.demo.background import BackgroundDrawing
    from cutback.cli.demo.logo import draw_logo
    from cutback.cli.demo.script import LOGO, WISHES, next_run, submit_all
    from cutback.cli.demo.serving import check_pages, serving, stay_up
    from cutback.worker.crew import Crew
    from cutback.worker.signals import stopping_on_signals

    settings = _settings(screen, listen)
    stop = threading.Event()
    server: ApiServer | None = None
    with stopping_on_signals(stop), ExitStack() as stack:
        folder = settings.data / "recordings"
        folder.mkdir(parents=True, exist_ok=True)
        draw_logo(settings.data / "assets" / LOGO)
        services = stack.enter_context(build(settings))
        if serve:
            server = stack.enter_context(serving(screen, services, stop))
        make_once(screen, folder / FIRST.key, settings.data, stop)
        environment = {
            "CUTBACK_SOURCE_STORE": settings.source_store,
            "CUTBACK_CLIP_STORE": settings.clip_store,
            "CUTBACK_ASSETS": settings.assets,
        }
        register(services, FIRST.key)
        run = 1 if serve else next_run(services)
        asked = submit_all(services, WISHES, FIRST.key, run, kept=serve)
        left = sum(not each.clip.state.final for each in asked)
        screen.show(
            f"[dim]{left} requests are in the queue; {settings.workers} workers make the clips.[/]"
            if left
            else "[dim]The clips are there from an earlier start.[/]",
            "",
        )
        crew = stack.enter_context(
            Crew(settings.workers, settings.data, logs=settings.data / "logs", environment=environment)
        )
        with BackgroundDrawing(folder, (SECOND, *DAY) if serve else (SECOND,), settings.data) as drawing:
            asked = watch(screen, services, asked, run, crew, drawing, stop, kept=serve)
        if serve:
            for each in DAY:
                register(services, each.key)
        result = view.as_dict(services, asked, folder / FIRST.key)
        screen.document(result if server is None else {**result, "url": server.url})
        screen.show(*view.report(services, asked, folder / FIRST.key, screen.out.width, serve=serve))
        astray = [each.clip.id for each in asked if not each.as_foreseen]
        if server is not None and screen.interactive:
            stay_up(screen, services, crew, server, stop)
        elif astray:
            raise UnforeseenError(f"{', '.join(astray)} ended unexpectedly. To see why: cutback show {astray[0]}")
        elif server is not None:
            check_pages(screen, services, server.url, asked)
    if server is not None:
        end_if_it_hangs(server)


def _settings(screen: Screen, listen: str | None) -> Settings:
    """Use only the demo's own folder, whatever stores the settings name."""
    from cutback.settings.settings import load_settings

    data = load_settings(data=screen.data).data
    return load_settings(
        data=data,
        listen=listen,
        source_store=str(data / "recordings"),
        clip_store=str(data / "clips"),
        assets=str(data / "assets"),
    )


def make_once(screen: Screen, path: Path, scratch: Path, stop: threading.Event) -> None:
    """Draw the first recording, unless it exists already. `scratch` is a folder that nothing scans for recordings.

    Raises:
        StoppedError: `stop` was set; nothing is left behind.
    """
    from cutback.cli.views import formatting

    if path.exists():
        screen.show(f"[green]✓[/] [bold]{escape(str(path))}[/] [dim]exists: {formatting.size(path.stat().st_size)}[/]")
        return
    from cutback.cli.demo.drawing.sea import make_recording

    path.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    said = -1
    with screen.bar("drawing a minute of sea") as moved:

        def progress(fraction: float) -> None:
            nonlocal said
            if stop.is_set():
                raise StoppedError
            moved(fraction, "")
            if not screen.live and int(fraction * 10) > said:
                said = int(fraction * 10)
                screen.hint(f"Drawing a minute of sea, once: {said * 10} %")

        try:
            make_recording(
                path,
                seconds=FIRST.seconds,
                size=FIRST.size,
                camera=FIRST.camera,
                start=FIRST.start,
                only=FIRST.only,
                scratch=scratch,
                progress=progress,
            )
        except RuntimeError as error:  # Ctrl-C reaches the drawing processes too
            if stop.wait(_TICK_SECONDS):
                raise StoppedError from error
            raise
    screen.show(
        f"[green]✓[/] [bold]{escape(str(path))}[/] [dim]drawn in {formatting.took(time.monotonic() - began)}: "
        f"{formatting.size(path.stat().st_size)}, kept for the next time[/]"
    )


def watch(
    screen: Screen,
    services: Services,
    asked: list[SubmittedWish],
    run: int,
    crew: Crew,
    drawing: BackgroundDrawing,
    stop: threading.Event,
    *,
    kept: bool = False,
) -> list[SubmittedWish]:
    """Follow the clips until all are done and drawn; request those of the second camera once it is drawn.

    With `kept`, clips of an earlier run are not requested again.

    Raises:
        StoppedError: `stop` was set.
        UnforeseenError: workers die repeatedly, or there is no progress.
    """
    from cutback.cli.demo import view
    from cutback.cli.demo.script import LATER, submit_all

    moved_at, drawn, complete = time.monotonic(), drawing.fraction, False
    with Live(console=screen.err, transient=True, auto_refresh=False) as live:
        while True:
            crew.tend()
            before, asked = asked, [each.refreshed(services) for each in asked]
            if not complete and drawing.has(SECOND):
                asked += submit_all(services, LATER, SECOND.key, run, kept=kept)
                complete = True
            if asked != before or drawing.fraction > drawn:
                moved_at = time.monotonic()
            if screen.live:
                live.update(view.moving_table(asked, drawing.fraction if drawing.fraction < 1 else None), refresh=True)
            else:
                screen.show(*view.changes(before, asked))
                if int(drawing.fraction * 4) > int(drawn * 4):
                    screen.hint(f"Drawing more recordings meanwhile: {drawing.fraction:.0%}")
            drawn = drawing.fraction
            if complete and drawn >= 1 and all(each.clip.state.final for each in asked):
                return asked
            if crew.deaths > _DEATHS_TOLERATED or time.monotonic() > moved_at + _STILL_SECONDS:
                raise UnforeseenError(f"See the workers' logs in {services.settings.data / 'logs'}.")
            if stop.wait(_TICK_SECONDS):
                raise StoppedError("The clips stay in the queue. To continue: cutback up")
