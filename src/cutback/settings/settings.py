"""Every setting, its default and its validation. All faults are reported at once, each with its variable."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cutback.cutting.job import Limits
from cutback.domain.cameras.key_pattern import BUILT_IN, KeyPattern
from cutback.domain.cameras.local_time import Zones
from cutback.domain.cameras.placing import Rules
from cutback.domain.client_address import check_networks
from cutback.domain.errors import SettingsError
from cutback.domain.requests.moment_rule import MomentRule
from cutback.domain.requests.pictures import Pictures
from cutback.domain.requests.rules import MOST_EDITS, MOST_TEXT, RequestRules
from cutback.domain.validation import problem_of
from cutback.settings.addresses import check_cache_url, check_queue, check_records_url, check_topics
from cutback.settings.config_file import CONFIG, ConfigFile, read_config
from cutback.settings.defaults import DATA, PREFIX
from cutback.settings.listen_address import check_listen, check_origins, listen_address
from cutback.settings.nats_address import check_subjects, is_nats, without_password
from cutback.settings.own_presets import check_presets, read_presets
from cutback.settings.setting_values import (
    check_folder,
    check_kept,
    check_patterns,
    check_secret,
    check_webhooks,
    check_zones,
    comma_list,
    read_moment_rules,
    read_options,
    read_period,
)

_DEVELOPERS = ("CUTBACK_TEST_", "CUTBACK_BENCH_")
"""Prefixes of variables that only tests and benchmarks read; Cutback ignores them."""

_LIMITS = Limits()
_SECRETS = {"webhook_secret", "source_options", "clip_options", "assets_options", "records_url"}
"""Settings whose values are never shown."""

FOR_THE_WORKER = 640 << 20
"""Bytes that a worker needs besides a job: for itself, an upload's buffers, an idle child process and libraries."""


Options = Annotated[dict[str, str], NoDecode, BeforeValidator(read_options)]


