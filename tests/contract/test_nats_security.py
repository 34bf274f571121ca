"""Encrypted and authenticated connections to real NATS servers, by settings alone; what is wrong is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.contract.queue_contract import take
from tests.support.nats_credentials import Authority, Operator
from tests.support.nats_server import NatsServer

from cutback.adapters.build import build
from cutback.domain.errors import QueueUnavailableError
from cutback.settings.settings import Settings


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutback.adapters.nats.connection.PATIENCE_SECONDS", 0.1)


def carries_a_message(data: Path, url: str, settings: Mapping[str, object]) -> None:
    with build(Settings.model_validate({"data": data, "queue_url": url, **settings})) as services:
        services.check()
        services.queue.send("one")
        assert take(services.queue).body == "one"


def refusal(data: Path, url: str, settings: Mapping[str, object]) -> str:
    """The message of `cutback`'s start."""
    with (
        build(Settings.model_validate({"data": data, "queue_url": url, **settings})) as services,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setattr("cutback.adapters.nats.connection.ANSWER_SECONDS", 1.5)
        with pytest.raises(QueueUnavailableError, match="CUTBACK_QUEUE_URL") as caught:
            services.check()
    return caught.value.detail


# --- certificates --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module", params=["any client", "clients with a certificate"])
def encrypted(
    request: pytest.FixtureRequest, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[NatsServer, bool]]:
    """A server, and whether it asks clients for a certificate."""
    certificate, key = authority.issue("server")
    asks = request.param != "any client"
    more = f'ca_file: "{authority.file}", verify: true' if asks else ""
    tls = f'tls {{ cert_file: "{certificate}", key_file: "{key}", {more} }}'
    with NatsServer(tmp_path_factory.mktemp("nats"), more=tls) as server:
        yield server, asks


def test_certificates_are_checked_on_both_sides(
    encrypted: tuple[NatsServer, bool], authority: Authority, tmp_path: Path
) -> None:
    server, asks = encrypted
    url = f"tls://{server.host}/clips"
    certificate, key = authority.issue("client")
    own = {"nats_certificate": certificate, "nats_key": key} if asks else {}
    carries_a_message(tmp_path, url, {"nats_ca": authority.file, **own})
    wrong = "the certificates do not fit; check tls://, CUTBACK_NATS_CA and CUTBACK_NATS_CERTIFICATE"
    stranger = Authority(tmp_path / "stranger")
    assert wrong in refusal(tmp_path, url, {"nats_ca": stranger.file, **own})
    assert wrong in refusal(tmp_path, url, own), "the system's authorities do not know it"
    if asks:
        assert wrong in refusal(tmp_path, url, {"nats_ca": authority.file})
        certificate, key = stranger.issue("client")
        theirs = {"nats_certificate": certificate, "nats_key": key}
        assert wrong in refusal(tmp_path, url, {"nats_ca": authority.file, **theirs})


def test_servers_that_do_not_encrypt_are_refused_with_tls(authority: Authority, tmp_path: Path) -> None:
    with NatsServer(tmp_path / "nats") as server:
        said = refusal(tmp_path, f"tls://{server.host}/clips", {"nats_ca": authority.file})
    assert "does not encrypt" in said


@pytest.mark.parametrize("name", ["nats_ca", "nats_certificate", "nats_credentials", "nats_key"])
def test_a_file_that_is_missing_or_is_something_else_is_named(
    encrypted: tuple[NatsServer, bool], authority: Authority, tmp_path: Path, name: str
) -> None:
    server, _ = encrypted
    url, file = f"tls://{server.host}/clips", tmp_path / "file"
    settings = {"nats_ca": authority.file, name: file}
    if name == "nats_key":
        settings["nats_certificate"] = authority.issue("client")[0]
    assert f"CUTBACK_{name.upper()}: {file} does not exist" in refusal(tmp_path, url, settings)
    file.write_text("something else")
    told = f"CUTBACK_{name.upper()}: {file} does not contain" if name != "nats_key" else "with its key"
    assert told in refusal(tmp_path, url, settings)


# --- credentials ---------------------------------------------------------------------------------

WRONG = "the user, token or credentials are wrong"


@pytest.mark.parametrize(
    ("config", "right", "wrong"),
    [
        ('authorization { user: "sea", password: "se/cret" }', "sea:se%2Fcret@", ["", "sea:wrong@", "secret@"]),
        ('authorization { token: "se/cret" }', "se%2Fcret@", ["", "wrong@", "sea:secret@"]),
    ],
)
def test_users_and_tokens_are_checked(tmp_path: Path, config: str, right: str, wrong: list[str]) -> None:
    with NatsServer(tmp_path / "nats", more=config) as server:
        carries_a_message(tmp_path, f"nats://{right}{server.host}/clips", {})
        for each in wrong:
            assert WRONG in refusal(tmp_path, f"nats://{each}{server.host}/clips", {})


def test_credentials_that_an_operator_signed_are_checked(tmp_path: Path) -> None:
    operator = Operator()
    with NatsServer(tmp_path / "nats", more=operator.config) as server:
        url = f"nats://{server.host}/clips"
        carries_a_message(tmp_path, url, {"nats_credentials": operator.credentials(tmp_path / "user.creds")})
        strange = Operator().credentials(tmp_path / "strange.creds")
        assert WRONG in refusal(tmp_path, url, {"nats_credentials": strange})
        assert WRONG in refusal(tmp_path, url, {})
