"""Pictures of odd sizes are scaled to even ones, because 4:2:0 has no others, and the clip's record says so."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import pytest
from tests.media.cuts import cut_in_process
from tests.support.decode import decode_presented, decode_warnings
from tests.support.media import MediaSpec, cached_media

NOTE = "Pictures of {}×{} are scaled to {}×{}."


def odd(width: int, height: int) -> MediaSpec:
    """A short recording."""
    return MediaSpec(
        width=width,
        height=height,
        frames=45,
        gop=15,
        codec="libvpx-vp9",
        codec_options={"deadline": "realtime", "cpu-used": "8"},
        pix_fmt="yuv444p",
        suffix=".mkv",
    )


def size_of(data: bytes) -> tuple[int, int]:
    """Of a clip's pictures, as decoded."""
    with av.open(io.BytesIO(data), "r") as container:
        frame = next(container.decode(video=0))
        return frame.width, frame.height


@pytest.mark.parametrize(("width", "height"), [(321, 181), (320, 181), (321, 180)])
def test_an_odd_size_is_scaled_to_an_even_one_and_noted(width: int, height: int, media_folder: Path) -> None:
    clip = cut_in_process([cached_media(odd(width, height), media_folder)], (0, Fraction("0.5"), Fraction(1)))
    assert decode_presented(clip.data).counters == list(range(15, 30))
    assert size_of(clip.data) == (320, 180)
    assert (clip.facts.width, clip.facts.height) == (320, 180)
    assert NOTE.format(width, height, 320, 180) in clip.facts.notes
    assert decode_warnings(clip.data) == []


def test_an_even_size_is_kept_without_a_note(media_folder: Path) -> None:
    clip = cut_in_process([cached_media(odd(320, 180), media_folder)], (0, Fraction("0.5"), Fraction(1)))
    assert not any("scaled" in note for note in clip.facts.notes)


def test_recordings_of_another_size_are_scaled_to_the_first_and_noted(media_folder: Path) -> None:
    files = [cached_media(odd(*size), media_folder) for size in ((320, 180), (321, 181))]
    clip = cut_in_process(files, (0, Fraction("0.5"), Fraction(1)), (1, Fraction("0.5"), Fraction(1)))
    assert decode_presented(clip.data).counters == [*range(15, 30), *range(15, 30)]
    assert size_of(clip.data) == (320, 180)
    assert [note for note in clip.facts.notes if "scaled" in note] == [NOTE.format(321, 181, 320, 180)]
