"""Recordings in a bucket: events have full keys, and metadata gives camera and start time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.path.text_recordings import news
from tests.unit.storage.test_store_s3 import endpoint, options, s3  # noqa: F401 - fixtures

from cutback.adapters.build import build
from cutback.domain.cameras.store_event import StoreEvent
from cutback.domain.errors import CutbackError
from cutback.lifecycle.attempt import Done
from cutback.ports import Message
from cutback.services import Services
from cutback.settings.settings import Settings
from cutback.worker.receive import receive

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FOUND = {"duration": "600", "tracks": [{"kind": "audio", "codec": "aac", "samples": 1, "duration": "600"}]}


class Prober:
    def close(self) -> None:
        """Nothing to close."""

    def probe(self, source: Any, **_: Any) -> dict[str, Any]:
        source.read_at(0, 1)
        return FOUND

    def preview(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise NotImplementedError

    def frame_map(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise NotImplementedError

    def activities(self, *_: Any, **__: Any) -> Iterator[tuple[int, dict[str, Any] | CutbackError]]:
        raise NotImplementedError

    def sprites(self, *_: Any, **__: Any) -> tuple[dict[str, Any], bytes]:
        raise NotImplementedError

    def slot_sprites(self, *_: Any, **__: Any) -> tuple[dict[str, Any], bytes]:
        raise NotImplementedError

    def waveform(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise NotImplementedError

    def motion(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise NotImplementedError

    def excerpt(self, *_: Any, **__: Any) -> bytes:
        raise NotImplementedError

    def probe_all(self, sources: Any, **_: Any) -> Iterator[tuple[int, dict[str, Any] | CutbackError]]:
        return enumerate(map(self.probe, sources))


@pytest.fixture
def services(tmp_path: Path, s3: Any, options: dict[str, str]) -> Iterator[Services]:  # noqa: F811 - fixtures
    settings = Settings(data=tmp_path, source_store="s3://clips/some/prefix", source_options=options)
    with build(settings, prober=Prober()) as services:
        yield services


def event(key: str, etag: str, bucket: str = "clips", sequencer: str = "01") -> StoreEvent:
    return StoreEvent("created", bucket, key, sequencer, NOON, etag.strip('"'))


def test_an_event_of_the_bucket_enters_the_recording_where_its_metadata_says(services: Services, s3: Any) -> None:  # noqa: F811
    metadata = {"Cutback-Camera": "north", "Cutback-Start": "2026-11-23T10:00:00.480Z"}
    etag = s3.put_object(Bucket="clips", Key="some/prefix/a b.mp4", Body=b"sea", Metadata=metadata)["ETag"]
    recording = news(services, event("some/prefix/a b.mp4", etag))
    assert recording is not None
    assert recording == services.catalogue.get_recording("a b.mp4")
    assert recording.camera == "north"
    assert NOON.replace(hour=10, microsecond=480_000) == recording.start
    assert not recording.growing


@pytest.mark.parametrize(("key", "bucket"), [("some/prefix/a.mp4", "others"), ("some/a.mp4", "clips"), ("a.mp4", "")])
def test_events_from_outside_of_the_source_store_are_ignored(services: Services, key: str, bucket: str) -> None:
    assert news(services, event(key, "e", bucket)) is None


def test_an_object_that_takes_a_shorter_ones_place_is_growing(services: Services, s3: Any) -> None:  # noqa: F811
    key = "some/prefix/north.20261123T100000Z.mp4"
    for sequencer, body, growing in [("01", b"sea", False), ("02", b"sea and more", True)]:
        etag = s3.put_object(Bucket="clips", Key=key, Body=body)["ETag"]
        recording = news(services, event(key, etag, sequencer=sequencer))
        assert recording is not None
        assert recording == services.catalogue.get_recording("north.20261123T100000Z.mp4")
        assert growing == recording.growing


KEY = "some/prefix/north.20261123T100000Z.mp4"
RECORDING = "north.20261123T100000Z.mp4"


def removal(name: str, sequencer: str, version: str) -> str:
    """A removal as S3 tells it: by its own notification (`ObjectRemoved:Delete`), or through EventBridge (`bridge`)."""
    when = "2026-11-23T12:00:00.000Z"
    thing = {"key": KEY, "sequencer": sequencer, "versionId": version}
    if name == "bridge":
        detail = {
            "bucket": {"name": "clips"},
            "object": {**thing, "version-id": version},
            "reason": "Lifecycle Expiration",
        }
        return json.dumps({"source": "aws.s3", "detail-type": "Object Deleted", "time": when, "detail": detail})
    record = {
        "eventSource": "aws:s3",
        "eventName": name,
        "eventTime": when,
        "s3": {"bucket": {"name": "clips"}, "object": thing},
    }
    return json.dumps({"Records": [record]})


REMOVALS = ["ObjectRemoved:Delete", "LifecycleExpiration:Delete", "bridge"]


def hear(services: Services, body: str) -> None:
    outcome = receive(services, Message("m", "r", body, 1, NOON))
    assert isinstance(outcome, Done), outcome


@pytest.mark.parametrize("versioning", [False, True])
@pytest.mark.parametrize("name", [*REMOVALS, "LifecycleExpiration:DeleteMarkerCreated"])
def test_a_recording_that_a_rule_expires_leaves_the_catalogue(
    services: Services, s3: Any, name: str, versioning: bool,  # noqa: F811, FBT001
) -> None:  # fmt: skip
    if versioning:
        s3.put_bucket_versioning(Bucket="clips", VersioningConfiguration={"Status": "Enabled"})
    etag = s3.put_object(Bucket="clips", Key=KEY, Body=b"sea")["ETag"]
    assert news(services, event(KEY, etag)) is not None
    s3.delete_object(Bucket="clips", Key=KEY)
    hear(services, removal(name, "02", "v1"))
    assert services.catalogue.get_recording(RECORDING) is None


@pytest.mark.parametrize("name", REMOVALS)
def test_a_removal_of_an_old_version_leaves_the_newer_one(services: Services, s3: Any, name: str) -> None:  # noqa: F811
    s3.put_bucket_versioning(Bucket="clips", VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket="clips", Key=KEY, Body=b"sea")
    assert news(services, event(KEY, old["ETag"])) is not None
    new = s3.put_object(Bucket="clips", Key=KEY, Body=b"sea and more")
    assert news(services, event(KEY, new["ETag"], sequencer="02")) is not None
    s3.delete_object(Bucket="clips", Key=KEY, VersionId=old["VersionId"])
    hear(services, removal(name, "03", old["VersionId"]))
    recording = services.catalogue.get_recording(RECORDING)
    assert recording is not None
    assert recording.etag == new["ETag"]


def a_later_second(s3: Any, key: str) -> None:  # noqa: F811
    """Wait until what is stored now has a later time than the object: stores tell whole seconds."""
    then = s3.head_object(Bucket="clips", Key=key)["LastModified"]
    s3.put_object(Bucket="clips", Key="clock", Body=b"")
    while s3.head_object(Bucket="clips", Key="clock")["LastModified"] <= then:
        s3.put_object(Bucket="clips", Key="clock", Body=b"")


@pytest.mark.parametrize("name", REMOVALS)
def test_a_removal_of_the_newest_version_brings_the_one_before_it_back(services: Services, s3: Any, name: str) -> None:  # noqa: F811
    s3.put_bucket_versioning(Bucket="clips", VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket="clips", Key=KEY, Body=b"sea")
    a_later_second(s3, KEY)
    new = s3.put_object(Bucket="clips", Key=KEY, Body=b"sea and more")
    assert news(services, event(KEY, new["ETag"], sequencer="02")) is not None
    s3.delete_object(Bucket="clips", Key=KEY, VersionId=new["VersionId"])
    hear(services, removal(name, "03", new["VersionId"]))
    recording = services.catalogue.get_recording(RECORDING)
    assert recording is not None
    assert recording.etag == old["ETag"]
