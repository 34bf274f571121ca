"""A recording that begins in the middle of a group of pictures is cut from its first keyframe on, with a note."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from tests.media.changes import TS_PACKET
from tests.media.cuts import cut_in_process
from tests.support.decode import decode_presented, decode_warnings
from tests.support.made_once import made_once
from tests.support.media import MediaSpec, cached_media

from cutback.cutting.job import Precision


@pytest.mark.parametrize("bframes", [0, 2])
def test_what_can_be_shown_is_cut_and_the_rest_is_noted(bframes: int, media_folder: Path) -> None:
    spec = MediaSpec(frames=150, gop=30, bframes=bframes, suffix=".ts", start=Fraction(2))
    whole = cached_media(spec, media_folder).read_bytes()
    middle = len(whole) * 3 // 10 // TS_PACKET * TS_PACKET
    for start, end in [("0", "2"), ("0.2", "1.7"), ("1.5", "2.5")]:
        clip = cut_in_process([whole[middle:]], (0, Fraction(start), Fraction(end)))
        counters = decode_presented(clip.data).counters
        assert counters[0] >= 60, "its first keyframe"
        assert all(after == before + 1 for before, after in pairwise(counters))
        assert counters[0] % 30 == 0 or start == "1.5"
        assert any("within a group of pictures" in note for note in clip.facts.notes)
        assert decode_warnings(clip.data) == []
        assert not clip.facts.remade


def without_first_pictures(path: Path, target: Path) -> None:
    """A copy without the first ten pictures."""
    with av.open(str(path)) as source, av.open(str(target), "w") as out:
        streams = {stream.index: out.add_stream_from_template(stream) for stream in source.streams}
        count = 0
        for packet in source.demux():
            if packet.size and packet.stream.type == "video":
                count += 1
            if packet.size and (packet.stream.type != "video" or count > 10):
                packet.stream = streams[packet.stream_index]
                out.mux(packet)


@pytest.mark.parametrize("bframes", [0, 2])
@pytest.mark.parametrize("audio", [None, "aac"])
@pytest.mark.parametrize("precision", ["exact", "instant", "keyframe"])
def test_mp4_is_cut_from_its_first_sync_sample_on(
    precision: Precision, audio: str | None, bframes: int, media_folder: Path
) -> None:
    whole = cached_media(MediaSpec(frames=120, gop=30, bframes=bframes, audio=audio), media_folder)
    path = made_once(whole.with_name(f"{whole.stem}-headless.mp4"), lambda made: without_first_pictures(whole, made))
    zero = 0 if audio else 30  # its first sound, or the first picture that can be shown
    for start, end in [("0", "1.5"), ("1.2", "1.9")]:
        clip = cut_in_process([path], (0, Fraction(start), Fraction(end)), precision=precision)
        counters = decode_presented(clip.data).counters
        first, stop = (zero + round(float(time) * 30) for time in (start, end))
        if precision == "keyframe":
            first, stop = first // 30 * 30, -(-stop // 30) * 30
        assert counters == list(range(max(30, first), min(stop, 120)))
        assert clip.facts.frames == len(counters), "each picture can be shown"
        assert any("within a group of pictures" in note for note in clip.facts.notes)
        assert decode_warnings(clip.data) == []
        assert not clip.facts.remade
