"""Times as people write them mean the same at every door: `cut`, a request's options, a request's JSON, the library."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from tests.path.shell import SHORT, Shell, frames_in
from tests.support.spec import MediaSpec

import cutback
from cutback.cli.app import run


@pytest.fixture
def sea(shell: Shell, media: Callable[[MediaSpec], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten seconds at thirty frames a second."""
    monkeypatch.chdir(shell.folder)
    return Path(shutil.copy(media(SHORT), shell.folder / "sea.mp4"))


@pytest.mark.parametrize(
    ("arguments", "start", "end"),
    [
        (["--from", "8"], "8", "10"),
        (["--to", ".5"], "0", "0.5"),
        (["--from", "-2"], "8", "10"),
        (["--from", "-2s", "--to", "-1"], "8", "9"),
        (["--from", "1", "--to", "+1.5"], "1", "2.5"),
        (["--from", "-3", "--to", "+1"], "7", "8"),
        (["--from", "0m1s", "--duration", "2s"], "1", "3"),
        (["--range", "9.."], "9", "10"),
        (["--range", "..1"], "0", "1"),
    ],
    ids=" ".join,
)
def test_cut_takes_open_ends_lengths_and_times_from_the_end(
    sea: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], start: str, end: str
) -> None:
    assert run(["cut", str(sea), *arguments, "-o", "clip.mp4", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["spans"] == [{"start": start, "end": end, "clamped": False}]
    assert frames_in(sea.with_name("clip.mp4")) == round((float(end) - float(start)) * 30)


def test_the_same_times_make_the_same_request_by_options_and_in_json(
    shell: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shell.folder)

    def submitted(*arguments: str) -> str:
        assert run(["submit", *arguments, "--json"]) == 0
        return str(json.loads(capsys.readouterr().out)["id"])

    for options, piece in (
        (["--from", "1m30s", "--duration", "5"], {"start": 90, "end": "95"}),
        (["--from", "75"], {"start": "00:01:15"}),
        (["--from", "-5"], {"start": "-5s", "end": "-0"}),
        (["--to", ".5"], {"end": 0.5}),
    ):
        file = shell.folder / "request.json"
        file.write_text(json.dumps({"source": {"recording": "sea.mp4", **piece}}), encoding="utf-8")
        assert submitted("--recording", "sea.mp4", *options) == submitted("request.json")


def test_the_library_takes_the_same_times(sea: Path) -> None:
    made = cutback.cut(sea, output=sea.with_name("clip.mp4"), start="-1s", end="+0.5")
    assert [(span.start, span.end) for span in made.spans] == [(Fraction(9), Fraction(19, 2))]
    assert made.frames == 15


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "-1", "--to", "-2"], "end must be after start"),
        (["--from", "frame:3", "--to", "+2"], "cannot be added to a frame number"),
        (["--from", "1", "--to", "2", "--duration", "3"], "--to or --duration"),
        ([], "Give a range"),
        (["--range", ".."], "must be FROM..TO"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_wrong_usage(
    sea: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run(["cut", str(sea), *arguments]) == 2
    assert said in capsys.readouterr().err
