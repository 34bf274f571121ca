"""What `make check` installs to check the types of the pages: locked by hash, and what the pages really use."""

from __future__ import annotations

import json
import re
from pathlib import Path

import cutback.web.pages

ROOT = Path(__file__).resolve().parents[2]
LOCK = json.loads((ROOT / "tests/typescript/package-lock.json").read_text(encoding="utf-8"))["packages"]
VENDORED = Path(cutback.web.pages.__file__).parent / "static" / "vendor" / "README.md"


def test_every_package_is_locked_by_hash_and_bound_to_no_registry() -> None:
    packages = {name: package for name, package in LOCK.items() if name}
    assert packages
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_the_types_are_those_of_the_vendored_versions() -> None:
    vendored = dict(re.findall(r"^\| \S+\.js \| (\S+) \| (\S+) \|", VENDORED.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(vendored) == 5
    assert {name: LOCK[f"node_modules/{name}"]["version"] for name in vendored} == vendored
