"""What is typed on a command line becomes a request; what is wrong with it is named by its option."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cutback.errors import Fault, InvalidRequestError
from cutback.request import ClipRequest, validate_request
from cutback.run.exits import WrongUsageError

_OPTIONS = {
    "start": "--from",
    "end": "--to",
    "output.precision": "--precision",
    "expires_in": "--expires-in",
    "id": "--id",
    "title": "--title",
    "tags": "--tag",
    "labels": "--label",
    "webhook": "--webhook",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """A time range as typed."""

    start: str
    end: str
    named: str = ""
    """The option it came from, where it was `--range`."""


def typed_ranges(start: str | None, end: str | None, ranges: Sequence[str]) -> list[Typed]:
    """`--from`/`--to`, or every `--range A..B`.

    Raises:
        WrongUsageError: neither or both, or a range without its two dots.
    """
    if ranges:
        if start is not None or end is not None:
            raise WrongUsageError("Say --from and --to, or one --range and more, not both.")
        made = []
        for text in ranges:
            first, dots, last = text.partition("..")
            if not (dots and first and last):
                raise WrongUsageError(f"--range {text!r}: write it as FROM..TO, such as 12.5..30.")
            made.append(Typed(first, last, f"--range {text}"))
        return made
    if start is None or end is None:
        missing = " and ".join(name for name, value in (("--from", start), ("--to", end)) if value is None)
        raise WrongUsageError(f"{missing} is missing: say which part, such as --from 00:01:15 --to 00:01:45.")
    return [Typed(start, end)]


def typed_instant(text: str) -> Any:
    """A time in a request's own form; `frame:1234` is the frame of that number."""
    match = re.fullmatch(r"frame:(\d{1,15})", text.strip(), re.ASCII)
    return {"frame": int(match[1])} if match else text


def typed_labels(labels: Sequence[str]) -> dict[str, str]:
    """`key=value`, each key once.

    Raises:
        WrongUsageError: one is not of that form.
    """
    made: dict[str, str] = {}
    for text in labels:
        key, equals, value = text.partition("=")
        if not equals or key in made:
            raise WrongUsageError(f"--label {text!r}: write it as KEY=VALUE, every key once.")
        made[key] = value
    return made


def request_of(recording: str, ranges: Sequence[Typed], **fields: Any) -> ClipRequest:
    """A validated request; fields that are None or empty are left out.

    Raises:
        InvalidRequestError: its faults named by the options they came from.
    """
    content = {
        "source": [
            {"recording": recording, "start": typed_instant(piece.start), "end": typed_instant(piece.end)}
            for piece in ranges
        ],
        **{name: value for name, value in fields.items() if value not in (None, "", [], {})},
    }
    try:
        return validate_request(content)
    except InvalidRequestError as error:
        raise InvalidRequestError([_as_typed(fault, ranges) for fault in error.faults]) from None


def _as_typed(fault: Fault, ranges: Sequence[Typed]) -> Fault:
    return Fault(_option(fault.path, ranges), fault.problem.replace('{"frame": 1234}', "frame:1234"))


def _option(path: str, ranges: Sequence[Typed]) -> str:
    if match := re.match(r"source\[(\d+)\](?:\.(\w+))?", path):
        piece = ranges[int(match[1])]
        if match[2] == "recording":
            return "recording"
        return piece.named or _OPTIONS.get(match[2] or "", "--from --to")
    top = re.split(r"[\[.]", path, maxsplit=1)[0]
    return _OPTIONS.get(path) or _OPTIONS.get(top) or path
