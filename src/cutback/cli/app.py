"""The command line: the commands, the options they share, and the one place where a command ends."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import typer

from cutback.cli.command import Common, Data, Debug, Json
from cutback.cli.commands import cameras, clips, cut, dead_letters, events, plan, scan, schema, up, worker
from cutback.cli.demo import command as demo
from cutback.cli.exit_codes import MEANINGS, CutShortError, Exit, exit_of
from cutback.cli.screen import Screen, ShownError, open_screen, show_error
from cutback.domain.errors import CutbackError, InternalError, StoppedError, WrongUsageError

log = logging.getLogger(__name__)

_EPILOG = "\n".join(
    [
        "[bold]Exit codes[/]",
        *(f"  [cyan]{code.value:>3}[/]  {meaning}" for code, meaning in MEANINGS.items()),
        "",
        "[bold]Settings[/]",
        "  Environment variables CUTBACK_...; docs/settings.md lists them all.",
    ]
)

app = typer.Typer(
    name="cutback",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
)
cut.register(app, "One recording, now")
plan.register(app, "One recording, now")
clips.register(app, "Clips")
cameras.register(app, "Cameras")
scan.register(app, "Cameras")
events.register(app, "Clips")
dead_letters.register(app, "Clips")
up.register(app, "Running it")
worker.register(app, "Running it")
demo.register(app, "Running it")
schema.register(app, "Running it")


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
    """Cut clips out of long recordings, exact to the frame."""
    ctx.obj = Common(as_json=as_json, data=data, debug=debug)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command. Every outcome becomes its exit code and its words here, and nowhere else."""
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    screen = open_screen(as_json="--json" in before, debug="--debug" in before, data=None)
    try:
        return int(app(arguments, standalone_mode=False, prog_name="cutback") or Exit.FINE)
    except ShownError as shown:
        return exit_of(shown.error)
    except typer.TyperException as error:
        return _wrong_usage(screen, error)
    except (KeyboardInterrupt, typer.Abort):
        return _end(screen, CutShortError())
    except StoppedError as error:
        return _end(screen, CutShortError(error.detail))
    except BrokenPipeError:
        # Whoever read our output has enough; Python would complain once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FINE
    except CutbackError as error:
        if screen.debug:
            log.exception("as --debug asks")
        return _end(screen, error)
    except Exception as error:  # no traceback for people who did not ask for one
        if screen.debug:
            log.exception("as --debug asks")
        return _end(screen, InternalError(f"({type(error).__name__}: {error})"), advice="--debug shows the traceback.")
    finally:
        logging.shutdown()


def _wrong_usage(screen: Screen, error: Exception) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        return Exit.USAGE  # the help has been shown
    text = str(error.format_message()) if hasattr(error, "format_message") else str(error)
    path = context.command_path if context is not None else "cutback"
    return _end(screen, WrongUsageError(text), advice=f"See: {path} --help")


def _end(screen: Screen, error: CutbackError, *, advice: str = "") -> int:
    show_error(screen, error, advice=advice)
    return exit_of(error)


if __name__ == "__main__":
    main()
