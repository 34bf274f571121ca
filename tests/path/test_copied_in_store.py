"""Clips whose unchanged media the store itself copies: the same bytes, without reading or sending them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bench.far_store import Answered, Distance, FarStore, far_store
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.path.harness import PathHarness
from tests.support.media import cached_media
from tests.support.spec import MediaSpec

from cutback.cutting.mp4.layout import SPOOL, Extent
from cutback.domain.cameras.recording import Recording
from cutback.domain.errors import SettingsError
from cutback.lifecycle.copied_parts import SentPart, plan_parts
from cutback.make_clip import _copied
from cutback.sandbox.cutter import ChildCutter
from cutback.settings.settings import load_settings
from cutback.storage.multipart import MOST_PARTS, SMALLEST_PART, CopiedRange
from cutback.storage.multipart import WORTH_COPYING as WORTH
from cutback.storage.store import MIB

NEAR = Distance(round_trip=0, bandwidth=1e12, handshake=0)
SPEC = MediaSpec(frames=300, gop=60)


# --- the plan --------------------------------------------------------------------------------------


def from_recordings(extent: Extent) -> CopiedRange | None:
    if extent.origin == SPOOL:
        return None
    return CopiedRange("recordings", f"{extent.origin}.mp4", "e", extent.offset, extent.length)


def bytes_of(part: SentPart | CopiedRange) -> list[Extent]:
    if isinstance(part, SentPart):
        return list(part.extents)
    return [Extent(int(part.key.removesuffix(".mp4")), part.offset, part.length)]


def joined(extents: list[Extent]) -> list[Extent]:
    """Join what follows each other."""
    found: list[Extent] = []
    for extent in extents:
        last = found[-1] if found else None
        if last and last.origin == extent.origin and last.offset + last.length == extent.offset:
            found[-1] = Extent(last.origin, last.offset, last.length + extent.length)
        elif extent.length:
            found.append(extent)
    return found


extents_strategy = st.lists(
    st.builds(
        Extent,
        st.integers(SPOOL, 1),
        st.integers(0, 1 << 40),
        st.one_of(st.integers(1, 100_000), st.integers(SMALLEST_PART - 2, 3 * WORTH), st.integers(1, 1 << 36)),
    ),
    min_size=1,
    max_size=12,
)


@given(extents_strategy)
@settings(deadline=None)
def test_the_parts_are_the_file_in_order_and_none_but_the_last_is_too_small(extents: list[Extent]) -> None:
    parts = plan_parts(extents, from_recordings)
    worth = any(extent.origin != SPOOL and extent.length >= WORTH + SMALLEST_PART for extent in extents)
    assert parts is not None or not worth
    if parts is None:
        return
    assert joined([extent for part in parts for extent in bytes_of(part)]) == joined(extents)
    sizes = [sum(extent.length for extent in bytes_of(part)) for part in parts]
    assert min(sizes[:-1], default=SMALLEST_PART) >= SMALLEST_PART
    sent = [size for size, part in zip(sizes, parts, strict=True) if isinstance(part, SentPart)]
    assert max(sent, default=0) <= 16 * MIB
    assert max(sizes) <= 5 * 1024 * MIB


def test_a_day_is_copied_in_no_more_parts_than_an_upload_has() -> None:
    day = 4 << 40
    parts = plan_parts([Extent(SPOOL, 0, 9), Extent(0, 5, day)], from_recordings)
    assert parts is not None
    assert len(parts) <= 9_001


def test_a_file_of_too_many_parts_is_sent() -> None:
    runs = [Extent(0, number * 3 * WORTH, WORTH) for number in range(MOST_PARTS + 1)]
    assert plan_parts(runs[:-1], from_recordings) is not None
    assert plan_parts(runs, from_recordings) is None


def test_what_is_no_single_object_of_the_source_store_is_not_copied_by_it(bucketed: Bucketed) -> None:
    services = bucketed.open("copied", copy_in_store=True).services
    recordings = [Recording("a.mp4", "e", 9), Recording("a.m3u8", "e", 9), Recording("logo.png", "e", 9, is_asset=True)]
    readers = [SimpleNamespace(info=SimpleNamespace(key=each.key, etag=each.etag)) for each in recordings]
    range_of = _copied(services, SimpleNamespace(recordings=recordings, readers=readers))  # type: ignore[arg-type]
    found = [range_of(Extent(origin, 5, WORTH)) for origin in (SPOOL, 0, 1, 2)]
    assert found == [None, CopiedRange("recordings", "a.mp4", "e", 5, WORTH), None, None]


def test_a_small_clip_is_sent_as_before() -> None:
    assert plan_parts([Extent(SPOOL, 0, 900), Extent(0, 0, WORTH - 1)], from_recordings) is None
    assert plan_parts([Extent(SPOOL, 0, 10 * WORTH)], from_recordings) is None


def test_the_first_bytes_of_a_run_are_sent_with_what_is_too_small_before_it() -> None:
    assert plan_parts([Extent(SPOOL, 0, 900), Extent(0, 100, 2 * WORTH), Extent(SPOOL, 900, 3)], from_recordings) == [
        SentPart((Extent(SPOOL, 0, 900), Extent(0, 100, SMALLEST_PART - 900))),
        CopiedRange("recordings", "0.mp4", "e", 100 + SMALLEST_PART - 900, 2 * WORTH - SMALLEST_PART + 900),
        SentPart((Extent(SPOOL, 900, 3),)),
    ]


# --- clips -----------------------------------------------------------------------------------------


class Bucketed:
    """Workers that read recordings from one bucket and store clips in another."""

    def __init__(self, folder: Path, far: FarStore) -> None:
        self._folder, self.far = folder, far
        self._harnesses: list[PathHarness] = []

    def make(self, name: str, **fields: Any) -> tuple[bytes, list[Answered]]:
        """Let a worker make a clip; returns the clip and what the store was asked for."""
        harness = self.open(name, copy_in_store=name.startswith("copied"))
        self.far.taken()
        harness.submit(**{"source": {"recording": "sea.mp4", "start": "3.05", "end": "7.51"}, **fields})
        harness.work()
        clip = harness.clip("wave")
        assert clip.result is not None, clip.failure
        return (self.far.folder / name / clip.result.key).read_bytes(), self.far.taken()

    def open(self, name: str, **settings: Any) -> PathHarness:
        (self.far.folder / name).mkdir()
        harness = PathHarness(
            self._folder / name,
            source_store="s3://recordings",
            source_options=self.far.options(),
            clip_store=f"s3://{name}",
            clip_options=self.far.options(),
            **settings,
        )
        child = ChildCutter(warm=False)
        services = harness.another(cutter=child, prober=child)
        harness.services.close()
        harness.services = services
        self._harnesses.append(harness)
        return harness

    def close(self) -> None:
        for harness in self._harnesses:
            harness.services.close()


@pytest.fixture
def bucketed(tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucketed]:
    # The stand-in takes parts of any size, so that a recording need not have a hundred megabytes.
    monkeypatch.setattr("cutback.lifecycle.copied_parts.SMALLEST_PART", 2_000)
    monkeypatch.setattr("cutback.lifecycle.copied_parts.WORTH_COPYING", 4_000)
    (tmp_path / "stores" / "recordings").mkdir(parents=True)
    media = cached_media(SPEC, Path(pytestconfig.cache.mkdir("media")))
    (tmp_path / "stores" / "recordings" / "sea.mp4").write_bytes(media.read_bytes())
    with far_store(tmp_path / "stores", NEAR) as far:
        made = Bucketed(tmp_path, far)
        yield made
        made.close()


@pytest.mark.usefixtures("forked_cutters")
@pytest.mark.parametrize("precision", ["exact", "instant", "keyframe"])
def test_a_clip_that_the_store_copied_has_the_same_bytes(bucketed: Bucketed, precision: str) -> None:
    output = {"precision": precision}
    sent, usual = bucketed.make("sent", output=output)
    copied, asked = bucketed.make("copied", output=output)
    assert copied == sent
    actions = [each.action for each in asked]
    assert "copy_part" in actions
    assert "copy_part" not in [each.action for each in usual]
    if precision == "instant":
        assert sum(each.size for each in asked if each.action == "put_part") < len(copied) / 4


@pytest.mark.usefixtures("forked_cutters")
def test_a_recording_that_is_replaced_before_it_is_copied_makes_no_wrong_clip(bucketed: Bucketed) -> None:
    harness = bucketed.open("copied", copy_in_store=True)
    recording = bucketed.far.folder / "recordings" / "sea.mp4"

    def replace(stage: str) -> None:
        if stage == "rendered":
            recording.write_bytes(bytes(recording.stat().st_size))

    harness.at_stage = replace
    harness.submit(source={"recording": "sea.mp4", "start": 1, "end": 9}, output={"precision": "instant"})
    harness.work()
    clip = harness.clip("wave")
    assert clip.failure is not None
    assert clip.failure.reason == "source_changed"
    assert not list((bucketed.far.folder / "copied").rglob("*.mp4"))


def test_copying_inside_the_store_needs_buckets_of_one_service() -> None:
    with pytest.raises(SettingsError, match="CUTBACK_COPY_IN_STORE"):
        load_settings(copy_in_store=True)
    apart = {"clip_options": {"endpoint": "https://x.example"}}
    with pytest.raises(SettingsError, match="CUTBACK_COPY_IN_STORE"):
        load_settings(copy_in_store=True, source_store="s3://a", clip_store="s3://b", **apart)
    assert load_settings(copy_in_store=True, source_store="s3://a", clip_store="s3://b").copy_in_store
