"""Edits of the sound: what is heard, and that pictures stay copied."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest
from tests.media.cuts import BytesSource, CutResult, ask, cut_in_child, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.media.test_tracks import heard, two_languages
from tests.support.decode import decode_presented
from tests.support.made_once import made_once
from tests.support.sampling import slow_except

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.fade import Fade
from cutback.cutting.edit_values.sound import AudioTrack, Channels, Gain, Loudness, Mute, SoundFade
from cutback.cutting.edit_values.time import Speed
from cutback.cutting.edits.sound_stream import Sound
from cutback.cutting.edits.steps.loudness import measure
from cutback.cutting.job import CutJob
from cutback.cutting.preview import preview
from cutback.domain.errors import EditImpossibleError
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]

RANGES = ask((0, Fraction(1), Fraction(4)))


def edited(one: ReferenceRecording, *edits: Edit, ranges: object = RANGES) -> CutResult:
    return cut_ranges([one.path], ranges, edits=edits)  # type: ignore[arg-type]


def loudness_of(clip: bytes) -> tuple[float, float]:
    """The integrated loudness in LUFS and the true peak in dBTP, by FFmpeg's meter over the file."""
    graph = av.filter.Graph()
    last = None
    with av.open(io.BytesIO(clip), "r") as container:
        stream = container.streams.audio[0]
        source = graph.add_abuffer(template=stream)
        graph.link_nodes(source, graph.add("ebur128", metadata="1", peak="true"), graph.add("abuffersink")).configure()
        for frame in container.decode(stream):
            graph.push(frame)
            try:
                while True:
                    last = graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                pass
    assert last is not None
    found = dict(last.metadata)
    return float(found["lavfi.r128.I"]), 20 * math.log10(float(found["lavfi.r128.true_peak"]))


