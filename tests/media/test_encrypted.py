"""Encrypted recordings are always refused with a named reason; copies would be clips of noise."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.cuts import cut_in_process, find_boxes
from tests.media.ebml import ENTRY, element, elements, with_tracks
from tests.support.made_once import made_once
from tests.support.media import FRAGMENTED, MediaSpec, cached_media

from cutback.cutting.job import Precision
from cutback.domain.errors import MediaUnsupportedError

RANGE = (0, Fraction("0.7"), Fraction("2.3"))
KEYS = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "00" * 16, "-encryption_kid", "11" * 16]
PSSH = b"\0\0\0\x20pssh" + bytes(4) + bytes(range(16)) + bytes(4)


def encrypted_mp4(folder: Path, ffmpeg: Callable[..., None], *, sound: str | None = "aac") -> bytes:
    """Common encryption of all tracks."""
    plain = cached_media(MediaSpec(frames=90, gop=30, audio=sound), folder)
    return made_once(
        folder / f"{plain.stem}-cenc.mp4",
        lambda path: ffmpeg("-i", str(plain), "-map", "0", "-c", "copy", *KEYS, str(path)),
    ).read_bytes()


def with_pssh(data: bytes, box: bytes) -> bytes:
    """With a box that says how to get the keys, and clear sample entries."""
    (begin, _), *_ = find_boxes(data, box)
    size = int.from_bytes(data[begin - 8 : begin - 4]) + len(PSSH)
    return data[: begin - 8] + size.to_bytes(4) + data[begin - 4 : begin] + PSSH + data[begin:]


def encrypted_webm(folder: Path) -> bytes:
    """A track of pictures whose ContentEncodings say that it is encrypted."""
    plain = cached_media(MediaSpec(frames=90, gop=30, suffix=".mkv"), folder).read_bytes()
    key = element(0x5035, element(0x47E1, b"\5") + element(0x47E2, bytes(16)))
    encoding = element(0x5031, b"\0") + element(0x5032, b"\1") + element(0x5033, b"\1") + key
    encodings = element(0x6D80, element(0x6240, encoding))

    def encrypted(tracks: bytes) -> bytes:
        entries = [tracks[at[1] : stop] for kind, at, stop in elements(tracks, 0, len(tracks)) if kind == ENTRY]
        return b"".join(element(ENTRY, entry + encodings) for entry in entries)

    return with_tracks(plain, encrypted)


def scrambled_ts(folder: Path) -> bytes:
    """All packets of pictures and sound say that they are scrambled."""
    data = bytearray(cached_media(MediaSpec(frames=90, gop=30, suffix=".ts"), folder).read_bytes())
    for at in range(0, len(data), 188):
        if (data[at + 1] & 0x1F) << 8 | data[at + 2] in {0x100, 0x101}:
            data[at + 3] |= 0x80
    return bytes(data)


@pytest.mark.parametrize("precision", ["exact", "keyframe", "instant"])
def test_common_encryption_of_pictures_and_sound(
    precision: Precision, media_folder: Path, ffmpeg: Callable[..., None]
) -> None:
    with pytest.raises(MediaUnsupportedError, match="encrypted"):
        cut_in_process([encrypted_mp4(media_folder, ffmpeg)], RANGE, precision=precision)


@pytest.mark.parametrize(("clear", "name"), [(b"encv", b"avc1"), (b"enca", b"mp4a")], ids=["sound", "pictures"])
def test_one_track_alone_is_encrypted(
    clear: bytes, name: bytes, media_folder: Path, ffmpeg: Callable[..., None]
) -> None:
    """The other's entry has its plain name, and no protection scheme."""
    data = encrypted_mp4(media_folder, ffmpeg)
    at = data.index(clear)
    end = at + int.from_bytes(data[at - 4 : at]) - 4
    data = data[:at] + data[at:end].replace(clear, name).replace(b"sinf", b"free") + data[end:]
    with pytest.raises(MediaUnsupportedError, match="encrypted"):
        cut_in_process([data], RANGE)


@pytest.mark.parametrize("name", [b"avc1", b"mp4a"])
def test_a_protection_scheme_counts_under_any_name(
    name: bytes, media_folder: Path, ffmpeg: Callable[..., None]
) -> None:
    other = {b"avc1": b"encv", b"mp4a": b"enca"}
    data = encrypted_mp4(media_folder, ffmpeg).replace(other[name], name)
    with pytest.raises(MediaUnsupportedError, match="encrypted"):
        cut_in_process([data], RANGE)


@pytest.mark.parametrize(("options", "box"), [({}, b"moov"), (FRAGMENTED, b"moov"), (FRAGMENTED, b"moof")])
def test_what_tells_of_keys(options: dict[str, str], box: bytes, media_folder: Path) -> None:
    spec = MediaSpec(frames=90, gop=30, muxer_options=options)
    data = with_pssh(cached_media(spec, media_folder).read_bytes(), box)
    with pytest.raises(MediaUnsupportedError, match="encrypted"):
        cut_in_process([data], RANGE)


def test_encrypted_matroska(media_folder: Path) -> None:
    with pytest.raises(MediaUnsupportedError, match="encrypted"):
        cut_in_process([encrypted_webm(media_folder)], RANGE)


def test_scrambled_transport_stream(media_folder: Path) -> None:
    with pytest.raises(MediaUnsupportedError, match="encrypted"):
        cut_in_process([scrambled_ts(media_folder)], RANGE)
