"""What the models of all edits have in common, and the stages in which edits are done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, get_args

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from cutback.domain.base import Model

Stage = Literal["deinterlace", "rotate", "crop", "scale", "sdr", "colour", "time", "overlay", "fade", "sound"]
STAGES: tuple[str, ...] = get_args(Stage)
"""The order in which edits stand in a request, and in which they are done."""


class EditModel(Model):
    """An edit. Its `edit` names its kind."""

    stage: ClassVar[Stage]
    repeats: ClassVar[bool] = False
    """Whether a request may have several of this kind."""
    contradicts: ClassVar[frozenset[str]] = frozenset()
    """Kinds that no request may have besides it. It is enough if one of the two names the other."""

    reconciled_by: ClassVar[Mapping[str, str]] = {}
    """For kinds that it contradicts: a third kind with which a request may have both."""

    edit: str

    @property
    def excludes(self) -> frozenset[str]:
        """Kinds that a request cannot have besides this edit, because of its fields."""
        return frozenset()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return its JSON schema, with what programs that offer edits need to know."""
        found = handler.resolve_ref_schema(handler(schema))
        found["x-stage"] = {"name": cls.stage, "number": STAGES.index(cls.stage)}
        found["x-repeats"] = cls.repeats
        found["x-contradicts"] = sorted(cls.contradicts)
        return found

    @classmethod
    def kind(cls) -> str:
        """Return the name of this kind; empty for a base of several kinds."""
        names = get_args(cls.model_fields["edit"].annotation)
        return str(names[0]) if names else ""

    @classmethod
    def check_together(cls, edits: Sequence[Self]) -> None:
        """Check that the edits of this kind in a request fit together.

        Raises:
            ValueError: they do not.
        """

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that it needs."""
        return ()


class EditPartModel(Model):
    """What a field of an edit consists of, such as a point of a moving crop."""

    part: ClassVar[str]
    """The name of the class in `cutting/edit_values/` that has its values."""
