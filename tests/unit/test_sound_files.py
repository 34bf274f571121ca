"""Files of sound: exactly the samples that went in, in the channels that the kind of file can hold."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from cutback.cutting.edits.sound_stream import Sound
from cutback.cutting.outputs.sound_file import SoundKind, WrittenSound, write_sound_file
from cutback.cutting.spool import Spool

LOSSLESS: tuple[SoundKind, ...] = ("wav", "flac")
KINDS: tuple[SoundKind, ...] = ("mp3", "wav", "opus", "flac")


def noise(samples: int, channels: int = 2) -> NDArray[np.float32]:
    """Noise through a low-pass, which every encoder keeps well."""
    white = np.random.default_rng(7).standard_normal((channels, samples + 63))
    smooth = np.stack([np.convolve(row, np.ones(64) / 64, "valid") for row in white])
    return smooth.astype(np.float32)


def sound_of(wave: NDArray[np.float32], rate: int, layout: str = "stereo") -> Sound:
    """A sound in blocks of an odd size."""

    def blocks() -> Iterator[av.AudioFrame]:
        for begin in range(0, wave.shape[1], 1000):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave[:, begin : begin + 1000]), "fltp", layout)
            frame.sample_rate = rate
            yield frame

    return Sound(rate, layout, Fraction(wave.shape[1], rate), blocks)


def written(sound: Sound, kind: SoundKind, **options: object) -> tuple[bytes, WrittenSound]:
    """The file."""
    with tempfile.TemporaryFile() as file:
        spool = Spool(file)
        spool.append(b"before")
        made = write_sound_file(sound, kind, spool, **options)  # type: ignore[arg-type]
        return spool.read_at(made.extent.offset, made.extent.length), made


def decoded(data: bytes) -> tuple[NDArray[np.float32], int]:
    """What a player hears, and Hz."""
    with av.open(io.BytesIO(data), "r") as container:
        [stream] = container.streams.audio
        resampler = av.AudioResampler("fltp", stream.layout, stream.rate)
        frames = [each for frame in container.decode(stream) for each in resampler.resample(frame)]
        frames += resampler.resample(None)
        return np.concatenate([frame.to_ndarray() for frame in frames], axis=1), stream.rate


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("rate", "samples"), [(48_000, 50_003), (44_100, 30_001)])
def test_holds_exactly_the_samples_at_their_places(kind: SoundKind, rate: int, samples: int) -> None:
    wave = noise(samples)
    data, made = written(sound_of(wave, rate), kind)
    heard, found = decoded(data)
    wanted = round(Fraction(samples, rate) * found)
    assert (found, heard.shape[1], made.samples) == (48_000 if kind == "opus" else rate, wanted, wanted)
    if found == rate:
        middle = slice(2_000, -2_000)
        similar = np.corrcoef(heard[0, middle], wave[0, middle])[0, 1]
        moved = np.corrcoef(heard[0, 2_001:-1_999], wave[0, middle])[0, 1]
        assert similar > 0.97
        assert moved < similar  # by one sample less alike


@pytest.mark.parametrize("kind", LOSSLESS)
@pytest.mark.parametrize("bits", [16, 24])
def test_keeps_every_bit(kind: SoundKind, bits: int) -> None:
    """Samples of so many bits come back unchanged."""
    scale = 2 ** (bits - 1)
    wave = (np.round(noise(10_007) * scale) / scale).astype(np.float32)
    data, _ = written(sound_of(wave, 48_000), kind, deep=bits == 24)
    heard, _ = decoded(data)
    assert np.array_equal(heard, wave)


def test_mp3_mixes_six_channels_to_two() -> None:
    data, made = written(sound_of(noise(20_000, 6), 48_000, "5.1"), "mp3")
    heard, _ = decoded(data)
    assert (heard.shape, made.channels) == ((2, 20_000), 2)


@pytest.mark.parametrize("kind", ["wav", "opus", "flac"])
def test_others_keep_six_channels(kind: SoundKind) -> None:
    data, _ = written(sound_of(noise(20_000, 6), 48_000, "5.1"), kind)
    assert decoded(data)[0].shape == (6, 20_000)


@pytest.mark.parametrize("kind", KINDS)
def test_has_the_texts_as_tags(kind: SoundKind) -> None:
    data, _ = written(sound_of(noise(5_000), 48_000), kind, texts={"title": "Ünï", "artist": "C"})
    with av.open(io.BytesIO(data), "r") as container:
        tags = {**container.metadata, **container.streams[0].metadata}
    assert {name.lower(): text for name, text in tags.items()}.items() >= {"title": "Ünï", "artist": "C"}.items()


def test_bit_rate_is_kept() -> None:
    wave = np.random.default_rng(1).standard_normal((2, 96_000)).astype(np.float32) * 0.2
    for kind, rate in (("mp3", 64_000), ("opus", 32_000)):
        data, made = written(sound_of(wave, 48_000), kind, bit_rate=rate)  # type: ignore[arg-type]
        assert made.bit_rate == rate
        assert len(data) * 8 / 2 == pytest.approx(rate, rel=0.2)


def test_silences_what_is_no_number() -> None:
    wave = noise(4_000)
    wave[0, 100] = np.nan
    data, _ = written(sound_of(wave, 48_000), "wav")
    heard, _ = decoded(data)
    assert heard[0, 100] == 0
