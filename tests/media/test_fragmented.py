"""Fragmented MP4: the clip, frame by frame, in fragments that can be decoded by themselves."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import pytest
from tests.media.cuts import ask
from tests.media.outputs import make, make_output
from tests.media.recordings import ReferenceRecording
from tests.support.decode import decode_presented
from tests.support.media import luma_of, read_luma_counter

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.sound import Mute
from cutback.cutting.job import JobOutput
from cutback.cutting.output_values import Mp4

Recordings = Callable[[str], ReferenceRecording]

PART = ask((0, Fraction("0.7"), Fraction("6.1")))


def top(data: bytes) -> list[tuple[str, int, int]]:
    """The kinds of the boxes of a file, where they begin, and their sizes."""
    found, at = [], 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        found.append((kind.decode(), at, size))
        at += size
    return found


def heard(container: Any) -> int:
    """Samples of sound."""
    return sum(frame.samples for frame in container.decode(audio=0)) if container.streams.audio else 0


@pytest.mark.parametrize(
    ("name", "value", "edits"),
    [
        ("pyramid", Mp4(fragmented=True), ()),
        pytest.param("open-gop", Mp4(fragmented=True), (), marks=pytest.mark.slow),
        pytest.param("hevc", Mp4(fragmented=True), (Mute(),), marks=pytest.mark.slow),
        pytest.param("pyramid", Mp4(codec="av1", fragmented=True), (), marks=pytest.mark.slow),
    ],
)
def test_shows_and_sounds_like_the_clip(name: str, value: Mp4, edits: tuple[Edit, ...], recording: Recordings) -> None:
    one = recording(name)
    made = make_output([one.path], PART, value, edits=edits)
    plain = make([one.path], PART, JobOutput("clip", Mp4(codec=value.codec)), edits=edits)["clip"]
    clip, wanted = decode_presented(made.data), decode_presented(plain.data)
    assert [(frame.counter, frame.time) for frame in clip.frames] == [
        (frame.counter, frame.time) for frame in wanted.frames
    ]
    # Edges of HEVC have a sample entry of their own, which players do not change to from one fragment to the next.
    assert made.facts.frames_copied == (0 if name == "hevc" else plain.facts.frames_copied)
    assert made.facts.size == len(made.data)
    with av.open(io.BytesIO(made.data)) as container, av.open(io.BytesIO(plain.data)) as other:
        assert heard(container) == heard(other)
    told = made.data.index(b"mehd") + 8
    scale = struct.unpack_from(">I", made.data, made.data.index(b"mvhd") + 24)[0]
    assert Fraction(struct.unpack_from(">Q", made.data, told)[0], scale) == made.facts.duration


def test_each_fragment_is_a_table_and_its_media(recording: Recordings) -> None:
    data = make_output([recording("pyramid").path], PART, Mp4(fragmented=True)).data
    kinds = [kind for kind, _, _ in top(data)]
    assert kinds[:3] == ["ftyp", "moov", "sidx"]
    assert set(kinds[3::2]) == {"moof"}
    assert set(kinds[4::2]) == {"mdat"}
    numbers = [struct.unpack_from(">I", data, at + 20)[0] for kind, at, _ in top(data) if kind == "moof"]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_index_leads_to_keyframes(recording: Recordings) -> None:
    """Where the index says that a fragment begins, a player that starts there shows the frame of its time."""
    data = make_output([recording("pyramid").path], PART, Mp4(fragmented=True)).data
    whole = [(frame.counter, frame.time) for frame in decode_presented(data).frames]
    [(_, begin, size)] = [each for each in top(data) if each[0] == "sidx"]
    scale, count = struct.unpack_from(">I", data, begin + 16)[0], struct.unpack_from(">H", data, begin + 38)[0]
    at, time = begin + size, Fraction(0)
    assert count >= 2
    for number in range(count):
        length, ticks, sap = struct.unpack_from(">III", data, begin + 40 + 12 * number)
        assert data[at + 4 : at + 8] == b"moof"
        assert sap >> 28 == 9
        with av.open(io.BytesIO(data[:begin] + data[at:]), "r") as container:
            frame = next(container.decode(video=0))
            counter = read_luma_counter(luma_of(frame))
        assert counter == min(whole, key=lambda each: abs(each[1] - time))[0]
        at, time = at + length, time + Fraction(ticks, scale)
    assert at == len(data)


def test_keeps_its_tags_and_its_maximum_size(recording: Recordings) -> None:
    one = recording("pyramid")
    value = Mp4(fragmented=True, max_size=250_000)
    made = make([one.path], PART, JobOutput("clip", value), title="Left")["clip"]
    assert len(made.data) <= 250_000
    with av.open(io.BytesIO(made.data)) as container:
        assert container.metadata["title"] == "Left"


def test_can_be_cut_again(recording: Recordings) -> None:
    data = make_output([recording("pyramid").path], PART, Mp4(fragmented=True)).data
    again = make_output([data], ask((0, Fraction(2), Fraction(4))), Mp4())
    first = [frame.counter for frame in decode_presented(data).frames]
    assert [frame.counter for frame in decode_presented(again.data).frames] == first[60:120]
