"""Tenants: who shares an installation, and which recordings and cameras each of them sees. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cutback.domain.base import Model, Moment

TenantName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""Without dots, because the stored id of a tenant's clip is `<tenant>.<id>`."""
_Pattern = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Visible(Model):
    """What a tenant sees."""

    recordings: tuple[_Pattern, ...] = Field((), max_length=1000)
    """Beginnings of recordings' keys, such as `pipeline/`."""
    cameras: tuple[_Pattern, ...] = Field((), max_length=1000)
    """Names of cameras; one that ends in `*` stands for all names that begin so."""

    def has_key(self, key: str) -> bool:
        """Whether the tenant sees a recording with this key, whatever its camera is."""
        return key.startswith(self.recordings)

    def has_camera(self, name: str) -> bool:
        """Whether the tenant sees this camera."""
        return any(
            name.startswith(each.removesuffix("*")) if each.endswith("*") else name == each for each in self.cameras
        )


class Tenant(Visible):
    """A tenant, as it is stored."""

    name: TenantName
    created_at: Moment
