"""The test recordings and the oracle do what the other tests rely on."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import real_footage
from tests.support.decode import decode_presented, decode_warnings, dts_faults, frame_md5, psnr
from tests.support.edit_list import copy_with_edit_list
from tests.support.media import FASTSTART, FRAGMENTED, FRAGMENTED_DELAYED, MediaSpec, cached_media, make_media
from tests.support.picture import COUNTER_LIMIT, CounterUnreadableError, draw, read_counter, read_luma_counter, to_frame
from tests.support.sampling import slow_except
from tests.support.sound import SoundNotRecognisedError, match_sound, measure_audio_offset, reference_sound, trace_sound

SMALL = MediaSpec(frames=60, gop=20)
SPECS = {
    "h264": SMALL,
    "h264-open-gop": MediaSpec(frames=60, bframes=3, open_gop=True),
    "h264-interlaced": MediaSpec(frames=60, codec_options={"flags": "+ildct+ilme"}),
    "h264-poor": MediaSpec(frames=60, codec_options={"crf": "45"}),
    "hevc-10": MediaSpec(frames=60, codec="libx265", pix_fmt="yuv420p10le", tag="hvc1"),
    "vp9-webm": MediaSpec(frames=60, codec="libvpx-vp9", audio="libopus", suffix=".webm"),
    "av1-mkv": MediaSpec(frames=60, codec="libsvtav1", suffix=".mkv"),
    "mpeg4": MediaSpec(frames=60, codec="mpeg4"),
    "mjpeg-mov": MediaSpec(frames=60, codec="mjpeg", audio="pcm_s16le", suffix=".mov"),
    "ts-late": MediaSpec(frames=60, suffix=".ts", start=Fraction(90_000)),
    "portrait": MediaSpec(frames=60, width=180, height=320, rotation=90),
    "ntsc": MediaSpec(frames=60, fps=Fraction(30000, 1001), first_counter=1_000_000),
    "faststart": MediaSpec(frames=60, muxer_options=FASTSTART),
    "fragmented": MediaSpec(frames=60, muxer_options=FRAGMENTED_DELAYED),
}
TENTH_OF_A_MS = 1e-4

Make = Callable[[MediaSpec], Path]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Generates a recording, or takes it from this module's cache."""
    folder = tmp_path_factory.mktemp("media")
    return lambda spec: cached_media(spec, folder)


@pytest.mark.parametrize("name", slow_except(SPECS, "h264", "hevc-10", "vp9-webm", "ts-late", "fragmented"))
def test_every_frame_gives_its_number_and_time_back_and_every_sound_its_time(make: Make, name: str) -> None:
    spec = SPECS[name]
    path = make(spec)
    presented = decode_presented(path)
    tick = Fraction(1, 1000) if spec.suffix in {".mkv", ".webm"} else Fraction(0)

    assert list(spec.counters) == presented.counters
    assert all(abs(expected - actual) <= tick for expected, actual in zip(spec.times, presented.times, strict=True))
    assert presented.audio_start is not None
    start = float(presented.audio_start)
    assert all(
        abs(match.start - at - start) < TENTH_OF_A_MS
        for at, match in trace_sound(presented.audio, presented.sample_rate, spec, start)[1:]
    )
    assert presented.audio_jumps == []
    assert decode_warnings(path) == []


def test_variable_frame_times_come_back_as_they_were_given(make: Make) -> None:
    pts = tuple(itertools.accumulate([0, *([3000, 3003, 9001, 1500] * 15)[:59]]))
    spec = MediaSpec(frames=60, pts=pts, time_base=Fraction(1, 90_000), bframes=3)

    presented = decode_presented(make(spec))

    assert [Fraction(ticks, 90_000) for ticks in pts] == presented.times
    assert list(spec.counters) == presented.counters


def test_keyframes_stand_where_the_spec_puts_them(make: Make) -> None:
    def keyframes(spec: MediaSpec) -> tuple[list[Fraction], bool]:
        with av.open(str(make(spec))) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        times = [(packet.pts or 0) * packet.time_base for packet in packets]
        keys = [n for n, packet in enumerate(packets) if packet.is_keyframe]
        return [times[n] for n in keys], any(times[n + 1] < times[n] for n in keys[1:])

    expected = [Fraction(0), Fraction(20, 30), Fraction(40, 30)]
    for codec in ("libx264", "libx265"):
        assert keyframes(MediaSpec(frames=60, gop=20, codec=codec)) == (expected, False)
        assert keyframes(MediaSpec(frames=60, gop=20, codec=codec, open_gop=True)) == (expected, True)


@pytest.mark.parametrize(("width", "height", "pix_fmt"), [(640, 360, "yuv420p10le"), (240, 135, "rgb24")])
def test_a_scaled_or_converted_picture_still_gives_its_number(width: int, height: int, pix_fmt: str) -> None:
    frame = to_frame(draw(SMALL, 12345), "yuv420p")

    assert read_counter(frame.reformat(width, height, pix_fmt)) == 12345


