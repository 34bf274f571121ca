"""The commands for clips: submit, clips, show, cancel, delete, retry."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutback.cli import completion
from cutback.cli.command import command
from cutback.cli.commands import arguments
from cutback.cli.console import escape
from cutback.cli.screen import Screen, each
from cutback.domain.errors import NoSuchFileError, WrongUsageError

if TYPE_CHECKING:
    from cutback.domain.clips.clip import Clip
    from cutback.domain.requests.request import ClipRequest
    from cutback.domain.requests.rules import RequestRules
    from cutback.ports import DeadLetter
    from cutback.services import Services

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of clips.", autocompletion=completion.clips)]


_SHORTEST_BEGINNING = 3
"""Characters of an id that may stand for all of it."""


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands."""
    command(
        app,
        "submit",
        panel=panel,
        examples=(
            ("wave.json", "send a request from a file; - reads standard input"),
            ("--recording sea.mp4 --from 75 --to 90 --wait", "send a request made of options, and wait"),
            ("--recording sea.mp4 --range 10..14 --range 62..70 --tag best", "join two waves"),
            (
                "--camera north-point --from 2026-06-21T10:03:12.480Z --to 2026-06-21T10:03:41.9Z",
                "cut by wall-clock time",
            ),
            (
                "--camera north-point --at 10:03:20 --before 8 --after 20",
                "cut around a moment of today",
            ),
        ),
    )(submit)
    command(
        app,
        "clips",
        panel=panel,
        examples=(
            ("--state failed --since 2h", "list what failed in the last two hours"),
            ("--camera north-point --state queued --state waiting", "list what is still to come from a camera"),
        ),
    )(clips)
    command(app, "show", panel=panel, examples=(("wave-7", "show everything about a clip"),))(show)
    command(
        app,
        "cancel",
        panel=panel,
        examples=(("wave-7 wave-8", "cancel two clips"), ("--all", "everything that is not finished")),
    )(cancel)
    command(app, "delete", panel=panel, examples=(("wave-7 wave-8", "remove the files of two clips"),))(delete)
    command(app, "retry", panel=panel, examples=(("wave-7", "retry a failed or cancelled clip"),))(retry)


def submit(
    screen: Screen,
    file: Annotated[str | None, typer.Argument(metavar="[FILE|-]", help="A file with a request as JSON.")] = None,
    recording: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Cut from the recording with this key.", autocompletion=completion.recordings),
    ] = None,
    cameras: Annotated[
        list[str],
        typer.Option(
            "--camera",
            metavar="NAME",
            help="Cut from a camera instead; may be repeated, with a clip for each.",
            autocompletion=completion.cameras,
        ),
    ] = [],  # noqa: B006 - typer makes a new list for each call
    start: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="Start here (included). With --camera: a moment of the wall clock."
        ),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Excluded.")] = None,
    duration: Annotated[
        str | None, typer.Option(metavar="TIME", help="End this long after --from, instead of --to.")
    ] = None,
    ranges: Annotated[
        list[str],
        typer.Option(
            "--range",
            metavar="FROM..TO",
            help="Use this range instead of --from and --to; may be repeated, to join ranges.",
        ),
    ] = [],  # noqa: B006
    at: Annotated[str | None, typer.Option(metavar="TIME", help="Cut around this moment of a camera.")] = None,
    before: Annotated[str | None, typer.Option(metavar="SECONDS", help="Start this long before --at.")] = None,
    after: Annotated[str | None, typer.Option(metavar="SECONDS", help="End this long after --at.")] = None,
    gaps: Annotated[
        str | None,
        typer.Option(metavar="skip|freeze|black|fail", help="What to do with time that a camera did not record."),
    ] = None,
    clip_id: Annotated[
        str | None, typer.Option("--id", help="Set the clip's id. The same id always means the same clip.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Set a title to show to people.")] = None,
    tags: Annotated[list[str], typer.Option("--tag", help="Add a tag, to find the clip by; may be repeated.")] = [],  # noqa: B006
    labels: Annotated[
        list[str], typer.Option("--label", metavar="KEY=VALUE", help="Add a label; may be repeated.")
    ] = [],  # noqa: B006
    webhook: Annotated[str | None, typer.Option(metavar="URL", help="Send every change of state to this URL.")] = None,
    precision: Annotated[
        str | None, typer.Option(metavar="exact|keyframe|instant", help="Choose what may be re-encoded.")
    ] = None,
    edits: arguments.Edits = [],  # noqa: B006
    chapters: arguments.Chapters = [],  # noqa: B006
    expires_in: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="Remove the finished clip after this time.")
    ] = None,
    *,
    wait_for_new: Annotated[
        bool,
        typer.Option(
            "--wait-for-new-camera", help="Accept a camera that has no recording yet; the clip waits for its first one."
        ),
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the clip is done; exit with 1 if it fails.")] = False,
) -> None:
    """Request a clip: put a request into the queue."""
    from cutback.catalogue.known_cameras import check_known
    from cutback.domain.base import utc_now
    from cutback.lifecycle import accept

    options = {
        "id": clip_id,
        "title": title,
        "tags": tags,
        "labels": arguments.typed_labels(labels),
        "webhook": webhook,
        "edits": arguments.typed_edits(edits),
        "chapters": arguments.typed_chapters(chapters),
        "output": {"precision": precision} if precision else None,
        "expires_in": expires_in,
    }
    if file is not None:
        if start or end or duration or ranges:
            raise WrongUsageError(
                f"To cut from a recording, name it with an option: cutback submit --recording {file} …"
            )
        if recording or cameras or at:
            raise WrongUsageError("A request from a file names its source itself; leave out --recording and --camera.")
        requests = _read_requests(file, screen.settings().request_rules, options)
    elif cameras:
        if recording or ranges:
            raise WrongUsageError("Use either --recording or --camera, not both; --range is only for recordings.")
        if duration is not None:
            if end is not None:
                raise WrongUsageError("Use either --to or --duration, but not both.")
            end = f"+{duration.removeprefix('+')}"
        around = {"at": at, "before": before, "after": after}
        requests = arguments.requests_of_cameras(
            cameras,
            {"from": start, "to": end, **around, "gaps": gaps},
            screen.settings().request_rules,
            now=utc_now(),
            **options,
        )
    elif recording is None:
        raise WrongUsageError("Name a FILE with a request, or use --recording or --camera, with --from and --to.")
    else:
        requests = [
            arguments.request_of(
                recording,
                arguments.typed_ranges(start, end, ranges, duration),
                screen.settings().request_rules,
                **options,
            )
        ]
    services = screen.services()
    if not wait_for_new:
        asked = [span.camera for request in requests for span in request.all_spans]
        check_known(services, asked, advice="If it is new, use --wait-for-new-camera.")
    made = [accept.submit(services, request) for request in requests]
    if wait:
        from cutback.cli.commands.wait import wait_for

        for clip in made:
            wait_for(screen, services, clip)
        return
    screen.document(made[0].public() if len(made) == 1 else {"clips": [clip.public() for clip in made]})
    if not screen.json:
        from cutback.cli.views import formatting

        for clip in made:
            screen.out.print(f"{escape(clip.id)}  ", formatting.state(clip), sep="")


