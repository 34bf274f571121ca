"""HDR in SDR: light of known nits lands where the curve of BT.2390 says, grey stays grey, hues stay."""

from __future__ import annotations

import colorsys

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc

from cutback.cutting.codecs.dynamic_range import ToHdr, ToSdr, peak_of
from cutback.cutting.codecs.hdr import HdrMetadata
from cutback.cutting.codecs.hdr_levels import HLG, PQ, pq_nits, pq_signal
from cutback.cutting.codecs.tone_map import as_sdr, mapped_nits, peak_within

Rgb = tuple[float, float, float]
SIZE = 32


def hdr_picture(colour: Rgb, transfer: int, *, full: bool = False, pixels: str = "yuv420p10le") -> av.VideoFrame:
    """A picture of one colour; signals from 0 to 1."""
    red, green, blue = colour
    luma = 0.2627 * red + 0.678 * green + 0.0593 * blue
    parts = luma, (blue - luma) / 1.8814, (red - luma) / 1.4746
    frame = av.VideoFrame(SIZE, SIZE, pixels)
    black, white, chroma = (0, 1023, 1023) if full else (64, 876, 896)
    levels = (black + parts[0] * white, 512 + parts[1] * chroma, 512 + parts[2] * chroma)
    for plane, level in zip(frame.planes, levels, strict=True):
        plane.update(round(level).to_bytes(2, "little") * (plane.buffer_size // 2))
    frame.colorspace, frame.color_range = 9, ColorRange.JPEG if full else ColorRange.MPEG
    frame.color_primaries, frame.color_trc = ColorPrimaries.BT2020, ColorTrc(transfer)
    return frame


def colour_of(frame: av.VideoFrame) -> Rgb:
    """The colour in the middle of an SDR picture, from 0 to 1."""
    assert frame.format.name == "yuv420p"
    luma, blue, red = (
        float(np.frombuffer(bytes(p), np.uint8).reshape(p.height, -1)[p.height // 2, p.width // 2])
        for p in frame.planes
    )
    light, from_blue, from_red = (luma - 16) / 219, (blue - 128) / 224, (red - 128) / 224
    r, b = light + 1.5748 * from_red, light + 1.8556 * from_blue
    return r, (light - 0.2126 * r - 0.0722 * b) / 0.7152, b


def test_the_curve_keeps_the_dark_half_and_ends_at_white() -> None:
    """The knee of BT.2390 for a peak of 1,000 nits and a white of 203 is at 88 nits."""
    assert [mapped_nits(nits, 1000) for nits in (0, 1, 36.5, 87)] == [0, 1, 36.5, 87]
    assert mapped_nits(203, 1000) == pytest.approx(159, abs=0.5)
    assert mapped_nits(1000, 1000) == pytest.approx(203)
    assert mapped_nits(4000, 1000) == pytest.approx(203)
    rising = [mapped_nits(nits, 1000) for nits in range(0, 1001, 10)]
    assert rising == sorted(set(rising))


def test_a_peak_no_brighter_than_white_changes_nothing() -> None:
    assert [mapped_nits(nits, 203) for nits in (5, 150, 203, 400)] == [5, 150, 203, 203]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("nits", "signal"), [(0, 0.0), (1, 0.109), (36.54, 0.489), (203, 0.903), (1000, 1.0)])
def test_grey_of_known_light_lands_where_the_curve_says_and_stays_grey(nits: float, signal: float, full: bool) -> None:  # noqa: FBT001
    """36.54 nits is mid grey: 18 % of white."""
    made = colour_of(ToSdr().apply(hdr_picture((pq_signal(nits),) * 3, PQ, full=full)))
    assert made == pytest.approx((signal,) * 3, abs=0.01)


@pytest.mark.parametrize(("signal", "expected"), [(0, 0), (0.38, 0.426), (0.75, 0.903), (1, 1)])
def test_grey_of_hlg_lands_where_a_display_of_1000_nits_shows_it(signal: float, expected: float) -> None:
    """38 % and 75 % are mid grey and white (BT.2408)."""
    assert colour_of(ToSdr().apply(hdr_picture((signal,) * 3, HLG))) == pytest.approx((expected,) * 3, abs=0.01)


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("colour", [(0.5, 0.4, 0.35), (0.35, 0.45, 0.55), (0.55, 0.6, 0.4), (0.7, 0.6, 0.5)])
def test_colours_are_those_of_the_exact_computation(colour: Rgb, transfer: int) -> None:
    made = colour_of(ToSdr().apply(hdr_picture(colour, transfer)))
    assert made == pytest.approx(as_sdr(*colour, transfer, 1000), abs=0.015)


def test_colours_outside_of_bt_709_lose_saturation_but_not_hue_nor_luminance() -> None:
    red, green, blue = as_sdr(pq_signal(100), pq_signal(1), pq_signal(1), PQ, 1000)
    assert 0 <= min(red, green, blue) < 0.02
    hue = colorsys.rgb_to_hsv(red, green, blue)[0]
    assert min(hue, 1 - hue) < 0.06
    luminance = 0.2126 * red**2.4 + 0.7152 * green**2.4 + 0.0722 * blue**2.4
    assert luminance == pytest.approx((0.2627 * 99.4 + 0.7373 * 1) / 203, rel=0.03)


def test_sdr_of_a_picture_is_tagged_bt_709_with_8_bits_and_limited_range() -> None:
    made = ToSdr().apply(hdr_picture((0.5,) * 3, PQ))
    tags = int(made.color_primaries), int(made.color_trc), int(made.colorspace), int(made.color_range)
    assert (made.format.name, *tags) == ("yuv420p", 1, 1, 1, ColorRange.MPEG)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_what_is_dark_enough_survives_the_way_to_hdr_and_back(transfer: int) -> None:
    frame = av.VideoFrame(SIZE, SIZE, "yuv420p")
    for plane, level in zip(frame.planes, (110, 118, 140), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    frame.colorspace, frame.color_primaries, frame.color_trc = 1, ColorPrimaries.BT709, ColorTrc.BT709
    wide = ToHdr(transfer).apply(frame)
    assert (wide.format.name, int(wide.color_trc), int(wide.color_primaries)) == ("yuv420p10le", transfer, 9)
    assert colour_of(ToSdr().apply(wide)) == pytest.approx(colour_of(frame), abs=0.015)


def test_white_of_sdr_has_203_nits_in_hdr() -> None:
    frame = av.VideoFrame(SIZE, SIZE, "yuv420p")
    for plane, level in zip(frame.planes, (235, 128, 128), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    made = ToHdr(PQ).apply(frame)
    luma = int(np.frombuffer(bytes(made.planes[0]), "<u2")[0])
    assert pq_nits((luma - 64) / 876) == pytest.approx(203, rel=0.02)


def test_pictures_that_have_the_range_already_are_not_touched() -> None:
    sdr, hdr = av.VideoFrame(SIZE, SIZE, "yuv420p"), hdr_picture((0.5,) * 3, PQ)
    assert ToSdr().apply(sdr) is sdr
    assert ToHdr(HLG).apply(hdr) is hdr


def test_the_peak_is_what_the_stream_says_within_reason() -> None:
    assert peak_of(HdrMetadata()) == 1000
    assert [peak_within(*said) for said in ((4000, 0), (4000, 1200), (0, 600), (0.01, 0), (0, 65535))] == [
        4000,
        1200,
        600,
        203,
        10_000,
    ]


def test_a_picture_of_another_size_gets_a_new_graph() -> None:
    to_sdr = ToSdr()
    to_sdr.apply(hdr_picture((0.5,) * 3, PQ))
    other = av.VideoFrame(2 * SIZE, SIZE, "p010le")
    for plane in other.planes:
        plane.update((512 << 6).to_bytes(2, "little") * (plane.buffer_size // 2))
    other.color_trc = ColorTrc(PQ)
    made = to_sdr.apply(other)
    assert (made.width, made.height, made.format.name) == (2 * SIZE, SIZE, "yuv420p")
