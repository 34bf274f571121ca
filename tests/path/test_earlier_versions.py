"""Old and new versions side by side, as during an upgrade: each reads the records and messages of the other.

`earlier/` has what an earlier version left behind, and the schemas of its models.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.path.earlier.make import fill
from tests.path.harness import PathHarness

from cutback.adapters.mongodb.client import SCHEMA
from cutback.domain.clips.clip import ClipState
from cutback.ports import ClipQuery, every_document
from cutback.services import Services

EARLIER = Path(__file__).parent / "earlier" / "version-0.1-a"
KINDS = {"api_key": "ApiKey", "share": "Share", "tenant": "Tenant", "upload": "Upload", "webhook": "Webhook"}


@pytest.fixture
def earlier(tmp_path: Path) -> PathHarness:
    """The data folder of the earlier version, opened by this one."""
    data = tmp_path / "cutback-data"
    data.mkdir()
    with closing(sqlite3.connect(data / "cutback.sqlite")) as connection:
        connection.executescript((EARLIER / "records.sql").read_text(encoding="utf-8"))
    for key in ("ready/1/clip.mp4", "edited/1/clip.mp4"):
        (data / "clips" / key).parent.mkdir(parents=True)
        (data / "clips" / key).write_bytes(b"a clip")
    return PathHarness(data)


def test_records_of_an_earlier_version_are_read(earlier: PathHarness) -> None:
    services = earlier.services
    states = {clip.id: clip.state.value for clip in services.records.list_clips(ClipQuery()).clips}
    assert states == {"ready": "ready", "edited": "ready", "failed": "failed", "queued": "queued", "by-time": "queued"}
    assert [event.type for _, event in services.records.events_after(0, limit=100)].count("clip.ready") == 2
    assert services.records.last_position() == 11
    assert [each.key for each in services.catalogue.list_recordings().recordings] == ["north.mp4"]
    assert list(services.catalogue.removed_by_hand(["gone.mp4"])) == ["gone.mp4"]
    assert [each.content["name"] for each in every_document(services.registry, "api_key")] == ["first"]
    assert [clip.id for clip in services.records.list_clips(ClipQuery(text="long é")).clips] == ["ready"]


def test_messages_of_an_earlier_version_become_clips(earlier: PathHarness) -> None:
    assert earlier.work() >= 2
    assert earlier.clip("queued").state is ClipState.READY
    assert earlier.clip("by-time").state in {ClipState.READY, ClipState.FAILED}
    assert earlier.services.records.last_position() > 11


def stored(services: Services, path: Path) -> Iterator[tuple[str, Any]]:
    """Everything that this version has stored and sent, with the name of its model."""
    with closing(sqlite3.connect(path)) as connection:
        for table, model in (("clips", "Clip"), ("events", "Event"), ("recordings", "CameraRecording")):
            for (content,) in connection.execute(f"SELECT content FROM {table}"):
                yield model, json.loads(content)
        for (body,) in connection.execute("SELECT body FROM messages WHERE queue = 'clips'"):
            yield "ClipRequest", json.loads(body)
    for kind, model in KINDS.items():
        for document in every_document(services.registry, kind):
            yield model, document.content


def test_an_earlier_version_reads_what_this_one_writes(tmp_path: Path) -> None:
    """All versions ignore fields of records that they do not know; what they know must not change."""
    import jsonschema  # takes seconds, and only the test processes that run this need it

    harness = PathHarness(tmp_path / "cutback-data")
    fill(harness)
    schemas = json.loads((EARLIER / "schemas.json").read_text(encoding="utf-8"))
    seen = set()
    for model, content in stored(harness.services, harness.settings.database_path):
        # Requests are checked strictly by every version, so that a misspelt field is found.
        schema = schemas[model] if model == "ClipRequest" else _ignoring_new_fields(schemas[model])
        jsonschema.validate(content, schema)
        seen.add(model)
    assert seen >= {"Clip", "Event", "CameraRecording", "ClipRequest", "ApiKey"}


def _ignoring_new_fields(schema: Any) -> Any:
    if isinstance(schema, dict):
        kept = {name: value for name, value in schema.items() if name != "additionalProperties" or value is not False}
        return {name: _ignoring_new_fields(value) for name, value in kept.items()}
    return [_ignoring_new_fields(each) for each in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("change", [{"state": None}, {"revision": "one"}, {"request": {"id": "x"}}])
def test_a_change_of_what_the_earlier_version_knows_is_found(tmp_path: Path, change: dict[str, Any]) -> None:
    import jsonschema

    harness = PathHarness(tmp_path / "cutback-data")
    harness.submit(id="wave")
    schemas = json.loads((EARLIER / "schemas.json").read_text(encoding="utf-8"))
    content = dict(stored(harness.services, harness.settings.database_path))["Clip"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**content, **change}, _ignoring_new_fields(schemas["Clip"]))


def test_documents_in_mongodb_have_the_version_that_the_earlier_one_accepts() -> None:
    assert SCHEMA == 1


def _with_new_fields(content: Any) -> Any:
    """As a later version may write it: every object has one more field."""
    if isinstance(content, dict):
        return {**{name: _with_new_fields(value) for name, value in content.items()}, "of_a_later_version": {"a": [1]}}
    return [_with_new_fields(each) for each in content] if isinstance(content, list) else content


_FREE = ("labels", "stages")
"""What may have any fields anyway."""


def test_records_of_a_later_version_are_read_by_this_one(tmp_path: Path) -> None:
    harness = PathHarness(tmp_path / "cutback-data")
    fill(harness)
    before = list(harness.services.records.list_clips(ClipQuery()).clips)
    with closing(sqlite3.connect(harness.settings.database_path)) as connection, connection:
        for table, key in (("clips", "id"), ("recordings", "key"), ("documents", "id")):
            for name, content in connection.execute(f"SELECT {key}, content FROM {table}").fetchall():
                later = json.dumps(_later(json.loads(content)))
                connection.execute(f"UPDATE {table} SET content = ? WHERE {key} = ?", (later, name))
    services = harness.another()
    assert list(services.records.list_clips(ClipQuery()).clips) == before
    assert [each.key for each in services.catalogue.list_recordings().recordings] == ["north.mp4"]
    harness.work(services)
    assert harness.clip("queued").state is ClipState.READY


def _later(content: dict[str, Any]) -> dict[str, Any]:
    later: dict[str, Any] = _with_new_fields(content)
    places = [(later, content), *((later.get(name) or {}, content.get(name) or {}) for name in ("request", "result"))]
    for place, original in places:
        for name in _FREE:
            if name in original:
                place[name] = original[name]
    return later
