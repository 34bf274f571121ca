"""The part of an index that is read for a range agrees with the whole index."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from tests.support.media import FASTSTART, FRAGMENTED, MediaSpec, cached_media
from tests.support.sampling import slow_except

from cutback.cutting.index import Hull, Index
from cutback.cutting.job import Limits
from cutback.cutting.mp4.read import read_index

SPECS = {
    "bframes": MediaSpec(frames=600, gop=30, bframes=3),
    "open gops": MediaSpec(frames=600, gop=30, bframes=3, open_gop=True, muxer_options=FASTSTART),
    "fragments": MediaSpec(frames=600, gop=30, muxer_options=FRAGMENTED),
    "odd rate": MediaSpec(frames=600, gop=48, fps=Fraction(24000, 1001), sample_rate=44_100),
    "one group": MediaSpec(frames=300, gop=300),
}


class Bytes:
    """A source in memory."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        self.size = len(self._data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Nothing to fetch."""


def presented(index: Index, start: Fraction, end: Fraction) -> list[tuple[object, ...]]:
    """All that is known of each sample presented in a range, of every track."""
    rows: list[tuple[object, ...]] = []
    for track in index.tracks:
        for number in track.order:
            at = track.seconds(track.pts[number])
            if start <= at < end:
                place = (track.offsets[number], track.sizes[number])
                rank = track.rank(number) + track.first_rank
                rows.append(
                    (
                        track.id,
                        at,
                        track.dts[number],
                        place,
                        number in track.sync,
                        rank if track.kind == "video" else 0,
                    )
                )
    return rows


@pytest.mark.parametrize("name", slow_except(SPECS, "open gops", "fragments"))
def test_a_window_of_the_index_holds_the_same_samples_as_the_whole(name: str, media_folder: Path) -> None:
    source = Bytes(cached_media(SPECS[name], media_folder))
    whole = read_index(source, Limits())
    chance = random.Random(name)
    for _ in range(40):
        start = Fraction(chance.randrange(0, 19_000), 1000)
        end = start + Fraction(chance.randrange(40, 6_000), 1000)
        part = read_index(source, Limits(), Hull(start, end))
        assert presented(part, start, end) == presented(whole, start, end)
        assert part.end == whole.end
        assert [track.start for track in part.tracks] == [track.start for track in whole.tracks]
        assert [track.frames for track in part.tracks] == [len(track.order) for track in whole.tracks]


@pytest.mark.parametrize("name", slow_except(SPECS, "open gops", "fragments"))
def test_frame_numbers_are_in_the_window_that_is_read_for_them(name: str, media_folder: Path) -> None:
    source = Bytes(cached_media(SPECS[name], media_folder))
    whole = read_index(source, Limits()).video
    assert whole is not None
    for frame in (0, 1, 31, 150, 298):
        part = read_index(source, Limits(), Hull(Fraction(9999), Fraction(-9999), (frame, frame + 1))).video
        assert part is not None
        held = part.order[frame - part.first_rank]
        assert part.seconds(part.pts[held]) == whole.seconds(whole.pts[whole.order[frame]])
