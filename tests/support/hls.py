"""Recordings in segments, as HLS packagers write them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from tests.support.media import MediaSpec, cached_media


def package(spec: MediaSpec, cache: Path, folder: Path, *, seconds: int = 1, **options: str) -> Path:
    """Put a recording into segments and a playlist `live.m3u8` below `folder`; returns the playlist.

    `options` are those of FFmpeg's hls muxer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    playlist = folder / "live.m3u8"
    muxing = {"hls_time": str(seconds), "hls_list_size": "0", "hls_playlist_type": "vod", **options}
    with (
        av.open(str(cached_media(spec, cache))) as source,
        av.open(str(playlist), "w", format="hls", container_options=muxing) as target,
    ):
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    return playlist


def names(playlist: Path) -> list[str]:
    """The segments that a playlist lists, in order."""
    return [line for line in playlist.read_text().splitlines() if line and not line.startswith("#")]


def write_playlist(path: Path, segments: list[tuple[str, Fraction | str]], *more: str, finished: bool = True) -> None:
    """A playlist by hand: (what stands before the name, seconds) of each, `more` ahead of them all."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:10", *more]
    for name, seconds in segments:
        lines += [f"#EXTINF:{float(Fraction(seconds)):.6f},", name]
    path.write_text("\n".join([*lines, "#EXT-X-ENDLIST" if finished else ""]))
