"""`cutback moments`: where something happens on a camera, and clips of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutback.cli import completion
from cutback.cli.command import command
from cutback.cli.commands import arguments
from cutback.cli.screen import Screen
from cutback.domain.errors import WrongUsageError

if TYPE_CHECKING:
    from cutback.domain.cameras.moments import CameraMoment
    from cutback.lifecycle.moment_clips import MomentClip

_LONGEST = timedelta(days=31)


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(
        app,
        "moments",
        panel=panel,
        examples=(
            ("--camera north-point --from 05:00 --to 09:00", "where something happened this morning"),
            (
                "--camera north-point --from 05:00 --to 09:00 --least 0.6 --clip --preset phone",
                "make a clip of each, 8 s before to 12 s after its peak",
            ),
        ),
    )(moments)


def moments(
    screen: Screen,
    camera: Annotated[str, typer.Option(help="Look at this camera.", autocompletion=completion.cameras)],
    begins: Annotated[str, typer.Option("--from", metavar="MOMENT", help="Start at this moment.")],
    ends: Annotated[str, typer.Option("--to", metavar="MOMENT", help="End at this moment.")],
    least: Annotated[float, typer.Option(min=0.1, max=1, help="Lowest strength: 0.5 is just unusual.")] = 0.5,
    before: Annotated[float, typer.Option(min=0, max=600, metavar="SECONDS", help="Start a clip this early.")] = 8,
    after: Annotated[float, typer.Option(min=0.1, max=600, metavar="SECONDS", help="End a clip this late.")] = 12,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="Use this preset for the clips.")] = None,
    tags: Annotated[list[str], typer.Option("--tag", help="Add a tag to the clips; may be repeated.")] = [],  # noqa: B006
    *,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Look at small pictures of each moment, and drop it if nothing moves.")
    ] = False,
    clip: Annotated[
        bool, typer.Option("--clip", help="Request a clip of each moment. A moment that has a clip keeps it.")
    ] = False,
) -> None:
    """Find the moments of a camera: peaks of activity over what is usual in that hour."""
    from cutback.catalogue.known_cameras import check_known
    from cutback.domain.base import iso, utc_now
    from cutback.domain.requests.moment_rule import check_rules
    from cutback.lifecycle.moment_clips import clip_moments
    from cutback.lifecycle.moments import camera_moments

    try:
        (rule,) = check_rules(
            [{"camera": "*", "strength": least, "before": before, "after": after, "preset": preset, "tags": tags}],
            screen.settings().request_rules,
        )
    except ValueError as error:
        raise WrongUsageError(f"--{str(error).removeprefix('rule 1: ')}.") from None
    zone, now = screen.settings().zones.for_camera(camera), utc_now()
    start = arguments.typed_moment("--from", begins, zone, now=now)
    end = arguments.typed_moment("--to", ends, zone, now=now, after=start)
    if not timedelta() < end - start <= _LONGEST:
        raise WrongUsageError(f"--to must be after --from, by at most {_LONGEST.days} days.")
    with screen.existing() as services:
        check_known(services, [camera])
        found = camera_moments(services, camera, start, end, least=least, confirm=confirm)
        made = clip_moments(services, camera, found.moments, rule) if clip else []
    for note in found.notes:
        screen.warn(note)
    screen.document(
        {
            "camera": camera,
            "from": iso(start),
            "to": iso(end),
            "moments": _as_dicts(found.moments, made),
            "notes": found.notes,
        }
    )
    if not found.moments:
        screen.hint("No moments. Try a lower --least, or see what is recorded: cutback recordings")
        return
    _show(screen, found.moments, made)


def _as_dicts(moments: Sequence[CameraMoment], made: Sequence[MomentClip]) -> list[dict[str, Any]]:
    from cutback.domain.base import iso

    shown: list[dict[str, Any]] = [
        {
            "begins": iso(moment.begins),
            "ends": iso(moment.ends),
            "peak": iso(moment.peak),
            "strength": moment.strength,
        }
        for moment in moments
    ]
    for each, clip in zip(shown, made, strict=False):
        each |= {"clip": clip.clip.id, "new": clip.is_new}
    return shown


def _show(screen: Screen, moments: Sequence[CameraMoment], made: Sequence[MomentClip]) -> None:
    from cutback.cli.console import escape
    from cutback.cli.views import formatting

    columns = ["peak", "seconds", "strength", *(["clip", ""] if made else [])]
    table = formatting.table(*columns, right=["seconds", "strength"])
    for number, moment in enumerate(moments):
        bar = "█" * round(moment.strength * 10)
        row = [
            formatting.utc(moment.peak),
            f"{(moment.ends - moment.begins).total_seconds():.0f}",
            f"{moment.strength:.2f} {bar:<10}",
        ]
        if made:
            row += [escape(made[number].clip.id), "new" if made[number].is_new else "there already"]
        table.add_row(*row)
    screen.show(table)
    if made:
        new = sum(each.is_new for each in made)
        screen.hint(f"{new} of {len(made)} clips are new. To follow them: cutback clips --tag moment")
