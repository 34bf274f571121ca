"""`cutback keys`: makes, lists and revokes API keys."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cutback.cli.command import command
from cutback.cli.console import escape
from cutback.cli.screen import Screen, each
from cutback.domain.api_keys import Scope
from cutback.domain.errors import WrongUsageError

_MAX_NAME = 100


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands."""
    group = typer.Typer(name="keys", help="Make, list and revoke API keys.", no_args_is_help=True)
    command(
        group,
        "create",
        group="keys",
        examples=(
            ("watch-app", "a key that may request clips and read"),
            ("grafana --scope admin", "a key that may do everything"),
            ("pipeline-app --tenant pipeline", "a key of a tenant"),
        ),
    )(create)
    command(group, "list", group="keys", examples=(("", ""),))(list_)
    command(group, "revoke", group="keys", examples=(("4f2c0b9a8d7e6f10", ""),))(revoke)
    app.add_typer(group, rich_help_panel=panel)


def create(
    screen: Screen,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it, such as the program that uses it.")],
    scope: Annotated[
        list[Scope] | None,
        typer.Option("--scope", help="What it permits; repeat for several. Default: read and request."),
    ] = None,
    tenant: Annotated[str, typer.Option("--tenant", metavar="NAME", help="The tenant that it belongs to.")] = "",
) -> None:
    """Make a key and show it. It cannot be shown again."""
    from cutback.lifecycle import api_keys

    if not name.strip() or len(name) > _MAX_NAME or not name.isprintable():
        raise WrongUsageError(f"NAME: must be 1 to {_MAX_NAME} printable characters.")
    with screen.services() as services:
        key, text = api_keys.create_key(services, name=name, scopes=scope or (Scope.READ, Scope.REQUEST), tenant=tenant)
    screen.document({**key.public(), "key": text})
    screen.show(escape(text))
    screen.hint(f"Keep it now: only its digest is stored. To revoke it: cutback keys revoke {key.id}")


def list_(screen: Screen) -> None:
    """List the keys, without their texts."""
    from cutback.cli.views import formatting
    from cutback.lifecycle import api_keys

    with screen.existing() as services:
        found = api_keys.all_keys(services)
        now = services.clock()
    screen.document({"keys": [key.public() for key in found]})
    if not found:
        screen.hint("No keys. To make one: cutback keys create NAME")
        return
    table = formatting.table("key", "name", "tenant", "scopes", "created", "last used")
    for key in sorted(found, key=lambda key: key.created_at):
        used = formatting.ago(key.last_used_at, now) if key.last_used_at else "never"
        created = formatting.ago(key.created_at, now)
        table.add_row(key.id, escape(key.name), key.tenant or "-", ", ".join(key.scopes), created, used)
    screen.show(table)


def revoke(
    screen: Screen, ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of keys: cutback keys list.")]
) -> None:
    """Revoke keys. Requests with them are refused from now on."""
    from cutback.lifecycle import api_keys

    with screen.existing() as services:

        def work(key_id: str) -> dict[str, Any]:
            api_keys.revoke_key(services, key_id)
            return {"revoked": True}

        each(screen, ids, work, "revoked")