@settings(max_examples=40, deadline=None)
@given(number=st.integers(0, COUNTER_LIMIT - 1), other=st.integers(0, COUNTER_LIMIT - 1))
def test_a_picture_made_of_two_gives_no_wrong_number(number: int, other: int) -> None:
    luma, stranger = draw(SMALL, number)[0], draw(SMALL, other)[0]
    assert read_luma_counter(luma) == number
    torn = luma.copy()
    torn[90:] = stranger[90:]
    shifted = luma.copy()
    shifted[:, 160:] = stranger[:, 160:]
    blended = ((luma.astype(np.uint16) + stranger) // 2).astype(np.uint8)
    # Top and bottom both show the left half of one and the right half of the other: only the scramble tells.
    for picture in (torn, shifted, blended):
        with contextlib.suppress(CounterUnreadableError):
            assert read_luma_counter(picture) in {number, other}


@settings(max_examples=40, deadline=None)
@given(number=st.integers(0, COUNTER_LIMIT - 1), cell=st.integers(0, 19), bottom=st.booleans())
def test_a_single_wrong_or_grey_cell_is_detected(number: int, cell: int, bottom: bool) -> None:  # noqa: FBT001
    luma = draw(SMALL, number)[0]
    block = luma[(slice(164, 180) if bottom else slice(0, 16)), cell * 16 : cell * 16 + 16]
    for damage in (252 - block.astype(np.int16), 0 * block + 126):
        broken = luma.copy()
        broken[(slice(164, 180) if bottom else slice(0, 16)), cell * 16 : cell * 16 + 16] = damage
        with pytest.raises(CounterUnreadableError):
            read_luma_counter(broken)


def test_a_picture_without_counter_is_refused() -> None:
    noise = np.random.default_rng(1).integers(16, 235, (180, 320), dtype=np.uint8)
    for picture in (noise, np.full((180, 320), 16, np.uint8), np.full((180, 320), 235, np.uint8)):
        with pytest.raises(CounterUnreadableError):
            read_luma_counter(picture)


def test_compression_shows_in_psnr_and_not_in_the_digest_of_a_copy(make: Make) -> None:
    with av.open(str(make(SMALL))) as container:
        frames = list(container.decode(video=0))
    drawn = [to_frame(draw(SMALL, n), "yuv420p") for n in (30, 31)]

    assert 30 < psnr(frames[30], drawn[0]) < 60
    assert psnr(frames[30], drawn[1]) < 25
    assert psnr(frames[30], frames[30]) == float("inf")
    assert frame_md5(frames[30]) == decode_presented(make(SMALL)).frames[30].md5
    assert len({frame_md5(frame) for frame in frames}) == 60


@pytest.mark.parametrize(
    ("audio", "suffix", "channels", "sample_rate"),
    [
        ("aac", ".mp4", 2, 48_000),
        ("aac", ".ts", 1, 44_100),
        ("libmp3lame", ".mkv", 2, 44_100),
        ("libopus", ".mkv", 2, 48_000),
        ("ac3", ".mp4", 6, 48_000),
        ("pcm_s16le", ".mov", 1, 22_050),
    ],
)
def test_a_known_shift_is_measured_after_any_codec(
    make: Make, audio: str, suffix: str, channels: int, sample_rate: int
) -> None:
    spec = MediaSpec(frames=60, audio=audio, suffix=suffix, channels=channels, sample_rate=sample_rate)
    presented = decode_presented(make(spec))
    assert presented.audio_start is not None
    for shift in (4800, 33_011):
        expected = float(presented.audio_start) + shift / sample_rate
        piece = presented.audio[shift:]

        measured = measure_audio_offset(piece, sample_rate, spec, expected + 0.31)

        assert abs(measured - expected) < TENTH_OF_A_MS
        assert match_sound(piece, sample_rate, spec, expected).quality > 0.8


def test_sound_at_another_sample_rate_is_measured() -> None:
    sound = reference_sound(SMALL)
    at_44100 = np.interp(np.arange(44_100) / 44_100, np.arange(len(sound)) / 48_000, sound)

    assert abs(measure_audio_offset(at_44100[4410:].astype(np.float32), 44_100, SMALL, 0.0) - 0.1) < TENTH_OF_A_MS


def test_what_is_not_the_sound_searched_for_is_refused() -> None:
    garbage = np.random.default_rng(5).normal(0, 0.1, 24_000).astype(np.float32)
    another = reference_sound(MediaSpec(frames=60, seed=2))
    elsewhere = reference_sound(MediaSpec(frames=60, first_counter=300))
    for sound in (np.zeros(24_000, np.float32), garbage, another, elsewhere):
        for piece in (sound, sound[:4800]):
            assert match_sound(piece, 48_000, SMALL, 0.5).quality < 0.2
            with pytest.raises(SoundNotRecognisedError):
                measure_audio_offset(piece, 48_000, SMALL, 0.5)


def test_lost_samples_show_in_the_trace() -> None:
    sound = reference_sound(SMALL)
    joined = np.concatenate([sound[:48_000], sound[48_000 + 96 :]])

    offsets = [match.start - at for at, match in trace_sound(joined, 48_000, SMALL, 0.0)]

    assert offsets == pytest.approx([0.0] * 4 + [0.002] * 3, abs=TENTH_OF_A_MS)


def test_recordings_that_follow_one_another_sound_on() -> None:
    whole = reference_sound(MediaSpec(frames=60))
    parts = [reference_sound(MediaSpec(frames=30, first_counter=first)) for first in (0, 30)]

    assert np.allclose(whole, np.concatenate(parts), atol=1e-6)


def test_equal_specs_share_one_file_and_others_do_not(tmp_path: Path) -> None:
    first = cached_media(MediaSpec(frames=5, muxer_options={"movflags": "+faststart"}), tmp_path)
    made = first.stat().st_mtime_ns
    second = cached_media(MediaSpec(frames=5, muxer_options=FASTSTART), tmp_path)

    assert first == second
    assert second.stat().st_mtime_ns == made
    assert cached_media(MediaSpec(frames=5), tmp_path) != first
    assert len(list(tmp_path.glob("*.mp4"))) == 2


def test_containers_have_the_requested_layout(make: Make) -> None:
    plain, fast, fragmented = (
        make(MediaSpec(frames=60, muxer_options=options)).read_bytes() for options in ({}, FASTSTART, FRAGMENTED)
    )
    assert plain.index(b"mdat") < plain.index(b"moov")
    assert fast.index(b"moov") < fast.index(b"mdat")
    assert fragmented.count(b"moof") > 1


def test_an_option_no_encoder_knows_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="libx264 does not know"):
        make_media(MediaSpec(frames=1, codec_options={"crv": "20"}), tmp_path / "x.mp4")


