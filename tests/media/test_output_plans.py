"""Plans of outputs: what they tell is what is then made."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import av
import pytest
from tests.media.cuts import ask
from tests.media.outputs import bench, make
from tests.media.recordings import ReferenceRecording
from tests.support.sampling import slow_except

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.scale import Scale
from cutback.cutting.edit_values.sound import Mute
from cutback.cutting.edit_values.time import Reverse
from cutback.cutting.job import JobOutput
from cutback.cutting.output_values import (
    Flac,
    Gif,
    Hls,
    JpegStill,
    M4a,
    Mov,
    Mp3,
    Mp4,
    Opus,
    OutputValue,
    PngStill,
    Wav,
    WebM,
    Webp,
)
from cutback.cutting.outputs.make import make_outputs
from cutback.cutting.outputs.plan import plan_outputs
from cutback.cutting.spool import Spool
from cutback.domain.errors import EditImpossibleError, OutputImpossibleError

Recordings = Callable[[str], ReferenceRecording]

PART = ask((0, Fraction("0.5"), Fraction(5)))

VALUES: dict[str, OutputValue] = {
    "mp4": Mp4(),
    "mp4 good": Mp4(quality="good"),
    "mp4 hevc": Mp4(codec="hevc", crf=30),
    "mp4 av1": Mp4(codec="av1"),
    "mp4 bitrate": Mp4(bitrate=200_000),
    "mp4 max_size": Mp4(max_size=150_000),
    "mp4 roomy max_size": Mp4(max_size=5_000_000),
    "mov": Mov(),
    "webm": WebM(codec="vp9"),
    "m4a": M4a(),
    "mp3": Mp3(),
    "wav": Wav(),
    "opus": Opus(),
    "flac": Flac(),
    "jpeg": JpegStill(Fraction(1), None),
    "png": PngStill(Fraction(1), 100),
    "gif": Gif(160, 12, 0, None),
    "gif max_size": Gif(160, 12, 0, 150_000),
    "webp": Webp(160, 12, 0, None, None),
    "webp still": Webp(None, 12, 0, None, Fraction(2)),
    "hls": Hls(()),
    "hls qualities": Hls((720, 64)),
}


def planned(one: ReferenceRecording, *values: OutputValue, edits: Sequence[Edit] = ()) -> Mapping[str, Any]:
    outputs = [JobOutput(f"n{number}", value) for number, value in enumerate(values)]
    with bench([one.path], PART, outputs=outputs, edits=edits) as with_it:
        report = plan_outputs(with_it.job, with_it.sources, with_it.spool)
        assert with_it.spool.size == 0, "a plan writes nothing"
        return report


def check(one: ReferenceRecording, value: OutputValue, edits: Sequence[Edit] = ()) -> None:
    report = planned(one, value, edits=edits)
    [told] = report["outputs"]
    facts = make([one.path], PART, JobOutput("n0", value), edits=edits)["n0"].facts
    if isinstance(value, Gif) and value.max_size is not None:  # how many are left out depends on what they look like
        assert told["frames_encoded"] >= facts.frames_encoded
        assert facts.size <= told["size"] <= value.max_size
    else:
        assert (told["frames_copied"], told["frames_encoded"]) == (facts.frames_copied, facts.frames_encoded)
        assert 0.75 < told["size"] / facts.size < 1.33
    assert Fraction(report["clip_duration"]) == facts.duration
    assert report["bytes"]["clip"] == told["size"]


@pytest.mark.parametrize("name", slow_except(VALUES, "mp4", "mp4 good", "m4a", "wav", "jpeg", "hls"))
def test_a_plan_tells_the_size_and_the_frames_of_the_output(name: str, recording: Recordings) -> None:
    check(recording("pyramid"), VALUES[name])


@pytest.mark.soak
@pytest.mark.parametrize("name", ["mp4", "gif", "hls qualities"])
@pytest.mark.parametrize(
    "edit", [Scale(64, 48, "fit", enlarge=False), Reverse(), Mute()], ids=["scale", "reverse", "mute"]
)
def test_edits_count(name: str, edit: Edit, recording: Recordings) -> None:
    check(recording("pyramid"), VALUES[name], [edit])


@pytest.mark.parametrize(
    ("recorded", "value", "reason"),
    [
        ("pyramid", Mp4(codec="av1"), "becomes av1"),
        ("pyramid", Mp4(crf=30), "has a quality or a size of its own"),
        ("pyramid", Hls((64,)), "becomes 64 pixels high"),
        ("open-gop", Hls(()), "its GOPs are open, and segments need closed ones"),
        ("hevc", Hls(()), "copied and encoded pictures would need parameters of their own"),
    ],
)
def test_a_plan_says_why_nothing_is_copied(
    recorded: str, value: OutputValue, reason: str, recording: Recordings
) -> None:
    report = planned(recording(recorded), value)
    [part] = report["parts"]
    assert {each["reason"] for each in part["segments"] if each["action"] == "encode"} == {reason}
    assert report["frames"]["copy"] == 0


def test_every_output_of_a_request_is_planned(recording: Recordings) -> None:
    values = Mp4(), M4a(), JpegStill(Fraction(1), 64)
    report = planned(recording("pyramid"), *values)
    alone = [planned(recording("pyramid"), value)["outputs"][0] for value in values]
    assert [each["format"] for each in report["outputs"]] == ["mp4", "m4a", "jpeg"]
    assert [each["size"] for each in report["outputs"]] == [each["size"] for each in alone]
    assert report["frames"]["copy"] == report["outputs"][0]["frames_copied"] > 0


@pytest.mark.parametrize(
    ("value", "edits", "error"),
    [
        (JpegStill(Fraction(60), None), (), EditImpossibleError),
        (M4a(), (Mute(),), OutputImpossibleError),
        (Mp3(), (Mute(),), OutputImpossibleError),
        (Mp4(max_size=20_000), (), OutputImpossibleError),
    ],
)
def test_a_plan_fails_as_the_output_would(
    value: OutputValue, edits: Sequence[Edit], error: type[Exception], recording: Recordings
) -> None:
    one = recording("pyramid")
    with pytest.raises(error):
        make([one.path], PART, JobOutput("n0", value), edits=edits)
    with pytest.raises(error):
        planned(one, value, edits=edits)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vp9", Mp4()),
        ("vp9", WebM(codec="vp9")),
        ("av1", Mp4()),
        pytest.param("interlaced", Mp4(), marks=pytest.mark.slow),
    ],
)
def test_codecs_that_are_never_joined_are_copied_from_keyframes_only(
    name: str, value: OutputValue, recording: Recordings
) -> None:
    """Copied frames are those of the recording, pixel by pixel."""
    one = recording(name)
    with av.open(str(one.path)) as container:
        frames = [(frame.time, frame.to_ndarray()) for frame in container.decode(video=0)]
        container.seek(0)
        keys = [(packet.pts or 0) * packet.time_base for packet in container.demux(video=0) if packet.is_keyframe]
    zero, begin = Fraction(keys[0]), Fraction(keys[1])
    for start, copied in ((begin - zero, True), (begin - zero + Fraction(1, 10), False)):
        ranges = ask((0, start, start + 1))
        with bench([one.path], ranges, outputs=[JobOutput("n0", value)]) as with_it:
            report = plan_outputs(with_it.job, with_it.sources, with_it.spool)
        made = make([one.path], ranges, JobOutput("n0", value))["n0"]
        assert (made.facts.frames_copied > 0) is copied
        assert report["frames"]["copy"] == made.facts.frames_copied
        reasons = [each["reason"] for part in report["parts"] for each in part["segments"]]
        if not copied:
            assert any("begin" in reason for reason in reasons)
            continue
        assert made.facts.frames_encoded == 0
        with av.open(io.BytesIO(made.data), "r") as clip:
            shown = [frame.to_ndarray() for frame in clip.decode(video=0)]
        first = next(n for n, (time, _) in enumerate(frames) if time is not None and time >= float(begin) - 0.001)
        assert len(shown) == made.facts.frames
        for mine, (_, theirs) in zip(shown, frames[first:], strict=False):
            assert (mine == theirs).all()


@pytest.mark.parametrize("value", [Mp4(max_size=150_000), Gif(160, 12, 0, 60_000)], ids=["mp4", "gif"])
def test_each_try_takes_the_room_of_the_one_before(
    value: OutputValue, recording: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The temporary file is no larger than a first try needs, however many follow."""
    truncated: list[int] = []
    truncate = Spool.truncate

    def counted(spool: Spool, size: int) -> None:
        if size < spool.size:
            truncated.append(size)
        truncate(spool, size)

    monkeypatch.setattr(Spool, "truncate", counted)
    with bench([recording("pyramid").path], PART, outputs=[JobOutput("n0", value)]) as with_it:
        made = make_outputs(with_it.job, with_it.sources, with_it.spool, lambda _: None)
        [output] = made.outputs
        assert truncated
        assert with_it.spool.size <= truncated[-1] + 1.2 * output.facts.size
