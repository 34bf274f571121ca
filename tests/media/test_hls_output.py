"""HLS: what players get is the clip, frame by frame, in segments that need no other."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest
from tests.media.cuts import ask, cut_in_process, find_boxes
from tests.media.outputs import OutputMade, bench, make, make_output
from tests.media.recordings import ReferenceRecording
from tests.support.decode import decode_presented
from tests.support.hls_validator import continuous_dates, validate
from tests.support.media import luma_of, match_sound, read_luma_counter

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.scale import Scale
from cutback.cutting.edit_values.time import Reverse
from cutback.cutting.job import CutRange, JobOutput, WallClock
from cutback.cutting.output_values import Hls
from cutback.cutting.outputs.make import make_outputs

Recordings = Callable[[str], ReferenceRecording]

START, END = Fraction(31, 30), Fraction(181, 30)


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of at most two seconds, so that short clips have several."""
    monkeypatch.setattr("cutback.cutting.outputs.hls.TARGET", Fraction(2))


def packaged(one: ReferenceRecording, *qualities: int, edits: tuple[Edit, ...] = ()) -> OutputMade:
    """Five seconds."""
    return make_output([one.path], ask((0, START, END)), Hls(qualities), edits=edits)


def counters(files: Mapping[str, bytes], playlist: str, folder: Path) -> list[int]:
    """The frames that FFmpeg's HLS player shows."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    with av.open(str(folder / playlist), format="hls", options={"allowed_extensions": "ALL"}) as container:
        return [read_luma_counter(luma_of(frame)) for frame in container.decode(video=0)]


@pytest.mark.parametrize("name", ["pyramid", "open-gop", "no-b-frames", "hevc", "rate-changes"])
def test_shows_the_frames_of_the_clip(recording: Recordings, name: str, tmp_path: Path) -> None:
    one = recording(name)
    made = packaged(one)
    tracks = validate(made.files, "clip.m3u8")
    clip = cut_in_process([one.path], (0, START, END))
    wanted = [frame.counter for frame in decode_presented(clip.data).frames]
    [pictures] = [track for track in tracks.values() if track.kind == "vide"]
    assert counters(made.files, pictures.name, tmp_path) == wanted
    assert pictures.samples == len(wanted) == made.facts.frames
    # Open GOPs are encoded, and HEVC too: copied and encoded pictures would need two sample entries.
    assert made.facts.frames_copied == (0 if name in {"open-gop", "hevc"} else clip.facts.frames_copied)


def test_copies_what_the_clip_copies(recording: Recordings) -> None:
    """Most of the bytes of its segments are those of the recording."""
    one = recording("pyramid")
    made = packaged(one)
    with av.open(str(one.path)) as container:
        samples = {bytes(packet) for packet in container.demux(video=0) if packet.size}
    segments = [data for name, data in made.files.items() if name.endswith(".m4s") and "sound" not in name]
    assert len(segments) >= 3
    assert made.facts.frames_copied > 60
    found = sum(any(sample in segment for segment in segments) for sample in samples)
    assert found >= made.facts.frames_copied


def test_sound_is_a_rendition_at_its_time(recording: Recordings, tmp_path: Path) -> None:
    one = recording("pyramid")
    made = packaged(one)
    for name, data in made.files.items():
        (tmp_path / name).write_bytes(data)
    with av.open(str(tmp_path / "clip-sound.m3u8"), format="hls", options={"allowed_extensions": "ALL"}) as container:
        stream = container.streams.audio[0]
        frames = list(container.decode(stream))
    heard = decode_presented(
        (tmp_path / "clip-sound-init.mp4").read_bytes()
        + b"".join(
            data for name, data in made.files.items() if name.startswith("clip-sound-") and name.endswith(".m4s")
        )
    )
    samples = heard.audio
    assert frames
    expected = float(START) + one.reference_at_zero
    match = match_sound(samples[4_800:100_000], heard.sample_rate, one.spec, expected + 0.1)
    assert match.start == pytest.approx(expected + 0.1, abs=0.001)


def test_qualities_show_the_same_frames_and_are_never_enlarged(recording: Recordings, tmp_path: Path) -> None:
    one = recording("pyramid")  # 180 rows
    made = packaged(one, 96, 1080, 720)
    tracks = validate(made.files, "clip.m3u8")
    pictures = [track for track in tracks.values() if track.kind == "vide"]
    assert [track.name for track in pictures] == ["clip-180p.m3u8", "clip-96p.m3u8"]
    high, low = (counters(made.files, track.name, tmp_path) for track in pictures)
    assert high == low == one.counters[31:181]
    assert sum(track.kind == "soun" for track in tracks.values()) == 1
    assert made.facts.frames_copied > 0  # the highest is copied


def test_qualities_with_the_same_even_height_are_one(recording: Recordings) -> None:
    made = make_output([recording("pyramid").path], ask((0, START, START + 1)), Hls((120, 97, 96)))
    assert list(validate(made.files, "clip.m3u8")) == ["clip-120p.m3u8", "clip-96p.m3u8", "clip-sound.m3u8"]


def test_all_playlists_have_the_target_duration_of_the_longest_segment(
    recording: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copied keyframes are 1 s apart, and those of the lower quality farther."""
    monkeypatch.setattr("cutback.cutting.outputs.hls.TARGET", Fraction(1))
    tracks = validate(packaged(recording("no-b-frames"), 180, 96).files, "clip.m3u8")
    assert len({max(map(round, track.durations)) for track in tracks.values()}) > 1
    assert {track.target for track in tracks.values()} == {max(round(max(t.durations)) for t in tracks.values())}


