"""Evaluates our policies on resources: may this service do that, with the condition keys that it sends? Pure.

A service sends the condition keys that AWS documents for it, and no others. A condition on any other key is never met,
so a policy can look right and still allow nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.aws.calls import ACCOUNT
from tests.aws.rights import as_list, matches

SENT: dict[str, Mapping[str, str]] = {
    "s3.amazonaws.com": {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": "arn:aws:s3:::sea"},
    "sns.amazonaws.com": {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:sns:eu-central-1:{ACCOUNT}:topic"},
    "cloudwatch.amazonaws.com": {
        "aws:SourceAccount": ACCOUNT,
        "aws:SourceArn": f"arn:aws:cloudwatch:eu-central-1:{ACCOUNT}:alarm:any",
    },
    "budgets.amazonaws.com": {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:budgets::{ACCOUNT}:budget/any"},
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html: neither key is supported.
    "events.amazonaws.com": {},
    "logs.eu-central-1.amazonaws.com": {
        "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:/aws/lambda/any",
    },
    "cloudfront.amazonaws.com": {"aws:SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1"},
}
"""What each service sends with its calls to KMS."""


def allows(policy: str, service: str, action: str, sent: Mapping[str, str]) -> bool:
    """Whether a policy lets a service do `action`, when it sends these condition keys.

    Raises:
        ValueError: the policy uses an operator that is not understood here.
    """
    statements = json.loads(policy)["Statement"]
    return any(
        statement["Effect"] == "Allow"
        and service in as_list(statement["Principal"].get("Service", []))
        and any(matches(pattern, action) for pattern in as_list(statement["Action"]))
        and all(_holds(operator, wanted, sent) for operator, wanted in statement.get("Condition", {}).items())
        for statement in statements
        if isinstance(statement["Principal"], dict)
    )


def _holds(operator: str, wanted: Mapping[str, Any], sent: Mapping[str, str]) -> bool:
    if not re.fullmatch(r"StringEquals|ArnLike|ArnEquals", operator):
        raise ValueError(f"{operator} is not understood")
    exact = operator == "StringEquals"
    return all(
        name in sent and any(sent[name] == value if exact else matches(value, sent[name]) for value in as_list(values))
        for name, values in wanted.items()
    )
