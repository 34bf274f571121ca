"""What every Records must do. Subclass `RecordsContract`, give it a `factory` fixture, and it is tested."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
from tests.contract.racing import in_processes, in_threads

from cutback.domain.clips.clip import Clip, ClipResult, ClipState, CutSpan, Progress, new_clip
from cutback.domain.errors import RecordingNotFoundError, StorageUnavailableError
from cutback.domain.requests.request import validate_request
from cutback.domain.requests.sources import Range
from cutback.ports import ClipQuery, Records

T0 = datetime(2026, 3, 29, 0, 59, 59, 999_999, tzinfo=UTC)
LEASE = timedelta(seconds=30)


class RecordsFactory(ABC):
    """Opens the same records again and again."""

    @abstractmethod
    def open(self) -> Records:
        """The records, as one more user of them."""

    @abstractmethod
    def opener(self) -> Callable[[], Records]:
        """Opens them from another process; picklable."""


def a_clip(clip_id: str = "wave", *, at: datetime = T0, recordings: str = "sea.mp4", **fields: Any) -> Clip:
    """A clip just accepted; `recordings` are separated by spaces."""
    source = [{"recording": key, "start": "1.5", "end": "00:00:03"} for key in recordings.split()]
    return new_clip(validate_request({"id": clip_id, "source": source, **fields}), now=at)


def claimed(clip: Clip, *, at: datetime = T0, worker: str = "worker-1") -> Clip:
    return clip.claimed(worker=worker, now=at, lease=LEASE)


def waiting(clip: Clip, camera: str) -> Clip:
    return clip.waiting(camera=camera, expected_at=None, look_at=T0 + timedelta(seconds=60), now=T0)


def finished(clip: Clip, *, at: datetime = T0, sweep_at: datetime | None = None) -> Clip:
    result = ClipResult(
        key="clips/波.mp4",
        size=2**40,
        etag='"abc"',
        duration=Fraction(3, 2),
        frames=45,
        spans=(CutSpan(recording="sea.mp4", etag="e", start=Fraction(1), end=Fraction(5, 2)),),
        seconds=0.1,
        notes=("the range was clamped",),
    )
    return clip.finished(result, attempt=clip.attempt, now=at, sweep_at=sweep_at)


def put(records: Records, *changes: Clip) -> Clip:
    """Store a clip and what became of it."""
    for number, clip in enumerate(changes):
        assert records.put_clip(clip) if number == 0 else records.commit(clip)
    return changes[-1]


def ids(clips: Any) -> list[str]:
    return [clip.id for clip in clips]


def listed(records: Records, query: ClipQuery = ClipQuery(), *, limit: int = 50) -> list[str]:  # noqa: B008 - frozen
    """The ids on all pages."""
    found: list[str] = []
    cursor = None
    while True:
        page = records.list_clips(query, limit=limit, cursor=cursor)
        assert len(page.clips) <= limit
        found += ids(page.clips)
        cursor = page.next_cursor
        if cursor is None:
            return found
        assert len(page.clips) == limit, "only the last page is short"


def waiters(records: Records, camera: str, *, limit: int = 50) -> list[str]:
    """The ids on all pages of those that wait for the camera."""
    found: list[str] = []
    cursor = None
    while True:
        page = records.waiting_for(camera, limit=limit, cursor=cursor)
        found += ids(page.clips)
        cursor = page.next_cursor
        if cursor is None:
            return found
        assert len(page.clips) == limit, "only the last page is short"


def _put_in_another_process(argument: tuple[Callable[[], Records], str]) -> bool:
    opener, worker = argument
    return opener().put_clip(a_clip(title=worker))


def _count_up(argument: tuple[Callable[[], Records], int]) -> int:
    opener, times = argument
    records = opener()
    lost = 0
    for _ in range(times):
        while True:
            clip = records.get_clip("wave")
            assert clip is not None
            if records.commit(clip.swept(now=T0)):
                break
            lost += 1
    return lost


def recordings_of(clip: Clip) -> set[str]:
    return {each.recording for each in clip.request.source if isinstance(each, Range)}


def _put_one_of(users: list[Records], clips: list[Clip], number: int) -> bool:
    return users[number % 2].put_clip(clips[number])


def _commit_one_of(users: list[Records], clips: list[Clip], number: int) -> bool:
    return users[number % 2].commit(clips[number])


class RecordsContract:
    """The suite. `factory` is a fixture that returns a `RecordsFactory` for empty records."""

    @pytest.fixture
    def records(self, factory: RecordsFactory) -> Records:
        return factory.open()

    # --- put and get -----------------------------------------------------------------------------

    def test_a_clip_is_given_back_as_it_was_put(self, records: Records) -> None:
        clip = a_clip(
            title="Größe 🌊 波",
            tags=["a", "b'); DROP TABLE clips; --"],
            labels={"key with $.dots": "value", "波": ""},
            webhook="https://example.com/hook",
            expires_in=3600,
        )
        assert records.put_clip(clip)
        assert clip == records.get_clip("wave")

    def test_every_state_of_a_clip_is_given_back_as_it_was_committed(self, records: Records) -> None:
        clip = a_clip(expires_in=60, source=[{"recording": "a", "start": {"frame": 3}, "end": {"frame": 9}}])
        put(records, clip)
        error = StorageUnavailableError("The bucket is asleep.")
        steps: list[Callable[[Clip], Clip]] = [
            claimed,
            lambda clip: clip.given_back(error, attempt=1, now=T0, sweep_at=T0),
            claimed,
            lambda clip: clip.failed(RecordingNotFoundError(), attempt=2, now=T0, sweep_at=None),
            lambda clip: clip.requeued(now=T0, sweep_at=T0 + LEASE),
            lambda clip: clip.cancelled(now=T0, sweep_at=T0),
            lambda clip: clip.swept(now=T0),
            lambda clip: clip.requeued(now=T0),
            claimed,
            finished,
            lambda clip: clip.expired(now=T0 + timedelta(hours=1)),
        ]
        for step in steps:
            clip = step(clip)
            assert records.commit(clip)
            assert clip == records.get_clip("wave")

    def test_there_is_no_clip_with_an_unknown_id(self, records: Records) -> None:
        put(records, a_clip())
        assert records.get_clip("Wave") is None

    def test_a_taken_id_is_not_overwritten(self, records: Records) -> None:
        first, second = a_clip(title="first"), a_clip(title="second", tags=["x"], recordings="other.mp4")
        assert records.put_clip(first)
        assert not records.put_clip(second)
        assert first == records.get_clip("wave")
        assert len(records.events_after(0)) == 1
        assert listed(records, ClipQuery(tag="x")) == listed(records, ClipQuery(recording="other.mp4")) == []

    def test_what_was_stored_is_there_for_a_later_user(self, factory: RecordsFactory, records: Records) -> None:
        clip = put(records, a_clip(), claimed(a_clip()))
        assert clip == factory.open().get_clip("wave")

    def test_only_one_of_many_puts_at_once_is_stored(self, factory: RecordsFactory, records: Records) -> None:
        users = [records, factory.open()]
        clips = [a_clip(title=str(number)) for number in range(8)]
        for attempt in range(5):
            fresh = [clip.model_copy(update={"id": f"wave-{attempt}"}) for clip in clips]
            stored = in_threads(8, partial(_put_one_of, users, fresh))
            assert sum(stored) == 1
            assert fresh[stored.index(True)] == records.get_clip(f"wave-{attempt}")
        assert len(records.events_after(0)) == 5

    def test_only_one_of_many_processes_puts_the_clip(self, factory: RecordsFactory, records: Records) -> None:
        stored = in_processes(_put_in_another_process, [(factory.opener(), str(number)) for number in range(3)])
        assert sum(stored) == 1
        clip = records.get_clip("wave")
        assert clip is not None
        assert str(stored.index(True)) == clip.request.title

    # --- commit ----------------------------------------------------------------------------------

    def test_a_commit_on_an_old_revision_changes_nothing(self, records: Records) -> None:
        clip = a_clip()
        current = put(records, clip, claimed(clip, worker="fast"))
        late = claimed(clip, worker="late")
        assert not records.commit(late)
        assert not records.commit(current), "the same change twice"
        assert current == records.get_clip("wave")
        assert [event.id for _, event in records.events_after(0)] == ["wave.1", "wave.2"]

    def test_a_commit_on_a_future_revision_changes_nothing(self, records: Records) -> None:
        clip = put(records, a_clip())
        skipping = finished(claimed(clip))
        assert not records.commit(skipping)
        assert clip == records.get_clip("wave")

    def test_a_commit_of_an_unknown_clip_changes_nothing(self, records: Records) -> None:
        assert not records.commit(claimed(a_clip()))
        assert records.get_clip("wave") is None
        assert records.last_position() == 0

    def test_a_commit_changes_that_clip_alone(self, records: Records) -> None:
        other = put(records, a_clip("other"))
        clip = a_clip()
        put(records, clip, claimed(clip))
        assert other == records.get_clip("other")

    def test_only_one_of_many_commits_from_the_same_revision_wins(
        self, factory: RecordsFactory, records: Records
    ) -> None:
        users = [records, factory.open()]
        clip = put(records, a_clip())
        for _ in range(5):
            changes = [
                clip.model_copy(update={"revision": clip.revision + 1, "worker": str(number)}) for number in range(8)
            ]
            won = in_threads(8, partial(_commit_one_of, users, changes))
            assert sum(won) == 1
            clip = changes[won.index(True)]
            assert clip == records.get_clip("wave")
        assert [f"wave.{revision}" for revision in range(1, 7)] == [event.id for _, event in records.events_after(0)]

    def test_no_change_of_many_processes_is_lost(self, factory: RecordsFactory, records: Records) -> None:
        put(records, a_clip())
        in_processes(_count_up, [(factory.opener(), 25)] * 3)
        clip = records.get_clip("wave")
        assert clip is not None
        assert clip.revision == 76
        assert [f"wave.{revision}" for revision in range(1, 77)] == [event.id for _, event in records.events_after(0)]

    # --- beat ------------------------------------------------------------------------------------

    def test_a_beat_prolongs_the_lease_and_notes_the_progress_alone(self, records: Records) -> None:
        clip = a_clip(labels={"$.progress": "mine"})
        current = put(records, clip, claimed(clip))
        lease_until = T0 + timedelta(hours=1, microseconds=1)
        progress = Progress(fraction=1 / 3, bytes=2**53 + 1, frames=7)
        assert records.beat("wave", 1, lease_until=lease_until, progress=progress)
        expected = current.model_copy(update={"lease_until": lease_until, "progress": progress})
        assert expected == records.get_clip("wave")
        assert [expected] == list(records.list_clips(ClipQuery()).clips)
        assert records.last_position() == 2

    def test_a_change_from_before_a_beat_is_still_stored(self, records: Records) -> None:
        clip = a_clip()
        current = put(records, clip, claimed(clip))
        assert records.beat("wave", 1, lease_until=T0 + 2 * LEASE, progress=Progress(fraction=0.5))
        done = finished(current)
        assert records.commit(done)
        assert done == records.get_clip("wave")

    def test_a_beat_of_another_attempt_changes_nothing(self, records: Records) -> None:
        clip = a_clip()
        first = claimed(clip)
        second = claimed(first, at=T0 + LEASE, worker="worker-2")
        put(records, clip, first, second)
        for attempt in (0, 1, 3):
            assert not records.beat("wave", attempt, lease_until=T0 + 9 * LEASE, progress=Progress(fraction=1))
        assert second == records.get_clip("wave")
        assert records.beat("wave", 2, lease_until=T0 + 3 * LEASE, progress=Progress())

    @pytest.mark.parametrize("state", ["queued", "ready", "failed", "cancelled", "given back"])
    def test_a_heartbeat_without_an_attempt_changes_nothing(self, records: Records, state: str) -> None:
        clip = put(records, a_clip())
        working = claimed(clip)
        over = {
            "queued": lambda: clip,
            "ready": lambda: finished(working),
            "failed": lambda: working.failed(RecordingNotFoundError(), attempt=1, now=T0, sweep_at=None),
            "cancelled": lambda: working.cancelled(now=T0, sweep_at=T0),
            "given back": lambda: working.given_back(StorageUnavailableError(), attempt=1, now=T0),
        }[state]()
        if over is not clip:
            assert records.commit(working)
            assert records.commit(over)
        assert not records.beat("wave", over.attempt, lease_until=T0 + LEASE, progress=Progress(fraction=0.5))
        assert over == records.get_clip("wave")

    def test_a_beat_of_an_unknown_clip_is_refused(self, records: Records) -> None:
        assert not records.beat("nobody", 1, lease_until=T0, progress=Progress())

    # --- listing ---------------------------------------------------------------------------------

    def test_clips_are_listed_newest_first_then_by_id(self, records: Records) -> None:
        for clip_id, seconds in [("b", 0), ("d", 1), ("a", 0), ("c", 0), ("old", -1)]:
            records.put_clip(a_clip(clip_id, at=T0 + timedelta(seconds=seconds)))
        assert listed(records) == ["d", "c", "b", "a", "old"]

    @pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 50])
    def test_pages_of_any_size_hold_each_clip_once(self, records: Records, limit: int) -> None:
        for number in range(6):
            records.put_clip(a_clip(f"c{number}", at=T0 + timedelta(microseconds=number // 3)))
        assert listed(records, limit=limit) == ["c5", "c4", "c3", "c2", "c1", "c0"]

    @pytest.mark.parametrize(
        ("limit", "expected"), [(1, [["c2"], [], ["c0"]]), (2, [["c2"], ["c0"]]), (50, [["c2", "c0"]])]
    )
    def test_a_record_that_cannot_be_read_does_not_hide_the_others(
        self, records: Records, limit: int, expected: list[list[str]]
    ) -> None:
        damaged = a_clip("c1", at=T0 + timedelta(seconds=1))
        damaged = damaged.model_copy(update={"request": damaged.request.model_copy(update={"expires_in": 1})})
        for clip in (a_clip("c0"), damaged, a_clip("c2", at=T0 + timedelta(seconds=2))):
            records.put_clip(clip)
        page = records.list_clips(ClipQuery(), limit=limit)
        pages = [ids(page.clips)]
        while (cursor := page.next_cursor) is not None:
            page = records.list_clips(ClipQuery(), limit=limit, cursor=cursor)
            pages.append(ids(page.clips))
        assert pages == expected

    def test_a_record_that_cannot_be_read_does_not_stop_housekeeping(self, records: Records) -> None:
        damaged = a_clip("c0")
        damaged = damaged.model_copy(update={"request": damaged.request.model_copy(update={"expires_in": 1})})
        for clip in (damaged, a_clip("c1")):
            put(records, clip, waiting(clip, "north"))
        assert ids(records.due(T0 + timedelta(days=1))) == ["c1"]

    def test_nothing_stored_is_one_empty_last_page(self, records: Records) -> None:
        page = records.list_clips(ClipQuery())
        assert (list(page.clips), page.next_cursor) == ([], None)

    def test_a_full_last_page_has_no_next_one(self, records: Records) -> None:
        put(records, a_clip("a"))
        put(records, a_clip("b"))
        assert records.list_clips(ClipQuery(), limit=2).next_cursor is None

    def test_paging_is_stable_while_clips_come_and_change(self, records: Records) -> None:
        for number in range(9):
            records.put_clip(a_clip(f"c{number}", at=T0 + timedelta(seconds=number)))
        first = records.list_clips(ClipQuery(), limit=3)
        for number in range(9):
            clip = records.get_clip(f"c{number}")
            assert clip is not None
            assert records.commit(claimed(clip))
            records.put_clip(a_clip(f"new{number}", at=T0 + timedelta(hours=1)))
        second = records.list_clips(ClipQuery(), limit=3, cursor=first.next_cursor)
        records.put_clip(a_clip("backdated", at=T0 + timedelta(seconds=2.5)))
        third = records.list_clips(ClipQuery(), limit=9, cursor=second.next_cursor)
        assert ids(first.clips) == ["c8", "c7", "c6"]
        assert ids(second.clips) == ["c5", "c4", "c3"]
        assert ids(third.clips) == ["backdated", "c2", "c1", "c0"]
        assert third.next_cursor is None

    def test_paging_by_state_neither_repeats_nor_skips_while_states_change(self, records: Records) -> None:
        for number in range(6):
            records.put_clip(a_clip(f"c{number}", at=T0 + timedelta(seconds=number)))
        queued = ClipQuery(states=(ClipState.QUEUED,))
        first = records.list_clips(queued, limit=2)
        for clip in first.clips:
            assert records.commit(claimed(clip))
        second = records.list_clips(queued, limit=4, cursor=first.next_cursor)
        assert ids(second.clips) == ["c3", "c2", "c1", "c0"]

    def test_filters_hold_each_alone_and_all_together(self, records: Records) -> None:
        every = {}
        for number in range(48):
            tags = [tag for bit, tag in ((1, "left"), (2, "波")) if number & bit]
            recordings = "sea.mp4 beach/2.mp4" if number & 4 else "sea.mp4"
            at = T0 + timedelta(seconds=number // 4)
            clip = a_clip(f"c{number:02}", at=at, tags=tags, recordings=recordings)
            every[clip.id] = put(records, clip, claimed(clip)) if number % 3 == 0 else put(records, clip)
        newest_first = sorted(every.values(), key=lambda clip: (clip.created_at, clip.id), reverse=True)
        combinations = [
            ClipQuery(states, tag, recording, created_from, created_before)
            for states in (
                (),
                (ClipState.QUEUED,),
                (ClipState.READY,),
                (ClipState.PROCESSING, ClipState.QUEUED),
                (ClipState.PROCESSING, ClipState.READY, ClipState.PROCESSING),
            )
            for tag in (None, "left", "波", "lef", "LEFT")
            for recording in (None, "sea.mp4", "beach/2.mp4", "beach")
            for created_from in (None, T0 + timedelta(seconds=3))
            for created_before in (None, T0 + timedelta(seconds=9))
        ]
        for query in combinations:
            expected = [clip.id for clip in newest_first if _matches(clip, query)]
            assert expected == listed(records, query, limit=7), query

    def test_clips_of_a_camera_are_those_whose_requests_name_it(self, records: Records) -> None:
        span = {"from": "2026-06-21T10:00:00Z", "to": "2026-06-21T10:00:05Z"}
        for number, names in enumerate((["north"], ["south"], ["south", "north", "north"], ["northern"])):
            source = [{"camera": name, **span} for name in names]
            at = T0 + timedelta(seconds=number)
            request = validate_request({"id": f"c{number}", "source": source, "tags": ["x"] if number else []})
            put(records, new_clip(request, now=at))
        put(records, a_clip("file", recordings="north"))
        assert listed(records, ClipQuery(camera="north")) == ["c2", "c0"]
        assert listed(records, ClipQuery(camera="north", tag="x")) == ["c2"]
        assert listed(records, ClipQuery((ClipState.QUEUED, ClipState.READY), camera="south"), limit=1) == ["c2", "c1"]
        assert listed(records, ClipQuery(camera="north", recording="north")) == []

    def test_times_are_compared_to_the_microsecond_and_across_zones(self, records: Records) -> None:
        put(records, a_clip())
        east = T0.astimezone(datetime.strptime("+0545", "%z").tzinfo)
        tick = timedelta(microseconds=1)
        assert listed(records, ClipQuery(created_from=east, created_before=east + tick)) == ["wave"]
        assert listed(records, ClipQuery(created_from=east + tick)) == []
        assert listed(records, ClipQuery(created_before=east)) == []

    def test_a_tag_or_a_recording_that_is_given_twice_lists_the_clip_once(self, records: Records) -> None:
        put(records, a_clip(tags=["x", "x"], recordings="sea.mp4 sea.mp4"))
        assert ["wave"] == listed(records, ClipQuery(tag="x")) == listed(records, ClipQuery(recording="sea.mp4"))

    def test_a_text_finds_clips_in_which_all_of_its_words_occur_in_any_case(self, records: Records) -> None:
        span = {"camera": "Praia-Norte", "from": "2026-06-21T10:00:00Z", "to": "2026-06-21T10:00:05Z"}
        put(records, a_clip("c0", title="A Left, GRÖSSE 100%", tags=["big"]))
        put(records, a_clip("c1", labels={"surfer": "Ana_B"}, at=T0 + timedelta(seconds=1)))
        request = validate_request({"id": "c2", "source": span})
        put(records, new_clip(request, now=T0 + timedelta(seconds=2)))
        found = {
            text: listed(records, ClipQuery(text=text))
            for text in ("left", "größe", "BIG left", "big right", "ana_b", "anaXb", "praia", "100%", "10.%", " ", "C1")
        }
        assert found == {
            "left": ["c0"], "größe": ["c0"], "BIG left": ["c0"], "big right": [], "ana_b": ["c1"], "anaXb": [],
            "praia": ["c2"], "100%": ["c0"], "10.%": [], " ": ["c2", "c1", "c0"], "C1": ["c1"],
        }  # fmt: skip
        assert listed(records, ClipQuery(tag="big", text="grösse")) == ["c0"]

    def test_the_clips_of_each_tenant_are_listed_apart(self, records: Records) -> None:
        for number, tenant in enumerate(["", "acme", "acme-2", "acme"]):
            put(records, a_clip(f"c{number}", at=T0 + timedelta(seconds=number), tenant=tenant, tags=["x"]))
        assert listed(records, ClipQuery(tenant="acme"), limit=1) == ["acme.c3", "acme.c1"]
        assert listed(records, ClipQuery(tenant="acme", tag="x")) == ["acme.c3", "acme.c1"]
        assert listed(records, ClipQuery(tenant="")) == ["c0"]
        assert listed(records, ClipQuery()) == ["acme.c3", "acme-2.c2", "acme.c1", "c0"]

    def test_two_tenants_may_give_one_id(self, records: Records) -> None:
        assert records.put_clip(a_clip(tenant="acme"))
        assert records.put_clip(a_clip(tenant="other"))
        assert not records.put_clip(a_clip(tenant="acme", title="another"))

    def test_a_deleted_clip_is_listed_only_on_request(self, records: Records) -> None:
        clip = a_clip()
        later = T0 + timedelta(seconds=60)
        gone = clip.to_be_deleted(now=T0, at=later, sweep_at=later)
        put(records, clip, gone)
        assert (listed(records), listed(records, ClipQuery(deleted=True))) == ([], ["wave"])
        assert records.commit(gone.restored(now=T0))
        assert listed(records) == ["wave"]

    def test_a_clip_is_found_by_its_present_description(self, records: Records) -> None:
        clip = a_clip(title="old", tags=["a", "b"])
        put(records, clip, clip.described(now=T0, title="New", tags=("b", "c"), labels={"k": "v"}))
        assert [listed(records, ClipQuery(tag=tag)) for tag in "abc"] == [[], ["wave"], ["wave"]]
        assert [listed(records, ClipQuery(text=text)) for text in ("old", "new", "v")] == [[], ["wave"], ["wave"]]

    def test_a_change_that_comes_too_late_changes_no_tags(self, records: Records) -> None:
        clip = a_clip(tags=["a"])
        put(records, clip, claimed(clip))
        assert not records.commit(clip.described(now=T0, tags=("b",)))
        assert [listed(records, ClipQuery(tag=tag)) for tag in "ab"] == [["wave"], []]

    def test_matching_clips_are_counted(self, records: Records) -> None:
        for number in range(5):
            put(records, a_clip(f"c{number}", tags=["x"] if number % 2 else [], title=f"n{number}"))
        counts = [records.count_clips(query) for query in (ClipQuery(), ClipQuery(tag="x"), ClipQuery(text="n3"))]
        assert counts == [5, 2, 1]
        assert records.count_clips(ClipQuery((ClipState.QUEUED, ClipState.READY))) == 5

    @pytest.mark.parametrize(
        "cursor", ["", "x", "5", "AAAA", "波", "=", "MTIz", "a b", "' OR 1=1", "\x00", "x" * 10_000]
    )
    def test_a_cursor_of_other_making_is_refused(self, records: Records, cursor: str) -> None:
        with pytest.raises(ValueError, match="cursor"):
            records.list_clips(ClipQuery(), cursor=cursor)

    def test_a_cursor_that_was_tampered_with_is_refused(self, records: Records) -> None:
        put(records, a_clip("a"))
        put(records, a_clip("b"))
        cursor = records.list_clips(ClipQuery(), limit=1).next_cursor
        assert cursor is not None
        for wrong in (cursor[:-3], cursor[3:], cursor + "A", cursor + "=", cursor + "\n", "!" + cursor):
            with pytest.raises(ValueError, match="cursor"):
                records.list_clips(ClipQuery(), cursor=wrong)

    # --- due -------------------------------------------------------------------------------------

    def test_a_clip_is_due_when_its_sweep_comes(self, records: Records) -> None:
        clip = claimed(a_clip())
        swept_later = finished(clip, sweep_at=T0 + LEASE)
        put(records, a_clip(), clip, swept_later)
        assert records.due(T0 + LEASE - timedelta(microseconds=1)) == []
        assert [swept_later] == records.due(T0 + LEASE)
        assert records.commit(swept_later.swept(now=T0 + LEASE), announce=False)
        assert records.due(T0 + timedelta(days=9999)) == []

    def test_a_ready_clip_is_due_when_it_expires(self, records: Records) -> None:
        clip = a_clip(expires_in=60)
        ready = put(records, clip, claimed(clip), finished(claimed(clip)))
        end = T0 + timedelta(seconds=60)
        assert records.due(end - timedelta(microseconds=1)) == []
        assert [ready] == records.due(end)
        expired = ready.expired(now=end)
        assert records.commit(expired)
        assert records.commit(expired.swept(now=end))
        assert records.due(end) == []

    def test_a_clip_is_due_an_hour_after_its_lease_passed(self, records: Records) -> None:
        clip = a_clip()
        put(records, clip, claimed(clip))
        late = T0 + LEASE + timedelta(hours=1)
        assert records.due(late - timedelta(seconds=1)) == []
        assert ids(records.due(late + timedelta(seconds=1))) == ["wave"]
        assert records.beat("wave", 1, lease_until=late, progress=Progress())
        assert records.due(late + timedelta(seconds=1)) == []

    def test_clips_without_anything_to_do_are_never_due(self, records: Records) -> None:
        put(records, a_clip("queued"))
        clip = a_clip("ready")
        put(records, clip, claimed(clip), finished(claimed(clip)))
        assert records.due(T0 + timedelta(days=9999)) == []

    def test_a_clip_due_for_two_reasons_is_listed_once_within_the_limit(self, records: Records) -> None:
        for number in range(5):
            clip = a_clip(f"c{number}", expires_in=60)
            sweep_at = T0 + timedelta(minutes=number)
            put(records, clip, claimed(clip), finished(claimed(clip), sweep_at=sweep_at))
        late = T0 + timedelta(days=1)
        assert sorted(ids(records.due(late))) == ["c0", "c1", "c2", "c3", "c4"]
        assert len(records.due(late, limit=3)) == 3

    # --- waiting ---------------------------------------------------------------------------------

    def test_clips_that_wait_for_a_camera_are_found_by_it_the_oldest_first(self, records: Records) -> None:
        for number, camera in enumerate(["north", "south", "north"]):
            put(records, clip := a_clip(f"w{number}", at=T0 - timedelta(seconds=number)), waiting(clip, camera))
        page = records.waiting_for("north")
        assert ([records.get_clip("w2"), records.get_clip("w0")], None) == (page.clips, page.next_cursor)
        assert waiters(records, "nowhere") == []

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
    def test_pages_of_waiting_clips_hold_each_once(self, records: Records, limit: int) -> None:
        """Several of the same moment, and cameras whose names begin alike."""
        for number, camera in enumerate(["north", "north2", "north", "north", "north 46", "nort", "north", "north:"]):
            clip = a_clip(f"w{number}", at=T0 - timedelta(seconds=number // 3))
            put(records, clip, waiting(clip, camera))
        assert waiters(records, "north", limit=limit) == ["w6", "w3", "w0", "w2"]
        assert waiters(records, "north 46", limit=limit) == ["w4"]

    def test_pages_of_waiting_clips_are_stable_while_clips_come_and_go(self, records: Records) -> None:
        clips = [a_clip(f"w{number}", at=T0 + timedelta(seconds=number)) for number in range(6)]
        for clip in clips:
            put(records, clip, waiting(clip, "north"))
        page = records.waiting_for("north", limit=2)
        assert page.next_cursor is not None
        assert records.commit(claimed(page.clips[1]))
        assert records.commit(page.clips[0].looked_for(now=T0, again_at=T0), announce=False)
        put(records, early := a_clip("early", at=T0 - timedelta(seconds=1)), waiting(early, "north"))
        put(records, late := a_clip("late", at=T0 + timedelta(seconds=9)), waiting(late, "north"))
        second = records.waiting_for("north", limit=2, cursor=page.next_cursor)
        assert records.commit(claimed(second.clips[1]))
        assert ids(second.clips) == ["w2", "w3"]
        third = records.waiting_for("north", limit=3, cursor=second.next_cursor)
        assert (ids(third.clips), third.next_cursor) == (["w4", "w5", "late"], None)

    def test_a_cursor_of_nobodys_making_finds_no_waiting_clips(self, records: Records) -> None:
        with pytest.raises(ValueError, match="cursor"):
            records.waiting_for("north", cursor="yesterday")
        with pytest.raises(ValueError, match="limit"):
            records.waiting_for("north", limit=0)

    def test_a_clip_that_waits_no_more_is_not_found_by_its_camera(self, records: Records) -> None:
        clip = put(records, first := a_clip(), waiting(first, "north"))
        assert records.commit(claimed(clip))
        assert waiters(records, "north") == []
        other = put(records, first := a_clip("other"), waiting(first, "north"))
        assert records.commit(other.cancelled(now=T0, sweep_at=T0))
        assert waiters(records, "north") == []

    def test_a_waiting_clip_is_due_when_it_is_to_be_looked_for(self, records: Records) -> None:
        put(records, clip := a_clip(), waiting(clip, "north"))
        assert records.due(T0 + timedelta(seconds=59)) == []
        assert ids(records.due(T0 + timedelta(seconds=60))) == ["wave"]

    # --- events ----------------------------------------------------------------------------------

    def test_each_change_has_one_event_in_the_order_of_the_commits(self, records: Records) -> None:
        one, other = a_clip("one"), a_clip("other")
        changes = [one, other, claimed(other), claimed(one), finished(claimed(one))]
        for change in changes:
            assert records.put_clip(change) if change.revision == 1 else records.commit(change)
        found = records.events_after(0)
        assert [change.event() for change in changes] == [event for _, event in found]
        positions = [position for position, _ in found]
        assert sorted(set(positions)) == positions
        assert positions[-1] == records.last_position()

    def test_a_change_that_concerns_no_one_has_no_event(self, records: Records) -> None:
        clip = a_clip()
        put(records, clip)
        assert records.commit(claimed(clip), announce=False)
        assert [event.id for _, event in records.events_after(0)] == ["wave.1"]
        assert records.commit(finished(claimed(clip)))
        assert [event.id for _, event in records.events_after(0)] == ["wave.1", "wave.3"]

    def test_events_after_a_position_are_those_not_seen_yet(self, records: Records) -> None:
        assert (records.last_position(), records.events_after(0)) == (0, [])
        for number in range(5):
            put(records, a_clip(f"c{number}"))
        seen: list[str] = []
        position = 0
        while some := records.events_after(position, limit=2):
            assert len(some) <= 2
            seen += [event.subject for _, event in some]
            position = some[-1][0]
        assert seen == ["c0", "c1", "c2", "c3", "c4"]
        assert position == records.last_position()

    def test_followers_miss_no_event_while_others_commit(self, factory: RecordsFactory, records: Records) -> None:
        def write(number: int) -> None:
            user = factory.open()
            for round_number in range(20):
                assert user.put_clip(a_clip(f"c{number}-{round_number}"))

        def follow() -> list[str]:
            user, position, seen = factory.open(), 0, list[str]()
            while len(seen) < 60:
                some = user.events_after(position, limit=7)
                seen += [event.id for _, event in some]
                position = some[-1][0] if some else position
            return seen

        results = in_threads(4, lambda number: follow() if number == 0 else write(number))
        assert isinstance(results[0], list)
        assert [event.id for _, event in records.events_after(0)] == results[0]

    def test_events_are_unannounced_until_they_are_marked(self, factory: RecordsFactory, records: Records) -> None:
        for number in range(4):
            put(records, a_clip(f"c{number}"))
        assert [event.id for event in records.unannounced()] == ["c0.1", "c1.1", "c2.1", "c3.1"]
        records.mark_announced(["c1.1", "nobody.7", "c1.1"])
        records.mark_announced(iter(["c2.1"]))
        records.mark_announced([])
        assert [event.id for event in factory.open().unannounced()] == ["c0.1", "c3.1"]
        assert [event.id for event in records.unannounced(limit=1)] == ["c0.1"]
        assert len(records.events_after(0)) == 4, "what was announced can still be followed"

    def test_an_unannounced_event_is_as_it_was_when_it_happened(self, records: Records) -> None:
        clip = a_clip(title="波")
        put(records, clip, claimed(clip), finished(claimed(clip)))
        assert [clip.event(), claimed(clip).event(), finished(claimed(clip)).event()] == records.unannounced()

    # --- removing old records --------------------------------------------------------------------

    def test_clips_are_settled_when_nothing_is_left_to_do(self, records: Records) -> None:
        def at(second: int) -> datetime:
            return T0 + timedelta(seconds=second)

        clips = {name: a_clip(name) for name in ("queued", "works", "ready", "swept", "expires", "cancelled")}
        put(records, clips["queued"])
        put(records, clips["works"], claimed(clips["works"]))
        put(records, clips["ready"], claimed(clips["ready"]), finished(claimed(clips["ready"]), at=at(3)))
        swept = finished(claimed(clips["swept"]), at=at(1), sweep_at=at(5))
        put(records, clips["swept"], claimed(clips["swept"]), swept)
        expiring = a_clip("expires", expires_in=60)
        put(records, expiring, claimed(expiring), finished(claimed(expiring), at=at(1)))
        put(records, clips["cancelled"], clips["cancelled"].cancelled(now=at(2), sweep_at=at(9)))
        assert ids(records.settled_before(at(100))) == ["cancelled", "ready"]
        assert ids(records.settled_before(at(3))) == ["cancelled"], "not at this moment yet"
        assert ids(records.settled_before(at(100), limit=1)) == ["cancelled"]
        assert records.commit(swept.swept(now=at(6)), announce=False)
        assert records.commit(finished(claimed(expiring), at=at(1)).expired(now=at(61)))
        assert ids(records.settled_before(at(100))) == ["cancelled", "ready", "swept"], "an expired clip is to be swept"

    def test_a_removed_clip_is_gone_with_its_events_and_all_that_finds_it(self, records: Records) -> None:
        old, other = self.settled(records, "wave"), self.settled(records, "wave-2")
        newer = self.settled(records, "newer")
        last = records.last_position()
        assert records.remove_clips([old]) == 1
        assert records.get_clip("wave") is None
        for query in (ClipQuery(), ClipQuery(tag="x"), ClipQuery(recording="sea.mp4"), ClipQuery(camera="north")):
            assert listed(records, query) == ["wave-2", "newer"], query
        assert {event.subject for _, event in records.events_after(0)} == {"wave-2", "newer"}
        assert set(ids(records.settled_before(T0 + timedelta(days=1)))) == {"newer", "wave-2"}
        assert records.remove_clips([old]) == 0
        assert [records.get_clip(each.id) for each in (other, newer)] == [other, newer]
        assert records.last_position() == last

    def test_a_removed_clip_can_be_requested_again_and_its_events_are_new(self, records: Records) -> None:
        old = self.settled(records, "wave")
        self.settled(records, "newer")
        last = records.last_position()
        assert records.remove_clips([old]) == 1
        again = self.settled(records, "wave")
        assert again == records.get_clip("wave")
        assert listed(records, ClipQuery(tag="x")) == ["wave", "newer"]
        assert [event.id for _, event in records.events_after(last)] == ["wave.1", "wave.2", "wave.3"]

    def test_positions_never_go_back_however_much_is_removed(self, records: Records) -> None:
        clips = [self.settled(records, name) for name in ("one", "two")]
        last = records.last_position()
        records.remove_clips(clips)
        assert records.get_clip("one") is None
        assert records.last_position() == last
        assert [event for _, event in records.events_after(last)] == []
        put(records, a_clip("next"))
        assert [position > last for position, _ in records.events_after(last)] == [True]

    def test_a_clip_that_changed_or_has_an_event_to_announce_stays(self, records: Records) -> None:
        changed, untold, beginner = self.settled(records, "changed"), self.settled(records, "untold"), a_clip("young")
        put(records, beginner)
        self.settled(records, "newer")
        deleted = changed.deleted(now=T0)
        assert records.commit(deleted)
        records.mark_announced([deleted.event().id])
        retried = untold.deleted(now=T0).swept(now=T0)
        assert records.commit(untold.deleted(now=T0))
        assert records.commit(retried, announce=False)
        assert records.remove_clips([changed, deleted, retried, beginner]) == 0
        assert len([event for _, event in records.events_after(0) if event.subject in {"changed", "untold"}]) == 8
        records.mark_announced([untold.deleted(now=T0).event().id])
        put(records, a_clip("newest"))
        assert records.remove_clips([retried]) == 1

    def test_only_one_of_many_removes_a_clip(self, factory: RecordsFactory, records: Records) -> None:
        clips = [self.settled(records, f"c{number}") for number in range(6)]
        self.settled(records, "newer")
        users = [factory.open() for _ in range(4)]
        counts = in_threads(4, lambda number: users[number].remove_clips(clips))
        assert sum(counts) == 6
        assert listed(records) == ["newer"]
        assert {event.subject for _, event in records.events_after(0)} == {"newer"}

    def test_a_clip_whose_id_is_the_name_of_a_tenant_is_removed_alone(self, records: Records) -> None:
        clip = self.settled(records, "acme")
        self.settled(records, "7", tenant="acme")
        self.settled(records, "acme7")
        assert records.remove_clips([clip]) == 1
        assert {event.id for _, event in records.events_after(0)} == {
            *(f"acme.7.{number}" for number in (1, 2, 3)),
            *(f"acme7.{number}" for number in (1, 2, 3)),
        }

    @staticmethod
    def settled(records: Records, clip_id: str, tenant: str = "") -> Clip:
        """A ready clip of a file and a camera, all of whose events were announced."""
        span = {"camera": "north", "from": "2026-06-21T10:00:00Z", "to": "2026-06-21T10:00:05Z"}
        source = [{"recording": "sea.mp4", "start": 1, "end": 3}, span]
        wish = {"id": clip_id, "source": source, "tags": ["x"], "tenant": tenant}
        clip = new_clip(validate_request(wish), now=T0)
        made = put(records, clip, claimed(clip), finished(claimed(clip)))
        records.mark_announced(made.event_ids)
        return made


def _matches(clip: Clip, query: ClipQuery) -> bool:
    return (
        (not query.states or clip.state in query.states)
        and (query.tag is None or query.tag in clip.request.tags)
        and (query.recording is None or query.recording in recordings_of(clip))
        and (query.created_from is None or query.created_from <= clip.created_at)
        and (query.created_before is None or clip.created_at < query.created_before)
    )
