"""Scans: recordings without an event enter the catalogue, and missing ones leave it. All is real except the probe."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.path.harness import PathHarness
from tests.path.text_recordings import NORTH, TEN, TextRecordings
from tests.support.waiting import PATIENCE

from cutback.catalogue.register import register
from cutback.catalogue.scan import Scanned, Scanner
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.errors import RecordingsMissingError, RecordsUnavailableError, StorageUnavailableError
from cutback.lifecycle.arrivals import enter_recordings, place_again
from cutback.lifecycle.housekeeping import housekeep
from cutback.services import Services


def test_a_scan_finds_what_is_new_what_changed_and_what_is_gone(text_recordings: TextRecordings) -> None:
    other, third = "a/b/south.20261123T100000Z.mov", "west/2026/11/23/10/00/00.ts"
    for key in (NORTH, other, third):
        text_recordings.put(key)
    (text_recordings.folder / "poster.jpg").write_text("no recording")
    scanner = Scanner(text_recordings.services, enter_recordings)
    assert Scanned(seen=3, entered=[other, NORTH, third]) == sorted_scan(scanner)
    assert Scanned(seen=3) == scanner.scan() == Scanner(text_recordings.services, enter_recordings).scan()
    assert text_recordings.prober.probed == 3
    text_recordings.put(other, duration=700)
    (text_recordings.folder / third).unlink()
    assert Scanned(seen=2, renewed=[other], gone=[third]) == scanner.scan()
    assert text_recordings.keys() == sorted([other, NORTH])


def sorted_scan(scanner: Scanner) -> Scanned:
    found = scanner.scan()
    return dataclasses.replace(found, entered=sorted(found.entered))


def test_a_scan_below_a_folder_leaves_the_others_alone(text_recordings: TextRecordings) -> None:
    text_recordings.put()
    register(text_recordings.services, NORTH)
    (text_recordings.folder / NORTH).unlink()
    text_recordings.put("b/south.20261123T100000.mp4")
    assert (
        Scanned(seen=1, entered=["b/south.20261123T100000.mp4"])
        == Scanner(text_recordings.services, enter_recordings, "b").scan()
    )
    assert text_recordings.get() is not None


def test_one_bad_file_does_not_affect_the_others_and_is_examined_once(text_recordings: TextRecordings) -> None:
    text_recordings.write("bad.20261123T100000.mp4", "no video")
    text_recordings.put("sea.mp4")
    text_recordings.put()
    scanner = Scanner(text_recordings.services, enter_recordings)
    found = scanner.scan()
    reasons = {key: error.reason for key, error in found.failed.items()}
    assert reasons == {"bad.20261123T100000.mp4": "media_unreadable", "sea.mp4": "place_unknown"}
    assert found.entered == [NORTH]
    assert Scanned(seen=3) == scanner.scan()
    text_recordings.put("bad.20261123T100000.mp4")
    assert Scanned(seen=3, renewed=[], entered=["bad.20261123T100000.mp4"]) == scanner.scan()


def test_a_file_that_cannot_be_read_yet_is_no_failure(text_recordings: TextRecordings) -> None:
    text_recordings.write(NORTH, "no video so far", age=1)
    scanner = Scanner(text_recordings.services, enter_recordings)
    assert Scanned(seen=1, later=[NORTH]) == scanner.scan() == scanner.scan()
    text_recordings.harness.pass_time(60)
    assert list(scanner.scan().failed) == [NORTH]


def test_a_growing_file_is_looked_at_until_it_is_quiet(text_recordings: TextRecordings) -> None:
    text_recordings.put(age=1)
    scanner = Scanner(text_recordings.services, enter_recordings)
    assert Scanned(seen=1, entered=[NORTH]) == scanner.scan()
    assert Scanned(seen=1) == scanner.scan()
    text_recordings.harness.pass_time(60)
    assert Scanned(seen=1, renewed=[NORTH]) == Scanner(text_recordings.services, enter_recordings).scan()
    assert Scanned(seen=1, renewed=[]) == scanner.scan()
    assert text_recordings.prober.probed == 1


def test_what_the_surroundings_refuse_is_found_by_a_later_scan(
    text_recordings: TextRecordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    text_recordings.put()
    scanner = Scanner(text_recordings.services, enter_recordings)
    with monkeypatch.context() as patch:
        patch.setattr(text_recordings.services.catalogue, "put_recordings", refuse)
        with pytest.raises(RecordsUnavailableError):
            scanner.scan()
    assert Scanned(seen=1, entered=[NORTH]) == scanner.scan()


# --- a store that is not there ---------------------------------------------------------------------


def test_a_disk_that_is_not_mounted_empties_no_catalogue(text_recordings: TextRecordings) -> None:
    text_recordings.put()
    text_recordings.put("sea.mp4")
    register(text_recordings.services, "sea.mp4", camera="west", start=TEN)
    scanner = Scanner(text_recordings.services, enter_recordings)
    scanner.scan()
    text_recordings.folder.rename(text_recordings.folder.parent / "elsewhere")
    text_recordings.folder.mkdir()  # as the mount point is
    for each in (scanner, Scanner(text_recordings.services, enter_recordings)):
        found = each.scan()
        assert (found.seen, found.gone) == (0, [])
        assert isinstance(found.missing, RecordingsMissingError)
        assert "2 of 2" in found.missing.message
    with pytest.raises(StorageUnavailableError):
        register(text_recordings.services, NORTH)
    assert text_recordings.keys() == [NORTH, "sea.mp4"]
    text_recordings.folder.rmdir()
    with pytest.raises(StorageUnavailableError):
        scanner.scan()
    (text_recordings.folder.parent / "elsewhere").rename(text_recordings.folder)
    assert Scanned(seen=2) == scanner.scan(), "mounted again, all is as before"


def test_a_source_folder_that_was_named_is_never_made(make_harness: Callable[..., PathHarness], tmp_path: Path) -> None:
    missing = tmp_path / "mnt" / "cameras"
    with pytest.raises(StorageUnavailableError, match="does not exist"):
        make_harness(source_store=str(missing))
    assert not missing.exists()


def test_more_than_the_allowed_share_is_removed_only_by_force(text_recordings: TextRecordings) -> None:
    keys = [f"north.20261123T10{number:02}00.mp4" for number in range(8)]
    for key in keys:
        text_recordings.put(key)
    scanner = Scanner(text_recordings.services, enter_recordings)
    scanner.scan()
    for key in keys[:4]:
        (text_recordings.folder / key).unlink()
    assert scanner.scan().gone == keys[:4], "half of them is not more than half"
    for key in keys[4:7]:
        (text_recordings.folder / key).unlink()
    text_recordings.put("north.20261123T110000.mp4")
    found = scanner.scan()
    assert (found.entered, found.gone) == (["north.20261123T110000.mp4"], []), "what is new enters all the same"
    assert found.missing is not None
    assert "3 of 5" in found.missing.message
    forced = Scanner(text_recordings.services, enter_recordings, forced=True)
    assert forced.scan().gone == keys[4:7]
    assert text_recordings.keys() == [keys[7], "north.20261123T110000.mp4"]
    for key in [keys[7], "north.20261123T110000.mp4"]:
        (text_recordings.folder / key).unlink()
    assert len(Scanner(text_recordings.services, enter_recordings, forced=True).scan().gone) == 2, "even the last ones"


def test_what_was_said_by_hand_survives_a_new_version_and_a_removal(text_recordings: TextRecordings) -> None:
    text_recordings.put()
    text_recordings.put("sea.mp4")
    register(text_recordings.services, "sea.mp4", camera="west", start=TEN)
    scanner = Scanner(text_recordings.services, enter_recordings)
    scanner.scan()
    text_recordings.put("sea.mp4", duration=700)
    assert scanner.scan().renewed == ["sea.mp4"]
    (text_recordings.folder / "sea.mp4").unlink()
    assert scanner.scan().gone == ["sea.mp4"]
    text_recordings.put("sea.mp4", duration=800)
    assert scanner.scan().entered == ["sea.mp4"]
    found = text_recordings.found("sea.mp4")
    assert (found.camera, found.start, found.duration) == ("west", TEN, Fraction(800))


# --- other rules -----------------------------------------------------------------------------------


def with_settings(text_recordings: TextRecordings, **changes: Any) -> Services:
    settings = text_recordings.services.settings.model_copy(update=changes)
    return dataclasses.replace(text_recordings.services, settings=settings)


def test_a_time_zone_set_later_reaches_what_was_scanned_before(text_recordings: TextRecordings) -> None:
    text_recordings.put()
    text_recordings.put("a.20261123T100000Z.mp4")
    text_recordings.put("sea.mp4")
    register(text_recordings.services, "sea.mp4", camera="west", start=TEN)
    Scanner(text_recordings.services, enter_recordings).scan()
    looked_into = text_recordings.prober.probed
    lima = with_settings(text_recordings, time_zone="America/Lima")
    span = {"camera": "north", "from": "2026-11-23T15:00:10Z", "to": "2026-11-23T15:00:20Z"}
    text_recordings.harness.submit(id="wave", source=[span])
    text_recordings.harness.work(lima)
    assert text_recordings.harness.clip("wave").state == "waiting"
    housekeep(lima)
    starts = {each.key: each.start for each in text_recordings.services.catalogue.list_recordings().recordings}
    assert starts == {NORTH: TEN + timedelta(hours=5), "a.20261123T100000Z.mp4": TEN, "sea.mp4": TEN}
    text_recordings.harness.work(lima)
    assert text_recordings.harness.clip("wave").state == "ready", "a clip that waited for that moment was woken"
    assert looked_into == text_recordings.prober.probed, "no file was looked into"
    assert place_again(lima) == 0


def test_a_later_pattern_renames_cameras_and_one_that_matches_no_key_loses_none(
    text_recordings: TextRecordings,
) -> None:
    text_recordings.put()
    Scanner(text_recordings.services, enter_recordings).scan()
    assert place_again(with_settings(text_recordings, recording_pattern=("{camera}h.%Y%m%dT%H%M%S",))) == 1
    assert (text_recordings.found().camera, text_recordings.found().start) == ("nort", TEN)
    assert place_again(with_settings(text_recordings, recording_pattern=("cam-{camera}.%s",))) == 1
    assert (text_recordings.found().camera, text_recordings.found().start) == ("nort", TEN)
    assert "stay as they were" in text_recordings.found().conflicts[-1]
    assert [each.name for each in text_recordings.services.catalogue.cameras()] == ["nort"]


def refuse(_recordings: Sequence[CameraRecording]) -> list[bool]:
    raise RecordsUnavailableError


def test_an_arrival_wakes_the_clips_that_waited_for_it(text_recordings: TextRecordings) -> None:
    span = {"camera": "north", "from": "2026-11-23T10:00:10Z", "to": "2026-11-23T10:00:20Z"}
    text_recordings.harness.submit(id="wave", source=[span])
    text_recordings.harness.work(text_recordings.services)
    assert text_recordings.harness.clip("wave").state == "waiting"
    text_recordings.put()
    Scanner(text_recordings.services, enter_recordings).scan()
    text_recordings.harness.work(text_recordings.services)
    assert text_recordings.harness.clip("wave").state == "ready"


def test_a_store_that_does_not_answer_is_no_removal(
    text_recordings: TextRecordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    text_recordings.put()
    scanner = Scanner(text_recordings.services, enter_recordings)
    scanner.scan()

    def silent(_self: object, _prefix: str = "", **_more: object) -> Any:
        raise StorageUnavailableError

    monkeypatch.setattr("cutback.storage.store.Store.list", silent)
    with pytest.raises(StorageUnavailableError):
        scanner.scan()
    assert text_recordings.get() is not None


def test_a_scan_looks_into_several_batches_at_once(
    text_recordings: TextRecordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cutback.catalogue.scan._BATCH", 2)
    keys = [
        text_recordings.put(f"north.20261123T1{number}0000.mp4") and f"north.20261123T1{number}0000.mp4"
        for number in range(8)
    ]
    together = threading.Barrier(4, timeout=PATIENCE)
    text_recordings.prober.meanwhile = together.wait  # nobody goes on before four are here
    assert Scanned(seen=8, entered=keys) == Scanner(text_recordings.services, enter_recordings).scan()


def test_a_batch_takes_one_look_and_one_transaction_and_reports_how_far_it_is(
    text_recordings: TextRecordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(100):
        text_recordings.put(f"north.2026112{number // 50}T10{number % 50:02}00.mp4")
    text_recordings.write("bad.20261123T100000.mp4", "no video")
    put, sizes = text_recordings.services.catalogue.put_recordings, []

    def counted(recordings: Sequence[CameraRecording]) -> list[bool]:
        sizes.append(len(recordings))
        return put(recordings)

    monkeypatch.setattr(text_recordings.services.catalogue, "put_recordings", counted)
    heard: list[tuple[int, int]] = []
    found = Scanner(text_recordings.services, enter_recordings).scan(
        on_progress=lambda done, total, _key: heard.append((done, total))
    )
    assert (len(found.entered), list(found.failed)) == (100, ["bad.20261123T100000.mp4"])
    assert sorted(text_recordings.prober.batches) == [37, 64]
    assert sorted(sizes) == [37, 63]
    assert heard == [(64, 101), (101, 101)]


def test_what_was_looked_into_before_a_store_broke_off_is_kept(text_recordings: TextRecordings) -> None:
    for number in range(5):
        text_recordings.put(f"north.20261123T10{number:02}00.mp4")
    text_recordings.prober.meanwhile = lambda: fail_from(text_recordings, 3)
    scanner = Scanner(text_recordings.services, enter_recordings)
    with pytest.raises(StorageUnavailableError):
        scanner.scan()
    assert len(text_recordings.keys()) == 3
    text_recordings.prober.meanwhile = lambda: None
    assert len(scanner.scan().entered) == 2


def fail_from(text_recordings: TextRecordings, number: int) -> None:
    if text_recordings.prober.probed > number:
        raise StorageUnavailableError


def test_a_scan_that_is_broken_off_looks_into_no_more(text_recordings: TextRecordings) -> None:
    for number in range(60):
        text_recordings.put(f"north.20261123T10{number:02}00.mp4")

    def fail() -> None:
        threading.Event().wait(0.05)  # all of them would take most of a second
        raise StorageUnavailableError

    text_recordings.prober.meanwhile = fail
    with pytest.raises(StorageUnavailableError):
        Scanner(text_recordings.services, enter_recordings).scan()
    assert text_recordings.prober.probed < 60
    assert text_recordings.keys() == []
