"""Reads secrets from AWS Secrets Manager, for settings that must not be in the environment."""

from __future__ import annotations

from cutback.adapters.aws.clients import client, translating
from cutback.domain.errors import SettingsError, SurroundingsError


def read_secret(arn: str) -> str:
    """Return the text of a secret.

    Raises:
        SettingsError: it contains no text, or botocore is not installed.
        SurroundingsError: it cannot be read.
    """
    manager = client("secretsmanager", region=arn.split(":")[3] if arn.count(":") >= 6 else "")
    with translating(f"The secret {arn}", SurroundingsError):
        answer = manager.get_secret_value(SecretId=arn)
    text = answer.get("SecretString")
    if not text:
        raise SettingsError(f"\n- The secret {arn} contains no text; store the value as plain text")
    return str(text).strip()