def rms(samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def test_mute_leaves_out_the_sound_and_copies_the_pictures(recording: Recordings) -> None:
    one = recording("pyramid")
    plain, muted = edited(one), edited(one, Mute())
    shown = decode_presented(muted.data)
    assert shown.audio_start is None
    assert [frame.counter for frame in shown.frames] == one.counters[30:120]
    assert (muted.facts.frames_copied, muted.facts.frames_encoded) == (
        plain.facts.frames_copied,
        plain.facts.frames_encoded,
    )
    assert muted.facts.edits == ("mute: without sound",)


@pytest.mark.parametrize("decibels", [Fraction(-12), Fraction("3.5")])
def test_gain_changes_the_level_by_its_decibels(recording: Recordings, decibels: Fraction) -> None:
    one = recording("pyramid")
    plain, louder = edited(one), edited(one, Gain(decibels))
    before, after = decode_presented(plain.data), decode_presented(louder.data)
    inner = slice(24_000, 120_000)
    assert 20 * math.log10(rms(after.audio[inner]) / rms(before.audio[inner])) == pytest.approx(
        float(decibels), abs=0.1
    )
    assert abs(len(after.audio) - len(before.audio)) <= 1024
    assert louder.facts.frames_copied == plain.facts.frames_copied > 0
    assert louder.facts.edits == (f"gain: {float(decibels):+g} dB",)


@pytest.mark.parametrize("end", slow_except(["4", "3.95", "3.47"], "3.47"))
def test_loudness_is_reached_within_half_a_unit(recording: Recordings, end: str) -> None:
    """However long the clip is: the meter measures whole tenths of a second."""
    wanted = ask((0, Fraction(1), Fraction(end)))
    clip = edited(recording("pyramid"), Loudness(Fraction(-27), Fraction(-1)), ranges=wanted)
    reached, peak = loudness_of(clip.data)
    assert reached == pytest.approx(-27, abs=0.5)
    assert peak <= -0.5
    assert clip.facts.edits[0].startswith("loudness: ")


@pytest.mark.parametrize("rate", [48_000, 44_100, 11_025])
def test_the_end_of_the_sound_has_peaks_too(rate: int) -> None:
    """The last three hundredths of a second, which are no whole tenth."""
    count = rate + rate // 20
    wave = 0.05 * np.sin(2 * np.pi * 440 * np.arange(count) / rate)
    wave[-rate // 30 :] *= 10

    def blocks() -> Iterator[av.AudioFrame]:
        for begin in range(0, count, 1024):
            part = wave[begin : begin + 1024].astype(np.float32).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(part, "fltp", "mono")
            frame.sample_rate = rate
            yield frame

    loudness, peak = measure(Sound(rate, "mono", Fraction(count, rate), blocks))
    assert peak == pytest.approx(20 * math.log10(0.5), abs=0.3)
    assert loudness == pytest.approx(-29.7, abs=0.3), "of a tone of -26 dBFS in one channel, at 440 Hz"


def test_loudness_stops_at_the_true_peak_and_says_what_was_reached(recording: Recordings) -> None:
    clip = edited(recording("pyramid"), Loudness(Fraction(-5), Fraction(-12)))
    reached, peak = loudness_of(clip.data)
    assert peak == pytest.approx(-12, abs=0.7)
    assert reached < -6
    assert "reached instead of -5" in clip.facts.edits[0]
    assert f"{reached:.0f}" in clip.facts.edits[0].replace(f"{reached:.1f}", f"{reached:.0f}")


def test_several_ranges_are_edited_as_one_sound(recording: Recordings) -> None:
    one = recording("pyramid")
    wanted = ask((0, Fraction(1), Fraction(2)), (0, Fraction(4), Fraction(5)))
    plain, quieter = edited(one, ranges=wanted), edited(one, Gain(Fraction(-6)), ranges=wanted)
    before, after = decode_presented(plain.data), decode_presented(quieter.data)
    assert abs(len(after.audio) - len(before.audio)) <= 1024
    assert rms(after.audio[8000:90_000]) / rms(before.audio[8000:90_000]) == pytest.approx(10 ** (-6 / 20), rel=0.03)


def test_a_clip_without_sound_takes_edits_of_sound(recording: Recordings) -> None:
    muted = edited(recording("pyramid"), Mute())
    again = cut_ranges([muted.data], ask((0, Fraction(0), Fraction(2))), edits=[Gain(Fraction(3))])
    assert decode_presented(again.data).audio_start is None
    assert again.facts.frames == 60
    assert again.facts.edits == ("gain: the clip has no sound",)
    source = BytesSource(muted.data)
    plan = preview(
        CutJob((source.size,), RANGES, edits=(Fade(Fraction(1), Fraction(0), "black"), Gain(Fraction(3)))), [source]
    )
    assert plan["notes"] == ["gain: the clip has no sound"]


def test_edits_reach_the_child_process(recording: Recordings, cutter: ChildCutter) -> None:
    one = recording("pyramid")
    clip = cut_in_child(cutter, [one.path], (0, Fraction(1), Fraction(4)), edits=[Gain(Fraction(-12))])
    assert clip.facts.edits == ("gain: -12 dB",)
    assert rms(decode_presented(clip.data).audio) < rms(decode_presented(edited(one).data).audio) / 3


def test_loudness_is_measured_in_the_confined_child(recording: Recordings, cutter: ChildCutter) -> None:
    wanted = Loudness(Fraction(-27), Fraction(-1))
    clip = cut_in_child(cutter, [recording("pyramid").path], (0, Fraction(1), Fraction(4)), edits=[wanted])
    assert loudness_of(clip.data)[0] == pytest.approx(-27, abs=0.5)


def test_the_plan_says_what_happens_to_the_sound(recording: Recordings) -> None:
    source = BytesSource(recording("pyramid").path.read_bytes())
    planned = {
        edit: preview(CutJob((source.size,), RANGES, edits=(edit,)), [source])["parts"][0]["sound"][0]
        for edit in (Mute(), Gain(Fraction(1)))
    }
    assert [(sound["action"], sound["reason"]) for sound in planned.values()] == [
        ("drop", "muted"),
        ("encode", "edited; becomes AAC"),
    ]


# --- tracks and channels ---------------------------------------------------------------------------


def test_a_track_is_chosen_by_number_or_language_and_stays_copied(media_folder: Path) -> None:
    path = two_languages(media_folder, ".mp4")
    both = cut_ranges([path], RANGES)
    for edit, number in ((AudioTrack(2, None), 1), (AudioTrack(None, "fra"), 1), (AudioTrack(None, "deu"), 0)):
        clip = cut_ranges([path], RANGES, edits=[edit])
        with av.open(io.BytesIO(clip.data), "r") as container:
            assert len(container.streams.audio) == 1
        assert (heard(clip.data, 0)[1] == heard(both.data, number)[1]).all(), "not encoded again"
        assert clip.facts.frames_copied == both.facts.frames_copied


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (AudioTrack(3, None), "there is no track 3; the recording has 2: deu, fra"),
        (AudioTrack(None, "eng"), "there is no track in 'eng'; the recording has 2: deu, fra"),
    ],
)
def test_a_track_that_is_not_there_is_named_with_those_that_are(
    media_folder: Path, edit: AudioTrack, said: str
) -> None:
    source = BytesSource(two_languages(media_folder, ".mp4").read_bytes())
    with pytest.raises(EditImpossibleError, match=said):
        preview(CutJob((source.size,), RANGES, edits=(edit,)), [source])
    with pytest.raises(EditImpossibleError, match=said):
        cut_ranges([source.data], RANGES, edits=[edit])


