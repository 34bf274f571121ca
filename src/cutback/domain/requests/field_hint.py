"""What to write instead of a field that does not exist. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from pydantic import Tag

from cutback.domain.base import Model


class _Tagged(NamedTuple):
    """A model that a field allows, and its tag in a union; empty without one."""

    tag: str
    model: type[Model]


def field_hint(kind: type[Model], location: Sequence[int | str]) -> str:
    """Return the nearest field, or all fields, of the object in which there is an unknown field.

    `location` is where pydantic found it, in the JSON of a `kind`.
    """
    found = [_Tagged("", kind)]
    for step in location[:-1]:
        inside = [each for _, model in found for each in _allowed_in(model, step)]
        found = inside or [each for each in found if each.tag == step] or found
    names = list(dict.fromkeys(field.alias or name for _, model in found for name, field in model.model_fields.items()))
    near = get_close_matches(str(location[-1])[:40].lower(), names, 1)
    return f"did you mean {near[0]!r}?" if near else f"the fields are {', '.join(names)}"


def _allowed_in(model: type[Model], step: int | str) -> Iterator[_Tagged]:
    """Yield the models that a field of a model allows."""
    for name, field in model.model_fields.items():
        if step == (field.alias or name):
            yield from _models_in(field.annotation)


def _models_in(annotation: Any, tag: str = "") -> Iterator[_Tagged]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield _Tagged(tag, annotation)
    elif get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        yield from _models_in(inner, next((each.tag for each in metadata if isinstance(each, Tag)), tag))
    else:
        for inner in get_args(annotation):
            yield from _models_in(inner, tag)
