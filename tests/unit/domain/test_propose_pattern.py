"""A pattern is proposed for names that match none, and it matches them."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutback.domain.cameras.key_pattern import BUILT_IN, KeyPattern, read_key
from cutback.domain.cameras.propose_pattern import propose_pattern

MOMENTS = [
    datetime.fromisoformat(text) for text in ("2026-11-23T10:00:00", "2026-11-24T23:59:07", "2026-12-02T00:10:30")
]


@pytest.mark.parametrize(
    "name",
    [
        "{camera}_%Y-%m-%d_%H-%M-%S.mp4",
        "{camera} %Y%m%d%H%M%S.mov",
        "rec/%Y-%m-%d/{camera}_%H%M%S.mkv",
        "{camera}/%Y-%m-%d/%H-%M-%S.mp4",
        "{camera}/%Y%m%d/%H%M%S.ts",
        "%Y-%m-%d/{camera}/%H.%M.%S.mp4",
        "%Y%m%d_%H%M%S_{camera}.mp4",
        "{camera}-%d.%m.%Y-%H.%M.%S.mp4",
        "clips/{camera}-%Y-%m-%d %H-%M-%S (motion).mp4",
        "{camera}-%s.mp4",
        "{camera}, %Y-%m-%d, %H.%M.mp4",
    ],
)
def test_a_proposed_pattern_reads_every_one_of_the_names(name: str) -> None:
    keys = {
        moment.strftime(name.replace("{camera}", camera)): (camera, moment)
        for camera in ("north", "south-gate")
        for moment in MOMENTS
    }
    proposal = propose_pattern(list(keys))
    assert proposal is not None
    assert proposal.fits == len(keys), proposal
    pattern = KeyPattern.parse(proposal.pattern)
    for key, (camera, moment) in keys.items():
        read = pattern.match(key)
        assert read is not None
        assert read.camera == camera, proposal.pattern
        assert read.start is not None
        assert read.start.replace(tzinfo=None, second=0) == moment.replace(second=0)


def test_the_names_of_most_recordings_decide() -> None:
    keys = [f"north_2026-11-23_10-0{number}-00.mp4" for number in range(9)] + ["sea.mp4", "north-1795428000.mp4"]
    proposal = propose_pattern(keys)
    assert proposal is not None
    assert (proposal.pattern, proposal.fits, proposal.camera) == ("{camera}_%Y-%m-%d_%H-%M-%S", 9, "north")
    assert proposal.example == keys[0]


@pytest.mark.parametrize("keys", [[], ["sea.mp4", "holiday 7.mp4"], ["20261123.mp4"], ["hiv00017.mp4"]])
def test_names_without_camera_and_time_get_no_proposal(keys: list[str]) -> None:
    assert propose_pattern(keys) is None


@given(st.lists(st.text("ab/_-. 0126{}[]*%", max_size=30).map(lambda text: f"{text}.mp4"), max_size=5))
def test_no_name_breaks_the_proposing(keys: list[str]) -> None:
    proposal = propose_pattern(keys)
    assert proposal is None or proposal.example in keys


def test_the_names_of_this_test_fit_no_built_in_pattern() -> None:
    assert read_key("north_2026-11-23_10-00-00.mp4", BUILT_IN) is None
