"""The command line: its options, and the one place where every command ends."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import typer

from cutback.cli.command import Common, Data, Debug, Json
from cutback.cli.exit_codes import MEANINGS, CutShortError, Exit, exit_of
from cutback.cli.lazy_group import LazyGroup
from cutback.domain.errors import CutbackError, InternalError, StoppedError, WrongUsageError

# Without this, pydantic looks for plugins in every installed package when it builds its first model.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")

log = logging.getLogger(__name__)

_EPILOG = "\n".join(
    [
        "[bold]Exit codes[/]",
        *(f"  [cyan]{code.value:>3}[/]  {meaning}" for code, meaning in MEANINGS.items()),
        "",
        "[bold]Settings[/]",
        "  Environment variables CUTBACK_...; see docs/settings.md.",
    ]
)

app = typer.Typer(
    name="cutback",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
)


def _say_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        from cutback import __version__

        sys.stdout.write(f"cutback {__version__}\n")
        raise typer.Exit


@app.callback()
def _common(
    ctx: typer.Context,
    *,
    as_json: Json = False,
    data: Data = None,
    debug: Debug = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Cut frame-exact clips out of long recordings."""
    ctx.obj = Common(as_json=as_json, data=data, debug=debug)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command. Only this function turns outcomes into exit codes and messages."""
    try:
        return int(app(arguments, standalone_mode=False, prog_name="cutback") or Exit.FINE)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - every outcome is reported here
        return _end(arguments, error)
    finally:
        logging.shutdown()


def _end(arguments: list[str], error: BaseException) -> int:
    from cutback.cli.screen import ShownError, open_screen, show_error

    if isinstance(error, ShownError):
        return exit_of(error.error)
    if isinstance(error, BrokenPipeError):
        # The reader of the output has closed it; Python would report that again when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FINE
    if type(error).__name__ == "NoArgsIsHelpError":
        return Exit.USAGE  # the help has been shown
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    screen = open_screen(as_json="--json" in before, debug="--debug" in before, data=None)
    shown, advice = _said(error, arguments)
    if screen.debug and not isinstance(error, typer.TyperException | KeyboardInterrupt | typer.Abort | StoppedError):
        log.error("traceback, because of --debug", exc_info=error)
    show_error(screen, shown, advice=advice)
    return exit_of(shown)


def _said(error: BaseException, arguments: list[str]) -> tuple[CutbackError, str]:
    """Return an error for people, and advice."""
    if isinstance(error, typer.TyperException):
        from cutback.cli.usage_errors import usage_problem

        context = getattr(error, "ctx", None)
        return WrongUsageError(usage_problem(error)), f"See: {context.command_path if context else 'cutback'} --help"
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return CutShortError(), ""
    if isinstance(error, StoppedError):
        return CutShortError(error.detail), ""
    if isinstance(error, CutbackError):
        return error, ""
    if isinstance(error, UnicodeEncodeError):
        for argument in arguments:
            if not _is_text(argument):
                return WrongUsageError(f"The argument {os.fsencode(argument)!r} is not UTF-8 text."), ""
    return InternalError(), "This is a bug. Run the command with --debug to see where it is, and please report it."


def _is_text(argument: str) -> bool:
    """Whether it was valid text: what the system cannot decode, it hands over as lone surrogates."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


if __name__ == "__main__":
    main()
