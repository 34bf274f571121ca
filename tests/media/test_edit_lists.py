"""Lists of edits: every two kinds together, and lists at random. They are refused with reasons, or exact."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.media.cuts import BytesSource, ask, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.media.test_edit_overlay import CLOCK
from tests.support.decode import decode_presented, decode_warnings
from tests.support.sampling import examples, slow_except

from cutback.cutting.assembled import Assembled
from cutback.cutting.cut import cut
from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.colour import Colour
from cutback.cutting.edit_values.sound import Gain
from cutback.cutting.edit_values.time import Speed, SpeedSpan
from cutback.cutting.job import CutJob, CutRange, InsetRange
from cutback.cutting.preview import preview
from cutback.cutting.spool import Spool
from cutback.domain.errors import EditImpossibleError, InvalidRequestError, MediaUnsupportedError
from cutback.domain.requests.edit_list import EXCLUSIVE, KINDS
from cutback.domain.requests.edit_model import STAGES
from cutback.domain.requests.request import ClipRequest, validate_request
from cutback.reading.edit_values import edits_of

Recordings = Callable[[str], ReferenceRecording]
EditJson = dict[str, Any]

SECONDS = 2
"""The length of the clip before edits, at 30 frames a second."""

OURS: dict[str, EditJson] = {
    "rotate": {"degrees": 90, "flip": "horizontal"},
    "crop": {"aspect": "1:1"},
    "scale": {"width": 96},
    "speed": {"spans": [{"from": 0.5, "to": 1, "speed": 0.5}]},
    "timelapse": {"duration": 1, "fps": 10},
    "text": {"text": "{camera}", "size": "20%", "from": 0.5, "duration": 0.5, "fade_in": 0.2},
    "clock": {"as": "subtitles"},
    "fade": {"in": 0.4, "out": 0.2},
    "audio_track": {"number": 1},
    "channels": {"to": "mono"},
    "sound_fade": {"in": 0.5, "out": 0.5},
    "inset": {"recording": "b.mp4", "start": 0.5, "width": "40%", "from": 0.5},
    "music": {"asset": "song.mp4", "duck": 12, "fade_out": 0.5},
}
"""Fields that fit the clip. Other kinds are taken from their example in docs/edits.md, so that new ones join by
themselves."""


def example(name: str) -> EditJson:
    """An edit of a kind."""
    if name in OURS:
        return {"edit": name, **OURS[name]}
    page = (Path(__file__).parents[2] / "docs/edits.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```json\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL):
        content = json.loads(block)
        edits = content.get("edits", ()) if isinstance(content, dict) else ()
        for edit in edits:
            if edit["edit"] == name:
                return {field: value for field, value in edit.items() if field != "from"}  # the clip is short
    # As on the command line: --edit '{"edit": …}'.
    [found] = re.findall(rf"--edit '(\{{\"edit\": \"{name}\".*?\}})'", page)[:1]
    return dict(json.loads(found))


ORDERED = sorted(KINDS, key=lambda name: STAGES.index(KINDS[name].stage))
PAIRS = [
    (first, second)
    for first, second in combinations_with_replacement(ORDERED, 2)
    if first != second or KINDS[first].repeats
]
QUICK = [
    ("rotate", "text"), ("crop", "speed"), ("scale", "timelapse"), ("speed", "clock"), ("speed", "fade"),
    ("text", "fade"), ("timelapse", "image"), ("audio_track", "sound_fade"), ("speed", "channels"),
    ("timelapse", "inset"), ("inset", "inset"), ("timelapse", "music"), ("music", "loudness"),
]  # fmt: skip


def asked(*edits: EditJson) -> ClipRequest:
    source = {"recording": "a.mp4", "start": 1, "end": 1 + SECONDS}
    return validate_request({"source": source, "edits": list(edits), "title": "T", "labels": {"rider": "Ana"}})


def job_of(request: ClipRequest, recording: bytes) -> tuple[CutJob, list[BytesSource]]:
    """The job of a request for `SECONDS` of a recording, and its sources."""
    picture = io.BytesIO()
    Image.new("RGBA", (40, 20), (255, 0, 0, 128)).save(picture, "PNG")
    assets = {name: picture.getvalue() if name.endswith("png") else recording for name in request.assets}
    insets = tuple(InsetRange(name, 1 + len(assets), Fraction(0), None) for name in request.inset_recordings)
    sources = [BytesSource(data) for data in (recording, *assets.values(), *(recording for _ in insets))]
    job = CutJob(
        tuple(source.size for source in sources),
        (CutRange(0, Fraction(1), Fraction(1 + SECONDS)),),
        edits=edits_of(request.edits, request.text_field),
        wall_clocks=(CLOCK,),
        assets={name: number for number, name in enumerate(assets, 1)},
        insets=insets,
    )
    return job, sources


def expected_frames(edits: Sequence[Any]) -> int | None:
    """How many frames a clip has; None if an edit decides that this module does not know."""
    (plain,) = asked(example("speed")).edits
    frames = 30 * SECONDS
    for edit in edits:
        match edit.edit:
            case "timelapse" if edit.duration is not None:
                frames = round(edit.duration * edit.fps)
            case "loop" if edit.start is None and edit.end is None:
                frames *= edit.times
            case "freeze" if any(
                other.edit == "blur" or KINDS[other.edit].stage in {"overlay", "fade"} for other in edits
            ):
                return None  # what is drawn meanwhile needs further frames
            case "reverse" | "freeze":
                pass
            case _ if KINDS[edit.edit].stage == "time" and edit != plain:
                return None
    return frames


def check(request: ClipRequest, recording: bytes, folder: Path) -> None:
    """Plan and make a clip: both say the same, and it is what a decoder finds."""
    job, sources = job_of(request, recording)
    planned = preview(job, sources)
    with (folder / "spool").open("w+b", buffering=0) as file:
        spool = Spool(file)
        made = cut(job, sources, spool, lambda _: None)
        clip = Assembled(made.head, made.extents, sources, spool)
        data = clip.read_at(0, clip.size)
    names = {edit.edit for edit in request.edits}
    assert not made.facts.remade
    shown = decode_presented(data)
    assert decode_warnings(data) == []
    times = [frame.time for frame in shown.frames]
    assert times[0] == 0
    assert times == sorted(set(times)), "each frame has a time of its own"
    assert len(times) == made.facts.frames == made.facts.frames_copied + made.facts.frames_encoded
    frames = planned["frames"]
    assert (frames["copy"], frames["encode"]) == (made.facts.frames_copied, made.facts.frames_encoded)
    assert Fraction(planned["clip_duration"]) == pytest.approx(made.facts.duration, abs=0.001)
    if (expected := expected_frames(request.edits)) is not None:
        assert len(times) == expected
    if names & {"mute", "timelapse"} and "music" not in names:
        assert shown.audio_start is None
    elif shown.audio_end is not None:
        assert shown.audio_end == pytest.approx(made.facts.duration, abs=1024 / 44_100)


@pytest.mark.parametrize("pair", slow_except(PAIRS, *QUICK, slow_one_in=4), ids="-".join)
def test_every_two_edits_together_are_refused_or_exact(
    recording: Recordings, tmp_path: Path, pair: tuple[str, str]
) -> None:
    edits = [example(name) for name in pair]
    if frozenset(pair) in EXCLUSIVE:
        with pytest.raises(InvalidRequestError, match=f"{pair[0]} and {pair[1]} contradict each other"):
            asked(*edits)
        return
    request = asked(*edits)
    check(request, recording("pyramid").path.read_bytes(), tmp_path)


def test_edits_of_the_same_clip_in_the_wrong_order_are_refused() -> None:
    for first, second in PAIRS:
        if KINDS[first].stage != KINDS[second].stage:
            with pytest.raises(InvalidRequestError, match=rf"contradict|write them as {first}, {second}"):
                asked(example(second), example(first))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (Gain(Fraction(0)), "gain: nothing to do, because 0 dB change nothing"),
        (
            Colour(Fraction(0), Fraction(0), Fraction(0), Fraction(0)),
            "colour: nothing to do, because all of its values are 0",
        ),
        (Speed(Fraction(1), (), "drop"), "speed: nothing to do, because 1 is the speed of the recording"),
        (
            Speed(None, (SpeedSpan(Fraction(0), Fraction(1), Fraction(1)),), "pitch"),
            "speed: nothing to do, because 1 is the speed of the recording",
        ),
    ],
    ids=lambda each: getattr(each, "kind", ""),
)
def test_edits_that_change_nothing_re_encode_nothing(recording: Recordings, edit: Edit, said: str) -> None:
    one, wanted = recording("pyramid").path, ask((0, Fraction(1), Fraction(3)))
    plain, clip = (cut_ranges([one], wanted, edits=edits) for edits in ((), (edit,)))
    assert clip.data == plain.data
    assert clip.facts.edits == (said,)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"edit": "crop", "x": 300, "y": 0, "width": 40}, "crop: 40×180 pixels at 300, 0 are not within the picture"),
        ({"edit": "scale", "width": 16}, "scale: 16×8 pixels are too small"),
        (
            {"edit": "blur", "x": 0, "y": "90%", "width": 40, "height": "20%", "from": 1},
            "blur: 40×36 pixels at 0, 162 are not within the picture",
        ),
        (
            {"edit": "text", "text": "x", "size": 3, "from": 1, "fade_in": 0.5},
            "text: letters of 3 pixels are too small",
        ),
        (
            {"edit": "text", "text": "x", "margin": "50%"},
            "text: a margin of 90 pixels leaves no room for it in 320×180",
        ),
        ({"edit": "clock", "size": 3}, "clock: letters of . pixels are too small"),
        ({"edit": "image", "asset": "logo.png", "margin": 90}, "image: a margin of 90 pixels leaves no room for it"),
        ({"edit": "text", "text": "x", "from": 2}, "text: it would begin at 2 s, but the clip ends at 2 s"),
    ],
    ids=lambda each: each["edit"] if isinstance(each, dict) else "",
)
def test_a_plan_refuses_what_does_not_fit_the_pictures_as_the_cut_does(
    recording: Recordings, tmp_path: Path, edit: EditJson, said: str
) -> None:
    job, sources = job_of(asked(edit), recording("pyramid").path.read_bytes())
    with pytest.raises(EditImpossibleError, match=said):
        preview(job, sources)
    with (tmp_path / "spool").open("w+b", buffering=0) as file, pytest.raises(EditImpossibleError, match=said):
        cut(job, sources, Spool(file), lambda _: None)


WITHOUT_PICTURES = ("speed", "loop", "fade", "audio_track", "channels", "gain", "loudness", "sound_fade", "music")


@pytest.mark.parametrize("name", [name for name in KINDS if name != "mute"])
def test_no_edit_is_ignored_if_there_are_no_pictures(tone: Path, tmp_path: Path, name: str) -> None:
    edit = example(name) | ({"as": "pictures"} if "drawn_as" in KINDS[name].model_fields else {})
    job, sources = job_of(asked(edit), tone.read_bytes())
    with (tmp_path / "spool").open("w+b", buffering=0) as file:
        if name in WITHOUT_PICTURES:
            preview(job, sources)
            made = cut(job, sources, Spool(file), lambda _: None)
            assert any(said.startswith(name) for said in made.facts.edits)
            return
        with pytest.raises(EditImpossibleError, match=rf"{name}: the clip has no pictures"):
            preview(job, sources)
        with pytest.raises(EditImpossibleError, match=rf"{name}: the clip has no pictures"):
            cut(job, sources, Spool(file), lambda _: None)


@pytest.mark.parametrize("order", [1, -1])
def test_a_plan_refuses_to_join_recordings_with_and_without_pictures(
    recording: Recordings, tone: Path, order: int
) -> None:
    sources = [BytesSource(path.read_bytes()) for path in (recording("pyramid").path, tone)][::order]
    ranges = tuple(CutRange(number, Fraction(0), Fraction(1)) for number in range(2))
    with pytest.raises(MediaUnsupportedError, match="with and without video cannot be joined"):
        preview(CutJob(tuple(source.size for source in sources), ranges), sources)


# --- lists at random -------------------------------------------------------------------------------

JUNK: list[Any] = [
    None, True, -1, 0, 1, 0.3, 7, 1e300, float("nan"), float("inf"), "", "5%", "101%", "-2", "9:16", "center", "%{x}",
    "{camera}", "{", "[a];movie=/etc/passwd", ":textfile=/etc/passwd", "a\x00b", "\ud800", "\u202e", "x" * 1000, [], {},
    {"finished": 1}, "2026-11-24T10:03:14Z", [{"from": 0, "to": 1, "speed": 3}],
]  # fmt: skip


@st.composite
def edit_lists(draw: st.DrawFn) -> list[EditJson]:
    """Edits, mostly in order, some of them with a field that is wrong or misplaced."""
    names = draw(st.lists(st.sampled_from(ORDERED), min_size=1, max_size=4))
    if draw(st.integers(0, 5)):
        names.sort(key=ORDERED.index)
    edits = [example(name) for name in names]
    for edit in edits:
        if not draw(st.integers(0, 2)):
            model = KINDS[edit["edit"]]
            fields = [field.alias or name for name, field in model.model_fields.items() if name != "edit"]
            edit[draw(st.sampled_from([*fields, "unknown"]))] = draw(st.sampled_from(JUNK))
    return edits


@given(edit_lists())
@settings(max_examples=examples(240), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_list_at_random_is_refused_with_reasons_or_planned(recording: Recordings, edits: list[EditJson]) -> None:
    try:
        job, sources = job_of(asked(*edits), recording("pyramid").path.read_bytes())
        planned = preview(job, sources)
    except InvalidRequestError as error:
        reasons = [fault.problem for fault in error.faults]
    except EditImpossibleError as error:
        reasons = [error.detail]
    else:
        assert planned["frames"]["copy"] + planned["frames"]["encode"] > 0
        return
    assert reasons
    assert all(reasons)


@pytest.mark.slow
@given(edit_lists())
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_list_at_random_is_refused_with_reasons_or_exact(
    recording: Recordings, tmp_path: Path, edits: list[EditJson]
) -> None:
    refused_or_exact(recording, tmp_path, edits)


@pytest.mark.soak
@pytest.mark.timeout(0)  # thousands of them take longer than a test may
@given(edit_lists())
@settings(
    max_examples=int(os.environ.get("CUTBACK_TEST_EDIT_LISTS", "1000")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_many_lists_at_random_are_refused_with_reasons_or_exact(
    recording: Recordings, tmp_path: Path, edits: list[EditJson]
) -> None:
    """CUTBACK_TEST_EDIT_LISTS says how many (1000)."""
    refused_or_exact(recording, tmp_path, edits)


def refused_or_exact(recording: Recordings, folder: Path, edits: list[EditJson]) -> None:
    try:
        request = asked(*edits)
        check(request, recording("pyramid").path.read_bytes(), folder)
    except (InvalidRequestError, EditImpossibleError):
        return
