"""Re-encoding keeps within the memory of a job, or is refused before it begins; a plan says what it takes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.cuts import BytesSource, ask, cut_in_child
from tests.support.decode import decode_presented
from tests.support.media import MediaSpec, cached_media

from cutback.cutting.codecs.memory import Effort, Pixels, needed
from cutback.cutting.job import CutJob, Limits
from cutback.cutting.preview import preview
from cutback.domain.errors import MediaTooLargeError
from cutback.sandbox.cutter import ChildCutter

LARGE = MediaSpec(width=1920, height=1080, frames=12, gop=100, codec="mpeg4", audio=None, codec_options={"b": "20M"})
"""Not copied by an exact cut."""
RANGE = (0, Fraction("0.1"), Fraction("0.3"))
SIZE = Pixels(1920, 1080, 8)


def least(memory: int) -> int:
    return needed("libx264", SIZE, Effort(1, 0), memory, beside_copies=False)


@pytest.fixture(scope="module")
def large(media_folder: Path) -> Path:
    return cached_media(LARGE, media_folder)


def test_too_little_memory_is_told_before_anything_is_encoded(large: Path, cutter: ChildCutter) -> None:
    with pytest.raises(MediaTooLargeError, match=r"Re-encoding pictures of 1920x1080 takes about \d+ MB"):
        cut_in_child(cutter, [large], RANGE, limits=Limits(memory=128 << 20))
    source = BytesSource(large.read_bytes())
    job = CutJob((source.size,), ask(RANGE), limits=Limits(memory=128 << 20))
    with pytest.raises(MediaTooLargeError, match="Re-encoding"):
        preview(job, [source])


def test_little_memory_is_kept_to(large: Path, cutter: ChildCutter) -> None:
    """The child's address space is limited to it, so that one byte more would end it."""
    memory = 400 << 20
    assert least(memory) <= memory < needed("libx264", SIZE, Effort(2, 20), memory, beside_copies=False)
    clip = cut_in_child(cutter, [large], RANGE, limits=Limits(memory=memory))
    assert len(decode_presented(clip.data).frames) == clip.facts.frames == 6


def test_a_plan_says_what_a_cut_takes(large: Path) -> None:
    source = BytesSource(large.read_bytes())
    told = preview(CutJob((source.size,), ask(RANGE)), [source])["memory"]
    assert told == {
        "bytes": needed("libx264", SIZE, Effort(2, 20), Limits().memory, beside_copies=False),
        "threads": 2,
        "look_ahead": 20,
    }
    copied = preview(CutJob((source.size,), ask(RANGE), "keyframe"), [source])
    assert copied["memory"] == {}
