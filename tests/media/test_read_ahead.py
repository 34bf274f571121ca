"""What a clip copies is read while its edges are encoded, and no byte more than before."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from bench.warm_worker import LikeRemoteStore
from tests.media.recordings import ReferenceRecording

from cutback.cutting.job import CutJob, CutRange, Limits
from cutback.reading.range_reader import RangeReader
from cutback.sandbox import cutter as cutter_module
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]


def render(recording: ReferenceRecording, *, ahead: int) -> tuple[bytes, int, int, int]:
    """Returns the clip, the bytes in memory before it was assembled, and the bytes and requests of all reads."""
    store = LikeRemoteStore.open(str(recording.path.parent))
    cutter = ChildCutter(warm=False)
    with pytest.MonkeyPatch.context() as patch, RangeReader.open(store, recording.path.name) as reader:
        patch.setattr(cutter_module, "READ_AHEAD", ahead)
        job = CutJob(sizes=(reader.size,), ranges=(CutRange(0, Fraction(21, 10), Fraction(77, 10)),), limits=Limits())
        with cutter.render(job, [reader], on_progress=lambda _: None, stopped=lambda: False) as made:
            held = reader.held
            assert made.facts.frames_copied > 0
            clip = b"".join(made.chunks())
        cutter.close()
        return clip, held, reader.bytes_read, reader.requests


def test_what_is_copied_is_read_while_the_edges_are_encoded(recording: Recordings) -> None:
    source = recording("pyramid")
    clip, held, bytes_read, requests = render(source, ahead=cutter_module.READ_AHEAD)
    expected, held_before, bytes_before, requests_before = render(source, ahead=0)
    assert clip == expected
    assert held > held_before
    assert bytes_read <= bytes_before
    assert requests <= requests_before
