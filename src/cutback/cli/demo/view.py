"""Draws the demo, during its run and at its end."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from cutback.cli.demo.script import SubmittedWish
from cutback.cli.views import formatting
from cutback.domain.clips.clip import ClipState
from cutback.lifecycle.lookup import clip_url
from cutback.services import Services

_WIDE = 92
"""The minimum width for a separate column of ids."""


def moving_table(asked: Sequence[SubmittedWish], drawn: float | None = None) -> Group:
    """Draw the requests, and the progress of further recordings (0 to 1) if they are still being drawn."""
    made = formatting.table("clip", "state", "", "what", clipped=["what"])
    for each in asked:
        made.add_row(each.clip.id, *_standing(each), formatting.line(each.wish.title, "dim"))
    if drawn is None:
        return Group(made)
    return Group(made, "", Text(f"Drawing more recordings meanwhile: {drawn:.0%}", style="dim"))


def _standing(each: SubmittedWish) -> tuple[RenderableType, RenderableType]:
    if each.again:
        return Text("= same clip", style="bright_black"), ""
    if each.clip.state is ClipState.PROCESSING:
        return formatting.state(each.clip), formatting.bar(each.clip.progress.fraction, 16)
    if each.clip.result:
        return formatting.state(each.clip), Text(formatting.length(each.clip.result.duration), style="dim")
    if each.clip.failure:
        return formatting.state(each.clip), Text(each.clip.failure.reason, style="red")
    return formatting.state(each.clip), ""


def changes(before: Sequence[SubmittedWish], after: Sequence[SubmittedWish]) -> Iterator[str]:
    """Yield a line for every clip whose state has changed, for output without animations."""
    for old, new in zip(before, after, strict=False):
        if new.clip.state is not old.clip.state and not new.again:
            why = f"  {new.clip.failure.reason}" if new.clip.failure else ""
            yield f"{new.clip.updated_at.astimezone(UTC):%H:%M:%S}Z  {new.clip.state:<11} {new.clip.id}{why}"


def report(
    services: Services, asked: Sequence[SubmittedWish], recording: Path, width: int, *, serve: bool = False
) -> Iterator[RenderableType]:
    """Show the results and what to try next, in `width` columns. With `serve`, the workers go on."""
    sizes = {each.recording: (recording.parent / each.recording).stat().st_size for each in asked}
    wide = width >= _WIDE
    columns = ["state", "length", "took", "read", "of all", "file"]
    made = formatting.table(*["clip"] * wide, *columns, right=columns[1:5], clipped=["file"])
    for each in asked:
        name = [Text(each.clip.id, style="bold")] if wide else []
        made.add_row(*name, *_outcome(each, sizes[each.recording], named=not wide))
    yield ""
    yield made
    yield ""
    results = [each.clip.result for each in asked if each.clip.result and not each.again]
    length = float(sum(result.duration for result in results))
    read = sum(result.bytes_read for result in results)
    yield (
        f"{len(results)} clips, {length:.0f} s in all, for {formatting.size(read)} of reading. "
        f"The recordings have {formatting.size(sum(sizes.values()))}; the files are in {services.settings.clip_url}/."
    )
    for each in asked:
        if each.clip.failure and each.as_foreseen:
            yield Text(f"{each.clip.id} failed as expected: {each.clip.failure.message}", style="dim")
    yield ""
    yield from _next_steps(services, asked, recording, serve=serve)


def _outcome(each: SubmittedWish, whole: int, *, named: bool) -> tuple[RenderableType, ...]:
    """Make one row; with `named`, the last column includes the clip's id, because there is no column for it."""
    name = f"{each.clip.id}: " if named else ""
    if each.again:
        same = Text("= same clip", style="bright_black")
        return same, "", "", "", "", formatting.line(f"{name}requested twice, made once", "dim")
    result = each.clip.result
    if result is None:
        reason = each.clip.failure.reason if each.clip.failure else ""
        return formatting.state(each.clip), "", "", "", "", formatting.line(name + reason, "red")
    return (
        formatting.state(each.clip),
        formatting.length(result.duration),
        formatting.took(result.seconds),
        formatting.size(result.bytes_read),
        formatting.share(result.bytes_read, whole),
        formatting.line(result.key),
    )


def _next_steps(
    services: Services, asked: Sequence[SubmittedWish], recording: Path, *, serve: bool
) -> Iterator[RenderableType]:
    data = services.settings.data
    call = _cutback() + ("" if str(data) == "cutback-data" else f" --data {shlex.quote(str(data))}")
    start = [] if serve else [("start the workers and watch them", f"{call} up")]
    yield "[bold]Try next, in a second terminal[/]" if serve else "[bold]Try next[/]"
    for purpose, line in (
        ("show everything about a clip", f"{call} show {asked[0].clip.id}"),
        ("cut one yourself", f"{call} cut {shlex.quote(str(recording))} \\\n      --from 00:00:30 --to 00:00:36.25"),
        *start,
        (
            "request one, as a program does" if serve else "meanwhile, in a second terminal",
            f"{call} submit --recording {recording.name} \\\n      --from 30 --to 45 --wait",
        ),
    ):
        yield f"  [dim]# {purpose}[/]"
        yield formatting.command_line(f"  {line}")


def _cutback() -> str:
    """Return the command that runs this program from the current folder."""
    found, beside = shutil.which("cutback"), Path(sys.executable).with_name("cutback")
    if not beside.exists() or (found is not None and Path(found).resolve() == beside.resolve()):
        return "cutback"
    return os.path.relpath(beside) if beside.is_relative_to(Path.cwd()) else shlex.quote(str(beside))


def as_dict(services: Services, asked: Sequence[SubmittedWish], recording: Path) -> dict[str, Any]:
    """Return the results for programs."""
    return {
        "recording": str(recording),
        "size": recording.stat().st_size,
        "requests": [
            {
                "id": each.clip.id,
                "same_as_before": each.again,
                "as_foreseen": each.as_foreseen,
                "path": clip_url(services, each.clip),
                "clip": each.clip.public(),
            }
            for each in asked
        ],
    }
