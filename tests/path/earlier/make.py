"""Writes what this version leaves in its database, and its models, for tests of later versions.

Run it in a checkout of the version that is to be remembered, with the sources of that version:
`PYTHONPATH=src:. python tests/path/earlier/make.py FOLDER`. It writes `records.sql` and `schemas.json`.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from tests.path.harness import PathHarness

from cutback.domain.api_keys import ApiKey, Scope
from cutback.domain.cameras.recording import CameraRecording, PlaceEvidence
from cutback.domain.clips.clip import Clip
from cutback.domain.clips.event import Event
from cutback.domain.clips.webhook import Webhook
from cutback.domain.requests.request import ClipRequest
from cutback.domain.shares import Share
from cutback.domain.tenants import Tenant
from cutback.domain.uploads import Upload
from cutback.lifecycle.api_keys import create_key

MODELS = (ApiKey, CameraRecording, Clip, ClipRequest, Event, Share, Tenant, Upload, Webhook)


def main(target: Path) -> None:
    """Write the files."""
    target.mkdir(parents=True, exist_ok=True)
    schemas = {model.__name__: model.model_json_schema(mode="validation") for model in MODELS}
    (target / "schemas.json").write_text(json.dumps(schemas, sort_keys=True) + "\n", encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        harness = PathHarness(Path(name))
        fill(harness)
        harness.services.close()
        dump = _dump(harness.settings.database_path).replace(harness.services.worker, "worker-1")
        (target / "records.sql").write_text(dump, encoding="utf-8")


def fill(harness: PathHarness) -> None:
    """Leave clips in every state, and messages that are still to be made into clips."""
    services = harness.services
    harness.submit(id="ready", tags=["left"], labels={"surfer": "é"}, title="Long left", expires_in=300_000_000)
    harness.submit(id="edited", edits=[{"edit": "rotate", "degrees": 90}, {"edit": "speed", "speed": 2}])
    harness.submit(id="failed", source={"recording": "none.mp4", "start": 0, "end": 1})
    harness.work()
    start = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
    for key in ("north.mp4", "gone.mp4"):
        services.catalogue.put_recording(
            CameraRecording(
                key=key, etag="1", size=10, camera="north", start=start, duration=Fraction(60), stored_at=start,
                evidence=PlaceEvidence(camera="north"),
            )
        )  # fmt: skip
    services.catalogue.remove_recording("gone.mp4", at=start + timedelta(hours=1))
    create_key(services, name="first", scopes=[Scope.READ])
    harness.submit(id="queued", source=[{"recording": "sea.mp4", "start": "0.25", "end": "1.5"}], tags=["queued"])
    span = {"camera": "north", "from": "2026-06-21T05:30:01Z", "to": "2026-06-21T05:30:02Z"}
    harness.submit(id="by-time", source=span)


def _dump(database: Path) -> str:
    with sqlite3.connect(database) as connection:
        pragmas = [
            f"PRAGMA {name} = {connection.execute(f'PRAGMA {name}').fetchone()[0]};"
            for name in ("application_id", "user_version")
        ]
        return "\n".join([*connection.iterdump(), *pragmas]) + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
