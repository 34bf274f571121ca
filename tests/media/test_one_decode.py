"""Several outputs of one request: what they encode is decoded once, and is the same as if each were made alone."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import av
import pytest
from tests.media.cuts import BytesSource, ask
from tests.media.outputs import OutputMade, make
from tests.media.recordings import ReferenceRecording

from cutback.cutting.codecs import pictures
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.cut import AT_ONCE
from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.scale import Scale
from cutback.cutting.edit_values.time import Reverse
from cutback.cutting.index import Track
from cutback.cutting.job import ByteSource, JobOutput
from cutback.cutting.output_values import Gif, Hls, JpegStill, Mov, Mp4, OutputValue, WebM

Recordings = Callable[[str], ReferenceRecording]

PART = ask((0, Fraction("1.4"), Fraction("3.4")))
FRAMES = 60
"""In that part."""


class Counted:
    """Counts the pictures of recordings that are decoded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        decode = pictures.decode

        def counted(track: Track, source: ByteSource, *more: Any) -> Iterator[Picture]:
            for picture in decode(track, source, *more):
                self.count += isinstance(source, BytesSource)  # finished clips are decoded as well, to check them
                yield picture

        monkeypatch.setattr(pictures, "decode", counted)


def outputs_of(*values: OutputValue) -> list[JobOutput]:
    return [JobOutput(f"n{number}", value) for number, value in enumerate(values)]


def contents(made: OutputMade) -> Mapping[str, bytes | list[bytes]]:
    """The files; of a WebM, which has a random number in it, the packets."""
    return {name: packets(data) if name.endswith(".webm") else data for name, data in made.files.items()}


def packets(data: bytes) -> list[bytes]:
    with av.open(io.BytesIO(data), "r") as container:
        return [bytes(packet) for packet in container.demux() if packet.size]


def check(one: ReferenceRecording, values: Sequence[OutputValue], edits: Sequence[Edit] = ()) -> None:
    outputs = outputs_of(*values)
    together = make([one.path], PART, *outputs, edits=edits)
    for output in outputs:
        alone = make([one.path], PART, output, edits=edits)[output.name]
        assert contents(together[output.name]) == contents(alone)
        assert together[output.name].facts.notes == alone.facts.notes
        assert together[output.name].facts.edits == alone.facts.edits


@pytest.mark.parametrize("count", [2, AT_ONCE])
def test_outputs_share_one_decoder(count: int, recording: Recordings, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    values = [Mp4(quality="small"), Mp4(crf=40), Mov(crf=35), Mp4(quality="good")]
    make([recording("pyramid").path], PART, *outputs_of(*values[:count]))
    assert counted.count == FRAMES


def test_qualities_of_hls_share_one_decoder(recording: Recordings, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    make([recording("pyramid").path], PART, *outputs_of(Hls((128, 96, 64))))
    assert counted.count == FRAMES + 1  # the first one tells how high they are


def test_each_output_is_as_if_it_were_made_alone(recording: Recordings) -> None:
    check(
        recording("pyramid"),
        [Mp4(quality="small"), WebM(codec="vp9", quality="small"), Mp4(), JpegStill(Fraction(1), 64)],
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "values", "edits"),
    [
        ("open-gop", [Hls((96, 64)), Mp4(quality="small"), Gif(64, 5, 0, None)], ()),
        ("pyramid", [Mp4(), Mov(), Mp4(crf=30)], (Scale(64, 48, "fit", enlarge=False),)),
        ("hevc-hdr10", [Mp4(codec="vp9"), Mp4(codec="hevc", crf=35), Mp4(codec="h264"), Mp4(quality="small")], ()),
        ("hevc", [Mp4(codec="h264"), Mp4(quality="small"), Hls(())], (Reverse(),)),
    ],
)
def test_more_outputs_are_as_if_they_were_made_alone(
    name: str, values: Sequence[OutputValue], edits: Sequence[Edit], recording: Recordings
) -> None:
    check(recording(name), values, edits)


def test_two_outputs_with_the_same_pictures_encode_them_once(
    recording: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(monkeypatch)
    one = recording("pyramid")
    made = make([one.path], PART, *outputs_of(Mp4(codec="vp9"), WebM(codec="vp9")))
    assert counted.count == FRAMES
    assert made["n0"].facts.frames == made["n1"].facts.frames == FRAMES
