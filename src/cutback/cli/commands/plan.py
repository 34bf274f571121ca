"""`cutback plan`: draws how a range would be cut, without cutting it."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cutback.cli.command import command
from cutback.cli.commands import arguments
from cutback.cli.commands.arguments import Edits
from cutback.cli.commands.cut import (
    Duration,
    From,
    Precision,
    Ranges,
    RequestFile,
    Source,
    To,
    assets_for,
    fonts_of,
    limits_of,
    open_store,
    rules_of,
    stop_on_signals,
)
from cutback.cli.console import escape
from cutback.cli.screen import Screen
from cutback.cli.views import formatting, timeline
from cutback.reading.location import locate_recording, recording_name

WIDEST = 120
"""Maximum columns: longer lines are hard to read."""


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(
        app,
        "plan",
        panel=panel,
        examples=(
            ("sea.mp4 --from 00:01:15 --to 00:01:45.5", "show what is copied and re-encoded, and why"),
            ("sea.mp4 --from 75 --to 90 --precision instant", "show what would be in the file, but hidden"),
            ("sea.mp4 --from 75 --to 90 --format gif", "show how large a GIF would be"),
            ("s3://bucket/sea.mp4 --from 75 --to 90 --json", "print JSON for programs"),
        ),
    )(plan)


def plan(
    screen: Screen,
    source: Source,
    start: From = None,
    end: To = None,
    duration: Duration = None,
    ranges: Ranges = [],  # noqa: B006 - typer makes a new list for each call
    precision: Precision = "exact",
    edits: Edits = [],  # noqa: B006 - as above
    request: RequestFile = None,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help="Plan this format, such as gif, hls or m4a (default: mp4)."),
    ] = None,
) -> None:
    """Draw how a clip would be cut: what is copied, re-encoded and dropped, and why. Nothing is written."""
    from cutback import library

    wanted = arguments.wanted(start, end, ranges, duration, precision, edits, request).in_format(form)
    location = locate_recording(source)
    with stop_on_signals() as stopped:
        limits = limits_of(screen)
        store = open_store(screen, location)
        asked = wanted.request(recording_name(location), rules_of(screen))
        assets = assets_for(screen, asked)
        planned = library.plan_request(
            source,
            asked,
            location,
            store,
            assets=assets,
            limits=limits,
            fonts=fonts_of(screen),
            stopped=stopped,
        )
    content = dict(planned.report)
    screen.document(content)
    if not screen.json:
        show_plan(screen, content)


def show_plan(screen: Screen, found: dict[str, Any]) -> None:
    """Show the recording, every range, and the totals."""
    width = min(screen.out.width, WIDEST)
    screen.out.print(_heading(found), soft_wrap=True)
    for number, part in enumerate(found["parts"]):
        title = f"range {number + 1} of {len(found['parts'])}  " if len(found["parts"]) > 1 else ""
        screen.show("", _range(part, title))
        if part["segments"]:
            screen.show("", *timeline.overview(part, width))
            for strip in part["strips"]:
                screen.show("", *timeline.strip(part, strip, width))
            screen.show(timeline.legend(part), "")
        screen.out.print(_table(part), width=width)
    screen.show("", *_sums(found))
    for note in found["notes"]:
        screen.show(Text(note, style="yellow"))


def _heading(found: dict[str, Any]) -> Text:
    video = found["video"]
    shape = f"{video['codec']} {video['width']}×{video['height']} · " if video else ""
    length, size = formatting.length(Fraction(found["duration"])), formatting.size(found["size"])
    about = f"{found['container']} · {shape}{length} · {size}"
    return Text.assemble((found["source"], "bold"), (f"  {about}", "dim"))


def _range(part: dict[str, Any], title: str) -> Text:
    asked, got = ([Fraction(times[name]) for name in ("start", "end")] for times in (part["asked"], part))
    text = Text.assemble((title, "bold"), _between(*got), ("  " + formatting.length(got[1] - got[0]), "bold"))
    if part["frames"]:
        first = part["first_frame"]
        text.append(f"  {part['frames']} frames, {first} to {first + part['frames'] - 1}", style="dim")
    if asked != got:
        text.append(f"\nrequested: {_between(*asked)}; extended to keyframes", style="yellow")
    if part["clamped"]:
        text.append("\nthe recording ends here", style="yellow")
    return text


def _between(start: Fraction, end: Fraction) -> str:
    return f"{formatting.clock(start)} – {formatting.clock(end)}"


def _table(part: dict[str, Any]) -> Table:
    table = formatting.table("", "from", "to", "frames", "bytes", "why", right=["frames", "bytes"], clipped=["why"])
    for segment in part["segments"]:
        action = Text(segment["action"], style=timeline.STYLES[segment["action"]])
        times = (formatting.clock(Fraction(segment[name])) for name in ("start", "end"))
        table.add_row(action, *times, str(segment["frames"]), _bytes(segment), escape(segment["reason"]))
    for sound in part["sound"]:
        name = f"{'sound' if sound['kind'] == 'audio' else 'track'} {sound['track'] + 1}"
        language = "" if sound["language"] == "und" else f" {sound['language']}"
        what = "" if sound["action"] == "drop" else f"{sound['packets']}"
        size = formatting.size(sound["bytes"]) if sound["action"] != "drop" else ""
        table.add_row(
            Text(sound["action"], style=timeline.STYLES[sound["action"]]),
            name,
            escape(sound["codec"] + language),
            what,
            size,
            escape(sound["reason"]),
        )
    return table


def _bytes(segment: dict[str, Any]) -> str:
    if segment["action"] == "encode":
        return f"~{formatting.size(segment['bytes_encoded'])}"
    return formatting.size(segment["bytes_copied"]) if segment["bytes_copied"] else ""


def _sums(found: dict[str, Any]) -> list[RenderableType]:
    frames, sizes = found["frames"], found["bytes"]
    read = sizes["read"] + sizes["sound"]
    rows = []
    said = {"copy": "copied", "encode": "re-encoded", "hide": "hidden", "drop": "dropped"}
    counts = [
        Text(f"{frames[action]} {word}", style=timeline.STYLES[action])
        for action, word in said.items()
        if frames[action]
    ]
    if counts:
        rows.append(("frames", Text(" · ").join(counts)))
    length = formatting.length(Fraction(found["clip_duration"]))
    rows.append(("clip", Text.assemble(f"{length}, ", _output(found["outputs"][0]))))
    if found["subtitles"]:
        rows.append(("subtitles", Text(f"{found['subtitles']}, as a track of their own")))
    rows += [(output["name"], _output(output)) for output in found["outputs"][1:]]
    share = formatting.share(read, found["size"])
    text = Text(f"{formatting.size(read)} of {formatting.size(found['size'])} ({share})")
    if sizes["decoded"]:
        text.append(f", {formatting.size(sizes['decoded'])} of it for decoding", style="dim")
    rows.append(("reads", text))
    if memory := found["memory"]:
        rows.append(("memory", Text(f"about {formatting.size(memory['bytes'])} to re-encode")))
    rows.append(
        ("planned", Text(f"by reading {formatting.size(found['bytes_read'])}; nothing was written", style="dim"))
    )
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for row in rows:
        grid.add_row(*row)
    return [grid]


def _output(output: dict[str, Any]) -> Text:
    counts = (f"{output[f'frames_{done}']} frames {done}" for done in ("copied", "encoded") if output[f"frames_{done}"])
    return Text(" · ".join([f"{output['format']}, about {formatting.size(output['size'])}", *counts]))
