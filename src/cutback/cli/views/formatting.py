"""Formats sizes, durations, states and tables for terminals. Pure: values in, renderables out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from fractions import Fraction
from typing import TYPE_CHECKING

from rich import box
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cutback.cli.console import escape
from cutback.domain.clips.state import ClipState
from cutback.domain.requests.sources import AssetRange, CameraSpan, Range, Source
from cutback.domain.times import FrameNumber, FromEnd, Instant, format_clock, format_seconds

if TYPE_CHECKING:
    from cutback.domain.clips.clip import Clip
    from cutback.domain.clips.webhook import ClipDelivery

STATE_STYLES = {
    ClipState.QUEUED: "bright_black",
    ClipState.WAITING: "yellow",
    ClipState.PROCESSING: "cyan",
    ClipState.READY: "green",
    ClipState.FAILED: "bold red",
    ClipState.CANCELLED: "magenta",
    ClipState.EXPIRED: "bright_black",
}
_FILLED = {"skip": "skipped", "freeze": "the last picture, frozen", "black": "black", "fail": ""}
_LEAST = 16
_DELIVERIES_SHOWN = 10
_MARKS = {
    ClipState.QUEUED: "·",
    ClipState.WAITING: "…",
    ClipState.PROCESSING: "»",
    ClipState.READY: "✓",
    ClipState.FAILED: "✗",
    ClipState.CANCELLED: "-",
    ClipState.EXPIRED: "-",
}


def size(count: int) -> str:
    """Format bytes in powers of ten, with three digits: `20.7 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5 or unit == "GB":
            break
        value /= 1000
    return f"{count} B" if unit == "B" else f"{value:.{0 if value >= 99.95 else 1}f} {unit}"


def share(part: int, whole: int) -> str:
    """Format a percentage: `5.8 %`, or nothing if `whole` is 0."""
    if not whole:
        return ""
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 99.95 else f"{percent:.1f} %"


def length(seconds: Fraction) -> str:
    """Format a clip's duration: `12.500 s`, or `HH:MM:SS.mmm` from a minute on."""
    return f"{float(seconds):.3f} s" if seconds < 60 else format_clock(seconds).removeprefix("00:")


def instant(value: Instant) -> str:
    """Format a requested time."""
    if isinstance(value, FromEnd):
        return f"{format_seconds(value.seconds)} s before the end" if value.seconds else "the end"
    return f"frame {value.frame}" if isinstance(value, FrameNumber) else clock(value)


def clock(value: Fraction) -> str:
    """Format a time in a recording, as short as possible: `01:15.2`, `01:02:03`."""
    text = format_clock(value).removeprefix("00:")
    return text.rstrip("0").rstrip(".")


def pieces(source: Sequence[Source]) -> str:
    """Format a request's source: `sea.mp4 00:41.367–00:53.9`, with a plus between several ranges."""
    made, before = [], ""
    for piece in source:
        if isinstance(piece, CameraSpan):
            name, text = piece.camera, between(piece.start, piece.end)
        else:
            name, text = named(piece), f"{instant(piece.start)}–{instant(piece.end)}"
        made.append(text if name == before else f"{name} {text}")
        before = name
    return " + ".join(made)


def utc(when: datetime, *, millis: bool = False) -> str:
    """Format a wall-clock time in UTC: `2026-06-21 10:03:12Z`."""
    part = f".{when.microsecond // 1000:03d}" if millis else ""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}{part}Z"


def moment(when: datetime, *, day: bool = True) -> str:
    """Format a wall-clock time in UTC: `2026-06-21 10:03:12.48Z`."""
    moment = when.astimezone(UTC)
    seconds = f"{moment:%S.%f}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%d} {moment:%H:%M}:{seconds}Z" if day else f"{moment:%H:%M}:{seconds}Z"


def between(start: datetime, end: datetime) -> str:
    """Format a wall-clock span in UTC. The end has its date if that is another one."""
    same_day = start.astimezone(UTC).date() == end.astimezone(UTC).date()
    return f"{moment(start)} – {moment(end, day=not same_day)}"


def on_its_clock(when: datetime, zone: tzinfo) -> str:
    """Format what a clock in `zone` shows, with its offset from UTC: `2026-06-21 12:03:12+02:00`."""
    return when.astimezone(zone).isoformat(" ", timespec="seconds")


def state(clip: Clip) -> Text:
    """Format the state in its colour, with a mark that needs no colour."""
    return Text(f"{_MARKS[clip.state]} {clip.state}", style=STATE_STYLES[clip.state], no_wrap=True)


def bar(fraction: float, width: int = 20) -> ProgressBar:
    """Return a progress bar."""
    return ProgressBar(total=1.0, completed=fraction, width=width, finished_style="green")


def ago(moment: datetime, now: datetime) -> str:
    """Format a past time: `12 s ago`, `5 min ago`, `3 h ago`, or the date if it is more than a day ago."""
    seconds = max(0, round((now - moment).total_seconds()))
    if seconds < 60:
        return f"{seconds} s ago"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if seconds < 86400:
        return f"{seconds // 3600} h ago"
    return f"{moment.astimezone(UTC):%Y-%m-%dZ}"


def took(seconds: float) -> str:
    """Format a wall-clock duration: `0.84 s`, `12.3 s`, `2:05 min`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"


WIDE = 100
"""Columns from which a terminal is wide enough for every column of a table."""


def table(*columns: str, right: Iterable[str] = (), clipped: Iterable[str] = ()) -> Table:
    """Return a plain table: a rule under the header, no boxes. In narrow terminals, columns in `clipped` shrink first.

    A clipped column with a name never shrinks to nothing: the last columns are cut off instead.
    """
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        gives_way = name in set(clipped)
        made.add_column(
            name,
            justify="right" if name in set(right) else "left",
            no_wrap=not gives_way,
            overflow="ellipsis",
            min_width=_LEAST if gives_way and name else None,
        )
    return made


def line(text: str, style: str = "") -> Text:
    """Return a cell that is truncated instead of wrapped."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def command_line(text: str) -> Text:
    """Return text that never wraps, so that it can be copied and pasted."""
    return Text(text, style="cyan", no_wrap=True, overflow="ignore")


def clips_table(clips: Sequence[Clip], now: datetime, width: int) -> Table:
    """List clips, newest first. Narrow terminals show the beginning of long ids, and not when clips were requested."""
    wide = width >= WIDE
    made = table("clip", "state", "length", "from", *["requested"] * wide, right=["length"], clipped=["from"])
    if not wide:
        made.columns[0].max_width = max(12, width // 3)
    for clip in clips:
        long = length(clip.result.duration) if clip.result else ""
        what = clip.request.title or pieces(clip.request.source)
        made.add_row(escape(clip.id), state(clip), long, line(what), *[ago(clip.created_at, now)] * wide)
    return made


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What is known about a clip besides its record."""

    path: str | None = None
    missing: bool | None = None
    """Whether its file is gone; None if that is not known."""
    failed_deliveries: Sequence[tuple[str, str]] = ()
    """Webhook deliveries that failed every try: the event's id and the reason."""
    deliveries: Sequence[ClipDelivery] = ()
    """The newest tries to deliver the clip's events, in order."""


def clip_card(clip: Clip, facts: ClipFacts, now: datetime) -> Table:
    """Show everything about a clip."""
    path = facts.path
    card = Table.grid(padding=(0, 2))
    card.add_column(style="dim", no_wrap=True)
    card.add_column(overflow="fold")
    card.add_row("clip", Text(clip.id, style="bold"))
    card.add_row("state", state(clip))
    request = clip.request
    if clip.title:
        card.add_row("title", escape(clip.title))
    if clip.tags:
        card.add_row("tags", escape(", ".join(clip.tags)))
    for key, value in clip.labels.items():
        card.add_row("label", escape(f"{key}={value}"))
    if clip.failure:
        card.add_row("reason", Text(clip.failure.reason, style="bold red"))
        card.add_row("", escape(clip.failure.message))
    if clip.state is ClipState.PROCESSING:
        card.add_row("progress", f"{clip.progress.fraction:.0%}, {clip.progress.frames} frames")
        card.add_row("worker", escape(clip.worker))
    for piece in request.source:
        card.add_row("requested", escape(_requested(piece)))
    if clip.state is ClipState.WAITING:
        when = f", expected at {moment(clip.expected_at)}" if clip.expected_at else ""
        card.add_row("waits for", escape(f"footage of {clip.waits_for}{when}"))
        if clip.waits_for_new_camera:
            card.add_row("", Text(f"No recording of {clip.waits_for} is known. Is the name right?", style="yellow"))
        if clip.waits_until:
            card.add_row("waits until", moment(clip.waits_until))
    for name, output in request.wanted_outputs.items():
        shown = f"{name}: {output.format}" if request.outputs else output.format
        card.add_row("output", escape(f"{shown}, {output.precision}"))
    done = clip.result.edits if clip.result else ()
    for number, words in enumerate(done or [each.edit for each in request.edits]):
        card.add_row("" if number else "edits", escape(words))
    if clip.result:
        _add_result(card, clip, path)
    if facts.missing:
        card.add_row("", Text("The file is missing: something other than Cutback removed it.", style="bold red"))
    if request.webhook:
        card.add_row("webhook", escape(request.webhook))
    for tried in facts.deliveries[-_DELIVERIES_SHOWN:]:
        card.add_row("delivery", _delivery(tried))
    for event, reason in facts.failed_deliveries:
        card.add_row("not delivered", Text(f"{event}: {reason}", style="yellow"))
    card.add_row("requested at", f"{utc(clip.created_at)} ({ago(clip.created_at, now)})")
    if clip.state.final:
        waited = (clip.updated_at - clip.created_at).total_seconds()
        attempts = f", {clip.attempt} attempts" if clip.attempt > 1 else ""
        card.add_row("done after", f"{took(waited)}{attempts}")
    if clip.expires_at:
        card.add_row("expires", utc(clip.expires_at))
    return card


def _delivery(tried: ClipDelivery) -> Text:
    number = f", try {tried.attempt}" if tried.attempt > 1 else ""
    said = f"{tried.outcome} ({tried.status})" if tried.status is not None else tried.outcome
    why = "" if tried.outcome == "delivered" or tried.status is not None else f": {tried.error}"
    text = f"{utc(tried.at)} {tried.type.removeprefix('clip.')} to {tried.url}{number}: {said}{why}"
    return Text(text, style="" if tried.outcome == "delivered" else "yellow")


def _requested(piece: Source) -> str:
    if isinstance(piece, CameraSpan):
        return f"{moment(piece.start)} – {moment(piece.end)} of camera {piece.camera}"
    return f"{instant(piece.start)} – {instant(piece.end)} of {named(piece)}"


def named(piece: Range | AssetRange) -> str:
    """Return the name of a part's recording or asset."""
    return piece.asset if isinstance(piece, AssetRange) else piece.recording


def _add_result(card: Table, clip: Clip, path: str | None) -> None:
    result = clip.result
    assert result is not None
    for span in result.spans:
        clamped = " [yellow](the recording ends here)[/]" if span.clamped else ""
        where = f" of {span.recording}, starting at {moment(span.begins)}" if span.begins else ""
        text = f"{format_seconds(span.start, 6)} s – {format_seconds(span.end, 6)} s{where}"
        card.add_row("delivered", f"{escape(text)}{clamped}")
    for gap in result.gaps:
        text = f"{moment(gap.begins)} – {moment(gap.ends)}, {_FILLED[gap.filled]}"
        card.add_row("gap", Text(text, style="yellow"))
    card.add_row("result", f"{length(result.duration)}, {result.width}×{result.height}, {size(result.size)}")
    card.add_row("frames", f"{result.frames}: {result.frames_copied} copied, {result.frames_encoded} encoded")
    of_whole = share(result.bytes_read, result.source_size)
    card.add_row("read", f"{size(result.bytes_read)} of {size(result.source_size)} ({of_whole})")
    card.add_row("took", took(result.seconds))
    for note in result.notes:
        card.add_row("note", Text(note, style="yellow"))
    if result.posters:
        largest = result.posters[-1]
        place = (path or result.key).removesuffix(result.key) + largest.key
        about = f"{largest.width}×{largest.height}; {len(result.posters)} sizes"
        card.add_row("poster", f"{escape(place)} [dim]({about})[/]")
    card.add_row("file", Text(path or result.key, style="bold"))
    for each in result.outputs[1:]:
        place = (path or result.key).removesuffix(result.key) + each.key
        card.add_row("", escape(f"{place} ({size(each.size)})"))


def pace(done: int, total: int, seconds: float) -> str:
    """How far and how fast something goes, and what is left of it: `120 of 4,000, 60/s, 1 min 4 s left`."""
    rate = done / seconds if seconds > 0 else 0.0
    if not rate:
        return f"{done:,} of {total:,}"
    shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
    left = round((total - done) / rate)
    hours, minutes = left // 3600, left // 60 % 60
    wait = f"{hours} h {minutes} min" if hours else f"{minutes} min {left % 60} s" if minutes else f"{left} s"
    return f"{done:,} of {total:,}, {shown}/s, {wait} left"
