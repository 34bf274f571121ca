"""`cutback cut` and `cutback plan` with edits, and a request's edits on the whole way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image
from tests.path.harness import PathHarness
from tests.path.shell import SHORT, Shell, frames_in
from tests.support.spec import MediaSpec

import cutback
from cutback.domain.clips.clip import ClipState
from cutback.domain.errors import AssetNotFoundError

PART = ("--from", "1", "--to", "2")
MUTE = '{"edit": "mute"}'


@pytest.fixture
def source(shell: Shell, media: Callable[[MediaSpec], Path]) -> str:
    shutil.copy(media(SHORT), shell.folder / "sea.mp4")
    return "sea.mp4"


def sounds(path: Path) -> int:
    with av.open(str(path)) as container:
        return len(container.streams.audio)


def test_an_edit_is_an_option(shell: Shell, source: str) -> None:
    found = shell.json("cut", source, *PART, "--edit", MUTE, "-o", "muted.mp4")
    assert found["edits"] == ["mute: without sound"]
    assert sounds(shell.folder / "muted.mp4") == 0
    assert "mute: without sound" in shell.run("cut", source, *PART, "--edit", MUTE, "-o", "again.mp4")[1]
    planned = shell.json("plan", source, *PART, "--edit", MUTE)
    assert [sound["action"] for sound in planned["parts"][0]["sound"]] == ["drop"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ('{"edit": "mute"', "--edit 1: is not valid JSON"),
        ('{"edit": "mut"}', "did you mean 'mute'?"),
        ('{"edit": "gain", "db": 99}', "--edit 1 (db): must be from -60 to 30"),
    ],
)
def test_a_wrong_edit_is_refused_with_the_name_of_its_option(shell: Shell, source: str, typed: str, said: str) -> None:
    before = shell.files()
    code, _, err = shell.run("cut", source, *PART, "--edit", typed)
    assert code == 2
    assert said in " ".join(err.split())
    assert shell.files() == before


def test_a_request_in_a_file_gives_edits_and_ranges(shell: Shell, source: str) -> None:
    request = {"source": {"recording": "other.mp4", "start": {"frame": 30}, "end": 2.5}, "edits": [{"edit": "mute"}]}
    (shell.folder / "request.json").write_text(json.dumps(request))
    shell.json("cut", source, "--request", "request.json", "-o", "one.mp4")
    shell.json("cut", source, *PART, "--request", "request.json", "-o", "two.mp4")
    made = [shell.folder / "one.mp4", shell.folder / "two.mp4"]
    assert [sounds(path) for path in made] == [0, 0]
    assert frames_in(made[0]) > frames_in(made[1]) > 0


def test_title_and_labels_of_a_request_in_a_file_are_those_of_the_clip(shell: Shell, source: str) -> None:
    text = {"edit": "text", "text": "{title}: {labels.rider}", "as": "subtitles"}
    request = {"source": {"recording": "a.mp4", "start": 1, "end": 2}, "title": "Left", "labels": {"rider": "Ana"}}
    (shell.folder / "request.json").write_text(json.dumps({**request, "edits": [text]}))
    made = shell.json("cut", source, "--request", "request.json", "-o", "one.mp4")
    assert made["edits"] == ["text: “Left: Ana”, as subtitles"]
    with av.open(str(shell.folder / "one.mp4")) as container:
        assert container.metadata["title"] == "Left"
    assert shell.json("plan", source, "--request", "request.json")["subtitles"] == 1


@pytest.mark.parametrize(
    ("request_text", "said"),
    [
        ("[]", "must be one request"),
        ('{"source": {"camera": "north", "from": 1, "to": 2}}', "must be ranges of a recording"),
        ('{"source": [{"recording": "a", "start": 1}, {"recording": "b", "start": 1}]}', "several recordings"),
        ('{"source": {"recording": "a", "start": 1}, "edits": [{"edit": "mut"}]}', "edits[0]"),
        ('{"source": {"recording": "a", "start": 1}, "edit": [{"edit": "mute"}]}', "did you mean 'edits'?"),
    ],
)
def test_a_request_that_cannot_be_used_is_refused(shell: Shell, source: str, request_text: str, said: str) -> None:
    (shell.folder / "request.json").write_text(request_text)
    code, _, err = shell.run("cut", source, "--request", "request.json")
    assert code in {2, 3}
    assert said in " ".join(err.split())


LOGO = {"edit": "image", "asset": "logos/logo.png", "width": "12%", "opacity": 0.8}


@pytest.fixture
def logo(tmp_path: Path) -> bytes:
    Image.new("RGBA", (64, 32), (250, 250, 250, 200)).save(tmp_path / "made.png")
    return (tmp_path / "made.png").read_bytes()


def test_an_image_comes_from_the_assets(shell: Shell, source: str, logo: bytes) -> None:
    assets = shell.folder / "cutback-data" / "assets" / "logos"
    code, _, err = shell.run("cut", source, *PART, "--edit", json.dumps(LOGO))
    assert code == 4
    assets.mkdir(parents=True)
    code, _, err = shell.run("cut", source, *PART, "--edit", json.dumps(LOGO))
    assert code == 4
    assert "logos/logo.png" in " ".join(err.split())
    (assets / "logo.png").write_bytes(logo)
    made = shell.json("cut", source, *PART, "--edit", json.dumps(LOGO), "-o", "logo.mp4")
    assert made["edits"] == ["image: logos/logo.png"]
    planned = shell.json("plan", source, *PART, "--edit", json.dumps(LOGO))
    assert "edited: image" in {segment["reason"] for segment in planned["parts"][0]["segments"]}
    shell.environment["CUTBACK_ASSETS"] = str(assets)
    elsewhere = LOGO | {"asset": "logo.png"}
    assert shell.json("cut", source, *PART, "--edit", json.dumps(elsewhere), "-o", "two.mp4")["frames_encoded"] == 30


def test_a_plan_announces_which_edits_do_nothing(shell: Shell, source: str) -> None:
    code, out, _ = shell.run("plan", source, *PART, "--edit", '{"edit": "sdr"}')
    assert code == 0
    assert "sdr: nothing to do, because the pictures are not HDR" in out


def test_python_takes_edits(shell: Shell, source: str) -> None:
    made = cutback.cut(shell.folder / source, start=1, end=2, output=shell.folder / "py.mp4", edits=[{"edit": "mute"}])
    assert made.edits == ("mute: without sound",)
    assert sounds(made.path) == 0
    assert cutback.plan(shell.folder / source, start=1, end=2, edits=[{"edit": "mute"}]).frames_copied > 0


def test_python_takes_assets(shell: Shell, source: str, logo: bytes) -> None:
    assets = shell.folder / "pictures"
    assets.mkdir()
    (assets / "logo.png").write_bytes(logo)
    edits = [LOGO | {"asset": "logo.png"}]
    made = cutback.cut(
        shell.folder / source, start=1, end=2, output=shell.folder / "py.mp4", edits=edits, assets=assets
    )
    assert made.edits == ("image: logo.png",)
    with pytest.raises(AssetNotFoundError, match=r"The name is logo\.png"):
        cutback.plan(shell.folder / source, start=1, end=2, edits=edits)


@pytest.mark.parametrize(("tenant", "there"), [("", True), ("reef", True), ("shore", False)])
def test_a_tenant_sees_only_its_own_assets(harness: PathHarness, logo: bytes, tenant: str, *, there: bool) -> None:
    assets = harness.settings.data / "assets"
    (assets / "reef").mkdir(parents=True, exist_ok=True)
    for folder in (assets, assets / "reef"):
        (folder / "logo.png").write_bytes(logo)
    clip = harness.submit(tenant=tenant, edits=[LOGO | {"asset": "logo.png"}])
    harness.work()
    clip = harness.clip(clip.id)
    assert clip.state is (ClipState.READY if there else ClipState.FAILED)
    assert clip.failure is None or clip.failure.reason == "asset_not_found"


def test_a_link_out_of_the_assets_is_refused(harness: PathHarness, logo: bytes, tmp_path: Path) -> None:
    (tmp_path / "outside.png").write_bytes(logo)
    (harness.settings.data / "assets" / "logo.png").symlink_to(tmp_path / "outside.png")
    harness.submit(edits=[LOGO | {"asset": "logo.png"}])
    harness.work()
    failure = harness.clip("wave").failure
    assert failure is not None
    assert failure.reason == "asset_not_found"
    assert "a symbolic link" in failure.message


def test_another_recording_of_the_folder_is_shown_beside(shell: Shell, source: str) -> None:
    inset = {"edit": "inset", "recording": "other.mp4", "layout": "beside"}
    code, _, err = shell.run("cut", source, *PART, "--edit", json.dumps(inset))
    assert code == 4
    assert "other.mp4" in " ".join(err.split())
    shutil.copy(shell.folder / source, shell.folder / "other.mp4")
    made = shell.json("cut", source, *PART, "--edit", json.dumps(inset), "-o", "both.mp4")
    assert made["edits"] == ["inset: other.mp4, beside the pictures"]
    with av.open(str(shell.folder / "both.mp4")) as clip, av.open(str(shell.folder / source)) as one:
        assert clip.streams.video[0].width == 2 * one.streams.video[0].width
    planned = shell.json("plan", source, *PART, "--edit", json.dumps(inset))
    assert any("edited: inset" in segment["reason"] for segment in planned["parts"][0]["segments"])


def test_music_comes_from_the_assets(shell: Shell, source: str) -> None:
    assets = shell.folder / "cutback-data" / "assets"
    assets.mkdir(parents=True)
    shutil.copy(shell.folder / source, assets / "song.mp4")
    music = {"edit": "music", "asset": "song.mp4", "mode": "replace"}
    made = shell.json("cut", source, *PART, "--edit", json.dumps(music), "-o", "song.mp4")
    assert made["edits"] == ["music: song.mp4, instead of the recording's sound"]
    assert sounds(shell.folder / "song.mp4") == 1
    planned = shell.json("plan", source, *PART, "--edit", json.dumps(music))
    assert [sound["action"] for sound in planned["parts"][0]["sound"]] == ["drop"]


def test_chapters_of_options_and_of_a_request_are_in_the_file(shell: Shell, source: str) -> None:
    shell.json("cut", source, *PART, "--chapter", "0.5=Left", "--chapter=-0.2=Out", "-o", "typed.mp4")
    assert chapters(shell.folder / "typed.mp4") == [(Fraction(1, 2), "Left"), (Fraction(4, 5), "Out")]
    moment = {"at": {"finished": "0.25"}, "title": "Half"}
    edits = [{"edit": "speed", "speed": 2}]
    wanted = {"source": {"recording": source, "start": 1, "end": 2}, "edits": edits, "chapters": [moment]}
    (shell.folder / "request.json").write_text(json.dumps(wanted))
    shell.json("cut", source, "--request", "request.json", "-o", "one.mp4")
    assert chapters(shell.folder / "one.mp4") == [(Fraction(1, 4), "Half")]
    code, _, err = shell.run("cut", source, *PART, "--chapter", "9=Left", "-o", "late.mp4")
    assert code != 0
    assert "chapters[0]: 9 s is not within the clip" in err
    assert not (shell.folder / "late.mp4").exists()
    wanted["chapters"] = [{"at": 9, "title": "Left"}]
    (shell.folder / "request.json").write_text(json.dumps(wanted))
    for name in ("mp4", "webm", "mp3"):
        code, _, err = shell.run("plan", source, "--request", "request.json", "--format", name)
        assert code != 0
        assert "chapters[0]: 9 s is not within the clip" in err


def chapters(path: Path) -> list[tuple[Fraction, str]]:
    """When the chapters of a file begin, in seconds, and their titles."""
    with av.open(str(path)) as container:
        found = [(each["time_base"], each["start"], each["metadata"]["title"]) for each in container.chapters()]
    return [(start * base, title) for base, start, title in found if base is not None]
