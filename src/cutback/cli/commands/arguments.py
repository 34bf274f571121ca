"""Converts command-line arguments to requests; reports faults by option."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutback.cli.exit_codes import WrongOptionsError
from cutback.domain.errors import Fault, InvalidRequestError, WrongUsageError

if TYPE_CHECKING:
    from cutback.domain.requests.request import ClipRequest
    from cutback.domain.requests.rules import RequestRules

Edits = Annotated[
    list[str],
    typer.Option(
        "--edit",
        metavar="JSON",
        help='Edit the clip, as \'{"edit": "gain", "db": 6}\'; may be repeated. See docs/edits.md.',
    ),
]

Chapters = Annotated[
    list[str],
    typer.Option(
        "--chapter",
        metavar="AT=TITLE",
        help="Begin a chapter here, as 12.5='Left at the point'; may be repeated.",
    ),
]

_OPTIONS = {
    "start": "--from",
    "end": "--to",
    "output.precision": "--precision",
    "edits": "--edit",
    "chapters": "--chapter",
    "pictures": "--pictures",
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
    """The option that it comes from, if it was `--range`."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """The other fields of its part of the source, from a file: `join`, or the `asset` that is used instead."""


@dataclass(frozen=True, slots=True)
class TypedRequest:
    """What is made of each recording: typed, or from a file with a request."""

    ranges: list[Typed]
    fields: Mapping[str, Any]
    """The request's other fields, such as `edits` and `output`."""
    typed: bool = True
    """Whether no part of it is from a file."""

    @property
    def extension(self) -> str:
        """The extension of the clip's file; that of an MP4 if its format is unknown, which `request` reports."""
        outputs = self.fields.get("outputs")
        output = outputs[0] if isinstance(outputs, list) and outputs else self.fields.get("output")
        name = output.get("format", output.get("container", "mp4")) if isinstance(output, dict) else "mp4"
        if name == "mp4":
            return ".mp4"
        from cutback.domain.requests.outputs.known import KINDS

        return KINDS[name].extension if isinstance(name, str) and name in KINDS else ".mp4"

    @property
    def has_many_files(self) -> bool:
        """Whether a clip consists of several files."""
        outputs = self.fields.get("outputs")
        return self.extension == ".m3u8" or (isinstance(outputs, list) and len(outputs) > 1)

    def in_format_of(self, file: str | None) -> TypedRequest:
        """Return it with the format that the file's extension names, unless the request names one itself."""
        suffix = Path(file or "").suffix.lower()
        output = self.fields.get("output", {})
        named = not isinstance(output, dict) or {"format", "container"} & output.keys() or "outputs" in self.fields
        if named or suffix in {"", ".mp4", ".m4v"}:
            return self
        from cutback.domain.requests.outputs.known import KINDS

        suffix = _ALSO_CALLED.get(suffix, suffix)
        found = next((name for name, kind in KINDS.items() if kind.extension == suffix), None)
        return self if found is None else replace(self, fields={**self.fields, "output": {**output, "format": found}})

    def in_format(self, name: str | None) -> TypedRequest:
        """Return it with a format, if one is given.

        Raises:
            WrongUsageError: the request has several outputs.
        """
        output = self.fields.get("output", {})
        if name is None or not isinstance(output, dict):
            return self
        if "outputs" in self.fields:
            raise WrongUsageError("The request has outputs, each with its own format; leave out --format.")
        kept = {key: value for key, value in output.items() if key not in {"format", "container"}}
        return replace(self, fields={**self.fields, "output": {**kept, "format": name}})

    def request(self, recording: str, rules: RequestRules) -> ClipRequest:
        """Make the request for one recording.

        Raises:
            WrongOptionsError: the request is invalid; each fault names its option.
            InvalidRequestError: the same with a part from a file; each fault names its field.
        """
        if self.typed:
            return request_of(recording, self.ranges, rules, **self.fields)
        return _validated(recording, self.ranges, self.fields, rules)


_ALSO_CALLED = {".jpeg": ".jpg", ".ogg": ".opus"}
"""Extensions that files of a format have as well."""

BEGINNING, END = "0", "-0"
"""What stands for a time that is left out."""


