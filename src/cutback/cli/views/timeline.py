"""Draws a plan: its keyframes and what happens to its frames. Pure: a report in, text out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any

from rich.text import Text

from cutback.cli.views import formatting

STYLES = {"copy": "green", "encode": "yellow", "hide": "magenta", "drop": "bright_black"}
_SAID = {"copy": "copied", "encode": "re-encoded", "hide": "hidden", "drop": "dropped"}
_MARKED = {"c": "copy", "e": "encode", "h": "hide", "d": "drop"}
_FIRST_SEEN = ("encode", "copy", "hide", "drop")
"""If a column has several actions, the first of these is drawn, so that a short re-encoded part stays visible."""

_INDENT = 2
_MARGIN = 9
"""Columns for a frame number next to a strip."""

_TICKS = [Fraction(n, 100) for n in (1, 2, 5, 10, 20, 50)] + [
    Fraction(n) for n in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
]


_BLOCKS = {"copy": "█", "encode": "▓", "hide": "▒", "drop": "░"}
_CLOSED, _OPEN, _LINE, _TICK, _POINTER = "◆", "◇", "─", "╷", "▼"
_BRACKET = ("└", "─", "┘")


# --- all of it -------------------------------------------------------------------------------------


def overview(part: dict[str, Any], width: int) -> list[Text]:
    """Draw a ruler, the keyframes, what happens to the frames, and the requested range."""
    segments = part["segments"]
    start, end = Fraction(segments[0]["start"]), Fraction(segments[-1]["end"])
    scale = _Scale(start, max(end - start, Fraction(1, 1000)), width - 2 * _INDENT)
    asked = [scale.column(Fraction(part["asked"][name])) for name in ("start", "end")]
    return [_ruler(scale), _keyframes(part, scale), _actions(part, scale),
            _bracket(asked[0], max(asked[0], asked[1] - 1), _length_label(part), scale.width)]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Scale:
    start: Fraction
    length: Fraction
    width: int

    def column(self, time: Fraction) -> int:
        """Return the column of a time; `width` for the end itself."""
        return max(0, min(self.width, int((time - self.start) * self.width / self.length)))


def _ruler(scale: _Scale) -> Text:
    step = next((tick for tick in _TICKS if scale.width * tick >= 12 * scale.length), _TICKS[-1])
    row = [" "] * scale.width
    number = -(-scale.start // step)
    while number * step < scale.start + scale.length:
        label = f"{_TICK}{formatting.clock(number * step)}"
        at = scale.column(number * step)
        if at + len(label) <= scale.width:
            row[at : at + len(label)] = label
        number += 1
    return _row("".join(row), "dim")


def _keyframes(part: dict[str, Any], scale: _Scale) -> Text:
    row = [_LINE] * scale.width
    for group in part["groups"]:
        at = min(scale.column(Fraction(group["start"])), scale.width - 1)
        if row[at] != _OPEN:
            row[at] = _OPEN if group["open"] else _CLOSED
    text = Text(" " * _INDENT)
    for glyph, run in groupby(row):
        text.append(glyph * len(list(run)), "dim" if glyph == _LINE else "bold")
    return text


def _actions(part: dict[str, Any], scale: _Scale) -> Text:
    row = ["drop"] * scale.width
    for action in reversed(_FIRST_SEEN):
        for segment in part["segments"]:
            if segment["action"] == action:
                begin = min(scale.column(Fraction(segment["start"])), scale.width - 1)
                end = max(begin + 1, scale.column(Fraction(segment["end"])))
                row[begin:end] = [action] * (end - begin)
    return _blocks(row, " " * _INDENT)


def _bracket(first: int, last: int, label: str, width: int) -> Text:
    left, line, right = _BRACKET
    inner = last - first - 1
    if inner >= len(label) + 2:
        return _row(" " * first + left + f" {label} ".center(inner, line) + right, "bold")
    bracket = left + line * inner + right if inner >= 0 else _TICK
    room_behind = width - first - len(bracket) - 1
    if room_behind >= len(label):
        return _row(f"{' ' * first}{bracket} {label}", "bold")
    return _row(f"{label} {bracket}".rjust(first + len(bracket)), "bold")


def _length_label(part: dict[str, Any]) -> str:
    asked = Fraction(part["asked"]["end"]) - Fraction(part["asked"]["start"])
    return f"{formatting.length(asked)}, {part['asked_frames']} frames"


# --- frame by frame --------------------------------------------------------------------------------


def strip(part: dict[str, Any], found: dict[str, Any], width: int) -> list[Text]:
    """Draw frames one by one around an edge: their types, what happens to them, and markers at edges."""
    columns = width - _MARGIN - _INDENT
    count = len(found["types"])
    marks = _marks(part, found)
    begin, end = _trimmed(count, [at for at, _ in marks], columns)
    rows: list[Text] = []
    for at in range(begin, end, columns):
        rows += _lines(found, range(at, min(at + columns, end)), marks)
    return rows


def _marks(part: dict[str, Any], found: dict[str, Any]) -> list[tuple[int, list[str]]]:
    """Return where something begins or ends, with its labels from long to short."""
    actions, count = found["actions"], len(found["types"])
    marks = {
        at: [f"frame {found['frame'] + at}", f"{found['frame'] + at}"]
        for at in range(1, count)
        if actions[at - 1] != actions[at] and {actions[at - 1], actions[at]} & {"c", "e"}
    }
    first = part["first_asked_frame"] - found["frame"]
    last = first + part["asked_frames"] - 1
    for at, name in ((last, "last"), (first, "first")):
        if 0 <= at < count:
            marks.pop(last + 1, None)
            about = f"{at + found['frame']}, {formatting.clock(Fraction(found['times'][at]))}"
            marks[at] = [f"{name}: {about}", about, f"{at + found['frame']}"]
    return sorted(marks.items())


def _trimmed(count: int, marks: list[int], columns: int) -> tuple[int, int]:
    """Return what fits in a line, with the edges in the middle; but never less than the frames between the edges."""
    if count <= columns or not marks:
        return 0, count
    spare = max(0, columns - (marks[-1] - marks[0] + 1))
    begin = max(0, marks[0] - spare // 2)
    end = min(count, max(marks[-1] + 1, begin + columns))
    return max(0, min(begin, end - columns)), end


def _lines(found: dict[str, Any], shown: range, marks: list[tuple[int, list[str]]]) -> list[Text]:
    inside = [(at - shown.start, labels) for at, labels in marks if at in shown]
    margin = " " * (_MARGIN + _INDENT)
    types = Text().append(f"{found['frame'] + shown.start:>{_MARGIN + _INDENT - 1}} ", "dim")
    for letter, run in groupby(found["types"][shown.start : shown.stop]):
        glyph = {"K": _CLOSED, "O": _OPEN}.get(letter, letter)
        types.append(glyph * len(list(run)), "bold" if letter in "KOI" else "dim" if letter in "b." else "")
    actions = [_MARKED[mark] for mark in found["actions"][shown.start : shown.stop]]
    pointers = Text(margin + _pointers(inside, len(shown)), style="cyan")
    return [*([pointers] if inside else []), types, _blocks(actions, margin)]


def _pointers(marks: list[tuple[int, list[str]]], width: int) -> str:
    """Draw a pointer over each mark, with the longest of its labels that fits."""
    row = [" "] * width
    for at, _ in marks:
        row[at] = _POINTER
    for at, labels in sorted(marks, key=lambda mark: -len(mark[1])):  # the ends of the range come first
        for label in labels:
            begin = next((begin for begin in (at + 2, at - 1 - len(label)) if _free(row, begin, len(label), at)), None)
            if begin is not None:
                row[begin : begin + len(label)] = label
                break
    return "".join(row).rstrip()


def _free(row: list[str], begin: int, length: int, own: int) -> bool:
    """Whether a label fits there, with a space on either side."""
    around = range(max(0, begin - 1), min(len(row), begin + length + 1))
    return begin >= 0 and begin + length <= len(row) and all(row[n] == " " for n in around if n != own)


def legend(part: dict[str, Any]) -> Text:
    """Explain the symbols that occur in the drawings."""
    text = Text(" " * _INDENT)
    for action, said in _SAID.items():
        if any(segment["action"] == action for segment in part["segments"]):
            text.append(_BLOCKS[action], STYLES[action]).append(f" {said}  ", "dim")
    types = "".join(found["types"] for found in part["strips"])
    for letters, glyph, said in (
        ("K", _CLOSED, "keyframe"),
        ("O", _OPEN, "keyframe of an open GOP"),
        ("b", "b", "unreferenced"),
        ("L", "L", "leading picture"),
        (".", ".", "unknown type"),
    ):
        if any(letter in types for letter in letters) or (letters == "O" and _any_open(part)):
            text.append(f"{glyph}", "bold").append(f" {said}  ", "dim")
    return text


def _any_open(part: dict[str, Any]) -> bool:
    return any(group["open"] for group in part["groups"])


def _blocks(row: Iterable[str], margin: str) -> Text:
    text = Text(margin)
    for action, run in groupby(row):
        text.append(_BLOCKS[action] * len(list(run)), STYLES[action])
    return text


def _row(content: str, style: str) -> Text:
    return Text(" " * _INDENT + content, style=style, no_wrap=True)
