"""Matroska taken apart and put together by hand (RFC 8794, RFC 9559)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

SEGMENT, TRACKS, ENTRY, INFO, CLUSTER = 0x18538067, 0x1654AE6B, 0xAE, 0x1549A966, 0x1F43B675


def with_tracks(matroska: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A file with another list of tracks, without the elements that contain offsets."""
    kept = []
    for kind, (begin, body_at), end in elements(matroska, 0, len(matroska)):
        if kind != SEGMENT:
            kept.append(matroska[begin:end])
            continue
        body = []
        for inner, (at, inside), stop in elements(matroska, body_at, end):
            if inner == TRACKS:
                body.append(element(TRACKS, change(matroska[inside:stop])))
            elif inner in {INFO, CLUSTER}:
                body.append(matroska[at:stop])
        kept.append(element(SEGMENT, b"".join(body)))
    return b"".join(kept)


def elements(data: bytes, at: int, end: int) -> Iterator[tuple[int, tuple[int, int], int]]:
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


def element(kind: int, body: bytes) -> bytes:
    return kind.to_bytes((kind.bit_length() + 7) // 8) + (1 << 56 | len(body)).to_bytes(8) + body
