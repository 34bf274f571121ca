"""What the command line shows about clips: filters, narrow terminals, what is not in the record, completion."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.path.harness import PathHarness, request
from tests.path.shell import Shell
from tests.support.receiver import receiving

from cutback.adapters.sqlite.records import SqliteRecords
from cutback.adapters.sqlite.schema import APPLICATION_ID, MIGRATIONS
from cutback.cli.app import run
from cutback.domain.base import utc_now
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.clips.clip import new_clip
from cutback.domain.clips.webhook import DeliveryTry
from cutback.lifecycle import accept, delivery_log
from cutback.lifecycle.delivery_log import deliveries_of, log_delivery
from cutback.lifecycle.housekeeping import housekeep
from cutback.ports import ClipQuery
from cutback.worker.webhooks import Deliverer

SPAN = {"from": "2026-06-21T10:00:00Z", "to": "2026-06-21T10:00:05Z"}


@pytest.fixture
def shown(
    harness: PathHarness, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Runs a command on a terminal of so many columns; what it printed."""

    def show(*arguments: str, columns: int = 200) -> str:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(columns))
        assert run([*arguments, "--data", str(harness.settings.data)]) == 0
        return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)

    return show


def as_json(shown: Callable[..., str], *arguments: str) -> Any:
    return json.loads(shown(*arguments, "--json"))


def test_clips_are_filtered_by_camera_and_several_states(harness: PathHarness, shown: Callable[..., str]) -> None:
    harness.submit(id="ready")
    harness.work()
    harness.submit(id="north-1", source={"camera": "north", **SPAN})
    harness.submit(id="south-1", source={"camera": "south", **SPAN})
    harness.submit(id="queued")

    def found(*options: str) -> list[str]:
        return [clip["id"] for clip in as_json(shown, "clips", *options)["clips"]]

    assert found("--camera", "north") == ["north-1"]
    assert found("--camera", "nort") == []
    assert found("--state", "ready", "--state", "cancelled") == ["ready"]
    assert found("--state", "queued", "--state", "ready") == ["queued", "south-1", "north-1", "ready"]
    assert run(["clips", "--state", "ready", "--state", "redy", "--data", str(harness.settings.data)]) == 2


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_narrow_terminals_show_what_a_clip_is(harness: PathHarness, shown: Callable[..., str], columns: int) -> None:
    harness.submit(id="a-very-long-id-" * 4 + "x", title="Sunrise wave of the north point")
    lines = shown("clips", columns=columns).splitlines()
    assert "Sunrise" in lines[-1]
    assert "a-very-lo" in lines[-1]
    assert "queued" in lines[-1]
    assert max(len(line) for line in lines) <= columns


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_long_remark_leaves_room_for_the_recording(
    harness: PathHarness, shown: Callable[..., str], columns: int
) -> None:
    start = utc_now()
    recording = CameraRecording(
        key="north/2026-06-21.mp4", camera="north", start=start, duration=60, etag="v", size=1000,
        stored_at=start, conflicts=("the start time in the name and in the file differ " * 4,),
    )  # fmt: skip
    harness.services.catalogue.put_recording(recording)
    lines = shown("recordings", columns=columns).splitlines()
    assert any("north/2026-06" in line for line in lines), lines
    assert max(len(line) for line in lines) <= columns


def test_show_says_that_the_file_is_missing(harness: PathHarness, shown: Callable[..., str]) -> None:
    harness.submit(id="wave")
    assert "missing" not in as_json(shown, "show", "wave")
    harness.work()
    assert as_json(shown, "show", "wave")["missing"] is False
    assert "missing" not in shown("show", "wave")
    Path(as_json(shown, "show", "wave")["path"]).unlink()
    assert as_json(shown, "show", "wave")["missing"] is True
    assert "The file is missing" in shown("show", "wave")


def test_show_names_the_webhook_deliveries_that_failed(harness: PathHarness, shown: Callable[..., str]) -> None:
    for name in ("wave", "wave-1"):
        harness.submit(id=name, webhook="https://example.com/hook")
    harness.work()
    while messages := harness.webhooks.receive():
        harness.webhooks.move_to_dead_letters(messages[0], "the receiver answered 410")
    found = as_json(shown, "show", "wave")["failed_deliveries"]
    assert {each["event"].rpartition(".")[0] for each in found} == {"wave"}
    assert {each["reason"] for each in found} == {"the receiver answered 410"}
    assert "not delivered" in shown("show", "wave")


def test_show_lists_each_try_to_deliver_an_event(
    make_harness: Callable[..., PathHarness], shown: Callable[..., str]
) -> None:
    harness = make_harness(webhook_delays=(1,), webhook_secret="whsec_" + "QUJD" * 8)
    with receiving() as receiver:
        receiver.statuses = [500, 204]
        harness.submit(id="wave", webhook=receiver.url + "/hook?key=secret")
        harness.submit(id="wave-1", webhook=receiver.url)
        for _ in range(3):
            while Deliverer(harness.services).deliver_waiting():
                pass
            harness.pass_time(2)
    accept.cancel(harness.services, "wave")  # nobody listens any more
    while Deliverer(harness.services).deliver_waiting():
        pass
    found = as_json(shown, "show", "wave")["deliveries"]
    assert [(each["event"], each["attempt"], each.get("status"), each["outcome"]) for each in found] == [
        ("wave.1", 1, 500, "retried"),
        ("wave.1", 2, 204, "delivered"),
        ("wave.2", 1, None, "retried"),
    ]
    assert {each["url"] for each in found} == {receiver.url + "/hook"}
    assert "refused the connection" in found[2]["error"]
    lines = [line.strip() for line in shown("show", "wave").splitlines() if line.startswith("delivery")]
    assert "queued to" in lines[0]
    assert lines[0].endswith("retried (500)")
    assert lines[1].endswith("try 2: delivered (204)")
    assert "Z cancelled to" in lines[2]


