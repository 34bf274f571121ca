"""A folder with text files as recordings, for tests of the catalogue: everything is real except the probe."""

from __future__ import annotations

import dataclasses
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from cutback.cutting.job import ByteSource, CutRange, Limits
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.cameras.store_event import StoreEvent
from cutback.domain.errors import (
    CutbackError,
    MediaCrashedError,
    MediaUnreadableError,
    RecordingNotFoundError,
    SourceChangedError,
)
from cutback.lifecycle import arrivals
from cutback.lifecycle.arrivals import note_event
from cutback.services import Services

if TYPE_CHECKING:
    from tests.path.harness import PathHarness

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
NORTH = "north.20261123T100000.mp4"


class TextProber:
    """Takes a file's own words for what it is: a probe's JSON."""

    def close(self) -> None:
        """Nothing to close."""

    def __init__(self) -> None:
        self.probed = 0
        self.looked_into = 0
        self.batches: list[int] = []
        self.counting = threading.Lock()
        self.meanwhile: Callable[[], object] = lambda: None

    def preview(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise NotImplementedError

    def frame_map(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise NotImplementedError

    def activities(
        self, sources: Sequence[ByteSource], *, limits: Limits, stopped: Callable[[], bool]
    ) -> Iterator[tuple[int, dict[str, Any] | CutbackError]]:
        del limits, stopped
        self.looked_into += len(sources)
        for number, source in enumerate(sources):
            said = json.loads(source.read_at(0, source.size))
            if "activity" in said:
                yield number, {"step": 1, "values": said["activity"], "kinds": [[0, "h264"]]}
            else:
                yield number, MediaUnreadableError()

    def sprites(self, *_: Any, **__: Any) -> tuple[dict[str, Any], bytes]:
        raise NotImplementedError

    def slot_sprites(self, *_: Any, **__: Any) -> tuple[dict[str, Any], bytes]:
        raise NotImplementedError

    def waveform(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise NotImplementedError

    def motion(
        self, sources: Sequence[ByteSource], ranges: Sequence[CutRange], *, limits: Limits, stopped: Callable[[], bool]
    ) -> dict[str, Any]:
        del limits, stopped
        said = [json.loads(source.read_at(0, source.size))["motion"] for source in sources]
        if None in said:
            raise MediaCrashedError
        return {"motion": [said[wanted.source] for wanted in ranges]}

    def excerpt(self, *_: Any, **__: Any) -> bytes:
        raise NotImplementedError

    def probe_all(
        self, sources: Sequence[ByteSource], *, limits: Limits, stopped: Callable[[], bool]
    ) -> Iterator[tuple[int, dict[str, Any] | CutbackError]]:
        self.batches.append(len(sources))
        for number, source in enumerate(sources):
            try:
                yield number, self.probe(source, limits=limits, stopped=stopped)
            except (MediaUnreadableError, SourceChangedError, RecordingNotFoundError) as error:
                yield number, error

    def probe(self, source: ByteSource, *, limits: Limits, stopped: Callable[[], bool]) -> dict[str, Any]:
        with self.counting:
            self.probed += 1
        self.meanwhile()
        read_index = source.read_index  # type: ignore[attr-defined]
        try:
            said = json.loads(read_index(0, 10) + read_index(10, source.size - 10))
        except ValueError:
            raise MediaUnreadableError from None
        return {"tracks": [{"kind": "audio", "codec": "aac"}, VIDEO], **said}


VIDEO = {"kind": "video", "codec": "h264", "width": 1920, "height": 1080, "samples": 100, "duration": "3.333333333333"}


class TextRecordings:
    """A folder of recordings that are text, and services to catalogue them."""

    def __init__(self, harness: PathHarness) -> None:
        self.harness = harness
        self.folder = harness.settings.data / "recordings"
        (self.folder / "sea.mp4").unlink()
        self.prober = TextProber()
        self.services: Services = dataclasses.replace(harness.services, prober=self.prober)

    def put(self, key: str = NORTH, *, age: float = 3600, duration: float = 600, **said: Any) -> str:
        """Write a recording; returns its etag."""
        return self.write(key, json.dumps({"duration": str(duration), **said}), age=age)

    def write(self, key: str, text: str, *, age: float = 3600) -> str:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        written = (self.harness.now() - timedelta(seconds=age)).timestamp()
        os.utime(path, (written, written))
        return self.services.sources.head(key).etag

    def get(self, key: str = NORTH) -> CameraRecording | None:
        return self.services.catalogue.get_recording(key)

    def found(self, key: str = NORTH) -> CameraRecording:
        recording = self.get(key)
        assert recording is not None
        return recording

    def keys(self) -> list[str]:
        return [each.key for each in self.services.catalogue.list_recordings().recordings]


def news(services: Services, event: StoreEvent, *, again: bool = False) -> CameraRecording | None:
    """The recording whose waiting clips a store's event sends back to the queue, if any."""
    with patch.object(arrivals, "requeue_waiting_clips") as requeue:
        note_event(services, event, again=again)
    if not requeue.called:
        return None
    recording: CameraRecording = requeue.call_args.args[1]
    return recording
