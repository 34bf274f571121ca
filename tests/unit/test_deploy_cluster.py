"""What is in deploy/ for a cluster is accepted by the tools that read it, and names what exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.test_deploy import ROOT, here, verify
from typer.main import get_command

from cutback.cli.app import app
from cutback.settings.settings import Settings, load_settings, variable

UNITS = ["cutback-api.service", "cutback-worker@.service"]
COMPOSE = ROOT / "deploy/cluster/compose.yaml"


@pytest.mark.parametrize("name", UNITS)
def test_systemd_accepts_the_units(tmp_path: Path, name: str) -> None:
    copy = tmp_path / name.replace("@", "@1")
    copy.write_text(here((ROOT / "deploy/systemd" / name).read_text()))
    said = verify(copy)
    assert said.returncode == 0, said.stderr
    assert copy.name not in said.stderr, said.stderr


@pytest.mark.parametrize("name", UNITS)
def test_the_units_run_commands_and_name_settings_that_exist(name: str) -> None:
    text = (ROOT / "deploy/systemd" / name).read_text()
    started = re.search(r"^ExecStart=\S+ (\w+)$", text, re.MULTILINE)
    assert started is not None
    group: Any = get_command(app)
    assert group.get_command(None, started[1]) is not None
    assert set(re.findall(r"^Environment=(CUTBACK_[A-Z_]+)=", text, re.MULTILINE)) <= _known()


def test_a_node_has_the_time_to_drain_before_systemd_kills_it() -> None:
    text = (ROOT / "deploy/systemd/cutback-api.service").read_text()
    (timeout,) = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    (drain,) = re.findall(r"^Environment=CUTBACK_DRAIN_SECONDS=(\d+)$", text, re.MULTILINE)
    assert int(timeout) >= int(drain) + 15


def _known() -> set[str]:
    return {variable(name) for name in Settings.model_fields}


def composed() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return content["services"]  # type: ignore[no-any-return]


def test_the_containers_run_commands_with_settings_that_are_valid_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    group: Any = get_command(app)
    ours = {name: each for name, each in composed().items() if name.startswith(("api-", "worker-"))}
    assert len(ours) == 5
    for each in ours.values():
        assert group.get_command(None, each["command"][0]) is not None
        environment = {**each["environment"], "CUTBACK_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
        assert set(environment) <= _known()
        for variable_name, value in environment.items():
            monkeypatch.setenv(variable_name, value)
        assert load_settings(data=tmp_path).queue_url == "nats://nats-1,nats-2,nats-3/clips"


def test_the_containers_are_built_from_the_projects_own_dockerfile_with_all_that_their_settings_need() -> None:
    ours = [each for name, each in composed().items() if name.startswith(("api-", "worker-"))]
    built = {COMPOSE.parent / each["build"]["context"] / each["build"]["dockerfile"] for each in ours}
    assert [each.resolve() for each in built] == [ROOT / "Dockerfile"]
    (lock,) = set(re.findall(r"/opt/cutback/bin/pip install .*-r (\S+)", (ROOT / "Dockerfile").read_text()))
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / lock).read_text(), re.MULTILINE))
    assert {"nats-py", "pymongo", "pymemcache", "obstore"} <= locked


def test_the_balancer_has_the_nodes_and_a_template_whose_variables_are_set() -> None:
    services = composed()
    nginx = services["nginx"]
    template = (ROOT / "deploy/cluster/cutback.conf.template").read_text()
    assert set(re.findall(r"\$\{([A-Z_]+)\}", template)) == set(nginx["environment"])
    named = re.findall(r"server ([\w-]+):8080", nginx["environment"]["API_SERVERS"])
    assert named == [name for name in services if name.startswith("api-")]
    assert nginx["volumes"][0].startswith("./cutback.conf.template:")


def test_balancers_tell_the_clients_address_to_nodes_that_believe_them() -> None:
    folder = ROOT / "deploy/cluster"
    nginx = (folder / "cutback.conf.template").read_text()
    assert "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" in nginx
    assert nginx.count("proxy_set_header") == 3  # one in a location would hide those of the server
    assert re.search(r"^ +option forwardfor$", (folder / "haproxy.cfg.template").read_text(), re.MULTILINE)
    assert composed()["api-1"]["environment"]["CUTBACK_TRUSTED_PROXIES"] == "172.16.0.0/12"


def test_every_server_that_the_settings_name_is_there() -> None:
    services = composed()
    urls = " ".join(services["api-1"]["environment"].values())
    named = set(re.findall(r"\b(?:nats|mongo)-\d\b|\bmemcached(?=:\d)", urls))
    assert named == {name for name in services if name.startswith(("nats-", "mongo-", "memcached"))}
