"""What a tenant sees."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cutback.domain.tenants import Visible

VISIBLE = Visible(recordings=("pipe/", "old/pipe-"), cameras=("pipe", "reef-*"))


@pytest.mark.parametrize(
    ("key", "seen"),
    [("pipe/1.mp4", True), ("old/pipe-1.mp4", True), ("pipe", False), ("pipes/1.mp4", False), ("a/pipe/1.mp4", False)],
)
def test_a_tenant_sees_keys_that_begin_with_a_prefix(key: str, *, seen: bool) -> None:
    assert seen == VISIBLE.has_key(key)


@pytest.mark.parametrize(
    ("camera", "seen"),
    [("pipe", True), ("pipe-2", False), ("reef-", True), ("reef-north", True), ("reef", False), ("Pipe", False)],
)
def test_a_tenant_sees_named_cameras_and_those_of_a_pattern(camera: str, *, seen: bool) -> None:
    assert seen == VISIBLE.has_camera(camera)


def test_a_new_tenant_sees_nothing() -> None:
    assert not Visible().has_key("sea.mp4")
    assert not Visible().has_camera("sea")


@pytest.mark.parametrize("prefix", ["", "a\x00b", "a\nb"])
def test_a_prefix_that_matches_everything_by_accident_is_refused(prefix: str) -> None:
    with pytest.raises(ValidationError):
        Visible(recordings=(prefix,))
