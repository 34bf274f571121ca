"""What comes with a clip: sprites, a preview and a waveform show what the clip shows, whatever its format."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence
from tests.media.cuts import BytesSource, ask
from tests.media.outputs import bench
from tests.media.recordings import ReferenceRecording
from tests.support.media import cached_media
from tests.support.picture import read_counter
from tests.support.spec import MediaSpec

from cutback.cutting.assembled import Assembled
from cutback.cutting.job import ClipPictures, CutJob, CutRange, JobOutput, Limits
from cutback.cutting.output_values import FORMATS, Gif, Hls, Mp3, Mp4, OutputValue, Wav, WebM
from cutback.cutting.outputs.clip_pictures import clip_pictures, preview_frames
from cutback.cutting.outputs.make import make_outputs
from cutback.domain.requests.outputs.known import output_of as model_of
from cutback.reading.output_values import outputs_of
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]
ALL = ("sprites", "preview", "waveform")
START, END = Fraction(31, 30), Fraction(241, 30)
LONG_GROUPS = MediaSpec(width=480, height=272, frames=300, gop=300)


@dataclass(frozen=True)
class Pictured:
    """A clip with its pictures."""

    made: ClipPictures
    sheet: bytes
    preview: bytes
    clip: bytes
    """The file of its first output."""


def pictured(
    path: Path, *values: OutputValue, ranges: Sequence[CutRange] = (), wanted: Sequence[str] = ALL
) -> Pictured:
    outputs = [JobOutput(f"output{number}", value) for number, value in enumerate(values)]
    with bench([path], ranges or ask((0, START, END)), outputs=outputs) as tools:
        made = make_outputs(tools.job, tools.sources, tools.spool, lambda _: None)
        if made.playable is None:
            return Pictured(ClipPictures(), b"", b"", b"")
        found = clip_pictures(made.playable, wanted, Limits(), tools.spool, lambda: None)
        sheet, preview = (
            tools.spool.read_at(each.offset, each.size) if each is not None else b""
            for each in (found.sheet, found.preview)
        )
        file = made.outputs[0].files[0]
        clip = Assembled(b"", file.extents, tools.sources, tools.spool).read_at(0, file.size)
        return Pictured(found, sheet, preview, clip)


def counter_of(image: Image.Image, spec: MediaSpec) -> int:
    full = image.convert("RGB").resize((spec.width, spec.height), Image.Resampling.BICUBIC)
    return read_counter(av.VideoFrame.from_ndarray(np.asarray(full), "rgb24").reformat(format="yuv420p"))


def counters_of_tiles(found: Pictured, spec: MediaSpec) -> list[int]:
    tiles = found.made.tiles
    assert tiles is not None
    sheet, width, height = Image.open(io.BytesIO(found.sheet)), tiles["width"], tiles["height"]
    areas = [((n % 10) * width, n // 10 * height) for n in range(len(tiles["tiles"]))]
    return [counter_of(sheet.crop((x, y, x + width, y + height)), spec) for x, y in areas]


@pytest.fixture(scope="module")
def long_groups(media_folder: Path) -> Path:
    """Ten seconds with a single keyframe."""
    return cached_media(LONG_GROUPS, media_folder)


@pytest.fixture(scope="module")
def short_groups(media_folder: Path) -> Path:
    """Ten seconds with a keyframe each second."""
    return cached_media(MediaSpec(width=480, height=272, frames=300, gop=30), media_folder)


@pytest.mark.parametrize(
    "value",
    [Mp4(), Mp4(fragmented=True), WebM(codec="vp9", quality="small"), Hls(())],
    ids=["mp4", "fragmented", "webm", "hls"],
)
def test_tiles_show_the_frames_that_they_say(short_groups: Path, value: OutputValue) -> None:
    found = pictured(short_groups, value, wanted=["sprites"])
    tiles = found.made.tiles
    assert tiles is not None
    said = tiles["tiles"]
    assert len(said) == (4 if isinstance(value, WebM) else 7), "its encoder makes a keyframe every two seconds"
    assert counters_of_tiles(found, LONG_GROUPS) == [31 + each["frame"] for each in said]
    assert [Fraction(each["at"]).limit_denominator(30) for each in said] == [
        Fraction(each["frame"], 30) for each in said
    ]
    assert abs(Fraction(tiles["end"]) - 7) < Fraction(1, 500)
    assert found.made.notes == ()
    assert (found.made.preview, found.made.waveform) == (None, None)


def test_where_keyframes_are_rare_each_second_is_decoded(long_groups: Path) -> None:
    found = pictured(long_groups, Mp4(), ranges=ask((0, Fraction(0), Fraction(10))), wanted=["sprites"])
    assert counters_of_tiles(found, LONG_GROUPS) == [30 * second for second in range(10)]


@pytest.mark.parametrize("groups", ["short_groups", "long_groups"])
def test_the_preview_shows_three_seconds_of_the_clip(groups: str, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(groups)
    found = pictured(path, Mp4(), ranges=ask((0, Fraction(0), Fraction(10))), wanted=["preview"])
    image = Image.open(io.BytesIO(found.preview))
    assert image.format == "WEBP"
    assert image.info["loop"] == 0
    assert image.size == (320, 181)
    frames = [frame.copy() for frame in ImageSequence.Iterator(image)]
    shown = [counter_of(frame, LONG_GROUPS) for frame in frames]
    middle, last = (120, 270) if groups == "short_groups" else (135, 270)
    step = [round(number * 30 / 8 - 0.499) for number in range(8)]
    assert shown == [first + each for first in (0, middle, last) for each in step]


def test_the_preview_of_a_short_clip_is_all_of_it(short_groups: Path) -> None:
    found = pictured(short_groups, Mp4(), ranges=ask((0, Fraction(2), Fraction(4))), wanted=["preview"])
    frames = [frame.copy() for frame in ImageSequence.Iterator(Image.open(io.BytesIO(found.preview)))]
    assert [counter_of(frame, LONG_GROUPS) for frame in frames] == [60 + number * 30 // 8 for number in range(16)]


def test_parts_of_the_preview_begin_at_keyframes_that_are_near() -> None:
    times = [Fraction(number, 10) for number in range(200)]
    chosen, length = preview_frames(times, [0, 80, 150], Fraction(20))
    assert length == 3
    begins = [times[chosen[number].frame] for number in (0, 8, 16)]
    assert begins == [0, 8, 19], "the keyframe at 15 is too far from 19"


def peaks_of(data: bytes, per_peak: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    with av.open(io.BytesIO(data), "r") as container:
        blocks = [frame.to_ndarray() for frame in container.decode(audio=0)]
    sound = np.concatenate([block.reshape(-1, 2).T if block.shape[0] == 1 else block for block in blocks], axis=1)
    if sound.dtype == np.int16:
        sound = sound / 32768
    count = -(-sound.shape[1] // per_peak)
    padded = np.zeros((2, count * per_peak))
    padded[:, : sound.shape[1]] = sound
    cut = padded.reshape(2, count, per_peak)
    return cut.min(axis=(0, 2)), cut.max(axis=(0, 2))


@pytest.mark.parametrize("value", [Wav(), Mp3()], ids=["wav", "mp3"])
def test_peaks_of_sound_alone_are_those_of_the_file(short_groups: Path, value: OutputValue) -> None:
    found = pictured(short_groups, value)
    assert (found.made.sheet, found.made.preview) == (None, None)
    peaks = found.made.waveform
    assert peaks is not None
    lows, highs = peaks_of(found.clip, 480)
    assert peaks["fine"]["seconds"] == [1, 100]
    told = np.array(peaks["fine"]["peaks"]).reshape(-1, 2) / 1000
    assert len(told) == len(lows) == 700
    assert np.abs(told[:, 0] - np.minimum(lows, 0)).max() <= 0.0011
    assert np.abs(told[:, 1] - np.maximum(highs, 0)).max() <= 0.0011


@pytest.mark.parametrize("value", [Mp4(), WebM(codec="vp9", quality="small"), Hls(())], ids=["mp4", "webm", "hls"])
def test_peaks_of_a_video_are_those_of_its_sound(short_groups: Path, value: OutputValue) -> None:
    told, alone = (pictured(short_groups, each, wanted=["waveform"]).made.waveform for each in (value, Wav()))
    assert told is not None
    assert alone is not None
    loose = 90 if isinstance(value, WebM) else 8  # Opus changes the sound
    assert 1400 <= len(told["fine"]["peaks"]) <= 1402
    differences = np.abs(np.array(told["fine"]["peaks"][:1400]) - np.array(alone["fine"]["peaks"]))
    assert np.quantile(differences, 0.95) <= loose
    assert max(told["coarse"]["peaks"]) > 300


def test_of_several_outputs_the_video_is_pictured(short_groups: Path) -> None:
    found = pictured(short_groups, Gif(64, 1, 0, None), Wav(), Mp4())
    assert found.made.sheet is not None
    assert found.made.waveform is not None


def test_a_picture_has_none(short_groups: Path) -> None:
    assert pictured(short_groups, Gif(64, 1, 0, None)).made == ClipPictures()


def test_a_clip_without_sound_has_no_waveform_and_no_note(media_folder: Path) -> None:
    silent = cached_media(MediaSpec(frames=60, audio=None), media_folder)
    found = pictured(silent, Mp4(), ranges=ask((0, Fraction(0), Fraction(2))))
    assert (found.made.waveform, found.made.notes) == (None, ())
    assert found.made.sheet is not None


def test_what_cannot_be_decoded_is_noted(short_groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise av.error.InvalidDataError(1, "damaged")

    monkeypatch.setattr("cutback.cutting.outputs.clip_pictures.write_webp", fails)
    found = pictured(short_groups, Mp4())
    assert found.made.notes == ("Its sprites or its preview could not be made.",)
    assert found.made.waveform is not None


@pytest.mark.parametrize("name", FORMATS)
def test_are_made_in_the_child(recording: Recordings, cutter: ChildCutter, name: str) -> None:
    source = BytesSource(recording("pyramid").path.read_bytes())
    outputs = outputs_of({"clip": model_of({"format": name})})
    wanted = ask((0, Fraction(1), Fraction(2)))
    job = CutJob((source.size,), wanted, outputs=outputs, pictures=("sprites", "preview", "waveform"))
    with cutter.render(job, [source], on_progress=lambda _: None, stopped=lambda: False) as rendition:
        assert rendition.posters() == ()
        made = rendition.pictures()
        assert made.notes == ()
        video, sound = name in {"mp4", "mov", "webm", "hls"}, name in {"m4a", "mp3", "wav", "opus", "flac"}
        assert (made.sheet is not None, made.preview is not None) == (video, video)
        assert (made.waveform is not None) == (video or sound)
        if made.preview is not None:
            assert Image.open(io.BytesIO(rendition.read_picture(made.preview))).size == (320, 180)
