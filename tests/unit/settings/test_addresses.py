"""URLs of databases and caches, and what is said of wrong ones and of missing packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cutback.adapters import build as builder
from cutback.adapters.cache_memory import MemoryCache
from cutback.adapters.sqlite.catalogue import SqliteCatalogue
from cutback.adapters.sqlite.records import SqliteRecords
from cutback.domain.errors import SettingsError
from cutback.settings.addresses import cache_nodes
from cutback.settings.settings import Settings, load_settings


@pytest.mark.parametrize(
    ("url", "nodes"),
    [
        ("memcached://cache", [("cache", 11211)]),
        ("memcached://a:1,b.example:22122/", [("a", 1), ("b.example", 22122)]),
        ("memcached://[::1]:5,127.0.0.1", [("::1", 5), ("127.0.0.1", 11211)]),
    ],
)
def test_a_cache_is_one_node_or_several(url: str, nodes: list[tuple[str, int]]) -> None:
    assert nodes == list(cache_nodes(url))


@pytest.mark.parametrize(
    "url",
    [
        "redis://a",
        "memcached://",
        "memcached://a,,b",
        "memcached://u:p@a",
        "memcached://a:99999",
        "memcached://a/x",
        "a",
    ],
)
def test_a_wrong_url_of_a_cache_is_refused_with_what_would_be_right(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CUTBACK_CACHE_URL", url)
    with pytest.raises(SettingsError, match=r"CUTBACK_CACHE_URL.*must be memcached://HOST:PORT"):
        load_settings()


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://a",
        "mongodb://user:pass@a:1,b:2/surf?replicaSet=rs0&retryWrites=false",
        "mongodb+srv://cluster0.example.net/surf",
    ],
)
def test_urls_of_mongodb_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CUTBACK_RECORDS_URL", url)
    settings = load_settings()
    assert url == settings.records_url
    assert url not in repr(settings), "a password may be in it"
    assert not settings.one_machine, "who asks for clips may be anywhere"


@pytest.mark.parametrize("url", ["postgres://u:hidden@a/x", "mongodb:///hidden", "mongodb://a/b/hidden", "hidden"])
def test_a_wrong_url_of_the_records_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CUTBACK_RECORDS_URL", url)
    with pytest.raises(SettingsError, match=r"CUTBACK_RECORDS_URL: must be mongodb://HOST:PORT/DATABASE") as caught:
        load_settings()
    assert "hidden" not in str(caught.value)


def test_without_urls_everything_is_on_this_machine(tmp_path: Path) -> None:
    with builder.build(Settings(data=tmp_path)) as built:
        assert isinstance(built.records, SqliteRecords)
        assert isinstance(built.catalogue, SqliteCatalogue)
        assert isinstance(built.cache, MemoryCache)


@pytest.mark.parametrize(
    ("setting", "url", "package", "adapter"),
    [
        (
            "records_url",
            "mongodb://a",
            "pymongo",
            "mongodb",
        ),
        ("cache_url", "memcached://a", "pymemcache", "cache_memcached"),
    ],
)
def test_a_package_that_is_missing_is_named_with_the_way_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, url: str, package: str, adapter: str
) -> None:
    # Whatever an earlier test has imported of the adapter or of the package has to be imported again.
    for name in list(sys.modules):
        if name.startswith((f"cutback.adapters.{adapter}", f"{package}.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        SettingsError, match=rf"CUTBACK_{setting.upper()} needs {package}; pip install 'cutback\[aws\]'"
    ):
        builder.build(Settings.model_validate({"data": tmp_path, setting: url}))
