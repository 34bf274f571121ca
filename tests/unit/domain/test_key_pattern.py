"""Patterns find camera and time in keys, whatever precedes and follows them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutback.domain.cameras.key_pattern import BUILT_IN, EXTENSIONS, KeyPattern, is_recording, read_key

TEN = datetime.fromisoformat("2026-11-23T10:00:00")
HALF_PAST_FIVE = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "camera", "start"),
    [
        ("cam-alias.20261123T100000.mp4", "cam-alias", TEN),
        ("cam-alias.20261123T100000.480.mp4", "cam-alias", TEN + timedelta(milliseconds=480)),
        ("cam-alias.20261123T100000.48Z.MOV", "cam-alias", (TEN + timedelta(milliseconds=480)).replace(tzinfo=UTC)),
        ("cam-alias.20261123T100000Z", "cam-alias", TEN.replace(tzinfo=UTC)),
        ("some/folders/cam.alias.20261123T100000.ts", "cam.alias", TEN),
        ("camera/2026/11/23/10/00/00.mp4", "camera", TEN),
        ("site/Süd 1/2026/11/23/10/00/00.000480.m4v", "Süd 1", TEN + timedelta(microseconds=480)),
        ("north-point.2026-06-21T05-30-00Z.mp4", "north-point", HALF_PAST_FIVE),
        ("north-point.2026-06-21T05:30:00Z.webm", "north-point", HALF_PAST_FIVE),
        ("a.20261123T100000+0130.mkv", "a", TEN.replace(tzinfo=timezone(timedelta(minutes=90)))),
        ("a.20261123T100000-05.mkv", "a", TEN.replace(tzinfo=timezone(timedelta(hours=-5)))),
        ("north/2026-11-23_10-00-00-000123.mp4", "north", TEN + timedelta(microseconds=123)),
        ("recordings/2026-11-23/10/north/05.07.mp4", "north", TEN + timedelta(minutes=5, seconds=7)),
    ],
)
def test_built_in_patterns_read_what_they_say_they_read(key: str, camera: str, start: datetime) -> None:
    assert (camera, start) == said(key)


def said(key: str, patterns: tuple[KeyPattern, ...] = BUILT_IN) -> tuple[str, datetime | None] | None:
    named = read_key(key, patterns)
    return None if named is None else (named.camera, named.start)


NINE = datetime.fromisoformat("2019-03-19T09:34:22")


@pytest.mark.parametrize(
    ("key", "camera", "start"),
    [
        ("Reolink/2022/03/07/K3TA_00_20220307125142.mp4", "K3TA_00", datetime.fromisoformat("2022-03-07T12:51:42")),
        (
            "192.168.0.64_01_20190319093422939_MOTION_DETECTION.mp4",
            "192.168.0.64_01",
            NINE + timedelta(milliseconds=939),
        ),
        ("NVR_ch1_main_20190319093422_20190319100000.mp4", "NVR_ch1_main", NINE),
        ("Front Door - 2-9-2020, 11.21.12pm.mp4", "Front Door", datetime.fromisoformat("2020-02-09T23:21:12")),
        ("Front Door - 12-19-2020, 12.01.02 AM.mp4", "Front Door", datetime.fromisoformat("2020-12-19T00:01:02")),
        (
            "Front Door - 2020-09-02 - 23.21.12+0000.mp4",
            "Front Door",
            datetime(2020, 9, 2, 23, 21, 12, tzinfo=UTC),
        ),
        ("New/FrontDoor.20190319_093422.mp4", "FrontDoor", NINE),
        (
            "20170307AM/Family Room20170307-084321-1488897801.mp4",
            "Family Room",
            datetime(2017, 3, 7, 14, 43, 21, tzinfo=UTC),
        ),
        (
            "Gate-2/20170307AM/Gate-2-20170307-084321-1488897801.mp4",
            "Gate-2",
            datetime(2017, 3, 7, 14, 43, 21, tzinfo=UTC),
        ),
    ],
)
def test_names_of_common_recorders_are_built_in(key: str, camera: str, start: datetime) -> None:
    assert (camera, start) == said(key)


@pytest.mark.parametrize(
    ("tail", "start"),
    [
        ("-0500", TEN.replace(tzinfo=timezone(timedelta(hours=-5)))),
        ("-05", TEN.replace(tzinfo=timezone(timedelta(hours=-5)))),
        ("-0330", TEN.replace(tzinfo=timezone(timedelta(hours=-3, minutes=-30)))),
        ("-480000", TEN + timedelta(milliseconds=480)),
        ("-480", TEN + timedelta(milliseconds=480)),
        ("-480000-0500", (TEN + timedelta(milliseconds=480)).replace(tzinfo=timezone(timedelta(hours=-5)))),
    ],
)
def test_an_offset_after_the_seconds_is_an_offset(tail: str, start: datetime) -> None:
    named = read_key(f"north/2026-11-23_10-00-00{tail}.mp4", BUILT_IN)
    assert named is not None
    assert (named.start, named.notes) == (start, ())


@pytest.mark.parametrize("tail", ["-0560", "-1300", "-99"])
def test_what_no_clock_has_for_an_offset_is_a_fraction_and_reported(tail: str) -> None:
    named = read_key(f"north/2026-11-23_10-00-00{tail}.mp4", BUILT_IN)
    assert named is not None
    assert named.start == TEN + timedelta(microseconds=int(tail[1:].ljust(6, "0")))
    assert tail in named.notes[0]


@pytest.mark.parametrize(
    "key",
    [
        "sea.mp4",
        "cam.20261323T100000.mp4",
        "cam.20260230T100000.mp4",
        "cam.20261123T106000.mp4",
        "cam.20261123T100000.mp4.part",
        "cam.20261123T1000.mp4",
        "20261123T100000.mp4",
        "/2026/11/23/10/00/00.mp4",
        "cam.\u0662\u0660\u0662\u06661123T100000.mp4",
        "cam.20261123T100000+9900.mp4",
    ],
)
def test_other_keys_say_nothing(key: str) -> None:
    assert read_key(key, BUILT_IN) is None


@pytest.mark.parametrize(
    ("pattern", "key", "camera", "start"),
    [
        ("{camera}-%s", "sea-1795428000.mp4", "sea", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("{camera}-%s%%", "sea-1795428000%.mp4", "sea", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("{camera}_%Q", "x/sea_1795428000480.mov", "sea", datetime(2026, 11, 23, 10, 0, 0, 480_000, tzinfo=UTC)),
        ("{camera}/*/%Y%m%d-%H", "sea/raw/20261123-10.mp4", "sea", TEN),
        ("%Y%m%d_%H%M.ts", "site/20261123_1000.ts", "", TEN),
        ("{camera}/part-*", "sea/part-7.mp4", "sea", None),
        ("{camera} %-d.%-m.%y %-I.%M%p", "sea 23.11.26 10.00AM.mp4", "sea", TEN),
        ("{camera}/%Y%m%d-%I%p", "sea/20261123-10am.mp4", "sea", TEN),
        ("{camera...}/%Y%m%d/%H%M", "site1/roof/cam1/20261123/1000.mp4", "site1/roof/cam1", TEN),
        ("{camera...}/%Y%m%d/%H%M", "cam1/20261123/1000.mp4", "cam1", TEN),
        ("%Y%m%d/{camera...}/%H%M", "raw/20261123/site1/cam1/1000.mp4", "site1/cam1", TEN),
        ("[live-]{camera}[(%Y-%m-%d[ %H])]", "live-sea(2026-11-23 10).mp4", "sea", TEN),
        ("[live-]{camera}[(%Y-%m-%d[ %H])]", "sea.mp4", "sea", None),
    ],
)
def test_patterns_of_ones_own(pattern: str, key: str, camera: str, start: datetime | None) -> None:
    assert (camera, start) == said(key, (KeyPattern.parse(pattern),))


def test_a_pattern_that_ends_in_an_extension_fits_no_other() -> None:
    assert KeyPattern.parse("{camera}.%Y%m%dT%H%M%S.ts").match("a.20261123T100000.mp4") is None


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("{camera}.%Y%m%d", "needs"),
        ("{camera}.%H", "needs"),
        ("{camera}{camera}.%s", "twice"),
        ("{camera}.%Y%Y%m%d%H", "twice"),
        ("{kamera}.%s", "is unknown"),
        ("{camera}.%q", "is unknown"),
        ("{camera}.%s%", "is unknown"),
        ("{camera", "is unknown"),
        ("{camera}[.%s", "not closed"),
        ("{camera}].%s[", "not closed"),
        ("*.mp4", "neither"),
        ("{camera}.%Y%m%d %I", "need each other"),
        ("{camera}.%Y%m%d%H %p", "need each other"),
        ("{camera}.%Y%m%d%H %I%p", "twice"),
        ("{camera}.%Y%y%m%d%H", "twice"),
        ("{camera}.%Y%-Y%m%d%H", "unknown"),
        ("{camera}{camera...}.%s", "twice"),
        ("", "neither"),
    ],
)
def test_a_wrong_pattern_is_refused_with_the_reason(pattern: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        KeyPattern.parse(pattern)


CAMERAS = st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="/"), min_size=1)
MOMENTS = st.datetimes(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2100-01-01"))


@given(CAMERAS, MOMENTS, st.sampled_from(EXTENSIONS), st.sampled_from(["", "a/", "a.b/c d/"]))
def test_what_is_written_is_read_back(camera: str, moment: datetime, extension: str, folders: str) -> None:
    ways = [
        f"{camera}.{moment:%Y%m%dT%H%M%S}.{moment:%f}",
        f"{camera}.{moment:%Y-%m-%dT%H-%M-%S}.{moment:%f}",
        f"{camera}/{moment:%Y/%m/%d/%H/%M/%S}.{moment:%f}",
        f"{camera}/{moment:%Y-%m-%d_%H-%M-%S}-{moment:%f}",
    ]
    for way in ways:
        assert (camera, moment) == said(folders + way + extension)


@given(st.text())
def test_no_key_breaks_the_reading(key: str) -> None:
    read_key(key, BUILT_IN)


@given(st.text("%-YmdHIMSpfsQz[]*{camera}.", max_size=30))
def test_every_pattern_is_read_or_refused(text: str) -> None:
    try:
        pattern = KeyPattern.parse(text)
    except ValueError:
        return
    pattern.match("a.20261123T100000.mp4")


@pytest.mark.parametrize(
    ("key", "folder"),
    [
        ("site1/cam1.20261123T100000.mp4", "site1"),
        ("site1/2026/11/23/cam1.20261123T100000.mp4", "site1"),
        ("a/2026-11-23/10/cam1.20261123T100000.mp4", "a"),
        ("a/20261124/cam1.20261123T100000.mp4", "a/20261124"),
        ("site1/cam1/2026/11/23/10/00/00.mp4", "site1"),
        ("Family Room/20170307AM/Family Room20170307-084321-1488897801.mp4", "Family Room"),
        ("cam1.20261123T100000.mp4", ""),
    ],
)
def test_folders_that_repeat_the_date_are_no_place(key: str, folder: str) -> None:
    named = read_key(key, BUILT_IN)
    assert named is not None
    assert named.folder == folder


def test_only_video_files_are_taken_for_recordings() -> None:
    assert is_recording("a/B.MP4")
    assert not any(map(is_recording, ["a.jpg", "a.mp4.part", "mp4", "a", "index.m3u8"]))
