"""Drawings of a plan: where its keyframes lie and what becomes of its frames. Pure: a report in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rich.text import Text

from cutback.run import look

STYLES = {"copy": "green", "encode": "yellow", "hide": "magenta", "drop": "bright_black"}
_SAID = {"copy": "copied", "encode": "re-encoded", "hide": "hidden", "drop": "dropped"}
_MARKED = {"c": "copy", "e": "encode", "h": "hide", "d": "drop"}
_FIRST_SEEN = ("encode", "copy", "hide", "drop")
"""Where a column holds several, the first of these is drawn: a short re-encoded piece must not vanish."""

_INDENT = 2
_MARGIN = 9
"""Columns for a frame number beside a strip."""

_TICKS = [Fraction(n, 100) for n in (1, 2, 5, 10, 20, 50)] + [
    Fraction(n) for n in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What things are drawn with."""

    actions: Mapping[str, str]
    closed: str
    opened: str
    line: str
    tick: str
    pointer: str
    bracket: tuple[str, str, str]


GLYPHS = Glyphs({"copy": "█", "encode": "▓", "hide": "▒", "drop": "░"}, "◆", "◇", "─", "╷", "▼", ("└", "─", "┘"))
PLAIN = Glyphs({"copy": "#", "encode": "=", "hide": ":", "drop": "."}, "K", "O", "-", "|", "v", ("|", "_", "|"))
"""For a terminal that knows ASCII only."""


# --- all of it -------------------------------------------------------------------------------------


def overview(part: dict[str, Any], width: int, glyphs: Glyphs) -> list[Text]:
    """A ruler, the keyframes, what becomes of the frames, and the range that was asked for."""
    segments = part["segments"]
    start, end = Fraction(segments[0]["start"]), Fraction(segments[-1]["end"])
    scale = _Scale(start, max(end - start, Fraction(1, 1000)), width - 2 * _INDENT)
    asked = [scale.column(Fraction(part["asked"][name])) for name in ("start", "end")]
    return [_ruler(scale, glyphs), _keyframes(part, scale, glyphs), _actions(part, scale, glyphs),
            _bracket(asked[0], max(asked[0], asked[1] - 1), _length_label(part), scale.width, glyphs)]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Scale:
    start: Fraction
    length: Fraction
    width: int

    def column(self, time: Fraction) -> int:
        """Of a time; `width` for the end itself."""
        return max(0, min(self.width, int((time - self.start) * self.width / self.length)))


