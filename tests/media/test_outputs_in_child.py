"""Every format is made in the confined child: it needs no file and no module that is not there."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from tests.media.cuts import BytesSource, ask
from tests.media.recordings import ReferenceRecording

from cutback.cutting.job import CutJob
from cutback.cutting.output_values import FORMATS
from cutback.domain.requests.outputs.known import output_of as model_of
from cutback.reading.output_values import outputs_of
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]


@pytest.mark.parametrize("name", FORMATS)
def test_is_made_in_the_child(recording: Recordings, cutter: ChildCutter, name: str) -> None:
    source = BytesSource(recording("pyramid").path.read_bytes())
    outputs = outputs_of({"clip": model_of({"format": name})})
    job = CutJob((source.size,), ask((0, Fraction(1), Fraction(2))), outputs=outputs)
    with cutter.render(job, [source], on_progress=lambda _: None, stopped=lambda: False) as rendition:
        [made] = rendition.outputs
        sizes = [sum(map(len, rendition.chunks(file))) for file in made.files]
        rendition.posters()
    assert sizes == [file.size for file in made.files]
    assert all(sizes)