class Settings(BaseSettings):
    """The settings of a Cutback process. Frozen; `load_settings` makes them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, allow_inf_nan=False
    )

    data: Path = Field(DATA, description="The folder for everything that has no other location.")
    source_store: str = Field("", description="Recordings: a folder or a store's URL. <data>/recordings if not set.")
    source_options: Options = Field({}, repr=False, description="Options for the source store, as a JSON object.")
    clip_store: str = Field("", description="Finished clips: a folder or a store's URL. <data>/clips if not set.")
    clip_options: Options = Field({}, repr=False, description="Options for the clip store, as a JSON object.")
    assets: str = Field(
        "", description="Pictures, videos and sounds for edits: a folder or a store's URL. <data>/assets if not set."
    )
    assets_options: Options = Field({}, repr=False, description="Options for the assets store, as a JSON object.")
    database: Path | None = Field(
        None,
        description="SQLite file of queue, records and catalogue, on a local disk. <data>/cutback.sqlite if not set.",
    )
    queue_url: Annotated[str, AfterValidator(check_queue)] = Field(
        "", repr=False, description="The queue of requests: the URL of a queue on SQS or NATS. SQLite if not set."
    )
    long_queue_url: Annotated[str, AfterValidator(check_queue)] = Field(
        "", repr=False, description="The queue for work that takes longer than a Lambda function may run: its URL."
    )
    webhook_queue_url: Annotated[str, AfterValidator(check_queue)] = Field(
        "", repr=False, description="The queue of webhook deliveries: the URL of another queue. SQLite if not set."
    )
    nats_credentials: Path | None = Field(None, description="A file with the JWT and key of a user of NATS.")
    nats_ca: Path | None = Field(None, description="A file with the CA certificates that the NATS servers must have.")
    nats_certificate: Path | None = Field(None, description="A file with this client's certificate for NATS.")
    nats_key: Path | None = Field(None, description="The private key of CUTBACK_NATS_CERTIFICATE, if in its own file.")
    announce_urls: Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_list), AfterValidator(check_topics)] = (
        Field((), description="SNS topics that receive every event, by ARN, separated by commas.")
    )
    announce_nats: Annotated[str, AfterValidator(check_subjects)] = Field(
        "", repr=False, description="NATS servers that receive every event: nats://HOST,HOST,HOST/PREFIX."
    )
    records_url: Annotated[str, BeforeValidator(check_records_url)] = Field(
        "",
        repr=False,
        description="Records and catalogue: a MongoDB URL with the database's name. SQLite if not set.",
    )
    records_url_secret: str = Field(
        "", description="ARN of the secret in AWS Secrets Manager that contains CUTBACK_RECORDS_URL."
    )
    cache_url: Annotated[str, BeforeValidator(check_cache_url)] = Field(
        "", description="The shared cache: memcached://HOST:PORT,... Each process has its own if not set."
    )

    recording_pattern: Annotated[tuple[str, ...], NoDecode, BeforeValidator(check_patterns)] = Field(
        (), description="Patterns that find camera and time in recordings' keys, separated by commas."
    )
    time_zone: Annotated[str, BeforeValidator(check_zones)] = Field(
        "UTC", description="Time zone of keys without one, such as Europe/Lisbon,bells-*=Australia/Melbourne."
    )
    scan_seconds: float | None = Field(
        None,
        ge=0,
        le=86400,
        description="Seconds between scans for new recordings; 0: never. If not set, 5 for a folder, else 0.",
    )

    scan_removals: float = Field(
        0.5, ge=0, le=1, description="Largest share of the recordings that a scan removes from the catalogue at once."
    )

    workers: int = Field(2, ge=1, le=256, description="Worker processes that `cutback up` starts.")
    max_tries: int = Field(5, ge=1, le=100, description="How often a clip is tried before it fails.")
    retry_delay: float = Field(2, ge=0, le=900, description="Seconds before the second try; doubled each time.")
    retry_delay_max: float = Field(1800, ge=0, le=43200, description="Maximum seconds between two tries.")
    retry_patience: float = Field(
        86400,
        ge=0,
        le=14 * 86400,
        description="Seconds for which work is retried while a disk is full or a store is unavailable.",
    )
    lease: float = Field(
        30, ge=0.5, le=900, description="Seconds after its last sign of life until a worker loses its clip."
    )
    visibility: float = Field(
        60,
        ge=1,
        le=43200,
        description="Seconds that a received message stays hidden from other workers; longer than the lease.",
    )
    retention: Annotated[float, BeforeValidator(read_period)] = Field(
        0, ge=0, description="Seconds that recordings are kept; a clip does not wait for older footage. 0: for ever."
    )
    keep_records: Annotated[float, BeforeValidator(read_period), AfterValidator(check_kept)] = Field(
        0, ge=0, description="Period for which records and events of finished clips are kept, such as 90d. 0: for ever."
    )
    presets: Annotated[str, AfterValidator(check_presets)] = Field(
        "", description="A TOML file with presets of your own for requests."
    )
    moment_rules: Annotated[tuple[MomentRule, ...], NoDecode, BeforeValidator(read_moment_rules)] = Field(
        (), description="Which moments of recordings that arrive become clips: a file with rules, or a JSON list."
    )
    keep_pictures: Annotated[float, BeforeValidator(read_period)] = Field(
        7 * 86400,
        ge=0,
        description="Period for which pictures of recordings are kept in the clip store, such as 7d. 0: for ever.",
    )
    footage_deadline: float = Field(
        21600,
        ge=0,
        le=30 * 86400,
        description="Seconds that a clip waits for footage, counted from the end of its span.",
    )
    late_footage: float = Field(
        30,
        ge=0,
        le=86400,
        description="Seconds after a recording arrives during which an earlier one may still fill a gap.",
    )
    clock_drift: float = Field(
        500, ge=0, le=20000, description="Parts per million by which a camera's clock may drift within a recording."
    )
    message_store: str = Field(
        "",
        description="The store for messages too large for the queue: its URL. Pointers to other stores are rejected.",
    )
    clip_address: str = Field(
        "", description="Public URL of the clip store, such as https://clips.example; used in answers."
    )
    copy_in_store: bool = Field(
        False,
        description="Whether S3 copies what a clip takes over unchanged, so that it is neither read nor sent. "
        "Recordings and clips must be in buckets of the same service. Not proven on S3 itself yet.",
    )
    media_delivery: Literal["stream", "accel", "redirect"] = Field(
        "stream",
        description="How the API delivers clips: it streams them, nginx does (accel), or the store (redirect).",
    )
    media_accel_prefix: Annotated[str, Field(pattern=r"^/[A-Za-z0-9/_.-]*$")] = Field(
        "/_clips/", description="The internal location of nginx for the folder of clips, with accel."
    )
    delete_grace: float = Field(
        300, ge=0, le=30 * 86400, description="Seconds during which a clip deleted over the API can be restored."
    )
    housekeeping: float = Field(5, ge=0.1, le=3600, description="Seconds between rounds of housekeeping.")

    pictures: Annotated[Pictures, NoDecode, BeforeValidator(comma_list)] = Field(
        ("poster",),
        description="What comes with a clip whose request does not say: poster, sprites, preview and waveform.",
    )
    keep_location: bool = Field(default=False, description="Whether to copy the recordings' locations to clips.")
    fonts: Annotated[str, AfterValidator(check_folder)] = Field(
        "", description="A folder with further fonts for texts on pictures (.ttf, .otf, .ttc, .otc)."
    )

    limit_edits: int = Field(100, ge=1, le=MOST_EDITS, description="Maximum edits of one request.")
    limit_text: int = Field(200, ge=1, le=MOST_TEXT, description="Maximum characters of a text on pictures.")
    limit_pixels: int = Field(_LIMITS.pixels, ge=1, description="Maximum pixels of one picture.")
    limit_streams: int = Field(_LIMITS.streams, ge=1, le=1000, description="Maximum streams of one recording.")
    limit_frames: int = Field(_LIMITS.frames, ge=1, description="Maximum frames of one job.")
    limit_duration: int = Field(_LIMITS.duration, ge=1, description="Maximum seconds of one recording.")
    limit_index_bytes: int = Field(_LIMITS.index_bytes, ge=4096, description="Maximum bytes of a recording's index.")
    limit_image_bytes: int = Field(
        _LIMITS.image_bytes, ge=1024, description="Maximum bytes of a picture from the assets."
    )
    limit_image_pixels: int = Field(
        _LIMITS.image_pixels, ge=1, description="Maximum pixels of a picture from the assets."
    )
    limit_subtitles: int = Field(_LIMITS.subtitles, ge=1, description="Maximum subtitles that edits make of one clip.")
    limit_interpolated_pixels: int = Field(
        _LIMITS.interpolated_pixels, ge=0, description="Maximum pixels of all pictures that slow motion interpolates."
    )
    limit_seconds: int = Field(_LIMITS.seconds, ge=1, description="Maximum seconds of one job.")
    limit_stall_seconds: int = Field(
        _LIMITS.stall_seconds, ge=1, description="Seconds without a sign of life after which a job is killed."
    )
    limit_pipe_bytes: int = Field(
        16 << 30, ge=1, description="Maximum bytes of a recording that `cutback cut -` reads from standard input."
    )
    limit_upload_bytes: int = Field(64 << 30, ge=1, description="Maximum bytes of a recording that is uploaded.")
    upload_lifetime: float = Field(
        86400, ge=60, le=30 * 86400, description="Seconds after which an upload that is not complete is removed."
    )
    upload_rate: int = Field(
        10_000, ge=0, description="Minimum bytes per second at which a part of an upload must arrive; 0: any rate."
    )
    limit_memory: int | None = Field(
        None,
        ge=64 << 20,
        description="Maximum bytes of memory that one job may add. 2 GiB, or less if a Lambda function has too little.",
    )

    webhook_urls: Annotated[tuple[str, ...], NoDecode, BeforeValidator(check_webhooks)] = Field(
        (), description="URLs that receive every change of a clip's state, separated by commas."
    )
    webhook_secret_secret: str = Field(
        "", description="ARN of the secret in AWS Secrets Manager that contains CUTBACK_WEBHOOK_SECRET."
    )
    webhook_secret: Annotated[SecretStr | None, BeforeValidator(check_secret)] = Field(
        None, description="The secret that signs webhooks: whsec_ and base64. Created in the data folder if not set."
    )
    webhook_delays: Annotated[
        tuple[Annotated[float, Field(ge=0, le=43200)], ...], NoDecode, BeforeValidator(comma_list)
    ] = Field(
        (5, 30, 120, 600, 3600, 21600),
        description="Seconds before each further try to deliver a webhook, separated by commas.",
    )
    webhook_timeout: float = Field(10, gt=0, le=60, description="Maximum seconds that a webhook's receiver may take.")
    webhook_private: bool = Field(
        default=False, description="Whether webhooks may go to private, link-local and loopback addresses."
    )
    listen: Annotated[str, AfterValidator(check_listen)] = Field(
        "127.0.0.1:8080", description="Where the REST API listens: HOST:PORT. Beyond loopback, it needs API keys."
    )
    drain_seconds: float | None = Field(
        None,
        ge=0,
        le=300,
        description="Seconds that the API serves on after SIGTERM, not ready. If not set, 5; on loopback, 0.",
    )
    rate_limit: int = Field(1800, ge=0, description="Maximum requests of one API key in a minute; 0: any number.")
    concurrency: int = Field(
        256, ge=1, le=100_000, description="Maximum requests that a server answers at once, without event streams."
    )
    event_streams: int = Field(
        2000, ge=0, description="Maximum event streams that one API key may hold on a server; 0: any number."
    )
    trusted_proxies: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(comma_list), AfterValidator(check_networks)
    ] = Field((), description="Networks of load balancers whose X-Forwarded-For tells the client, such as 10.0.0.0/16.")
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_list), AfterValidator(check_origins)] = (
        Field((), description="Origins of web pages that may call the REST API, such as https://app.example.")
    )
    public_url: Annotated[str, Field(pattern=r"^(https?://[^\s/?#]+/?)?$")] = Field(
        "", description="The address by which clients reach the API, such as https://clips.example; used in links."
    )
    docs_url: str = Field(
        "https://github.com/cutback/cutback/blob/main",
        description="Where the documentation is: the types of problems are links to <this>/docs/failures#<reason>.",
    )
    traces: Annotated[str, Field(pattern=r"^(https?://[^\s?#]+)?$")] = Field(
        "", description="The collector of traces that takes OTLP over HTTP, such as http://127.0.0.1:4318."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The lowest level that is logged."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="The format of log entries, one per line: text or json."
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.visibility <= self.lease:
            raise ValueError(
                f"CUTBACK_VISIBILITY ({self.visibility:g}) must be greater than CUTBACK_LEASE "
                f"({self.lease:g}); otherwise a dead worker's message returns before its clip may be taken over"
            )
        if self.records_url and self.records_url_secret:
            raise ValueError("CUTBACK_RECORDS_URL and CUTBACK_RECORDS_URL_SECRET exclude each other; set one of them")
        self._check_queues()
        self._check_nats()
        self._check_media()
        if self.webhook_urls and not self.has_webhooks:
            raise ValueError(
                "CUTBACK_WEBHOOK_URLS needs CUTBACK_WEBHOOK_QUEUE_URL, since neither queue nor records are in SQLite"
            )
        return self

    def _check_media(self) -> None:
        folder = "://" not in self.clip_url or self.clip_url.startswith("file://")
        if self.media_delivery == "accel" and not folder:
            raise ValueError("CUTBACK_MEDIA_DELIVERY=accel needs clips in a folder; use redirect or stream")
        if self.media_delivery == "redirect" and folder:
            raise ValueError(
                "CUTBACK_MEDIA_DELIVERY=redirect needs clips in a store, not in a folder; use accel or stream"
            )

        if self.copy_in_store:
            buckets = all(url.startswith(("s3://", "s3a://")) for url in (self.source_url, self.clip_url))
            names = ("endpoint", "aws_endpoint", "endpoint_url", "aws_endpoint_url")
            endpoints = {
                next(filter(None, map(options.get, names)), "") for options in (self.source_options, self.clip_options)
            }
            if not buckets or len(endpoints) > 1:
                raise ValueError(
                    "CUTBACK_COPY_IN_STORE needs recordings and clips in s3:// buckets with the same endpoint"
                )

    def _check_queues(self) -> None:
        named = {
            variable(name): getattr(self, name)
            for name in ("queue_url", "long_queue_url", "webhook_queue_url")
            if getattr(self, name)
        }
        for (one, url), (other, same) in combinations(named.items(), 2):
            if url == same:  # a job handed over would come straight back, and a delivery is not a request
                raise ValueError(f"{one} and {other} must be different queues")

    def _check_nats(self) -> None:
        urls = ("queue_url", "long_queue_url", "webhook_queue_url", "announce_nats")
        plain = [variable(name) for name in urls if getattr(self, name).startswith("nats://")]
        for name in ("nats_ca", "nats_certificate"):
            if getattr(self, name) is not None and plain:
                raise ValueError(f"{variable(name)} needs encryption: write tls:// in {plain[0]} instead of nats://")
        if self.nats_key is not None and self.nats_certificate is None:
            raise ValueError("CUTBACK_NATS_KEY needs CUTBACK_NATS_CERTIFICATE, the certificate that it belongs to")

    @property
    def listens_on_loopback(self) -> bool:
        """Whether only this machine can reach the REST API."""
        return listen_address(self.listen).on_loopback

    @property
    def local_records(self) -> bool:
        """Whether records, catalogue and registry are in SQLite on this machine."""
        return not (self.records_url or self.records_url_secret)

    @property
    def drain_time(self) -> float:
        """Seconds that the REST API serves on after a signal, so that load balancers notice."""
        return self.drain_seconds if self.drain_seconds is not None else 5.0 * (not self.listens_on_loopback)

    @property
    def source_url(self) -> str:
        """Where recordings are stored."""
        return self.source_store or str(self.data / "recordings")

    @property
    def clip_url(self) -> str:
        """Where clips are stored."""
        return self.clip_store or str(self.data / "clips")

    @property
    def assets_url(self) -> str:
        """Where the pictures, videos and sounds of edits are stored."""
        return self.assets or str(self.data / "assets")

    @property
    def wakes_by_nats(self) -> bool:
        """Whether processes tell each other over NATS that there are new events."""
        return bool(self.announce_nats) or is_nats(self.queue_url)

    @property
    def uses_sqlite(self) -> bool:
        """Whether queue or records are in the SQLite file."""
        return not (self.queue_url and (self.records_url or self.records_url_secret))

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.database or self.data / "cutback.sqlite"

    @property
    def key_rules(self) -> Rules:
        """How to read camera and start time from keys."""
        patterns = tuple(KeyPattern.parse(text) for text in self.recording_pattern) or BUILT_IN
        return Rules(patterns, self.zones)

    @property
    def zones(self) -> Zones:
        """The time zones of the cameras."""
        return Zones.parse(self.time_zone)

    @property
    def scan_every(self) -> float:
        """Seconds between two scans of the source store; 0 is never. Stores other than folders send events instead."""
        folder = "://" not in self.source_url or self.source_url.startswith("file://")
        return self.scan_seconds if self.scan_seconds is not None else 5.0 * folder

    @property
    def request_rules(self) -> RequestRules:
        """What this installation adds to the validation of requests."""
        return RequestRules(self.zones, read_presets(self.presets), self.limit_edits, self.limit_text)

    @property
    def limits(self) -> Limits:
        """The limits on one job."""
        names = Limits.__dataclass_fields__
        given = {name: getattr(self, f"limit_{name}") for name in names}
        return Limits(**given | {"memory": self.limit_memory or memory_for_a_job(os.environ)})

    @property
    def one_machine(self) -> bool:
        """Whether everything is on this machine, so that webhooks to loopback addresses are safe."""
        if self.queue_url or self.webhook_queue_url or self.records_url or self.records_url_secret:
            return False  # requests, with their webhooks, may come from anywhere
        return all("://" not in url or url.startswith("file://") for url in (self.source_url, self.clip_url))

    @property
    def lease_time(self) -> timedelta:
        """How long a claim lasts without a sign of life."""
        return timedelta(seconds=self.lease)

    @property
    def visibility_time(self) -> timedelta:
        """How long a received message stays hidden, unless that time is extended."""
        return timedelta(seconds=self.visibility)

    @property
    def has_webhooks(self) -> bool:
        """Whether deliveries have a queue: one on SQS, or the SQLite file if it holds the queue or the records anyway.

        A file only for webhooks, and the deliveries in it, would be lost together with the machine.
        """
        elsewhere = bool(self.queue_url and (self.records_url or self.records_url_secret))
        return bool(self.webhook_queue_url) or not elsewhere

    @property
    def poll_time(self) -> timedelta:
        """How long one call waits for a message. SQS charges for each call; SQLite does not."""
        return timedelta(seconds=5 if self.queue_url else 0.5)

    @property
    def sweep_delay(self) -> timedelta:
        """How long after an attempt to sweep for what a paused worker wrote late: well beyond its lease."""
        return 2 * (self.lease_time + self.visibility_time)


def memory_for_a_job(environment: Mapping[str, str]) -> int:
    """Return the bytes that a job may add by default.

    A Lambda function that exceeds its memory is killed as a whole, so the limit is what the worker leaves. The variable
    is Lambda's own, in MB.
    """
    whole = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    if not whole.isdecimal():
        return _LIMITS.memory
    size = int(whole) << 20
    return min(_LIMITS.memory, max(size // 4, size - FOR_THE_WORKER))


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


@dataclass(frozen=True, slots=True)
class DescribedSetting:
    """An effective setting."""

    variable: str
    value: Any
    """The value as JSON; None for a secret that is set."""
    shown: str
    origin: str
    """`--data`, `environment`, the configuration file's path, or `default`."""


