"""What the AWS adapters share: clients with timeouts, and the translation of errors."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from cutback.domain.errors import SettingsError, SurroundingsError

log = logging.getLogger(__name__)

CONNECT_SECONDS = 3
READ_SECONDS = 10
ATTEMPTS = 3
"""Tries of one call, with short pauses. If all fail, the worker retries later."""

_S3_ATTEMPTS = 4
"""As `ATTEMPTS`, for S3: parts are large."""

_TRUE = {"true", "1", "yes", "on"}
_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "AuthorizationError",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "KMSAccessDenied",
    "KmsAccessDenied",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_MISSING = {"NonExistentQueue", "NotFound", "NotFoundException", "QueueDoesNotExist", "ResourceNotFoundException"}
_THROTTLED = {
    "KMSThrottling",
    "KmsThrottled",
    "OverLimit",
    "RequestThrottled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}


@cache
def _descriptions(folders: str | None) -> Any:
    """Return botocore's reader of services' descriptions. Shared, as reading them takes most of a client's time."""
    from botocore.loaders import create_loader

    return create_loader(folders)


def client(service: str, *, region: str, endpoint: str | None = None, read_seconds: float | None = None) -> Any:
    """Return a client of `service` ("sqs", "sns"), safe to share between threads.

    Credentials come from botocore's own chain. If `region` is empty, the environment's applies. `AWS_ENDPOINT_URL` and
    `AWS_ENDPOINT_URL_<SERVICE>` take precedence over `endpoint`.

    Raises:
        SettingsError: botocore is not installed.
    """
    try:
        from botocore.config import Config
        from botocore.session import Session
    except ImportError as error:
        raise SettingsError(
            f"\n- {service.upper()} needs boto3, which is not installed; pip install 'cutback[aws]'"
        ) from error

    session = Session()
    session.register_component("data_loader", _descriptions(session.get_config_variable("data_path")))
    overridden = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get("AWS_ENDPOINT_URL")
    made = session.create_client(
        service,
        # Services other than AWS have no regions, but a signature needs one.
        region_name=region or session.get_config_variable("region") or "us-east-1",
        endpoint_url=None if overridden else endpoint,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds or READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=16,
            user_agent_extra="cutback",
        ),
    )
    made.meta.events.register("before-parse", _check_length)
    return made


_KNOWN_OPTIONS = {
    "access_key_id",
    "allow_http",
    "connect_timeout",
    "default_region",
    "endpoint",
    "endpoint_url",
    "max_retries",
    "region",
    "secret_access_key",
    "session_token",
    "timeout",
    "token",
    "virtual_hosted_style_request",
}
"""Options of obstore that `s3_client` passes on, or that do not change what is stored and where."""
_FOREIGN_VARIABLES = {
    "AWS_BUCKET_KEY_ENABLED",
    "AWS_CHECKSUM_ALGORITHM",
    "AWS_REQUEST_PAYER",
    "AWS_S3_EXPRESS",
    "AWS_SERVER_SIDE_ENCRYPTION",
    "AWS_SKIP_SIGNATURE",
    "AWS_SSE_BUCKET_KEY_ENABLED",
    "AWS_SSE_CUSTOMER_KEY_BASE64",
    "AWS_SSE_KMS_KEY_ID",
    "AWS_UNSIGNED_PAYLOAD",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
}
"""Variables of the environment that obstore reads, that change how or where it stores, and that `s3_client` ignores."""


def foreign_options(options: Mapping[str, str]) -> list[str]:
    """Return the options of obstore, and the variables of the environment, that `s3_client` does not know, by name.

    With one of them, what it stores could differ from what obstore stores: for instance, be encrypted with another key.
    """
    given = {name.removeprefix("aws_"): value for name, value in options.items()}
    foreign = [name for name in given if name not in _KNOWN_OPTIONS]
    if given.get("virtual_hosted_style_request", "").lower() in _TRUE and _endpoint(given):
        foreign.append("virtual_hosted_style_request")  # obstore expects the bucket in the endpoint
    return sorted(foreign) + sorted(name for name in _FOREIGN_VARIABLES if os.environ.get(name))


