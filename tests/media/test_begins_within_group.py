"""A recording that begins in the middle of a group of pictures is cut from its first keyframe on, with a note."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from tests.media.changes import TS_PACKET
from tests.media.cuts import cut_in_process
from tests.support.decode import decode_presented, decode_warnings
from tests.support.media import MediaSpec, cached_media


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
