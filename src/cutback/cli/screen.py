"""The output of a command, for people or programs, to a terminal or a pipe. Every command gets a `Screen`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType

from cutback.cli.console import SafeConsole, escape
from cutback.cli.exit_codes import NoDataError, WrongOptionsError
from cutback.domain.errors import CutbackError, InvalidRequestError, SettingsError, StoppedError, WrongUsageError
from cutback.domain.visible import visible_in_json

if TYPE_CHECKING:
    from cutback.services import Services
    from cutback.settings.settings import Settings

PIPE_WIDTH = 200
"""Columns if there is no terminal: wide enough that nothing wraps."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The options that all commands have, and the two output streams."""

    json: bool
    debug: bool
    data: Path | None
    out: Console
    err: Console

    @property
    def live(self) -> bool:
        """Whether the output is a terminal, so that animations are useful."""
        return self.err.is_terminal and not self.json

    @property
    def interactive(self) -> bool:
        """Whether a person watches: both streams are really terminals, whatever FORCE_COLOR says."""
        return not self.json and sys.stdout.isatty() and sys.stderr.isatty()

    def show(self, *things: RenderableType) -> None:
        """Show a result, only to people."""
        if not self.json:
            for thing in things:
                self.out.print(thing)

    def warn(self, text: str) -> None:
        """Show a warning, only to people."""
        if not self.json:
            self.err.print(f"[yellow]![/] {escape(text)}", soft_wrap=True)

    def hint(self, text: str) -> None:
        """Show a hint, only to people."""
        if not self.json:
            self.err.print(text, style="dim")

    @contextmanager
    def bar(self, label: str) -> Iterator[Callable[[float, str], None]]:
        """Show a progress bar on a terminal. Call the result with a fraction (0 to 1) and a remark."""
        if not self.live:
            yield lambda _fraction, _remark: None
            return
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("[cyan]{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TextColumn("[dim]{task.fields[remark]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.err, transient=True) as progress:
            task = progress.add_task(escape(label), total=1.0, remark="")
            yield lambda fraction, remark: progress.update(task, completed=fraction, remark=remark)

    def document(self, content: Any) -> None:
        """Print the result for programs."""
        if self.json:
            print_json(content)

    def settings(self) -> Settings:
        """Load the settings, from the environment and `--data`.

        Raises:
            SettingsError: settings are invalid; the message names every fault.
        """
        from cutback.settings.settings import load_settings

        return load_settings(data=self.data)

    def services(self) -> Services:
        """Build stores, queue and records from the settings. Raises like `adapters.build.build`."""
        from cutback.adapters.build import build

        return build(self.settings())

    def existing(self) -> Services:
        """Like `services`, for commands that need existing data, and so do not create a data folder.

        Raises:
            NoDataError: the folder contains no data.
        """
        settings = self.settings()
        if settings.uses_sqlite and not settings.database_path.exists():
            folder = settings.database_path.parent.absolute()
            raise NoDataError(
                f"There is no Cutback data in {folder}. Check --data and CUTBACK_DATA; cutback up and cutback submit "
                "create it."
            )
        return self.services()


def open_screen(*, as_json: bool, debug: bool, data: Path | None) -> Screen:
    """Open the process's own streams. Colours and animations appear only on terminals, and respect NO_COLOR."""
    return Screen(as_json, debug, data, _console(stderr=False), _console(stderr=True))


def _console(*, stderr: bool) -> Console:
    console = SafeConsole(stderr=stderr, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def print_json(content: Any) -> None:
    """Print one line of JSON to standard output, and flush it."""
    sys.stdout.write(visible_in_json(json.dumps(content, ensure_ascii=False, default=str)) + "\n")
    sys.stdout.flush()


def show_error(screen: Screen, error: CutbackError, *, advice: str = "") -> None:
    """Show an error: one red line, then every fault or advice; or JSON."""
    if screen.json:
        print_json({"error": error.as_dict()})
        return
    lines = _lines(error)
    screen.err.print(f"[bold red]{error.reason}:[/] [red]{escape(next(lines))}[/]", soft_wrap=True)
    for line in lines:
        screen.err.print(f"  {escape(line)}", soft_wrap=True)
    if advice:
        screen.err.print(f"[dim]{escape(advice)}[/]", soft_wrap=True)


def _lines(error: CutbackError) -> Iterator[str]:
    if not isinstance(error, InvalidRequestError):
        own = isinstance(error, SettingsError | WrongUsageError)
        return iter(error.message.splitlines() if own else [error.message])
    general, faults = error.general, [str(fault) for fault in error.faults]
    if len(faults) == 1:
        return iter([faults[0] if isinstance(error, WrongOptionsError) else f"{general} {faults[0]}"])
    return iter([general, *(f"- {fault}" for fault in faults)])


def each(screen: Screen, ids: list[str], work: Callable[[str], dict[str, Any]], said: str = "") -> None:
    """Do the same for several ids, even if some fail; then raise the first failure, if any.

    With `--json`, the document is `{"results": [...]}`, in the given order, with an `error` for each that failed.
    Without `said`, `work` shows its result itself.
    """
    results: list[dict[str, Any]] = []
    first: CutbackError | None = None
    for name in ids:
        try:
            results.append({"id": name, **work(name)})
            if said:
                screen.show(f"[green]✓[/] {escape(name)} [dim]{said}[/]")
        except StoppedError:
            raise
        except CutbackError as error:
            first = first or error
            results.append({"id": name, "error": error.as_dict()})
            if not screen.json:
                screen.err.print(
                    f"[red]✗[/] {escape(name)} [bold red]{error.reason}:[/] {escape(error.message)}", soft_wrap=True
                )
    screen.document({"results": results})
    if first is not None:
        raise ShownError(first)


class ShownError(Exception):
    """An error that is already shown; only its exit code is still needed."""

    def __init__(self, error: CutbackError) -> None:
        """`error` determines the exit code."""
        super().__init__(str(error))
        self.error = error
