"""Addresses of NATS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cutback.domain.errors import SettingsError
from cutback.settings.nats_address import nats_queue, nats_subjects, without_password
from cutback.settings.settings import describe_settings, load_settings


@pytest.mark.parametrize(
    ("url", "hosts", "replicas"),
    [
        ("nats://one/clips", ("one:4222",), 1),
        ("nats://one:5000,two/clips", ("one:5000", "two:4222"), 1),
        ("nats://one,two,three/clips", ("one:4222", "two:4222", "three:4222"), 3),
        ("nats://one,two,three,four,five/clips", ("one:4222", "two:4222", "three:4222", "four:4222", "five:4222"), 3),
        ("nats://balancer/clips?replicas=3", ("balancer:4222",), 3),
        ("nats://[::1]:5000/clips", ("[::1]:5000",), 1),
    ],
)
def test_a_queue_names_its_servers_and_replicas(url: str, hosts: tuple[str, ...], replicas: int) -> None:
    queue = nats_queue(url)
    assert (hosts, "clips", replicas) == (queue.servers.hosts, queue.name, queue.replicas)


def test_a_user_a_token_and_tls_are_taken_from_the_url() -> None:
    servers = nats_queue("tls://sea:s%40lt@one,two/clips").servers
    assert (servers.tls, servers.user, servers.password, servers.token) == (True, "sea", "s@lt", "")
    assert servers.urls == ("tls://one:4222", "tls://two:4222")
    assert nats_queue("nats://tok%2Fen@one/clips").servers.token == "tok/en"
    assert "s@lt" not in f"{servers} {servers!r}"


@pytest.mark.parametrize(
    "url",
    [
        "nats://",
        "nats:///clips",
        "nats://one",
        "nats://one/",
        "nats://one/a/b",
        "nats://one/a.b",
        "nats://one/a*",
        "nats://one:0/clips",
        "nats://one:port/clips",
        "nats://one,,two/clips",
        "nats://one/clips?replicas=0",
        "nats://one/clips?replicas=6",
        "nats://one/clips?replicas=x",
        "nats://one/clips?retries=3",
        "nats://one/clips#part",
    ],
)
def test_other_urls_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"must|may"):
        nats_queue(url)
    monkeypatch.setenv("CUTBACK_QUEUE_URL", url)
    with pytest.raises(SettingsError, match="CUTBACK_QUEUE_URL"):
        load_settings()


def test_subjects_have_a_prefix() -> None:
    assert nats_subjects("nats://one/surf.events").prefix == "surf.events"
    assert nats_subjects("nats://one").prefix == "cutback.events"
    assert nats_subjects("nats://one,two,three").replicas == 3
    assert nats_subjects("nats://one/surf?replicas=3").replicas == 3
    for wrong in ("nats://one/a..b", "nats://one/*", "nats://one/a b", "nats://one/>"):
        with pytest.raises(ValueError, match="must end"):
            nats_subjects(wrong)


def test_a_password_in_a_url_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTBACK_QUEUE_URL", "nats://sea:salt@one/clips")
    settings = load_settings()
    described: list[Any] = [each for each in describe_settings() if each.variable == "CUTBACK_QUEUE_URL"]
    assert described[0].shown == "nats://***@one/clips"
    assert "salt" not in repr(settings) + json.dumps([each.value for each in described])
    monkeypatch.setenv("CUTBACK_QUEUE_URL", "nats://sea:salt@one/a/b")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "salt" not in str(caught.value)


@pytest.mark.parametrize("password", ["sa/lt", "sa#lt", "sa?lt", "sa@lt", "12/lt"])
def test_a_password_that_should_have_been_encoded_is_not_shown(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTBACK_QUEUE_URL", f"nats://sea:{password}@one/a/b")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "***@one/a/b" in str(caught.value)
    assert "lt" not in str(caught.value).partition("***")[0]


@pytest.mark.parametrize("name", ["CUTBACK_NATS_CA", "CUTBACK_NATS_CERTIFICATE"])
def test_certificates_need_encryption(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "/etc/nats/file.pem")
    monkeypatch.setenv("CUTBACK_ANNOUNCE_NATS", "tls://one")
    load_settings()
    monkeypatch.setenv("CUTBACK_QUEUE_URL", "nats://one/clips")
    with pytest.raises(SettingsError, match=f"{name} needs encryption: write tls:// in CUTBACK_QUEUE_URL"):
        load_settings()


def test_a_key_needs_its_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTBACK_NATS_KEY", "/etc/nats/key.pem")
    with pytest.raises(SettingsError, match="CUTBACK_NATS_KEY needs CUTBACK_NATS_CERTIFICATE"):
        load_settings()


def test_only_what_stands_before_the_host_is_hidden() -> None:
    assert without_password("nats://one/clips") == "nats://one/clips"
    assert without_password("https://example.com/@a") == "https://example.com/@a"
    assert without_password("nats://a:b@one,two/c") == "nats://***@one,two/c"
