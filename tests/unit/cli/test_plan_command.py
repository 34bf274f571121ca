"""`cutback plan`: its report is what cutting does, and its drawing fits the terminal."""

from __future__ import annotations

import io
import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.video.frame import PictureType
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from tests.support.media import MediaSpec, cached_media
from tests.unit.cutting.gop_structures import Builder, Recording, as_index, recordings, regular, spans

from cutback.cli.app import run
from cutback.cli.commands.plan import show_plan
from cutback.cli.screen import Screen
from cutback.cutting.cut import cut
from cutback.cutting.job import CutJob, CutRange, Facts, Limits, Precision
from cutback.cutting.plan.plan import FrameRange, plan_video, snap_to_frames
from cutback.cutting.plan.report import Looked, part_report, plan_report
from cutback.cutting.preview import preview
from cutback.cutting.spool import Spool
from cutback.domain.errors import MediaTooLargeError
from cutback.domain.times import FrameNumber

OPEN = MediaSpec(frames=150, gop=30, bframes=3, open_gop=True, fps=Fraction(30))
CLOSED = MediaSpec(frames=150, gop=50, bframes=3, fps=Fraction(25))
HEVC = MediaSpec(frames=90, gop=30, bframes=3, codec="libx265", tag="hvc1", open_gop=True, fps=Fraction(30))
STREAM = MediaSpec(frames=100, gop=36, bframes=3, suffix=".ts")
SPECS = {"open": OPEN, "closed": CLOSED, "hevc": HEVC, "ts": STREAM}


