"""A folder as a store: whole objects or none, no way out, and errors a person can act on."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.exceptions import GenericError, PermissionDeniedError
from tests.support.small_disk import make_read_only, small_disk
from tests.support.waiting import PATIENCE

from cutback.domain.errors import (
    CutbackError,
    InvalidRequestError,
    ObjectExistsError,
    ObjectNotFoundError,
    ObjectTooLargeError,
    SettingsError,
    SourceChangedError,
    StorageFullError,
    StorageUnavailableError,
    SymlinkOutsideError,
)
from cutback.storage.errors import translating
from cutback.storage.store import MIB, Store, StoredObject

LARGE = 9 * MIB
"""Above the size that a folder takes in one piece."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> Store:
    return Store.open(str(root), create=True)


def pieces(size: int, piece: int = 300_000) -> Iterator[bytes]:
    data = bytes(range(256)) * (piece // 256 + 1)
    for start in range(0, size, piece):
        yield data[: min(piece, size - start)]


def names(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


# --- opening ---------------------------------------------------------------------------------------


def test_importing_it_does_not_import_obstore() -> None:
    check = "import sys, cutback.storage.store, cutback.reading.range_reader; sys.exit('obstore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_a_missing_folder_is_refused_unless_create_is_set(root: Path) -> None:
    with pytest.raises(StorageUnavailableError, match="does not exist"):
        Store.open(str(root))
    assert Store.open(str(root), create=True).url == str(root.resolve())


def test_a_file_url_names_the_same_folder(root: Path) -> None:
    there = root / "a b"
    Store.open(str(there), create=True).put("x", [b"1"])
    assert Store.open(f"file://{root}/a%20b").get_bytes("x", 10) == b"1"


@pytest.mark.parametrize(
    "url",
    ["", "http://host/x", "ftp://host", "s3://", "file://host/x", "s3://b/p?sig=SECRET", "s3://u:SECRET@b/p"],
)
def test_other_urls_are_refused_without_repeating_secrets(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Store.open(url)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"endpint": "SECRET"}, "endpint"),
        ({"virtual_hosted_style_request": "SECRET"}, "virtual_hosted_style_request"),
        ({"endpoint": "http://127.0.0.1:9"}, "allow_http"),
        ({"max_retries": "SECRET"}, "max_retries"),
        ({"timeout": "SECRET"}, "timeout"),
    ],
)
def test_a_wrong_option_is_named_but_not_its_value(options: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as caught:
        Store.open("s3://bucket/prefix", options=options)
    assert "SECRET" not in str(caught.value)


def test_a_folder_takes_no_options(root: Path) -> None:
    with pytest.raises(SettingsError, match="region"):
        Store.open(str(root), options={"region": "x"}, create=True)


# --- objects ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 4 * MIB, LARGE])
def test_what_was_put_is_read_back(store: Store, size: int) -> None:
    info = store.put("a/b.bin", pieces(size), size=size)
    assert (info.key, info.size) == ("a/b.bin", size)
    found = store.head("a/b.bin")
    assert info == StoredObject(found.key, found.size, found.etag)
    assert store.get_bytes("a/b.bin", size) == b"".join(pieces(size))
    if size:
        assert store.read_range("a/b.bin", info.etag, size - 1, 1) == b"".join(pieces(size))[-1:]


def test_get_bytes_refuses_what_is_larger_than_its_limit(store: Store) -> None:
    store.put("x", [b"12345"])
    with pytest.raises(ObjectTooLargeError, match="5 bytes"):
        store.get_bytes("x", 4)


@pytest.mark.parametrize("key", ["ü ~.mp4", "50% + 1?&=.mp4", "h%41.mp4", "a:b/c*d[1]{}^`|<>\"'#.mp4", "~", ".x"])
def test_unusual_keys_work_like_any_other(store: Store, root: Path, key: str) -> None:
    store.put(key, [b"1"])
    assert [info.key for info in store.list()] == [key]
    assert (root / key).read_bytes() == b"1"
    assert store.url_for(key) == str(root.resolve() / key)
    store.delete(key)
    assert names(root) == []


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../b", "a//b", "a\\b", "a\nb", "x" * 300, "take#2"])
def test_keys_that_cannot_be_are_an_invalid_request(store: Store, key: str) -> None:
    for act in (store.head, lambda key: store.put(key, [b"1"]), lambda key: store.get_bytes(key, 9)):
        with pytest.raises((InvalidRequestError, ObjectNotFoundError)):
            act(key)
    with pytest.raises(InvalidRequestError):
        store.put(key, [b"1"])


@pytest.mark.parametrize("key", ["nothing", "folder", "folder/file/below"])
def test_what_is_not_there_is_not_found(store: Store, key: str) -> None:
    store.put("folder/file", [b"1"])
    for act in (
        store.head,
        lambda key: store.get_bytes(key, 9),
        lambda key: store.read_range(key, "e", 0, 1),
    ):
        with pytest.raises(ObjectNotFoundError, match=key):
            act(key)


def test_a_named_pipe_is_not_an_object_and_does_not_block(store: Store, root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(ObjectNotFoundError):
        store.head("pipe")
    assert list(store.list()) == []


def test_a_range_of_another_version_is_refused(store: Store) -> None:
    old = store.put("x", [b"12345"])
    store.put("x", [b"67890"], if_absent=False)
    with pytest.raises(SourceChangedError):
        store.read_range("x", old.etag, 0, 5)


def test_a_range_beyond_the_end_is_refused(store: Store) -> None:
    info = store.put("x", [b"12345"])
    for start in (3, 5, 50):
        with pytest.raises(SourceChangedError):
            store.read_range("x", info.etag, start, 5)


# --- putting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [5, LARGE])
def test_put_never_overwrites_unless_it_may(store: Store, root: Path, size: int) -> None:
    store.put("a/x", [b"first"])
    with pytest.raises(ObjectExistsError):
        store.put("a/x", pieces(size))
    assert store.get_bytes("a/x", 5) == b"first"
    assert names(root) == ["a", "a/x"]
    assert store.put("a/x", pieces(size), if_absent=False).size == size
    assert names(root) == ["a", "a/x"]


@pytest.mark.parametrize("size", [5, 5 * MIB])
def test_of_writers_at_the_same_time_one_wins(store: Store, root: Path, size: int) -> None:
    start = threading.Barrier(4)
    outcomes: list[int | type[CutbackError]] = []

    def write(number: int) -> None:
        start.wait(PATIENCE)
        try:
            store.put("k/x", (bytes([number]) * min(MIB, size) for _ in range(max(1, size // MIB))))
            outcomes.append(number)
        except ObjectExistsError:
            outcomes.append(ObjectExistsError)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert outcomes.count(ObjectExistsError) == 3
    winner = next(outcome for outcome in outcomes if outcome is not ObjectExistsError)
    assert set(store.get_bytes("k/x", size)) == {winner}
    assert names(root) == ["k", "k/x"]


@pytest.mark.parametrize("size", [5, LARGE])
@pytest.mark.parametrize("error", [OSError("theirs"), ValueError("theirs"), KeyboardInterrupt()])
def test_an_error_of_the_chunks_comes_out_unchanged_and_nothing_is_stored(
    store: Store, root: Path, size: int, error: BaseException
) -> None:
    def broken() -> Iterator[bytes]:
        yield from pieces(size)
        raise error

    with pytest.raises(type(error)) as caught:
        store.put("a/x", broken())
    assert caught.value is error
    assert [name for name in names(root) if name != "a"] == []


@pytest.mark.parametrize("size", [5, LARGE])
def test_a_size_that_does_not_fit_is_refused_and_nothing_is_stored(store: Store, root: Path, size: int) -> None:
    with pytest.raises(CutbackError, match=f"{size} bytes instead of"):
        store.put("a/x", pieces(size), size=size + 1)
    assert [name for name in names(root) if name != "a"] == []


def test_chunks_may_themselves_be_read_from_a_store(store: Store) -> None:
    info = store.put("source", pieces(LARGE))
    copy = (store.read_range("source", info.etag, start, MIB) for start in range(0, LARGE, MIB))
    assert store.put("copy", copy).size == LARGE


def test_chunks_are_taken_in_the_callers_thread_and_few_are_held(store: Store) -> None:
    seen = set()
    alive = [0, 0]

    class Chunk(bytes):
        __slots__ = ()

        def __del__(self) -> None:
            alive[0] -= 1

    def watched() -> Iterator[bytes]:
        for _ in range(64):
            seen.add(threading.get_ident())
            alive[0] += 1
            alive[1] = max(alive)
            yield Chunk(MIB)

    store.put("x", watched())
    assert seen == {threading.get_ident()}
    assert alive[1] <= 24


def test_a_put_through_a_link_out_of_the_folder_is_refused(store: Store, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "way").symlink_to(outside)
    with pytest.raises(StorageUnavailableError, match="symbolic link"):
        store.put("way/x", [b"1"])
    with pytest.raises(StorageUnavailableError, match="symbolic link"):
        store.delete("way/x")
    assert list(outside.iterdir()) == []


def test_links_out_of_the_folder_are_not_read_and_links_within_are(store: Store, root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "up").symlink_to(tmp_path)
    store.put("real", [b"1"])
    (root / "within").symlink_to(root / "real")
    for key in ("out", "up/secret"):
        with pytest.raises(SymlinkOutsideError, match="symbolic link"):
            store.head(key)
        with pytest.raises(SymlinkOutsideError, match="symbolic link"):
            store.get_bytes(key, 100)
    assert store.get_bytes("within", 10) == b"1"
    links: list[str] = []
    assert [info.key for info in store.list(on_link=links.append)] == ["real", "within"]
    assert links == ["out", "up"]


# --- listing and deleting --------------------------------------------------------------------------


def test_a_listing_takes_a_prefix_as_whole_segments(store: Store) -> None:
    for key in ("a/b/1", "a/b/2", "a/bc/3", "d"):
        store.put(key, [b"1"])
    assert [info.key for info in store.list("a/b")] == ["a/b/1", "a/b/2"]
    assert [info.key for info in store.list("a/b/")] == ["a/b/1", "a/b/2"]
    assert [info.key for info in store.list()] == ["d", "a/b/1", "a/b/2", "a/bc/3"]
    assert list(store.list("none")) == []


def test_deleting_twice_is_as_good_as_once_and_leaves_no_empty_folder(store: Store, root: Path) -> None:
    store.put("a/b/x", [b"1"])
    store.put("a/y", [b"1"])
    store.delete("a/b/x")
    store.delete("a/b/x")
    assert names(root) == ["a", "a/y"]


def test_deleting_a_prefix_removes_everything_half_written_too_but_what_is_kept(store: Store, root: Path) -> None:
    for key in ("c/1/a1.mp4", "c/1/a2.mp4", "c/1/deep/x", "c/12/other"):
        store.put(key, [b"1"])
    for name in ("a2.mp4#1", "a1.mp4.0123.cutback-part#17"):
        (root / "c/1" / name).write_bytes(b"half")
    (root / "c/1/empty").mkdir()
    assert store.delete_prefix("c/1", keep="c/1/a2.mp4") == 4
    assert names(root) == ["c", "c/1", "c/1/a2.mp4", "c/12", "c/12/other"]
    assert store.delete_prefix("c/1/") == 1
    assert store.delete_prefix("c/1") == 0
    assert names(root) == ["c", "c/12", "c/12/other"]


def test_deleting_a_prefix_never_follows_a_link(store: Store, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "dear").write_text("dear")
    store.put("c/x", [b"1"])
    (root / "c/link").symlink_to(outside)
    (root / "way").symlink_to(outside)
    with pytest.raises(StorageUnavailableError, match="symbolic link"):
        store.delete_prefix("way")
    assert store.delete_prefix("c") == 2
    assert (outside / "dear").read_text() == "dear"


@pytest.mark.parametrize("prefix", ["", "/", "..", "a/../.."])
def test_the_whole_store_is_never_deleted_by_a_slip(store: Store, prefix: str) -> None:
    with pytest.raises(InvalidRequestError):
        store.delete_prefix(prefix)


WRITER = """
import sys
from cutback.storage.store import Store
def chunks():
    for n in range(64):
        yield bytes(1024 * 1024)
    print("written", flush=True)
    sys.stdin.read()
Store.open(sys.argv[1]).put("c/1/a1.mp4", chunks())
"""


def test_what_a_killed_writer_leaves_is_neither_listed_nor_outlives_the_sweep(store: Store, root: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        writer.send_signal(signal.SIGKILL)
    assert any(name.endswith(".cutback-part") for name in names(root))
    assert list(store.list()) == []
    with pytest.raises(ObjectNotFoundError):
        store.head("c/1/a1.mp4")
    assert store.delete_prefix("c/1") >= 1
    assert names(root) == []


# --- faults of the surroundings --------------------------------------------------------------------


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "tiny", megabytes=6) as place:
        yield place


@pytest.mark.parametrize("chunk", [7 * MIB, 100_000])
def test_a_full_disk_is_reported_and_nothing_remains(tiny: Path, chunk: int) -> None:
    store = Store.open(str(tiny))
    (tiny / "filler").write_bytes(bytes(3 * MIB))
    with pytest.raises(StorageFullError) as caught:
        store.put("a/x", pieces(8 * MIB, chunk))
    assert caught.value.transient
    assert [name for name in names(tiny) if name != "a"] == ["filler"]
    (tiny / "filler").unlink()
    store.check_writable()


def test_a_read_only_store_is_found_at_the_start(tiny: Path) -> None:
    store = Store.open(str(tiny))
    make_read_only(tiny)
    with pytest.raises(StorageUnavailableError, match="read-only"):
        store.check_writable()


def test_a_file_in_the_way_makes_the_store_unavailable(store: Store, root: Path) -> None:
    store.put("a", [b"1"])
    with pytest.raises(StorageUnavailableError, match="has the folder's name"):
        store.put("a/b", [b"1"])
    with pytest.raises(StorageUnavailableError):
        Store.open(str(root / "a" / "b"), create=True)


def test_a_folder_that_is_taken_away_fails_the_start(store: Store, root: Path) -> None:
    store.check_writable()
    assert names(root) == []
    root.rmdir()
    root.write_text("a file now")
    with pytest.raises(StorageUnavailableError):
        store.check_writable()


@pytest.mark.parametrize(
    ("error", "expected", "hint"),
    [
        (
            PermissionDeniedError("GET https://h/x?sig=SECRET - status code: 403 Forbidden: <A>SECRET"),
            None,
            "denied",
        ),
        (GenericError("status code: 503 Service Unavailable: <X>SECRET</X>"), None, "503"),
        (GenericError("GET https://u:SECRET@h/x - HTTP error: error sending request"), None, "not answer"),
        (GenericError("GET http://169.254.169.254/SECRET"), None, "no credentials"),
        (GenericError("status code: 507 Insufficient Storage"), StorageFullError, "no space"),
        (GenericError("Disk quota exceeded (os error 122)"), StorageFullError, "no space"),
        (GenericError("status code: 416 Range Not Satisfiable"), SourceChangedError, "changed"),
        (PermissionError(13, "SECRET"), None, "permission"),
        (GenericError("SECRET"), None, "failed"),
    ],
)
def test_faults_are_named_with_a_hint_and_without_secrets(
    error: Exception, expected: type[CutbackError] | None, hint: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(expected or StorageUnavailableError) as caught, translating("clips/x.mp4"):
        raise error
    assert caught.value.__suppress_context__
    message = str(caught.value)
    assert "clips/x.mp4" in message
    assert hint in message
    assert "SECRET" not in message
    if "?sig" in str(error) or "<" in str(error) or "@" in str(error):
        assert "SECRET" not in caplog.text


def test_a_listing_says_of_each_file_what_looking_at_it_alone_says(root: Path) -> None:
    store = Store.open(str(root), create=True)
    for key in ("a", "b/c", "b/d/e.mp4", "z"):
        store.put(key, [key.encode()])
    os.utime(root / "a", ns=(1, 1_700_000_000_123_456_789))
    (root / "link").symlink_to(root / "b" / "c")
    (root / "out").symlink_to("/etc/hostname")
    (root / "folder").symlink_to(root / "b")
    assert [info.key for info in store.list()] == ["a", "link", "z", "b/c", "b/d/e.mp4"]
    for info in store.list():
        assert info == store.head(info.key)
    assert [info.key for info in store.list("b")] == ["b/c", "b/d/e.mp4"]