def typed_ranges(start: str | None, end: str | None, ranges: Sequence[str], duration: str | None = None) -> list[Typed]:
    """Parse `--from` with `--to` or `--duration`, or every `--range A..B`. The default end is the recording's.

    Raises:
        WrongUsageError: neither or both are given, or a range has no two dots.
    """
    if duration is not None:
        if end is not None:
            raise WrongUsageError("Use either --to or --duration, but not both.")
        end = f"+{duration.removeprefix('+')}"
    if ranges:
        if start is not None or end is not None:
            raise WrongUsageError("Use either --from and --to, or --range, but not both.")
        made = []
        for text in ranges:
            first, dots, last = text.partition("..")
            if not dots or not (first or last):
                raise WrongUsageError(f"--range {text!r}: must be FROM..TO, such as 12.5..30.")
            made.append(Typed(first or BEGINNING, last or END, f"--range {text}"))
        return made
    if start is None and end is None:
        raise WrongUsageError("Give a range: --from 00:01:15 --to 00:01:45, or --from 75 --duration 30.")
    return [Typed(start or BEGINNING, end or END)]


def wanted(
    start: str | None,
    end: str | None,
    ranges: Sequence[str],
    duration: str | None,
    precision: str,
    edits: Sequence[str],
    request: str | None,
    more: Mapping[str, Any] | None = None,
) -> TypedRequest:
    """Return what `cut` and `plan` make: from their options and, with `request`, from a file.

    Options replace the fields of the request; edits on the command line are added to its edits. `more` are further
    fields; those that are empty or None are left out.

    Raises:
        WrongUsageError: the options contradict each other, or the file cannot be used.
        WrongOptionsError: an edit is not JSON.
    """
    added = typed_edits(edits)
    further = {name: value for name, value in (more or {}).items() if value not in (None, "", [], {})}
    if request is None:
        typed = typed_ranges(start, end, ranges, duration)
        return TypedRequest(typed, {"edits": added, "output": {"precision": precision}, **further})
    content = _request_in(request)
    chosen = content.get("output", {})
    if precision != "exact" and isinstance(chosen, dict):
        chosen = {**chosen, "precision": precision}
    own = content.get("edits", [])
    fields = {name: value for name, value in content.items() if name not in {"source", "tenant"}}
    fields |= {"edits": [*own, *added] if isinstance(own, list) else own, "output": chosen, **further}
    if ranges or not start is end is duration is None:
        return TypedRequest(typed_ranges(start, end, ranges, duration), fields, typed=False)
    return TypedRequest(_ranges_in(request, content), fields, typed=False)


def typed_chapters(texts: Sequence[str]) -> list[dict[str, str]]:
    """Parse every `--chapter`.

    Raises:
        WrongUsageError: one has no title.
    """
    made = []
    for text in texts:
        at, equals, title = text.partition("=")
        if not equals:
            raise WrongUsageError(f"--chapter {text!r}: must be AT=TITLE, such as 12.5='Left at the point'.")
        made.append({"at": at, "title": title})
    return made


def typed_edits(texts: Sequence[str]) -> list[Any]:
    """Parse every `--edit`.

    Raises:
        WrongOptionsError: one is not JSON.
    """
    return [_typed_edit(number, text) for number, text in enumerate(texts, 1)]


def _typed_edit(number: int, text: str) -> Any:
    from cutback.domain.base import read_json

    try:
        return read_json(text)
    except InvalidRequestError as error:
        faults = [Fault(_edit_option(number - 1, ""), fault.problem) for fault in error.faults]
        raise WrongOptionsError(faults) from None


def _request_in(name: str) -> dict[str, Any]:
    from cutback.domain.base import read_json

    try:
        content = read_json(Path(name).read_bytes())
    except OSError:
        raise WrongUsageError(f"--request {name}: the file cannot be read.") from None
    if not isinstance(content, dict):
        raise WrongUsageError(f"--request {name}: must be one request, a JSON object.")
    return content


def _ranges_in(name: str, content: Mapping[str, Any]) -> list[Typed]:
    """Return the parts of a request's source.

    Its ranges must all be of one recording: the one on the command line is used. Others may be assets.
    """
    pieces = content.get("source")
    pieces = [pieces] if isinstance(pieces, dict) else pieces
    known = {"recording", "asset"}
    if not isinstance(pieces, list) or not all(isinstance(piece, dict) and known & set(piece) for piece in pieces):
        raise WrongUsageError(f"--request {name}: its source must be ranges of a recording, or give --from and --to.")
    if len({str(piece["recording"]) for piece in pieces if "recording" in piece}) != 1:
        raise WrongUsageError(
            f"--request {name}: its ranges are of several recordings, or of none; `cutback submit` takes them."
        )
    return [
        Typed(
            _as_text(piece.get("start", BEGINNING)),
            _as_text(piece.get("end", END)),
            f"--request {name}",
            {key: value for key, value in piece.items() if key not in {"recording", "start", "end"}},
        )
        for piece in pieces
    ]


