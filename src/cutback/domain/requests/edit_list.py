"""A request's list of edits: their order, and what contradicts each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from functools import reduce
from itertools import combinations, pairwise
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag, ValidationInfo

from cutback.domain.requests import edits as models
from cutback.domain.requests.edit_model import STAGES, EditModel
from cutback.domain.requests.rules import rules_of
from cutback.domain.subclasses import subclasses_in

KINDS: Mapping[str, type[EditModel]] = {
    model.kind(): model
    for model in sorted(subclasses_in(models, EditModel), key=lambda model: STAGES.index(model.stage))
    if model.kind()
}
"""Every kind of edit by its name, in stage order: what the modules of `edits/` define."""

EXCLUSIVE = tuple(
    frozenset({kind, other})
    for (kind, model), (other, against) in combinations(KINDS.items(), 2)
    if other in model.contradicts or kind in against.contradicts
)
"""Kinds that contradict each other."""


def contradictions(names: Collection[str]) -> list[frozenset[str]]:
    """Return the pairs among kinds that contradict each other."""
    return [pair for pair in EXCLUSIVE if pair <= set(names) and not _reconciled(pair, names)]


def _reconciled(pair: frozenset[str], names: Collection[str]) -> bool:
    """Whether a third kind lets both be in one request."""
    first, second = pair
    return KINDS[first].reconciled_by.get(second) in names or KINDS[second].reconciled_by.get(first) in names


def _check_kind(value: object) -> object:
    """Refuse an edit of unknown kind; name the nearest one."""
    if isinstance(value, EditModel):
        return value
    if not isinstance(value, dict):
        raise ValueError('must be an object such as {"edit": "mute"}')  # noqa: TRY004 - pydantic collects ValueErrors
    name = value.get("edit")
    if name is None:
        raise ValueError(f'has no "edit", which names its kind: {", ".join(KINDS)}')
    if not isinstance(name, str) or name not in KINDS:
        shown = "".join(c if c.isprintable() else "?" for c in str(name)[:40])
        near = get_close_matches(shown.lower(), KINDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"the edits are {', '.join(KINDS)}"
        raise ValueError(f"unknown edit {shown!r}; {hint}")
    return value


def _check_list(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list")  # noqa: TRY004 - pydantic collects ValueErrors
    if len(value) > (most := rules_of(info).edits):
        raise ValueError(f"must have at most {most} items")
    return value


def _check_order(edits: tuple[EditModel, ...]) -> tuple[EditModel, ...]:
    """Refuse another order than that of the stages, a kind that occurs twice, and edits that contradict each other."""
    names = [edit.edit for edit in edits]
    for name, kind in KINDS.items():
        if not kind.repeats and names.count(name) > 1:
            raise ValueError(f"{name} occurs {names.count(name)} times; it may occur once")
        kind.check_together([edit for edit in edits if edit.edit == name])
    for pair in contradictions(names):
        first, second = sorted(pair, key=names.index)
        raise ValueError(f"{first} and {second} contradict each other; leave one of them out")
    for edit in edits:
        if found := next((name for name in names if name in edit.excludes), None):
            raise ValueError(f"{edit.edit} with these fields and {found} contradict each other; leave one of them out")
    if any(_place(after) < _place(before) for before, after in pairwise(edits)):
        right = [edit.edit for edit in sorted(edits, key=_place)]
        raise ValueError(f"are done in another order than they stand in; write them as {', '.join(right)}")
    return edits


def _place(edit: EditModel) -> int:
    return STAGES.index(edit.stage)


def _kind(value: Any) -> str:
    name = value.get("edit") if isinstance(value, dict) else getattr(value, "edit", "")
    return name if isinstance(name, str) else ""


if TYPE_CHECKING:
    Edits: TypeAlias = tuple[EditModel, ...]
else:
    _any_kind = reduce(or_, (Annotated[kind, Tag(name)] for name, kind in KINDS.items()))
    Edits = Annotated[
        tuple[Annotated[_any_kind, Discriminator(_kind), BeforeValidator(_check_kind)], ...],
        BeforeValidator(_check_list),
        AfterValidator(_check_order),
    ]
"""A request's edits, in stage order."""


def assets_of(edits: tuple[EditModel, ...]) -> tuple[str, ...]:
    """Return the assets that edits need, each once."""
    return tuple(dict.fromkeys(name for edit in edits for name in edit.assets))


def needs_exact(edits: tuple[EditModel, ...]) -> str | None:
    """Return the kind of an edit that changes pictures or times, which only exact clips allow; None without one."""
    return next((edit.edit for edit in edits if edit.stage != "sound"), None)
