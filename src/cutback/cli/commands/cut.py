"""`cutback cut` and `cutback probe`: one recording, no queue, no records."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cutback.cli.command import command
from cutback.cli.commands import arguments
from cutback.cli.console import escape
from cutback.cli.screen import Screen
from cutback.domain.errors import WrongUsageError
from cutback.storage import clip_file

if TYPE_CHECKING:
    from cutback.cutting.job import CutProgress
    from cutback.library import CutResult, Location
    from cutback.settings.settings import Settings
    from cutback.storage.store import Store

Source = Annotated[str, typer.Argument(metavar="SOURCE", help="A file, or an object's URL (s3://bucket/key).")]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        help="Start here (included; default: the beginning): seconds, HH:MM:SS.mmm, 1m30s, frame:NUMBER, or -5 before "
        "the end.",
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="TIME", help="End here (excluded; default: the end), in the form of --from, or +5 after it."
    ),
]
Duration = Annotated[str | None, typer.Option("--duration", metavar="TIME", help="The length, instead of --to.")]
Ranges = Annotated[
    list[str],
    typer.Option(
        "--range",
        metavar="FROM..TO",
        help="Use this range instead of --from and --to; may be repeated, to join ranges in order.",
    ),
]
Precision = Annotated[
    str, typer.Option("--precision", metavar="exact|keyframe|instant", help="Choose what may be re-encoded.")
]


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands."""
    command(
        app,
        "cut",
        panel=panel,
        examples=(
            ("sea.mp4 --from 00:01:15 --to 00:01:45.5", "cut half a minute, exact to the frame"),
            ("sea.mp4 --from frame:1234 --to frame:1500 -o wave.mp4", "cut by frame numbers"),
            ("sea.mp4 --range 10..14 --range 62..70", "join two waves"),
            (
                "s3://bucket/sea.mp4 --from 75 --to 90 --precision keyframe",
                "read only the necessary bytes of a large file",
            ),
        ),
    )(cut)
    command(
        app,
        "probe",
        panel=panel,
        examples=(
            ("sea.mp4", "show tracks, duration, keyframes"),
            ("s3://bucket/sea.mp4 --json", "print JSON for programs"),
        ),
    )(probe)


def cut(
    screen: Screen,
    source: Source,
    start: From = None,
    end: To = None,
    duration: Duration = None,
    ranges: Ranges = [],  # noqa: B006 - typer makes a new list for each call
    precision: Precision = "exact",
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to this file or folder, or to standard output (-)."),
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing file.")] = False,
) -> None:
    """Cut a clip out of a recording directly, without queue or records."""
    from cutback import library

    began = time.monotonic()
    typed = arguments.typed_ranges(start, end, ranges, duration)
    location = library.locate_recording(source)
    request = arguments.request_of(library.recording_name(location), typed, output={"precision": precision})
    target = clip_file.choose(output, default_name(location.key, typed))
    if target is None and screen.json:
        raise WrongUsageError("-o - and --json both use standard output; choose one of them.")
    with stop_on_signals() as stopped, library.naming(source):
        store = open_store(screen, location)
        if target is not None:
            clip_file.check_replaceable(target, library.files_of(location, store), force=force)
        with (
            library.open_recording(location, request, store, stopped=stopped) as sources,
            screen.bar(location.key) as moved,
            library.render(
                request, sources, screen.settings().limits, on_progress=_moving(moved), stopped=stopped
            ) as rendition,
        ):
            clip_file.write(target, rendition.chunks(), force=force, stopped=stopped)
            if target is None:
                return
            result = library.result_of(target, rendition, sources, time.monotonic() - began)
    screen.document({"source": source, **result.as_dict()})
    if not screen.json:
        _say(screen, result)


def _say(screen: Screen, facts: CutResult) -> None:
    from cutback.cli.views import formatting

    screen.show(
        f"[green]✓[/] [bold]{escape(str(facts.path))}[/]",
        f"  {formatting.length(facts.duration)}, {facts.width}×{facts.height}, {formatting.size(facts.size)} [dim]·[/] "
        f"{facts.frames} frames: {facts.frames_copied} copied, {facts.frames_encoded} encoded",
        f"  read {formatting.size(facts.bytes_read)} of {formatting.size(facts.source_size)} "
        f"({formatting.share(facts.bytes_read, facts.source_size)}) [dim]·[/] {formatting.took(facts.seconds)}",
    )
    for span in facts.spans:
        if span.clamped:
            screen.show(f"  [yellow]It ends at {formatting.clock(span.end)}, where the recording ends.[/]")
    for note in facts.notes:
        screen.show(f"  [yellow]{escape(note)}[/]")


def probe(screen: Screen, source: Source) -> None:
    """Describe a recording: its tracks, its keyframes, and whether it can be copied."""
    from cutback import library
    from cutback.cli.views.probe import show_probe

    settings = screen.settings()
    with stop_on_signals() as stopped:
        options = store_options(settings, library.locate_recording(source))
        content = library.probe(source, options=options, limits=settings.limits, stopped=stopped).report
    screen.document(content)
    if not screen.json:
        show_probe(screen, dict(content))


# --- the source ------------------------------------------------------------------------------------


def open_store(screen: Screen, location: Location) -> Store:
    """Open the store of a recording, with its options from the settings."""
    from cutback import library

    return library.open_store(location, store_options(screen.settings(), location))


def store_options(settings: Settings, location: Location) -> dict[str, str]:
    """Return the options of the source store, if `location` is in a store of the same kind."""
    url = location.store_url
    same = "://" in url and settings.source_url.startswith(url.partition("://")[0])
    return settings.source_options if same else {}


def default_name(key: str, typed: list[arguments.Typed]) -> str:
    """Return `NAME.FROM-TO.mp4`, with characters that every file system allows."""
    times = "+".join(f"{piece.start}-{'end' if piece.end == arguments.END else piece.end}" for piece in typed)
    name = f"{Path(key).stem}.{times}".replace(":", ".")
    return re.sub(r"[^\w.+=@-]", "_", name)[:200] + ".mp4"


# --- cutting ---------------------------------------------------------------------------------------


def _moving(moved: Callable[[float, str], None]) -> Callable[[CutProgress], None]:
    return lambda made: moved(made.fraction, f"{made.frames} frames")


@contextlib.contextmanager
def stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Provide a function that says whether Ctrl-C (or SIGTERM) was received; a second one ends the process."""
    from cutback.worker.signals import stopping_on_signals

    stop = threading.Event()
    with stopping_on_signals(stop):
        yield stop.is_set
