"""Tests IAM policies against recorded calls, as far as our policies go. Pure.

Is each call allowed, and is each permission used? A permission that no call uses is superfluous, unless another service
uses the same role, such as Lambda, which writes logs: the tests list these exceptions with their resources.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.aws.calls import Call


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One action on one pattern of resources that a policy allows."""

    action: str
    resource: str

    def covers(self, call: Call) -> bool:
        """Whether this right allows `call`."""
        return matches(self.action, call.action) and matches(self.resource, call.resource)


def rights_of(policy: str) -> set[Right]:
    """What a policy allows.

    Raises:
        ValueError: it uses NotAction, NotResource or a condition upon an Allow: more than is understood here.
    """
    found: set[Right] = set()
    for statement in as_list(json.loads(policy)["Statement"]):
        if statement["Effect"] == "Deny":
            continue
        if {"NotAction", "NotResource", "Condition"} & set(statement):
            raise ValueError(f"{statement.get('Sid')} says more than rights.py understands")
        found |= {
            Right(action, resource)
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }
    return found


def forbidden(rights: Iterable[Right], calls: Iterable[Call]) -> list[Call]:
    """The calls that no right allows."""
    held = list(rights)
    return sorted(call for call in calls if not any(right.covers(call) for right in held))


def unused(rights: Iterable[Right], calls: Iterable[Call]) -> list[Right]:
    """The rights that no call made use of."""
    made = list(calls)
    return sorted(right for right in rights if not any(right.covers(call) for call in made))


def unexplained(rights: Iterable[Right], calls: Iterable[Call], known: Mapping[str, str]) -> list[str]:
    """The rights that no call made use of and `known` does not explain, and what it explains though nobody has it.

    `known` has the reasons by `ACTION NAME`, the name being what ends the resource's ARN, with `*` for parts of either.
    """
    held = list(rights)
    left = [_named(right) for right in unused(held, calls)]
    needless = [text for text in left if not any(fnmatchcase(text, pattern) for pattern in known)]
    stale = [pattern for pattern in known if not any(fnmatchcase(_named(right), pattern) for right in held)]
    return sorted(needless) + sorted(stale)


def _named(right: Right) -> str:
    return f"{right.action} {right.resource.removesuffix(':*').rpartition(':')[2]}"


def policies(state: dict[str, Any]) -> dict[str, str]:
    """Role → its one inline policy, from `terraform show -json`.

    Raises:
        ValueError: a role has a second policy, inline or attached, which would be overlooked.
    """
    found: dict[str, str] = {}
    for resource in _resources(state["values"]["root_module"]):
        if resource["type"] in {"aws_iam_role_policy_attachment", "aws_iam_policy_attachment"}:
            raise ValueError(f"{resource['address']} gives rights that nobody compares")
        if resource["type"] == "aws_iam_role_policy":
            role = resource["values"]["role"]
            if role in found:
                raise ValueError(f"{role} has two policies")
            found[role] = resource["values"]["policy"]
    return found


def _resources(module: dict[str, Any]) -> Iterable[dict[str, Any]]:
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _resources(child)


def as_list(value: Any) -> list[Any]:
    """What stands in a policy, which writes one thing without brackets, as a list."""
    return value if isinstance(value, list) else [value]


def matches(pattern: str, text: str) -> bool:
    """Whether a policy's pattern, with * and ?, means `text`."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None
