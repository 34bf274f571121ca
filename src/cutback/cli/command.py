"""What all commands share: `--json`, `--data`, `--debug`, and examples at the end of the help."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer

if TYPE_CHECKING:
    from cutback.cli.screen import Screen

P = ParamSpec("P")

_PANEL = "Everywhere"
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.", rich_help_panel=_PANEL)]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Use this data folder (CUTBACK_DATA).", rich_help_panel=_PANEL),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback if something fails.", rich_help_panel=_PANEL)]


@dataclass(frozen=True, slots=True)
class Common:
    """The shared options, if they precede the command's name."""

    as_json: bool = False
    data: Path | None = None
    debug: bool = False


def command(
    app: typer.Typer,
    name: str,
    *,
    panel: str | None = None,
    group: str = "",
    examples: tuple[tuple[str, str], ...] = (),
    hidden: bool = False,
) -> Callable[[Callable[Concatenate[Screen, P], None]], Callable[Concatenate[Screen, P], None]]:
    """Register a function as a command. Its first parameter is the screen; `examples` are (arguments, what for).

    `group` is the command that this one belongs to: `keys` of `cutback keys list`.
    """

    def register(function: Callable[Concatenate[Screen, P], None]) -> Callable[Concatenate[Screen, P], None]:
        @functools.wraps(function)
        def run(ctx: typer.Context, *, as_json: bool, data: Path | None, debug: bool, **own: Any) -> None:
            from cutback.cli.screen import open_screen
            from cutback.cli.time_zone import use_utc_if_unknown

            before = ctx.obj if isinstance(ctx.obj, Common) else Common()
            screen = open_screen(
                as_json=as_json or before.as_json, data=data or before.data, debug=debug or before.debug
            )
            warning = use_utc_if_unknown()
            if warning is not None:
                screen.warn(warning)
            function(screen, **own)  # type: ignore[call-arg]

        signature = inspect.signature(function, eval_str=True)
        own = list(signature.parameters.values())[1:]
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [
            inspect.Parameter("ctx", keyword, annotation=typer.Context),
            *(parameter.replace(kind=keyword) for parameter in own),
            inspect.Parameter("as_json", keyword, annotation=Json, default=False),
            inspect.Parameter("data", keyword, annotation=Data, default=None),
            inspect.Parameter("debug", keyword, annotation=Debug, default=False),
        ]
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name, epilog=epilog(f"{group} {name}".strip(), examples), rich_help_panel=panel, hidden=hidden)(run)
        return function

    return register


def epilog(name: str, examples: tuple[tuple[str, str], ...]) -> str:
    """Format examples for the end of a command's help."""
    if not examples:
        return ""
    lines = ["[bold]Examples[/]"]
    for arguments, purpose in examples:
        shown = f"cutback {name} {arguments}".strip().replace("[", "\\[")
        lines.append(f"  [dim]# {purpose}[/]\n  [cyan]{shown}[/]")
    return "\n".join(lines)
