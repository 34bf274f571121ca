"""What the command line shows about clips: filters, narrow terminals, what is not in the record, completion."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.path.harness import PathHarness, request
from tests.path.shell import Shell

from cutback.adapters.sqlite.records import SqliteRecords
from cutback.adapters.sqlite.schema import APPLICATION_ID, MIGRATIONS
from cutback.cli.app import run
from cutback.domain.base import utc_now
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.clips.clip import new_clip
from cutback.ports import ClipQuery

SPAN = {"from": "2026-06-21T10:00:00Z", "to": "2026-06-21T10:00:05Z"}


@pytest.fixture
def shown(
    harness: PathHarness, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Runs a command on a terminal of so many columns; what it printed."""

    def show(*arguments: str, columns: int = 200) -> str:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(columns))
        assert run([*arguments, "--data", str(harness.settings.data)]) == 0
        return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)

    return show


def as_json(shown: Callable[..., str], *arguments: str) -> Any:
    return json.loads(shown(*arguments, "--json"))


def test_clips_are_filtered_by_camera_and_several_states(harness: PathHarness, shown: Callable[..., str]) -> None:
    harness.submit(id="ready")
    harness.work()
    harness.submit(id="north-1", source={"camera": "north", **SPAN})
    harness.submit(id="south-1", source={"camera": "south", **SPAN})
    harness.submit(id="queued")

    def found(*options: str) -> list[str]:
        return [clip["id"] for clip in as_json(shown, "clips", *options)["clips"]]

    assert found("--camera", "north") == ["north-1"]
    assert found("--camera", "nort") == []
    assert found("--state", "ready", "--state", "cancelled") == ["ready"]
    assert found("--state", "queued", "--state", "ready") == ["queued", "south-1", "north-1", "ready"]
    assert run(["clips", "--state", "ready", "--state", "redy", "--data", str(harness.settings.data)]) == 2


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_narrow_terminals_show_what_a_clip_is(harness: PathHarness, shown: Callable[..., str], columns: int) -> None:
    harness.submit(id="a-very-long-id-" * 4 + "x", title="Sunrise wave of the north point")
    lines = shown("clips", columns=columns).splitlines()
    assert "Sunrise" in lines[-1]
    assert "a-very-lo" in lines[-1]
    assert "queued" in lines[-1]
    assert max(len(line) for line in lines) <= columns


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_long_remark_leaves_room_for_the_recording(
    harness: PathHarness, shown: Callable[..., str], columns: int
) -> None:
    start = utc_now()
    recording = CameraRecording(
        key="north/2026-06-21.mp4", camera="north", start=start, duration=60, etag="v", size=1000,
        stored_at=start, conflicts=("the start time in the name and in the file differ " * 4,),
    )  # fmt: skip
    harness.services.catalogue.put_recording(recording)
    lines = shown("recordings", columns=columns).splitlines()
    assert any("north/2026-06" in line for line in lines), lines
    assert max(len(line) for line in lines) <= columns


def test_show_says_that_the_file_is_missing(harness: PathHarness, shown: Callable[..., str]) -> None:
    harness.submit(id="wave")
    assert "missing" not in as_json(shown, "show", "wave")
    harness.work()
    assert as_json(shown, "show", "wave")["missing"] is False
    assert "missing" not in shown("show", "wave")
    Path(as_json(shown, "show", "wave")["path"]).unlink()
    assert as_json(shown, "show", "wave")["missing"] is True
    assert "The file is missing" in shown("show", "wave")


def test_show_names_the_webhook_deliveries_that_failed(harness: PathHarness, shown: Callable[..., str]) -> None:
    for name in ("wave", "wave-1"):
        harness.submit(id=name, webhook="https://example.com/hook")
    harness.work()
    while messages := harness.webhooks.receive():
        harness.webhooks.move_to_dead_letters(messages[0], "the receiver answered 410")
    found = as_json(shown, "show", "wave")["failed_deliveries"]
    assert {each["event"].rpartition(".")[0] for each in found} == {"wave"}
    assert {each["reason"] for each in found} == {"the receiver answered 410"}
    assert "not delivered" in shown("show", "wave")


def completed(shell: Shell, line: str) -> list[str]:
    words = line.split(" ")
    shell.environment |= {
        "_CUTBACK_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }
    _, out, err = shell.run()
    assert "Traceback" not in err, err
    for name in ("_CUTBACK_COMPLETE", "COMP_WORDS", "COMP_CWORD"):
        del shell.environment[name]
    return out.split()


def test_shells_complete_ids_states_cameras_and_recordings(shell: Shell) -> None:
    assert completed(shell, "cutback show w") == []
    assert shell.files() == []
    harness = PathHarness(shell.folder / "cutback-data")
    for name in ("wave-1", "wave-2", "other"):
        harness.submit(id=name)
    start = utc_now()
    harness.services.catalogue.put_recording(
        CameraRecording(key="a.mp4", camera="north", start=start, duration=60, etag="v", size=1, stored_at=start)
    )
    (shell.folder / "cutback-data/recordings/north").mkdir()
    (shell.folder / "cutback-data/recordings/north/a.mp4").touch()
    assert completed(shell, "cutback show wave") == ["wave-2", "wave-1"]
    assert completed(shell, "cutback cancel wave-1 o") == ["other"]
    assert completed(shell, "cutback clips --state que") == ["queued"]
    assert completed(shell, "cutback clips --camera n") == ["north"]
    assert completed(shell, "cutback submit --recording no") == ["north/"]
    assert completed(shell, "cutback submit --recording north/") == ["north/a.mp4"]
    assert completed(shell, "cutback nonsense x") == []
    (shell.folder / "broken.sqlite").write_text("no database " * 100, encoding="ascii")
    shell.environment["CUTBACK_DATABASE"] = "broken.sqlite"
    assert completed(shell, "cutback show wave") == []


def test_clips_of_a_camera_are_found_in_a_database_from_before_that_filter(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    clip = new_clip(request(id="wave", source=[{"camera": "north", **SPAN}] * 2), now=utc_now())
    before = next(number for number, steps in enumerate(MIGRATIONS) if "clip_cameras" in steps[0])
    with closing(sqlite3.connect(path)) as old:
        for steps in MIGRATIONS[:before]:
            for step in steps:
                old.execute(step)
        old.execute(f"PRAGMA user_version = {before}")
        old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        old.execute(
            "INSERT INTO clips (id, state, created_at, revision, attempt, content)"
            " VALUES ('wave', 'queued', 1, 1, 0, ?)",
            (clip.model_dump_json(),),
        )
        old.commit()
    with closing(SqliteRecords(path)) as records:
        assert [each.id for each in records.list_clips(ClipQuery(camera="north")).clips] == ["wave"]
