"""Messages are in our own words: they name no class of a library and quote none of its texts."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, InvalidRegionError
from pymongo import errors as mongo_errors

from cutback.adapters.aws.clients import translating
from cutback.adapters.mongodb.client import Mongo, _translating
from cutback.domain.errors import QueueUnavailableError, RecordsUnavailableError, SettingsError, SnsUnreachableError
from cutback.web.api import sns

TEXT = "dial tcp 10.1.2.3 lookup"


def _kinds(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)


class OwnError(BotoCoreError):  # type: ignore[misc]
    """As a later version of the library may have it."""

    fmt = TEXT


@pytest.mark.parametrize(
    "error",
    [
        OwnError(),
        InvalidRegionError(region_name=TEXT),
        EndpointConnectionError(endpoint_url=TEXT),
        ClientError({"Error": {"Code": "Odd", "Message": TEXT}, "ResponseMetadata": {"HTTPStatusCode": 418}}, "Send"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failure_of_aws_is_told_in_our_words(error: Exception) -> None:
    with pytest.raises(QueueUnavailableError) as caught, translating("the queue", QueueUnavailableError):
        raise error
    _is_ours(caught.value.message, error)


@pytest.mark.parametrize(
    "kind",
    sorted(set(_kinds(mongo_errors.PyMongoError)), key=str),
    ids=lambda kind: kind.__name__,
)
def test_a_failure_of_mongodb_is_told_in_our_words(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    Exception.__init__(error, TEXT)
    error._message, error._error_labels = TEXT, set()  # type: ignore[attr-defined]
    for name, value in {"_OperationFailure__code": 91, "_OperationFailure__details": None}.items():
        setattr(error, name, value)
    with pytest.raises((RecordsUnavailableError, SettingsError)) as caught, _translating():
        raise error
    _is_ours(caught.value.message, error)


@pytest.mark.parametrize("url", ["mongodb://a:99999/x", "mongodb://u:p:q@a/x"])
def test_a_url_that_the_driver_rejects_is_told_in_our_words(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Mongo(url)
    assert caught.value.__cause__ is not None
    _is_ours(caught.value.message, caught.value.__cause__)


@pytest.mark.parametrize("error", [httpx.ConnectTimeout(TEXT), httpx.ConnectError(TEXT), httpx.DecodingError(TEXT)])
def test_a_failure_of_sns_is_told_in_our_words(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(httpx, "stream", fail)
    with pytest.raises(SnsUnreachableError) as caught:
        sns.fetch_from_sns("https://sns.example/")
    _is_ours(caught.value.message, error)


def _is_ours(message: str, error: BaseException) -> None:
    assert type(error).__name__ not in message
    assert TEXT not in message
    assert not str(error) or str(error) not in message
