"""`cutback cut` and `cutback probe`: one recording, no queue, no records."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutback.cli import completion
from cutback.cli.command import command
from cutback.cli.commands import arguments, clip_names, cut_pictures, standard_input
from cutback.cli.commands.arguments import Edits
from cutback.cli.commands.clip_names import OutputPlace
from cutback.cli.console import escape
from cutback.cli.screen import Screen, each
from cutback.domain.errors import WrongUsageError
from cutback.reading.location import (
    Location,
    files_of,
    locate_recording,
    naming,
    open_recording,
    recording_name,
)
from cutback.reading.location import open_store as open_located_store
from cutback.settings.defaults import all_are_default
from cutback.storage import clip_file, clip_folder

if TYPE_CHECKING:
    from cutback.cutting.job import CutProgress, Limits, Rendition
    from cutback.domain.requests.request import ClipRequest
    from cutback.domain.requests.rules import RequestRules
    from cutback.library import CutResult
    from cutback.settings.settings import Settings
    from cutback.storage.store import Store

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE", help="A file, or an object's URL (s3://bucket/key).", autocompletion=completion.sources
    ),
]
Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE...",
        help="Files, or objects' URLs (s3://bucket/key), or - for standard input.",
        autocompletion=completion.sources,
    ),
]
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
RequestFile = Annotated[
    str | None,
    typer.Option(
        "--request",
        metavar="FILE",
        help="Take edits, output, title and labels, and the ranges unless you give them, from a clip request (JSON).",
    ),
]

STANDARD_INPUT = "-"

_FILES_SHOWN = 10


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands."""
    command(
        app,
        "cut",
        panel=panel,
        examples=(
            ("sea.mp4 --from 00:01:15 --to 00:01:45.5", "cut half a minute, exact to the frame"),
            ("sea.mp4 --from frame:1234 --to frame:1500 -o wave.mp4", "cut by frame numbers"),
            ("north.mp4 south.mp4 --from 75 --to 90 -o '{name}-wave.mp4'", "cut the same part of several files"),
            (
                "sea.mp4 --from 75 --to 79 -o wave.gif",
                "make another format: mov, webm, gif, webp, jpg, png, m4a, mp3, wav, ...",
            ),
            ("sea.mp4 --range 10..14 --range 62..70", "join two waves"),
            ("""sea.mp4 --from 75 --to 90 --edit '{"edit": "loudness", "lufs": -16}'""", "edit the clip"),
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
    sources: Sources,
    start: From = None,
    end: To = None,
    duration: Duration = None,
    ranges: Ranges = [],  # noqa: B006 - typer makes a new list for each call
    precision: Precision = "exact",
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write to this file or folder, or standard output (-), in the format of the extension (default: MP4). "
            "HLS (.m3u8) gets a folder of that name. "
            "{name}, {from}, {to}, {number} are replaced.",
        ),
    ] = None,
    edits: Edits = [],  # noqa: B006 - as above
    chapters: arguments.Chapters = [],  # noqa: B006 - as above
    pictures: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Write pictures beside the clip: some of poster,sprites,preview,waveform.",
        ),
    ] = None,
    request: RequestFile = None,
    *,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing file.")] = False,
) -> None:
    """Cut a clip out of a recording directly, without queue or records."""
    more = {
        "chapters": arguments.typed_chapters(chapters),
        "pictures": None if pictures is None else [name.strip() for name in pictures.split(",")],
    }
    wanted = arguments.wanted(start, end, ranges, duration, precision, edits, request, more).in_format_of(output)
    if output == clip_file.STANDARD_OUTPUT:
        if screen.json:
            raise WrongUsageError("-o - and --json both use standard output; choose one of them.")
        if len(sources) > 1:
            raise WrongUsageError("Only one clip can be written to standard output; name a folder or a pattern.")
        if wanted.fields.get("pictures"):
            raise WrongUsageError("Pictures are written beside the clip; with -o - there is no such place.")
        if wanted.has_many_files:
            raise WrongUsageError("The clip consists of several files; they cannot be written to standard output.")
    jobs = _jobs(sources, wanted, output, force=force)
    with stop_on_signals() as stopped:
        if len(jobs) == 1:
            made = _cut_one(screen, jobs[0], stopped)
            if made is not None:
                screen.document(made)
            return
        by_source = {job.source: job for job in jobs}
        each(screen, list(by_source), lambda name: _cut_one(screen, by_source[name], stopped) or {})


