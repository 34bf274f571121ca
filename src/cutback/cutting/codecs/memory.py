"""How much memory re-encoding takes, told from size, codec and effort before an encoder is opened. Pure.

The numbers were measured as address space, which is what the limit counts, in a process with one heap (x264 and x265 in
PyAV 18.1, 180p to 4K); they are rounded up. A picture here is one of 4:2:0.
"""

from __future__ import annotations

from dataclasses import dataclass

from cutback.cutting.index import Description
from cutback.domain.errors import MediaTooLargeError

_MB = 1_000_000
_MAX_THREADS = 2
"""A worker should have two cores; more threads only use memory for more frames."""

_DECODER_PICTURES, _DECODER_PICTURES_A_THREAD, _DECODER_THREAD = 8, 4, 90 * _MB
_WAITING_PICTURES = 8
"""Pictures between decoder and encoder, and while they are converted."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What an encoder may use."""

    threads: int
    lookahead: int
    """Pictures that it sees before it decides about one; only where a clip is encoded as a whole."""


_PROFILES_OF_10_BITS = {110, 122, 244}
"""Of H.264: High 10, 4:2:2 and 4:4:4 Predictive."""

FULL = Effort(_MAX_THREADS, 20)
EFFORTS = (FULL, Effort(_MAX_THREADS, 8), Effort(1, 8), Effort(1, 0))
"""From the best pictures to the least memory."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """The size of pictures."""

    width: int
    height: int
    depth: int
    """Bits."""

    @property
    def bytes(self) -> int:
        """Of one picture."""
        return self.of_8_bits * (2 if self.depth > 8 else 1)

    @property
    def of_8_bits(self) -> int:
        """Bytes that one picture would have in 8 bits."""
        return self.width * self.height * 3 // 2


def pixels_of(description: Description) -> Pixels:
    """The size of a track's pictures, as its description tells."""
    extradata, depth = description.extradata, 8
    match description.codec:
        case "hevc" if len(extradata) > 17:
            depth = (extradata[17] & 7) + 8
        case "h264" if len(extradata) > 1 and extradata[1] in _PROFILES_OF_10_BITS:
            depth = 10
        case "av1" if len(extradata) > 2 and extradata[2] & 0x40:  # high_bitdepth of av1C
            depth = 10
    return Pixels(description.width, description.height, depth)


def decoder_threads(pixels: Pixels, memory: int) -> int:
    """Threads of a decoder that may take a quarter of the memory: each keeps pictures of its own."""
    return _MAX_THREADS if _decoder(pixels, _MAX_THREADS) <= memory // 4 else 1


def needed(encoder: str, pixels: Pixels, effort: Effort, memory: int, *, beside_copies: bool) -> int:
    """Bytes that decoding and encoding take together; `memory` is the limit."""
    decoder = _decoder(pixels, decoder_threads(pixels, memory))
    return (
        decoder + _WAITING_PICTURES * pixels.bytes + encoder_needs(encoder, pixels, effort, beside_copies=beside_copies)
    )


def effort_for(encoder: str, pixels: Pixels, memory: int, *, beside_copies: bool, room: int | None = None) -> Effort:
    """The most that an encoder may use within the limit on memory and, if it is known, within what is left of it.

    Raises:
        MediaTooLargeError: even the least takes more.
    """
    for effort in EFFORTS:
        least = needed(encoder, pixels, effort, memory, beside_copies=beside_copies)
        own = encoder_needs(encoder, pixels, effort, beside_copies=beside_copies)
        if least <= memory and (room is None or own <= room):
            return effort
    what = f"Re-encoding pictures of {pixels.width}x{pixels.height} takes about"
    if least > memory:
        raise MediaTooLargeError(f"{what} {-(-least // _MB)} MB of memory; the limit is {memory // _MB} MB.")
    assert room is not None
    raise MediaTooLargeError(
        f"{what} {-(-own // _MB)} MB of memory; of the limit of {memory // _MB} MB, {room // _MB} MB are left."
    )


def _decoder(pixels: Pixels, threads: int) -> int:
    pictures = _DECODER_PICTURES + _DECODER_PICTURES_A_THREAD * threads
    return pictures * pixels.bytes + (threads * _DECODER_THREAD if threads > 1 else 0)


def encoder_needs(encoder: str, pixels: Pixels, effort: Effort, *, beside_copies: bool) -> int:
    """Bytes that an encoder takes by itself."""
    threads, ahead = effort.threads, 0 if beside_copies else effort.lookahead
    picture = pixels.bytes
    if encoder == "libx265":
        kept = 30 * pixels.of_8_bits if beside_copies else 35 * pixels.of_8_bits + 32 * picture
        return 60 * _MB + threads * (15 * _MB + 5 * picture) + kept + ahead * (_MB + 21 * picture // 10)
    if encoder == "libsvtav1":
        return 150 * _MB + (90 + 2 * ahead) * picture
    if encoder == "libvpx-vp9":
        return 60 * _MB + 100 * picture
    kept = (18 if beside_copies else 26) * picture
    fixed = 10 * _MB if beside_copies else 40 * _MB
    return fixed + threads * (40 * _MB + 2 * picture) + kept + ahead * (3 * _MB + 2 * picture)
