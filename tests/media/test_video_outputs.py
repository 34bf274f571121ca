"""Codecs, containers, quality and maximum sizes: what comes out is decoded and compared."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange
from numpy.typing import NDArray
from tests.media.cuts import BytesSource, ask
from tests.media.outputs import OutputMade, make, make_output
from tests.media.recordings import ReferenceRecording
from tests.support.media import MediaSpec, make_media
from tests.support.picture import read_counter
from tests.support.sampling import slow_except

from cutback.cutting.codecs.coding import VideoCoding
from cutback.cutting.edit_values.rotate import Rotate
from cutback.cutting.edit_values.scale import Scale
from cutback.cutting.edit_values.sound import Mute
from cutback.cutting.edit_values.time import Speed
from cutback.cutting.job import CutJob, JobOutput
from cutback.cutting.output_values import Mov, Mp4, OutputValue, VideoValue, WebM
from cutback.cutting.outputs.coded import TRIES, SizeTry, first_try, next_try
from cutback.domain.errors import OutputImpossibleError
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]

PART = ask((0, Fraction("1.4"), Fraction("2.6")))
NUMBERS = list(range(42, 78))

FORMATS: dict[str, tuple[OutputValue, str, str]] = {
    "mp4": (Mp4(), "h264", "mp4"),
    "mp4 small": (Mp4(quality="small"), "h264", "mp4"),
    "mp4 hevc": (Mp4(codec="hevc", quality="good"), "hevc", "mp4"),
    "mp4 av1": (Mp4(codec="av1", quality="good"), "av1", "mp4"),
    "mp4 vp9": (Mp4(codec="vp9", crf=40), "vp9", "mp4"),
    "mov": (Mov(), "h264", "mov"),
    "mov hevc": (Mov(codec="hevc", crf=28), "hevc", "mov"),
    "webm vp9": (WebM(codec="vp9", quality="good"), "vp9", "webm"),
    "webm av1": (WebM(codec="av1", quality="good"), "av1", "webm"),
}
"""The output, and the codec and container of its file."""


def one(recording: ReferenceRecording, value: OutputValue) -> OutputMade:
    return make([recording.path], PART, JobOutput("clip", value))["clip"]


def shown(data: bytes) -> tuple[list[int], list[Fraction], list[str]]:
    """The numbers of the frames, their times, and the codecs of all streams."""
    with av.open(io.BytesIO(data), "r") as container:
        codecs = [stream.codec_context.codec.canonical_name for stream in container.streams]
        frames = [(read_counter(frame), _time(frame)) for frame in container.decode(video=0)]
    return [number for number, _ in frames], [time for _, time in frames], codecs


def _time(frame: av.VideoFrame) -> Fraction:
    assert frame.time_base is not None
    return (frame.pts or 0) * frame.time_base


def check(data: bytes, codec: str) -> None:
    numbers, times, codecs = shown(data)
    assert numbers == NUMBERS
    assert codecs[0] == codec
    assert len(codecs) == 2, "with sound"
    assert all(abs(time - Fraction(place, 30)) < Fraction(1, 500) for place, time in enumerate(times))


@pytest.mark.parametrize("name", slow_except(FORMATS, "mp4 av1", "webm vp9", "mov"))
def test_every_codec_shows_exactly_the_requested_frames(name: str, recording: Recordings) -> None:
    value, codec, container = FORMATS[name]
    made = one(recording("pyramid"), value)
    check(made.data, codec)
    assert list(made.files) == [f"clip.{container}"]
    assert made.facts.size == len(made.data)
    assert made.facts.frames == len(NUMBERS)
    assert bool(made.facts.frames_copied) == (made.facts.quality == "")


def test_a_mov_is_a_quicktime_file_and_copies_what_an_mp4_copies(recording: Recordings) -> None:
    mp4, mov = one(recording("pyramid"), Mp4()), one(recording("pyramid"), Mov())
    assert mov.data[4:12] == b"ftypqt  "
    assert mov.data[8:12] != mp4.data[8:12]
    assert mov.facts.frames_copied == mp4.facts.frames_copied > 0


def test_hevc_has_the_sample_entry_that_players_of_apple_need(recording: Recordings) -> None:
    data = one(recording("pyramid"), Mp4(codec="hevc", quality="small")).data
    assert b"hvc1" in data
    assert b"hev1" not in data


@pytest.mark.parametrize("value", [WebM(codec="vp9", crf=20), Mp4(codec="av1", crf=20)], ids=str)
def test_full_range_stays_in_codecs_without_a_format_for_it(value: OutputValue, tmp_path: Path) -> None:
    spec = MediaSpec(frames=12, audio=None, codec_options={"x264-params": "fullrange=on"})
    source = make_media(spec, tmp_path / "full.mp4")
    made = make_output([source], ask((0, Fraction(0), Fraction(2, 5))), value)
    before, after = (_planes(data) for data in (source.read_bytes(), made.data))
    assert after[0] == before[0] == ColorRange.JPEG
    assert after[1].std() == pytest.approx(before[1].std(), rel=0.04), "in the limited range, it has 0.86 of it"


def _planes(data: bytes) -> tuple[int, NDArray[np.float64]]:
    with av.open(io.BytesIO(data), "r") as container:
        frame = next(container.decode(video=0))
        return int(frame.color_range), np.asarray(frame.to_ndarray(), np.float64)[: frame.height]


@pytest.mark.parametrize("codec", ["h264", "av1"])
def test_the_best_crf_is_one_that_players_decode(codec: str, recording: Recordings) -> None:
    short = ask((0, Fraction("1.4"), Fraction("1.5")))
    made, same = (make_output([recording("pyramid").path], short, Mp4(codec=codec, crf=crf)) for crf in (0, 1))
    with av.open(io.BytesIO(made.data), "r") as container:
        assert container.streams.video[0].profile in {"High", "Main"}
    assert "crf 1," in made.facts.quality
    assert len(made.data) == len(same.data)


@pytest.mark.parametrize(("name", "kept"), [("vp9", ["vp9", "aac"]), ("opus", ["h264", "opus"])])
def test_a_mov_has_only_codecs_that_its_players_know(name: str, kept: list[str], recording: Recordings) -> None:
    group = ask((0, Fraction(0), Fraction(1)))
    mov, mp4 = (shown(make_output([recording(name).path], group, value()).data) for value in (Mov, Mp4))
    assert mov[2] == ["h264", "aac"]
    assert mp4[2] == kept
    assert mov[0] == mp4[0]


def test_a_webm_has_the_title_of_the_request(recording: Recordings) -> None:
    short = ask((0, Fraction("1.4"), Fraction("1.5")))
    output = JobOutput("clip", WebM(codec="vp9", quality="small"))
    made = make([recording("pyramid").path], short, output, title="Wave 波")["clip"]
    with av.open(io.BytesIO(made.data), "r") as container:
        assert container.metadata["title"] == "Wave 波"


def test_a_lower_quality_is_smaller(recording: Recordings) -> None:
    small, best = (one(recording("pyramid"), Mp4(quality=quality)) for quality in ("small", "best"))
    assert len(small.data) < len(best.data)
    assert "crf 28" in small.facts.quality
    assert "crf 17" in best.facts.quality


@pytest.mark.parametrize(
    "value", [Mp4(codec="av1", quality="small"), WebM(codec="vp9", quality="small"), Mp4(codec="hevc", crf=30)], ids=str
)
def test_every_encoder_runs_in_the_confined_child(
    value: OutputValue, recording: Recordings, cutter: ChildCutter
) -> None:
    source = BytesSource(recording("pyramid").path.read_bytes())
    outputs = (JobOutput("clip", value), JobOutput("plain", Mp4()))
    job = CutJob((source.size,), PART, outputs=outputs)
    with cutter.render(job, [source], on_progress=lambda _: None, stopped=lambda: False) as rendition:
        files = [b"".join(rendition.chunks(output.files[0])) for output in rendition.outputs]
    assert [shown(data)[0] for data in files] == [NUMBERS, NUMBERS]
    assert rendition.outputs[0].facts.quality
    assert rendition.outputs[1].facts.frames_copied


@pytest.fixture
def cutter() -> Iterator[ChildCutter]:
    made = ChildCutter(warm=False)
    yield made
    made.close()


# --- maximum sizes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    slow_except(
        {
            "h264": Mp4(max_size=50_000),
            "hevc": Mp4(codec="hevc", max_size=50_000),
            "av1": Mp4(codec="av1", max_size=50_000),
            "webm": WebM(codec="vp9", max_size=50_000),
        },
        "h264",
        "av1",
    ),
)
def test_a_maximum_size_is_kept(value: str, recording: Recordings) -> None:
    output = {
        "h264": Mp4(max_size=50_000),
        "hevc": Mp4(codec="hevc", max_size=50_000),
        "av1": Mp4(codec="av1", max_size=50_000),
        "webm": WebM(codec="vp9", max_size=50_000),
    }[value]
    made = one(recording("pyramid"), output)
    assert len(made.data) <= 50_000
    with av.open(io.BytesIO(made.data), "r") as container:
        assert len(list(container.decode(video=0))) == len(NUMBERS)
    assert "try" in made.facts.quality


SECOND_TRIES: dict[str, VideoValue] = {
    "h264": Mp4(codec="h264", max_size=25_000),
    "hevc": Mp4(codec="hevc", max_size=25_000),
    "av1": Mp4(codec="av1", max_size=25_000),
    "vp9": WebM(codec="vp9", max_size=35_000),
}


@pytest.mark.parametrize("codec", SECOND_TRIES)
def test_every_encoder_takes_the_bit_rate_of_a_second_try(
    codec: str, recording: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def generous(*values: Any) -> SizeTry:
        tried = first_try(*values)
        return SizeTry(replace(tried.coding, quality="best", most=3 * (tried.coding.most or 0)), None)

    monkeypatch.setattr("cutback.cutting.outputs.coded.first_try", generous)
    short = ask((0, Fraction("1.4"), Fraction("1.9")))
    made = make([recording("pyramid").path], short, JobOutput("clip", SECOND_TRIES[codec]), edits=(Mute(),))["clip"]
    assert len(made.data) <= (SECOND_TRIES[codec].max_size or 0)
    assert "kbit/s" in made.facts.quality
    assert int(made.facts.quality.rpartition("try ")[2]) >= 2
    with av.open(io.BytesIO(made.data), "r") as container:
        assert sum(1 for _ in container.decode(video=0)) == made.facts.frames == 15


RANDOM_SIZES = 200


@pytest.mark.parametrize("part", [pytest.param(0, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.soak)])
def test_random_maximum_sizes_are_kept_or_fail_by_name(part: int, recording: Recordings) -> None:
    """Of random requests, most are kept; the others say that the size is too small."""
    rng = random.Random(17)
    kept = unnamed = 0
    cases = [_random_request(rng) for _ in range(RANDOM_SIZES)]
    few = 2
    for name, start, length, value in cases[few:] if part else cases[:few]:
        one_range = ask((0, start, start + length))
        limit = value.max_size
        assert limit is not None
        try:
            made = make_output([recording(name).path], one_range, value)
        except OutputImpossibleError as error:
            unnamed += str(limit) not in str(error)
            continue
        kept += 1
        assert made.facts.size == len(made.data) <= limit, (name, start, length, value)
        with av.open(io.BytesIO(made.data), "r") as container:
            assert sum(1 for _ in container.decode(video=0)) == made.facts.frames > 0
    assert unnamed == 0
    assert kept >= 0.5 * (len(cases) - few if part else few)


def _random_request(rng: random.Random) -> tuple[str, Fraction, Fraction, VideoValue]:
    name = rng.choice(["pyramid", "no-sound", "open-gop", "ts", "29.97", "rotated", "anamorphic"])
    start, length = (Fraction(rng.randint(*span), 100) for span in ((0, 300), (30, 200)))
    limit = round(10_000 * 40 ** rng.random())
    kinds: list[VideoValue] = [
        Mp4(max_size=limit),
        Mp4(codec="hevc", max_size=limit),
        Mp4(codec="av1", max_size=limit),
        Mp4(max_size=limit, fragmented=True),
        Mov(max_size=limit),
        WebM(codec="vp9", max_size=limit),
    ]
    return name, start, length, rng.choice(kinds)


def test_a_maximum_size_is_kept_without_the_sound_that_edits_drop(recording: Recordings) -> None:
    made = make([recording("pyramid").path], PART, JobOutput("clip", Mp4(max_size=30_000)), edits=(Mute(),))["clip"]
    assert len(made.data) <= 30_000
    numbers, _, codecs = shown(made.data)
    assert (numbers, codecs) == (NUMBERS, ["h264"])


def test_what_fits_is_copied(recording: Recordings) -> None:
    made = one(recording("pyramid"), Mp4(max_size=10_000_000))
    assert made.facts.frames_copied > 0
    check(made.data, "h264")


def test_a_size_that_cannot_be_kept_fails_by_name(recording: Recordings) -> None:
    with pytest.raises(OutputImpossibleError, match="too few for its sound"):
        one(recording("pyramid"), Mp4(max_size=2_000))


def test_a_codec_that_cannot_hold_the_pictures_fails_by_name(recording: Recordings) -> None:
    with pytest.raises(OutputImpossibleError, match="8 bits"):
        one(recording("10-bit"), WebM(codec="vp9"))


def test_tries_go_down_in_bit_rate_and_then_in_resolution() -> None:
    tried = first_try(VideoCoding(), 500_000, Fraction(10), (1920, 1080), Fraction(30))
    assert (tried.coding.quality, tried.coding.most) == ("good", 400_000)
    assert tried.height is not None
    assert 144 <= tried.height < 1080, "400 kbit/s are too few for 1080p"
    rates, heights = [400_000], [tried.height]
    for number in range(1, TRIES):
        tried = next_try(SizeTry(tried.coding, tried.height, 700_000), 600_000, number, heights[-1])
        assert tried.coding.quality is None
        rates.append(tried.coding.bit_rate or 0)
        heights.append(tried.height or 0)
    assert rates == sorted(set(rates), reverse=True)
    assert heights[:3] == [heights[0]] * 3
    assert heights[3] < heights[2]


def test_only_pictures_shrink_with_the_bit_rate() -> None:
    tried = SizeTry(VideoCoding(bit_rate=400_000), None, size=700_000, rest=500_000)
    # 100 000 of 200 000 bytes are left for pictures.
    assert next_try(tried, 600_000, 1, 1080).coding.bit_rate == 180_000
    with pytest.raises(OutputImpossibleError, match="all but its pictures"):
        next_try(tried, 500_000, 1, 1080)


def test_a_maximum_size_counts_the_seconds_that_are_shown(
    recording: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At four times the speed, each second of the clip may have four times the bits."""
    rates: list[int] = []

    def noted(*values: Any) -> SizeTry:
        made = first_try(*values)
        rates.append(made.coding.most or 0)
        return made

    monkeypatch.setattr("cutback.cutting.outputs.coded.first_try", noted)
    ranges = ask((0, Fraction(0), Fraction(4)))
    for edits in ((Mute(),), (Mute(), Speed(Fraction(4), (), "drop"))):
        make([recording("pyramid").path], ranges, JobOutput("clip", Mp4("hevc", max_size=40_000)), edits=edits)
    plain, fast = rates
    assert 3.5 * plain < fast < 5 * plain


def test_pictures_that_edits_made_smaller_stay_as_they_are(
    recording: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[tuple[int, int]] = []

    def noted(*values: Any) -> SizeTry:
        sizes.append(values[3])
        return first_try(*values)

    monkeypatch.setattr("cutback.cutting.outputs.coded.first_try", noted)
    edits = (Scale(160, None, "fit", enlarge=False), Rotate(90, None))
    make([recording("pyramid").path], PART, JobOutput("clip", Mp4(max_size=20_000)), edits=(Mute(), *edits))
    assert sizes == [(90, 160)]


def test_enough_bits_leave_the_resolution() -> None:
    tried = first_try(VideoCoding(), 5_000_000, Fraction(10), (1280, 720), Fraction(30))
    assert tried == SizeTry(VideoCoding(quality="good", most=4_000_000), None)
