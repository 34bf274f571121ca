"""Recordings in a bucket: events name its keys by their whole path, and metadata says where a recording belongs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.path.text_recordings import news
from tests.unit.storage.test_store_s3 import endpoint, options, s3  # noqa: F401 - fixtures

from cutback.adapters.build import build
from cutback.domain.cameras.store_event import StoreEvent
from cutback.services import Services
from cutback.settings.settings import Settings

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FOUND = {"duration": "600", "tracks": [{"kind": "audio", "codec": "aac", "samples": 1, "duration": "600"}]}


class Prober:
    def close(self) -> None:
        """Nothing to close."""

    def probe(self, source: Any, **_: Any) -> dict[str, Any]:
        source.read_at(0, 1)
        return FOUND


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
def test_events_from_outside_of_the_source_store_are_passed_over(services: Services, key: str, bucket: str) -> None:
    assert news(services, event(key, "e", bucket)) is None


def test_an_object_that_takes_a_shorter_ones_place_is_growing(services: Services, s3: Any) -> None:  # noqa: F811
    key = "some/prefix/north.20261123T100000Z.mp4"
    for sequencer, body, growing in [("01", b"sea", False), ("02", b"sea and more", True)]:
        etag = s3.put_object(Bucket="clips", Key=key, Body=body)["ETag"]
        recording = news(services, event(key, etag, sequencer=sequencer))
        assert recording is not None
        assert recording == services.catalogue.get_recording("north.20261123T100000Z.mp4")
        assert growing == recording.growing
