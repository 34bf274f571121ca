"""Edits of HDR: white is white and not glaring, colours are right, and the tags stay."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from tests.media.cuts import CutResult, ask, cut_ranges
from tests.media.recordings import ReferenceRecording

from cutback.cutting.edit_values import Crop, Edit, Fade, Rotate, Scale, TextOverlay
from cutback.cutting.codecs.hdr_levels import HLG, PQ, as_hdr, signal_of_white
from cutback.domain.measures import Percent

Recordings = Callable[[str], ReferenceRecording]


def text(color: str) -> TextOverlay:
    return TextOverlay(
        text="\u2588\u2588\u2588",  # blocks
        place="center",
        margin=0,
        size=Percent(Fraction(50)),
        weight="bold",
        color=color,
        box=False,
        start=None,
        duration=None,
        shadow=False,
        fade_in=Fraction(0),
        fade_out=Fraction(0),
    )


def middle(clip: CutResult) -> tuple[float, float, float]:
    """Y, U and V in the middle of the first picture, from 0 to 1 and from -0.5 to 0.5."""
    with av.open(io.BytesIO(clip.data), "r") as container:
        frame = next(container.decode(video=0))
    found = []
    for plane in frame.planes:
        values = np.frombuffer(bytes(plane), "<u2").reshape(plane.height, -1)[:, : plane.width]
        part = values[plane.height // 2 - 2 : plane.height // 2 + 2, plane.width // 2 - 4 : plane.width // 2 + 4]
        found.append(float(part.mean()))
    luma, blue, red = found
    return (luma - 64) / 876, (blue - 512) / 896, (red - 512) / 896


def test_white_is_that_of_bt_2408() -> None:
    assert signal_of_white(PQ) == pytest.approx(0.58, abs=0.005)
    assert signal_of_white(HLG) == pytest.approx(0.75, abs=0.005)
    assert signal_of_white(1) == 1
    assert as_hdr(1, 1, 1, PQ) == pytest.approx((0.58,) * 3, abs=0.005)
    assert as_hdr(0, 0, 0, PQ) == pytest.approx((0, 0, 0), abs=0.001)


@pytest.mark.parametrize("color", ["#ffffff", "#ff8000"])
def test_colours_drawn_on_hdr_are_those_of_sdr(recording: Recordings, color: str) -> None:
    clip = cut_ranges([recording("hevc-hdr10").path], ask((0, Fraction(0), Fraction(1, 2))), edits=[text(color)])
    red, green, blue = as_hdr(*(int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)), PQ)  # type: ignore[call-arg, arg-type]
    luma = 0.2627 * red + 0.678 * green + 0.0593 * blue
    expected = luma, (blue - luma) / 1.8814, (red - luma) / 1.4746
    assert middle(clip) == pytest.approx(expected, abs=0.015)


def test_a_fade_to_white_ends_at_white_and_not_at_the_highest_number(recording: Recordings) -> None:
    fade = Fade(Fraction(1, 2), Fraction(0), "white")
    clip = cut_ranges([recording("hevc-hdr10").path], ask((0, Fraction(0), Fraction(1))), edits=[fade])
    assert middle(clip)[0] == pytest.approx(0.58, abs=0.02)


@pytest.mark.parametrize(
    "edit",
    [
        Crop(Fraction(1), None, None, None, None, None),
        Scale(160, None, "fit", enlarge=False),
        Rotate(90, "horizontal"),
    ],
)
def test_shapes_keep_hdr_and_its_tags(recording: Recordings, edit: Edit) -> None:
    one, wanted = recording("hevc-hdr10").path, ask((0, Fraction(0), Fraction(1, 2)))
    tags, data = [], []
    for clip in (cut_ranges([one], wanted), cut_ranges([one], wanted, edits=[edit])):
        with av.open(io.BytesIO(clip.data), "r") as container:
            frame = next(container.decode(video=0))
        tags.append((frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range, frame.format.name))
        told: Any = frame.side_data
        names = [told[number].type.name for number in range(len(told))]
        data.append({name for name in names if "LIGHT" in name or "MASTER" in name})
        luma = np.frombuffer(bytes(frame.planes[0]), "<u2").reshape(frame.height, -1)[:, : frame.width]
        assert luma.mean() > 64
    assert tags[0] == tags[1]
    assert data[0] == data[1]
    assert data[0], "mastering display and content light"
