"""The same store over S3's protocol, spoken to a stand-in on this machine."""

from __future__ import annotations

import os
import queue
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, NoReturn

import pytest
from tests.support.serving import serving
from tests.support.waiting import PATIENCE

from cutback.adapters.aws.clients import foreign_options
from cutback.adapters.aws.multipart import S3Multipart
from cutback.domain.errors import (
    CutbackError,
    ObjectExistsError,
    ObjectNotFoundError,
    RecordingNotFoundError,
    SourceChangedError,
    StorageUnavailableError,
)
from cutback.reading.range_reader import RangeReader
from cutback.storage.store import MIB, Store, StoredObject
from cutback.storage.upload import part_size_of

boto3 = pytest.importorskip("boto3")
pytest.importorskip("moto.server")

KEY_ID, SECRET = "AKIAEXAMPLESECRET", "a-secret-access-key"
LARGE = 33 * MIB
"""Above the size that goes in one request."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        said: queue.Queue[str] = queue.Queue()

        def listen() -> None:
            for line in server.stderr or ():
                if found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", line):
                    said.put(found[1])

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            yield said.get(timeout=PATIENCE)
        finally:
            server.terminate()
            server.wait(PATIENCE)
            listener.join(PATIENCE)


@pytest.fixture
def options(endpoint: str) -> dict[str, str]:
    return {
        "endpoint": endpoint,
        "allow_http": "true",
        "region": "eu-central-1",
        "access_key_id": KEY_ID,
        "secret_access_key": SECRET,
        "max_retries": "0",
    }


@pytest.fixture
def s3(endpoint: str) -> Iterator[Any]:
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
    )
    client.create_bucket(Bucket="clips")
    yield client
    versions = client.list_object_versions(Bucket="clips")
    for item in [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]:
        client.delete_object(Bucket="clips", Key=item["Key"], VersionId=item["VersionId"])
    client.delete_bucket(Bucket="clips")
    client.close()


URL = "s3://clips/some/prefix/"


@pytest.fixture(params=["moves large objects", "completes on condition"])
def store(request: pytest.FixtureRequest, s3: object, options: dict[str, str]) -> Iterator[Store]:
    uploads = S3Multipart(URL, options) if request.param == "completes on condition" else None
    opened = Store.open(URL, options=options, uploads=uploads)
    yield opened
    opened.close()


def pieces(size: int, piece: int = 300_000) -> Iterator[bytes]:
    for start in range(0, size, piece):
        yield bytes([start % 251]) * min(piece, size - start)


def keys(s3: Any) -> list[str]:
    return [item["Key"] for item in s3.list_objects_v2(Bucket="clips").get("Contents", [])]


@pytest.mark.parametrize("size", [0, 5, LARGE])
def test_what_was_put_is_read_back(store: Store, s3: Any, size: int) -> None:
    info = store.put("a/b.mp4", pieces(size), size=size)
    found = store.head("a/b.mp4")
    assert info == StoredObject(found.key, found.size, found.etag)
    assert (info.key, info.size) == ("a/b.mp4", size)
    assert store.get_bytes("a/b.mp4", size) == b"".join(pieces(size))
    assert keys(s3) == ["some/prefix/a/b.mp4"]
    assert store.url_for("a/b.mp4") == "s3://clips/some/prefix/a/b.mp4"


def test_connection_settings_may_come_from_the_environment(
    s3: Any, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    Store.open("s3://clips").check_writable()
    assert keys(s3) == []


@pytest.mark.parametrize("size", [5, LARGE])
def test_put_never_overwrites_unless_it_may(store: Store, s3: Any, size: int) -> None:
    store.put("x", [b"first"])
    with pytest.raises(ObjectExistsError):
        store.put("x", pieces(size))
    assert store.get_bytes("x", 5) == b"first"
    assert store.put("x", pieces(size), if_absent=False).size == size
    assert keys(s3) == ["some/prefix/x"]
    assert s3.list_multipart_uploads(Bucket="clips").get("Uploads", []) == []


def test_an_upload_that_is_completed_though_its_answer_was_lost_is_stored(
    s3: object, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Botocore repeats the request then, and the store refuses the second one."""
    uploads = S3Multipart(URL, options)
    client = uploads._client
    complete = client.complete_multipart_upload

    def repeated(**arguments: Any) -> Any:
        complete(**arguments)
        return complete(**arguments)

    monkeypatch.setattr(client, "complete_multipart_upload", repeated)
    store = Store.open(URL, options=options, uploads=uploads)
    stored = store.put("x", pieces(LARGE), size=LARGE)
    assert store.head("x").etag == stored.etag
    monkeypatch.setattr(client, "complete_multipart_upload", complete)
    with pytest.raises(ObjectExistsError):
        store.put("x", [bytes(LARGE)])
    assert store.get_bytes("x", LARGE) == b"".join(pieces(LARGE))
    store.close()


