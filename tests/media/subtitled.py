"""Recordings with subtitles, in containers other than MP4."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.media.ebml import ENTRY, element, elements, with_tracks
from tests.support.made_once import made_once
from tests.support.media import MediaSpec, cached_media

TEXT = """1
00:00:00,500 --> 00:00:02,000
first

2
00:00:02,500 --> 00:00:05,000
second
"""

SUBTITLES = {
    "srt": ("srt", ".mkv"),
    "ass": ("ass", ".mkv"),
    "webvtt": ("webvtt", ".mkv"),
    "dvb": ("dvbsub", ".ts"),
    "pictures": ("dvdsub", ".mkv"),
}
"""Kinds of subtitles: FFmpeg's encoder, and a container that holds them."""

_NUMBER, _UID = 0xD7, 0x73C5


def subtitled(kind: str, folder: Path, ffmpeg: Callable[..., None]) -> Path:
    """A recording with one track of subtitles."""
    encoder, suffix = SUBTITLES[kind]
    plain = cached_media(MediaSpec(frames=150, gop=30, suffix=suffix), folder)

    def make(path: Path) -> None:
        text = path.with_suffix(".srt")
        text.write_text(TEXT)
        given = ["-i", str(plain), "-i", str(text)]
        if kind in {"dvb", "pictures"}:  # from bitmaps, as text cannot become them
            sup = path.with_suffix(".sup")
            sup.write_bytes(_presentation_graphics())
            given = ["-i", str(plain), "-i", str(sup)]
        ffmpeg(*given, "-map", "0", "-map", "1", "-c", "copy", "-c:s", encoder, str(path))

    return made_once(folder / f"{plain.stem}-{kind}{suffix}", make)


def _presentation_graphics() -> bytes:
    """A PGS file that shows a white square from 0.5 s to 2 s."""
    shown, hidden = 45_000, 180_000
    palette = bytes([0, 0, 1, 235, 128, 128, 255])
    row = b"\0\x90\1" + b"\0\0"  # sixteen pixels of colour 1, end of the line
    picture = (16).to_bytes(2) + (16).to_bytes(2) + row * 16
    square = b"\0\0" + b"\0" + b"\xc0" + (len(picture)).to_bytes(3) + picture
    screen = (320).to_bytes(2) + (180).to_bytes(2) + b"\x10"
    window = b"\1" + b"\0" + bytes(4) + (16).to_bytes(2) + (16).to_bytes(2)
    show = screen + b"\0\0" + b"\x80" + b"\0\0" + b"\1" + b"\0\0\0\0" + bytes(4)
    hide = screen + b"\0\1" + b"\0" + b"\0\0" + b"\0"
    units = [(shown, 0x16, show), (shown, 0x17, window), (shown, 0x14, palette), (shown, 0x15, square)]
    units += [(shown, 0x80, b""), (hidden, 0x16, hide), (hidden, 0x17, window), (hidden, 0x80, b"")]
    return b"".join(
        b"PG" + time.to_bytes(4) + bytes(4) + bytes([kind]) + len(body).to_bytes(2) + body for time, kind, body in units
    )


# --- very many -------------------------------------------------------------------------------------


def many_subtitle_tracks(matroska: bytes, count: int) -> bytes:
    """A Matroska file whose track of subtitles is there `count` times."""
    return with_tracks(matroska, lambda tracks: _multiplied(tracks, count))


def _multiplied(tracks: bytes, count: int) -> bytes:
    entries = [tracks[at[1] : stop] for kind, at, stop in elements(tracks, 0, len(tracks)) if kind == ENTRY]
    others, text = entries[:-1], entries[-1]
    made = [element(ENTRY, entry) for entry in others]
    for number in range(count):
        again = b""
        for kind, at, stop in elements(text, 0, len(text)):
            body = text[at[1] : stop]
            if kind == _NUMBER:
                body = (len(others) + 1 + number).to_bytes(4)
            elif kind == _UID:
                body = (1_000_000 + number).to_bytes(4)
            again += element(kind, body)
        made.append(element(ENTRY, again))
    return b"".join(made)
