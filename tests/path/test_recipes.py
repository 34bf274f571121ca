"""The recipes of docs/edits.md run as they stand, and make what their texts say."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.path.harness import PathHarness
from tests.support.decode import decode_presented
from tests.support.sampling import slow_except
from tests.support.spec import MediaSpec

from cutback.adapters.build import build
from cutback.catalogue.register import register
from cutback.domain.base import utc_now
from cutback.domain.clips.clip import ClipState
from cutback.lifecycle.housekeeping import housekeep
from cutback.sandbox.cutter import ChildCutter

PAGE = (Path(__file__).parents[2] / "docs/edits.md").read_text(encoding="utf-8")
RECIPES: dict[str, dict[str, Any]] = {
    recipe["id"]: recipe
    for text in re.findall(r"^<!-- test: recipe -->\n```json\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    for recipe in [json.loads(text)]
}
START = datetime(2026, 6, 21, 5, 30, tzinfo=UTC)
MINUTE = MediaSpec(width=640, height=360, frames=1800, gop=60)
"""Like a recording of the demo, but small."""
TITLE = MediaSpec(width=640, height=360, frames=60, gop=60, seed=4)


@dataclass(frozen=True)
class Made:
    """What a recipe makes."""

    seconds: Fraction
    frames: int
    size: tuple[int, int] = (640, 360)
    copied: bool = False
    """Whether pictures are copied."""


EXPECTED = {
    "for-phones": Made(Fraction(11), 240, (202, 360)),
    "the-day": Made(Fraction(10), 300),
    "two-rides": Made(Fraction("14.5"), 435),
    "as-loud": Made(Fraction(28), 840, copied=True),
    "highlight": Made(Fraction(11), 330, copied=True),
    "two-cameras": Made(Fraction(6), 180, (1280, 360)),
}


def test_every_recipe_has_a_test() -> None:
    assert set(RECIPES) == set(EXPECTED)


@pytest.fixture
def cutter() -> Iterator[ChildCutter]:
    with closing(ChildCutter(warm=False)) as made:
        yield made


@pytest.mark.parametrize("name", slow_except(EXPECTED, "as-loud"))
def test_a_recipe_makes_what_it_says(
    harness: PathHarness, media: Callable[[MediaSpec], Path], cutter: ChildCutter, name: str
) -> None:
    recordings, assets = harness.settings.data / "recordings", harness.settings.data / "assets"
    assets.mkdir(exist_ok=True)
    harness.offset = datetime(2026, 7, 1, tzinfo=UTC) - utc_now()  # no footage is still to come
    services = build(harness.settings, clock=harness.now, cutter=cutter)
    for camera in ("north-point", "south-point"):
        key = f"{camera}.2026-06-21T05-30-00Z.mp4"
        shutil.copy(media(MINUTE), recordings / key)
        register(services, key, camera=camera, start=START)
    for asset in ("intro.mp4", "outro.mp4"):
        shutil.copy(media(TITLE), assets / asset)
    logo = io.BytesIO()
    Image.new("RGBA", (60, 60), (0, 80, 120, 255)).save(logo, "PNG")
    (assets / "logo.png").write_bytes(logo.getvalue())
    clip_id = harness.submit(**RECIPES[name]).id
    harness.work(services)
    harness.pass_time(7 * 3600)  # until no more footage is waited for
    housekeep(services)
    harness.work(services)
    clip = harness.clip(clip_id)
    assert clip.state is ClipState.READY, clip.failure
    assert clip.result is not None
    expected = EXPECTED[name]
    shown = decode_presented(harness.settings.data / "clips" / clip.result.key)
    assert len(shown.frames) == expected.frames
    assert clip.result.duration == pytest.approx(expected.seconds, abs=0.01)
    assert (clip.result.width, clip.result.height) == expected.size
    assert bool(clip.result.frames_copied) == expected.copied