def _as_text(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"frame"}:
        return f"frame:{value['frame']}"
    return str(value)


def typed_instant(text: str) -> Any:
    """Convert a time to a request's form; `frame:1234` is the frame with that number."""
    match = re.fullmatch(r"frame:(\d{1,15})", text.strip(), re.ASCII)
    return {"frame": int(match[1])} if match else text


def typed_labels(labels: Sequence[str]) -> dict[str, str]:
    """Parse `key=value`, each key once.

    Raises:
        WrongUsageError: one has another form, or a key is repeated.
    """
    made: dict[str, str] = {}
    for text in labels:
        key, equals, value = text.partition("=")
        if not equals or key in made:
            raise WrongUsageError(f"--label {text!r}: must be KEY=VALUE, with every key only once.")
        made[key] = value
    return made


def request_of(
    recording: str, ranges: Sequence[Typed], rules: RequestRules | None = None, **fields: Any
) -> ClipRequest:
    """Make a validated request; fields that are None or empty are omitted.

    Raises:
        WrongOptionsError: the request is invalid; each fault names its option.
    """
    try:
        return _validated(recording, ranges, fields, rules)
    except InvalidRequestError as error:
        raise WrongOptionsError([_as_typed(fault, ranges) for fault in error.faults]) from None


def _validated(
    recording: str, ranges: Sequence[Typed], fields: Mapping[str, Any], rules: RequestRules | None
) -> ClipRequest:
    from cutback.domain.requests.request import validate_request

    content = {
        "source": [
            {
                **({} if "asset" in piece.more else {"recording": recording}),
                "start": typed_instant(piece.start),
                "end": typed_instant(piece.end),
                **piece.more,
            }
            for piece in ranges
        ],
        **{name: value for name, value in fields.items() if value not in (None, "", [], {})},
    }
    return validate_request(content, rules)


def requests_of_cameras(
    cameras: Sequence[str], span: dict[str, str | None], rules: RequestRules, *, now: datetime, **fields: Any
) -> list[ClipRequest]:
    """Make a validated request for each camera; fields that are None or empty are omitted.

    Moments without an offset are in each camera's own zone.

    Raises:
        WrongOptionsError: a request is invalid; each fault names its option.
    """
    from cutback.domain.cameras.local_time import Zones
    from cutback.domain.requests.batch import single_requests
    from cutback.domain.requests.request import validate_request

    zones = rules.zones or Zones()
    typed: dict[str, Any] = {name: value for name, value in span.items() if value is not None}
    if not {"at", "from", "to"} & set(typed):
        raise WrongUsageError("Use --from and --to, or --at with --before and --after; these are wall-clock times.")
    content = {
        "source": {"camera": cameras[0] if len(cameras) == 1 else list(cameras), **typed},
        **{name: value for name, value in fields.items() if value not in (None, "", [], {})},
    }
    try:
        singles = single_requests(content)
        for each in singles:
            each["source"] |= _typed_span(typed, zones.for_camera(each["source"]["camera"]), now)
        return [validate_request(each, rules) for each in singles]
    except InvalidRequestError as error:
        faults = [Fault(_camera_option(fault.path), fault.problem) for fault in error.faults]
        raise WrongOptionsError(faults) from None


def _typed_span(typed: Mapping[str, Any], zone: tzinfo, now: datetime) -> dict[str, str]:
    made: dict[str, str] = {}
    begins: datetime | None = None
    for name in ("at", "from", "to"):
        text = typed.get(name)
        if text is None or (name == "to" and text.strip().startswith("+")):
            continue
        moment = typed_moment(f"--{name}", text, zone, now=now, after=begins)
        made[name] = moment.isoformat()
        begins = moment if name == "from" else begins
    return made


def typed_moment(option: str, text: str, zone: tzinfo, *, now: datetime, after: datetime | None = None) -> datetime:
    """Return the moment that an option means; see `read_moment`.

    Raises:
        WrongOptionsError: it is not a moment, or its clock shows it never or twice.
    """
    from cutback.domain.cameras.typed_moment import read_moment

    try:
        return read_moment(text, zone, now=now, after=after)
    except (ValueError, OverflowError) as error:
        raise WrongOptionsError([Fault(option, str(error))]) from None