def _endpoint(given: Mapping[str, str]) -> str | None:
    variables = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    found = (given.get("endpoint"), given.get("endpoint_url"), *map(os.environ.get, variables))
    return next(filter(None, found), None)


def s3_client(options: Mapping[str, str]) -> Any:
    """Return a client of S3 with obstore's options, by boto3's names. Safe to share between threads."""
    import boto3
    from botocore.config import Config

    given = {name.removeprefix("aws_"): value for name, value in options.items()}
    endpoint = _endpoint(given)
    region = given.get("region") or given.get("default_region")
    retries = given.get("max_retries", "")
    attempts = int(retries) + 1 if retries.isascii() and retries.isdigit() else _S3_ATTEMPTS
    style = "virtual" if given.get("virtual_hosted_style_request", "").lower() in _TRUE else "path"
    made = boto3.client(
        "s3",
        region_name=region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=given.get("access_key_id"),
        aws_secret_access_key=given.get("secret_access_key"),
        aws_session_token=given.get("session_token") or given.get("token"),
        config=Config(
            connect_timeout=_seconds(given.get("connect_timeout", "")) or 5,
            read_timeout=_seconds(given.get("timeout", "")) or 60,
            retries={"mode": "standard", "total_max_attempts": attempts},
            signature_version="s3v4",
            s3={"addressing_style": style if endpoint else "auto"},
            max_pool_connections=24,
            # A part of a browser has no checksum of botocore's.
            request_checksum_calculation="when_required",
        ),
    )
    for operation in ("CompleteMultipartUpload", "CreateMultipartUpload", "ListParts", "UploadPartCopy"):
        made.meta.events.register(f"before-parse.s3.{operation}", _check_length)
    return made


def _seconds(text: str) -> float | None:
    """Return a time of obstore's options, such as `5s` or `500ms`, in seconds; None if it is another text."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(ms|s|m)", text)
    return float(found[1]) * {"ms": 0.001, "s": 1, "m": 60}[found[2]] if found else None


@contextmanager
def translating(what: str, kind: type[SurroundingsError]) -> Iterator[None]:
    """Translate botocore's errors in this block to `kind`, with `what` in the message.

    The text of an answer never becomes part of that message; the debug log has it.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        log.debug("%s: %s", what, error)
        raise kind(f"{what}: {_hint(error)}") from None


def error_code(error: Any) -> str:
    """Return the code of an error without SQS's old prefix, such as `NonExistentQueue`."""
    return str(error.response.get("Error", {}).get("Code", "")).rpartition(".")[2]


def error_status(error: Any) -> int:
    """Return the HTTP status of an error; 0 if there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_refusal(error: Any) -> bool:
    """Whether the service rejected the call, so that repeating it would have the same result."""
    return 400 <= error_status(error) < 500 and error_code(error) not in _THROTTLED


def _check_length(response_dict: dict[str, Any], **_: Any) -> None:
    """Reject an incomplete answer, which botocore would take for an empty one: for an empty queue."""
    from botocore.exceptions import IncompleteReadError

    expected, found = int(response_dict["headers"].get("content-length") or 0), len(response_dict["body"] or b"")
    if found < expected:
        raise IncompleteReadError(actual_bytes=found, expected_bytes=expected)


def _hint(error: Exception) -> str:
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        code = error_code(error)
        if code in _DENIED:
            return "access was denied; check the credentials and their permissions."
        if code in _MISSING:
            return "it does not exist; check its account and region."
        if code in _THROTTLED:
            return "it received too many requests at once."
        return f"it answered {error_status(error)} {code}."
    if isinstance(
        error,
        exceptions.NoCredentialsError | exceptions.PartialCredentialsError | exceptions.CredentialRetrievalError,
    ):
        return "no credentials were found."
    if isinstance(error, exceptions.HTTPClientError | exceptions.IncompleteReadError):
        return "it did not answer in time; check the endpoint and the network."
    return "the request failed; the debug log has more."