def _read_requests(file: str, rules: RequestRules, options: dict[str, Any]) -> list[ClipRequest]:
    if file == "-":
        return arguments.requests_of_message(sys.stdin.buffer.read(1024 * 1024 + 1), rules, options)
    try:
        with Path(file).open("rb") as stream:
            return arguments.requests_of_message(stream.read(1024 * 1024 + 1), rules, options)
    except FileNotFoundError:
        raise NoSuchFileError(f"The file {file} does not exist.") from None
    except IsADirectoryError:
        raise WrongUsageError(f"{file} is a folder; name a file with a request.") from None
    except OSError as error:
        raise WrongUsageError(f"{file} cannot be read: {error.strerror}.") from error


def clips(
    screen: Screen,
    states: Annotated[
        list[str],
        typer.Option(
            "--state",
            help="Show only this state: queued, waiting, processing, ready, failed, ...; may be repeated.",
            autocompletion=completion.states,
        ),
    ] = [],  # noqa: B006
    tag: Annotated[str | None, typer.Option(help="Show only clips with this tag.")] = None,
    recording: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Show only clips from this recording.", autocompletion=completion.recordings),
    ] = None,
    camera: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Show only clips requested from this camera.", autocompletion=completion.cameras
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Show only clips requested since: 90s, 30m, 2h, 7d, or 2026-06-21T05:30Z."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Show at most this many clips.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Continue after the previous page.")] = None,
) -> None:
    """List clips, newest first."""
    from cutback.cli.views import formatting
    from cutback.domain.base import utc_now
    from cutback.domain.clips.clip import ClipState
    from cutback.ports import ClipQuery

    for state in states:
        if state not in set(ClipState):
            raise WrongUsageError(f"--state {state!r}: must be one of {', '.join(ClipState)}.")
    zones = screen.settings().zones
    zone = zones.default if camera is None else zones.for_camera(camera)
    created_from = read_since(since, utc_now(), zone) if since else None
    services = screen.existing()
    now = services.clock()
    query = ClipQuery(
        states=tuple(ClipState(state) for state in states),
        tag=tag,
        recording=recording,
        created_from=created_from,
        camera=camera,
    )
    try:
        page = services.records.list_clips(query, limit=limit, cursor=cursor)
    except ValueError as error:
        raise WrongUsageError(f"--cursor: {error}.") from None
    screen.document({"clips": [clip.public() for clip in page.clips], "next_cursor": page.next_cursor})
    if not page.clips:
        screen.hint("No clips.")
        return
    screen.show(formatting.clips_table(page.clips, now, screen.out.width))
    if page.next_cursor:
        screen.hint(f"There are more: use --cursor {page.next_cursor}")


