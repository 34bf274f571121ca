"""Wrong input: wrong usage ends with 2, missing things with 4, and messages are in Cutback's own words."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cutback.cli.app import run

PART = ["--from", "1", "--to", "2"]
SEA = ["submit", "--recording", "sea.mp4"]

FOREIGN = re.compile(
    r"Input should|Value error|should (be|match|have)|unable to|Expecting|Errno|Traceback|Invalid value|Got unexpected|"
    r"requires an argument|No such|pydantic|sqlite3?\.|click|typer|Error\b|This is not how",
)
"""Words of libraries, and of ours that say nothing."""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "sea.mp4").write_bytes(b"x")
    (tmp_path / "bad.json").write_text("{\n", encoding="utf-8")
    (tmp_path / "wrong.json").write_text('{"source": 5, "title": 7, "id": "a b"}', encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nix"], "Unknown command: nix."),
        (["clps"], "Did you mean clips?"),
        (["clips", "--limt", "3"], "Unknown option: --limt. Did you mean --limit?"),
        (["clips", "--limit", "0"], "--limit '0': must be at least 1."),
        (["clips", "--limit", "9999"], "--limit '9999': must be at most 1000."),
        (["clips", "--limit", "x"], "--limit 'x': must be an integer."),
        (["clips", "--limit"], "--limit needs a value."),
        (["--json=3", "clips"], "--json takes no value."),
        (["clips", "--state", "happy"], "--state"),
        (["clips", "--since", "x"], "--since"),
        (["show"], "ID is missing."),
        (["show", "a", "b"], "Too many arguments: b"),
        (["cut"], "SOURCE is missing."),
        (["cut", "", *PART], "The source is empty"),
        (["cut", ".", *PART], ". is a folder"),
        (["cut", "sea.mp4", "--from", "x", "--to", "2"], "--from: expected seconds"),
        (["cut", "sea.mp4", "--from", "5", "--to", "4"], "--from --to: end must be after start"),
        (["cut", "sea.mp4", *PART, "--precision", "fast"], "--precision: must be 'exact', 'keyframe' or 'instant'"),
        (["cut", "sea.mp4", "--range", "1-2"], "--range '1-2'"),
        (["probe", "http://x/y.mp4"], "http://x/y.mp4: a source must be a file or the URL of an object"),
        (["probe", "s3://x"], "s3://x has no key"),
        (["events", "--after", "-1"], "--after '-1': must be at least 0."),
        (["up", "--workers", "0"], "--workers '0': must be at least 1."),
        (["dead-letters", "--queue", "x"], "--queue 'x': must be clips or webhooks."),
        (["redrive"], "Name dead letters by id"),
        (["scan", "--prefix", "../x"], "--prefix: must be relative"),
        (["register", "/etc/passwd"], "KEY: must be relative"),
        (["recordings", "--from", "x"], "--from"),
        ([*SEA, *PART, "--expires-in", "x"], "--expires-in 'x': must be an integer."),
        ([*SEA, *PART, "--expires-in", "1"], "--expires-in: must be at least 60"),
        ([*SEA, *PART, "--webhook", "ftp://x"], "--webhook: must be an https://"),
        ([*SEA, *PART, "--label", "x"], "--label 'x'"),
        ([*SEA, *PART, "--id", "a b"], "--id: must match the pattern"),
        (["submit", "--recording", "../x", *PART], "--recording: must be relative"),
        (["submit", "--camera", "x", "--from", "2", "--to", "3"], "--from: expected a moment"),
        (["submit", "."], ". is a folder"),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else "",
)
def test_wrong_usage_ends_with_2_and_names_what_is_wrong(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.startswith("wrong_usage: ")
    assert not FOREIGN.search(captured.err), captured.err
    assert run([*arguments[:1], "--json", *arguments[1:]] if arguments[0] != "--json=3" else ["--json", "nix"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["reason"] == "wrong_usage"


@pytest.mark.parametrize("command", [["cut", "nope.mp4", *PART], ["plan", "nope.mp4", *PART], ["probe", "nope.mp4"]])
def test_a_missing_file_is_reported_as_missing_and_nothing_else(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command) == 4
    assert capsys.readouterr().err == "file_not_found: The file nope.mp4 does not exist.\n"
    assert run(["submit", "nope.json"]) == 4
    assert capsys.readouterr().err == "file_not_found: The file nope.json does not exist.\n"


@pytest.mark.parametrize(
    ("file", "said"), [("bad.json", "is not valid JSON (line 2, column 1)"), ("wrong.json", "title: must be a string")]
)
def test_an_invalid_request_in_a_file_is_refused_in_our_words(
    file: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["submit", file]) == 3
    shown = capsys.readouterr().err
    assert said in shown
    assert not FOREIGN.search(shown), shown


def test_wrong_settings_are_reported_in_our_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {
        "WORKERS": "x", "LEASE": "0", "SCAN_SECONDS": "-1", "LOG_LEVEL": "LOUD", "WEBHOOK_PRIVATE": "perhaps",
        "WEBHOOK_DELAYS": "1,x", "LIMIT_PIXELS": "1e9", "TIME_ZONE": "Mars", "RECORDING_PATTERN": "{x}",
    }  # fmt: skip
    for name, value in wrong.items():
        monkeypatch.setenv(f"CUTBACK_{name}", value)
    assert run(["clips"]) == 2
    shown = capsys.readouterr().err
    assert all(f"CUTBACK_{name} " in shown for name in wrong)
    assert "must be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'" in shown
    assert not FOREIGN.search(shown.replace("or 'ERROR'", "")), shown


def test_a_database_that_cannot_be_opened_is_reported_in_our_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUTBACK_DATABASE", ".")
    assert run(["submit", "--recording", "sea.mp4", *PART]) == 5
    shown = capsys.readouterr().err
    assert "it cannot be opened; it must be a file" in shown
    assert not FOREIGN.search(shown), shown


@pytest.mark.parametrize("arguments", [["show"], ["cancel"], ["cancel", "wave"], ["retry"], ["redrive"]])
def test_an_argument_that_is_not_text_is_wrong_usage(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wave.json").write_text(
        '{"id": "wave", "source": {"recording": "sea.mp4", "start": 1, "end": 2}}', encoding="utf-8"
    )
    run(["submit", "wave.json"])
    capsys.readouterr()
    assert run([*arguments, os.fsdecode(b"\xff")]) in {2, 4}
    said = capsys.readouterr()
    assert "internal_error" not in said.out + said.err
    assert "xff" in said.err or "dcff" in said.err


@pytest.fixture
def _time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC0")  # notes what it was, whatever a command makes of it
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_time_zone")
@pytest.mark.parametrize(
    ("zone", "known"),
    [
        ("Nonsense", False), ("XXX24", False), ("XXX-24:00:01", False), ("XXX-23YYY", False), ("XXX99999", False),
        ("<+>", False), ("../../etc/passwd", False), (":/etc/passwd", False), ("/", False), ("\x1b[31m", False),
        (os.fsdecode(b"\xff"), False), ("a" * 5000, False),
        ("", True), (":", True), ("UTC", True), ("UTC0", True), ("XXX-22", True), ("<+0330>-3:30", True),
        ("CET-1CEST,M3.5.0,M10.5.0/3", True), (":CET-1CEST", True),
    ],
)  # fmt: skip
def test_a_time_zone_that_is_nonsense_is_utc_with_one_warning(
    zone: str, *, known: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wave.json").write_text(
        '{"id": "wave", "source": {"recording": "sea.mp4", "start": 1, "end": 2}}', encoding="utf-8"
    )
    assert run(["submit", "wave.json"]) == 0
    capsys.readouterr()
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    assert run(["show", "wave"]) == 0
    said = capsys.readouterr()
    assert said.err.count("is not a time zone") == (not known)
    assert "\x1b[31m" not in said.err
    requested = re.search(r"requested at +(\d{4}-\d\d-\d\d \d\d:\d\d)", said.out)
    assert requested is not None
    if not known:
        assert requested[1] in {f"{datetime.now(UTC) - timedelta(minutes=ago):%Y-%m-%d %H:%M}" for ago in range(3)}
