"""The layers of imports hold, and each contract of .importlinter refuses an import that breaks it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).parent / "lint-imports"

FORBIDDEN = {
    "story": ("domain/times.py", "import cutback.cutting.cut"),
    "cutting-outside": ("cutting/verify.py", "import cutback.domain.requests.request"),
    "adapters": ("worker/poll.py", "import cutback.adapters.sqlite.queue"),
    "no-adapters": ("lifecycle/accept.py", "import cutback.adapters.build"),
    "cutting": ("cutting/mp4/read.py", "import cutback.cutting.verify"),
    "domain": ("domain/errors.py", "import cutback.domain.clips.clip"),
}
"""An import for each contract, planted in a file, that the contract must refuse."""


def contracts() -> set[str]:
    return set(re.findall(r"^\[importlinter:contract:(.+)\]$", (ROOT / ".importlinter").read_text(), re.MULTILINE))


def lint(source: Path, contract: str) -> subprocess.CompletedProcess[str]:
    """The linter's verdict on one contract, over the tree in `source`."""
    return subprocess.run(
        [LINTER, "--no-logo", "--no-cache", "--contract", contract, ROOT / ".importlinter"],
        cwd=source, env=os.environ | {"PYTHONPATH": str(source)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the source tree to plant imports in."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "src"


def test_every_contract_is_tried() -> None:
    assert contracts() == set(FORBIDDEN)


@pytest.mark.parametrize("contract", FORBIDDEN)
def test_a_forbidden_import_is_refused(tree: Path, contract: str) -> None:
    file, planted = FORBIDDEN[contract]
    target = tree / "cutback" / file
    target.write_text(f"{target.read_text()}\n{planted}\n")
    after = lint(tree, contract)

    assert after.returncode == 1, after.stdout
    assert "BROKEN" in after.stdout
    assert planted.removeprefix("import ") in after.stdout


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for path in sorted((ROOT / "src/cutback").rglob("*.py")):
        for name in re.findall(r"^class (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            places.setdefault(name, []).append(path.relative_to(ROOT).as_posix())
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