@dataclass(frozen=True, slots=True)
class _TypedCut:
    """One clip to cut."""

    source: str
    wanted: arguments.TypedRequest
    target: Path | None
    force: bool


def _jobs(sources: list[str], wanted: arguments.TypedRequest, output: str | None, *, force: bool) -> list[_TypedCut]:
    """Choose a file for each clip, before anything is cut.

    Raises:
        WrongUsageError: two clips would have the same file, or a source is named twice.
    """
    jobs: list[_TypedCut] = []
    for number, source in enumerate(sources, 1):
        piped = source == STANDARD_INPUT
        # A URL or a path; a missing file is reported when its turn comes.
        key = standard_input.NAME if piped else (source if len(sources) > 1 else locate_recording(source).key)
        name = output
        if output is not None and clip_names.has_placeholder(output):
            name = clip_names.fill_pattern(output, key, wanted.ranges, number)
        target = clip_file.choose(name, clip_names.default_name(key, wanted.ranges, wanted.extension))
        for other in jobs:
            if other.source == source:
                raise WrongUsageError(f"{source} is named twice.")
            if target is not None and target == other.target:
                raise WrongUsageError(
                    f"The clips of {other.source} and {source} would both be {target}. "
                    "Name a folder, or a pattern such as -o '{name}.{from}-{to}.mp4'."
                )
        jobs.append(_TypedCut(source, wanted, target, force))
    return jobs


def _cut_one(screen: Screen, job: _TypedCut, stopped: Callable[[], bool]) -> dict[str, Any] | None:
    """Cut one clip, and show it. Returns the result for programs, or None if the clip went to standard output."""
    from cutback import library

    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        piped = job.source == STANDARD_INPUT
        path = job.source
        if piped:
            limit = screen.settings().limit_pipe_bytes
            path = str(stack.enter_context(standard_input.saved(limit=limit, stopped=stopped)))
        stack.enter_context(naming(job.source))
        location = locate_recording(path)
        request = job.wanted.request(recording_name(location), rules_of(screen))
        store = open_store(screen, location)
        places, files = list[OutputPlace](), list[Path]()
        if job.target is not None:
            files = [standard_input.FILE] if piped else files_of(location, store)
            outputs = {name: output.extension for name, output in request.wanted_outputs.items()}
            places = clip_names.places(job.target, outputs)
            for place in places:
                place.check(files, force=job.force)
            cut_pictures.check(job.target, request.pictures or (), files, force=job.force)
        assets = assets_for(screen, request)
        sources = stack.enter_context(open_recording(location, request, store, assets=assets, stopped=stopped))
        moved = stack.enter_context(screen.bar(location.key))
        rendition = stack.enter_context(
            library.render(
                request,
                sources,
                limits_of(screen),
                fonts=fonts_of(screen),
                on_progress=_moving(moved),
                stopped=stopped,
            )
        )
        if job.target is None:
            clip_file.write(None, rendition.chunks(rendition.outputs[0].files[0]), force=job.force, stopped=stopped)
            return None
        first, *others = _written(rendition, places, files, force=job.force, stopped=stopped)
        made = cut_pictures.NONE
        if request.pictures:
            made = cut_pictures.write(job.target, rendition, files, force=job.force, stopped=stopped)
        result = library.result_of(first, rendition, sources, time.monotonic() - began)
        result = replace(result, notes=(*result.notes, *made.notes))
    beside = [str(path) for path in (*others, *made.files)]
    if not screen.json:
        _say(screen, result, beside)
    return {"source": job.source, **result.as_dict(), **({"files": beside} if beside else {})}


def _written(
    rendition: Rendition,
    places: Sequence[OutputPlace],
    sources: Sequence[Path],
    *,
    force: bool,
    stopped: Callable[[], bool],
) -> list[Path]:
    """Write all outputs, the first one last; return their files. If one cannot be written, new ones are removed.

    Raises:
        CutbackError: as `clip_file.write` and `clip_folder.write`.
    """
    outputs = list(zip(rendition.outputs, places, strict=True))
    added: list[Path] = []
    try:
        for output, place in reversed(outputs):
            is_new = not place.path.exists()
            if place.is_folder:
                contents = [(file.name, rendition.chunks(file)) for file in output.files]
                clip_folder.write(place.path, contents, sources, force=force, stopped=stopped)
            else:
                clip_file.check_replaceable(place.path, sources, force=force)
                clip_file.write(place.path, rendition.chunks(output.files[0]), force=force, stopped=stopped)
            if is_new:
                added.append(place.path)
    except BaseException:
        for path in added:
            clip_folder.remove(path)
        raise
    return [path for output, place in outputs for path in place.files(output)]


