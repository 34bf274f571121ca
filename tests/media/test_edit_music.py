"""Tracks from the assets in the sound of clips: levels, seams, ducking, lengths."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.media.cuts import BytesSource, CutResult, ask, cut_in_child, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.media.test_edit_sound import loudness_of
from tests.support.decode import decode_presented

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.sound import Channels, Gain, Loudness, Music
from cutback.cutting.edit_values.time import Speed, Timelapse
from cutback.cutting.edits.steps.music import ATTACK, HOLD, RELEASE
from cutback.cutting.job import CutJob
from cutback.cutting.preview import preview
from cutback.domain.errors import EditImpossibleError
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]
Samples = NDArray[np.float32]

RATE = 48_000
MUSIC = Music(
    asset="song", mode="mix", db=Fraction(0), start=Fraction(0), loop=True, fade_in=Fraction(0), fade_out=Fraction(0),
    duck=Fraction(0), duck_above=Fraction(-40),
)  # fmt: skip


def tone(hertz: float, seconds: float, level: float = 0.25) -> Samples:
    times = np.arange(round(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def saved(samples: Samples, container: str = "wav", codec: str = "pcm_s16le", layout: str = "stereo") -> bytes:
    """A file with this sound, on all channels."""
    stream = io.BytesIO()
    with av.open(stream, "w", format=container) as made:
        track = made.add_stream(codec, RATE, layout=layout)
        assert isinstance(track, av.AudioStream)
        both = np.stack([samples] * track.layout.nb_channels)
        for at in range(0, len(samples), 1024):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(both[:, at : at + 1024]), "fltp", layout)
            frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
            made.mux(track.encode(frame))
        made.mux(track.encode(None))
    return stream.getvalue()


SONG = saved(tone(1000, 10))


def edited(
    recording: object, *edits: Edit, seconds: float = 3, assets: Mapping[str, bytes] | None = None, **options: Any
) -> CutResult:
    wanted = ask((0, Fraction(0), Fraction(seconds)))
    return cut_ranges([recording], wanted, edits=edits, assets=assets or {"song": SONG}, **options)  # type: ignore[list-item]


def heard(clip: CutResult) -> NDArray[np.float64]:
    """The clip's sound, as players present it."""
    samples = decode_presented(clip.data).audio.astype(np.float64)
    whole = round(clip.facts.duration * RATE)
    assert whole <= len(samples) < whole + 1024, "the last packet is cut by the edit list"
    return samples[:whole]


def strength(samples: NDArray[np.float64], hertz: float, start: float, seconds: float = 0.2) -> float:
    """How strong a tone is in a part; 1 is full scale."""
    part = samples[round(start * RATE) : round((start + seconds) * RATE)]
    times = np.arange(len(part)) / RATE
    return float(abs(2 * np.mean(part * np.hanning(len(part)) * 2 * np.exp(-2j * np.pi * hertz * times))))


def quiet_then(level: float, *, silent: tuple[float, float], seconds: float = 6) -> bytes:
    """A recording of sound alone: a tone of 400 Hz, with a part without it."""
    samples = tone(400, seconds, level)
    samples[round(silent[0] * RATE) : round(silent[1] * RATE)] = 0
    return saved(samples, "mp4", "aac")


@pytest.mark.parametrize("db", [0, -12])
def test_a_track_is_mixed_in_with_its_level(recording: Recordings, db: int) -> None:
    one = recording("pyramid")
    plain, clip = edited(one.path), edited(one.path, replace(MUSIC, db=Fraction(db)))
    before, after = heard(plain), heard(clip)
    assert strength(before, 1000, 1, 1) < 0.01
    assert strength(after, 1000, 1, 1) == pytest.approx(0.25 * 10 ** (db / 20), rel=0.08)
    rest = after[RATE : 2 * RATE] - before[RATE : 2 * RATE]
    assert np.std(rest) == pytest.approx(0.25 * 10 ** (db / 20) / math.sqrt(2), rel=0.1), "nothing else changes"
    shown = decode_presented(clip.data)
    assert [frame.counter for frame in shown.frames] == one.counters[:90]
    assert clip.facts.frames_copied == plain.facts.frames_copied > 0
    assert clip.facts.edits[0].startswith("music: song, mixed in")


def test_a_track_replaces_the_sound(recording: Recordings) -> None:
    one = recording("pyramid")
    clip = edited(one.path, replace(MUSIC, mode="replace"))
    found = heard(clip)
    assert strength(found, 1000, 1, 1) == pytest.approx(0.25, rel=0.05)
    times = np.arange(RATE) / RATE
    waves = np.stack([np.sin(2 * np.pi * 1000 * times), np.cos(2 * np.pi * 1000 * times)])
    part = found[RATE : 2 * RATE]
    rest = part - 2 * (waves @ part / RATE) @ waves
    assert np.std(rest) < 0.005, "nothing is heard of the recording"
    assert clip.facts.frames_copied > 0


