"""Joined sound: only packets around the joins are encoded, and every sound is at its time."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.media.changes import append_track
from tests.media.check_clip import check_clip, expected_range
from tests.media.cuts import CutResult, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.support.decode import Presented, decode_presented, decode_warnings
from tests.support.made_once import made_once
from tests.support.media import MediaSpec, cached_media
from tests.support.sampling import slow_except
from tests.support.sound import MIN_QUALITY, match_sound

from cutback.cutting.job import CutGap, CutRange

Recordings = Callable[[str], ReferenceRecording]

HALF_A_PACKET = 512 / 48_000 + 0.0005
"""Seconds that sound may be moved, and what measuring is off."""


def packets(data: bytes) -> list[bytes]:
    """The sound's packets."""
    with av.open(io.BytesIO(data), "r") as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def offsets(shown: Presented, reference: ReferenceRecording, at: float, end: float, source: float) -> list[float]:
    """By how many seconds sound is off, from `at` to `end` of the clip, where `source` begins at `at`."""
    assert shown.audio_start is not None
    found = []
    here = at
    while here + 0.12 <= end:
        low = round((here - float(shown.audio_start)) * shown.sample_rate)
        piece = shown.audio[low : low + round(0.12 * shown.sample_rate)]
        expected = reference.reference_at_zero + source + here - at
        match = match_sound(piece, shown.sample_rate, reference.spec, expected, 0.05)
        assert match.quality >= MIN_QUALITY, f"at {here:.3f} s"
        found.append(match.start - expected)
        here += 0.04
    return found


def across(recording: Recordings, start: str, end: str) -> tuple[CutResult, Presented]:
    """A clip across the seam of two recordings that follow one another: `slices` lasts 200 frames."""
    files = [recording("slices").path, recording("slices-2").path]
    seam = Fraction(200, 30)
    ranges = [
        CutRange(0, Fraction(start), seam, seam_after=True),
        CutRange(1, Fraction(0), Fraction(end), seam_before=True),
    ]
    clip = cut_ranges(files, ranges)
    assert decode_warnings(clip.data) == []
    return clip, decode_presented(clip.data)


def test_across_a_seam_sound_continues_and_only_packets_around_it_are_encoded(recording: Recordings) -> None:
    clip, shown = across(recording, "3.21", "2.9")
    sources = {p for name in ("slices", "slices-2") for p in packets(recording(name).path.read_bytes())}
    made = packets(clip.data)
    encoded = [place for place, packet in enumerate(made) if packet not in sources]
    assert 1 <= len(encoded) <= 9
    assert encoded == list(range(encoded[0], encoded[-1] + 1)), "in one run, around the seam"
    assert shown.audio_jumps == []
    first, second = recording("slices"), recording("slices-2")
    begin = float(clip.facts.spans[0].start)
    seam = 200 / 30 - begin
    before = offsets(shown, first, 0.0, seam - 0.01, begin)
    behind = offsets(shown, second, seam + 0.01, float(clip.facts.duration), 0.01)
    assert max(map(abs, before)) <= 0.0005, "the first piece is exact to the sample"
    assert max(map(abs, behind)) <= HALF_A_PACKET


def test_nothing_clicks_at_a_seam(recording: Recordings) -> None:
    clip, shown = across(recording, "3.21", "2.9")
    assert shown.audio_start is not None
    seam = round((200 / 30 - float(clip.facts.spans[0].start) - float(shown.audio_start)) * shown.sample_rate)
    near = slice(seam - 4096, seam + 4096)
    # A click is a broad spectrum for a moment: the reference has nothing above 6 kHz.
    spectrum = np.abs(np.fft.rfft(shown.audio[near] * np.hanning(8192)))
    high = round(9000 * 8192 / shown.sample_rate)
    assert spectrum[high:].max() < 0.02 * spectrum.max()


def test_over_many_joins_nothing_adds_up(recording: Recordings) -> None:
    reference = recording("pyramid")
    starts = [Fraction(137 * n % 500, 100) for n in range(12)]
    clip = cut_ranges([reference.path], [CutRange(0, start, start + Fraction("0.61")) for start in starts])
    shown = decode_presented(clip.data)
    base = Fraction(0)
    for span in clip.facts.spans:
        length = span.end - span.start
        off = offsets(shown, reference, float(base) + 0.01, float(base + length) - 0.01, float(span.start) + 0.01)
        assert max(map(abs, off)) <= HALF_A_PACKET
        base += length


