"""Secrets out of AWS Secrets Manager, for settings that are too secret for an environment."""

from __future__ import annotations

from cutback.adapters.aws.clients import client, translating
from cutback.domain.errors import SettingsError, SurroundingsError


def read_secret(arn: str) -> str:
    """The text of a secret.

    Raises:
        SettingsError: it holds no text, or botocore is not installed.
        SurroundingsError: it cannot be read.
    """
    manager = client("secretsmanager", region=arn.split(":")[3] if arn.count(":") >= 6 else "")
    with translating(f"The secret {arn}", SurroundingsError):
        answer = manager.get_secret_value(SecretId=arn)
    text = answer.get("SecretString")
    if not text:
        raise SettingsError(f"\n- The secret {arn} holds no text; store the value as its whole text")
    return str(text).strip()
