"""A recording's tags are kept if they also apply to the clip; dropped ones are noted."""

from __future__ import annotations

import io
import json
import shutil
import struct
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import pytest
from tests.media.cuts import CutResult, ask, cut_in_process, cut_ranges, find_boxes
from tests.media.outputs import make
from tests.support.decode import decode_presented, decode_warnings
from tests.support.made_once import made_once
from tests.support.media import MediaSpec, cached_media

from cutback.cutting.job import THE_CLIP, CutGap, CutRange, JobOutput, WallClock
from cutback.cutting.output_values import Flac, M4a, Mov, Mp3, Mp4, Opus, OutputValue, WebM

SPEC = MediaSpec(frames=120, gop=30)
RANGE = (0, Fraction("1.5"), Fraction("3"))
TEXTS = {
    "title": "Pipeline, räumlich 波",
    "artist": "Cam 3",
    "comment": "two\nlines",
    "description": "big",
    "copyright": "© us",
}
MADE = datetime(2024, 3, 3, 10, 0, 0, tzinfo=UTC)
LOCATION = "+22.5869+114.2602/"

Ffmpeg = Callable[..., None]


def tagged(folder: Path, ffmpeg: Ffmpeg, suffix: str, *options: str, **texts: str) -> Path:
    """A recording with texts, a place, a moment and titles of its tracks."""
    plain = cached_media(SPEC, folder)
    given = TEXTS | {"creation_time": MADE.isoformat(), "location": LOCATION} | texts
    told = [part for name, text in given.items() for part in ("-metadata", f"{name}={text}")]
    told += ["-metadata:s:a", "title=Left microphone", "-metadata:s:a", "handler_name=Left microphone"]
    told += ["-metadata:s:a", "language=por", *options]
    name = f"{plain.stem}-tags-{len(options)}-{'-'.join(texts.values())}{suffix}"
    return made_once(
        folder / name.replace(" ", ""), lambda path: ffmpeg("-i", str(plain), "-c", "copy", *told, str(path))
    )


def said(clip: CutResult | Path, tmp_path: Path) -> tuple[dict[str, str], list[dict[str, str]]]:
    """What FFmpeg reads of a file and of its tracks."""
    path = tmp_path / "clip.mp4"
    if isinstance(clip, CutResult):
        path.write_bytes(clip.data)
    with av.open(str(path)) as container:
        return dict(container.metadata), [dict(stream.metadata) for stream in container.streams]


