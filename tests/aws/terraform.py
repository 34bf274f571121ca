"""Runs Terraform in a copy of infra/, with nothing from this machine except its plugins. It starts no server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
PROVIDER = Path("registry.terraform.io/hashicorp/aws")
PLUGINS = "CUTBACK_TEST_TERRAFORM_PLUGINS"
"""Names a folder of plugins, for machines that cannot or should not download them."""

SECONDS = 1200
"""More than any call here needs; Terraform itself would wait for an hour."""

_PLACES = (
    "/usr/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "~/.terraform.d/plugins",
)
"""Where Terraform looks itself."""


class TerraformError(AssertionError):
    """Terraform did not do it; the message is what it said."""


def plugin_folder() -> Path | None:
    """Where this machine keeps the AWS provider; None if it is to be downloaded."""
    named = os.environ.get(PLUGINS)
    places = (
        [Path(named)] if named else [Path(place).expanduser() for place in _PLACES] + sorted(Path("/opt").glob("*"))
    )
    return next((place for place in places if (place / PROVIDER).is_dir()), None)


def copied_infra(folder: Path) -> Path:
    """A copy of infra/ to run in, without what earlier runs left, but with the lock files that are kept."""
    left = shutil.ignore_patterns(".terraform", "backend.tf", "terraform.tfstate*", "*.tfplan")
    return Path(shutil.copytree(INFRA, folder / "infra", ignore=left))


@dataclass(frozen=True, slots=True)
class Terraform:
    """One folder of Terraform, in one environment."""

    folder: Path
    endpoint: str = ""
    """Where AWS is played; empty if nothing may ask AWS."""

    def set_variables(self, **variables: Any) -> None:
        """Give variables their values, for all that follows."""
        path = self.folder / "tests.auto.tfvars.json"
        path.write_text(json.dumps(variables), encoding="utf-8")

    def init(self) -> None:
        """Fetch modules and provider.

        Raises:
            TerraformError: it could not; without plugins on this machine it asks the network.
        """
        plugins = plugin_folder()
        kept = ["-lockfile=readonly"] if (self.folder / ".terraform.lock.hcl").exists() else []
        self.run("init", "-backend=false", *kept, *([f"-plugin-dir={plugins}"] if plugins else []))

    def apply(self) -> None:
        """Make everything. Most of the time goes by waiting for queues, all at once."""
        self.run("apply", "-auto-approve", "-parallelism=64")

    def drift(self) -> dict[str, set[str]]:
        """What a plan would change: addresses, and which of their attributes; empty for nothing."""
        done = self._call("plan", "-detailed-exitcode", "-parallelism=32", "-out=drift.tfplan")
        if done.returncode == 0:
            return {}
        if done.returncode != 2:
            raise TerraformError(_said(done))
        plan = json.loads(self.run("show", "-json", "drift.tfplan"))
        changed = {
            each["address"]: _differences(each["change"])
            for each in plan.get("resource_changes", [])
            if each["change"]["actions"] not in (["no-op"], ["read"])
        }
        return changed or {f"output.{name}": set() for name in plan.get("output_changes", {})}

    def destroy(self) -> None:
        """Take everything away."""
        self.run("destroy", "-auto-approve", "-parallelism=64")

    def outputs(self) -> dict[str, Any]:
        """What a person is told at the end."""
        found = json.loads(self.run("output", "-json"))
        return {name: output["value"] for name, output in found.items()}

    def state(self) -> dict[str, Any]:
        """Everything that was made, with all that Terraform remembers of it."""
        return dict(json.loads(self.run("show", "-json")))

    def resources(self) -> list[str]:
        """The addresses of everything that there is."""
        return self.run("state", "list").splitlines()

    def run(self, *words: str) -> str:
        """Run one command and return what it wrote.

        Raises:
            TerraformError: it failed.
        """
        done = self._call(*words)
        if done.returncode != 0:
            raise TerraformError(_said(done))
        return done.stdout

    def _call(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["terraform", f"-chdir={self.folder}", *words],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        aws = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "TF_CLI_ARGS": "-no-color",
            **(aws if self.endpoint else {}),
        }


def _differences(change: dict[str, Any]) -> set[str]:
    before, after = change["before"] or {}, change["after"] or {}
    unknown = {name for name, value in (change["after_unknown"] or {}).items() if value}
    return unknown | {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _said(done: subprocess.CompletedProcess[str]) -> str:
    errors = re.findall(r"^Error: .*?(?=^Error: |\Z)", done.stderr, re.MULTILINE | re.DOTALL)
    return "".join(errors) or done.stderr or done.stdout[-4000:]
