"""Outputs that cannot be: refused or failed by name, with what to do, by each command and by the API alike."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.path.harness import Died, PathHarness
from tests.path.shell import SHORT, Shell
from tests.support.spec import MediaSpec

from cutback.domain.clips.clip import ClipState
from cutback.lifecycle.housekeeping import tidy
from cutback.sandbox.cutter import ChildCutter
from cutback.services import Services

SOURCE = {"recording": "sea.mp4", "start": 1, "end": 2}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "fifty outputs": ({"outputs": [{"name": f"n{number}"} for number in range(50)]}, "at most 10"),
    "a name of HLS": (
        {"outputs": [{"format": "hls"}, {"name": "clip-64p-init"}]},
        "are taken by the files of 'clip'",
    ),
    "two HLS that collide": (
        {"outputs": [{"format": "hls", "name": "a"}, {"format": "hls", "name": "a-720p"}]},
        "are taken by the files of 'a'",
    ),
    "H.264 in WebM": ({"output": {"format": "webm", "codec": "h264"}}, "'vp9' or 'av1'"),
    "VP9 in MOV": ({"output": {"format": "mov", "codec": "vp9"}}, "'h264' or 'hevc'"),
    "sound with a codec": ({"output": {"format": "m4a", "codec": "h264"}}, "codec"),
    "fragments that hide frames": ({"output": {"fragmented": True, "precision": "instant"}}, "exact or keyframe"),
    "nine qualities": (
        {"output": {"format": "hls", "qualities": list(range(64, 82, 2))}},
        "at most 8",
    ),
    "a size of nothing": ({"output": {"max_size": 0}}, "1000"),
}
"""What a request asks for, and what is said about it before anything is read."""

FAILED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a size below the sound": ({"output": {"max_size": 2000}}, "output_impossible", "2000 bytes are too few"),
    "a still behind the end": ({"output": {"format": "jpeg", "at": 60}}, "edit_impossible", "at"),
    "sound of a silent clip": (
        {"output": {"format": "mp3"}, "edits": [{"edit": "mute"}]},
        "output_impossible",
        "choose a format with pictures",
    ),
}
"""What is found while the clip is planned or made: the reason, and a part of what is said."""


@pytest.fixture
def asking(shell: Shell, media: Callable[[MediaSpec], Path]) -> Callable[[str, dict[str, Any]], tuple[int, Any]]:
    """Runs a command on a request; returns its code and its error."""
    shutil.copy(media(SHORT), shell.folder / "sea.mp4")

    def ask(command: str, wanted: dict[str, Any]) -> tuple[int, Any]:
        (shell.folder / "request.json").write_text(json.dumps({"source": SOURCE, **wanted}))
        more = ["-o", "made/"] if command == "cut" else []
        (shell.folder / "made").mkdir(exist_ok=True)
        code, out, _ = shell.run(command, "sea.mp4", "--request", "request.json", *more, "--json")
        assert list((shell.folder / "made").iterdir()) == []
        return code, json.loads(out)["error"]

    return ask


@pytest.mark.parametrize("name", REFUSED)
def test_commands_refuse_it_before_anything_is_read(name: str, asking: Any) -> None:
    wanted, problem = REFUSED[name]
    for command in ("cut", "plan"):
        code, error = asking(command, wanted)
        assert (code, error["reason"]) == (3, "invalid_request")
        assert problem in json.dumps(error)


@pytest.mark.parametrize("name", FAILED)
def test_commands_fail_by_name(name: str, asking: Any) -> None:
    wanted, reason, said = FAILED[name]
    for command in ("cut", "plan"):
        code, error = asking(command, wanted)
        assert (code, error["reason"]) == (1, reason)
        assert said in error["message"]


# --- a worker that is killed -----------------------------------------------------------------------


@pytest.fixture
def real(harness: PathHarness, media: Callable[[MediaSpec], Path]) -> Iterator[Services]:
    """Services with the real cutter."""
    shutil.copy(media(SHORT), harness.settings.data / "recordings" / "sea.mp4")
    cutter = ChildCutter(warm=False)
    yield harness.another(cutter=cutter)
    cutter.close()


def test_hls_that_is_half_stored_when_its_worker_dies_is_made_again_and_the_rest_swept(
    harness: PathHarness, real: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = real.clips.put

    def dying(key: str, *arguments: Any, **more: Any) -> Any:
        if len(harness.objects()) >= 3:
            raise Died
        return put(key, *arguments, **more)

    monkeypatch.setattr(real.clips, "put", dying)
    harness.submit(source=SOURCE, output={"format": "hls", "qualities": [96, 64]})
    with pytest.raises(Died):
        harness.work(real)
    half = harness.objects()
    assert len(half) >= 3
    assert {key.split("/")[1] for key in half} == {"1"}
    monkeypatch.setattr(real.clips, "put", put)

    harness.pass_time(11)
    harness.work(real)
    clip = harness.clip("wave")
    assert clip.state is ClipState.READY
    harness.pass_time(harness.settings.sweep_delay.total_seconds() + 1)
    tidy(real)
    left = harness.objects()
    assert {key.split("/")[1] for key in left} == {"2"}
    assert clip.result is not None
    [output] = clip.result.outputs
    assert set(left) >= {output.key, *output.files}
    folder = harness.settings.data / "clips" / "wave" / "2"
    for playlist in folder.glob("*.m3u8"):
        named = [line for line in playlist.read_text().split("\n") if line and not line.startswith("#")]
        assert named
        assert all((folder / name).exists() for name in named)