def _ruler(scale: _Scale, glyphs: Glyphs) -> Text:
    step = next((tick for tick in _TICKS if scale.width * tick >= 12 * scale.length), _TICKS[-1])
    row = [" "] * scale.width
    number = -(-scale.start // step)
    while number * step < scale.start + scale.length:
        label = f"{glyphs.tick}{look.clock(number * step)}"
        at = scale.column(number * step)
        if at + len(label) <= scale.width:
            row[at : at + len(label)] = label
        number += 1
    return _row("".join(row), "dim")


def _keyframes(part: dict[str, Any], scale: _Scale, glyphs: Glyphs) -> Text:
    row = [glyphs.line] * scale.width
    for group in part["groups"]:
        at = min(scale.column(Fraction(group["start"])), scale.width - 1)
        if row[at] != glyphs.opened:
            row[at] = glyphs.opened if group["open"] else glyphs.closed
    text = Text(" " * _INDENT)
    for glyph in row:
        text.append(glyph, style="dim" if glyph == glyphs.line else "bold")
    return text


def _actions(part: dict[str, Any], scale: _Scale, glyphs: Glyphs) -> Text:
    row = ["drop"] * scale.width
    for action in reversed(_FIRST_SEEN):
        for segment in part["segments"]:
            if segment["action"] == action:
                begin = min(scale.column(Fraction(segment["start"])), scale.width - 1)
                end = max(begin + 1, scale.column(Fraction(segment["end"])))
                row[begin:end] = [action] * (end - begin)
    return _blocks(row, glyphs, " " * _INDENT)


def _bracket(first: int, last: int, label: str, width: int, glyphs: Glyphs) -> Text:
    left, line, right = glyphs.bracket
    inner = last - first - 1
    if inner >= len(label) + 2:
        return _row(" " * first + left + f" {label} ".center(inner, line) + right, "bold")
    bracket = left + line * inner + right if inner >= 0 else glyphs.tick
    room_behind = width - first - len(bracket) - 1
    if room_behind >= len(label):
        return _row(f"{' ' * first}{bracket} {label}", "bold")
    return _row(f"{label} {bracket}".rjust(first + len(bracket)), "bold")


def _length_label(part: dict[str, Any]) -> str:
    asked = Fraction(part["asked"]["end"]) - Fraction(part["asked"]["start"])
    return f"{look.length(asked)}, {part['asked_frames']} frames"


# --- frame by frame --------------------------------------------------------------------------------


def strip(part: dict[str, Any], found: dict[str, Any], width: int, glyphs: Glyphs) -> list[Text]:
    """Frames one by one around an edge: their types and what becomes of them, edges pointed at."""
    columns = width - _MARGIN - _INDENT
    count = len(found["types"])
    marks = _marks(part, found)
    begin, end = _trimmed(count, [at for at, _ in marks], columns)
    rows: list[Text] = []
    for at in range(begin, end, columns):
        rows += _lines(found, range(at, min(at + columns, end)), marks, glyphs)
    return rows


def _marks(part: dict[str, Any], found: dict[str, Any]) -> list[tuple[int, str]]:
    """Where something begins or ends, with what is to be said of it."""
    actions, count = found["actions"], len(found["types"])
    marks = {at: f"frame {found['frame'] + at}" for at in range(1, count) if actions[at - 1] != actions[at]}
    first = part["first_asked_frame"] - found["frame"]
    last = first + part["asked_frames"] - 1
    if 0 <= last < count:
        marks.pop(last + 1, None)
        marks[last] = f"last: {last + found['frame']}, {look.clock(Fraction(found['times'][last]))}"
    if 0 <= first < count and first != last:
        marks[first] = f"first: {first + found['frame']}, {look.clock(Fraction(found['times'][first]))}"
    return sorted(marks.items())


def _trimmed(count: int, marks: list[int], columns: int) -> tuple[int, int]:
    """As much as fits in a line, the edges in the middle; all between the edges where that is longer."""
    if count <= columns or not marks:
        return 0, count
    spare = max(0, columns - (marks[-1] - marks[0] + 1))
    begin = max(0, marks[0] - spare // 2)
    end = min(count, max(marks[-1] + 1, begin + columns))
    return max(0, min(begin, end - columns)), end


def _lines(found: dict[str, Any], shown: range, marks: list[tuple[int, str]], glyphs: Glyphs) -> list[Text]:
    inside = [(at - shown.start, label) for at, label in marks if at in shown]
    margin = " " * (_MARGIN + _INDENT)
    types = Text(f"{found['frame'] + shown.start:>{_MARGIN + _INDENT - 1}} ", style="dim")
    for letter in found["types"][shown.start : shown.stop]:
        glyph = {"K": glyphs.closed, "O": glyphs.opened}.get(letter, letter)
        types.append(glyph, style="bold" if letter in "KOI" else "dim" if letter in "b." else "")
    actions = [_MARKED[mark] for mark in found["actions"][shown.start : shown.stop]]
    pointers = Text(margin + _pointers(inside, len(shown), glyphs.pointer), style="cyan")
    return [*([pointers] if inside else []), types, _blocks(actions, glyphs, margin)]


def _pointers(marks: list[tuple[int, str]], width: int, pointer: str) -> str:
    """A pointer over each mark; its label where there is room beside it."""
    row = [" "] * width
    for at, _ in marks:
        row[at] = pointer
    for at, label in sorted(marks, key=lambda mark: not mark[1].startswith(("first", "last"))):
        for begin in (at + 2, at - 1 - len(label)):
            room = range(begin - 1, begin + len(label) + 1)
            free = all(row[n] == " " for n in room if 0 <= n < width and n != at)
            if begin >= 0 and begin + len(label) <= width and free:
                row[begin : begin + len(label)] = label
                break
    return "".join(row).rstrip()


def legend(part: dict[str, Any], glyphs: Glyphs) -> Text:
    """What the signs in the drawings mean, as far as they occur."""
    text = Text(" " * _INDENT)
    for action, said in _SAID.items():
        if any(segment["action"] == action for segment in part["segments"]):
            text.append(glyphs.actions[action], STYLES[action]).append(f" {said}  ", "dim")
    types = "".join(found["types"] for found in part["strips"])
    for letters, glyph, said in (
        ("K", glyphs.closed, "keyframe"),
        ("O", glyphs.opened, "keyframe of an open group"),
        ("b", "b", "nothing refers to it"),
        ("L", "L", "leads its keyframe"),
        (".", ".", "type not known"),
    ):
        if any(letter in types for letter in letters) or (letters == "O" and _any_open(part)):
            text.append(f"{glyph}", "bold").append(f" {said}  ", "dim")
    return text


def _any_open(part: dict[str, Any]) -> bool:
    return any(group["open"] for group in part["groups"])


def _blocks(row: Iterable[str], glyphs: Glyphs, margin: str) -> Text:
    text = Text(margin)
    for action in row:
        text.append(glyphs.actions[action], STYLES[action])
    return text


def _row(content: str, style: str) -> Text:
    return Text(" " * _INDENT + content, style=style, no_wrap=True)
