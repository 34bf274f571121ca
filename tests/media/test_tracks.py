"""Every audio track is copied, in order and with its language; what cannot be copied is noted."""

from __future__ import annotations

import io
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.container import InputContainer
from av.packet import Packet
from tests.media.cuts import cut_in_process
from tests.support.decode import decode_presented, decode_warnings
from tests.support.made_once import made_once
from tests.support.media import MIN_QUALITY, MediaSpec, cached_media, match_sound

PICTURES = MediaSpec(frames=200, gop=30, audio="aac")
SECOND = MediaSpec(frames=200, codec=None, audio="aac", seed=2, suffix=".mp4")
LANGUAGES = ["deu", "fra"]


def two_languages(folder: Path, suffix: str) -> Path:
    """A recording with two audio tracks that have different sound."""
    sources = [cached_media(spec, folder) for spec in (PICTURES, SECOND)]

    def make(path: Path) -> None:
        with av.open(str(sources[0])) as one, av.open(str(sources[1])) as two, av.open(str(path), "w") as out:
            wanted = [one.streams.video[0], one.streams.audio[0], two.streams.audio[0]]
            packets: list[tuple[Fraction, Packet[Any], Any]] = []
            for stream, language in zip(wanted, ["und", *LANGUAGES], strict=True):
                made = out.add_stream_from_template(stream)
                made.metadata["language"] = language
                container = two if stream is wanted[2] else one
                container.seek(0)
                packets += [
                    (packet.dts * packet.time_base, packet, made)
                    for packet in container.demux(stream)
                    if packet.dts is not None and packet.time_base is not None
                ]
            for _, packet, made in sorted(packets, key=itemgetter(0)):
                packet.stream = made
                out.mux(packet)

    return made_once(folder / f"languages-{PICTURES.digest()[:12]}{suffix}", make)


def heard(data: bytes, number: int) -> tuple[Fraction, np.ndarray]:
    """When the `number`-th sound track of a clip begins, and its samples."""
    with av.open(io.BytesIO(data), "r") as container:
        frames = list(container.decode(container.streams.audio[number]))
    first = frames[0]
    assert first.pts is not None
    assert first.time_base is not None
    return first.pts * first.time_base, np.concatenate([frame.to_ndarray()[0] for frame in frames])


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize("ranges", [[("1.1", "3.4")], [("1.1", "2.3"), ("4.0", "5.5")]], ids=["one", "joined"])
def test_sound_tracks_keep_their_sound_and_language(
    suffix: str, ranges: list[tuple[str, str]], media_folder: Path
) -> None:
    path = two_languages(media_folder, suffix)
    clip = cut_in_process([path], *((0, Fraction(start), Fraction(end)) for start, end in ranges))
    with av.open(io.BytesIO(clip.data)) as container:
        assert [stream.language for stream in container.streams.audio] == LANGUAGES
    assert decode_warnings(clip.data) == []
    shown = decode_presented(clip.data).counters
    assert shown[0] == 33
    for number, spec in enumerate((PICTURES, SECOND)):
        start, samples = heard(clip.data, number)
        at = round((Fraction(1, 2) - start) * spec.sample_rate)
        expected = 0.5 + shown[0] / 30
        match = match_sound(samples[at : at + spec.sample_rate // 2], spec.sample_rate, spec, expected, 0.1)
        assert match.quality >= MIN_QUALITY, f"track {number} sounds like another"
        assert abs(match.start - expected) <= 0.02


def test_time_codes_are_dropped_with_a_note(media_folder: Path) -> None:
    source = cached_media(PICTURES, media_folder)

    def make(path: Path) -> None:
        with av.open(str(source)) as one, av.open(str(path), "w") as out:
            made = out.add_stream_from_template(one.streams.video[0])
            made.metadata["timecode"] = "01:00:00:00"
            for packet in one.demux(one.streams.video[0]):
                if packet.dts is not None:
                    packet.stream = made
                    out.mux(packet)

    path = made_once(media_folder / f"timecode-{PICTURES.digest()[:12]}.mov", make)
    clip = cut_in_process([path], (0, Fraction(1), Fraction(2)))
    assert clip.facts.notes == ("A track with tmcd is not copied to the clip.",)
    assert len(decode_presented(clip.data).frames) == 30


def test_subtitles_of_matroska_are_dropped_with_a_note(media_folder: Path, tmp_path: Path) -> None:
    source = cached_media(PICTURES, media_folder)
    text = tmp_path / "text.srt"
    text.write_text("1\n00:00:00,500 --> 00:00:02,000\nfirst\n\n2\n00:00:02,500 --> 00:00:05,000\nsecond\n")
    path = tmp_path / "titled.mkv"
    with av.open(str(source)) as one, av.open(str(text)) as two, av.open(str(path), "w") as out:
        streams: dict[InputContainer, Any] = {
            one: out.add_stream_from_template(one.streams.video[0]),
            two: out.add_stream_from_template(two.streams.subtitles[0]),
        }
        for container, kind in ((two, "subtitles"), (one, "video")):
            for packet in container.demux(getattr(container.streams, kind)[0]):
                if packet.dts is not None:
                    packet.stream = streams[container]
                    out.mux(packet)
    clip = cut_in_process([path], (0, Fraction(1), Fraction(2)))
    assert clip.facts.notes == ("Subtitles, attachments and data tracks are not copied to the clip.",)


@pytest.mark.slow
@pytest.mark.parametrize(
    "ranges", [[("0.7", "298.9")], [("0.7", "150.3"), ("151.1", "298.9")]], ids=["copied", "joined"]
)
def test_sound_does_not_drift_in_five_minutes(ranges: list[tuple[str, str]], media_folder: Path) -> None:
    spec = MediaSpec(frames=9000, codec=None, sample_rate=44_100, channels=1, audio_bitrate=64_000)
    clip = cut_in_process([cached_media(spec, media_folder)], *((0, Fraction(a), Fraction(b)) for a, b in ranges))
    start, samples = heard(clip.data, 0)
    assert abs(start) <= Fraction(1024, spec.sample_rate)
    base, off = Fraction(0), 0.001
    for begin, end in ((Fraction(a), Fraction(b)) for a, b in ranges):
        for place in (base + 1, base + end - begin - 2):
            at = round((place - start) * spec.sample_rate)
            expected = float(place - base + begin)
            match = match_sound(samples[at : at + 44_100], spec.sample_rate, spec, expected, 0.1)
            assert match.quality >= MIN_QUALITY
            assert abs(match.start - expected) <= off
        base, off = base + end - begin, 512 / 44_100 + 0.001  # moved onto the first range's grid of packets
    assert abs(start + Fraction(len(samples), spec.sample_rate) - base) <= Fraction(1025, spec.sample_rate)
