"""Scans: what no event told of enters the catalogue, and what is gone leaves it. All real but the looking into it."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import pytest
from tests.path.text_recordings import NORTH, TextRecordings
from tests.support.waiting import PATIENCE

from cutback.catalogue.register import register
from cutback.catalogue.scan import Scanned, Scanner
from cutback.domain.cameras.recording import CameraRecording
from cutback.domain.errors import RecordsUnavailableError, StorageUnavailableError
from cutback.lifecycle.arrivals import enter_recording


def test_a_scan_finds_what_is_new_what_changed_and_what_is_gone(text_recordings: TextRecordings) -> None:
    other, third = "a/b/south.20261123T100000Z.mov", "west/2026/11/23/10/00/00.ts"
    for key in (NORTH, other, third):
        text_recordings.put(key)
    (text_recordings.folder / "poster.jpg").write_text("no recording")
    scanner = Scanner(text_recordings.services, enter_recording)
    assert Scanned(seen=3, entered=[other, NORTH, third]) == sorted_scan(scanner)
    assert Scanned(seen=3) == scanner.scan() == Scanner(text_recordings.services, enter_recording).scan()
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
        == Scanner(text_recordings.services, enter_recording, "b").scan()
    )
    assert text_recordings.get() is not None


def test_one_bad_file_does_no_harm_to_the_others_and_is_looked_at_once(text_recordings: TextRecordings) -> None:
    text_recordings.write("bad.20261123T100000.mp4", "no video")
    text_recordings.put("sea.mp4")
    text_recordings.put()
    scanner = Scanner(text_recordings.services, enter_recording)
    found = scanner.scan()
    reasons = {key: error.reason for key, error in found.failed.items()}
    assert reasons == {"bad.20261123T100000.mp4": "media_unreadable", "sea.mp4": "place_unknown"}
    assert found.entered == [NORTH]
    assert Scanned(seen=3) == scanner.scan()
    text_recordings.put("bad.20261123T100000.mp4")
    assert Scanned(seen=3, renewed=[], entered=["bad.20261123T100000.mp4"]) == scanner.scan()


def test_a_file_that_cannot_be_read_yet_is_no_failure(text_recordings: TextRecordings) -> None:
    text_recordings.write(NORTH, "no video so far", age=1)
    scanner = Scanner(text_recordings.services, enter_recording)
    assert Scanned(seen=1, later=[NORTH]) == scanner.scan() == scanner.scan()
    text_recordings.harness.pass_time(60)
    assert list(scanner.scan().failed) == [NORTH]


def test_a_growing_file_is_looked_at_until_it_is_quiet(text_recordings: TextRecordings) -> None:
    text_recordings.put(age=1)
    scanner = Scanner(text_recordings.services, enter_recording)
    assert Scanned(seen=1, entered=[NORTH]) == scanner.scan()
    assert Scanned(seen=1) == scanner.scan()
    text_recordings.harness.pass_time(60)
    assert Scanned(seen=1, renewed=[NORTH]) == Scanner(text_recordings.services, enter_recording).scan()
    assert Scanned(seen=1, renewed=[]) == scanner.scan()
    assert text_recordings.prober.probed == 1


def test_what_the_surroundings_refuse_is_found_by_a_later_scan(
    text_recordings: TextRecordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    text_recordings.put()
    scanner = Scanner(text_recordings.services, enter_recording)
    with monkeypatch.context() as patch:
        patch.setattr(text_recordings.services.catalogue, "put_recording", refuse)
        with pytest.raises(RecordsUnavailableError):
            scanner.scan()
    assert Scanned(seen=1, entered=[NORTH]) == scanner.scan()


def refuse(_recording: CameraRecording) -> bool:
    raise RecordsUnavailableError


def test_an_arrival_wakes_the_clips_that_waited_for_it(text_recordings: TextRecordings) -> None:
    span = {"camera": "north", "from": "2026-11-23T10:00:10Z", "to": "2026-11-23T10:00:20Z"}
    text_recordings.harness.submit(id="wave", source=[span])
    text_recordings.harness.work(text_recordings.services)
    assert text_recordings.harness.clip("wave").state == "waiting"
    text_recordings.put()
    Scanner(text_recordings.services, enter_recording).scan()
    text_recordings.harness.work(text_recordings.services)
    assert text_recordings.harness.clip("wave").state == "ready"


def test_a_store_that_does_not_answer_is_no_removal(
    text_recordings: TextRecordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    text_recordings.put()
    scanner = Scanner(text_recordings.services, enter_recording)
    scanner.scan()

    def silent(_self: object, _prefix: str = "") -> Any:
        raise StorageUnavailableError

    monkeypatch.setattr("cutback.storage.store.Store.list", silent)
    with pytest.raises(StorageUnavailableError):
        scanner.scan()
    assert text_recordings.get() is not None


def test_a_scan_looks_into_several_recordings_at_once(text_recordings: TextRecordings) -> None:
    keys = [
        text_recordings.put(f"north.20261123T1{number}0000.mp4") and f"north.20261123T1{number}0000.mp4"
        for number in range(8)
    ]
    together = threading.Barrier(4, timeout=PATIENCE)
    text_recordings.prober.meanwhile = together.wait  # nobody goes on before four are here
    assert Scanned(seen=8, entered=keys) == Scanner(text_recordings.services, enter_recording).scan()


def test_a_scan_that_is_broken_off_looks_into_no_more(text_recordings: TextRecordings) -> None:
    for number in range(60):
        text_recordings.put(f"north.20261123T10{number:02}00.mp4")

    def fail() -> None:
        threading.Event().wait(0.05)  # all of them would take most of a second
        raise StorageUnavailableError

    text_recordings.prober.meanwhile = fail
    with pytest.raises(StorageUnavailableError):
        Scanner(text_recordings.services, enter_recording).scan()
    assert text_recordings.prober.probed < 60
    assert text_recordings.keys() == []
