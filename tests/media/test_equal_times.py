"""Two pictures of one time are two pictures; what recordings show twice, because they overlap, is shown once."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from tests.media.check_clip import check_clip, expected_range
from tests.media.cuts import cut_in_process
from tests.media.recordings import ReferenceRecording
from tests.support.decode import decode_presented, decode_warnings
from tests.support.made_once import made_once
from tests.support.media import MediaSpec, cached_media

from cutback.cutting.job import Precision

Recordings = Callable[[str], ReferenceRecording]

OVERLAP = Fraction(1, 5)


@pytest.mark.parametrize("name", ["twice-mkv", "twice-mkv-b", "twice-mp4"])
@pytest.mark.parametrize(("start", "end"), [("0.3", "1.1"), ("0.96", "4.2"), ("2.3", "3")])
def test_both_pictures_of_one_time_are_in_the_clip(name: str, start: str, end: str, recording: Recordings) -> None:
    reference = recording(name)
    part = expected_range(reference, Fraction(start), Fraction(end))
    assert part is not None
    times = reference.times[part.first : part.stop]
    assert len(times) > len({round(time * 1000) for time in times}), "there are two of one time"
    check_clip(cut_in_process([reference.path], (0, Fraction(start), Fraction(end))), [part])


@pytest.mark.parametrize("bframes", [0, 2])
@pytest.mark.parametrize("precision", ["exact", "keyframe"])
def test_where_appended_recordings_overlap_what_comes_first_is_shown(
    bframes: int, precision: Precision, media_folder: Path
) -> None:
    """A camera that sends its last moments again after a reconnect."""
    starts = [Fraction(2), Fraction(2) + Fraction(100, 30) - OVERLAP]
    specs = [
        MediaSpec(frames=100, gop=20, bframes=bframes, suffix=".ts", start=start, first_counter=first)
        for start, first in zip(starts, (0, 94), strict=True)
    ]
    files = [cached_media(spec, media_folder) for spec in specs]
    path = made_once(
        files[0].with_name(f"overlap-{files[0].name}"),
        lambda making: making.write_bytes(b"".join(file.read_bytes() for file in files)),
    )
    clip = cut_in_process([path], (0, Fraction("2.5"), Fraction(5)), precision=precision)
    shown = decode_presented(clip.data)
    counters = shown.counters
    assert counters == list(range(counters[0], counters[-1] + 1)), "each once, in order"
    assert counters[0] <= 75
    assert counters[-1] >= 148
    assert all(abs(b - a - Fraction(1, 30)) <= Fraction(1, 1000) for a, b in pairwise(shown.times))
    assert decode_warnings(clip.data) == []
    assert not clip.facts.remade