def test_pixels_that_are_not_square_keep_their_shape_in_every_quality(recording: Recordings) -> None:
    """The track's header has the size at which pictures are shown: here 4/3 as wide as they are coded."""
    data = bytearray(recording("pyramid").path.read_bytes())
    end = max(end for _, end in find_boxes(bytes(data), b"moov", b"trak", b"tkhd") if any(data[end - 8 : end]))
    struct.pack_into(">I", data, end - 8, 320 * 4 * (1 << 16) // 3)
    made = make_output([bytes(data)], ask((0, START, START + 1)), Hls((180, 96)))
    tracks = validate(made.files, "clip.m3u8")
    assert made.facts.frames_copied > 0
    sizes = [track.size for track in tracks.values() if track.kind == "vide"]
    assert sizes == [(427, 180), (round(170 * Fraction(4, 3)), 96)]
    assert b"RESOLUTION=427x180" in made.files["clip.m3u8"]


def test_progress_never_goes_back(recording: Recordings) -> None:
    """Each quality is cut by itself."""
    outputs = [JobOutput("clip", Hls((180, 96)))]
    reported: list[float] = []
    with bench([recording("pyramid").path], ask((0, START, START + 1)), outputs=outputs) as made_with:
        make_outputs(made_with.job, made_with.sources, made_with.spool, lambda done: reported.append(done.fraction))
    assert len(set(reported)) > 3
    assert reported == sorted(reported)


def test_goes_through_the_edits(recording: Recordings) -> None:
    made = packaged(recording("pyramid"), edits=(Scale(160, None, "fit", enlarge=False),))
    assert list(validate(made.files, "clip.m3u8")) == ["clip-90p.m3u8", "clip-sound.m3u8"]


@pytest.mark.parametrize(("name", "kinds"), [("field-pictures", ["vide"]), ("sound-alone", ["soun"])])
def test_pictures_and_sound_alone(recording: Recordings, name: str, kinds: list[str]) -> None:
    one = recording(name)
    made = make_output([one.path], ask((0, Fraction(1), Fraction(3))), Hls(()))
    assert [track.kind for track in validate(made.files, "clip.m3u8").values()] == kinds


CLOCK = WallClock(Fraction(1_700_000_000), Fraction(1), "north")


def dated(one: ReferenceRecording, ranges: Sequence[CutRange], output: JobOutput, *edits: Edit) -> bytes:
    """The playlist of the pictures."""
    made = make([one.path], ranges, output, edits=edits, wall_clocks=[CLOCK])["clip"]
    validate(made.files, "clip.m3u8")
    return made.files["clip-180p.m3u8"]


def test_dates_are_those_of_the_camera(recording: Recordings) -> None:
    playlist = dated(recording("pyramid"), ask((0, START, END)), JobOutput("clip", Hls(())))
    assert b"#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:21.033Z" in playlist
    assert continuous_dates(playlist)


def test_dates_begin_where_the_copied_pictures_do(recording: Recordings) -> None:
    """With `keyframe`, the clip begins before the requested range: at 1.6 s, where a keyframe is."""
    playlist = dated(recording("pyramid"), ask((0, Fraction(2), END)), JobOutput("clip", Hls(()), "keyframe"))
    assert playlist.index(b"#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:21.600Z") < playlist.index(b"#EXTINF")
    assert continuous_dates(playlist)


@pytest.mark.parametrize(
    ("ranges", "edits"),
    [(((0, START, END),), (Reverse(),)), (((0, Fraction(4), END), (0, Fraction(0), Fraction(2))), ())],
    ids=["backwards", "out of order"],
)
def test_dates_that_go_back_are_left_out(
    ranges: Sequence[tuple[int, Fraction, Fraction]], edits: Sequence[Edit], recording: Recordings
) -> None:
    playlist = dated(recording("pyramid"), ask(*ranges), JobOutput("clip", Hls(())), *edits)
    assert b"DATE-TIME" not in playlist
