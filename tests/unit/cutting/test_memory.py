"""How much memory re-encoding takes is told before an encoder is opened."""

from __future__ import annotations

from fractions import Fraction

import pytest
from av import VideoFrame
from hypothesis import given
from hypothesis import strategies as st

from cutback.cutting.codecs.known import codec_for_whole
from cutback.cutting.codecs.memory import (
    EFFORTS,
    FULL,
    Effort,
    Pixels,
    decoder_threads,
    effort_for,
    encoder_needs,
    needed,
    pixels_of,
)
from cutback.cutting.codecs.pictures import Coded, PictureEncoder
from cutback.cutting.index import Description
from cutback.cutting.job import Limits
from cutback.domain.errors import MediaTooLargeError

MEMORY = Limits().memory
SMALL, HD, HD10 = Pixels(1280, 720, 8), Pixels(1920, 1080, 8), Pixels(1920, 1080, 10)
UHD, UHD10 = Pixels(3840, 2160, 8), Pixels(3840, 2160, 10)
LARGEST = Pixels(7680, 4320, 8)
ENCODERS = ["libx264", "libx265"]


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("beside_copies", [True, False])
def test_high_definition_is_encoded_without_sparing(encoder: str, beside_copies: bool) -> None:  # noqa: FBT001
    assert effort_for(encoder, HD, MEMORY, beside_copies=beside_copies) == FULL


def test_larger_pictures_get_a_shorter_look_ahead_then_fewer_threads_then_an_error() -> None:
    assert effort_for("libx264", UHD, MEMORY, beside_copies=False) == FULL
    assert effort_for("libx265", UHD, MEMORY, beside_copies=False) == FULL
    assert effort_for("libx265", UHD, MEMORY - 100_000_000, beside_copies=False) == Effort(2, 8)
    assert effort_for("libx265", UHD10, MEMORY, beside_copies=False) == Effort(1, 0)
    with pytest.raises(MediaTooLargeError, match=r"7680x4320 takes about \d{4} MB of memory; the limit is 2147 MB"):
        effort_for("libx265", LARGEST, MEMORY, beside_copies=False)


def test_what_is_in_use_already_leaves_less_effort_or_none() -> None:
    assert effort_for("libx265", HD, MEMORY, beside_copies=False, room=600_000_000) == FULL
    assert effort_for("libx265", HD, MEMORY, beside_copies=False, room=400_000_000) == Effort(2, 8)
    assert effort_for("libx265", HD, MEMORY, beside_copies=False, room=310_000_000) == Effort(1, 0)
    with pytest.raises(MediaTooLargeError, match="of the limit of 2147 MB, 200 MB are left"):
        effort_for("libx265", HD, MEMORY, beside_copies=False, room=200_000_000)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("effort", EFFORTS)
def test_the_encoders_accept_every_effort(codec: str, effort: Effort) -> None:
    known = codec_for_whole(codec, 8)
    options = known.options(None, Fraction(30), lookahead=effort.lookahead, interlaced=False)
    frame = VideoFrame(64, 64, "yuv420p")
    threads, rate = effort.threads, Fraction(30)
    encoder = PictureEncoder(
        known.encoder, frame, timescale=30, rate=rate, options=options, aspect=None, threads=threads
    )
    coded: list[Coded] = []
    for number in range(6):
        frame.pts = number
        coded += encoder.encode(frame)
    coded += encoder.encode(None)
    assert sorted(picture.pts for picture in coded) == list(range(6))


def test_edges_of_the_largest_pictures_fit() -> None:
    assert effort_for("libx264", LARGEST, MEMORY, beside_copies=True).threads == 1


def test_decoders_of_large_pictures_have_one_thread() -> None:
    assert decoder_threads(HD, MEMORY) == 2
    assert decoder_threads(LARGEST, MEMORY) == 1


@given(
    encoder=st.sampled_from(ENCODERS),
    width=st.integers(16, 8192),
    height=st.integers(16, 4320),
    depth=st.sampled_from([8, 10]),
    memory=st.integers(64 << 20, 8 << 30),
    beside=st.booleans(),
)
def test_what_is_chosen_fits_and_more_memory_never_means_less_effort(
    encoder: str,
    width: int,
    height: int,
    depth: int,
    memory: int,
    beside: bool,  # noqa: FBT001
) -> None:
    pixels = Pixels(width, height, depth)
    try:
        effort = effort_for(encoder, pixels, memory, beside_copies=beside)
    except MediaTooLargeError:
        return
    assert needed(encoder, pixels, effort, memory, beside_copies=beside) <= memory
    more = effort_for(encoder, pixels, 2 * memory, beside_copies=beside)
    assert (more.threads, more.lookahead) >= (effort.threads, effort.lookahead)


@pytest.mark.parametrize(
    ("encoder", "pixels", "effort", "beside", "measured"),
    [
        ("libx264", HD, Effort(2, 20), False, 342),
        ("libx264", HD, Effort(1, 5), False, 166),
        ("libx264", HD10, Effort(2, 20), False, 522),
        ("libx264", UHD, Effort(2, 20), False, 1003),
        ("libx264", UHD, Effort(1, 5), False, 530),
        ("libx264", UHD, Effort(2, 0), True, 350),
        ("libx265", SMALL, Effort(2, 20), False, 261),
        ("libx265", HD, Effort(2, 20), False, 475),
        ("libx265", HD, Effort(1, 5), False, 301),
        ("libx265", HD10, Effort(2, 20), False, 735),
        ("libx265", HD10, Effort(1, 5), False, 419),
        ("libx265", UHD, Effort(2, 20), False, 1580),
        ("libx265", UHD, Effort(1, 5), False, 939),
        ("libx265", HD, Effort(2, 0), True, 172),
        ("libx265", HD10, Effort(2, 0), True, 217),
    ],
)
def test_the_prediction_is_above_what_was_measured_and_not_far(
    encoder: str,
    pixels: Pixels,
    effort: Effort,
    beside: bool,  # noqa: FBT001
    measured: int,
) -> None:
    """Megabytes of address space that an encoder alone added."""
    assert measured <= encoder_needs(encoder, pixels, effort, beside_copies=beside) // 1_000_000 <= 1.35 * measured


@pytest.mark.parametrize(
    ("codec", "extradata", "depth"),
    [
        ("h264", b"\1\x64\0\x28\xff", 8),
        ("h264", b"\1\x6e\0\x28\xff", 10),
        ("hevc", bytes(17) + b"\xfa" + bytes(5), 10),
        ("hevc", bytes(17) + b"\xf8" + bytes(5), 8),
        ("vp9", b"", 8),
    ],
)
def test_the_depth_is_the_descriptions(codec: str, extradata: bytes, depth: int) -> None:
    found = pixels_of(Description(codec, b"", extradata, width=1920, height=1080))
    assert found == Pixels(1920, 1080, depth)