def _say(screen: Screen, facts: CutResult, beside: Sequence[str] = ()) -> None:
    from cutback.cli.views import formatting

    screen.show(
        f"[green]✓[/] [bold]{escape(str(facts.path))}[/]",
        f"  {_what_it_is(facts)}",
        f"  read {formatting.size(facts.bytes_read)} of {formatting.size(facts.source_size)} "
        f"({formatting.share(facts.bytes_read, facts.source_size)}) [dim]·[/] {formatting.took(facts.seconds)}",
    )
    for path in beside[:_FILES_SHOWN]:
        screen.show(f"  {escape(path)}")
    if len(beside) > _FILES_SHOWN:
        screen.show(f"  [dim]and {len(beside) - _FILES_SHOWN} more files[/]")
    for edit in facts.edits:
        screen.show(f"  {escape(edit)}")
    for span in facts.spans:
        if span.clamped:
            screen.show(f"  [yellow]It ends at {formatting.clock(span.end)}, where the recording ends.[/]")
    for note in facts.notes:
        screen.show(f"  [yellow]{escape(note)}[/]")


def _what_it_is(facts: CutResult) -> str:
    """Return length, size of the picture, bytes and frames, as far as the clip has them. Pure."""
    from cutback.cli.views import formatting

    known = [
        formatting.length(facts.duration) if facts.duration else "",
        f"{facts.width}×{facts.height}" if facts.width else "",
        formatting.size(facts.size),
    ]
    text = ", ".join(filter(None, known))
    if not (facts.frames and facts.duration):
        return text
    return f"{text} [dim]·[/] {facts.frames} frames: {facts.frames_copied} copied, {facts.frames_encoded} encoded"


def probe(screen: Screen, source: Source) -> None:
    """Describe a recording: its tracks, its keyframes, and whether it can be copied."""
    from cutback import library
    from cutback.cli.views.probe import show_probe

    with stop_on_signals() as stopped:
        location = locate_recording(source)
        options = store_options(screen.settings(), location) if "://" in location.store_url else {}
        content = library.probe(source, options=options, limits=limits_of(screen), stopped=stopped).report
    screen.document(content)
    if not screen.json:
        show_probe(screen, dict(content))


# --- the source ------------------------------------------------------------------------------------


def open_store(screen: Screen, location: Location) -> Store:
    """Open the store of a recording, with its options from the settings."""
    options = store_options(screen.settings(), location) if "://" in location.store_url else {}
    return open_located_store(location, options)


def assets_for(screen: Screen, request: ClipRequest) -> Store | None:
    """Open the store of the assets, if a request needs any and there is one."""
    if not request.assets:
        return None
    from cutback.storage.store import Store

    settings = screen.settings()
    if not settings.assets and not Path(settings.assets_url).is_dir():
        return None
    return Store.open(settings.assets_url, options=settings.assets_options)


def limits_of(screen: Screen) -> Limits:
    """Return the limits on one job. If nothing is set, the settings are not imported, which saves time."""
    from cutback.cutting.job import Limits

    return Limits() if all_are_default(screen.data) else screen.settings().limits


def rules_of(screen: Screen) -> RequestRules:
    """Return what the installation adds to the validation of requests; see `limits_of`."""
    from cutback.domain.cameras.local_time import Zones
    from cutback.domain.requests.rules import RequestRules

    return RequestRules(Zones()) if all_are_default(screen.data) else screen.settings().request_rules


def fonts_of(screen: Screen) -> str:
    """Return the folder of further fonts; empty if there is none."""
    return "" if all_are_default(screen.data) else screen.settings().fonts


def store_options(settings: Settings, location: Location) -> dict[str, str]:
    """Return the options of the source store, if `location` is in a store of the same kind."""
    url = location.store_url
    same = "://" in url and settings.source_url.startswith(url.partition("://")[0])
    return settings.source_options if same else {}


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
