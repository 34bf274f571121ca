"""Real recordings, good and bad, with a real worker: each failure has a reason and advice, and the next job works."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.path.harness import PathHarness
from tests.path.shell import SHORT, frames_in
from tests.support.small_disk import make_read_only, small_disk
from tests.support.spec import FASTSTART, MediaSpec

from cutback.domain.clips.clip import Clip, ClipState
from cutback.lifecycle import accept
from cutback.sandbox.cutter import ChildCutter
from cutback.services import Services

pytestmark = pytest.mark.usefixtures("forked_cutters")

SOUND_ALONE = MediaSpec(codec=None, frames=90)
INDEX_FIRST = MediaSpec(frames=90, muxer_options=FASTSTART)
OTHER = MediaSpec(frames=120, seed=2)


class RealCutterHarness(PathHarness):
    """A path harness with the real cutter."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, **settings)
        self.services = self.another(cutter=ChildCutter(warm=False))

    def another(self, **changes: Any) -> Services:
        if "cutter" not in changes and hasattr(self, "services"):
            changes["cutter"] = self.services.cutter
        return super().another(**changes)

    def put(self, key: str, content: bytes) -> None:
        """As an upload does: whole, under its name at once."""
        place = self.settings.data / "recordings" / key
        place.with_suffix(".new").write_bytes(content)
        place.with_suffix(".new").replace(place)

    def ask(self, clip_id: str, recording: str = "sea.mp4", **fields: Any) -> Clip:
        source = {"recording": recording, "start": 1.1, "end": 2.1}
        self.submit(**{"id": clip_id, "source": source, **fields})
        self.work()
        return self.clip(clip_id)

    def frames(self, clip: Clip) -> int:
        assert clip.result is not None
        return frames_in(self.settings.data / "clips" / clip.result.key)


def keys_of(clip: Clip) -> list[str]:
    """Every object that a clip consists of."""
    return [clip.result.key, *(poster.key for poster in clip.result.posters)] if clip.result else []


