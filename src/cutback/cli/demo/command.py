"""`cutback demo`: draws a sea, sends some requests and shows their clips. Ends by itself."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

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

START = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
SECONDS = 60


@dataclass(frozen=True, slots=True)
class DemoCamera:
    """A recording that the demo draws."""

    camera: str
    size: tuple[int, int]

    @property
    def key(self) -> str:
        """Its key in the source store."""
        return f"{self.camera}.{START:%Y-%m-%dT%H-%M-%SZ}.mp4"


FIRST = DemoCamera("north-point", (1280, 720))
"""Drawn first, and therefore short."""
SECOND = DemoCamera("south-point", (1920, 1080))
"""Drawn while the first clips are cut."""
RECORDING = FIRST.key

_TICK_SECONDS = 0.2
_STILL_SECONDS = 900.0
"""How long the demo waits without any progress."""
_DEATHS_TOLERATED = 3


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(app, "demo", panel=panel, examples=(("", "see everything at work, in a minute or two"),))(demo)


def demo(screen: Screen) -> None:
    """Show Cutback at work: a drawn recording, fifteen requests, two workers.

    Draws a minute of sea, requests clips of it, and draws a second camera meanwhile. Shows how the clips are made, and
    ends. The recordings are kept for the next time.
    """
    from cutback.adapters.build import build
    from cutback.catalogue.register import register
    from cutback.cli.demo import view
    from cutback.cli.demo.logo import draw_logo
    from cutback.cli.demo.script import LOGO, WISHES, next_run, submit_all
    from cutback.worker.crew import Crew
    from cutback.worker.signals import stopping_on_signals

    settings = _settings(screen)
    stop = threading.Event()
    with stopping_on_signals(stop):
        folder = settings.data / "recordings"
        folder.mkdir(parents=True, exist_ok=True)
        draw_logo(settings.data / "assets" / LOGO)
        services = build(settings)
        make_once(screen, folder / FIRST.key, stop)
        environment = {
            "CUTBACK_SOURCE_STORE": settings.source_store,
            "CUTBACK_CLIP_STORE": settings.clip_store,
            "CUTBACK_ASSETS": settings.assets,
        }
        register(services, FIRST.key)
        run = next_run(services)
        asked = submit_all(services, WISHES, FIRST.key, run)
        screen.show(f"[dim]{len(asked)} requests are in the queue; {settings.workers} workers make the clips.[/]", "")
        with (
            Crew(settings.workers, settings.data, logs=settings.data / "logs", environment=environment) as crew,
            BackgroundDrawing(folder / SECOND.key, SECOND) as drawing,
        ):
            asked = watch(screen, services, asked, run, crew, drawing, stop)
    screen.document(view.as_dict(services, asked, folder / FIRST.key))
    screen.show(*view.report(services, asked, folder / FIRST.key, screen.out.width))
    astray = [each.clip.id for each in asked if not each.as_foreseen]
    if astray:
        raise UnforeseenError(f"{', '.join(astray)} ended unexpectedly. To see why: cutback show {astray[0]}")


class BackgroundDrawing:
    """Draws a recording in the background, unless it exists already."""

    def __init__(self, path: Path, scene: DemoCamera) -> None:
        """Prepare; entering the context starts it."""
        self._path, self._scene = path, scene
        self._given_up = threading.Event()
        self._thread = threading.Thread(target=self._draw, name="drawing", daemon=True)
        self._failure: Exception | None = None
        self.fraction = 0.0

    def __enter__(self) -> Self:
        """Begin."""
        if not self._path.exists():
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop an unfinished drawing and remove it."""
        self._given_up.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def done(self) -> bool:
        """Whether the recording is complete.

        Raises:
            RuntimeError: a drawing process failed.
        """
        if self._failure is not None:
            raise self._failure
        return self._path.exists()

    def _draw(self) -> None:
        from cutback.cli.demo.drawing.sea import make_recording

        try:
            make_recording(
                self._path,
                seconds=SECONDS,
                size=self._scene.size,
                camera=self._scene.camera,
                start=START,
                progress=self._note,
            )
        except StoppedError:
            pass
        except Exception as error:  # noqa: BLE001 - `ready` raises it
            self._failure = error

    def _note(self, fraction: float) -> None:
        if self._given_up.is_set():
            raise StoppedError
        self.fraction = fraction


def _settings(screen: Screen) -> Settings:
    """Use only the demo's own folder, whatever stores the settings name."""
    from cutback.settings.settings import load_settings

    data = load_settings(data=screen.data).data
    return load_settings(
        data=data, source_store=str(data / "recordings"), clip_store=str(data / "clips"), assets=str(data / "assets")
    )


def make_once(screen: Screen, path: Path, stop: threading.Event) -> None:
    """Draw the recording, unless it exists already.

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
            make_recording(path, seconds=SECONDS, size=FIRST.size, camera=FIRST.camera, start=START, progress=progress)
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
) -> list[SubmittedWish]:
    """Follow the clips until all are done; request those of the second camera once it is drawn.

    Raises:
        StoppedError: `stop` was set.
        UnforeseenError: workers die repeatedly, or there is no progress.
    """
    from cutback.cli.demo import view
    from cutback.cli.demo.script import LATER, submit_all

    moved_at, drawn, complete = time.monotonic(), 0.0, False
    with Live(console=screen.err, transient=True, auto_refresh=False) as live:
        while True:
            crew.tend()
            before, asked = asked, [each.refreshed(services) for each in asked]
            if not complete and drawing.done:
                asked += submit_all(services, LATER, SECOND.key, run)
                complete = True
            if asked != before or drawing.fraction > drawn:
                moved_at = time.monotonic()
            if screen.live:
                live.update(view.moving_table(asked, None if complete else drawing.fraction), refresh=True)
            else:
                screen.show(*view.changes(before, asked))
                if not complete and int(drawing.fraction * 4) > int(drawn * 4):
                    screen.hint(f"Drawing the second camera meanwhile: {drawing.fraction:.0%}")
            drawn = drawing.fraction
            if complete and all(each.clip.state.final for each in asked):
                return asked
            if crew.deaths > _DEATHS_TOLERATED or time.monotonic() > moved_at + _STILL_SECONDS:
                raise UnforeseenError(f"See the workers' logs in {services.settings.data / 'logs'}.")
            if stop.wait(_TICK_SECONDS):
                raise StoppedError("The clips stay in the queue. To continue: cutback up")