def load_settings(**overrides: Any) -> Settings:
    """Read the settings. The environment overrides the file; `overrides` (by field name, without None) override both.

    The file is that of CUTBACK_CONFIG or, if that is not set, `cutback.toml` in the data folder, if it exists.

    Raises:
        SettingsError: a setting is invalid or unknown; the message names every one and says what to do.
    """
    return _load(overrides)[0]


def describe_settings(**overrides: Any) -> list[DescribedSetting]:
    """Return every effective setting and where it comes from. Arguments and errors are those of `load_settings`."""
    settings, file, given = _load(overrides)
    values = settings.model_dump(mode="json")
    found = []
    for name in Settings.model_fields:
        secret = name in _SECRETS and bool(getattr(settings, name))
        value = None if secret else values[name]
        if isinstance(value, str):
            value = without_password(value)
        if name in given:
            origin = "--data" if name == "data" else "command line"
        elif variable(name) in _environment():
            origin = "environment"
        elif file is not None and name in file.content:
            origin = str(file.path)
        else:
            origin = "default"
        shown = "(hidden)" if secret else "" if value is None else _written(value)
        found.append(DescribedSetting(variable(name), value, shown, origin))
    return found


def _load(overrides: dict[str, Any]) -> tuple[Settings, ConfigFile | None, set[str]]:
    given = {name: value for name, value in overrides.items() if value is not None}
    environment = _environment()
    data = given.get("data") or environment.get(variable("data")) or Settings.model_fields["data"].default
    file = read_config(environment.get(CONFIG, ""), Path(data))
    content = file.content if file is not None else {}
    faults = [*_unknown_variables(), *_unknown_in_file(file)]
    known = {name: value for name, value in content.items() if name in Settings.model_fields and name != "data"}
    from_file = {name: value for name, value in known.items() if variable(name) not in environment}
    settings = None
    try:
        settings = Settings(**{**from_file, **given})
    except ValidationError as error:
        faults += [_fault(item, from_file, file) for item in error.errors(include_url=False)]
    if faults or settings is None:
        raise SettingsError("".join(f"\n- {fault}" for fault in faults))
    return settings, file, set(given)


