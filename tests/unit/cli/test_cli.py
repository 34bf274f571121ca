"""The command line itself: what it accepts, what it refuses, its exit codes and its output."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cutback.cli.app import run
from cutback.cli.commands import arguments
from cutback.cli.commands.clip_names import default_name
from cutback.cli.commands.clips import read_since
from cutback.cli.exit_codes import MEANINGS, Exit, exit_of
from cutback.cli.views import formatting
from cutback.domain import errors
from cutback.domain.cameras.local_time import Zones
from cutback.domain.errors import CutbackError, InvalidRequestError, WrongUsageError
from cutback.domain.requests.rules import RequestRules
from cutback.domain.times import FrameNumber
from cutback.reading.location import Location, locate_recording
from cutback.worker.crew import restart_delay

COMMANDS = [
    "cut", "plan", "probe", "submit", "clips", "show", "cancel", "retry", "worker", "dead-letters", "redrive", "events",
    "schema", "up", "demo",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "FORCE_COLOR", "CUTBACK_DATA"):
        monkeypatch.delenv(name, raising=False)


def all_errors(kind: type[CutbackError] = CutbackError) -> list[type[CutbackError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in all_errors(child))]


def made(kind: type[CutbackError]) -> CutbackError:
    return kind([]) if kind is InvalidRequestError else kind()


# --- how it ends -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_has_an_exit_code_that_is_documented(kind: type[CutbackError]) -> None:
    code = exit_of(made(kind))
    assert code in MEANINGS
    assert code is not Exit.FINE


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ClipNotFoundError(), 4),
        (errors.RecordingNotFoundError(), 4),
        (InvalidRequestError([]), 3),
        (errors.DifferentRequestError(), 3),
        (errors.WrongStateError(), 3),
        (errors.SettingsError(), 2),
        (WrongUsageError(), 2),
        (errors.StorageUnavailableError(), 5),
        (errors.RecordsUnavailableError(), 5),
        (errors.StoppedError(), 130),
        (errors.MediaUnreadableError(), 1),
        (errors.RangeOutsideRecordingError(), 1),
    ],
)
def test_exit_codes_are_the_documented_ones(error: CutbackError, code: int) -> None:
    assert exit_of(error) == code


def test_help_names_every_command_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    for name in COMMANDS:
        assert re.search(rf"^│ {name} ", shown, re.MULTILINE), name
    for code, meaning in MEANINGS.items():
        assert re.search(rf"^\s+{code.value}\s+{re.escape(meaning)}", shown, re.MULTILINE), meaning


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_takes_the_shared_options(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--json" in shown
    assert "--data" in shown
    assert f"cutback {name}" in shown.partition("Examples")[2]


# --- what goes wrong -------------------------------------------------------------------------------


def test_an_unknown_option_is_wrong_usage_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["clips", "--limt", "3"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("wrong_usage: ")
    assert "See: cutback clips --help" in captured.err


@pytest.mark.parametrize(
    "arguments",
    [["clips", "--limt", "3", "--json"], ["--json", "show", "nobody"], ["show", "nobody", "--json"], ["--json", "nix"]],
)
def test_with_json_an_error_is_one_json_document_on_the_standard_output(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) in {2, 4}
    captured = capsys.readouterr()
    assert captured.err == ""
    assert set(json.loads(captured.out)["error"]) >= {"reason", "message"}


def test_wrong_settings_are_all_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTBACK_WORKERS", "many")
    monkeypatch.setenv("CUTBACK_LEES", "3")
    assert run(["clips"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("wrong_settings: ")
    assert "CUTBACK_WORKERS" in shown
    assert "did you mean CUTBACK_LEASE" in shown


def test_a_bug_shows_no_traceback_unless_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(**_options: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("cutback.settings.settings.load_settings", break_down)
    assert run(["clips"]) == 1
    assert capsys.readouterr().err.startswith("internal_error: ")
    assert not caplog.records
    assert run(["clips", "--debug"]) == 1
    assert [record.exc_info for record in caplog.records]


def test_without_a_terminal_there_are_no_escape_codes(capsys: pytest.CaptureFixture[str]) -> None:
    run(["show", "nobody"])
    run(["clips"])
    run(["--help"])
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err


# --- submit, show, cancel, retry -------------------------------------------------------------------


def submitted(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(["submit", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_request_by_options_is_the_clip_that_the_same_json_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    by_options = submitted(
        capsys, "--recording", "sea.mp4", "--range", "10..14", "--range", "frame:30..frame:90", "--tag", "best",
        "--label", "spot=uluwatu", "--title", "two", "--precision", "keyframe", "--expires-in", "3600",
    )  # fmt: skip
    file = tmp_path / "request.json"
    file.write_text(
        """{"source": [{"recording": "sea.mp4", "start": 10, "end": "00:00:14"},
        {"recording": "sea.mp4", "start": {"frame": 30}, "end": {"frame": 90}}], "tags": ["best"],
        "labels": {"spot": "uluwatu"}, "title": "two", "output": {"precision": "keyframe"}, "expires_in": 3600}""",
        encoding="utf-8",
    )
    assert submitted(capsys, str(file))["id"] == by_options["id"]
    assert by_options["state"] == "queued"


def test_a_request_comes_from_the_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = b'{"id": "piped", "source": {"recording": "sea.mp4", "start": 1, "end": 2}}'
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    assert submitted(capsys, "-")["id"] == "piped"


def test_faults_are_named_by_the_options_they_came_from(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["submit", "--recording", "../x", "--from", "nan", "--to", "5", "--precision", "wrong", "--id", "a b"]
    assert run([*arguments, "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["reason"] == "wrong_usage"
    assert {fault["path"] for fault in error["faults"]} == {"--recording", "--from", "--precision", "--id"}


def test_another_request_under_a_known_id_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    submitted(capsys, "--recording", "sea.mp4", "--from", "1", "--to", "2", "--id", "w")
    assert run(["submit", "--recording", "sea.mp4", "--from", "1", "--to", "3", "--id", "w"]) == 3
    assert capsys.readouterr().err.startswith("id_taken: ")


def test_cancel_continues_after_a_failure_and_ends_with_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    submitted(capsys, "--recording", "sea.mp4", "--from", "1", "--to", "2", "--id", "w")
    assert run(["cancel", "nobody", "w", "--json"]) == 4
    first, second = json.loads(capsys.readouterr().out)["results"]
    assert first["error"]["reason"] == "clip_not_found"
    assert second["clip"]["state"] == "cancelled"
    assert run(["retry", "w"]) == 0
    assert run(["retry", "w"]) == 3
    assert "wrong_state" in capsys.readouterr().err


def test_clips_are_listed_page_by_page(capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(5):
        submitted(capsys, "--recording", "sea.mp4", "--from", "1", "--to", "2", "--id", f"w{number}", "--tag", "t")
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        run(
            [
                "clips",
                "--json",
                "--tag",
                "t",
                "--since",
                "1h",
                "--limit",
                "2",
                *(["--cursor", cursor] if cursor else []),
            ]
        )
        page = json.loads(capsys.readouterr().out)
        seen += [clip["id"] for clip in page["clips"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert seen == ["w4", "w3", "w2", "w1", "w0"]
    assert run(["clips", "--cursor", "nonsense"]) == 2
    assert run(["clips", "--state", "happy"]) == 2


def test_events_are_cloudevents_one_a_line_with_their_positions(capsys: pytest.CaptureFixture[str]) -> None:
    submitted(capsys, "--recording", "sea.mp4", "--from", "1", "--to", "2", "--id", "w")
    run(["cancel", "w", "--json"])
    capsys.readouterr()
    assert run(["events", "--after", "0", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["type"] for event in found] == ["clip.queued", "clip.cancelled"]
    assert found[0]["specversion"] == "1.0"
    assert run(["events", "--after", str(found[0]["position"]), "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_the_schema_is_json_schema_of_a_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert {"id", "source", "output", "edits"} <= set(schema["properties"])


def test_redrive_needs_known_ids_or_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["redrive"]) == 2
    assert run(["redrive", "x", "--all"]) == 2
    submitted(capsys, "--recording", "sea.mp4", "--from", "1", "--to", "2")
    assert run(["redrive", "nobody"]) == 4
    capsys.readouterr()
    assert run(["redrive", "--all", "--queue", "webhooks", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"queue": "webhooks", "redriven": 0}


# --- what is understood ----------------------------------------------------------------------------


def test_ranges_are_from_and_to_or_range_but_not_both() -> None:
    assert arguments.typed_ranges("1", "2", []) == [arguments.Typed("1", "2")]
    assert [(piece.start, piece.end) for piece in arguments.typed_ranges(None, None, ["1..2", "3..4"])] == [
        ("1", "2"),
        ("3", "4"),
    ]
    for start, end, ranges in ((None, None, []), ("1", "2", ["3..4"]), (None, None, ["3-4"])):
        with pytest.raises(WrongUsageError):
            arguments.typed_ranges(start, end, ranges)


def test_frame_numbers_are_typed_with_their_prefix() -> None:
    request = arguments.request_of("sea.mp4", [arguments.Typed("frame:10", "frame:20")])
    assert request.source[0].start == FrameNumber(10)
    with pytest.raises(InvalidRequestError, match="--from"):
        arguments.request_of("sea.mp4", [arguments.Typed("frame:x", "20")])


def test_the_default_name_says_which_part_it_is() -> None:
    assert default_name("sea.mp4", [arguments.Typed("00:01:15", "90.5")]) == "sea.00.01.15-90.5.mp4"
    assert default_name("a/b c.mov", [arguments.Typed("frame:1", "frame:9")]) == "b_c.frame.1-frame.9.mp4"


def test_a_source_is_a_file_or_an_object(tmp_path: Path) -> None:
    (tmp_path / "sea.mp4").write_bytes(b"x")
    assert locate_recording(str(tmp_path / "sea.mp4")) == Location(str(tmp_path), "sea.mp4")
    assert locate_recording("s3://bucket/day/sea.mp4") == Location("s3://bucket/day", "sea.mp4")
    for wrong in (str(tmp_path), "s3://bucket", "s3://bucket/"):
        with pytest.raises(WrongUsageError):
            locate_recording(wrong)
    with pytest.raises(errors.RecordingNotFoundError):
        locate_recording(str(tmp_path / "nix.mp4"))


def test_since_is_a_time_span_or_a_moment() -> None:
    now = datetime(2026, 6, 21, 12, tzinfo=UTC)
    assert read_since("90m", now) == now - timedelta(minutes=90)
    assert read_since("2026-06-21T05:30Z", now) == datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
    for wrong in ("noon", "5x", "-3h", ""):
        with pytest.raises(WrongUsageError):
            read_since(wrong, now)


def test_a_worker_that_keeps_dying_is_started_ever_more_slowly() -> None:
    delays = [restart_delay(deaths) for deaths in range(1, 12)]
    assert delays == sorted(delays)
    assert delays[0] == 0.5
    assert delays[-1] == restart_delay(1000) == 30


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (20_700_000, "20.7 MB"), (10**14, "100000 GB")]
)
def test_sizes_read_well(count: int, text: str) -> None:
    assert formatting.size(count) == text


def test_lengths_and_shares_read_well() -> None:
    assert formatting.length(Fraction("12.5")) == "12.500 s"
    assert formatting.length(Fraction(75)) == "01:15.000"
    assert formatting.clock(Fraction("3723.25")) == "01:02:03.25"
    assert formatting.share(1, 0) == ""
    assert formatting.share(58, 1000) == "5.8 %"


def test_a_span_of_a_camera_is_typed_as_people_write_it() -> None:
    typed = {"from": "2026-06-21T10:03:12.480Z", "to": "2026-06-21T12:03:20+02:00", "at": None, "gaps": "freeze"}
    (request,) = arguments.requests_of_cameras(["north"], typed, RequestRules(Zones()), now=NOON)
    (span,) = request.spans
    assert (span.camera, span.gaps, (span.end - span.start).total_seconds()) == ("north", "freeze", 7.52)


NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


def test_a_moment_without_a_date_is_by_the_clock_of_each_camera() -> None:
    rules = RequestRules(Zones.parse("Europe/Lisbon, tokyo=Asia/Tokyo"))
    requests = arguments.requests_of_cameras(
        ["lisbon", "tokyo"], {"at": "9:03:20", "before": "8", "after": "20"}, rules, now=NOON
    )
    spans = [request.spans[0] for request in requests]
    assert [f"{span.start:%d %H:%M:%S}" for span in spans] == ["21 08:03:12", "21 00:03:12"]
    assert [(span.end - span.start).total_seconds() for span in spans] == [28.0, 28.0]


def test_several_cameras_are_several_requests_and_their_faults_are_named_by_option() -> None:
    span: dict[str, str | None] = {"from": "1782036192480", "to": "1782036193480"}
    assert [
        each.spans[0].camera
        for each in arguments.requests_of_cameras(["a", "b"], span, RequestRules(Zones()), now=NOON)
    ] == [
        "a",
        "b",
    ]
    with pytest.raises(InvalidRequestError) as refused:
        arguments.requests_of_cameras(["a"], {**span, "to": "noon"}, RequestRules(Zones()), now=NOON)
    assert [fault.path for fault in refused.value.faults] == ["--to"]


def test_presets_are_listed_with_what_they_expand_to(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[surf]\nedits = [{edit = "crop", aspect = "9:16"}]\noutput = {precision = "exact"}\n')
    monkeypatch.setenv("CUTBACK_PRESETS", str(own))
    assert run(["presets", "--json"]) == 0
    listed = {row.pop("preset"): row for row in json.loads(capsys.readouterr().out)["presets"]}
    assert listed["surf"] == {
        "own": True,
        "edits": [{"edit": "crop", "aspect": "9:16"}],
        "output": {"precision": "exact"},
    }
    assert listed["archive"] == {"own": False, "edits": [], "output": {"precision": "keyframe"}}
    assert run(["presets"]) == 0
    assert "surf" in capsys.readouterr().out
