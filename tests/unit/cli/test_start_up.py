"""What a command imports before it works: start-up is what people wait for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[3] / "src"
HEAVY = {"av", "boto3", "obstore", "pydantic", "pydantic_settings", "pymongo", "PIL", "rich.console", "rich.table"}
CUTTING_NEEDS_NOT = {
    "boto3", "pymongo", "PIL", "cutback.adapters", "cutback.catalogue", "cutback.lifecycle", "cutback.services",
}  # fmt: skip


def imported_by(*arguments: str, folder: Path) -> set[str]:
    """The modules that a run of `cutback` has imported when it ends."""
    program = (
        "import sys; from cutback.cli.app import run; run(sys.argv[1:]); "
        "print(*sys.modules, sep='\\n', file=open('imported', 'w'))"
    )
    subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder, env={"PYTHONPATH": str(SOURCE)}, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return set((folder / "imported").read_text(encoding="utf-8").split())


def test_the_version_is_told_without_importing_what_commands_need(tmp_path: Path) -> None:
    assert imported_by("--version", folder=tmp_path) & HEAVY == set()


@pytest.mark.parametrize("command", ["cut", "probe"])
def test_cutting_one_recording_imports_no_queue_records_or_catalogue(tmp_path: Path, command: str) -> None:
    (tmp_path / "sea.mp4").write_bytes(b"no video")
    part = ["--from", "1", "--to", "2"] if command == "cut" else []
    assert imported_by(command, "sea.mp4", *part, folder=tmp_path) & CUTTING_NEEDS_NOT == set()
