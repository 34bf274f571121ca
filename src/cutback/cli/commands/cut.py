"""`cutback cut` and `cutback probe`: one recording, no queue, no records."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from cutback.cli import clip_file
from cutback.cli.command import command
from cutback.cli.commands import arguments
from cutback.cli.exit_codes import WrongUsageError
from cutback.cli.screen import Screen
from cutback.domain.errors import (
    MediaUnsupportedError,
    RecordingNotFoundError,
)

if TYPE_CHECKING:
    from cutback.cutting.job import CutProgress, Facts, Rendition
    from cutback.domain.requests.request import ClipRequest
    from cutback.reading.range_reader import RangeReader
    from cutback.reading.resolve import OpenedSources
    from cutback.storage.store import Store

Source = Annotated[str, typer.Argument(metavar="SOURCE", help="A file, or an object's URL (s3://bucket/key).")]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="Seconds, HH:MM:SS.mmm or frame:NUMBER; included."),
]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="As --from; excluded.")]
Ranges = Annotated[
    list[str],
    typer.Option("--range", metavar="FROM..TO", help="Instead of --from and --to; several are joined in order."),
]
Precision = Annotated[
    str, typer.Option("--precision", metavar="exact|keyframe|instant", help="What may be re-encoded.")
]


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands."""
    command(
        app,
        "cut",
        panel=panel,
        examples=(
            ("sea.mp4 --from 00:01:15 --to 00:01:45.5", "half a minute, exact to the frame"),
            ("sea.mp4 --from frame:1234 --to frame:1500 -o wave.mp4", "by frame numbers"),
            ("sea.mp4 --range 10..14 --range 62..70", "two waves, joined"),
            ("s3://bucket/sea.mp4 --from 75 --to 90 --precision keyframe", "reads only what it needs"),
        ),
    )(cut)
    command(
        app,
        "probe",
        panel=panel,
        examples=(("sea.mp4", "tracks, duration, keyframes"), ("s3://bucket/sea.mp4 --json", "for programs")),
    )(probe)


def cut(
    screen: Screen,
    source: Source,
    start: From = None,
    end: To = None,
    ranges: Ranges = [],  # noqa: B006 - typer makes a new list for each call
    precision: Precision = "exact",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="A file, a folder, or - for standard output.")
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace the file if it is there.")] = False,
) -> None:
    """Cut a clip out of a recording, now, without queue or records."""
    from cutback.reading.open_playlist import is_playlist, open_segments
    from cutback.reading.range_reader import RangeReader
    from cutback.reading.resolve import resolve_with

    began = time.monotonic()
    typed = arguments.typed_ranges(start, end, ranges)
    store_url, key = split_source(source)
    named = "recording.m3u8" if is_playlist(key) else "recording"
    request = arguments.request_of(named, typed, output={"precision": precision})
    target = clip_file.choose(output, default_name(key, typed))
    if target is None and screen.json:
        raise WrongUsageError("-o - and --json both need the standard output; say one of them.")
    with stop_on_signals() as stopped:
        store = open_store(screen, store_url)
        if target is not None and target.exists():
            clip_file.check_replaceable(target, files_of(store, key), force=force)
        with (
            resolve_with(
                request,
                lambda _: RangeReader.open(store, key, stopped=stopped),
                lambda _, first, last: open_segments(store, key, first, last, stopped=stopped),
            ) as footage,
            render(screen, request, footage, stopped, label=key) as rendition,
        ):
            clip_file.write(target, rendition.chunks(), force=force, stopped=stopped)
            facts = rendition.facts
    seconds = time.monotonic() - began
    screen.document({"path": str(target), **facts_as_dict(facts, footage, source, seconds)})
    if target is not None and not screen.json:
        _say(screen, target, facts, footage, seconds)


def _say(screen: Screen, target: Path, facts: Facts, footage: OpenedSources, seconds: float) -> None:
    from cutback.cli.views import formatting

    screen.show(
        f"[green]✓[/] [bold]{escape(str(target))}[/]",
        f"  {formatting.length(facts.duration)}, {facts.width}×{facts.height}, {formatting.size(facts.size)} [dim]·[/] "
        f"{facts.frames} frames: {facts.frames_copied} copied, {facts.frames_encoded} encoded",
        f"  read {formatting.size(footage.bytes_read)} of {formatting.size(footage.size)} "
        f"({formatting.share(footage.bytes_read, footage.size)}) [dim]·[/] {formatting.took(seconds)}",
    )
    for span in facts.spans:
        if span.clamped:
            screen.show(f"  [yellow]It ends at {formatting.clock(span.end)}: the recording has no more.[/]")
    for note in facts.notes:
        screen.show(f"  [yellow]{escape(note)}[/]")