def read_since(text: str, now: datetime, zone: tzinfo = UTC) -> datetime:
    """Parse a moment, or a duration before now. A moment without an offset is in `zone`.

    Raises:
        WrongUsageError: it is neither.
    """
    from cutback.domain.cameras.typed_moment import read_moment

    if match := re.fullmatch(r"(\d{1,6})([smhd])", text, re.ASCII):
        unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[match[2]]
        return now - timedelta(**{unit: int(match[1])})
    try:
        return read_moment(text, zone, now=now)
    except (ValueError, OverflowError):
        raise WrongUsageError(
            f"--since {text!r}: must be like 90s, 30m, 2h or 7d, or a moment such as 2026-06-21T05:30Z."
        ) from None


def show(
    screen: Screen,
    clip_id: Annotated[str, typer.Argument(metavar="ID", help="The clip's id.", autocompletion=completion.clips)],
) -> None:
    """Show everything about a clip."""
    from cutback.cli.views import formatting
    from cutback.lifecycle.delivery_log import deliveries_of
    from cutback.lifecycle.lookup import clip_url, get_clip, is_file_missing

    services = screen.existing()
    clip = get_clip(services, _full_id(services, clip_id))
    path = clip_url(services, clip)
    missing = is_file_missing(services, clip)
    failed, deliveries = _failed_deliveries(services, clip), deliveries_of(services, clip.id)
    more: dict[str, Any] = {
        "path": path,
        "missing": missing,
        "failed_deliveries": [{"event": event, "reason": letter.reason} for event, letter in failed] or None,
        "deliveries": [each.model_dump(mode="json", exclude_none=True) for each in deliveries] or None,
    }
    screen.document({**clip.public(), **{name: value for name, value in more.items() if value is not None}})
    dead = [(event, letter.reason) for event, letter in failed]
    facts = formatting.ClipFacts(path, missing, dead, deliveries)
    screen.show(formatting.clip_card(clip, facts, services.clock()))


def _failed_deliveries(services: Services, clip: Clip) -> list[tuple[str, DeadLetter]]:
    """The webhook deliveries of the clip's events among the newest dead letters, each with the event's id."""
    from cutback.lifecycle.dead_letters import subject

    if services.webhooks is None or not (clip.request.webhook or services.settings.webhook_urls):
        return []
    letters = [(subject(letter) or "", letter) for letter in services.webhooks.dead_letters(limit=100)]
    return [(event, letter) for event, letter in letters if event.rpartition(".")[0] == clip.id]


def _full_id(services: Services, typed: str) -> str:
    """The id of the clip that is meant: itself, or the only one among the newest that begins so.

    Raises:
        WrongUsageError: several begin so.
    """
    from cutback.ports import ClipQuery

    if services.records.get_clip(typed) is not None:
        return typed
    page = services.records.list_clips(ClipQuery(), limit=1000)
    found = [clip.id for clip in page.clips if clip.id.startswith(typed)] if len(typed) >= _SHORTEST_BEGINNING else []
    if len(found) > 1:
        shown = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
        raise WrongUsageError(f"{len(found)} clips begin with {typed}: {shown}")
    return found[0] if found else typed


def cancel(
    screen: Screen,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of clips.", autocompletion=completion.clips)
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Cancel every clip that is not finished.")] = False,
) -> None:
    """Cancel clips; work in progress stops within a second."""
    from cutback.lifecycle import accept

    if bool(ids) == everything:
        raise WrongUsageError("Name clips by id, or use --all.")
    services = screen.existing()
    chosen = ids or _unfinished(services)
    each(screen, chosen, lambda name: {"clip": accept.cancel(services, name).public()}, "cancelled")
    if not chosen:
        screen.hint("There is nothing to cancel.")


def delete(screen: Screen, ids: Ids) -> None:
    """Delete finished clips: their files go now, their records stay as expired."""
    from cutback.lifecycle import accept

    services = screen.existing()
    each(screen, ids, lambda name: {"clip": accept.delete(services, name).public()}, "deleted")


def _unfinished(services: Services) -> list[str]:
    from cutback.domain.clips.clip import ClipState
    from cutback.worker.status import clips_of

    return [clip.id for state in ClipState if not state.final for clip in clips_of(services, state)]


def retry(screen: Screen, ids: Ids) -> None:
    """Retry failed or cancelled clips."""
    from cutback.lifecycle import accept

    services = screen.existing()
    each(screen, ids, lambda name: {"clip": accept.retry(services, name).public()}, "queued again")