def typed_key(named: str, text: str) -> str:
    """Check the key of an object or folder in a store; `named` is the option or argument that it comes from.

    Raises:
        WrongOptionsError: it is not a valid key.
    """
    from cutback.domain.requests.sources import check_key

    try:
        return check_key(text)
    except ValueError as error:
        raise WrongOptionsError([Fault(named, str(error))]) from None


def requests_of_message(
    body: bytes, rules: RequestRules, options: Mapping[str, Any] | None = None
) -> list[ClipRequest]:
    """Return the requests in a file: one or several, in any form that the queue accepts, or one a line.

    Moments without an offset are in each camera's own zone. `options` replace the fields of the same names, but edits
    are added; those that are None or empty are ignored.

    Raises:
        InvalidRequestError: one of them is invalid, or there is none. With several, each fault names its request.
        WrongUsageError: the options have an id, and there are several requests.
    """
    from cutback.domain.requests.batch import single_requests
    from cutback.domain.requests.envelope import RequestItem, open_envelope
    from cutback.domain.requests.request import validate_request

    items = [item for line in _json_lines(body) or [body] for item in open_envelope(line)]
    contents = [each for item in items if isinstance(item, RequestItem) for each in single_requests(item.content)]
    if not contents or len(contents) < len([item for item in items if isinstance(item, RequestItem)]):
        raise InvalidRequestError([Fault("", "contains no request")])
    given = {name: value for name, value in (options or {}).items() if value not in (None, "", [], {})}
    if "id" in given and len(contents) > 1:
        raise WrongUsageError(f"--id is for one request, and the file has {len(contents)}.")
    made, faults = [], []
    for number, content in enumerate(contents, 1):
        try:
            made.append(validate_request(_with_options(content, given), rules))
        except InvalidRequestError as error:
            where = f"request {number}" if len(contents) > 1 else ""
            faults += [Fault(" ".join(filter(None, [where, fault.path])), fault.problem) for fault in error.faults]
    if faults:
        raise InvalidRequestError(faults)
    return made


def _with_options(content: Any, given: Mapping[str, Any]) -> Any:
    if not isinstance(content, dict):
        return content
    own = content.get("edits", [])
    added = {"edits": [*own, *given["edits"]]} if "edits" in given and isinstance(own, list) else {}
    return {**content, **given, **added}


def _json_lines(body: bytes) -> list[bytes]:
    """The lines of a file that has a JSON object on each; empty if it is anything else."""
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) < 2 or not all(line.strip().startswith(b"{") and line.strip().endswith(b"}") for line in lines):
        return []
    return lines


def _camera_option(path: str) -> str:
    if (chapter := _chapter_option(path)) is not None:
        return chapter
    name = path.rpartition(".")[2]
    if match := re.match(r"edits\[(\d+)\]\.?(.*)", path):
        return _edit_option(int(match[1]), match[2])
    if path.startswith("source"):
        return f"--{name}" if name in {"camera", "from", "to", "gaps"} else "--at --before --after"
    return _OPTIONS.get(path) or _OPTIONS.get(re.split(r"[\[.]", path, maxsplit=1)[0]) or path


def _as_typed(fault: Fault, ranges: Sequence[Typed]) -> Fault:
    return Fault(_option(fault.path, ranges), fault.problem.replace('{"frame": 1234}', "frame:1234"))


def _edit_option(number: int, field: str) -> str:
    """Name the edit with a number, counted from 0, and its field."""
    return f"--edit {number + 1}" + (f" ({field})" if field else "")


def _chapter_option(path: str) -> str | None:
    match = re.match(r"chapters\[(\d+)\](?:\.(\w+))?", path)
    if match is None:
        return None
    return f"--chapter {int(match[1]) + 1}" + (f" ({match[2]})" if match[2] else "")


def _option(path: str, ranges: Sequence[Typed]) -> str:
    if (chapter := _chapter_option(path)) is not None:
        return chapter
    if match := re.match(r"edits\[(\d+)\]\.?(.*)", path):
        return _edit_option(int(match[1]), match[2])
    if match := re.match(r"source\[(\d+)\](?:\.(\w+))?", path):
        piece = ranges[int(match[1])]
        if match[2] == "recording":
            return "--recording"
        return piece.named or _OPTIONS.get(match[2] or "", "--from --to")
    top = re.split(r"[\[.]", path, maxsplit=1)[0]
    return _OPTIONS.get(path) or _OPTIONS.get(top) or path
