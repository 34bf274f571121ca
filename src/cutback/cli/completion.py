"""What a shell can complete: ids of clips and dead letters, names of cameras, keys of recordings, states, files.

Each function answers from the local database, quickly. It is silent about errors: while you type a command, there is
no place for a message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

if TYPE_CHECKING:
    from cutback.settings.settings import Settings

T = TypeVar("T")

_MOST = 200
"""How many proposals a shell gets."""
_LOOKED_AT = 1000
_PATIENCE = timedelta(milliseconds=300)
"""How long to wait for a process that is writing to the database."""


def states(incomplete: str) -> list[str]:
    """Return the states that begin so."""
    from cutback.domain.clips.clip import ClipState

    return [state.value for state in ClipState if state.startswith(incomplete)]


def clips(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the newest clips whose ids begin so, each with its state and title."""
    return list(_quietly(lambda: _clips(ctx, incomplete)))


def cameras(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the cameras whose names begin so."""
    return list(_quietly(lambda: _cameras(ctx, incomplete)))


def recordings(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return keys of recordings that begin so, one folder at a time, if the source store is a folder."""
    return list(_quietly(lambda: _recordings(ctx, incomplete)))


def dead_letters(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return dead letters by their clips' or events' ids and by their own, each with its reason."""
    return list(_quietly(lambda: _dead_letters(ctx, incomplete)))


def sources(incomplete: str) -> list[str]:
    """Return files that may be recordings, and folders, one folder at a time."""
    return list(_quietly(lambda: _files(incomplete)))


def _dead_letters(ctx: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    from cutback.adapters.build import open_local_dead_letters
    from cutback.lifecycle.dead_letters import subject

    settings = _settings(ctx)
    with closing(open_local_dead_letters(settings, _queue(ctx), patience=_PATIENCE)) as queue:
        found = queue.dead_letters(limit=_MOST)
    subjects = dict.fromkeys((subject(letter, settings.request_rules), letter.reason) for letter in found)
    for name, reason in [*subjects, *((letter.id, letter.reason) for letter in found)]:
        if name and name.startswith(incomplete):
            yield name, reason


def _queue(ctx: typer.Context) -> str:
    chosen = ctx.params.get("queue")
    return str(getattr(chosen, "value", chosen) or "clips")


def _files(incomplete: str) -> Iterator[str]:
    from cutback.domain.cameras.key_pattern import EXTENSIONS

    above, _, begins = incomplete.rpartition("/")
    folder = f"{above}/" if "/" in incomplete else ""
    for path in sorted(Path(folder or ".").expanduser().iterdir()):
        hidden = path.name.startswith(".") and not begins.startswith(".")
        if not path.name.startswith(begins) or hidden:
            continue
        if path.is_dir():
            yield f"{folder}{path.name}/"
        elif path.name.lower().endswith((*EXTENSIONS, ".m3u8")):
            yield f"{folder}{path.name}"


def _clips(ctx: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    from cutback.adapters.build import open_local
    from cutback.ports import ClipQuery

    records, catalogue = open_local(_settings(ctx), patience=_PATIENCE)
    with closing(records), closing(catalogue):
        found = records.list_clips(ClipQuery(), limit=_LOOKED_AT).clips
    for clip in found:
        if clip.id.startswith(incomplete):
            yield clip.id, f"{clip.state} {clip.request.title}".strip()


def _cameras(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    from cutback.adapters.build import open_local

    records, catalogue = open_local(_settings(ctx), patience=_PATIENCE)
    with closing(records), closing(catalogue):
        yield from (each.name for each in catalogue.cameras() if each.name.startswith(incomplete))


def _recordings(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    folder = _settings(ctx).source_url.removeprefix("file://")
    if "://" in folder:
        return
    above = incomplete.rpartition("/")[0]
    for path in sorted((Path(folder) / above).iterdir()):
        key = f"{above}/{path.name}".removeprefix("/")
        if key.startswith(incomplete) and not path.name.startswith("."):
            yield f"{key}/" if path.is_dir() else key


def _quietly(find: Callable[[], Iterator[T]]) -> list[T]:
    made: list[T] = []
    try:
        for each in find():
            made.append(each)
            if len(made) == _MOST:
                break
    except Exception:  # noqa: BLE001, S110 - without proposals, the shell completes nothing
        pass
    return made


def _settings(ctx: typer.Context) -> Settings:
    from cutback.settings.settings import load_settings

    data = ctx.params.get("data") or (ctx.parent.params.get("data") if ctx.parent else None)
    return load_settings(data=Path(data) if data else None)
