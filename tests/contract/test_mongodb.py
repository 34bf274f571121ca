"""What records and catalogue share on MongoDB: URLs, queries, and which databases are refused."""

from __future__ import annotations

import re
import ssl
import struct
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

import bson
import pytest
from pymongo import MongoClient, ReadPreference
from tests.contract.catalogue_contract import at, footage
from tests.contract.mongo_fixtures import mongo_server, mongo_url
from tests.contract.racing import in_threads
from tests.contract.records_contract import LEASE, T0, a_clip, claimed, finished, put, waiting
from tests.support.mongo_proxy import REFUSE, between
from tests.support.mongo_server import MongoServer, need_nx

from cutback.adapters.mongodb import catalogue, client, events, records
from cutback.adapters.mongodb.catalogue import MongoCatalogue
from cutback.adapters.mongodb.client import AMAZON_ROOTS, Mongo
from cutback.adapters.mongodb.records import MongoRecords
from cutback.domain.clips.clip import ClipState, Progress
from cutback.domain.errors import RecordsUnavailableError, SettingsError
from cutback.ports import ClipQuery

__all__ = ["mongo_server", "mongo_url"]


def with_options(url: str, options: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{options}"


def test_no_url_can_weaken_what_the_promises_rest_on(mongo_url: str) -> None:
    url = with_options(mongo_url, "readPreference=secondaryPreferred&w=0&readConcernLevel=local")
    with closing(Mongo(url)) as mongo:
        clips = mongo.collection("clips")
        assert clips.read_preference == ReadPreference.PRIMARY
        assert clips.write_concern.document == {"w": "majority", "wtimeout": 10_000}
        assert clips.read_concern.level == "majority"


def test_patience_is_bounded_unless_the_url_says_otherwise(mongo_url: str) -> None:
    with closing(Mongo(with_options(mongo_url, "sockettimeoutMS=7000"), patience=timedelta(seconds=3))) as mongo:
        options = mongo._client.options
        assert options.server_selection_timeout == 3
        assert options.pool_options.connect_timeout == 3
        assert options.pool_options.socket_timeout == 7


@pytest.mark.parametrize("url", ["mongodb://a:99999/x", "mongodb://a,b/x?directConnection=true", "mongodb://u:p:q@a/x"])
def test_a_url_that_the_driver_refuses_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="CUTBACK_RECORDS_URL"):
        Mongo(url)


