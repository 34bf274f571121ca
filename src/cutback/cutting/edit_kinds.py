"""The kinds of edits that jobs can have: what the modules of `edit_values/` define."""

from __future__ import annotations

from collections.abc import Mapping

from cutback.cutting import edit_values
from cutback.cutting.edit_value import Edit, EditPart
from cutback.domain.measures import AtMoment, Finished, Percent
from cutback.domain.subclasses import subclasses_in
from cutback.domain.times import FromEnd

KINDS: Mapping[str, type[Edit]] = {
    found.kind: found for found in subclasses_in(edit_values, Edit) if "kind" in vars(found)
}
"""The classes by the names that requests use."""

_PARTS: tuple[type, ...] = (Percent, FromEnd, Finished, AtMoment, *subclasses_in(edit_values, EditPart))
PARTS: Mapping[str, type] = {part.__name__: part for part in _PARTS}
"""The classes of which the fields of edits consist, besides texts, numbers and fractions, by their names."""
