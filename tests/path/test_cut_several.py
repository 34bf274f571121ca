"""`cutback cut` with several sources, with patterns for names, and from a pipe."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.path.shell import SHORT, Shell, frames_in
from tests.support.spec import MediaSpec
from tests.support.waiting import PATIENCE

PART = ("--from", "1", "--to", "2")


@pytest.fixture
def sources(shell: Shell, media: Callable[[MediaSpec], Path]) -> list[str]:
    (shell.folder / "b").mkdir()
    names = ["north.mp4", "b/south.mp4"]
    for name in names:
        shutil.copy(media(SHORT), shell.folder / name)
    return names


def test_the_same_part_of_several_files_is_cut_under_names_of_a_pattern(shell: Shell, sources: list[str]) -> None:
    pattern = "{number}-{name}.{from}-{to}.mp4"
    found = shell.json("cut", *sources, *PART, "-o", pattern)["results"]
    assert [each["source"] for each in found] == sources
    made = [shell.folder / "1-north.1-2.mp4", shell.folder / "2-south.1-2.mp4"]
    assert [Path(each["path"]).name for each in found] == [path.name for path in made]
    assert [frames_in(path) for path in made] == [each["frames"] for each in found]
    assert found[0]["frames"] > 10
    assert shell.json("cut", sources[0], *PART, "-o", "{name}.mp4", code=3)["error"]["reason"] == "output_is_source"


def test_a_source_that_fails_does_not_prevent_the_others(shell: Shell, sources: list[str]) -> None:
    found = shell.json("cut", sources[0], "gone.mp4", sources[1], *PART, code=4)["results"]
    assert ["error" in each for each in found] == [False, True, False]
    assert {"north.1-2.mp4", "south.1-2.mp4"} <= set(shell.files())
    code, out, err = shell.run("cut", sources[0], "gone.mp4", *PART, "-f")
    assert (code, "north.1-2.mp4" in out, "gone.mp4" in err) == (4, True, True)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("one.mp4", "would both be one.mp4"),
        ("-", "Only one clip"),
        ("{name}-{day}.mp4", "{day} is unknown"),
        ("{name}.mkv", "its format is MP4"),
    ],
)
def test_names_that_cannot_be_are_refused_before_anything_is_cut(
    shell: Shell, sources: list[str], output: str, said: str
) -> None:
    before = shell.files()
    code, _, err = shell.run("cut", *sources, *PART, "-o", output)
    assert code == 2
    assert said in err
    assert shell.files() == before


def test_a_pipe_is_cut_as_a_file_is_and_leaves_nothing_behind(shell: Shell, sources: list[str]) -> None:
    recording = (shell.folder / sources[0]).read_bytes()
    temporary = shell.folder / "tmp"
    temporary.mkdir()
    shell.environment["TMPDIR"] = str(temporary)
    code, _, err = shell.pipe("cut", "-", *PART, stdin=recording)
    assert code == 0, err
    assert shell.run("cut", sources[0], *PART)[0] == 0
    made = [(shell.folder / f"{name}.1-2.mp4").read_bytes() for name in ("stdin", "north")]
    assert made[0] == made[1]
    code, out, err = shell.pipe("cut", "-", *PART, "-o", "-", stdin=recording)
    assert (code, out) == (0, made[0]), err
    shell.environment["CUTBACK_LIMIT_PIPE_BYTES"] = str(len(recording) - 1)
    code, _, err = shell.pipe("cut", "-", *PART, "-o", "big.mp4", stdin=recording)
    assert code != 0
    assert "media_too_large" in err
    assert "CUTBACK_LIMIT_PIPE_BYTES" in err
    assert not (shell.folder / "big.mp4").exists()
    assert list(temporary.iterdir()) == []


def test_limits_count_wherever_they_are_set_and_settings_are_loaded_only_then(
    shell: Shell, sources: list[str], tmp_path: Path
) -> None:
    for name in [name for name in shell.environment if name.startswith("CUTBACK_")]:
        del shell.environment[name]
    program = (
        "import sys; from cutback.cli.app import run; code = run(sys.argv[1:]);"
        "print([name for name in sys.modules if name in ('pydantic_settings', 'cutback.ports',"
        " 'cutback.domain.clips.clip', 'cutback.settings.settings')]); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "cut", sources[0], *PART, "--json"],
        cwd=shell.folder, env=shell.environment, capture_output=True, text=True, check=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"
    too_large = ("cut", sources[0], *PART, "-f")
    data = shell.folder / "cutback-data"
    data.mkdir()
    (data / "cutback.toml").write_text("limit_duration = 1", encoding="ascii")
    assert shell.json(*too_large, code=1)["error"]["reason"] == "media_too_large"
    (data / "cutback.toml").rename(tmp_path / "other.toml")
    shell.environment["CUTBACK_CONFIG"] = str(tmp_path / "other.toml")
    assert shell.json(*too_large, code=1)["error"]["reason"] == "media_too_large"
    del shell.environment["CUTBACK_CONFIG"]
    shell.environment["CUTBACK_LIMIT_DURATION"] = "1"
    assert shell.json(*too_large, code=1)["error"]["reason"] == "media_too_large"
    del shell.environment["CUTBACK_LIMIT_DURATION"]
    shell.json(*too_large)
