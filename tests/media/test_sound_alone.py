"""Sound alone: the samples of the clip, all of them and no others, in each kind of file."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.media.cuts import ask
from tests.media.outputs import OutputMade, make, make_output
from tests.media.recordings import ReferenceRecording
from tests.support.media import match_sound

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.sound import Gain, Mute
from cutback.cutting.edit_values.time import Speed
from cutback.cutting.job import JobOutput
from cutback.cutting.output_values import FORMATS
from cutback.domain.errors import OutputImpossibleError

Recordings = Callable[[str], ReferenceRecording]

KINDS = ("m4a", "mp3", "wav", "opus", "flac")
START, END = Fraction(31, 30), Fraction(121, 30)
"""Beginnings of frames."""


def alone(one: ReferenceRecording, kind: str, *edits: Edit, start: Fraction = START) -> OutputMade:
    """The sound of three seconds."""
    return make_output([one.path], ask((0, start, END)), FORMATS[kind](), edits=edits)  # type: ignore[call-arg]


def heard(data: bytes) -> tuple[NDArray[np.float32], int]:
    """What a player hears, mono, and Hz."""
    with av.open(io.BytesIO(data), "r") as container:
        [stream] = container.streams
        assert stream.type == "audio"
        resampler = av.AudioResampler("fltp", "mono", container.streams.audio[0].rate)
        frames = [each for frame in container.decode(stream) for each in resampler.resample(frame)]  # type: ignore[arg-type]
        frames += resampler.resample(None)
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]), container.streams.audio[0].rate


@pytest.mark.parametrize("kind", KINDS)
def test_has_exactly_the_sound_of_the_clip(recording: Recordings, kind: str) -> None:
    one = recording("pyramid")
    made = alone(one, kind)
    samples, rate = heard(made.data)
    wanted = round((END - START) * rate)
    # FFmpeg 8 cuts the last packet of an MP4 only where its fragments say so; players do it by the edit list.
    assert 0 <= len(samples) - wanted < (1024 if kind == "m4a" else 1)
    match = match_sound(samples, rate, one.spec, float(START) + one.reference_at_zero)
    assert match.start == pytest.approx(float(START) + one.reference_at_zero, abs=0.5 / rate)
    assert match.quality > 0.95
    assert made.facts.duration == END - START
    assert made.facts.frames == 0
    assert list(made.files) == [f"clip.{kind}"]


def test_copies_aac(recording: Recordings) -> None:
    """Its packets are those of the recording."""
    one = recording("pyramid")
    with av.open(str(one.path)) as whole, av.open(io.BytesIO(alone(one, "m4a").data), "r") as part:
        source = {bytes(packet) for packet in whole.demux(audio=0) if packet.size}
        copied = [bytes(packet) for packet in part.demux(audio=0) if packet.size]
        assert part.format.name.startswith("mov")
    assert copied
    assert source.issuperset(copied)


@pytest.mark.parametrize("name", ["opus", "ac3", "mp3"])
def test_an_m4a_holds_aac_whatever_was_recorded(recording: Recordings, name: str) -> None:
    with av.open(io.BytesIO(alone(recording(name), "m4a").data), "r") as container:
        assert [stream.codec_context.codec.canonical_name for stream in container.streams] == ["aac"]


@pytest.mark.parametrize("kind", KINDS)
def test_has_the_title_of_the_request(recording: Recordings, kind: str) -> None:
    output = JobOutput("clip", FORMATS[kind]())  # type: ignore[call-arg]
    made = make([recording("pyramid").path], ask((0, START, START + 1)), output, title="Wave 波")["clip"]
    with av.open(io.BytesIO(made.data), "r") as container:
        told = {
            name.lower(): text for name, text in (*container.metadata.items(), *container.streams[0].metadata.items())
        }
    assert told["title"] == "Wave 波"


@pytest.mark.parametrize("kind", KINDS)
def test_has_gone_through_the_edits(recording: Recordings, kind: str) -> None:
    one = recording("pyramid")
    plain, quieter = heard(alone(one, "wav").data)[0], heard(alone(one, kind, Gain(Fraction(-12))).data)[0]
    inner = slice(20_000, 100_000)
    difference = 20 * math.log10(np.std(quieter[inner]) / np.std(plain[inner]))
    assert difference == pytest.approx(-12, abs=0.3)


@pytest.mark.parametrize("kind", ["m4a", "wav"])
def test_follows_the_speed(recording: Recordings, kind: str) -> None:
    made = alone(recording("pyramid"), kind, Speed(Fraction(2), (), "pitch"))
    samples, rate = heard(made.data)
    assert made.facts.duration == (END - START) / 2
    assert 0 <= len(samples) - round(made.facts.duration * rate) < (1024 if kind == "m4a" else 1)


@pytest.mark.parametrize("kind", ["m4a", "mp3"])
def test_a_clip_without_sound_fails_by_name(recording: Recordings, kind: str) -> None:
    with pytest.raises(OutputImpossibleError, match="no sound"):
        alone(recording("field-pictures"), kind)
    with pytest.raises(OutputImpossibleError, match="no sound"):
        alone(recording("pyramid"), kind, Mute())
