"""The feed of events: every stream hears of every event once and in order, wherever it begins."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.path.harness import PathHarness
from tests.support.waiting import PATIENCE, eventually

from cutback.adapters.cache_memory import MemoryCache
from cutback.ports import EVENT_COUNTER
from cutback.web.api.event_feed import EventFeed, LoggedEvent, look_seconds
from cutback.web.api.event_stream import Stream


@pytest.fixture
def harness(tmp_path: Path) -> PathHarness:
    return PathHarness(tmp_path / "data")


@pytest.fixture
def feed(harness: PathHarness) -> Iterator[EventFeed]:
    made = EventFeed(harness.services)
    yield made
    made.close()


def everything(_: LoggedEvent) -> bool:
    return True


def stream(feed: EventFeed, position: int) -> Stream:
    return Stream(feed, position, everything)


def id_of(block: bytes) -> int:
    return int(next(line for line in block.decode().splitlines() if line.startswith("id: "))[4:])


async def ids(of: Stream, until: int) -> list[int]:
    """The positions of the events up to one of them."""
    found: list[int] = []
    async for block in of.blocks():
        if b"\nevent: " in block:
            found.append(id_of(block))
        if found and found[-1] >= until:
            return found
    raise AssertionError(f"the stream ended after {found}")


def test_a_stream_begins_with_its_position_and_then_has_each_event_as_a_cloud_event(
    harness: PathHarness, feed: EventFeed
) -> None:
    clip = harness.submit(id="one")
    feed.open()

    async def read() -> list[bytes]:
        blocks = stream(feed, 0).blocks()
        return [await anext(blocks), await anext(blocks)]

    first, second = asyncio.run(read())
    assert first == b": events from here on\nid: 0\n\n"
    lines = second.decode().splitlines()
    assert lines[:2] == ["id: 1", "event: clip.queued"]
    assert json.loads(lines[2].removeprefix("data: ")) == clip.event().body()


def test_streams_that_begin_anywhere_hear_of_the_same_events_without_gap_or_repeat(
    harness: PathHarness, feed: EventFeed
) -> None:
    for number in range(30):
        harness.submit(id=f"before-{number}")
    last = feed.open()

    async def run() -> list[list[int]]:
        readers = [asyncio.create_task(ids(stream(feed, at), last + 50)) for at in (0, 7, last)]
        for number in range(50):
            await asyncio.to_thread(harness.submit, id=f"after-{number}")
        return await asyncio.wait_for(asyncio.gather(*readers), PATIENCE)

    whole, part, live = asyncio.run(run())
    assert whole == list(range(1, 81))
    assert part == list(range(8, 81))
    assert live == list(range(31, 81))


def test_what_is_no_longer_in_memory_is_read_from_the_log(harness: PathHarness) -> None:
    feed = EventFeed(harness.services, most_events=5)
    for number in range(450):
        harness.submit(id=f"clip-{number}")
    feed.open()
    try:
        assert asyncio.run(asyncio.wait_for(ids(stream(feed, 0), 450), PATIENCE)) == list(range(1, 451))
    finally:
        feed.close()


def test_a_stream_that_reads_the_log_faster_than_the_feed_is_not_taken_for_a_slow_one(
    harness: PathHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = EventFeed(harness.services, most_events=5)
    for number in range(450):
        harness.submit(id=f"clip-{number}")
    follow = feed._follow

    def follow_late() -> None:
        eventually(lambda: bool(feed._listeners))  # the stream has read the log up to where memory should begin
        follow()

    monkeypatch.setattr(feed, "_follow", follow_late)
    feed.open()
    try:
        assert asyncio.run(asyncio.wait_for(ids(stream(feed, 0), 450), PATIENCE)) == list(range(1, 451))
    finally:
        feed.close()


def test_a_client_that_was_up_to_date_and_fell_behind_is_sent_away_and_can_resume(harness: PathHarness) -> None:
    feed = EventFeed(harness.services, most_events=5)
    feed.open()
    slow = stream(feed, 0)

    async def run() -> tuple[int, bytes]:
        blocks = slow.blocks()
        await anext(blocks)
        await asyncio.to_thread(harness.submit, id="first")
        seen = id_of(await anext(blocks))
        for number in range(20):
            await asyncio.to_thread(harness.submit, id=f"clip-{number}")
        await asyncio.to_thread(eventually, lambda: feed.floor >= 10)  # as it reads nothing meanwhile
        return seen, await anext(blocks)

    try:
        seen, last = asyncio.run(asyncio.wait_for(run(), PATIENCE))
        assert (seen, last.split(b"\n")[1].split(b":")[0]) == (1, b"retry")
        assert asyncio.run(asyncio.wait_for(ids(stream(feed, seen), 21), PATIENCE)) == list(range(2, 22))
    finally:
        feed.close()


def test_closing_ends_waiting_streams_and_tells_them_when_to_come_back(feed: EventFeed) -> None:
    feed.open()

    async def run() -> list[bytes]:
        async def read() -> list[bytes]:
            return [block async for block in stream(feed, 0).blocks()]

        readers = [asyncio.create_task(read()) for _ in range(20)]
        await asyncio.to_thread(eventually, lambda: feed.streams == 20 and feed._listeners)
        await asyncio.to_thread(feed.close)
        return [blocks[-1] for blocks in await asyncio.gather(*readers)]

    ends = asyncio.run(asyncio.wait_for(run(), PATIENCE))
    retries = {int(end.decode().split("retry: ")[1]) for end in ends}
    assert all(500 <= each <= 3000 for each in retries)
    assert len(retries) > 5, "clients would come back all at once"


def test_an_event_is_written_once_for_all_streams(harness: PathHarness) -> None:
    logged = LoggedEvent.of(1, harness.submit(id="one").event())
    assert logged.block is logged.block
    assert logged.chunk is logged.chunk
    assert logged.chunk == b"%x\r\n%b\r\n" % (len(logged.block), logged.block)


def test_events_can_be_chosen_by_camera_state_and_recording(harness: PathHarness) -> None:
    event = harness.submit(
        id="two", source=[{"camera": "north", "from": "2026-06-21T05:30:00Z", "to": "2026-06-21T05:31:00Z"}]
    ).event()
    logged = LoggedEvent.of(1, event)
    assert (logged.state, logged.clip_ids, logged.cameras) == ("queued", frozenset({"two"}), frozenset({"north"}))


def test_every_change_of_a_clip_moves_the_counter(harness: PathHarness) -> None:
    seen = [harness.services.cache.count(EVENT_COUNTER)]
    harness.submit(id="one")
    seen.append(harness.services.cache.count(EVENT_COUNTER))
    harness.work()
    seen.append(harness.services.cache.count(EVENT_COUNTER))
    assert isinstance(harness.services.cache, MemoryCache)
    assert len(set(seen)) == 3


@pytest.mark.parametrize(
    ("shared_counter", "local_records", "seconds"), [(True, True, 2.0), (False, True, 0.0), (False, False, 0.5)]
)
def test_how_often_the_log_is_looked_at(*, shared_counter: bool, local_records: bool, seconds: float) -> None:
    assert look_seconds(shared_counter=shared_counter, local_records=local_records) == seconds
