"""The ids of clips: as users see them, and as they are stored, where every tenant has ids of its own."""

from __future__ import annotations


def stored_id(tenant: str, clip_id: str) -> str:
    """Return the id under which a clip is stored: `<tenant>.<id>`, or `<id>` for a clip without a tenant."""
    return f"{tenant}.{clip_id}" if tenant else clip_id


def may_be_of(tenant: str, stored: str) -> bool:
    """Whether a clip with this stored id can belong to the tenant; without a tenant, any can."""
    return not tenant or stored.startswith(f"{tenant}.")


def shown_id(tenant: str, stored: str) -> str:
    """Return the id that the tenant gave the clip."""
    return stored.removeprefix(f"{tenant}.") if tenant else stored