@pytest.mark.parametrize(
    ("suffix", "options"),
    [(".mp4", []), (".mov", []), (".mov", ["-movflags", "use_metadata_tags"]), (".mkv", [])],
    ids=["mp4", "mov", "keys", "mkv"],
)
def test_texts_and_titles_are_kept(
    suffix: str, options: list[str], media_folder: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    recording = tagged(media_folder, ffmpeg, suffix, *options)
    texts, tracks = said(cut_in_process([recording], RANGE), tmp_path)
    kept = {name for name in TEXTS if suffix == ".mp4" or name != "description"}  # MOV has no box for it
    assert {name: texts.get(name) for name in kept} == {name: TEXTS[name] for name in kept}
    assert tracks[1]["handler_name"] == "Left microphone"
    assert tracks[1]["language"] == "por"
    assert "location" not in texts


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_clip_was_made_when_its_first_moment_was(
    suffix: str, media_folder: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    recording = tagged(media_folder, ffmpeg, suffix)
    texts, tracks = said(cut_in_process([recording], (0, Fraction(2), Fraction(3))), tmp_path)
    assert datetime.fromisoformat(texts["creation_time"]) == MADE + timedelta(seconds=2)
    if suffix != ".mkv":
        assert datetime.fromisoformat(tracks[0]["creation_time"]) == MADE + timedelta(seconds=2)


def test_a_gap_at_the_beginning_came_before(media_folder: Path, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    recording = tagged(media_folder, ffmpeg, ".mp4")
    clip = cut_ranges([recording], [CutGap(Fraction(5), "black"), CutRange(0, Fraction(2), Fraction(3))])
    assert datetime.fromisoformat(said(clip, tmp_path)[0]["creation_time"]) == MADE - timedelta(seconds=3)


def test_a_recording_that_says_nothing_gets_nothing(media_folder: Path, tmp_path: Path) -> None:
    clip = cut_in_process([cached_media(SPEC, media_folder)], RANGE)
    texts, tracks = said(clip, tmp_path)
    assert "creation_time" not in texts
    assert "title" not in texts
    assert tracks[0]["handler_name"] == "Video"
    assert clip.facts.notes == ()


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_place_is_kept_only_if_that_is_wished(
    suffix: str, media_folder: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    recording = tagged(media_folder, ffmpeg, suffix)
    private = cut_in_process([recording], RANGE)
    assert "location" not in said(private, tmp_path)[0]
    assert "Its location is not copied to the clip." in private.facts.notes
    told = cut_in_process([recording], RANGE, keep_location=True)
    assert said(told, tmp_path)[0]["location"] == LOCATION
    assert told.facts.notes == ()


def test_joined_recordings_keep_what_they_agree_on(media_folder: Path, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    one, two = tagged(media_folder, ffmpeg, ".mp4"), tagged(media_folder, ffmpeg, ".mp4", title="Another")
    clip = cut_in_process([one, two], (0, Fraction(1), Fraction(2)), (1, Fraction(1), Fraction(2)))
    texts, tracks = said(clip, tmp_path)
    assert "title" not in texts
    assert texts["artist"] == TEXTS["artist"]
    assert tracks[1]["handler_name"] == "Left microphone"


def test_hostile_texts_do_no_harm(media_folder: Path, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    """Bytes that are no text, control characters, sizes that are not true."""
    data = tagged(media_folder, ffmpeg, ".mp4").read_bytes()
    title = TEXTS["title"].encode()
    assert title in data
    noise = bytes([0xFF, 0xFE, 0x01, 0x80]) * (len(title) // 4) + bytes(len(title) % 4)
    clip = cut_in_process([data.replace(title, noise)], RANGE)
    assert clip.facts.frames == 45
    (begin, _), *_ = find_boxes(data, b"moov", b"udta")
    broken = bytearray(data)
    struct.pack_into(">I", broken, begin, 0xFFFFFF)
    clip = cut_in_process([bytes(broken)], RANGE)
    assert said(clip, tmp_path)[0].get("title") is None
    assert clip.facts.frames == 45


NOT_UTF_8 = {
    "latin-1": ("Größe".encode("latin-1"), "Größe"),
    "truncated": ("räumlich für".encode()[:-2], "räumlich f\N{REPLACEMENT CHARACTER}"),
    "surrogates": (b"\xed\xa0\xbd\xed\xb8\x80 wave", "\N{GRINNING FACE} wave"),
    "broken surrogate": (b"\xed\xa0\xbd wave", "\N{REPLACEMENT CHARACTER} wave"),
    "nul": (b"wa\0ve", "wave"),
    "noise": (b"\x01\xff\x02\x81", None),
}
"""Titles, and what is kept of them."""


def titled(raw: bytes, suffix: str, folder: Path, ffmpeg: Ffmpeg) -> bytes:
    """A recording whose title, title of sound and TS service name are certain bytes."""
    plain = cached_media(SPEC, folder)
    title = raw.replace(b"\0", b"?").decode("utf-8", "surrogateescape")
    path = folder / f"{plain.stem}-bytes{suffix}"
    said = [part for name in ("title", "service_name") for part in ("-metadata", f"{name}={title}")]
    ffmpeg("-i", str(plain), "-c", "copy", *said, "-metadata:s:a", f"title={title}", str(path))
    data = path.read_bytes()
    at_once = raw.replace(b"\0", b"?")
    assert at_once in data
    return data.replace(at_once, raw) if at_once != raw else data


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize("kind", NOT_UTF_8)
def test_texts_that_are_not_utf_8_are_kept_as_far_as_they_can_be_read(
    kind: str, suffix: str, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    raw, expected = NOT_UTF_8[kind]
    clip = cut_in_process([titled(raw, suffix, tmp_path, ffmpeg)], RANGE)
    assert decode_presented(clip.data).counters == list(range(45, 90))
    texts, tracks = said(clip, tmp_path)
    if suffix == ".ts":
        return  # it names only services, which are not titles
    if kind == "nul" and suffix == ".mkv":
        expected = "wa"  # it ends there (RFC 8794, 7.4)
    assert texts.get("title") == expected
    assert tracks[1]["handler_name"] == (expected or "Sound")
    noted = "Its title is not text and is left out." in clip.facts.notes
    assert noted is (expected is None)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_further_video_tracks_are_dropped_with_a_note(suffix: str, media_folder: Path, ffmpeg: Ffmpeg) -> None:
    plain = cached_media(SPEC, media_folder)
    two = made_once(
        media_folder / f"{plain.stem}-twice{suffix}",
        lambda path: ffmpeg("-i", str(plain), "-map", "0:v", "-map", "0:a", "-map", "0:v", "-c", "copy", str(path)),
    )
    notes = cut_in_process([two], RANGE).facts.notes
    assert "Only the first of its 2 video tracks is copied to the clip." in notes


def covered(suffix: str, folder: Path, ffmpeg: Ffmpeg, *, cover_first: bool = False) -> Path:
    """A recording with a cover picture, perhaps as its first track."""
    plain = cached_media(SPEC, folder)

    def make(path: Path) -> None:
        cover = path.with_suffix(".jpg")
        ffmpeg("-i", str(plain), "-frames:v", "1", "-update", "1", str(cover))
        if suffix == ".mkv":
            attached = ["-attach", str(cover), "-metadata:s:t", "mimetype=image/jpeg"]
            ffmpeg("-i", str(plain), "-map", "0", "-c", "copy", *attached, str(path))
        else:
            order = "10" if cover_first else "01"
            mapped = [part for number in order for part in ("-map", number)]
            given = ["-i", str(plain), "-i", str(cover), *mapped]
            ffmpeg(*given, "-c", "copy", f"-disposition:v:{order[1]}", "attached_pic", str(path))

    return made_once(folder / f"{plain.stem}-cover{cover_first}{suffix}", make)


@pytest.mark.parametrize("kind", [".mp4", "first.mp4", ".mkv"])
@pytest.mark.parametrize("ranges", [[RANGE], [RANGE, (1, Fraction("0.5"), Fraction("1.2"))]], ids=["single", "joined"])
def test_a_cover_picture_is_left_out_with_a_note(
    ranges: list[tuple[int, Fraction, Fraction]],
    kind: str,
    media_folder: Path,
    ffmpeg: Ffmpeg,
) -> None:
    path = covered(kind.removeprefix("first"), media_folder, ffmpeg, cover_first=kind.startswith("first"))
    clip = cut_in_process([path] * len(ranges), *ranges)
    shown = decode_presented(clip.data)
    assert shown.counters == [n for _, start, end in ranges for n in range(round(start * 30), round(end * 30))]
    assert decode_warnings(clip.data) == []
    with av.open(io.BytesIO(clip.data)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
    assert clip.facts.frames_copied > 0
    assert clip.facts.notes.count("Its cover picture is not copied to the clip.") == 1


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_chapters_are_left_out_with_a_note(suffix: str, media_folder: Path, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    plain = cached_media(SPEC, media_folder)
    marks = tmp_path / "chapters.txt"
    marks.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=2\ntitle=One\n")
    path = tmp_path / f"chapters{suffix}"
    ffmpeg("-i", str(plain), "-i", str(marks), "-map_chapters", "1", "-map", "0", "-c", "copy", str(path))
    clip = cut_in_process([path], RANGE)
    assert clip.facts.frames == 45
    assert any("chapters" in note for note in clip.facts.notes)


def test_the_moment_of_the_camera_and_the_title_of_the_request_come_first(
    media_folder: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    recording = tagged(media_folder, ffmpeg, ".mp4")
    begins = datetime(2026, 11, 24, 10, 3, 12, tzinfo=UTC)
    clock = WallClock(Fraction(int(begins.timestamp())), Fraction(1), "north")
    ranges = [CutRange(0, Fraction(2), Fraction(3))]
    clip = cut_ranges([recording], ranges, wall_clocks=[clock], title="A wave – 波")
    texts, _ = said(clip, tmp_path)
    assert datetime.fromisoformat(texts["creation_time"]) == begins + timedelta(seconds=2)
    assert texts["title"] == "A wave – 波"
    assert texts["artist"] == TEXTS["artist"]


LABELS = {"surfer": "4711", "Wette r 波": "glatt 🌊", "title": "not the title", "Date": "2020"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (Mp4(), ["surfer", "Wette r 波"]),
        (Mov(), ["surfer", "Wette r 波"]),
        (M4a(), ["surfer", "Wette r 波"]),
        (WebM(codec="vp9", quality="small"), ["surfer"]),
        (Mp3(), ["surfer"]),
        (Opus(), ["surfer"]),
        (Flac(), ["surfer"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_labels_are_tags_of_the_file(
    value: OutputValue, kept: list[str], media_folder: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    recording = tagged(media_folder, ffmpeg, ".mp4")
    made = make([recording], ask((0, Fraction(1), Fraction(2))), JobOutput("clip", value), labels=LABELS)["clip"]
    path = tmp_path / next(iter(made.files))
    path.write_bytes(made.data)
    with av.open(str(path)) as container:
        texts = dict(container.metadata)
        for stream in container.streams:
            texts |= stream.metadata  # where Ogg has them
    texts = {name.casefold(): text for name, text in texts.items()}
    own = {name.casefold(): text for name, text in LABELS.items()}
    assert {name: texts[name] for name in own if name in texts and texts[name] == own[name]} == {
        name.casefold(): LABELS[name] for name in kept
    }
    assert texts["title"] == TEXTS["title"]
    assert "location" not in texts


def test_exiftool_reads_title_labels_and_moment_and_finds_neither_place_nor_device(
    media_folder: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    program = shutil.which("exiftool")
    if program is None:
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl)")
    device = {"com.apple.quicktime.model": "Phone7"}
    recording = tagged(media_folder, ffmpeg, ".mov", "-movflags", "use_metadata_tags", **device)
    assert b"Phone7" in recording.read_bytes()
    made = make([recording], ask((0, Fraction(2), Fraction(3))), *THE_CLIP, labels=LABELS, title="Wave 波")["clip"]
    path = tmp_path / "clip.mp4"
    path.write_bytes(made.data)
    command = [program, "-json", "-api", "QuickTimeUTC=0", str(path)]
    [found] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert found["Title"] == "Wave 波"
    assert found["Surfer"] == 4711
    assert found["CreateDate"] == "2024:03:03 10:00:02"
    assert not [name for name in found if "GPS" in name or "Location" in name]
    assert "Phone7" not in found.values()
    assert "Warning" not in found
    assert "Error" not in found