def probe(screen: Screen, source: Source) -> None:
    """Look into a recording: its tracks, keyframes, and whether it can be copied."""
    from cutback.cli.views.probe import show_probe
    from cutback.sandbox.cutter import ChildCutter

    store_url, key = split_source(source)
    with stop_on_signals() as stopped:
        reader = open_reader(screen, store_url, key, stopped)
        cutter = ChildCutter(warm=False)
        try:
            found = cutter.probe(reader, limits=screen.settings().limits, stopped=stopped)
        finally:
            cutter.close()
    content = {"source": source, "size": reader.size, **found, "bytes_read": reader.bytes_read}
    screen.document(content)
    if not screen.json:
        show_probe(screen, content)


# --- the source ------------------------------------------------------------------------------------


def split_source(source: str) -> tuple[str, str]:
    """A path or URL as its store and the key in it.

    Raises:
        WrongUsageError: it names a folder or nothing.
        RecordingNotFoundError: a path, and there is no such file.
    """
    if "://" in source and not source.startswith("file://"):
        store, _, key = source.rpartition("/")
        if not key or store.endswith(("/", ":")):
            raise WrongUsageError(f"{source!r} names no object; write it as s3://bucket/key.")
        return store, key
    path = Path(source.removeprefix("file://"))
    if path.is_dir():
        raise WrongUsageError(f"{source!r} is a folder; name a recording in it.")
    if not path.exists():
        raise RecordingNotFoundError(f"There is no file {source!r}.")
    path = path.resolve()
    return str(path.parent), path.name


def open_store(screen: Screen, store_url: str) -> Store:
    """The store that a source lies in, with the settings of the store of recordings where it is of that kind."""
    from cutback.storage.store import Store

    settings = screen.settings()
    same = "://" in store_url and settings.source_url.startswith(store_url.partition("://")[0])
    return Store.open(store_url, options=settings.source_options if same else {})


def files_of(store: Store, key: str) -> list[Path]:
    """The files that a source in a folder is read from: itself, and the segments of a playlist."""
    from cutback.reading.open_playlist import is_playlist, read_playlist

    if not store.is_folder:
        return []
    keys = [key]
    if is_playlist(key):
        segments = read_playlist(store, key).segments
        keys += [part.key for segment in segments for part in (segment.media, segment.init) if part is not None]
    return [Path(store.url_for(each)) for each in dict.fromkeys(keys)]


def open_reader(screen: Screen, store_url: str, key: str, stopped: Callable[[], bool]) -> RangeReader:
    """The recording, opened for reading. Raises as the store does, and MediaUnsupportedError for a playlist."""
    from cutback.reading.open_playlist import is_playlist
    from cutback.reading.range_reader import RangeReader

    if is_playlist(key):
        raise MediaUnsupportedError("A playlist is no video itself; look at one of its segments.")
    return RangeReader.open(open_store(screen, store_url), key, stopped=stopped)


def default_name(key: str, typed: list[arguments.Typed]) -> str:
    """`NAME.FROM-TO.mp4`, of characters that every file system takes."""
    times = "+".join(f"{piece.start}-{piece.end}" for piece in typed)
    name = f"{Path(key).stem}.{times}".replace(":", ".")
    return re.sub(r"[^\w.+=@-]", "_", name)[:200] + ".mp4"


# --- cutting ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def render(
    screen: Screen, request: ClipRequest, footage: OpenedSources, stopped: Callable[[], bool], *, label: str
) -> Iterator[Rendition]:
    """The clip, made but not yet written; a bar shows how far it is."""
    from cutback.sandbox.cutter import ChildCutter

    job = footage.job(request, screen.settings().limits)
    cutter = ChildCutter(warm=False)
    try:
        with (
            screen.bar(label) as moved,
            cutter.render(job, footage.readers, on_progress=_moving(moved), stopped=stopped) as rendition,
        ):
            yield rendition
    finally:
        cutter.close()


def _moving(moved: Callable[[float, str], None]) -> Callable[[CutProgress], None]:
    return lambda made: moved(made.fraction, f"{made.frames} frames")


@contextlib.contextmanager
def stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Whether the first Ctrl-C (or SIGTERM) has come; the second ends the process."""
    from cutback.worker.poll import stopping_on_signals

    stop = threading.Event()
    with stopping_on_signals(stop):
        yield stop.is_set


def facts_as_dict(facts: Facts, footage: OpenedSources, source: str, seconds: float) -> dict[str, Any]:
    """A finished clip for programs; the names are those of a clip's `result`."""
    from cutback.domain.times import format_seconds

    return {
        "source": source,
        "size": facts.size,
        "duration": format_seconds(facts.duration),
        "width": facts.width,
        "height": facts.height,
        "frames": facts.frames,
        "frames_copied": facts.frames_copied,
        "frames_encoded": facts.frames_encoded,
        "spans": [
            {"start": format_seconds(span.start), "end": format_seconds(span.end), "clamped": span.clamped}
            for span in facts.spans
        ],
        "bytes_read": footage.bytes_read,
        "requests": footage.requests,
        "source_size": footage.size,
        "seconds": round(seconds, 3),
        "remade": facts.remade,
        "notes": list(facts.notes),
    }
