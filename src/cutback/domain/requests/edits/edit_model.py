"""What the models of all edits have in common, and the stages in which edits are done."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

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

    edit: str

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that it needs."""
        return ()
