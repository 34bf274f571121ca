"""Every setting, its default and its validation. Wrong ones are reported all at once, by variable."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
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
from cutback.domain.errors import SettingsError
from cutback.settings.addresses import check_cache_url, check_queue, check_records_url, check_topics
from cutback.settings.setting_values import (
    check_patterns,
    check_secret,
    check_webhooks,
    check_zones,
    comma_list,
    read_options,
)

PREFIX = "CUTBACK_"
"""Every setting is the environment variable of this prefix and its name in capitals."""

_DEVELOPERS = ("CUTBACK_TEST_", "CUTBACK_BENCH_")
"""Variables of tests and measurements begin like this; they are none of the program's business."""

_LIMITS = Limits()
FOR_THE_WORKER = 640 << 20
"""Bytes that a worker needs beside a job: itself, buffers of a large upload, a waiting process and libraries."""


Options = Annotated[dict[str, str], NoDecode, BeforeValidator(read_options)]


class Settings(BaseSettings):
    """What a Cutback process is told from outside. Frozen; made by `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, allow_inf_nan=False
    )

    data: Path = Field(Path("cutback-data"), description="The folder that holds what has no other place.")
    source_store: str = Field("", description="Recordings: a folder or a store's URL. <data>/recordings.")
    source_options: Options = Field({}, repr=False, description="Options for the source store, as a JSON object.")
    clip_store: str = Field("", description="Finished clips: a folder or a store's URL. <data>/clips.")
    clip_options: Options = Field({}, repr=False, description="Options for the clip store, as a JSON object.")
    database: Path | None = Field(
        None, description="SQLite file of queue, records and catalogue, on a local disk. <data>/cutback.sqlite."
    )
    queue_url: Annotated[str, AfterValidator(check_queue)] = Field(
        "", description="The queue of requests: an SQS queue's URL. SQLite if left out."
    )
    long_queue_url: Annotated[str, AfterValidator(check_queue)] = Field(
        "", description="Where work goes that takes longer than a Lambda function may run: an SQS queue's URL."
    )
    webhook_queue_url: Annotated[str, AfterValidator(check_queue)] = Field(
        "", description="The queue of webhook deliveries: another SQS queue's URL. SQLite if left out."
    )
    announce_urls: Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_list), AfterValidator(check_topics)] = (
        Field((), description="SNS topics that hear of every event, by ARN, separated by commas.")
    )
    records_url: Annotated[str, BeforeValidator(check_records_url)] = Field(
        "",
        repr=False,
        description="Records and catalogue: a MongoDB's URL with the database's name. SQLite if left out.",
    )
    records_url_secret: str = Field(
        "", description="ARN of the secret in AWS Secrets Manager that holds the records' URL, instead of that itself."
    )
    cache_url: Annotated[str, BeforeValidator(check_cache_url)] = Field(
        "", description="What is remembered between clips: memcached://HOST:PORT,... Each process's own if left out."
    )

    recording_pattern: Annotated[tuple[str, ...], NoDecode, BeforeValidator(check_patterns)] = Field(
        (), description="How recordings' keys are made of camera and time, separated by commas."
    )
    time_zone: Annotated[str, BeforeValidator(check_zones)] = Field(
        "UTC", description="Time zone of keys that name none, such as Europe/Lisbon,bells-*=Australia/Melbourne."
    )
    scan_seconds: float | None = Field(
        None, ge=0, le=86400, description="Seconds between scans for new recordings; 0: none. 5 for a folder, else 0."
    )

    scan_removals: float = Field(
        0.5, ge=0, le=1, description="Largest share of the recordings that a scan takes out of the catalogue at once."
    )

    workers: int = Field(2, ge=1, le=256, description="Worker processes that `cutback up` starts.")
    max_tries: int = Field(5, ge=1, le=100, description="How often a clip is tried before it is given up.")
    retry_delay: float = Field(2, ge=0, le=900, description="Seconds before a second try; doubled each time.")
    retry_delay_max: float = Field(300, ge=0, le=43200, description="Most seconds between two tries.")
    lease: float = Field(
        30, ge=0.5, le=900, description="Seconds after its last sign of life that a worker loses its clip."
    )
    visibility: float = Field(
        60, ge=1, le=43200, description="Seconds a message stays hidden from others; longer than the lease."
    )
    retention: float = Field(
        0, ge=0, description="Seconds that recordings are kept; footage older than that is not waited for. 0: for ever."
    )
    footage_deadline: float = Field(
        21600, ge=0, le=30 * 86400, description="Seconds after its end that a camera's footage is waited for."
    )
    late_footage: float = Field(
        30, ge=0, le=86400, description="Seconds that a gap between a camera's recordings may still be filled."
    )
    clock_drift: float = Field(
        500, ge=0, le=20000, description="Parts per million that a camera's clock may stray within a recording."
    )
    message_store: str = Field(
        "", description="Where messages too large for the queue lie: a store's URL. Pointers elsewhere are refused."
    )
    clip_address: str = Field(
        "", description="Public address of the clip store, such as https://clips.example; used in answers."
    )
    housekeeping: float = Field(5, ge=0.1, le=3600, description="Seconds between two rounds of housekeeping.")

    limit_pixels: int = Field(_LIMITS.pixels, ge=1, description="Most pixels of one picture.")
    limit_streams: int = Field(_LIMITS.streams, ge=1, le=1000, description="Most streams of one recording.")
    limit_frames: int = Field(_LIMITS.frames, ge=1, description="Most frames of one job.")
    limit_duration: int = Field(_LIMITS.duration, ge=1, description="Most seconds of one recording.")
    limit_index_bytes: int = Field(_LIMITS.index_bytes, ge=4096, description="Most bytes of a recording's index.")
    limit_seconds: int = Field(_LIMITS.seconds, ge=1, description="Most seconds one job may take.")
    limit_stall_seconds: int = Field(
        _LIMITS.stall_seconds, ge=1, description="Seconds without a sign of life after which a job is killed."
    )
    limit_memory: int | None = Field(
        None,
        ge=64 << 20,
        description="Most bytes of memory one job may add. 2 GiB, or less in a Lambda function without room for it.",
    )

    webhook_urls: Annotated[tuple[str, ...], NoDecode, BeforeValidator(check_webhooks)] = Field(
        (), description="Addresses that hear of every event, separated by commas."
    )
    webhook_secret_secret: str = Field(
        "", description="ARN of the secret in AWS Secrets Manager that holds the secret that signs webhooks."
    )
    webhook_secret: Annotated[SecretStr | None, BeforeValidator(check_secret)] = Field(
        None, description="Signs webhooks: whsec_ and base 64. Made and kept in the data folder if left out."
    )
    webhook_delays: Annotated[
        tuple[Annotated[float, Field(ge=0, le=43200)], ...], NoDecode, BeforeValidator(comma_list)
    ] = Field(
        (5, 30, 120, 600, 3600, 21600),
        description="Seconds before each further try of a webhook, separated by commas.",
    )
    webhook_timeout: float = Field(10, gt=0, le=60, description="Seconds a webhook's receiver may take.")
    webhook_private: bool = Field(
        default=False, description="Whether webhooks may go to private, link-local and loopback addresses."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.visibility <= self.lease:
            raise ValueError(
                f"CUTBACK_VISIBILITY ({self.visibility:g}) must be greater than CUTBACK_LEASE "
                f"({self.lease:g}), or a dead worker's message comes back before its clip may be taken over"
            )
        if self.records_url and self.records_url_secret:
            raise ValueError("CUTBACK_RECORDS_URL and CUTBACK_RECORDS_URL_SECRET say the same; set one of them")
        self._check_queues()
        if self.webhook_urls and not self.has_webhooks:
            raise ValueError(
                "CUTBACK_WEBHOOK_URLS needs CUTBACK_WEBHOOK_QUEUE_URL, since neither queue nor records are in SQLite"
            )
        return self

    def _check_queues(self) -> None:
        named = {
            variable(name): getattr(self, name)
            for name in ("queue_url", "long_queue_url", "webhook_queue_url")
            if getattr(self, name)
        }
        for (one, url), (other, same) in combinations(named.items(), 2):
            if url == same:  # a job handed over would come straight back; and a delivery is no request
                raise ValueError(f"{one} and {other} must be two queues")

    @property
    def source_url(self) -> str:
        """Where recordings lie."""
        return self.source_store or str(self.data / "recordings")

    @property
    def clip_url(self) -> str:
        """Where clips are stored."""
        return self.clip_store or str(self.data / "clips")

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.database or self.data / "cutback.sqlite"

    @property
    def key_rules(self) -> Rules:
        """How camera and start are read from keys."""
        patterns = tuple(KeyPattern.parse(text) for text in self.recording_pattern) or BUILT_IN
        return Rules(patterns, Zones.parse(self.time_zone))

    @property
    def scan_every(self) -> float:
        """Seconds between two scans of the source store; 0 is never. A store that is no folder tells by events."""
        folder = "://" not in self.source_url or self.source_url.startswith("file://")
        return self.scan_seconds if self.scan_seconds is not None else 5.0 * folder

    @property
    def limits(self) -> Limits:
        """What one job may take."""
        names = Limits.__dataclass_fields__
        given = {name: getattr(self, f"limit_{name}") for name in names}
        return Limits(**given | {"memory": self.limit_memory or memory_for_a_job(os.environ)})

    @property
    def one_machine(self) -> bool:
        """Whether everything lies on this machine, so that a loopback webhook harms no one else."""
        if self.queue_url or self.webhook_queue_url or self.records_url or self.records_url_secret:
            return False  # who asks for clips, and for webhooks, may be anywhere
        return all("://" not in url or url.startswith("file://") for url in (self.source_url, self.clip_url))

    @property
    def lease_time(self) -> timedelta:
        """How long a claim holds without a sign of life."""
        return timedelta(seconds=self.lease)

    @property
    def visibility_time(self) -> timedelta:
        """How long a message stays hidden without an extension."""
        return timedelta(seconds=self.visibility)

    @property
    def has_webhooks(self) -> bool:
        """Whether deliveries have a queue: one on SQS, or the SQLite file that queue or records are in anyway.

        A file for webhooks alone would be lost with the machine, and its deliveries with it.
        """
        elsewhere = bool(self.queue_url and (self.records_url or self.records_url_secret))
        return bool(self.webhook_queue_url) or not elsewhere

    @property
    def poll_time(self) -> timedelta:
        """How long a worker waits for a message before it looks up: SQS has a price for asking, SQLite has none."""
        return timedelta(seconds=5 if self.queue_url else 0.5)

    @property
    def sweep_delay(self) -> timedelta:
        """When to look again for what a paused worker may have written late: well beyond its lease."""
        return 2 * (self.lease_time + self.visibility_time)


def memory_for_a_job(environment: Mapping[str, str]) -> int:
    """Bytes that a job may add when nothing is set.

    A Lambda function that takes more than its memory is killed as a whole: what is left there beside the worker is the
    limit. The variable is Lambda's own, in MB.
    """
    whole = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    if not whole.isdecimal():
        return _LIMITS.memory
    size = int(whole) << 20
    return min(_LIMITS.memory, max(size // 4, size - FOR_THE_WORKER))


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment; `overrides` (by field name, None is left out) win.

    Raises:
        SettingsError: naming every variable that is wrong or unknown, and the way to mend it.
    """
    faults = _unknown_variables()
    settings = None
    try:
        settings = Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        faults += [_fault(item) for item in error.errors(include_url=False)]
    if faults or settings is None:
        raise SettingsError("".join(f"\n- {fault}" for fault in faults))
    return settings


def _unknown_variables() -> list[str]:
    known = {variable(name) for name in Settings.model_fields}
    faults = []
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known and not name.startswith(_DEVELOPERS):
            close = difflib.get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.6)
            hint = f"did you mean {close[0]}?" if close else "remove it, or see docs/settings.md for those there are"
            faults.append(f"{name} is not a setting; {hint}")
    return faults


def _fault(item: Any) -> str:
    problem = str(item["msg"]).removeprefix("Value error, ")
    if not item["loc"]:
        return problem
    name = str(item["loc"][0])
    field = Settings.model_fields.get(name)
    if field is None:
        return f"{name} is not a setting"
    hidden = name in {"webhook_secret", "source_options", "clip_options", "records_url"}
    shown = "" if hidden else f" (it is {str(item['input'])[:80]!r})"
    return f"{variable(name)}{shown}: {problem}. {_help(field)}"


def _help(field: FieldInfo) -> str:
    default = field.default
    text = ",".join(f"{part:g}" for part in default) if isinstance(default, tuple) and default else default
    return f"{field.description}" + (f" The default is {text}." if text not in (None, "", (), {}) else "")
