"""Several outputs of one request on the whole way: stored, recorded, shown and removed together."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image
from tests.path.harness import PathHarness
from tests.path.shell import SHORT, Shell, frames_in
from tests.support.spec import MediaSpec

from cutback.domain.clips.clip import ClipState
from cutback.domain.clips.files import files_of
from cutback.domain.errors import StorageUnavailableError
from cutback.lifecycle import accept

THREE = [{}, {"name": "quick", "precision": "keyframe"}, {"name": "third"}]
NAMES = ["clip", "quick", "third"]


def test_all_outputs_are_stored_under_one_record(harness: PathHarness) -> None:
    harness.submit(outputs=THREE)
    queued = harness.clip("wave").public()["outputs"]
    assert queued == [{"name": name, "format": "mp4", "state": "queued"} for name in NAMES]
    harness.work()
    clip = harness.clip("wave")
    assert clip.result is not None
    assert harness.objects() == [f"wave/1/{name}.mp4" for name in NAMES]
    assert [(each.name, each.key, each.format) for each in clip.result.outputs] == [
        (name, f"wave/1/{name}.mp4", "mp4") for name in NAMES
    ]
    sizes = [(harness.settings.data / "clips" / each.key).stat().st_size for each in clip.result.outputs]
    assert [each.size for each in clip.result.outputs] == sizes
    assert clip.result.key == clip.result.outputs[0].key
    assert [output.precision for output in harness.cutter.jobs[0].outputs] == ["exact", "keyframe", "exact"]
    assert [(file.key, file.part) for file in files_of(clip)] == [
        ("wave/1/clip.mp4", ""),
        ("wave/1/quick.mp4", "quick"),
        ("wave/1/third.mp4", "third"),
    ]
    assert {each["state"] for each in clip.public()["outputs"]} == {"ready"}
    assert harness.types() == ["queued", "processing", "ready"]


def test_a_plain_clip_has_no_list_of_outputs(harness: PathHarness) -> None:
    harness.submit()
    harness.work()
    shown = harness.clip("wave").public()
    assert "outputs" not in shown
    assert "outputs" not in shown["result"]


def test_an_attempt_that_fails_after_its_first_file_leaves_nothing(
    harness: PathHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, stored = harness.services.clips.put, []

    def failing(key: str, *arguments: object, **more: object) -> object:
        stored.append(key)
        if key.endswith("1/third.mp4"):
            raise StorageUnavailableError
        return put(key, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(harness.services.clips, "put", failing)
    harness.submit(outputs=THREE)
    harness.work()
    assert stored == [f"wave/1/{name}.mp4" for name in NAMES]
    assert harness.clip("wave").state is ClipState.QUEUED
    assert harness.objects() == []
    harness.pass_time(3600)
    harness.work()
    assert harness.clip("wave").state is ClipState.READY
    assert harness.objects() == [f"wave/2/{name}.mp4" for name in NAMES]


def test_all_files_of_a_deleted_clip_are_removed(harness: PathHarness) -> None:
    harness.submit(outputs=THREE)
    harness.work()
    accept.delete(harness.services, "wave")
    assert harness.objects() == []


@pytest.fixture
def source(shell: Shell, media: Callable[[MediaSpec], Path]) -> str:
    shutil.copy(media(SHORT), shell.folder / "sea.mp4")
    return "sea.mp4"


def test_cut_writes_other_outputs_beside_the_clip(shell: Shell, source: str) -> None:
    wanted = {"source": {"recording": source, "start": 1, "end": 2}, "outputs": THREE[:2]}
    (shell.folder / "two.json").write_text(json.dumps(wanted))
    found = shell.json("cut", source, "--request", "two.json", "-o", "wave.mp4")
    assert found["files"] == ["wave.quick.mp4"]
    assert frames_in(shell.folder / "wave.mp4") == found["frames"]
    assert frames_in(shell.folder / "wave.quick.mp4") >= found["frames"]
    code, _, err = shell.run("cut", source, "--request", "two.json", "-o", "-")
    assert code == 2
    assert "standard output" in err


PART = ("--from", "1", "--to", "2")


def uris(playlist: Path) -> list[str]:
    """The files to which a playlist refers."""
    return [line for line in playlist.read_text().split("\n") if line and not line.startswith("#")]


def test_hls_gets_a_folder_in_which_its_files_keep_their_names(shell: Shell, source: str) -> None:
    found = shell.json("cut", source, *PART, "-o", "wave.m3u8")
    assert found["path"] == "wave/clip.m3u8"
    [pictures] = uris(shell.folder / "wave" / "clip.m3u8")
    assert set(found["files"]) >= {f"wave/{name}" for name in (pictures, *uris(shell.folder / "wave" / pictures))}
    assert all((shell.folder / name).is_file() for name in found["files"])
    error = shell.json("cut", source, *PART, "-o", "wave.m3u8", code=3)["error"]
    assert error["reason"] == "output_exists"
    assert not (shell.folder / "wave.m3u8").exists()
    replaced = shell.json("cut", source, "--from", "1", "--to", "1.5", "-o", "wave.m3u8", "--force")
    assert replaced["frames"] < found["frames"]


def test_hls_beside_another_output_has_a_folder_too(shell: Shell, source: str) -> None:
    wanted = {"source": {"recording": source, "start": 1, "end": 2}, "outputs": [{}, {"format": "hls"}]}
    (shell.folder / "two.json").write_text(json.dumps(wanted))
    found = shell.json("cut", source, "--request", "two.json", "-o", "wave.mp4")
    assert found["path"] == "wave.mp4"
    [pictures] = uris(shell.folder / "wave.hls" / "hls.m3u8")
    assert f"wave.hls/{pictures}" in found["files"]


def test_hls_of_two_recordings_in_one_folder_is_apart(shell: Shell, source: str) -> None:
    shutil.copy(shell.folder / source, shell.folder / "south.mp4")
    (shell.folder / "clips").mkdir()
    (shell.folder / "hls.json").write_text(
        json.dumps({"source": {"recording": source, "start": 1, "end": 2}, "output": {"format": "hls"}})
    )
    found = shell.json("cut", source, "south.mp4", "--request", "hls.json", "-o", "clips/")
    assert [each["path"] for each in found["results"]] == ["clips/sea.1-2/clip.m3u8", "clips/south.1-2/clip.m3u8"]


def test_several_files_to_standard_output_are_refused_before_the_work(shell: Shell, source: str) -> None:
    wanted = {"source": {"recording": source, "start": 1, "end": 2}, "output": {"format": "hls"}}
    (shell.folder / "hls.json").write_text(json.dumps(wanted))
    code, out, err = shell.run("cut", "missing.mp4", "--request", "hls.json", "-o", "-")
    assert (code, out) == (2, "")
    assert "several files" in err


def test_another_output_never_replaces_the_recording(shell: Shell, source: str) -> None:
    """Nor does anything remain of the others."""
    shutil.move(shell.folder / source, shell.folder / "wave.quick.mp4")
    before = (shell.folder / "wave.quick.mp4").read_bytes()
    wanted = {"source": {"recording": "wave.quick.mp4", "start": 1, "end": 2}, "outputs": THREE}
    (shell.folder / "three.json").write_text(json.dumps(wanted))
    asked = ("--request", "three.json", "-o", "wave.mp4", "--force")
    assert shell.json("cut", "wave.quick.mp4", *asked, code=3)["error"]["reason"] == "output_is_source"
    assert (shell.folder / "wave.quick.mp4").read_bytes() == before
    assert shell.files() == ["three.json", "wave.quick.mp4"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("wave.gif", "gif"), ("wave.mp3", "mp3"), ("wave.JPEG", "image2")],
)
def test_the_extension_names_the_format(shell: Shell, source: str, name: str, kind: str) -> None:
    shell.json("cut", source, "--from", "1", "--to", "1.5", "-o", name)
    with av.open(str(shell.folder / name)) as container:
        assert kind in container.format.name


def test_a_format_that_is_named_wins_over_an_extension_that_is_not_its_own(shell: Shell, source: str) -> None:
    wanted = {"source": {"recording": source, "start": 1, "end": 2}, "output": {"format": "m4a"}}
    (shell.folder / "wave.json").write_text(json.dumps(wanted))
    code, _, errors = shell.run("cut", source, "--request", "wave.json", "-o", "wave.gif")
    assert (code, "name it wave.m4a" in errors) == (2, True)
    assert "name it wave.mp4" in shell.run("cut", source, "--from", "1", "--to", "2", "-o", "wave.avi")[2]


def test_no_size_is_said_of_what_has_none(shell: Shell, source: str) -> None:
    said = shell.run("cut", source, "--from", "1", "--to", "2", "-o", "wave.wav")[1]
    assert "1.000 s" in said
    assert "0×0" not in said


PICTURES = [f"wave 1.poster-{width}.jpg" for width in (300, 640, 1500, 3000)]
OTHERS = ["sprites.vtt", "sprites.jpg", "preview.webp", "waveform.json", "waveform.svg"]


def test_cut_writes_pictures_beside_the_clip(shell: Shell, source: str) -> None:
    kinds = "poster,sprites,preview,waveform"
    found = shell.json("cut", source, *PART, "--pictures", kinds, "-o", "wave 1.mp4")
    assert found["files"] == [*PICTURES, *(f"wave 1.{name}" for name in OTHERS)]
    assert found["notes"] == []
    cues = (shell.folder / "wave 1.sprites.vtt").read_text()
    assert "\nwave%201.sprites.jpg#xywh=0,0," in cues
    with Image.open(shell.folder / "wave 1.sprites.jpg") as sheet, Image.open(shell.folder / PICTURES[0]) as poster:
        assert sheet.width % 160 == 0
        assert poster.width == 300
    with Image.open(shell.folder / "wave 1.preview.webp") as preview:
        assert getattr(preview, "n_frames", 1) == 8, "a second with 8 frames"
    assert json.loads((shell.folder / "wave 1.waveform.json").read_text())["fine"]["seconds"] == [1, 100]


def test_cut_makes_the_pictures_of_its_request_and_else_none(shell: Shell, source: str) -> None:
    wanted = {"source": {"recording": source, "start": 1, "end": 2}, "pictures": ["sprites"]}
    (shell.folder / "request.json").write_text(json.dumps(wanted))
    found = shell.json("cut", source, "--request", "request.json", "-o", "one.mp4")
    assert found["files"] == ["one.sprites.vtt", "one.sprites.jpg"]
    assert "files" not in shell.json("cut", source, *PART, "-o", "two.mp4")
    assert not list(shell.folder.glob("two.*.*"))


def test_pictures_never_replace_a_file_and_need_a_place(shell: Shell, source: str) -> None:
    there = shell.folder / "wave.waveform.svg"
    there.write_text("mine")
    asked = ("cut", source, *PART, "--pictures", "sprites,waveform")
    code, _, err = shell.run(*asked, "-o", "wave.mp4")
    assert code != 0
    assert "wave.waveform.svg" in err
    assert not (shell.folder / "wave.mp4").exists(), "it is refused before the work"
    shell.json(*asked, "-o", "wave.mp4", "--force")
    assert there.read_text().startswith("<svg")
    code, _, err = shell.run(*asked, "-o", "-")
    assert code == 2
    assert "standard output" in err or "-o -" in err
    code, _, err = shell.run("cut", source, *PART, "--pictures", "sprite")
    assert code == 2
    assert "--pictures" in err