def _environment() -> dict[str, str]:
    """Return the variables that are set and not empty, by name in capitals."""
    return {name.upper(): value for name, value in os.environ.items() if value and name.upper().startswith(PREFIX)}


def _unknown_variables() -> list[str]:
    known = {*(variable(name) for name in Settings.model_fields), CONFIG}
    faults = []
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known and not name.startswith(_DEVELOPERS):
            close = difflib.get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.6)
            hint = f"did you mean {close[0]}?" if close else "remove it, or find the right one in docs/settings.md"
            faults.append(f"{name} is not a setting; {hint}")
    return faults


def _unknown_in_file(file: ConfigFile | None) -> list[str]:
    if file is None:
        return []
    faults = []
    for name in file.content:
        if name == "data":
            faults.append(f"{file.path}: data cannot be set in the file, which may be in the data folder itself")
        elif name not in Settings.model_fields:
            close = difflib.get_close_matches(name, Settings.model_fields, n=1, cutoff=0.6)
            hint = f"did you mean {close[0]}?" if close else "remove it, or find the right one in docs/settings.md"
            faults.append(f"{file.path}: {name} is not a setting; {hint}")
    return faults


def _fault(item: Any, from_file: Mapping[str, Any], file: ConfigFile | None) -> str:
    problem = problem_of(item)
    if not item["loc"]:
        return problem
    name = str(item["loc"][0])
    field = Settings.model_fields.get(name)
    if field is None:
        return f"{name} is not a setting"
    shown = "" if name in _SECRETS else f" (it is {without_password(str(item['input']))[:80]!r})"
    where = f"{file.path}: {name}" if file is not None and name in from_file else variable(name)
    return f"{where}{shown}: {problem}. {_help(field)}"


def _written(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(str(each) for each in value)
    return (
        json.dumps(value) if isinstance(value, dict) else str(value).lower() if isinstance(value, bool) else str(value)
    )


def _help(field: FieldInfo) -> str:
    default = field.default
    text = ",".join(f"{part:g}" for part in default) if isinstance(default, tuple) and default else default
    return f"{field.description}" + (f" The default is {text}." if text not in (None, "", (), {}) else "")