@pytest.mark.parametrize(
    ("given", "variables", "named"),
    [
        ({"region": "eu-central-1", "aws_endpoint": "http://x", "max_retries": "2"}, {}, []),
        (
            {"sse_kms_key_id": "k", "aws_server_side_encryption": "aws:kms"},
            {},
            ["server_side_encryption", "sse_kms_key_id"],
        ),
        ({"endpoint": "http://b.x", "virtual_hosted_style_request": "true"}, {}, ["virtual_hosted_style_request"]),
        ({"virtual_hosted_style_request": "true"}, {}, []),
        ({}, {"AWS_SSE_KMS_KEY_ID": "k", "AWS_ENDPOINT": "http://x"}, ["AWS_SSE_KMS_KEY_ID"]),
    ],
)
def test_options_that_only_obstore_knows_are_named(
    given: dict[str, str], variables: dict[str, str], named: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert foreign_options(given) == named


def test_an_error_of_the_chunks_leaves_no_object(store: Store, s3: Any) -> None:
    def broken() -> Iterator[bytes]:
        yield from pieces(LARGE)
        raise OSError("theirs")

    with pytest.raises(OSError, match="theirs"):
        store.put("x", broken())
    with pytest.raises(CutbackError, match="bytes instead of"):
        store.put("x", pieces(LARGE), size=LARGE + 1)
    assert keys(s3) == []  # the upload is aborted as well, but a part on its way may outlive that, as on S3


@pytest.mark.parametrize("key", ["ü ~.mp4", "50% + 1?&=.mp4", "h%41.mp4", "a:b*d[1]{}^`|<>\"'#.mp4", "take#2"])
def test_unusual_keys_are_the_same_for_everybody(store: Store, s3: Any, key: str) -> None:
    store.put(key, [b"1"])
    assert keys(s3) == [f"some/prefix/{key}"]
    assert [info.key for info in store.list()] == [key]
    store.delete(key)
    store.delete(key)
    assert keys(s3) == []


def test_deleting_a_prefix_takes_whole_segments_and_keeps_what_is_kept(store: Store, s3: Any) -> None:
    for key in ("c/1/a1.mp4", "c/1/a2.mp4", "c/1/a2.mp4.01.cutback-part", "c/12/x"):
        store.put(key, [b"1"])
    assert [info.key for info in store.list("c/1")] == ["c/1/a1.mp4", "c/1/a2.mp4"]
    assert store.delete_prefix("c/1", keep="c/1/a2.mp4") == 2
    assert keys(s3) == ["some/prefix/c/1/a2.mp4", "some/prefix/c/12/x"]


def test_a_recording_is_read_by_ranges_of_one_version(store: Store) -> None:
    data = b"".join(pieces(LARGE))
    store.put("r.mp4", [data])
    with RangeReader.open(store, "r.mp4") as reader:
        reader.prefetch([(20 * MIB, 1000), (30 * MIB, 50)])
        assert reader.read_at(20 * MIB, 1000) == data[20 * MIB : 20 * MIB + 1000]
        assert reader.read_at(30 * MIB, 50) == data[30 * MIB : 30 * MIB + 50]
        assert (reader.requests, reader.bytes_read) == (3, 1050)
        assert b"".join(reader.stream(1, 20 * MIB)) == data[1 : 1 + 20 * MIB]
        store.put("r.mp4", [b"short"], if_absent=False)
        with pytest.raises(SourceChangedError):
            reader.read_at(MIB, 1000)
        store.delete("r.mp4")
        with pytest.raises(RecordingNotFoundError):
            reader.read_at(2 * MIB, 1000)


def test_what_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(ObjectNotFoundError, match="none"):
        store.head("none")
    with pytest.raises(ObjectNotFoundError, match="none"):
        store.get_bytes("none", 5)


def test_a_missing_bucket_is_found_at_the_start(s3: object, options: dict[str, str]) -> None:
    missing = Store.open("s3://not-there", options=options)
    with pytest.raises(StorageUnavailableError, match="bucket"):
        missing.check_writable()
    with pytest.raises(StorageUnavailableError):
        missing.put("x", pieces(LARGE))


# --- answers that the stand-in does not give ---------------------------------------------------------


@pytest.fixture
def answers() -> Iterator[tuple[str, list[int], list[str]]]:
    """A server that answers with the statuses of a list, the last one over and over, and notes the methods."""
    statuses = [500]
    methods: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            methods.append(self.command)
            self.rfile.read(int(self.headers.get("content-length", 0)))
            body = f"<Error><AWSAccessKeyId>{KEY_ID}</AWSAccessKeyId></Error>".encode()
            status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
            self.send_response(status)
            self.send_header("content-length", "0" if self.command == "HEAD" else str(len(body)))
            self.send_header("etag", '"1"')
            self.send_header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    with serving(Handler) as address:
        yield address, statuses, methods


@pytest.mark.parametrize(("status", "hint"), [(403, "denied"), (401, "denied"), (400, "400"), (503, "503")])
def test_a_refusal_is_named_without_credentials(
    options: dict[str, str], answers: tuple[str, list[int], list[str]], status: int, hint: str
) -> None:
    url, statuses, _ = answers
    statuses[:] = [status]
    store = Store.open("s3://clips", options=options | {"endpoint": url})
    acts = (
        lambda: store.get_bytes("x", 5),
        lambda: store.put("x", [b"1"]),
        lambda: list(store.list()),
        lambda: store.read_range("x", "1", 0, 5),
        store.check_writable,
    )
    for act in acts:
        with pytest.raises(StorageUnavailableError, match=hint) as caught:
            act()
        assert KEY_ID not in str(caught.value)
        assert SECRET not in str(caught.value)


def test_a_conflict_with_an_unfinished_write_is_tried_again(
    options: dict[str, str], answers: tuple[str, list[int], list[str]]
) -> None:
    url, statuses, methods = answers
    store = Store.open("s3://clips", options=options | {"endpoint": url})
    statuses[:] = [409, 404, 200]
    assert store.put("x", [b"1"]).key == "x"
    assert methods == ["PUT", "HEAD", "PUT"]
    statuses[:] = [409, 404, 409, 404, 409, 404]
    with pytest.raises(StorageUnavailableError, match="conflict"):
        store.put("x", [b"1"])
    statuses[:] = [409, 200]
    with pytest.raises(ObjectExistsError):
        store.put("x", [b"1"])


def test_a_store_that_cannot_be_reached_or_stays_silent_is_unavailable(options: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        store = Store.open("s3://clips", options=options | {"endpoint": url, "timeout": "200ms"})
        with pytest.raises(StorageUnavailableError, match="did not answer in time"):
            store.head("x")
    with pytest.raises(StorageUnavailableError, match="did not answer in time"):
        store.head("x")


def test_metadata_has_lower_case_names(store: Store, s3: Any) -> None:
    s3.put_object(Bucket="clips", Key="some/prefix/a.mp4", Body=b"x", Metadata={"Cutback-Camera": "north"})
    assert store.metadata("a.mp4")["cutback-camera"] == "north"
    with pytest.raises(ObjectNotFoundError):
        store.metadata("b.mp4")


class NoLargeCopies:
    """A store that moves nothing, as S3 refuses to copy more than 5 GiB in one request."""

    def __init__(self, objects: object) -> None:
        self._objects = objects

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)

    def rename(self, *_: object, **__: object) -> NoReturn:
        raise OSError("EntityTooLarge: the copy source is larger than the maximum allowable size")


@pytest.fixture
def small_copies(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store, with a limit for copies that a test can exceed."""
    monkeypatch.setattr("cutback.storage.store.LARGEST_COPY", LARGE - 1)
    monkeypatch.setattr(store, "_objects", NoLargeCopies(store._objects))
    return store


def test_an_object_too_large_to_be_copied_is_stored_all_the_same(small_copies: Store) -> None:
    data = os.urandom(LARGE)
    assert small_copies.put("large", [data], size=LARGE).size == LARGE
    assert small_copies.get_bytes("large", LARGE) == data
    assert [info.key for info in small_copies.list()] == ["large"]


def test_an_object_too_large_to_be_copied_never_overwrites_another(small_copies: Store) -> None:
    small_copies.put("large", [b"first"])
    with pytest.raises(ObjectExistsError):
        small_copies.put("large", [bytes(LARGE)], size=LARGE)
    assert small_copies.get_bytes("large", 10) == b"first"


def test_an_object_too_large_to_be_copied_that_breaks_off_leaves_nothing(small_copies: Store, s3: Any) -> None:
    def chunks() -> Iterator[bytes]:
        yield bytes(33 * MIB)
        raise KeyError("the source")

    with pytest.raises(KeyError):
        small_copies.put("large", chunks(), size=LARGE)
    assert list(small_copies.list()) == []
    assert s3.list_multipart_uploads(Bucket="clips").get("Uploads", []) == []


@pytest.mark.parametrize(
    ("size", "part"), [(1, 8 * MIB), (10_000 * 8 * MIB, 8 * MIB), (10_000 * 8 * MIB + 1, 8 * MIB + 1)]
)
def test_no_object_has_more_parts_than_s3_allows(size: int, part: int) -> None:
    assert part_size_of(size) == part