def test_the_log_of_a_clip_is_bounded_and_goes_with_its_record(
    make_harness: Callable[..., PathHarness], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_log, "KEPT", 3)
    harness = make_harness(keep_records=86400)
    harness.submit(id="wave")
    accept.cancel(harness.services, "wave")
    for number in range(5):
        tried = DeliveryTry(
            event="wave.1", type="clip.queued", at=utc_now(), attempt=number, outcome="retried", seconds=0.1
        )
        log_delivery(harness.services, tried, "https://example.com/hook?key=secret#x")
        log_delivery(harness.services, tried.model_copy(update={"event": "unknown.1"}), "https://example.com")
    kept = deliveries_of(harness.services, "wave")
    assert [(each.attempt, each.url) for each in kept] == [(n, "https://example.com/hook") for n in (2, 3, 4)]
    assert deliveries_of(harness.services, "unknown") == []
    harness.work()
    harness.pass_time(90_000)
    housekeep(harness.services)
    assert harness.services.records.get_clip("wave") is None
    assert deliveries_of(harness.services, "wave") == []


def completed(shell: Shell, line: str) -> list[str]:
    words = line.split(" ")
    shell.environment |= {
        "_CUTBACK_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }
    _, out, err = shell.run()
    assert "Traceback" not in err, err
    for name in ("_CUTBACK_COMPLETE", "COMP_WORDS", "COMP_CWORD"):
        del shell.environment[name]
    return out.split()


def test_shells_complete_ids_states_cameras_and_recordings(shell: Shell) -> None:
    assert completed(shell, "cutback show w") == []
    assert shell.files() == []
    harness = PathHarness(shell.folder / "cutback-data")
    for name in ("wave-1", "wave-2", "other"):
        harness.submit(id=name)
    start = utc_now()
    harness.services.catalogue.put_recording(
        CameraRecording(key="a.mp4", camera="north", start=start, duration=60, etag="v", size=1, stored_at=start)
    )
    (shell.folder / "cutback-data/recordings/north").mkdir()
    (shell.folder / "cutback-data/recordings/north/a.mp4").touch()
    assert completed(shell, "cutback show wave") == ["wave-2", "wave-1"]
    assert completed(shell, "cutback cancel wave-1 o") == ["other"]
    assert completed(shell, "cutback clips --state que") == ["queued"]
    assert completed(shell, "cutback clips --camera n") == ["north"]
    assert completed(shell, "cutback submit --recording no") == ["north/"]
    assert completed(shell, "cutback submit --recording north/") == ["north/a.mp4"]
    assert completed(shell, "cutback nonsense x") == []
    assert completed(shell, "cutback register n") == ["north/"]
    assert completed(shell, "cutback register a.mp4 --camera no") == ["north"]
    (shell.folder / "footage").mkdir()
    for name in ("footage/sea.mp4", "footage/notes.txt", "footage/live.M3U8", "footage/.sea.mp4", "first.mkv"):
        (shell.folder / name).touch()
    assert completed(shell, "cutback cut f") == ["first.mkv", "footage/"]
    assert completed(shell, "cutback plan footage/") == ["footage/live.M3U8", "footage/sea.mp4"]
    assert completed(shell, "cutback probe ./footage/s") == ["./footage/sea.mp4"]
    (message,) = harness.services.queue.receive()
    harness.services.queue.move_to_dead_letters(message, "for a test")
    assert sorted(completed(shell, "cutback redrive ")) == sorted([message.id, "wave-1"])
    assert completed(shell, "cutback redrive wa") == ["wave-1"]
    assert completed(shell, "cutback redrive --queue webhooks wa") == []
    (shell.folder / "broken.sqlite").write_text("no database " * 100, encoding="ascii")
    shell.environment["CUTBACK_DATABASE"] = "broken.sqlite"
    assert completed(shell, "cutback show wave") == []


def test_clips_of_a_camera_are_found_in_a_database_from_before_that_filter(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    clip = new_clip(request(id="wave", source=[{"camera": "north", **SPAN}] * 2), now=utc_now())
    before = next(number for number, steps in enumerate(MIGRATIONS) if "clip_cameras" in steps[0])
    with closing(sqlite3.connect(path)) as old:
        for steps in MIGRATIONS[:before]:
            for step in steps:
                old.execute(step)
        old.execute(f"PRAGMA user_version = {before}")
        old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        old.execute(
            "INSERT INTO clips (id, state, created_at, revision, attempt, content)"
            " VALUES ('wave', 'queued', 1, 1, 0, ?)",
            (clip.model_dump_json(),),
        )
        old.commit()
    with closing(SqliteRecords(path)) as records:
        assert [each.id for each in records.list_clips(ClipQuery(camera="north")).clips] == ["wave"]
