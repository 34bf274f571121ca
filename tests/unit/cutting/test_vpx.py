"""Which packets of VP8 and VP9 show a picture."""

from __future__ import annotations

import pytest

from cutback.cutting.codecs.vpx import shows

SHOWN, HIDDEN, REPEATED = b"\x86" + bytes(30), b"\x84" + bytes(30), b"\x88"
"""VP9, profile 0: show_frame, no show_frame, show_existing_frame."""


def superframe(*frames: bytes) -> bytes:
    """Frames with an index of one-byte sizes behind them."""
    marker = bytes([0xC0 | len(frames) - 1])
    return b"".join(frames) + marker + bytes(map(len, frames)) + marker


@pytest.mark.parametrize(
    ("codec", "packet", "shown"),
    [
        ("vp8", b"\x10", True),
        ("vp8", b"\x31", True),
        ("vp8", b"\x01", False),
        ("vp9", SHOWN, True),
        ("vp9", HIDDEN, False),
        ("vp9", REPEATED, True),
        ("vp9", superframe(HIDDEN, SHOWN), True),
        ("vp9", superframe(HIDDEN, HIDDEN), False),
        ("vp9", superframe(HIDDEN, REPEATED), True),
        ("vp9", b"\xb1\x00", True),  # profile 3, with a reserved bit
        ("vp9", b"\xb0\x00", False),
        ("vp9", b"\x00", True),  # no VP9: the decoder must say so
        ("vp9", b"", True),
        ("h264", b"\x00", True),
    ],
)
def test_a_packet_shows_a_picture_or_not(codec: str, packet: bytes, shown: bool) -> None:  # noqa: FBT001
    assert shows(codec, memoryview(packet)) is shown
