"""Shows the result of `cutback probe`."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from cutback.cli.console import escape
from cutback.cli.screen import Screen
from cutback.cli.views import formatting


def show_probe(screen: Screen, found: dict[str, Any]) -> None:
    """Show a heading, a table of tracks, and how the recording can be cut."""
    duration = formatting.length(Fraction(found["duration"]))
    playlist = found["size"] is None
    size = "playlist" if playlist else formatting.size(found["size"])
    screen.show(
        f"[bold]{escape(found['source'])}[/]  [dim]{escape(str(found['container']))} · {duration} · {size}[/]", ""
    )
    table = formatting.table("track", "codec", "language", "length", "rate", "", right=["length", "rate"])
    for track in found["tracks"]:
        long = formatting.length(Fraction(track["duration"])) if "duration" in track else "empty"
        rate = f"{track.get('bits_per_second', 0) / 1000:.0f} kbit/s" if "duration" in track else ""
        table.add_row(track["kind"], escape(track["codec"]), escape(track["language"]), long, rate, _shape(track))
    screen.show(table, "")
    keyframes = found["keyframes"]
    if keyframes:
        where = " in the first segment" if playlist else ""
        screen.show(
            f"{keyframes['count']} keyframes{where}, {float(keyframes['average']):.2f} s apart on average, "
            f"{float(keyframes['longest']):.2f} s at most"
        )
    if found["copies"]:
        screen.show("[green]✓[/] Clips are copied; only the edges are re-encoded.")
    elif keyframes:
        screen.show("[yellow]![/] Clips are re-encoded completely: its container or codec cannot be copied.")
    for note in found["notes"]:
        screen.show(f"[yellow]{escape(note)}[/]")
    if not playlist:
        screen.show(f"[dim]read {formatting.size(found['bytes_read'])} to find this out[/]")


def _shape(track: dict[str, Any]) -> str:
    if "width" in track:
        return f"{track['width']}×{track['height']}, {track.get('frames_per_second', 0):g} fps"
    if "sample_rate" in track:
        return f"{track['sample_rate']} Hz, {track['channels']} ch"
    return ""