@pytest.fixture
def harness(
    tmp_path: Path, media: Callable[[MediaSpec], Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[RealCutterHarness]:
    """Ends with a good clip made, and nothing left over."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    harness = RealCutterHarness(tmp_path / "data")
    harness.put("sea.mp4", media(SHORT).read_bytes())
    yield harness
    next_one = harness.ask("next-one")
    assert next_one.state is ClipState.READY, next_one.failure
    assert harness.frames(next_one) == 30
    assert harness.objects() == sorted(key for name in ids(harness) for key in keys_of(harness.clip(name)))
    assert harness.depth() == (0, 0, 0, 0)
    assert list(temporary.iterdir()) == []
    harness.services.close()


def ids(harness: PathHarness) -> set[str]:
    return {event.subject for event in harness.events()}


def zeroed_index(data: bytes) -> bytes:
    at = data.index(b"stsc") + 8
    return data[:at] + bytes(16) + data[at + 16 :]


@pytest.mark.parametrize(
    ("spec", "damage", "reason", "words"),
    [
        (SHORT, lambda _: b"", "media_unreadable", "empty"),
        (SHORT, lambda _: b"no video, whatever it is called\n" * 400, "media_unsupported", "MP4/MOV"),
        (SHORT, lambda data: data[: len(data) // 2], "media_unreadable", "truncated"),
        (SHORT, lambda data: data[:20], "media_unreadable", "truncated"),
        (INDEX_FIRST, lambda data: data[:2000], "media_unreadable", "truncated"),
        (SHORT, zeroed_index, "media_unreadable", "damaged"),
    ],
    ids=["empty", "text", "half of it", "its first bytes", "its index cut off", "its index damaged"],
)
def test_what_cannot_be_read_fails_at_once_and_is_named(
    harness: RealCutterHarness,
    media: Callable[[MediaSpec], Path],
    spec: MediaSpec,
    damage: Callable[[bytes], bytes],
    reason: str,
    words: str,
) -> None:
    harness.put("bad.mp4", damage(media(spec).read_bytes()))
    clip = harness.ask("bad", "bad.mp4")
    assert clip.failure is not None, clip
    assert (clip.state, clip.failure.reason) == (ClipState.FAILED, reason)
    assert words in clip.failure.message
    assert clip.attempt == 1
    assert harness.types()[-1] == "failed"
    # Once a good recording is there, the same clip is made.
    harness.put("bad.mp4", media(SHORT).read_bytes())
    accept.retry(harness.services, "bad")
    harness.work()
    assert harness.frames(harness.clip("bad")) == 30


def test_a_truncated_recording_gives_what_is_there_and_says_so(
    harness: RealCutterHarness, media: Callable[[MediaSpec], Path]
) -> None:
    whole = media(INDEX_FIRST).read_bytes()
    harness.put("cut.mp4", whole[: len(whole) * 3 // 5])
    clip = harness.ask("cut", "cut.mp4", source={"recording": "cut.mp4", "start": 0.5, "end": 3})
    assert clip.result is not None, clip.failure
    assert clip.result.spans[0].clamped
    assert 0 < harness.frames(clip) == clip.result.frames < 75
    assert clip.result.notes


def test_a_video_without_video_gives_its_sound(harness: RealCutterHarness, media: Callable[[MediaSpec], Path]) -> None:
    harness.put("sound.mp4", media(SOUND_ALONE).read_bytes())
    clip = harness.ask("sound", "sound.mp4")
    assert clip.result is not None, clip.failure
    assert (clip.result.frames, clip.result.width) == (0, 0)
    assert float(clip.result.duration) == pytest.approx(1, abs=0.03)


def once(harness: PathHarness, stage: str, happening: Callable[[], object]) -> None:
    """Let something happen the first time that a worker passes a stage."""

    def at_stage(reached: str) -> None:
        if reached == stage:
            harness.at_stage = lambda _stage: None
            happening()

    harness.at_stage = at_stage


def test_a_recording_that_changes_while_it_is_cut_fails_the_clip_by_name(
    harness: RealCutterHarness, media: Callable[[MediaSpec], Path]
) -> None:
    once(harness, "resolved", lambda: harness.put("sea.mp4", media(OTHER).read_bytes()))
    clip = harness.ask("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.FAILED, "source_changed")
    assert "Retry the clip" in clip.failure.message
    accept.retry(harness.services, "wave")
    harness.work()
    assert harness.frames(harness.clip("wave")) == 30


def test_a_recording_that_vanishes_while_it_is_cut_fails_the_clip_by_name(
    harness: RealCutterHarness, media: Callable[[MediaSpec], Path]
) -> None:
    once(harness, "resolved", (harness.settings.data / "recordings" / "sea.mp4").unlink)
    clip = harness.ask("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.FAILED, "recording_not_found")
    assert "sea.mp4" in clip.failure.message
    shutil.copy(media(SHORT), harness.settings.data / "recordings" / "sea.mp4")
    accept.retry(harness.services, "wave")
    harness.work()
    assert harness.frames(harness.clip("wave")) == 30


def wait_out(harness: PathHarness) -> None:
    """Until the next try, which may have to wait for the message to show again."""
    harness.pass_time(harness.settings.visibility + 1)
    harness.work()


def fill(filler: Path) -> None:
    """Take all the room there is."""
    left = shutil.disk_usage(filler.parent).free
    filler.write_bytes(bytes(left))
    assert shutil.disk_usage(filler.parent).free < 4096


@pytest.fixture
def clip_disk(tmp_path: Path) -> Iterator[Path]:
    """A separate disk below the clip store; named before `harness`, so that it exists longer."""
    with small_disk(tmp_path / "data" / "clips", megabytes=1) as place:
        yield place


def test_a_full_disk_delays_the_clip_and_once_there_is_room_it_is_made(
    clip_disk: Path, harness: RealCutterHarness
) -> None:
    filler = clip_disk / "filler"
    once(harness, "rendered", lambda: fill(filler))
    clip = harness.ask("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.QUEUED, "storage_full")
    assert "Free some space" in clip.failure.message
    assert harness.objects() == ["filler"]
    filler.unlink()
    wait_out(harness)
    assert harness.frames(harness.clip("wave")) == 30


def test_a_store_that_cannot_be_written_delays_the_clip_and_says_why(
    clip_disk: Path, harness: RealCutterHarness
) -> None:
    once(harness, "rendered", lambda: make_read_only(clip_disk))
    clip = harness.ask("wave")
    assert clip.failure is not None
    assert (clip.state, clip.failure.reason) == (ClipState.QUEUED, "storage_unavailable")
    assert "read-only" in clip.failure.message
    make_read_only(clip_disk, read_only=False)
    wait_out(harness)
    assert harness.frames(harness.clip("wave")) == 30


def test_a_full_disk_below_the_database_loses_nothing(tmp_path: Path, media: Callable[[MediaSpec], Path]) -> None:
    with small_disk(tmp_path / "disk", megabytes=8) as disk:
        harness = RealCutterHarness(disk / "data")
        harness.put("sea.mp4", media(SHORT).read_bytes())
        filler = disk / "filler"
        once(harness, "claimed", lambda: fill(filler))
        harness.ask("wave")
        assert harness.clip("wave").state is not ClipState.READY
        filler.unlink()
        wait_out(harness)
        assert harness.frames(harness.clip("wave")) == 30
        assert harness.objects() == sorted(keys_of(harness.clip("wave")))
        assert harness.depth() == (0, 0, 0, 0)
        harness.services.close()