def test_a_long_silence_is_one_packet_many_times(recording: Recordings) -> None:
    reference = recording("pyramid")
    ranges: list[CutRange | CutGap] = [
        CutRange(0, Fraction(1), Fraction(2)),
        CutGap(Fraction(100), "black"),
        CutRange(0, Fraction(3), Fraction(4)),
    ]
    clip = cut_ranges([reference.path], ranges)
    assert len(set(packets(clip.data))) < 200
    shown = decode_presented(clip.data)
    quiet = shown.audio[round(1.1 * shown.sample_rate) : round(100.9 * shown.sample_rate)]
    assert np.abs(quiet).max() < 0.001
    assert max(map(abs, offsets(shown, reference, 101.01, 102.0, 3.01))) <= HALF_A_PACKET


@pytest.mark.parametrize("other", ["44.1-mono", "mp3", "no-sound"])
def test_sound_of_another_kind_is_encoded_as_a_whole(other: str, recording: Recordings) -> None:
    files = [recording("pyramid").path, recording(other).path]
    clip = cut_ranges(files, [CutRange(0, Fraction(1), Fraction(2)), CutRange(1, Fraction(1), Fraction(2))])
    original = set(packets(files[0].read_bytes()))
    assert not [packet for packet in packets(clip.data) if packet in original]


JOINED = {
    "44.1-mono": (44_100, 1),
    "mono-said-stereo": (16_000, 1),
    "mono-said-6": (44_100, 1),
    "5.1": (48_000, 6),
    "5.1-said-stereo": (48_000, 6),
    "sbr": (48_000, 2),  # FFmpeg decodes one channel with SBR as two: PS may be in any packet
    "ps": (48_000, 2),
    "ac3-5.1": (48_000, 6),
}
"""Recordings, and the rate and channels that their sound decodes to."""


@pytest.mark.parametrize("name", slow_except(JOINED, *[*JOINED][::2]))
def test_joined_sound_keeps_its_own_rate_and_channels_whatever_its_container_says(
    name: str, recording: Recordings
) -> None:
    reference = recording(name)
    wanted = [expected_range(reference, Fraction(a), Fraction(b)) for a, b in [("0.5", "1.7"), ("2.2", "3.5")]]
    parts = [part for part in wanted if part is not None]
    clip = cut_ranges([reference.path], [CutRange(0, part.start, part.end) for part in parts])
    check_clip(clip, parts)
    assert sound_shapes(clip.data) == {JOINED[name]}


@pytest.mark.parametrize(("first", "second"), [("pyramid", "mono-said-stereo"), ("5.1-said-stereo", "44.1-mono")])
def test_sound_of_two_layouts_is_joined_in_the_first_one_s(first: str, second: str, recording: Recordings) -> None:
    references = [recording(first), recording(second)]
    wanted = [expected_range(reference, Fraction("1.1"), Fraction("2.9")) for reference in references]
    parts = [part for part in wanted if part is not None]
    clip = cut_ranges(
        [reference.path for reference in references],
        [CutRange(number, part.start, part.end) for number, part in enumerate(parts)],
    )
    shown = decode_presented(clip.data)
    base = 0.0
    for part in parts:
        end = base + float(part.duration)
        off = offsets(shown, part.reference, base + 0.02, end - 0.02, float(part.start) + 0.02)
        assert max(map(abs, off)) <= 0.001
        base = end
    [shape] = sound_shapes(references[0].path)
    assert sound_shapes(clip.data) == {shape}


def test_sound_whose_layout_changes_midway_is_encoded_in_one(media_folder: Path) -> None:
    """Two MP4s of sound, stereo and mono, as one track with an entry for each: 96 frames last 150 packets."""
    specs = [
        MediaSpec(frames=96, codec=None, channels=2, suffix=".mp4"),
        MediaSpec(frames=96, codec=None, channels=1, suffix=".mp4", first_counter=96),
    ]
    one, two = (cached_media(spec, media_folder) for spec in specs)
    path = made_once(one.with_name(f"layouts-{one.name}"), lambda making: append_track(one, two, making))
    clip = cut_ranges([path], [CutRange(0, Fraction(1), Fraction(2)), CutRange(0, Fraction("2.7"), Fraction("3.7"))])
    shown = decode_presented(clip.data)
    whole = MediaSpec(frames=192, codec=None)
    for at, source in [(0.02, 1.02), (1.02, 2.72), (1.6, 3.3)]:
        piece = shown.audio[round(at * 48_000) : round((at + 0.35) * 48_000)]
        match = match_sound(piece, 48_000, whole, source, 0.05)
        assert match.quality >= MIN_QUALITY
        assert abs(match.start - source) <= 0.001
    assert sound_shapes(clip.data) == {(48_000, 2)}


def sound_shapes(source: bytes | Path) -> set[tuple[int, int]]:
    """The rates and channels that the first sound track decodes to."""
    with av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source), "r") as container:
        return {(frame.sample_rate, frame.layout.nb_channels) for frame in container.decode(audio=0)}
