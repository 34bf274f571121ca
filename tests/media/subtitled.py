"""Recordings with subtitles beside the pictures, in containers other than MP4."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

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

_SEGMENT, _TRACKS, _ENTRY, _NUMBER, _UID = 0x18538067, 0x1654AE6B, 0xAE, 0xD7, 0x73C5
_INFO, _CLUSTER = 0x1549A966, 0x1F43B675


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


# --- Matroska by hand (RFC 8794, RFC 9559) ------------------------------------------------------------


def many_subtitle_tracks(matroska: bytes, count: int) -> bytes:
    """A Matroska file whose track of subtitles is there `count` times."""
    kept = []
    for kind, begin, end in _elements(matroska, 0, len(matroska)):
        if kind != _SEGMENT:
            kept.append(matroska[begin[0] : end])
            continue
        body = []
        for inner, at, stop in _elements(matroska, begin[1], end):
            if inner == _TRACKS:
                body.append(_element(_TRACKS, _multiplied(matroska[at[1] : stop], count)))
            elif inner in {_INFO, _CLUSTER}:  # what names offsets is left out
                body.append(matroska[at[0] : stop])
        kept.append(_element(_SEGMENT, b"".join(body)))
    return b"".join(kept)


def _multiplied(tracks: bytes, count: int) -> bytes:
    entries = [tracks[at[1] : stop] for kind, at, stop in _elements(tracks, 0, len(tracks)) if kind == _ENTRY]
    others, text = entries[:-1], entries[-1]
    made = [_element(_ENTRY, entry) for entry in others]
    for number in range(count):
        again = b""
        for kind, at, stop in _elements(text, 0, len(text)):
            body = text[at[1] : stop]
            if kind == _NUMBER:
                body = (len(others) + 1 + number).to_bytes(4)
            elif kind == _UID:
                body = (1_000_000 + number).to_bytes(4)
            again += _element(kind, body)
        made.append(_element(_ENTRY, again))
    return b"".join(made)


def _elements(data: bytes, at: int, end: int) -> Iterator[tuple[int, tuple[int, int], int]]:
    """EBML elements: id, where they and their bodies begin, where they end."""
    while at < end:
        begin = at
        width = 9 - data[at].bit_length()
        kind = int.from_bytes(data[at : at + width])
        at += width
        width = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + width]) & (1 << 7 * width) - 1
        at += width
        stop = end if size == (1 << 7 * width) - 1 else at + size
        yield kind, (begin, at), stop
        at = stop


def _element(kind: int, body: bytes) -> bytes:
    return kind.to_bytes((kind.bit_length() + 7) // 8) + (1 << 56 | len(body)).to_bytes(8) + body
