"""`cutback tenants`: who shares an installation, and what each of them sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cutback.cli.command import command
from cutback.cli.console import escape
from cutback.cli.screen import Screen
from cutback.domain.errors import WrongUsageError

if TYPE_CHECKING:
    from cutback.domain.tenants import Tenant


def register(app: typer.Typer, panel: str) -> None:
    """Add the commands."""
    group = typer.Typer(name="tenants", help="Set up who shares an installation.", no_args_is_help=True)
    command(
        group,
        "set",
        group="tenants",
        examples=(
            ("pipeline --recordings pipeline/ --camera 'pipeline-*'", "a tenant with its own cameras"),
            ("archive --recordings archive/ --recordings old/", "a tenant with two folders of recordings"),
        ),
    )(set_)
    command(group, "list", group="tenants", examples=(("", ""),))(list_)
    command(group, "remove", group="tenants", examples=(("pipeline", "refuse its keys from now on"),))(remove)
    app.add_typer(group, rich_help_panel=panel)


Name = Annotated[str, typer.Argument(metavar="NAME", help="The tenant: a-z, 0-9 and hyphens.")]


def set_(
    screen: Screen,
    name: Name,
    recordings: Annotated[
        list[str] | None, typer.Option("--recordings", metavar="PREFIX", help="It sees recordings whose keys begin so.")
    ] = None,
    camera: Annotated[
        list[str] | None,
        typer.Option("--camera", metavar="NAME", help="It sees this camera; NAME* is all whose names begin so."),
    ] = None,
) -> None:
    """Store a tenant, or replace what it sees."""
    from pydantic import TypeAdapter, ValidationError

    from cutback.domain.tenants import TenantName, Visible
    from cutback.domain.validation import problem_of
    from cutback.lifecycle.tenants import put_tenant

    try:
        TypeAdapter(TenantName).validate_python(name)
        visible = Visible(recordings=tuple(recordings or ()), cameras=tuple(camera or ()))
    except ValidationError as error:
        item = error.errors(include_url=False)[0]
        where = {"recordings": "--recordings", "cameras": "--camera"}.get(str((item["loc"] or ("",))[0]), "NAME")
        raise WrongUsageError(f"{where}: {problem_of(item)}.") from None
    with screen.services() as services:
        tenant, _ = put_tenant(services, name, visible)
    screen.document(tenant.model_dump(mode="json"))
    screen.show(f"[green]✓[/] {escape(name)} sees {escape(_sees(tenant))}")
    screen.hint(f"To make a key for it: cutback keys create KEY-NAME --tenant {name}")


def list_(screen: Screen) -> None:
    """List the tenants and what they see."""
    from cutback.cli.views import formatting
    from cutback.lifecycle.tenants import all_tenants

    with screen.existing() as services:
        found = all_tenants(services)
    screen.document({"tenants": [tenant.model_dump(mode="json") for tenant in found]})
    if not found:
        screen.hint("No tenants: every key sees everything.")
        return
    table = formatting.table("tenant", "recordings", "cameras")
    for tenant in found:
        table.add_row(
            tenant.name, escape(", ".join(tenant.recordings) or "-"), escape(", ".join(tenant.cameras) or "-")
        )
    screen.show(table)


def remove(screen: Screen, name: Name) -> None:
    """Remove a tenant. Its keys are refused from now on; its clips stay."""
    from cutback.lifecycle.tenants import remove_tenant

    with screen.existing() as services:
        remove_tenant(services, name)
    screen.document({"tenant": name, "removed": True})
    screen.show(f"[green]✓[/] {escape(name)} removed")


def _sees(tenant: Tenant) -> str:
    things = [*(f"{prefix}…" for prefix in tenant.recordings), *(f"camera {name}" for name in tenant.cameras)]
    return ", ".join(things) or "nothing yet"
