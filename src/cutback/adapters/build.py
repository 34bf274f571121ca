"""Builds the adapters that the settings choose. The only module that knows concrete adapters."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from cutback.domain.base import utc_now
from cutback.domain.clips.retry import Policy
from cutback.domain.errors import SettingsError
from cutback.ports import (
    EVENT_COUNTER,
    Announcer,
    Cache,
    Catalogue,
    Copies,
    PartStore,
    Prober,
    Queue,
    Records,
    Registry,
    clip_counter,
)
from cutback.services import Checkpoint, Clock, Services
from cutback.settings.addresses import cache_nodes, check_records_url
from cutback.settings.nats_address import NatsServers, is_nats, nats_queue, nats_subjects
from cutback.settings.settings import Settings, variable
from cutback.tracing import NO_TRACES, Tracer

log = logging.getLogger(__name__)

_COLLECTORS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""OpenTelemetry's own variables for a collector's address."""

if TYPE_CHECKING:
    from cutback.adapters.nats.connection import NatsConnection
    from cutback.cutting.job import Cutter
    from cutback.storage.multipart import MultipartUploads
    from cutback.storage.store import Store


def build(
    settings: Settings,
    *,
    cutter: Cutter | None = None,
    prober: Prober | None = None,
    clock: Clock | None = None,
    checkpoint: Checkpoint | None = None,
) -> Services:
    """Create missing folders, open stores and database.

    `cutter` and `prober` replace the real ones, in tests and benchmarks of everything around them. `clock` replaces the
    one that all processes share: the database's where the records are in MongoDB, and otherwise this machine's.

    Raises:
        SettingsError: the data folder cannot be created or written.
        SurroundingsError: a store or the database does not answer.
    """
    from cutback.sandbox.cutter import ChildCutter
    from cutback.storage.store import Store

    _prepare_folders(settings)
    policy = policy_of(settings)
    child = ChildCutter(fonts=settings.fonts)
    nats = NatsConnections(settings)
    cache = _cache(settings, nats)
    records, catalogue, registry, clock = _records(settings, clock, cache)
    webhooks = open_webhook_queue(settings, clock, nats=nats)
    # Do not create a folder that another program fills: it may be a mount point whose disk is missing.
    worker = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    sources = Store.open(settings.source_url, options=settings.source_options, create=not settings.source_store)
    return Services(
        settings=settings,
        policy=policy,
        worker=worker,
        sources=sources,
        clips=Store.open(settings.clip_url, options=settings.clip_options, create=True, uploads=_uploads(settings)),
        assets=Store.open(settings.assets_url, options=settings.assets_options, create=not settings.assets),
        messages=Store.open(settings.message_store) if settings.message_store else None,
        queue=open_queue(settings, policy, clock, nats=nats),
        long_queue=_long_queue(settings, policy, clock, nats),
        records=records,
        catalogue=catalogue,
        registry=registry,
        part_store=_part_store(settings, sources),
        cache=cache,
        webhooks=webhooks,
        announcers=_announcers(settings, webhooks, registry, nats),
        cutter=cutter or child,
        prober=prober or child,
        clock=clock,
        read_secret=read_secret,
        checkpoint=checkpoint or _pass,
        tracer=_tracer(settings, worker),
    )


def _tracer(settings: Settings, instance: str) -> Tracer:
    """Return what records traces. Without a collector, no library for it is imported."""
    by_environment = any(os.environ.get(name) for name in _COLLECTORS)
    if not settings.traces and not by_environment:
        return NO_TRACES
    try:
        from cutback.adapters.traces import OpenTelemetryTracer
    except ImportError as error:
        if not settings.traces:  # the variable may be meant for all programs of a machine
            log.warning("traces=no reason=OpenTelemetry is not installed: pip install 'cutback[traces]'")
            return NO_TRACES
        raise SettingsError("\n- CUTBACK_TRACES needs OpenTelemetry; pip install 'cutback[traces]'") from error
    return OpenTelemetryTracer(settings.traces, instance)


