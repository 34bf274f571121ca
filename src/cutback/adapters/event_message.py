"""An event as a message: its text, shortened if necessary, and the attributes by which receivers choose."""

from __future__ import annotations

import json

from cutback.domain.clips.event import CHANGED, Answer, Event


def event_text(event: Event, *, most: int) -> str:
    """Return the event as JSON; without the request, its longest part, if it has more than `most` bytes."""
    content = event.body()
    text = _json(content)
    for key in ("request", "result"):
        if len(text.encode()) <= most or "data" not in content:
            break
        content["data"] = {name: value for name, value in content["data"].items() if name != key} | {"shortened": True}
        text = _json(content)
    return text


def attributes(event: Event) -> dict[str, str]:
    """Return the attributes by which subscriptions can filter."""
    state = "" if event.type == CHANGED else str(event.data.get("state", ""))  # the state is no news
    found = {"type": event.type, "state": state}
    if isinstance(event, Answer):
        found["format"] = "legacy"
    source = event.data.get("request", {}).get("source")
    pieces = source if isinstance(source, list) else [source]
    cameras = {str(piece["camera"]) for piece in pieces if isinstance(piece, dict) and piece.get("camera")}
    if len(cameras) == 1:
        found["camera"] = cameras.pop()
    return {name: value for name, value in found.items() if value}


def _json(content: object) -> str:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    # Some services reject two characters of Unicode; JSON strings can contain them escaped.
    return text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
