"""What is in deploy/ is accepted by the tools that read it, and names commands and settings that exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.nats_server import program
from typer.main import get_command

from cutback.cli.app import app
from cutback.settings.settings import Settings, variable

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy/systemd/cutback.service"
COMMAND = Path(sys.executable).with_name("cutback")


def verify(unit: Path) -> subprocess.CompletedProcess[str]:
    """Systemd's own verdict on a unit file."""
    if shutil.which("systemd-analyze") is None:
        what = "SYSTEMD-ANALYZE IS MISSING: the unit file was not verified (apt install systemd)"
        if os.environ.get("CI"):
            pytest.fail(what)
        pytest.skip(what)
    return subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)


def here(text: str) -> str:
    """The unit with the program that is installed on this machine."""
    assert "/opt/cutback/bin/cutback" in text
    return text.replace("/opt/cutback/bin/cutback", str(COMMAND))


@pytest.mark.parametrize("name", ["cutback.service", "cutback-worker@.service", "cutback-api.service"])
def test_systemd_accepts_the_units(tmp_path: Path, name: str) -> None:
    copy = tmp_path / name.replace("@", "@1")
    copy.write_text(here((UNIT.parent / name).read_text()))
    said = verify(copy)
    assert said.returncode == 0, said.stderr
    assert copy.name not in said.stderr, said.stderr


def test_systemd_and_nats_accept_what_runs_a_nats_server(tmp_path: Path) -> None:
    copy = tmp_path / "nats.service"
    text = (UNIT.parent / "nats.service").read_text()
    copy.write_text(text.replace("/usr/local/bin/nats-server", program()))
    said = verify(copy)
    assert said.returncode == 0, said.stderr
    checked = subprocess.run(
        [program(), "-t", "-c", ROOT / "deploy/nats/nats.conf"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NATS_NAME": "nats-1", "NATS_PASSWORD": "salt"},
    )
    assert checked.returncode == 0, checked.stderr


def test_the_containers_of_nats_have_what_their_configuration_names() -> None:
    services = yaml.safe_load((ROOT / "deploy/nats/compose.yaml").read_text())["services"]
    configuration = (ROOT / "deploy/nats/nats.conf").read_text()
    assert set(services) == set(re.findall(r"nats://([a-z0-9-]+):6222", configuration))
    for service in services.values():
        assert set(service["environment"]) == set(re.findall(r"\$([A-Z_]+)", configuration))


def test_a_misspelt_directive_is_detected(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    copy.write_text(here(UNIT.read_text()).replace("ProtectHome=", "ProtectHouse="))
    assert "ProtectHouse" in verify(copy).stderr


def composed() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    return content["services"]["cutback"]  # type: ignore[no-any-return]


def test_the_unit_and_the_container_run_commands_that_exist() -> None:
    group: Any = get_command(app)
    started = re.search(r"^ExecStart=\S+ (.*)$", UNIT.read_text(), re.MULTILINE)
    assert started
    for words in (started[1].split(), composed()["command"]):
        command = group.get_command(None, words[0])
        assert command is not None, words
        options = {name for option in command.params for name in option.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_the_unit_and_the_container_name_settings_that_exist() -> None:
    known = {variable(name) for name in Settings.model_fields}
    named = set(re.findall(r"CUTBACK_[A-Z_]+(?==)", UNIT.read_text()))
    assert named | set(composed()["environment"]) <= known


def test_the_container_is_built_from_the_projects_own_dockerfile() -> None:
    build = composed()["build"]
    assert (ROOT / "deploy" / build["context"] / build["dockerfile"]).resolve() == ROOT / "Dockerfile"
