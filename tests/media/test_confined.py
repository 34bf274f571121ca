"""The whole media matrix is cut, probed and drawn under the filter, as it is without."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from tests.media.cuts import BytesSource
from tests.media.recordings import RECIPES, ReferenceRecording

from cutback.cutting.job import CutGap, CutJob, CutRange, Limits, Precision
from cutback.sandbox import seccomp
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]
FIRST = CutRange(0, Fraction("0.5"), Fraction("1.7"))
JOBS: dict[Precision, tuple[CutRange | CutGap, ...]] = {
    "exact": (FIRST, CutGap(Fraction(1, 2), "freeze"), CutRange(0, Fraction("2.1"), Fraction(3))),
    "keyframe": (FIRST,),
    "instant": (FIRST,),
}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not seccomp.supported(), reason="the filter is for Linux on x86-64 and arm64")
@pytest.mark.parametrize("name", RECIPES)
def test_a_recording_of_the_matrix_is_cut_probed_and_drawn_under_the_filter(
    name: str, recording: Recordings, cutter: ChildCutter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "cutback.sandbox.cutter")
    source = BytesSource(recording(name).path.read_bytes())
    for precision, ranges in JOBS.items():
        job = CutJob((source.size,), ranges, precision)
        with cutter.render(job, [source], on_progress=lambda _: None, stopped=lambda: False) as clip:
            assert len(b"".join(clip.chunks())) == clip.facts.size
            assert clip.posters() or recording(name).counters == []
    cutter.probe(source, limits=Limits(), stopped=lambda: False)
    held = [record.getMessage() for record in caplog.records if "confined by" in record.getMessage()]
    assert len(held) == len(JOBS) + 1
    assert all("seccomp" in words for words in held)