class Bytes:
    """A recording in memory that counts what is read."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        self.size = len(self._data)
        self.read = 0

    def read_at(self, offset: int, length: int) -> bytes:
        piece = self._data[offset : offset + length]
        self.read += len(piece)
        return piece

    def prefetch(self, _ranges: Any) -> None:
        """Nothing to fetch."""


@pytest.fixture(scope="session")
def media_folder(pytestconfig: pytest.Config) -> Path:
    return Path(pytestconfig.cache.mkdir("media"))


def media(name: str, folder: Path) -> Path:
    return cached_media(SPECS[name], folder)


def job_of(source: Bytes, first: int, stop: int, precision: Precision) -> CutJob:
    return CutJob((source.size,), (CutRange(0, FrameNumber(first), FrameNumber(stop)),), precision)


def really_cut(source: Bytes, job: CutJob) -> Facts:
    return cut(job, [source], Spool(io.BytesIO()), lambda _: None).facts


def drawn(report: dict[str, Any], width: int) -> list[str]:
    printed = io.StringIO()
    console = Console(file=printed, width=width, highlight=False, emoji=False)
    show_plan(Screen(json=False, debug=False, data=None, out=console, err=console), report)
    return printed.getvalue().splitlines()


def report_of(recording: Recording, first: int, stop: int, precision: Precision) -> dict[str, Any]:
    """As the command gets it."""
    index, track = as_index(recording.track), recording.track
    segments = plan_video(track, first, stop, precision, recording.entry_at)
    asked = snap_to_frames(index, FrameNumber(first), FrameNumber(stop))
    low, high = segments[0].first, segments[-1].end
    end = track.seconds(track.end_of(track.order[high - 1]))
    got = FrameRange(track.seconds(track.pts[track.order[low]]), end, low, high, clamped=False)
    part = part_report(index, asked, got, segments, Looked({}, recording.entries), sound=[])
    whole = plan_report(index, precision, [part], duration=got.duration)
    frames = {"frames_copied": whole["frames"]["copy"], "frames_encoded": whole["frames"]["encode"]}
    outputs = [{"name": "clip", "format": "mp4", "size": whole["bytes"]["clip"], **frames}]
    return {"source": "sea.mp4", "size": 10**6, **whole, "outputs": outputs, "bytes_read": 1000, "requests": 1}


# --- what it says ----------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["exact", "keyframe", "instant"])
@pytest.mark.parametrize(("name", "first", "stop"), [("open", 37, 100), ("closed", 20, 143), ("ts", 40, 95)])
def test_the_plan_says_what_cutting_then_does(
    name: str, first: int, stop: int, precision: Precision, media_folder: Path
) -> None:
    source = Bytes(media(name, media_folder))
    job = job_of(source, first, stop, precision)
    told = preview(job, [source])
    facts = really_cut(source, job)
    assert (told["frames"]["copy"], told["frames"]["encode"]) == (facts.frames_copied, facts.frames_encoded)
    (part,), (span,) = told["parts"], facts.spans
    assert (Fraction(part["start"]), Fraction(part["end"])) == pytest.approx((span.start, span.end), abs=1e-9)
    assert 0.5 < told["bytes"]["clip"] / facts.size < 1.5


def test_the_planned_bytes_are_those_that_cutting_reads(media_folder: Path) -> None:
    path = media("closed", media_folder)
    told = preview(job_of(Bytes(path), 60, 90, "exact"), [Bytes(path)])
    assert told["frames"]["copy"] == 0
    (part,) = told["parts"]
    with av.open(str(path)) as container:
        sizes = [packet.size for packet in container.demux(video=0) if packet.size]
    # Decoding begins at the keyframe 50 and ends with what frame 89 needs: at most a mini-GOP further.
    assert sum(sizes[50:90]) <= part["bytes"]["decoded"] <= sum(sizes[50:94])


@pytest.mark.parametrize("name", SPECS)
def test_types_of_frames_are_those_that_a_decoder_finds(name: str, media_folder: Path) -> None:
    path = media(name, media_folder)
    told = preview(job_of(Bytes(path), 33, 60, "exact"), [Bytes(path)])
    with av.open(str(path)) as container:
        kinds = [PictureType(frame.pict_type).name for frame in container.decode(video=0)]
    letters = 0
    for strip in told["parts"][0]["strips"]:
        assert len(strip["types"]) == len(strip["actions"]) == len(strip["times"])
        for at, letter in enumerate(strip["types"], strip["frame"]):
            assert {"K": "I", "O": "I", "b": "B"}.get(letter, letter) == kinds[at], at
            letters += letter in "IPBb"
    assert letters > 50


def test_keyframes_of_open_and_closed_gops_are_distinguished(media_folder: Path) -> None:
    for name, opened in (("open", True), ("closed", False)):
        told = preview(job_of(Bytes(media(name, media_folder)), 35, 110, "exact"), [Bytes(media(name, media_folder))])
        groups = told["parts"][0]["groups"][1:]  # the very first keyframe has nothing before it
        assert groups
        assert {group["open"] for group in groups} == {opened}
        assert {group["leading"] > 0 for group in groups} == {opened}


def test_every_reason_is_told(media_folder: Path) -> None:
    source = Bytes(media("open", media_folder))
    told = preview(job_of(source, 37, 98, "exact"), [source])
    segments = told["parts"][0]["segments"]
    assert [segment["action"] for segment in segments] == ["drop", "encode", "copy", "encode", "drop"]
    assert all(segment["reason"] for segment in segments)
    assert "decoded" in segments[0]["reason"]
    assert "open" in segments[2]["reason"]


def test_instant_says_what_is_hidden_in_the_file(media_folder: Path) -> None:
    source = Bytes(media("closed", media_folder))
    told = preview(job_of(source, 70, 80, "instant"), [source])
    assert told["frames"]["copy"] == 10
    assert told["frames"]["hide"] >= 20
    assert told["bytes"]["copied"] == told["bytes"]["read"]
    assert told["bytes"]["decoded"] == 0


def test_a_plan_reads_heads_and_not_the_recording() -> None:
    """Frames in the middle of a long copy are not looked at."""
    builder = Builder()
    for _ in range(100):
        builder.keyframe(0, tree=False, references=1, radl=False)
        for _ in range(9):
            builder.mini_gop(2, tree=False, references=1)
    report = report_of(regular(builder), 5, 2790, "exact")
    (part,) = report["parts"]
    assert sum(len(strip["types"]) for strip in part["strips"]) < 300
    assert len(part["groups"]) == 100


def test_of_very_many_groups_the_middle_is_counted_only() -> None:
    builder = Builder()
    for _ in range(2000):
        builder.keyframe(0, tree=False, references=1, radl=False)
    (part,) = report_of(regular(builder), 0, 2000, "exact")["parts"]
    assert len(part["groups"]) == 600
    assert part["groups_left_out"] == 1400
    assert (part["groups"][0]["frame"], part["groups"][-1]["frame"]) == (0, 1999)


# --- what it draws ---------------------------------------------------------------------------------


@settings(deadline=None, max_examples=100)
@given(st.data(), st.sampled_from(["exact", "keyframe", "instant"]), st.sampled_from([80, 120]))
def test_what_is_drawn_fits_and_shows_every_kind_of_frame(
    data: st.DataObject, precision: Precision, width: int
) -> None:
    recording = data.draw(recordings())
    first, stop = data.draw(spans(recording))
    report = report_of(recording, first, stop, precision)
    lines = drawn(report, width)
    assert max(map(len, lines)) <= width
    blocks = {"copy": "█", "encode": "▓", "hide": "▒", "drop": "░"}
    (timeline,) = [line for line in lines if set(line.strip()) and set(line.strip()) <= set(blocks.values())][:1]
    assert len(timeline.strip()) == width - 4
    strips = [line.strip() for line in lines if set(line.strip()) and set(line.strip()) <= set(blocks.values())][1:]
    # Around the edges each frame is one block: together they are the plan's own counts, as far as they are shown.
    for action, block in blocks.items():
        listed = sum(strip["actions"].count(action[0]) for strip in report["parts"][0]["strips"])
        assert sum(strip.count(block) for strip in strips) <= listed
    for mark in {"encode", "copy"} & {segment["action"] for segment in report["parts"][0]["segments"]}:
        assert any(blocks[mark] in strip for strip in strips)


def test_a_short_part_of_a_long_range_stays_visible() -> None:
    builder = Builder()
    for _ in range(200):
        builder.keyframe(0, tree=False, references=1, radl=False)
        for _ in range(20):
            builder.mini_gop(2, tree=False, references=1)
    lines = drawn(report_of(regular(builder), 60, 12_000, "exact"), 80)
    timeline = next(line for line in lines if re.fullmatch(r" *[█▓▒░]{76} *", line))
    assert "▓" in timeline
    assert timeline.count("█") > 70


def test_the_first_and_the_last_frame_are_pointed_at() -> None:
    builder = Builder()
    for _ in range(4):
        builder.keyframe(0, tree=False, references=1, radl=False)
        for _ in range(9):
            builder.mini_gop(2, tree=False, references=1)
    lines = drawn(report_of(regular(builder), 5, 100, "exact"), 120)
    for label, number in (("first: 5", 5), ("last: 99", 99)):
        at = next(n for n, line in enumerate(lines) if label in line)
        begin = int(lines[at + 1].split()[0])
        pointers = [match.start() for match in re.finditer("▼", lines[at])]
        assert number in {begin + pointer - 11 for pointer in pointers}


# --- the command -----------------------------------------------------------------------------------


def test_the_command_looks_into_the_recording_in_a_process_apart(
    media_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    path = str(media("open", media_folder))
    assert run(["plan", path, "--from", "1.25", "--to", "frame:100", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["source"] == path
    assert told["parts"][0]["frames"] == 62
    assert told["bytes_read"] > 0
    assert run(["plan", path, "--from", "1.25", "--to", "frame:100"]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "62 frames, 38 to 99" in shown
    assert max(map(len, shown.splitlines())) <= 120
    assert not list(tmp_path.iterdir()), "a plan writes nothing"


def test_the_command_plans_a_format(media_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["plan", str(media("closed", media_folder)), "--from", "1", "--to", "3"]
    assert run([*command, "--format", "gif", "--json"]) == 0
    [output] = json.loads(capsys.readouterr().out)["outputs"]
    assert (output["format"], output["frames_copied"], output["frames_encoded"]) == ("gif", 0, 24)
    assert run([*command, "--format", "gif"]) == 0
    assert "gif, about" in capsys.readouterr().out
    assert run([*command, "--format", "gift", "--json"]) == 2
    assert "did you mean" in capsys.readouterr().out


def test_the_sound_of_several_ranges_is_joined(media_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(media("closed", media_folder))
    assert run(["plan", path, "--range", "0..1", "--range", "3..4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [part["frames"] for part in told["parts"]] == [25, 25]
    assert {part["sound"][0]["action"] for part in told["parts"]} == {"encode"}
    assert told["clip_duration"] == "2"


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--from", "90", "--to", "99"], 1, "range_outside_recording"),
        (["--from", "2", "--to", "1"], 2, "wrong_usage"),
        ([], 2, "wrong_usage"),
        (["--from", "1", "--to", "2", "--precision", "roughly"], 2, "wrong_usage"),
    ],
)
def test_what_cannot_be_planned_is_refused_as_cutting_would(
    arguments: list[str], code: int, reason: str, media_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["plan", str(media("closed", media_folder)), *arguments, "--json"]) == code
    assert json.loads(capsys.readouterr().out)["error"]["reason"] == reason


@pytest.mark.parametrize("content", [b"", b"just text\n" * 50, b"\0\0\0\x18ftypisom" + b"\xff" * 500])
def test_what_is_no_video_ends_as_a_named_failure(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.mp4").write_bytes(content)
    assert run(["plan", str(tmp_path / "x.mp4"), "--from", "0", "--to", "1", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["reason"] in {"media_unreadable", "media_unsupported"}


def test_limits_hold_for_a_plan_as_well(media_folder: Path) -> None:
    source = Bytes(media("closed", media_folder))
    job = CutJob((source.size,), (CutRange(0, Fraction(0), Fraction(1)),), limits=Limits(index_bytes=100))
    with pytest.raises(MediaTooLargeError):
        preview(job, [source])
