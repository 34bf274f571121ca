"""Cameras on the command line: real processes, real recordings that enter by scans, by hand and by themselves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.path.shell import Shell, frames_in
from tests.support.media import cached_media
from tests.support.spec import MediaSpec
from tests.support.waiting import PATIENCE, eventually

NORTH, SOUTH = "north.20261123T100000.mp4", "south/2026/11/23/10/00/02.480.mp4"


@pytest.fixture
def sea(pytestconfig: pytest.Config) -> Path:
    """Ten seconds at 30 frames a second."""
    return cached_media(MediaSpec(frames=300), Path(pytestconfig.cache.mkdir("media")))


@pytest.fixture
def shore(tmp_path: Path, sea: Path) -> Iterator[Shell]:
    """A folder with recordings, and `cutback` in it."""
    shell = Shell(tmp_path)
    shell.environment["CUTBACK_SCAN_SECONDS"] = "0.2"
    for key in (NORTH, SOUTH, "sea.mp4"):
        record(shell, sea, key)
    yield shell
    for process in shell.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def record(shell: Shell, sea: Path, key: str) -> None:
    """A recording arrives whole, under its name at once."""
    path = shell.folder / "cutback-data" / "recordings" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(sea, path.with_name("arriving.part"))
    path.with_name("arriving.part").rename(path)


def test_a_scan_fills_the_catalogue_and_says_what_it_found(shore: Shell) -> None:
    found = shore.json("scan")
    assert (sorted(found["entered"]), [each["key"] for each in found["failed"]]) == ([NORTH, SOUTH], ["sea.mp4"])
    assert found["failed"][0]["error"]["reason"] == "place_unknown"
    assert [each["name"] for each in shore.json("cameras")["cameras"]] == ["north", "south"]
    (recording,) = shore.json("recordings", "--camera", "south")["recordings"]
    assert (
        recording["key"], recording["start"], recording["duration"], recording["frame_rate"],
    ) == (SOUTH, "2026-11-23T10:00:02.480000Z", "10", "30")  # fmt: skip
    code, out, _ = shore.run("recordings", "--from", "2026-11-23T10:00:00Z", "--to", "2026-11-23T10:00:20Z")
    assert code == 0
    assert "█" in out
    assert SOUTH in out


def test_a_summary_and_the_timeline_show_the_whole_span_and_not_a_page_of_it(shore: Shell, sea: Path) -> None:
    record(shore, sea, "north.20261123T115950.mp4")
    shore.json("scan")
    small = shore.json("recordings", "--limit", "1")
    assert len(small["recordings"]) == 1
    assert [(gap["camera"], gap["seconds"]) for gap in small["gaps"]] == [("north", "7180")]
    code, out, _ = shore.run("recordings", "--limit", "1")
    assert code == 0
    rows = [line for line in out.splitlines() if "█" in line]
    assert len(rows) >= 2, "a page has one camera, the timeline has both"
    assert "╷11-23 10:00Z" in out
    whole = shore.json("recordings", "--summary", "--limit", "1")
    assert (whole["from"], whole["to"]) == ("2026-11-22T12:00:00.000000Z", "2026-11-23T12:00:00.000000Z")
    shares = {each["name"]: [hour["share"] for hour in each["hours"][-2:]] for each in whole["cameras"]}
    assert shares == {"north": [0.0027, 0.0027], "south": [0.0027, 0.0]}
    assert whole["cameras"][0]["last_seen"] == "2026-11-23T12:00:00.000000Z"
    code, out, _ = shore.run("recordings", "--summary", "--camera", "north")
    assert code == 0
    assert "north" in out
    assert "2026-11-23 12:00:00Z" in out
    assert "south" not in out


def test_a_scan_proposes_a_pattern_once_and_the_pattern_works(shore: Shell, sea: Path) -> None:
    for number in range(3):
        record(shore, sea, f"pier/pier_2026-11-23_10-0{number}-00.mp4")
    proposed = shore.json("scan")["proposal"]
    assert proposed == {"pattern": "{camera}_%Y-%m-%d_%H-%M-%S", "fits": 3}
    code, out, err = shore.run("scan")
    assert code == 0
    assert "without camera or start" in out
    assert "failed" not in out
    assert err.count("pier_2026") == 1, "not a line for every file"
    assert "export CUTBACK_RECORDING_PATTERN='{camera}_%Y-%m-%d_%H-%M-%S'" in err
    shore.environment["CUTBACK_RECORDING_PATTERN"] = proposed["pattern"]
    assert len(shore.json("scan")["entered"]) == 3
    assert "pier" in [each["name"] for each in shore.json("cameras")["cameras"]]


def test_two_folders_that_claim_one_camera_are_shown_and_a_longer_name_distinguishes_them(
    shore: Shell, sea: Path
) -> None:
    for site in ("site1", "site2"):
        record(shore, sea, f"{site}/gate.20261123T100000.mp4")
    code, _, err = shore.run("scan")
    assert code == 0
    assert "site1, site2" in err
    (gate,) = [each for each in shore.json("cameras")["cameras"] if each["name"] == "gate"]
    assert gate["folders"] == ["site1", "site2"]
    assert "site1, site2" in shore.run("cameras")[2]
    shore.environment["CUTBACK_RECORDING_PATTERN"] = "{camera...}.%Y%m%dT%H%M%S"
    shore.json("scan")
    names = {each["name"]: each["folders"] for each in shore.json("cameras")["cameras"]}
    assert (names["site1/gate"], names["site2/gate"]) == ([""], [""])
    assert (
        shore.json("recordings", "--camera", "site1/gate")["recordings"][0]["key"] == "site1/gate.20261123T100000.mp4"
    )


def test_a_recording_is_registered_by_hand(shore: Shell) -> None:
    start = "2026-11-23T11:00:15.500+01:00"
    made = shore.json("register", "sea.mp4", "--camera", "north", "--start", start)
    assert (made["what"], made["recording"]["start"]) == ("entered", "2026-11-23T10:00:15.500000Z")
    shore.json("register", NORTH)
    found = shore.json("recordings", "--camera", "north")
    assert [gap["seconds"] for gap in found["gaps"]] == ["5.5"]
    assert [each["key"] for each in found["recordings"]] == [NORTH, "sea.mp4"]
    assert shore.json("register", "nothing.mp4", code=4)["error"]["reason"] == "recording_not_found"
    assert shore.json("register", "sea.mp4", "--start", "noon", code=2)["error"]["reason"] == "wrong_usage"


def test_a_camera_that_nobody_knows_is_refused_at_once_with_the_nearest_names(shore: Shell) -> None:
    span = ("--from", "2026-11-23T10:00:02Z", "--to", "2026-11-23T10:00:04Z")
    error = shore.json("submit", "--camera", "north", *span, code=4)["error"]
    assert error["reason"] == "camera_unknown"
    assert "cutback scan" in error["message"]
    shore.json("scan")
    for command in (["submit", "--camera", "nroth", *span], ["recordings", "--camera", "nroth"]):
        error = shore.json(*command, code=4)["error"]
        assert error["reason"] == "camera_unknown"
        assert "Did you mean north or south?" in error["message"]
    request = {"source": {"camera": "nroth", "from": span[1], "to": span[3]}}
    (shore.folder / "wave.json").write_text(json.dumps(request))
    assert shore.json("submit", "wave.json", code=4)["error"]["reason"] == "camera_unknown"
    assert shore.json("clips")["clips"] == []
    assert shore.json("submit", "wave.json", "--wait-for-new-camera")["state"] == "queued"
    assert shore.json("submit", "--camera", "north", *span)["state"] == "queued"


def test_a_time_without_an_offset_is_in_the_cameras_zone_and_not_this_machines(shore: Shell) -> None:
    shore.environment |= {"TZ": "America/New_York", "CUTBACK_TIME_ZONE": "Europe/Madrid, tokyo=Asia/Tokyo"}
    span = ("--from", "2026-11-23T23:50", "--to", "00:10", "--wait-for-new-camera")
    made = shore.json("submit", "--camera", "madrid", "--camera", "tokyo", *span)["clips"]
    found = {each["request"]["source"][0]["camera"]: each["request"]["source"][0] for each in made}
    assert (found["madrid"]["from"], found["madrid"]["to"]) == (
        "2026-11-23T22:50:00.000000Z", "2026-11-23T23:10:00.000000Z",
    )  # fmt: skip
    assert (found["tokyo"]["from"], found["tokyo"]["to"]) == (
        "2026-11-23T14:50:00.000000Z", "2026-11-23T15:10:00.000000Z",
    )  # fmt: skip
    (clip,) = [each["id"] for each in made if each["request"]["source"][0]["camera"] == "tokyo"]
    assert "2026-11-23 14:50:00Z – 2026-11-23 15:10:00Z" in shore.run("show", clip)[1]
    made = shore.json("register", "sea.mp4", "--camera", "tokyo", "--start", "2026-11-23 19:00")
    assert made["recording"]["start"] == "2026-11-23T10:00:00.000000Z"
    assert "2026-11-23 19:00:00+09:00 – 2026-11-23 19:00:10+09:00" in shore.run("register", "sea.mp4")[1]
    page = shore.json("recordings", "--camera", "tokyo", "--from", "2026-11-23T19:00:09", "--to", "19:01")
    assert [each["key"] for each in page["recordings"]] == ["sea.mp4"]
    assert shore.json("recordings", "--camera", "tokyo", "--from", "2026-11-23T19:00:11")["recordings"] == []


def test_a_camera_behind_a_link_out_of_the_store_says_so(
    shore: Shell, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "west").mkdir()
    recordings = shore.folder / "cutback-data" / "recordings"
    (recordings / "island").symlink_to(elsewhere)
    (elsewhere / "west" / "sea.mp4").touch()
    (recordings / "one.mp4").symlink_to(elsewhere / "west" / "sea.mp4")
    (recordings / "notes.txt").symlink_to(elsewhere / "notes.txt")
    assert shore.json("scan")["links"] == ["island", "one.mp4"]
    code, _, err = shore.run("scan")
    assert code == 0
    assert "island and 1 more: A symbolic link out of the source store is not followed. Set CUTBACK_SOURCE_STORE" in err
    for key in ("one.mp4", "island/west/sea.mp4"):
        error = shore.json("register", key, code=1)["error"]
        assert error["reason"] == "symlink_outside"
        assert "CUTBACK_SOURCE_STORE" in error["message"]
    assert shore.json("register", "nothing.mp4", code=4)["error"]["reason"] == "recording_not_found"
    for name in ("island", "island/west"):
        error = shore.json("recordings", "--camera", name, code=1)["error"]
        assert error["reason"] == "symlink_outside"
        assert str(elsewhere) in error["message"]
        assert "CUTBACK_SOURCE_STORE" in error["message"]
    for name in ("/etc", "../.."):
        assert shore.json("recordings", "--camera", name, code=4)["error"]["reason"] == "camera_unknown"


def test_a_wrong_pattern_or_time_zone_is_named_at_the_start(shore: Shell) -> None:
    shore.environment |= {"CUTBACK_RECORDING_PATTERN": "{kamera}.%s", "CUTBACK_TIME_ZONE": "Europe/Atlantis"}
    message = shore.json("cameras", code=2)["error"]["message"]
    assert "CUTBACK_RECORDING_PATTERN" in message
    assert "CUTBACK_TIME_ZONE" in message


def test_a_file_that_arrives_in_the_folder_makes_the_clip_that_waits_for_it(shore: Shell, sea: Path) -> None:
    running = shore.start("up", "--workers", "1")
    eventually(lambda: len(cameras_so_far(shore)) == 2, "the folder is scanned")
    span = {"camera": "north", "from": "2026-11-23T10:00:12Z", "to": "2026-11-23T10:00:14Z"}
    (shore.folder / "wave.json").write_text(json.dumps({"id": "wave", "source": span}))
    shore.json("submit", "wave.json")
    eventually(lambda: shore.json("show", "wave")["state"] == "waiting", "the clip waits")
    record(shore, sea, "north.20261123T100010.mp4")
    eventually(lambda: shore.json("show", "wave")["state"] == "ready", "the clip is ready")
    running.terminate()
    assert running.wait(PATIENCE) == 0
    assert frames_in(shore.folder / "cutback-data/clips/wave/1/clip.mp4") == 60


def cameras_so_far(shell: Shell) -> list[Any]:
    """The cameras in the catalogue; none as long as `up` has not made one."""
    code, out, _ = shell.run("cameras", "--json")
    found = json.loads(out)
    assert code == 0 or found["error"]["reason"] == "no_data", out
    return list(found.get("cameras", []))
