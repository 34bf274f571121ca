"""What is installed is known: a bill of materials names every package of a lock, with its version and hashes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from infra.lambda_zip import bill_of_materials, wanted

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """What the Lambda zip is built from."""
    made = tmp_path / "requirements.txt"
    made.write_text("\n".join(wanted((ROOT / "requirements-aws.lock").read_text())) + "\n")
    return made


def test_the_bill_names_what_is_installed_and_nothing_else(requirements: Path, tmp_path: Path) -> None:
    bill_of_materials(requirements, tmp_path / "bill.json")
    components = json.loads((tmp_path / "bill.json").read_text())["components"]
    pinned = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", requirements.read_text(), re.MULTILINE)
    assert sorted(pinned) == sorted((each["name"], each["version"]) for each in components)
    assert {"av", "obstore", "pymongo"} <= {name for name, _ in pinned}
    for each in components:
        [source] = each["externalReferences"]
        assert {kind["alg"] for kind in source["hashes"]} == {"SHA-256"}, each["name"]


def test_the_same_lock_gives_the_same_bill(requirements: Path, tmp_path: Path) -> None:
    for name in ("one.json", "two.json"):
        bill_of_materials(requirements, tmp_path / name)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