def test_a_language_is_found_in_each_part_among_its_own_tracks(media_folder: Path) -> None:
    several, one = two_languages(media_folder, ".mp4"), only_french(media_folder)
    ranges = ask((0, Fraction(0), Fraction(1)), (1, Fraction(0), Fraction(1)))
    clip = cut_ranges([several, one], ranges, edits=[AudioTrack(None, "fra")])
    found = heard(clip.data, 0)[1].reshape(-1)
    for path, start in ((several, 0), (one, 48_000)):
        alone = cut_ranges([path], ask((0, Fraction(0), Fraction(1))), edits=[AudioTrack(None, "fra")])
        known = heard(alone.data, 0)[1].reshape(-1)[4_000:40_000]
        assert max(np.corrcoef(known, found[at : at + len(known)])[0, 1] for at in range(start, start + 8_000, 8)) > 0.9


def test_a_part_without_the_language_is_named(media_folder: Path) -> None:
    several, one = two_languages(media_folder, ".mp4"), only_french(media_folder)
    ranges = ask((0, Fraction(0), Fraction(1)), (1, Fraction(0), Fraction(1)))
    with pytest.raises(EditImpossibleError, match="no track in 'deu'; part 2 of the source has 1: fra"):
        cut_ranges([several, one], ranges, edits=[AudioTrack(None, "deu")])


def only_french(folder: Path) -> Path:
    """The second track of the recording with two languages, alone."""
    clip = cut_ranges([two_languages(folder, ".mp4")], RANGES, edits=[AudioTrack(None, "fra")])
    path = folder / "only-french.mp4"
    path.write_bytes(clip.data)
    return path


def two_tones(folder: Path) -> Path:
    """Four seconds of sound: 440 Hz on the left, 880 Hz on the right, at half of full scale."""

    def make(path: Path) -> None:
        times = np.arange(4 * 48_000) / 48_000
        tones = np.stack([0.5 * np.sin(2 * np.pi * tone * times) for tone in (440, 880)]).astype(np.float32)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("aac", 48_000, bit_rate=192_000, layout="stereo")
            for at in range(0, tones.shape[1], 1024):
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(tones[:, at : at + 1024]), "fltp", "stereo")
                frame.sample_rate, frame.pts, frame.time_base = 48_000, at, Fraction(1, 48_000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))

    return made_once(folder / "two-tones.m4a", make)


def tones_of(clip: bytes) -> list[dict[int, float]]:
    """How strong 440 and 880 Hz are in each channel; 1 is a tone of full scale."""
    with av.open(io.BytesIO(clip), "r") as container:
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    second = sound[:, 48_000:96_000]
    times = np.arange(48_000) / 48_000
    return [
        {tone: abs(2 * np.mean(channel * np.exp(-2j * np.pi * tone * times))) for tone in (440, 880)}
        for channel in second
    ]


@pytest.mark.parametrize(
    ("to", "take", "expected"),
    [
        ("mono", None, [(0.25, 0.25)]),
        ("mono", "left", [(0.5, 0)]),
        ("mono", "right", [(0, 0.5)]),
        ("stereo", "left", [(0.5, 0), (0.5, 0)]),
        ("stereo", "right", [(0, 0.5), (0, 0.5)]),
    ],
)
def test_channels_are_mixed_or_one_of_them_is_taken(
    media_folder: Path,
    to: Literal["mono", "stereo"],
    take: Literal["left", "right"] | None,
    expected: list[tuple[float, float]],
) -> None:
    clip = cut_ranges([two_tones(media_folder)], RANGES, edits=[Channels(to, take)])
    found = tones_of(clip.data)
    assert [(tones[440], tones[880]) for tones in found] == [pytest.approx(each, abs=0.02) for each in expected]
    assert clip.facts.edits[0].startswith(f"channels: {to}")


def test_a_plan_refuses_a_track_that_is_not_there_if_the_clip_is_silent_too(media_folder: Path) -> None:
    source = BytesSource(two_tones(media_folder).read_bytes())
    edits = (Speed(Fraction(1, 3), (), "drop"), AudioTrack(2, None))
    with pytest.raises(EditImpossibleError, match="there is no track 2"):
        preview(CutJob((source.size,), RANGES, edits=edits), [source])
    with pytest.raises(EditImpossibleError, match="there is no track 2"):
        cut_ranges([source], RANGES, edits=edits)