@pytest.mark.parametrize("codec", slow_except(["libx264", "libx265", "libsvtav1"], "libx264"))
@pytest.mark.parametrize(("first", "count"), [(35, 20), (20, 7), (39, 1)])
def test_only_what_the_edit_list_presents_is_presented(
    make: Make, tmp_path: Path, codec: str, first: int, count: int
) -> None:
    spec = MediaSpec(frames=60, gop=20, codec=codec)
    source, target = make(spec), tmp_path / "cut.mp4"
    copy_with_edit_list(source, target, spec, first, count)
    with av.open(str(target)) as container:
        stored = sum(bool(packet.size) for packet in container.demux(video=0))

    whole, cut = decode_presented(source), decode_presented(target)

    assert stored >= count
    assert list(range(first, first + count)) == cut.counters
    assert [n / spec.fps for n in range(count)] == cut.times
    assert [frame.md5 for frame in whole.frames[first : first + count]] == [f.md5 for f in cut.frames]
    assert cut.audio_start == 0
    if count > 5:
        assert abs(measure_audio_offset(cut.audio, 48_000, spec, first / 30 + 0.1) - first / 30) < TENTH_OF_A_MS
    assert decode_warnings(target) == []


def test_a_gap_in_the_sound_is_laid_out_as_silence_and_listed(make: Make) -> None:
    # Without edit lists FFmpeg's muxer writes the priming samples at 0 and the rest after the B-frames' delay.
    presented = decode_presented(make(MediaSpec(frames=60, muxer_options=FRAGMENTED)))

    assert presented.times[0] == Fraction(2, 30)
    [(at, gap)] = presented.audio_jumps
    assert (at, at + gap) == (Fraction(1024, 48_000), Fraction(2, 30))
    assert not presented.audio[1024:3200].any()
    assert abs(measure_audio_offset(presented.audio[4800:], 48_000, SMALL, 0.1) - 1 / 30) < TENTH_OF_A_MS


def test_damage_and_timestamps_that_go_back_are_complained_of(make: Make) -> None:
    good = make(SMALL).read_bytes()
    damaged = bytearray(good)
    middle = good.index(b"mdat") + 9000
    damaged[middle : middle + 400] = bytes(400)
    stream = make(MediaSpec(frames=60, suffix=".ts")).read_bytes()

    assert decode_warnings(good) == []
    assert decode_warnings(bytes(damaged))
    assert decode_warnings(good[: len(good) // 2])
    assert dts_faults(stream) == []
    assert any("after" in fault for fault in dts_faults(stream + stream))


def test_unreachable_footage_skips_a_test_and_fails_it_where_nothing_may_be_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(command: list[str]) -> None:
        raise real_footage.FootageUnavailable(f"{command[0]} has no network")

    monkeypatch.setenv("CUTBACK_TEST_CACHE", str(tmp_path))
    monkeypatch.setattr(real_footage, "_run", refuse)
    with pytest.raises(real_footage.FootageUnavailable, match=r"bikes: .* has no network"):
        real_footage.real_footage("bikes")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception):
        real_footage.require_footage("bikes")
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception):
        real_footage.require_footage("bikes")
