"""`cutback submit` with files, `--wait` without a terminal, and `cutback show` by the beginning of an id."""

from __future__ import annotations

import json
import signal

from tests.path.shell import Shell
from tests.support.waiting import PATIENCE

from cutback.cli.commands import wait


def line(name: str, end: object = 2) -> str:
    return json.dumps({"id": name, "source": {"recording": "sea.mp4", "start": 1, "end": end}})


def test_a_file_of_json_lines_is_as_many_requests_and_a_fault_names_its_own(shell: Shell) -> None:
    file = shell.folder / "requests.jsonl"
    file.write_text("\n".join([line("a"), line("b"), ""]), encoding="utf-8")
    assert [clip["id"] for clip in shell.json("submit", "requests.jsonl")["clips"]] == ["a", "b"]
    file.write_text("\n".join([line("c"), line("d", "soon")]), encoding="utf-8")
    (fault,) = shell.json("submit", "requests.jsonl", code=3)["error"]["faults"]
    assert fault["path"] == "request 2 source[0].end"
    assert shell.run("show", "c")[0] == 4, "none of a batch with a fault is taken"
    assert shell.json("submit", "requests.jsonl", "--id", "x", code=2)["error"]["reason"] == "wrong_usage"


def test_moments_in_json_without_an_offset_are_on_the_clock_of_each_camera(shell: Shell) -> None:
    shell.environment["CUTBACK_TIME_ZONE"] = "Europe/Madrid,tokyo=Asia/Tokyo"
    span = {"from": "2026-11-23T23:50:00", "to": "2026-11-24T00:10"}
    lines = [json.dumps({"source": {"camera": camera, **span}}) for camera in ("madrid", ["tokyo", "rome"])]
    (shell.folder / "requests.jsonl").write_text("\n".join(lines), encoding="utf-8")
    clips = shell.json("submit", "requests.jsonl", "--wait-for-new-camera")["clips"]
    assert [each["request"]["source"][0]["from"] for each in clips] == [
        "2026-11-23T22:50:00.000000Z", "2026-11-23T14:50:00.000000Z", "2026-11-23T22:50:00.000000Z",
    ]  # fmt: skip
    listed = " ".join(shell.run("clips", "--camera", "madrid")[1].split())
    assert "madrid 2026-11-23 22:50:00Z – 23:10:00Z" in listed


def test_options_beside_a_file_replace_what_it_says(shell: Shell) -> None:
    (shell.folder / "wave.json").write_text(line("a"), encoding="utf-8")
    clip = shell.json("submit", "wave.json", "--id", "mine", "--tag", "best", "--webhook", "https://example.com/x")
    assert clip["id"] == "mine"
    assert clip["request"]["tags"] == ["best"]
    assert clip["request"]["webhook"] == "https://example.com/x"


def test_a_recording_that_is_taken_for_a_request_is_told_how_to_be_named(shell: Shell) -> None:
    code, _, err = shell.run("submit", "sea.mp4", "--from", "75", "--to", "90")
    assert code == 2
    assert "cutback submit --recording sea.mp4" in err


def test_show_takes_the_only_id_that_begins_so(shell: Shell) -> None:
    for name in ("morning-1", "morning-2", "evening"):
        (shell.folder / "wave.json").write_text(line(name), encoding="utf-8")
        shell.json("submit", "wave.json")
    assert shell.json("show", "even")["id"] == "evening"
    assert "morning-1" in shell.json("show", "morn", code=2)["error"]["message"]
    assert shell.json("show", "noon", code=4)["error"]["reason"] == "clip_not_found"


def test_waiting_says_on_a_pipe_that_no_worker_has_started_it(shell: Shell) -> None:
    (shell.folder / "wave.json").write_text(line("lonely"), encoding="utf-8")
    waiting = shell.start("submit", "wave.json", "--wait")
    assert waiting.stderr is not None
    assert waiting.stderr.readline().strip() == wait._LONELY
    waiting.send_signal(signal.SIGINT)
    waiting.communicate(timeout=PATIENCE)


def test_edits_of_options_are_requested_and_shown(shell: Shell) -> None:
    louder, faded = '{"edit": "gain", "db": 6}', '{"edit": "fade", "in": 0.5}'
    options = ("--recording", "sea.mp4", "--from", "1", "--to", "2", "--id", "typed")
    clip = shell.json("submit", *options, "--edit", faded, "--edit", louder)
    assert [each["edit"] for each in clip["request"]["edits"]] == ["fade", "gain"]
    rows = [row.split() for row in shell.run("show", "typed")[1].splitlines()]
    at = rows.index(["edits", "fade"])
    assert rows[at + 1] == ["gain"]

    (shell.folder / "wave.json").write_text(line("a")[:-1] + f', "edits": [{faded}]' + "}", encoding="utf-8")
    clip = shell.json("submit", "wave.json", "--edit", louder)
    assert [each["edit"] for each in clip["request"]["edits"]] == ["fade", "gain"]

    for edit in ("{", '{"edit": "gain"}'):
        (fault,) = shell.json("submit", *options, "--edit", faded, "--edit", edit, code=2)["error"]["faults"]
        assert fault["path"].startswith("--edit 2")


def test_chapters_are_typed_as_where_they_begin_and_their_titles(shell: Shell) -> None:
    typed = ("--chapter", "0.5=Left = right", "--chapter=-1=Out")
    clip = shell.json("submit", "--recording", "sea.mp4", "--from", "1", "--to", "4", *typed)
    assert clip["request"]["chapters"] == [{"at": "0.5", "title": "Left = right"}, {"at": "-1", "title": "Out"}]
    code, _, err = shell.run("submit", "--recording", "sea.mp4", "--from", "1", "--to", "4", "--chapter", "0.5")
    assert code == 2
    assert "AT=TITLE" in err
    code, _, err = shell.run("submit", "--recording", "sea.mp4", "--from", "1", "--to", "4", "--chapter", "soon=Left")
    assert code == 2
    assert "--chapter 1 (at): expected seconds of the clip" in err
