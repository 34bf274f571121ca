"""Text from outside cannot control the terminal or the log."""

from __future__ import annotations

import io
import json
import logging
import re
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text
from tests.path.harness import PathHarness

import cutback.cli
from cutback.cli.app import run
from cutback.cli.console import SafeConsole, escape
from cutback.domain.visible import visible, visible_in_json
from cutback.worker.logs import LineFormatter

HOSTILE = "a\x1b]0;owned\x07b\x9b2Jc\x1b[31md\u202ee\u2066f\rg\nh\x00i\ud800j\U000e0041k"
UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e0fff]"
)


def test_a_dead_letter_is_listed_without_controlling_the_terminal(
    harness: PathHarness, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = harness.services
    assert services.webhooks is not None
    hostile = HOSTILE.replace("\ud800", "")
    services.webhooks.send(json.dumps({"id": hostile, "url": "https://a", "event": {}}))
    (message,) = services.webhooks.receive()
    services.webhooks.move_to_dead_letters(message, f"{hostile} was the receiver's answer")
    arguments = ["dead-letters", "--queue", "webhooks", "--data", str(harness.settings.data)]
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert run(arguments) == 0
    shown = capsys.readouterr().out
    assert not UNSAFE.search(shown), shown
    assert "a\\x1b]0;owned\\x07b\\x9b2Jc" in shown
    assert run(["--json", *arguments]) == 0
    shown = capsys.readouterr().out
    assert not UNSAFE.search(shown), shown
    assert json.loads(shown)["dead_letters"][0]["subject"] == hostile


def test_an_id_typed_or_found_is_shown_on_one_line(harness: PathHarness, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", HOSTILE.replace("\ud800", ""), "--data", str(harness.settings.data)]) != 0
    shown = capsys.readouterr().err
    assert not UNSAFE.search(shown), shown
    assert "f\\rg\\nh" in shown


def test_the_console_writes_no_control_but_its_own() -> None:
    out = io.StringIO()
    console = SafeConsole(file=out, force_terminal=True, color_system="standard", width=400)
    table = Table("head")
    table.add_row(escape(HOSTILE))
    table.add_row(Text(HOSTILE))
    console.print(table)
    console.print(f"[bold]{HOSTILE.replace('[', '(')}[/]", Text(HOSTILE, style="red"), HOSTILE.replace("[", "("))
    own = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert not UNSAFE.search(own), own
    assert "\x1b[1m" in out.getvalue(), "its own colours are there"
    assert own.count("\\x1b]0;owned") == 5


def test_json_means_the_same_with_its_unsafe_characters_escaped() -> None:
    text = HOSTILE.replace("\ud800", "")
    written = visible_in_json(json.dumps(text, ensure_ascii=False))
    assert not UNSAFE.search(written)
    assert json.loads(written) == text


def test_a_log_entry_is_one_line_even_with_a_traceback() -> None:
    record = logging.LogRecord("cutback", logging.ERROR, __file__, 1, "id=%s", (HOSTILE,), None)
    try:
        int(HOSTILE)
    except ValueError as error:
        record.exc_info = (ValueError, ValueError(HOSTILE), error.__traceback__)
    line = LineFormatter("%(levelname)s %(message)s").format(record)
    assert not UNSAFE.search(line), line
    assert "\n" not in line
    assert line.startswith("ERROR id=a\\x1b]0;owned")
    assert "Traceback" in line


def test_what_people_write_stays_as_it_is() -> None:
    text = "Größe 波 🏄🏽‍♂️ é — «wave» עברית العربية"
    assert visible(text) == text


def test_the_command_line_has_no_other_way_to_the_terminal() -> None:
    folder = Path(cutback.cli.__file__).parent
    for path in folder.rglob("*.py"):
        text = path.read_text()
        if path.name != "console.py":
            assert "rich.markup" not in text, path
            assert not re.search(r"(?<!Safe)\bConsole\(", text), path
