"""What operators need: status, settings, backup, a configuration file, logs for machines."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.path.shell import Shell, workers_of
from tests.support.waiting import PATIENCE, eventually

from cutback.cli.app import run

PART = ("--from", "1", "--to", "2")


def submit(shell: Shell, name: str) -> None:
    shell.json("submit", "--recording", f"{name}.mp4", *PART, "--id", name)


def test_status_reports_queued_clips_without_a_worker_and_failures_by_reason(shell: Shell) -> None:
    submit(shell, "gone")
    found = shell.json("status", code=1)
    assert (found["clips"]["queued"], found["queue"]["visible"], found["workers"]) == (1, 1, [])
    assert ["no worker runs" in sentence for sentence in found["attention"]] == [True]
    worker = shell.start("worker")
    eventually(lambda: shell.json("show", "gone")["state"] == "failed", "the clip's failure")
    found = shell.json("status")
    assert found["failed_last_day"] == {"recording_not_found": 1}
    assert len(found["workers"]) == 1
    assert found["attention"] == []
    worker.kill()
    worker.communicate()
    assert shell.json("status")["workers"] == []


def test_status_reports_clips_that_are_queued_for_too_long(shell: Shell) -> None:
    submit(shell, "old")
    eventually(lambda: shell.json("status", code=1)["oldest_queued_seconds"] > 1, "a second")
    found = shell.json("status", "--max-age", "1", code=1)
    assert any("queued for more than 1 s" in sentence for sentence in found["attention"])


def test_status_names_a_database_that_was_deleted_or_replaced_under_its_workers(shell: Shell) -> None:
    submit(shell, "gone")
    worker = shell.start("worker")
    eventually(lambda: shell.json("show", "gone")["state"] == "failed", "the clip's failure")
    shell.json("backup", "copy.sqlite")
    for path in (shell.folder / "cutback-data").glob("cutback.sqlite*"):
        path.unlink()
    said = shell.json("status", code=1)["error"]
    assert said["reason"] == "needs_attention"
    assert "was deleted while workers run" in said["message"]
    (shell.folder / "copy.sqlite").rename(shell.folder / "cutback-data" / "cutback.sqlite")
    found = shell.json("status", code=1)
    assert len(found["workers"]) == len(found["workers_of_another_database"]) == 1
    assert ["database was replaced" in sentence for sentence in found["attention"]] == [True]
    worker.kill()
    worker.communicate()
    assert shell.json("status")["attention"] == []


def test_status_names_a_full_disk_of_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUTBACK_DATABASE", str(tmp_path / "elsewhere" / "cutback.sqlite"))
    assert run(["submit", "--recording", "a.mp4", *PART, "--json"]) == 0
    capsys.readouterr()
    of_disk = shutil.disk_usage

    def usage(path: Path) -> object:
        return of_disk(path)._replace(free=0 if Path(path).name == "elsewhere" else 10**12)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert run(["status", "--json"]) == 1
    assert "has 0 bytes left" in capsys.readouterr().out


def test_cancel_all_cancels_what_is_not_finished_and_nothing_else(shell: Shell) -> None:
    for name in ("a", "b", "c"):
        submit(shell, name)
    shell.json("cancel", "c")
    assert {each["id"] for each in shell.json("cancel", "--all")["results"]} == {"a", "b"}
    assert {clip["state"] for clip in shell.json("clips")["clips"]} == {"cancelled"}
    assert shell.json("cancel", "--all")["results"] == []
    assert shell.run("cancel")[0] == 2


def test_delete_takes_finished_clips_alone(shell: Shell) -> None:
    for name in ("a", "b"):
        submit(shell, name)
    shell.json("cancel", "a")
    assert shell.json("delete", "a")["results"][0]["clip"]["state"] == "expired"
    assert shell.json("delete", "b", code=3)["results"][0]["error"]["reason"] == "wrong_state"
    assert shell.json("delete", "c", code=4)["results"][0]["error"]["reason"] == "clip_not_found"


def test_a_backup_is_a_whole_database_that_takes_the_places_of_the_first(shell: Shell) -> None:
    for name in ("a", "b"):
        submit(shell, name)
    worker = shell.start("up", "--workers", "1")
    eventually(lambda: bool(workers_of(worker.pid)), "a worker")
    made = shell.json("backup", "copy.sqlite")
    worker.send_signal(signal.SIGINT)
    worker.communicate(timeout=PATIENCE)
    with closing(sqlite3.connect(shell.folder / "copy.sqlite")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert made["size"] == (shell.folder / "copy.sqlite").stat().st_size
    assert shell.json("backup", "copy.sqlite", code=3)["error"]["reason"] == "output_exists"
    own = "cutback-data/cutback.sqlite"
    assert shell.json("backup", own, "--force", code=3)["error"]["reason"] == "output_is_source"
    restored = shell.folder / "restored"
    restored.mkdir()
    (shell.folder / "copy.sqlite").rename(restored / "cutback.sqlite")
    clips = shell.json("clips", "--data", "restored")["clips"]
    assert {clip["id"] for clip in clips} == {"a", "b"}


def test_settings_come_from_the_file_and_the_environment_wins(shell: Shell) -> None:
    (shell.folder / "cutback-data").mkdir()
    file = shell.folder / "cutback-data" / "cutback.toml"
    file.write_text('workers = 4\nlog_level = "ERROR"\nwebhook_delays = [1, 2]\n', encoding="utf-8")
    shell.environment["CUTBACK_WORKERS"] = "3"
    shell.environment["CUTBACK_RECORDS_URL"] = "mongodb://user:secret@127.0.0.1/x"
    found = {each["name"]: (each["value"], each["from"]) for each in shell.json("settings")["settings"]}
    assert found["CUTBACK_WORKERS"] == (3, "environment")
    assert found["CUTBACK_LOG_LEVEL"] == ("ERROR", "cutback-data/cutback.toml")
    assert found["CUTBACK_WEBHOOK_DELAYS"] == ([1, 2], "cutback-data/cutback.toml")
    assert found["CUTBACK_LIMIT_STREAMS"][1] == "default"
    assert found["CUTBACK_RECORDS_URL"] == (None, "environment")
    code, out, _ = shell.run("settings", "--all")
    assert code == 0
    assert "secret@" not in out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lees = 3", "cutback.toml: lees is not a setting; did you mean lease?"),
        ("workers = 0", "cutback.toml: workers (it is '0'): must be at least 1."),
        ("data = 'x'", "data cannot be set in the file"),
        ("workers = x", "cutback.toml is not valid TOML (line 1"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_the_file(shell: Shell, text: str, said: str) -> None:
    (shell.folder / "cutback.toml").write_text(text, encoding="utf-8")
    shell.environment["CUTBACK_CONFIG"] = "cutback.toml"
    code, _, err = shell.run("settings")
    assert code == 2
    assert said in err


def test_a_missing_configuration_file_is_reported(shell: Shell) -> None:
    shell.environment["CUTBACK_CONFIG"] = "nope.toml"
    assert "CUTBACK_CONFIG: the file nope.toml does not exist" in shell.run("settings")[2]


def test_logs_are_json_where_the_settings_say_so(shell: Shell) -> None:
    shell.environment["CUTBACK_LOG_FORMAT"] = "json"
    submit(shell, "gone")
    worker = shell.start("worker")
    eventually(lambda: shell.json("show", "gone")["state"] == "failed", "the clip's failure")
    worker.send_signal(signal.SIGTERM)
    _, err = worker.communicate(timeout=PATIENCE)
    entries = [json.loads(line) for line in err.splitlines()]
    assert all({"time", "level", "logger", "message"} <= set(entry) for entry in entries)
    assert any(entry.get("clip") == "gone" for entry in entries)


def test_every_field_of_the_status_is_explained_for_monitors(shell: Shell) -> None:
    submit(shell, "a")
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    section = text.partition("## Monitoring")[2].partition("\n##")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(shell.json("status", code=1))
