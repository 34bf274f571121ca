"""Pixels that are not square stay as they are, also in codecs that do not say so themselves, and in WebM."""

from __future__ import annotations

import io
import re
import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest
from tests.media.cuts import ask
from tests.media.outputs import OutputMade, make, make_output
from tests.support.media import MediaSpec, cached_media, read_counter
from tests.support.sampling import slow_except

from cutback.cutting.job import JobOutput
from cutback.cutting.mp4.entries import aspect_of
from cutback.cutting.output_values import Mov, Mp4, OutputValue, WebM
from cutback.cutting.tags import MOST

WIDTH, HEIGHT = 320, 180
BEGIN, END = Fraction(1, 2), Fraction(9, 10)
NUMBERS = list(range(15, 27))

VP9, AV1 = WebM(codec="vp9", quality="small"), WebM(codec="av1", quality="small")
OUTPUTS: dict[str, OutputValue] = {"vp9": VP9, "av1": AV1, "mp4": Mp4(codec="vp9", quality="small"), "mov": Mov()}
CASES = [
    f"{output} {aspect} {rotation}"
    for output in OUTPUTS
    for aspect in ("4/3", "64/45", "1/2", "1")
    for rotation in (0, 90, 180)
]


def source(folder: Path, aspect: str, rotation: int = 0) -> Path:
    options = {"x264-params": f"sar={aspect}"}
    return cached_media(MediaSpec(frames=30, codec_options=options, rotation=rotation, audio_bitrate=64_000), folder)


def of_webm(aspect: str) -> Fraction:
    """WebM has whole pixels: the height of the pictures, and the width that fits it best."""
    return Fraction(round(WIDTH * Fraction(aspect)), WIDTH)


def check(made: OutputMade, aspect: Fraction, rotation: int = 0) -> None:
    with av.open(io.BytesIO(made.data), "r") as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert (stream.width, stream.height) == (WIDTH, HEIGHT)
        assert (stream.sample_aspect_ratio or 1) == aspect
    assert {frame.rotation % 360 for frame in frames} == {rotation}
    assert [read_counter(frame) for frame in frames] == NUMBERS[: len(frames)]
    assert frames


@pytest.mark.parametrize("case", slow_except(CASES, "vp9 4/3 0", "vp9 1/2 90", "mp4 4/3 90", slow_one_in=6))
def test_pixels_keep_their_shape(case: str, media_folder: Path) -> None:
    output, aspect, degrees = case.split()
    made = make_output([source(media_folder, aspect, int(degrees))], ask((0, BEGIN, END)), OUTPUTS[output])
    check(made, of_webm(aspect) if isinstance(OUTPUTS[output], WebM) else Fraction(aspect), int(degrees))
    assert made.facts.frames == len(NUMBERS)


@pytest.mark.parametrize("value", [Mp4(codec="vp9", quality="small"), VP9], ids=["mp4", "webm"])
def test_only_the_container_of_a_recording_tells_it(value: OutputValue, media_folder: Path) -> None:
    """VP9 itself says nothing about the shape of its pixels."""
    told = make_output([source(media_folder, "1/2")], ask((0, BEGIN, END)), value).data
    part = ask((0, Fraction(0), Fraction(1, 5)))
    for output in (VP9, Mp4(codec="h264", quality="small"), Mp4(codec="vp9", crf=40)):
        check(make_output([told], part, output), Fraction(1, 2))


def test_the_list_of_contents_still_leads_to_them(media_folder: Path) -> None:
    data = make_output([source(media_folder, "4/3")], ask((0, BEGIN, END)), VP9).data
    segment = data.index(bytes.fromhex("18538067")) + 12
    listed = re.findall(
        rb"\x53\xab\x84(.{4})\x53\xac([\x81-\x88])(.{1,8}?)(?=\x4d\xbb|\xec)", data[segment:], re.DOTALL
    )
    assert len(listed) >= 4
    for name, width, position in listed:
        assert len(position) == width[0] & 15
        begin = segment + int.from_bytes(position)
        assert data[begin : begin + 4] == name


def test_a_webm_lasts_as_long_as_its_clip(media_folder: Path) -> None:
    """The padding of Opus is no sound."""
    made = make_output([source(media_folder, "1")], ask((0, BEGIN, END)), VP9)
    with av.open(io.BytesIO(made.data), "r") as container:
        assert container.duration == (END - BEGIN) * av.time_base


def test_a_webm_has_room_for_the_longest_title(media_folder: Path) -> None:
    title = "🌊" * MOST
    output = JobOutput("clip", VP9)
    made = make([source(media_folder, "4/3")], ask((0, BEGIN, END)), output, title=title)["clip"]
    check(made, of_webm("4/3"))
    with av.open(io.BytesIO(made.data), "r") as container:
        assert container.metadata["title"] == title


PASP = struct.pack(">I4sII", 16, b"pasp", 4, 3)


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        (PASP, Fraction(4, 3)),
        (PASP + bytes(4), Fraction(4, 3)),
        (PASP + b"\xff" * 12, Fraction(4, 3)),
        (b"\xff" * 12 + PASP, None),
        (PASP[:10], None),
        (struct.pack(">I4sII", 16, b"pasp", 4, 0), None),
        (b"", None),
    ],
)
def test_the_shape_in_a_damaged_description_is_not_known_and_harms_nothing(
    boxes: bytes, expected: Fraction | None
) -> None:
    assert aspect_of(bytes(86) + boxes) == expected
