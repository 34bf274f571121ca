"""The files of a finished clip: their types, and the names under which people save them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote

from cutback.domain.cameras.local_time import Zones
from cutback.domain.clips.clip import Clip
from cutback.domain.media_types import media_type_of
from cutback.domain.visible import plain

_KEY = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,255})/[0-9]{1,9}/[A-Za-z0-9_-]{1,64}\.[a-z0-9]{1,8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A file of a clip."""

    key: str
    """The key in the clip store."""
    media_type: str
    part: str
    """What distinguishes it from the clip itself in its name, such as `640` for a poster; empty for the clip."""


def clip_of_key(key: str) -> str | None:
    """Return the stored id of the clip to which a key belongs; None if no clip has such a key.

    Everything that could mean another file on some system is refused here: `..`, backslashes, percent signs, control
    characters, letters beyond ASCII.
    """
    match = _KEY.fullmatch(key)
    return None if match is None or ".." in key else match[1]


def files_of(clip: Clip) -> list[ClipFile]:
    """Return the files of a clip; none unless it is ready."""
    if clip.result is None:
        return []
    posters = [
        ClipFile(each.key, media_type_of(each.key), PurePosixPath(each.key).stem) for each in clip.result.posters
    ]
    first = ClipFile(clip.result.key, media_type_of(clip.result.key), "")
    outputs = [
        ClipFile(key, media_type_of(key), each.name if key == each.key else PurePosixPath(key).stem)
        for each in clip.result.outputs
        for key in (each.key, *each.files)
        if key != clip.result.key
    ]
    pictures = [ClipFile(each.key, media_type_of(each.key), each.name.split(".")[0]) for each in clip.result.pictures]
    return [first, *outputs, *posters, *pictures]


def saved_name(clip: Clip, file: ClipFile, zones: Zones) -> str:
    """Return the name under which a file is saved: camera and local time, or else the clip's title or id."""
    span = next((each for each in clip.result.spans if each.camera and each.begins), None) if clip.result else None
    if span is not None and span.camera is not None and span.begins is not None:
        stem = f"{span.camera} {span.begins.astimezone(zones.for_camera(span.camera)):%Y-%m-%d %H-%M-%S}"
    else:
        stem = clip.title or clip.shown_id
    stem = plain(re.sub(r'[<>:"/\\|?*]', " ", stem)).strip(". ")[:120] or clip.shown_id
    return f"{stem}{f' {file.part}' if file.part else ''}{PurePosixPath(file.key).suffix}"


def disposition(name: str, *, attachment: bool) -> str:
    """Return the value of `Content-Disposition` for a name (RFC 6266), safe whatever the name contains."""
    ascii_only = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)
    kind = "attachment" if attachment else "inline"
    value = f'{kind}; filename="{ascii_only}"'
    return value if ascii_only == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"
