"""Clips are made whatever happens to the cache, with the real cutter reading a real index through it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import pytest
from tests.path.harness import PathHarness
from tests.path.shell import SHORT, frames_in
from tests.support.spec import MediaSpec
from tests.support.stalling_node import StallingNode

from cutback.domain.clips.clip import ClipState
from cutback.sandbox.cutter import ChildCutter

pytestmark = pytest.mark.usefixtures("forked_cutters")

BEGUN = b"VALUE cutback:0 0 5000\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([], id="nothing"),
        pytest.param([BEGUN, b"x" * 2500], id="half an answer"),
        pytest.param(itertools.chain([BEGUN], itertools.repeat(b"x")), id="an answer that never ends"),
    ],
)
def test_a_clip_is_ready_though_the_cache_hangs_midway(
    make_harness: Callable[..., PathHarness], media: Callable[[MediaSpec], Path], pieces: Iterable[bytes]
) -> None:
    with closing(StallingNode(pieces)) as node:
        # Had the cache's silence been taken for the child's, the clip would have failed as media_too_slow.
        harness = make_harness(cache_url=node.url, limit_stall_seconds=10)
        (harness.settings.data / "recordings" / "sea.mp4").write_bytes(media(SHORT).read_bytes())
        with closing(ChildCutter(warm=False)) as cutter, harness.another(cutter=cutter) as services:
            harness.submit()
            harness.work(services)
        clip = harness.clip("wave")
        assert (clip.state, clip.failure, clip.attempt) == (ClipState.READY, None, 1)
        assert clip.result is not None
        assert frames_in(harness.settings.data / "clips" / clip.result.key) == 60
        assert len(node.connections) <= 2, "asked once by who submits and once by the worker, and then left alone"