def test_a_track_that_replaces_stereo_sound_gets_the_channels_of_the_edit(recording: Recordings) -> None:
    stereo = saved(tone(400, 4), "mp4", "aac")
    edit, mono = Channels("stereo", None), saved(tone(1000, 4), "mp3", "libmp3lame", "mono")
    clip = edited(stereo, replace(MUSIC, mode="replace"), edit, assets={"song": mono})
    with av.open(io.BytesIO(clip.data), "r") as container:
        assert container.streams.audio[0].layout.name == "stereo"
    assert "channels: stereo" in clip.facts.edits


@pytest.mark.parametrize("kind", [("mp4", "aac"), ("mp3", "libmp3lame"), ("flac", "flac"), ("ogg", "libopus")])
def test_every_kind_of_file_is_played_from_its_first_sample(recording: Recordings, kind: tuple[str, str]) -> None:
    samples = tone(1000, 2)
    samples[: RATE // 2] = 0
    clip = edited(recording("pyramid").path, replace(MUSIC, mode="replace"), assets={"song": saved(samples, *kind)})
    found = heard(clip)
    begins = int(np.argmax(np.abs(found) > 0.1)) / RATE
    assert begins == pytest.approx(0.5, abs=0.005)
    again = int(np.argmax(np.abs(found[round(2.1 * RATE) :]) > 0.1)) / RATE + 2.1
    assert again == pytest.approx(2.5, abs=0.05), "it is repeated"


def test_a_track_begins_where_the_edit_says_and_ends_without_loop(recording: Recordings) -> None:
    samples = np.concatenate([tone(500, 1), tone(1000, 1)])
    edit = replace(MUSIC, mode="replace", start=Fraction("0.5"), loop=False)
    clip = edited(recording("pyramid").path, edit, assets={"song": saved(samples)})
    found = heard(clip)
    assert strength(found, 500, 0.1) == pytest.approx(0.25, rel=0.05)
    assert strength(found, 1000, 0.1) < 0.01
    assert strength(found, 1000, 0.8) == pytest.approx(0.25, rel=0.05)
    assert np.abs(found[round(1.55 * RATE) :]).max() < 0.01


def test_a_repeated_track_has_no_click_at_its_seam(recording: Recordings) -> None:
    """A tone that ends at its peak: put after each other, it would jump by a quarter of full scale."""
    samples = tone(100, 0.7525)
    clip = edited(recording("pyramid").path, replace(MUSIC, mode="replace"), assets={"song": saved(samples)})
    found = heard(clip)
    jumps = np.abs(np.diff(found[RATE // 10 : -RATE // 10]))
    steepest = 0.25 * 2 * np.pi * 100 / RATE
    assert jumps.max() < 4 * steepest, "5 ms from full to silent are steeper than the tone, but no click"
    for at in (0.2, 1.0, 1.8, 2.6):
        assert strength(found, 100, at) == pytest.approx(0.25, rel=0.05)


def test_a_track_fades_in_and_out_with_the_clip(recording: Recordings) -> None:
    edit = replace(MUSIC, mode="replace", fade_in=Fraction(1), fade_out=Fraction(1))
    found = heard(edited(recording("pyramid").path, edit))
    levels = [strength(found, 1000, at - 0.05, 0.1) / 0.25 for at in (0.25, 0.75, 1.5, 2.25, 2.75)]
    assert levels == pytest.approx([0.25, 0.75, 1, 0.75, 0.25], abs=0.06)
    with pytest.raises(EditImpossibleError, match=r"music: fades of 4 s are longer than the clip: 3 s"):
        edited(recording("pyramid").path, replace(edit, fade_in=Fraction(3)))


def test_a_track_is_ducked_by_its_decibels_and_no_more() -> None:
    source = quiet_then(0.5, silent=(2, 5))
    edit = replace(MUSIC, duck=Fraction(12))
    found = heard(edited(source, edit, seconds=6))
    ducked = 0.25 * 10 ** (-12 / 20)
    for at, level in ((0.5, ducked), (1.5, ducked), (2.2, ducked), (4.0, 0.25), (5.5, ducked)):
        assert strength(found, 1000, at) == pytest.approx(level, rel=0.06), at
    attack, hold, release = map(float, (ATTACK, HOLD, RELEASE))
    half = 2 + hold + release / 2
    assert strength(found, 1000, half - 0.05, 0.1) == pytest.approx(0.25 * 10 ** (-6 / 20), rel=0.1)
    assert strength(found, 1000, 5 + attack / 2 - 0.02, 0.04) == pytest.approx(0.25 * 10 ** (-6 / 20), rel=0.15)


def test_sound_that_is_too_quiet_does_not_duck() -> None:
    source = quiet_then(0.02, silent=(2, 3))
    loud, quiet = (
        heard(edited(source, replace(MUSIC, duck=Fraction(20), duck_above=Fraction(above)), seconds=4))
        for above in (-45, -30)
    )
    assert strength(loud, 1000, 1) == pytest.approx(0.025, rel=0.1)
    assert strength(quiet, 1000, 1) == pytest.approx(0.25, rel=0.05)


def test_loudness_after_it_measures_the_sum(recording: Recordings) -> None:
    clip = edited(recording("pyramid").path, MUSIC, Loudness(Fraction(-24), Fraction(-1)))
    assert loudness_of(clip.data)[0] == pytest.approx(-24, abs=0.5)
    before = edited(recording("pyramid").path, Gain(Fraction(-60)), MUSIC)
    assert strength(heard(before), 1000, 1) == pytest.approx(0.25, rel=0.05), "done in their order"


@pytest.mark.parametrize("edits", [[], [Speed(Fraction(1, 2), (), "drop")], [Timelapse(Fraction(3), Fraction(10))]])
def test_a_clip_without_sound_gets_the_track(recording: Recordings, edits: Sequence[Edit]) -> None:
    muted = edited(recording("pyramid").path, *([] if edits else [Timelapse(Fraction(3), Fraction(30))]))
    source = recording("pyramid").path if edits else muted.data
    clip = edited(source, *edits, MUSIC)
    found = heard(clip)
    assert strength(found, 1000, float(clip.facts.duration) - 0.5) == pytest.approx(0.25, rel=0.05)
    if not edits:
        assert clip.facts.frames_copied > 0


def test_a_track_stays_at_its_speed_when_the_clip_does_not(recording: Recordings) -> None:
    clip = edited(recording("pyramid").path, Speed(Fraction(2), (), None), MUSIC)
    assert clip.facts.duration == Fraction(3, 2)
    assert strength(heard(clip), 1000, 0.5) == pytest.approx(0.25, rel=0.1)


@pytest.mark.parametrize(
    ("data", "edit", "said"),
    [
        (b"", MUSIC, "song cannot be used. It is empty"),
        (b"not sound at all", MUSIC, "song cannot be used. It is not a video"),
        (SONG[:40], MUSIC, "song cannot be used"),
        (saved(tone(1000, 0.01)), MUSIC, r"music: song is too short to be repeated: 0\.01 s"),
        (SONG, replace(MUSIC, start=Fraction(20)), "music: song has no sound at 20 s, where it should begin"),
    ],
    ids=["empty", "text", "header", "short", "beyond"],
)
def test_a_file_that_cannot_be_played_is_named(recording: Recordings, data: bytes, edit: Music, said: str) -> None:
    with pytest.raises(EditImpossibleError, match=said):
        edited(recording("pyramid").path, edit, assets={"song": data})


def test_a_recording_without_sound_is_no_track(recording: Recordings) -> None:
    silent = edited(recording("pyramid").path, Timelapse(Fraction(1), Fraction(10))).data
    job = CutJob((len(silent),) * 2, ask((0, Fraction(0), Fraction(1))), edits=(MUSIC,), assets={"song": 1})
    with pytest.raises(EditImpossibleError, match=r"song cannot be used\. It has no sound"):
        preview(job, [BytesSource(silent)] * 2)


def test_the_confined_child_plays_every_kind_of_file(recording: Recordings, cutter: ChildCutter) -> None:
    for kind in (("wav", "pcm_s16le"), ("mp3", "libmp3lame"), ("flac", "flac"), ("ogg", "libopus"), ("mp4", "aac")):
        clip = cut_in_child(
            cutter,
            [recording("pyramid").path],
            (0, Fraction(0), Fraction(1)),
            edits=[replace(MUSIC, mode="replace")],
            assets={"song": saved(tone(1000, 2), *kind)},
        )
        assert strength(heard(clip), 1000, 0.5) == pytest.approx(0.25, rel=0.1)


def test_the_plan_says_that_the_sound_is_replaced(recording: Recordings) -> None:
    sources = [BytesSource(recording("pyramid").path.read_bytes()), BytesSource(SONG)]
    job = CutJob(
        tuple(source.size for source in sources),
        ask((0, Fraction(0), Fraction(1))),
        edits=(replace(MUSIC, mode="replace"),),
        assets={"song": 1},
    )
    [sound] = preview(job, sources)["parts"][0]["sound"]
    assert (sound["action"], sound["reason"]) == ("drop", "replaced by a track from the assets")
