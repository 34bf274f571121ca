"""IAM policies, as far as ours go, held against the calls that were made. Pure.

Two questions: is each call allowed, and is each right used? A right that no call uses is one too many, unless it is
somebody else's call under the same role, such as Lambda's own writing of logs: those are told by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.aws.calls import Call


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One action upon one pattern of resources that a policy allows."""

    action: str
    resource: str

    def covers(self, call: Call) -> bool:
        """Whether this right allows `call`."""
        return _matches(self.action, call.action) and _matches(self.resource, call.resource)


def rights_of(policy: str) -> set[Right]:
    """What a policy allows.

    Raises:
        ValueError: it uses NotAction, NotResource or a condition upon an Allow: more than is understood here.
    """
    found: set[Right] = set()
    for statement in _list(json.loads(policy)["Statement"]):
        if statement["Effect"] == "Deny":
            continue
        if {"NotAction", "NotResource", "Condition"} & set(statement):
            raise ValueError(f"{statement.get('Sid')} says more than rights.py understands")
        found |= {
            Right(action, resource)
            for action in _list(statement["Action"])
            for resource in _list(statement["Resource"])
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


NOT_BY_THE_PROGRAM = {
    "logs:CreateLogStream": "Lambda writes what the function prints",
    "logs:PutLogEvents": "Lambda writes what the function prints",
    "xray:PutTraceSegments": "sent to a daemon beside the function, which calls AWS",
    "xray:PutTelemetryRecords": "sent to a daemon beside the function, which calls AWS",
    "kms:Decrypt": "S3, SQS, SNS and Secrets Manager call KMS in the caller's name",
    "kms:GenerateDataKey": "S3, SQS and SNS call KMS in the caller's name",
    "ec2:CreateNetworkInterface": "Lambda puts the function into its VPC",
    "ec2:DeleteNetworkInterface": "Lambda takes the function out of its VPC",
    "ec2:DescribeNetworkInterfaces": "Lambda puts the function into its VPC",
    "ec2:DescribeSubnets": "Lambda puts the function into its VPC",
    "ec2:AssignPrivateIpAddresses": "Lambda puts the function into its VPC",
    "ec2:UnassignPrivateIpAddresses": "Lambda puts the function into its VPC",
    "sqs:ReceiveMessage": "on the mapped queue: the mapping receives",
    "sqs:DeleteMessage": "on the mapped queue: the mapping deletes what did not fail",
    "sqs:GetQueueAttributes": "on the mapped queue: the mapping asks how much there is",
}
"""Rights of a role that others than the program use, and who. A call of the program's own is held against them too."""


def compare(
    rights: Iterable[Right], calls: Iterable[Call], seldom: Mapping[str, str] | None = None
) -> tuple[list[Call], list[Right]]:
    """The calls that are not allowed, and the rights that nobody was seen to need.

    `seldom` holds further actions that a run may go without, each with its reason, such as
    `s3:AbortMultipartUpload`, which only a failing upload calls.
    """
    held, made = list(rights), list(calls)
    known = {**NOT_BY_THE_PROGRAM, **(seldom or {})}
    return forbidden(held, made), [right for right in unused(held, made) if right.action not in known]


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


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None
