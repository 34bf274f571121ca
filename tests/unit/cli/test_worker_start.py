"""A worker that cannot start yet waits; one that never can says so."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import cast

import pytest

from cutback.cli.commands import worker
from cutback.cli.screen import Screen
from cutback.domain.errors import SettingsError, StorageFullError


def screen_that(*outcomes: Exception | None) -> Screen:
    """A screen whose services fail to be built so often."""
    left = list(outcomes)

    def services() -> object:
        outcome = left.pop(0)
        if outcome is not None:
            raise outcome
        return SimpleNamespace(check=lambda: None)

    return cast("Screen", SimpleNamespace(services=services))


def test_a_worker_started_on_a_full_disk_waits_for_room(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker, "_PAUSE_SECONDS", 0)
    screen = screen_that(StorageFullError("The database cannot grow."), StorageFullError(), None)
    assert worker._build_patiently(screen, threading.Event()) is not None
    assert caplog.text.count("put_off=yes") == 2


def test_a_worker_that_waits_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_PAUSE_SECONDS", 60)
    stop = threading.Event()

    def services() -> object:
        stop.set()
        raise StorageFullError

    assert worker._build_patiently(cast("Screen", SimpleNamespace(services=services)), stop) is None


def test_wrong_settings_end_a_worker_at_once() -> None:
    with pytest.raises(SettingsError):
        worker._build_patiently(screen_that(SettingsError("")), threading.Event())