def _uploads(settings: Settings) -> MultipartUploads | None:
    """Return what makes large clips on S3; None elsewhere, where obstore does it alone."""
    if _is_s3(settings.clip_url) and find_spec("boto3") is not None:
        from cutback.adapters.aws.clients import foreign_options
        from cutback.adapters.aws.multipart import S3Multipart

        foreign = foreign_options(settings.clip_options)
        if not foreign:
            return S3Multipart(settings.clip_url, settings.clip_options)
        if settings.copy_in_store:
            raise SettingsError(f"\n- CUTBACK_COPY_IN_STORE is not possible with {', '.join(foreign)}")
    if settings.copy_in_store:
        raise SettingsError("\n- CUTBACK_COPY_IN_STORE needs boto3, which is not installed; pip install 'cutback[aws]'")
    return None


def _is_s3(url: str) -> bool:
    return url.startswith(("s3://", "s3a://"))


def _part_store(settings: Settings, sources: Store) -> PartStore:
    """Return what takes uploads: S3 itself where it can, and the source store by way of this process elsewhere."""
    if _is_s3(settings.source_url) and find_spec("boto3") is not None:
        from cutback.adapters.aws.parts import S3Parts

        return S3Parts(settings.source_url, settings.source_options)
    from cutback.adapters.parts_in_store import StoredParts

    return StoredParts(sources)


class NatsConnections:
    """The connections to NATS: one for each cluster, which everything that needs it shares."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is opened yet."""
        self._settings = settings
        self._made: dict[NatsServers, NatsConnection] = {}

    def to(self, servers: NatsServers, setting: str) -> NatsConnection:
        """Return the connection to these servers; nothing is sent yet. `setting` names the variable in messages.

        Raises:
            SettingsError: it needs a library that is not installed.
        """
        if find_spec("nats") is None:
            raise SettingsError(f"\n- {setting} needs nats-py; pip install 'cutback[nats]'")
        from cutback.adapters.nats.connection import NatsConnection

        known = replace(
            servers,
            credentials=self._settings.nats_credentials,
            ca=self._settings.nats_ca,
            certificate=self._settings.nats_certificate,
            key=self._settings.nats_key,
        )
        return self._made.setdefault(known, NatsConnection(known))


def open_queue(
    settings: Settings, policy: Policy, clock: Clock = utc_now, *, nats: NatsConnections | None = None
) -> Queue:
    """Return the queue of requests; nothing is sent yet.

    Raises:
        SettingsError: it needs a library that is not installed.
    """
    if settings.queue_url:
        chosen = _Chosen("queue_url", settings.visibility_time, policy.max_receives, clock)
        return _queue_at(chosen, settings, nats)
    from cutback.adapters.sqlite.queue import SqliteQueue

    return SqliteQueue(
        settings.database_path,
        "clips",
        visibility=settings.visibility_time,
        max_receives=policy.max_receives,
        clock=clock,
    )