@pytest.mark.parametrize("content", [None, "this is no certificate"])
def test_a_file_of_certificates_that_cannot_be_used_is_a_wrong_setting(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "roots.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingsError, match="CUTBACK_RECORDS_URL: a file of certificates") as caught:
        Mongo(f"mongodb://u:secret@host/x?tls=true&tlsCAFile={path}")
    assert "secret" not in str(caught.value)


CLUSTER = "surf.cluster-abc.eu-central-1.docdb.amazonaws.com:27017"


@pytest.mark.parametrize(
    ("url", "roots"),
    [
        (f"mongodb://u:p@{CLUSTER}/cutback?tls=true&replicaSet=rs0", str(AMAZON_ROOTS)),
        (f"mongodb://u:p@{CLUSTER}/cutback?tls=true&tlsCAFile=/opt/mine.pem", None),
        (f"mongodb://u:p@{CLUSTER}/cutback", None),
        ("mongodb://u:p@cluster0.example.mongodb.net/cutback?tls=true", None),
        ("mongodb://u:p@docdb.amazonaws.com.example/cutback?tls=true", None),
    ],
)
def test_documentdb_is_known_by_amazons_own_authorities(
    url: str, roots: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}

    def note(_url: str, **options: Any) -> NoReturn:
        told.update(options)
        raise OSError(0, "noted")

    monkeypatch.setattr(client, "MongoClient", note)
    with pytest.raises(SettingsError):
        Mongo(url)
    assert told.get("tlsCAFile") == roots


def test_amazons_authorities_are_the_ones_that_were_looked_at() -> None:
    """A change of the file changes which databases are trusted: check each certificate, then update the hash."""
    content = AMAZON_ROOTS.read_bytes()
    assert sha256(content).hexdigest() == "75f876271323edf87414f032ccabd8afe6aef1f3e206741375a4dec05d9a8669"
    context = ssl.create_default_context(cafile=str(AMAZON_ROOTS))
    certificates: list[dict[str, Any]] = context.get_ca_certs()
    names = [dict(pair for part in each["subject"] for pair in part)["commonName"] for each in certificates]
    assert len(names) == 81
    assert all(re.fullmatch(r"Amazon RDS [a-z]+-[a-z]+-\d Root CA (RSA2048|RSA4096|ECC384) G1", name) for name in names)


def test_a_password_that_was_rotated_is_read_again(mongo_server: MongoServer | None) -> None:
    need_nx()
    assert mongo_server is not None
    with between(mongo_server.port) as old:
        url = mongo_server.url()
        there = [url.replace(str(mongo_server.port), str(old.port))]
        mongo = Mongo(there[0], read_url=lambda: there[-1])
        with closing(MongoRecords(mongo)) as records:
            assert records.put_clip(a_clip("before"))
            old.plan = lambda _command: REFUSE
            with pytest.raises(SettingsError):
                records.get_clip("before")  # nothing has changed in the secret
            there.append(url)
            with pytest.raises(RecordsUnavailableError, match="changed meanwhile") as caught:
                records.get_clip("before")
            assert caught.value.transient, "so the work is tried again"
            assert records.get_clip("before") is not None
            assert records.put_clip(a_clip("after"))
            assert [event.subject for event in records.unannounced(limit=9)] == ["before", "after"]


def test_a_database_of_a_later_version_is_refused_and_left_alone(mongo_url: str) -> None:
    Mongo(mongo_url).close()
    with MongoClient[dict[str, Any]](mongo_url) as client:
        client.get_default_database()["cutback"].update_one({"_id": "schema"}, {"$set": {"version": 99}})
    with pytest.raises(SettingsError, match="newer version of Cutback"):
        Mongo(mongo_url)


def test_processes_that_start_together_create_the_indexes_once(mongo_url: str) -> None:
    def start(_number: int) -> int:
        mongo = Mongo(mongo_url)
        with closing(MongoRecords(mongo)), closing(MongoCatalogue(mongo)):
            return sum(len(mongo._database[name].index_information()) for name in ("clips", "events", "recordings"))

    # Each collection also has the index of its ids.
    assert in_threads(6, start) == [3 + len(records._INDEXES) + len(events._INDEXES) + len(catalogue._INDEXES)] * 6


def test_a_crowd_leaves_no_gap_between_positions(mongo_url: str) -> None:
    def write(number: int) -> None:
        with closing(MongoRecords(Mongo(mongo_url))) as records:
            for clip_number in range(12):
                assert records.put_clip(a_clip(f"c{number}-{clip_number}"))

    in_threads(8, write)
    with closing(MongoRecords(Mongo(mongo_url))) as records:
        found = records.events_after(0, limit=1000)
        assert [position for position, _ in found] == list(range(1, 97))
        assert len({event.id for _, event in found}) == 96
        assert list(records._mongo.collection("clips").find({"pending": {"$exists": True}})) == []


# --- DocumentDB lacks some of MongoDB --------------------------------------------------------------

COMMANDS = {
    *("ping", "find", "getMore", "insert", "update", "createIndexes", "listIndexes"),
    *("aggregate", "distinct", "endSessions"),
}
UPDATES = {"$set", "$unset", "$setOnInsert", "$addToSet"}
CONDITIONS = {"$exists", "$eq", "$gt", "$gte", "$lt", "$lte", "$in", "$or"}
INDEX_OPTIONS = {"key", "name", "unique", "sparse", "expireAfterSeconds"}
SPARSE = {"due_at", "lease_until", "pending", "waiting", "waits_for"}


def documents(message: bytes) -> dict[str, Any]:
    """An OP_MSG's command, its document sequences among its fields."""
    flags, at_byte, fields = struct.unpack_from("<I", message, 16)[0], 20, dict[str, Any]()
    end = len(message) - 4 * (flags & 1)
    while at_byte < end:
        kind, at_byte = message[at_byte], at_byte + 1
        size = struct.unpack_from("<i", message, at_byte)[0]
        section = message[at_byte : at_byte + size]
        at_byte += size
        if kind == 0:
            fields |= bson.decode(section)
        else:
            name, _, sequence = section[4:].partition(b"\0")
            fields[name.decode()] = bson.decode_all(sequence)
    return fields


def operators(condition: Any) -> Iterator[str]:
    """Return all `$…` in a condition, and check that sparse fields are queried with `$exists`."""
    if isinstance(condition, list):
        for each in condition:
            yield from operators(each)
    elif isinstance(condition, dict):
        for name, value in condition.items():
            assert name not in SPARSE or "$exists" in value, condition
            if name.startswith("$"):
                yield name
            yield from operators(value)


def test_nothing_is_asked_that_documentdb_lacks(mongo_server: MongoServer | None) -> None:
    need_nx()
    assert mongo_server is not None
    with between(mongo_server.port) as proxy:
        url = mongo_server.url(proxy.port)
        mongo = Mongo(with_options(url, "retryWrites=false"))
        use_everything(MongoRecords(mongo), MongoCatalogue(mongo))
        mongo.close()
    asked = [documents(message) for message in proxy.messages]
    assert {next(iter(each)) for each in asked} - COMMANDS == set()
    for each in asked:
        assert each.keys().isdisjoint({"txnNumber", "startTransaction", "collation", "hint", "let"})
        match next(iter(each)):
            case "find":
                assert set(operators(each["filter"])) <= CONDITIONS
            case "distinct":
                assert set(operators(each["query"])) <= CONDITIONS
            case "update":
                for update in each["updates"]:
                    assert isinstance(update["u"], dict), "not a pipeline"
                    assert update["u"].keys() <= UPDATES
                    assert all(update["u"].values()), "an operator with nothing to do is refused"
                    assert set(operators(update["q"])) <= CONDITIONS
            case "createIndexes":
                assert all(index.keys() <= INDEX_OPTIONS for index in each["indexes"])
            case "aggregate":
                assert {stage for each in each["pipeline"] for stage in each} <= {"$match", "$group"}
            case "insert":
                assert all(not key.startswith("$") and "." not in key for each in each["documents"] for key in each)


def use_everything(records: MongoRecords, catalogue: MongoCatalogue) -> None:
    clip = a_clip(labels={"$a.b": "c"}, tags=["x"], expires_in=60)
    assert records.put_clip(clip)
    assert not records.put_clip(clip)
    assert records.commit(claimed(clip))
    assert records.beat("wave", 1, lease_until=T0 + LEASE, progress=Progress())
    assert records.commit(finished(claimed(clip), sweep_at=T0))
    query = ClipQuery((ClipState.READY,), "x", "sea.mp4", T0, T0 + LEASE)
    assert records.list_clips(query).clips
    assert records.due(T0 + timedelta(days=1))
    for name in ("early", "late"):
        put(records, begun := a_clip(name), waiting(begun, "north"))
    first = records.waiting_for("north", limit=1)
    assert records.waiting_for("north", cursor=first.next_cursor).clips
    records.mark_announced([event.id for event in records.unannounced()])
    assert records.last_position() == len(records.events_after(0))
    assert catalogue.put_recording(footage())
    assert catalogue.covering("north", at(0), at(1))
    assert catalogue.neighbours("north", at(100), at(101))
    assert catalogue.list_recordings("north", start=at(1), end=at(2)).recordings
    assert catalogue.list_recordings(start=at(1)).recordings
    assert catalogue.cameras()
    assert catalogue.remove_recording("a", at=at(9))
    assert catalogue.get_recording("a") is None