def test_one_channel_becomes_two_that_are_as_loud(media_folder: Path) -> None:
    mono = cut_ranges([two_tones(media_folder)], RANGES, edits=[Channels("mono", "left")]).data
    wanted = ask((0, Fraction(0), Fraction(3)))
    both = cut_ranges([mono], wanted, edits=[Channels("stereo", None)]).data
    assert [tones[440] for tones in tones_of(both)] == [pytest.approx(0.5, abs=0.02)] * 2
    with pytest.raises(EditImpossibleError, match="channels: take needs stereo sound; this has one channel"):
        cut_ranges([mono], wanted, edits=[Channels("mono", "left")])
    source = BytesSource(mono)
    job = CutJob((source.size,), wanted, edits=(Channels("mono", "left"),))
    with pytest.raises(EditImpossibleError, match="channels: take needs stereo sound; this has one channel"):
        preview(job, [source])


def test_sound_that_has_the_channels_already_is_copied_and_the_plan_and_the_record_say_so(
    media_folder: Path, tone: Path
) -> None:
    cases: list[tuple[Path, Literal["mono", "stereo"], Literal["mono", "stereo"]]] = [
        (two_tones(media_folder), "stereo", "mono"),
        (tone, "mono", "stereo"),
    ]
    for path, to, wrong in cases:
        for output in (RANGES, (*RANGES, *RANGES)):  # one range, and two that are joined
            plain = cut_ranges([path], output)
            same = cut_ranges([path], output, edits=[Channels(to, None)])
            assert same.data == plain.data
            assert same.facts.edits == (f"channels: nothing to do, because the sound is {to}",)
            assert cut_ranges([path], output, edits=[Channels(wrong, None)]).facts.edits == (f"channels: {wrong}",)
            source = BytesSource(path.read_bytes())
            jobs = [CutJob((source.size,), output, edits=edits) for edits in ((), (Channels(to, None),))]
            before, planned = (preview(job, [source]) for job in jobs)
            assert planned == {**before, "notes": list(same.facts.edits)}


def test_channels_are_changed_if_one_of_the_ranges_has_others(media_folder: Path, tone: Path) -> None:
    both = (*RANGES, *ask((1, Fraction(1), Fraction(2))))
    joined = cut_ranges([two_tones(media_folder), tone], both, edits=[Channels("stereo", None)])
    assert joined.facts.edits == ("channels: stereo",)
    with av.open(io.BytesIO(joined.data), "r") as container:
        assert container.streams.audio[0].layout.name == "stereo"


def test_channels_and_speed_and_loudness_work_on_one_sound(media_folder: Path) -> None:
    edits: list[Edit] = [Speed(Fraction(2), (), None), Channels("mono", None), Loudness(Fraction(-23), Fraction(-1))]
    clip = cut_ranges([two_tones(media_folder)], RANGES, edits=edits)
    assert loudness_of(clip.data)[0] == pytest.approx(-23, abs=0.5)
    assert clip.facts.duration == Fraction(3, 2)
    with av.open(io.BytesIO(clip.data), "r") as container:
        assert container.streams.audio[0].layout.name == "mono"


def test_the_sound_alone_fades(recording: Recordings) -> None:
    one = recording("pyramid")
    plain, faded = edited(one), edited(one, SoundFade(Fraction(1), Fraction(1, 2)))
    before, after = decode_presented(plain.data), decode_presented(faded.data)
    assert [frame.counter for frame in after.frames] == [frame.counter for frame in before.frames]
    assert faded.facts.frames_encoded == plain.facts.frames_encoded
    for at, level in ((0.25, 0.25), (0.75, 0.75), (2.0, 1.0), (2.75, 0.5)):
        part = slice(round((at - 0.05) * 48_000), round((at + 0.05) * 48_000))
        assert rms(after.audio[part]) / rms(before.audio[part]) == pytest.approx(level, abs=0.06)
    assert faded.facts.edits == ("sound_fade: in in 1 s, out in 0.5 s",)


def test_sound_cannot_fade_for_longer_than_the_clip(recording: Recordings) -> None:
    with pytest.raises(EditImpossibleError, match=r"sound_fade: 4 s are more than the clip has: 3 s"):
        edited(recording("pyramid"), SoundFade(Fraction(2), Fraction(2)))
