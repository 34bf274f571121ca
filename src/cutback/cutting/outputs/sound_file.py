"""Writes a clip's sound as a file of its own: MP3, WAV, Opus or FLAC, with exactly the samples of the clip.

Encoders put samples before the first one and after the last one. Each of these containers says how many they are, so
that players leave them out: the Xing header of MP3 (LAME's part of it), the pre-skip and the last granule position of
Opus in Ogg (RFC 7845); WAV and FLAC have none.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal, TypeAlias

import av
from av.audio.stream import AudioStream

from cutback.cutting.chapters import as_comments, as_libav, for_mp3
from cutback.cutting.edits.graph import sound_through
from cutback.cutting.edits.sound_stream import Sound, exactly
from cutback.cutting.ffmpeg_errors import media_error
from cutback.cutting.mp4.layout import Extent
from cutback.cutting.outputs.spool_file import SpoolFile
from cutback.cutting.sound.decode import without_noise
from cutback.cutting.spool import Spool
from cutback.cutting.tags import Chapter
from cutback.domain.errors import MediaUnsupportedError

SoundKind: TypeAlias = Literal["mp3", "wav", "opus", "flac"]

NO_TEXTS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class _Writer:
    """How a kind of file is written."""

    muxer: str
    encoder: str
    sample_format: str
    deep: tuple[str, str] | None = None
    """The encoder and the sample format of sound with more than 16 bits; None: there is no difference."""
    rates: tuple[int, ...] = ()
    """Hz, ascending; empty: any."""
    most_channels: int = 8
    bit_rate_a_channel: int = 0
    """0: not compressed, or without loss."""
    highest_bit_rate: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    """Of the muxer."""


_WRITERS: Mapping[SoundKind, _Writer] = {
    "mp3": _Writer(
        "mp3",
        "libmp3lame",
        "fltp",
        rates=(8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
        most_channels=2,
        bit_rate_a_channel=96_000,
        highest_bit_rate=320_000,
        options={"id3v2_version": "4", "write_id3v1": "0"},
    ),
    "wav": _Writer("wav", "pcm_s16le", "s16", deep=("pcm_s24le", "s32"), options={"rf64": "auto"}),
    "opus": _Writer(
        "ogg",
        "libopus",
        "flt",
        rates=(48_000,),
        bit_rate_a_channel=64_000,
        highest_bit_rate=510_000,
    ),
    "flac": _Writer("flac", "flac", "s16", deep=("flac", "s32")),
}


@dataclass(frozen=True, slots=True)
class WrittenSound:
    """A file of sound, in the spool."""

    extent: Extent
    rate: int
    """Hz."""
    channels: int
    samples: int
    """What is heard, for each channel."""
    bit_rate: int
    """Bits per second that the encoder was given; 0 if the file is not compressed, or without loss."""


def write_sound_file(
    sound: Sound,
    kind: SoundKind,
    spool: Spool,
    *,
    deep: bool = False,
    bit_rate: int | None = None,
    texts: Mapping[str, str] = NO_TEXTS,
    chapters: Sequence[Chapter] = (),
) -> WrittenSound:
    """Encode all of a track's sound into a file.

    `deep` keeps 24 bits where the kind of file can. `bit_rate` is for all channels; the usual one, if None. `texts` are
    tags, by FFmpeg's names. WAV has no `chapters`.

    Raises:
        MediaUnsupportedError: this kind of file cannot hold the sound.
        CutbackError: the sound cannot be decoded or encoded.
    """
    how = _WRITERS[kind]
    encoder, sample_format = how.deep if deep and how.deep else (how.encoder, how.sample_format)
    layout = _layout(sound.layout, how)
    rate = next((rate for rate in how.rates if rate >= sound.rate), how.rates[-1] if how.rates else sound.rate)
    fitted = replace(sound, rate=rate, layout=layout)
    channels = av.AudioLayout(layout).nb_channels
    bits = min(bit_rate or how.bit_rate_a_channel * channels, how.highest_bit_rate)
    file = SpoolFile(spool)
    try:
        with av.open(file, "w", format=how.muxer, container_options=dict(how.options)) as container:
            container.metadata.update(texts)
            if how.muxer == "mp3":
                container.set_chapters(as_libav(for_mp3(chapters), sound.duration))
            elif how.muxer != "wav":
                container.metadata.update(as_comments(chapters))
            stream = container.add_stream(encoder, rate)
            assert isinstance(stream, AudioStream)
            stream.codec_context.layout = layout
            stream.codec_context.format = sample_format
            if bits:
                stream.codec_context.bit_rate = bits
            position = 0
            for block in _in_form(_heard(sound, fitted), sample_format, layout, rate):
                block.pts, block.time_base = position, Fraction(1, rate)
                position += block.samples
                container.mux(stream.encode(block))
            container.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise media_error("Its sound cannot be encoded", error) from error
    except ValueError as error:
        raise MediaUnsupportedError(f"Its sound ({sound.layout}) does not fit into this kind of file.") from error
    return WrittenSound(file.extent, rate, channels, fitted.samples, bits)


def usual_bit_rate(kind: SoundKind, layout: str) -> int:
    """Return the bits per second of sound with these channels; 0 if the kind is not compressed, or without loss."""
    how = _WRITERS[kind]
    return how.bit_rate_a_channel * av.AudioLayout(_layout(layout, how)).nb_channels


def _layout(layout: str, how: _Writer) -> str:
    return layout if av.AudioLayout(layout).nb_channels <= how.most_channels else "stereo"


def _heard(sound: Sound, fitted: Sound) -> Iterator[av.AudioFrame]:
    """The sound as planar floats in the channels and at the rate of the file, with exactly as many samples."""
    blocks = sound.blocks()
    if fitted.layout != sound.layout:
        blocks = sound_through(blocks, sound.rate, sound.layout, (), to=fitted.layout)
    if fitted.rate != sound.rate:
        blocks = _resampled(blocks, "fltp", fitted.layout, fitted.rate, sound.rate)
    return map(_clean, exactly(blocks, fitted.samples, fitted.rate, fitted.layout))


def _clean(block: av.AudioFrame) -> av.AudioFrame:
    for plane in block.planes:
        heard = array("f", bytes(plane)[: 4 * block.samples])
        if (kept := without_noise(heard)) is not heard:
            data = kept.tobytes()
            plane.update(data + bytes(plane.buffer_size - len(data)))
    return block


def _in_form(blocks: Iterator[av.AudioFrame], sample_format: str, layout: str, rate: int) -> Iterator[av.AudioFrame]:
    return blocks if sample_format == "fltp" else _resampled(blocks, sample_format, layout, rate, rate)


def _resampled(
    blocks: Iterator[av.AudioFrame], sample_format: str, layout: str, rate: int, before: int
) -> Iterator[av.AudioFrame]:
    resampler = av.AudioResampler(sample_format, layout, rate)
    position = 0
    for block in blocks:
        block.pts, block.time_base = position, Fraction(1, before)
        position += block.samples
        yield from resampler.resample(block)
    yield from resampler.resample(None)