def _long_queue(settings: Settings, policy: Policy, clock: Clock, nats: NatsConnections) -> Queue | None:
    if not settings.long_queue_url:
        return None
    chosen = _Chosen("long_queue_url", settings.visibility_time, policy.max_receives, clock)
    return _queue_at(chosen, settings, nats)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A queue that a setting puts elsewhere."""

    name: str
    visibility: timedelta
    max_receives: int
    clock: Clock


def _queue_at(chosen: _Chosen, settings: Settings, nats: NatsConnections | None) -> Queue:
    url, setting = getattr(settings, chosen.name), variable(chosen.name)
    if is_nats(url):
        address = nats_queue(url)
        connection = (nats or NatsConnections(settings)).to(address.servers, setting)
        from cutback.adapters.nats.queue import JetStreamQueue

        return JetStreamQueue(
            connection,
            address,
            visibility=chosen.visibility,
            max_receives=chosen.max_receives,
            setting=setting,
            clock=chosen.clock,
        )
    from cutback.adapters.aws.queue import SqsQueue

    return SqsQueue(
        url, visibility=chosen.visibility, max_receives=chosen.max_receives, setting=setting, clock=chosen.clock
    )


def open_webhook_queue(
    settings: Settings, clock: Clock = utc_now, *, nats: NatsConnections | None = None
) -> Queue | None:
    """Return the queue of webhook deliveries, if there is one; nothing is sent yet.

    Raises:
        SettingsError: it needs a library that is not installed.
    """
    if not settings.has_webhooks:
        return None
    # Long enough even for a slow DNS lookup of the receiver, which has no timeout.
    visibility = timedelta(seconds=4 * settings.webhook_timeout)
    max_receives = len(settings.webhook_delays) + 4
    if settings.webhook_queue_url:
        return _queue_at(_Chosen("webhook_queue_url", visibility, max_receives, clock), settings, nats)
    from cutback.adapters.sqlite.queue import SqliteQueue

    return SqliteQueue(
        settings.database_path, "webhooks", visibility=visibility, max_receives=max_receives, clock=clock
    )


def _announcers(
    settings: Settings, webhooks: Queue | None, registry: Registry, nats: NatsConnections
) -> tuple[Announcer, ...]:
    announcers: list[Announcer] = []
    if webhooks is not None:
        from cutback.adapters.announce_webhooks import OutboxAnnouncer

        announcers.append(OutboxAnnouncer(webhooks, registry, settings.webhook_urls))
    if settings.announce_urls:
        from cutback.adapters.aws.announcer import SnsAnnouncer

        announcers += [SnsAnnouncer(topic) for topic in settings.announce_urls]
    if settings.announce_nats:
        address = nats_subjects(settings.announce_nats)
        connection = nats.to(address.servers, variable("announce_nats"))
        from cutback.adapters.nats.announcer import NatsAnnouncer

        announcers.append(NatsAnnouncer(connection, address, setting=variable("announce_nats")))
    return tuple(announcers)


def _records_url(settings: Settings) -> str:
    if not settings.records_url_secret:
        return settings.records_url
    try:
        return str(check_records_url(read_secret(settings.records_url_secret)))
    except ValueError as error:
        raise SettingsError(f"\n- CUTBACK_RECORDS_URL_SECRET: the secret's text {error}") from None


def read_secret(name: str) -> str:
    """Return the text of a secret in AWS Secrets Manager, by its ARN.

    Raises:
        SettingsError: it contains no text, or boto3 is not installed.
        SurroundingsError: it cannot be read.
    """
    from cutback.adapters.aws.secrets import read_secret as read

    return read(name)


def _records(settings: Settings, clock: Clock | None, cache: Cache) -> tuple[Records, Catalogue, Registry, Clock]:
    """Return records, catalogue and registry, all in one database, and the clock: `clock` if it is given.

    The cache is told of changes of clips in MongoDB, which are then read from it (`cutback.lifecycle.lookup`).
    """
    url = _records_url(settings)
    if not url:
        from cutback.adapters.sqlite.catalogue import SqliteCatalogue
        from cutback.adapters.sqlite.records import SqliteRecords
        from cutback.adapters.sqlite.registry import SqliteRegistry

        path, clock = settings.database_path, clock or utc_now
        return SqliteRecords(path, clock=clock), SqliteCatalogue(path, clock=clock), SqliteRegistry(path), clock
    try:
        from cutback.adapters.mongodb.catalogue import MongoCatalogue
        from cutback.adapters.mongodb.client import Mongo
        from cutback.adapters.mongodb.clock import DatabaseClock
        from cutback.adapters.mongodb.records import MongoRecords
        from cutback.adapters.mongodb.registry import MongoRegistry
    except ImportError as error:
        raise SettingsError("\n- CUTBACK_RECORDS_URL needs pymongo; pip install 'cutback[aws]'") from error

    mongo = Mongo(url, read_url=(lambda: _records_url(settings)) if settings.records_url_secret else None)
    try:
        clock = clock or DatabaseClock(mongo, local=utc_now)
        records = MongoRecords(mongo, clock=clock, changed=lambda clip_id: cache.bump(clip_counter(clip_id)))
        return records, MongoCatalogue(mongo, clock=clock), MongoRegistry(mongo), clock
    except BaseException:
        mongo.close()
        raise


def _cache(settings: Settings, nats: NatsConnections) -> Cache:
    if not settings.cache_url:
        from cutback.adapters.cache_memory import MemoryCache

        return _waking(MemoryCache(), settings, nats) if settings.wakes_by_nats else MemoryCache()
    try:
        from cutback.adapters.cache_memcached import MemcachedCache
    except ImportError as error:
        raise SettingsError("\n- CUTBACK_CACHE_URL needs pymemcache; pip install 'cutback[aws]'") from error

    return MemcachedCache(cache_nodes(settings.cache_url))


def _waking(cache: Cache, settings: Settings, nats: NatsConnections) -> Cache:
    """Return a cache whose counter of events changes in all processes, over the connection that there is anyway."""
    if settings.announce_nats:
        connection = nats.to(nats_subjects(settings.announce_nats).servers, variable("announce_nats"))
    else:
        connection = nats.to(nats_queue(settings.queue_url).servers, variable("queue_url"))
    from cutback.adapters.nats.wake import WakingCache

    return WakingCache(cache, connection, {EVENT_COUNTER})


def open_local(settings: Settings, *, patience: timedelta) -> tuple[Records, Catalogue]:
    """Open existing records and catalogue on this machine, and nothing else; `patience` is how long to wait for a lock.

    Raises:
        SettingsError: they are not on this machine, or the database is unusable.
    """
    if _is_elsewhere(settings) or not settings.database_path.exists():
        raise SettingsError("\n- CUTBACK_DATABASE: there are no records on this machine")
    from cutback.adapters.sqlite.catalogue import SqliteCatalogue
    from cutback.adapters.sqlite.records import SqliteRecords

    path = settings.database_path
    return SqliteRecords(path, patience=patience), SqliteCatalogue(path, patience=patience)


def open_local_dead_letters(settings: Settings, queue: str, *, patience: timedelta) -> Queue:
    """Open the existing queue `clips` or `webhooks` on this machine, to look at its dead letters; see `open_local`.

    Raises:
        SettingsError: it is not on this machine, or the database is unusable.
    """
    elsewhere = settings.webhook_queue_url if queue == "webhooks" else settings.queue_url
    if elsewhere or not settings.database_path.exists():
        raise SettingsError("\n- CUTBACK_DATABASE: there is no queue on this machine")
    from cutback.adapters.sqlite.queue import SqliteQueue

    return SqliteQueue(settings.database_path, queue, patience=patience)


def _is_elsewhere(settings: Settings) -> bool:
    return bool(settings.records_url or settings.records_url_secret)


def back_up(settings: Settings, target: Path, *, replace: bool) -> int:
    """Copy the SQLite database to a file. Returns its bytes. Raises like `cutback.adapters.sqlite.backup.back_up`.

    Raises:
        SettingsError: nothing is in SQLite.
    """
    if not settings.uses_sqlite:
        raise SettingsError("\n- CUTBACK_RECORDS_URL: nothing is in SQLite; back up the MongoDB database instead")
    from cutback.adapters.sqlite.backup import back_up as copy

    return copy(settings.database_path, target, replace=replace)


def copies_of(settings: Settings, *, into: str) -> tuple[Copies, Copies, int]:
    """Return the records in SQLite and in MongoDB for a migration, and how many messages the queue in SQLite has.

    Raises:
        SettingsError: CUTBACK_RECORDS_URL is not set, or SQLite is the source and has no records.
        RecordsUnavailableError: one of them does not answer.
    """
    url = _records_url(settings)
    if not url:
        raise SettingsError("\n- CUTBACK_RECORDS_URL: name the MongoDB, such as mongodb://host/cutback")
    path = settings.database_path
    if into == "mongodb" and not path.exists():
        raise SettingsError(f"\n- CUTBACK_DATABASE: {path} does not exist; there is nothing to copy")
    try:
        from cutback.adapters.mongodb.client import Mongo
        from cutback.adapters.mongodb.copies import MongoCopies
    except ImportError as error:
        raise SettingsError("\n- CUTBACK_RECORDS_URL needs pymongo; pip install 'cutback[aws]'") from error
    from cutback.adapters.sqlite.copies import SqliteCopies
    from cutback.adapters.sqlite.queue import SqliteQueue

    _prepare_folders(settings)
    mongo = Mongo(url)
    try:
        sqlite = SqliteCopies(path)
        with closing(SqliteQueue(path, "clips")) as queue:
            depth = queue.depth()
        return sqlite, MongoCopies(mongo), depth.visible + depth.in_flight + depth.delayed
    except BaseException:
        mongo.close()
        raise


def policy_of(settings: Settings) -> Policy:
    """Return the retry policy of these settings."""
    return Policy(
        max_tries=settings.max_tries,
        first_delay=timedelta(seconds=settings.retry_delay),
        max_delay=timedelta(seconds=settings.retry_delay_max),
        patience=timedelta(seconds=settings.retry_patience),
    )


def _prepare_folders(settings: Settings) -> None:
    for name, folder in (("DATA", settings.data), ("DATABASE", settings.database_path.parent)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"\n- CUTBACK_{name}: the folder {folder} cannot be created ({error.strerror}); "
                "choose one to which this user may write"
            ) from error


def _pass(_stage: str) -> None:
    pass
