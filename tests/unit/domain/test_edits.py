"""The edits of a request: what is accepted and refused, and that they reach the cutter as they are."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import pytest

from cutback.cutting import edit_kinds
from cutback.cutting.edits.pipeline import STEPS
from cutback.domain.errors import InvalidRequestError
from cutback.domain.measures import AtMoment, Finished, Percent, in_pixels, measure_to_json, parse_measure
from cutback.domain.requests.edit_fields import parse_point
from cutback.domain.requests.edit_list import KINDS
from cutback.domain.requests.edit_model import STAGES
from cutback.domain.requests.request import ClipRequest, validate_request
from cutback.domain.times import FromEnd
from cutback.reading.edit_values import edits_of
from cutback.sandbox.value_messages import edit_in, edit_out

ACCEPTED: dict[str, dict[str, Any]] = {
    "sdr": {"edit": "sdr"},
    "deinterlace": {"edit": "deinterlace", "rate": "frame"},
    "rotate": {"edit": "rotate", "degrees": 90, "flip": "horizontal"},
    "crop": {
        "edit": "crop",
        "width": 320,
        "height": "50%",
        "path": [{"at": 0, "x": 20, "y": "10%"}, {"at": {"finished": 3}, "x": "25%", "y": 60}],
    },
    "scale": {"edit": "scale", "width": 640, "height": 360, "mode": "pad", "enlarge": True},
    "colour": {"edit": "colour", "brightness": -10, "contrast": 12.5, "saturation": 20, "temperature": -30},
    "denoise": {"edit": "denoise", "strength": "strong"},
    "blur": {
        "edit": "blur",
        "x": 20,
        "y": "10%",
        "width": "25%",
        "height": 60,
        "mode": "pixelate",
        "strength": "30%",
        "from": 1,
        "duration": 2,
    },
    "speed": {
        "edit": "speed",
        "spans": [{"from": "2026-11-24T10:03:20Z", "to": -1, "speed": 0.5}, {"from": 5, "to": "00:06", "speed": 4}],
        "sound": "drop",
        "between": "blend",
        "ramp": 0.5,
    },
    "timelapse": {"edit": "timelapse", "duration": 30, "fps": 24},
    "reverse": {"edit": "reverse"},
    "freeze": {"edit": "freeze", "at": 2.5, "duration": 3},
    "loop": {"edit": "loop", "times": 3, "from": 1, "to": -2},
    "text": {
        "edit": "text",
        "text": "Left at the point",
        "place": "bottom",
        "margin": 12,
        "font": "Lobster",
        "size": "6.5%",
        "weight": "bold",
        "color": "#ffcc00",
        "box": False,
        "from": {"finished": 3},
        "duration": 3,
        "shadow": True,
        "zone": "Australia/Sydney",
        "as": "subtitles",
        "fade_in": 0.5,
        "fade_out": 1,
    },
    "clock": {
        "edit": "clock",
        "zone": "Australia/Sydney",
        "show": "datetime",
        "format": "{hour12}:{minute} {ampm}",
        "camera": False,
        "place": "top-right",
        "margin": "3%",
        "font": None,
        "size": 24,
        "weight": "regular",
        "color": "#FFFFFF",
        "box": True,
        "from": -2,
        "duration": 1,
        "shadow": False,
        "as": "pictures",
        "fade_in": 0,
        "fade_out": "0.25",
    },
    "image": {
        "edit": "image",
        "asset": "logos/club.png",
        "place": "bottom-right",
        "margin": "3%",
        "width": "12%",
        "height": 40,
        "opacity": 0.8,
        "from": {"finished": 1},
        "duration": 2,
    },
    "inset": {
        "edit": "inset",
        "recording": "south/b.mp4",
        "start": 12.5,
        "layout": "over",
        "place": "bottom-left",
        "margin": 8,
        "width": "40%",
        "height": 120,
        "opacity": 0.9,
        "from": 1,
        "duration": 2,
        "fade_in": 0.5,
        "fade_out": 0.25,
    },
    "fade": {"edit": "fade", "in": 0.5, "out": 1, "color": "white", "poster": "-2.5"},
    "audio_track": {"edit": "audio_track", "language": "eng"},
    "mute": {"edit": "mute"},
    "music": {
        "edit": "music",
        "asset": "music/song.mp3",
        "mode": "mix",
        "db": -6,
        "start": 12.5,
        "loop": False,
        "fade_in": 0.5,
        "fade_out": 2,
        "duck": 12,
        "duck_above": -35,
    },
    "channels": {"edit": "channels", "to": "mono", "take": "left"},
    "sound_fade": {"edit": "sound_fade", "in": 0.5, "out": 1},
    "gain": {"edit": "gain", "db": -4.5},
    "loudness": {"edit": "loudness", "lufs": -16, "true_peak": -1.5},
}
"""One of each kind, with every field."""


def request(*edits: Any) -> ClipRequest:
    return validate_request({"source": {"recording": "a.mp4", "start": 1, "end": 9}, "edits": list(edits)})


def faults(*edits: Any) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as refused:
        request(*edits)
    return {fault.path: fault.problem for fault in refused.value.faults}


def test_every_kind_has_a_model_values_and_a_step() -> None:
    assert set(ACCEPTED) == set(KINDS) == set(edit_kinds.KINDS)
    assert set(STEPS) == set(edit_kinds.KINDS.values())


def test_kinds_are_listed_in_the_order_of_the_stages() -> None:
    stages = [STAGES.index(kind.stage) for kind in KINDS.values()]
    assert stages == sorted(stages)


@pytest.mark.parametrize("name", KINDS)
def test_the_values_of_an_edit_have_the_fields_of_its_model(name: str) -> None:
    values = {field.name for field in dataclasses.fields(edit_kinds.KINDS[name])}
    assert values == set(KINDS[name].model_fields) - {"edit"}


@pytest.mark.parametrize("name", KINDS)
def test_an_edit_is_read_back_from_its_record_and_reaches_the_child_unchanged(name: str) -> None:
    made = request(ACCEPTED[name])
    assert ClipRequest.model_validate_json(made.model_dump_json()) == made
    [value] = edits_of(made.edits)
    assert edit_in(edit_out(value)) == value


def test_equal_edits_give_equal_ids() -> None:
    assert request({"edit": "gain", "db": 6}).id == request({"edit": "gain", "db": 6.0}).id
    assert request({"edit": "gain", "db": 6}).id != request({"edit": "gain", "db": 7}).id


@pytest.mark.parametrize(
    ("edits", "path", "problem"),
    [
        ([{"edit": "lowdness"}], "edits[0]", "unknown edit 'lowdness'; did you mean 'loudness'?"),
        ([{"edit": "x\x1b[31m"}], "edits[0]", "unknown edit 'x?[31m'"),
        ([{"edit": ["mute"]}], "edits[0]", "unknown edit"),
        ([{"type": "mute"}], "edits[0]", 'has no "edit"'),
        (["mute"], "edits[0]", "must be an object"),
        ([{"edit": "mute", "from": 1}], "edits[0].from", "is not a field"),
        ([{"edit": "gain"}], "edits[0].db", "is missing"),
        ([{"edit": "gain", "db": "loud"}], "edits[0].db", "must be a number"),
        ([{"edit": "gain", "db": True}], "edits[0].db", "must be a number"),
        ([{"edit": "gain", "db": float("nan")}], "edits[0].db", "must be a number from -60 to 30"),
        ([{"edit": "gain", "db": 1e300}], "edits[0].db", "must be a number from -60 to 30"),
        ([{"edit": "gain", "db": 31}], "edits[0].db", "must be from -60 to 30"),
        ([{"edit": "loudness", "lufs": -4}], "edits[0].lufs", "must be from -50 to -5"),
        ([{"edit": "loudness", "lufs": -16, "true_peak": 3}], "edits[0].true_peak", "must be from -20 to 0"),
        ([{"edit": "rotate"}], "edits[0]", "needs degrees or flip"),
        ([{"edit": "rotate", "degrees": 45}], "edits[0].degrees", "must be 0, 90, 180 or 270"),
        ([{"edit": "crop"}], "edits[0]", "needs aspect, or width, height or both"),
        ([{"edit": "crop", "width": 0}], "edits[0]", "width must not be zero"),
        ([{"edit": "crop", "height": "0%"}], "edits[0]", "height must not be zero"),
        ([{"edit": "crop", "width": "120%"}], "edits[0].width", "must be at most 100%"),
        ([{"edit": "crop", "width": float("nan")}], "edits[0].width", "expected whole pixels"),
        ([{"edit": "crop", "aspect": "9:0"}], "edits[0].aspect", "expected width:height"),
        ([{"edit": "crop", "aspect": "9:16", "width": 3}], "edits[0]", "aspect and width contradict each other"),
        ([{"edit": "crop", "width": 3, "x": 1, "gravity": "top"}], "edits[0]", "gravity and x contradict each other"),
        ([{"edit": "crop", "aspect": "1:1", "path": [{"at": 0}]}], "edits[0].path[0]", "needs x, y or both"),
        (
            [{"edit": "crop", "aspect": "1:1", "gravity": "top", "path": [{"at": 0, "x": 1}]}],
            "edits[0]",
            "path and gravity contradict each other",
        ),
        (
            [{"edit": "crop", "aspect": "1:1", "path": [{"at": 1, "x": 1}, {"at": 1, "x": 5}]}],
            "edits[0]",
            "must be in order of time",
        ),
        (
            [{"edit": "crop", "aspect": "1:1", "path": [{"at": 1, "x": 1}, {"at": 2, "y": 5}]}],
            "edits[0]",
            "x at some points only",
        ),
        ([{"edit": "crop", "aspect": "1:1", "gravity": "up"}], "edits[0].gravity", "must be 'top-left'"),
        (
            [{"edit": "text", "text": "a", "duration": 1, "fade_in": 0.6, "fade_out": 0.5}],
            "edits[0]",
            "fade_in and fade_out must not be longer than duration together",
        ),
        ([{"edit": "audio_track"}], "edits[0]", "needs either number or language"),
        ([{"edit": "audio_track", "number": 0}], "edits[0].number", "must be at least 1"),
        ([{"edit": "channels", "to": "5.1"}], "edits[0].to", "must be 'mono' or 'stereo'"),
        ([{"edit": "sound_fade"}], "edits[0]", "needs in, out or both"),
        ([{"edit": "fade", "out": 1, "poster": 2}], "edits[0]", "poster needs in"),
        ([{"edit": "mute"}, {"edit": "channels", "to": "mono"}], "edits", "mute and channels contradict each other"),
        ([{"edit": "scale"}], "edits[0]", "needs width, height or both"),
        ([{"edit": "scale", "width": 8}], "edits[0].width", "must be at least 16"),
        ([{"edit": "scale", "width": 640, "mode": "fill"}], "edits[0]", "fill needs width and height"),
        (
            [{"edit": "scale", "width": 640}, {"edit": "crop", "aspect": "1:1"}],
            "edits",
            "write them as crop, scale",
        ),
        ([{"edit": "colour"}], "edits[0]", "needs brightness, contrast, saturation or temperature"),
        ([{"edit": "colour", "contrast": 101}], "edits[0].contrast", "must be from -100 to 100"),
        ([{"edit": "denoise", "strength": 3}], "edits[0].strength", "must be 'light', 'medium' or 'strong'"),
        ([{"edit": "denoise"}, {"edit": "timelapse", "duration": 3}], "edits", "denoise and timelapse"),
        ([{"edit": "blur", "x": 0, "y": 0, "width": 0, "height": 9}], "edits[0]", "width must not be zero"),
        ([{"edit": "blur", "x": 0, "y": 0, "width": 9}], "edits[0].height", "is missing"),
        ([{"edit": "speed"}], "edits[0]", "needs either speed or spans"),
        ([{"edit": "speed", "speed": 0}], "edits[0].speed", "must be from 0.0625 to 100"),
        ([{"edit": "speed", "speed": float("nan")}], "edits[0].speed", "must be a number from 0.0625 to 100"),
        ([{"edit": "speed", "speed": 2, "sound": "loud"}], "edits[0].sound", "must be 'pitch', 'resample' or 'drop'"),
        (
            [{"edit": "speed", "spans": [{"from": 3, "to": 2, "speed": 2}]}],
            "edits[0].spans[0]",
            "to must be after from",
        ),
        (
            [{"edit": "speed", "spans": [{"from": {"finished": 3}, "to": 9, "speed": 2}]}],
            "edits[0].spans[0]",
            "not finished",
        ),
        ([{"edit": "speed", "speed": 2, "ramp": 1}], "edits[0]", "ramp needs spans"),
        ([{"edit": "speed", "speed": 2, "between": "mix"}], "edits[0].between", "must be 'repeat', 'blend'"),
        (
            [{"edit": "deinterlace", "rate": "field"}, {"edit": "speed", "speed": 2}],
            "edits",
            "deinterlace with these fields and speed contradict each other",
        ),
        ([{"edit": "timelapse"}], "edits[0]", "needs either duration or speed"),
        ([{"edit": "timelapse", "duration": 3, "speed": 60}], "edits[0]", "needs either duration or speed"),
        ([{"edit": "timelapse", "speed": 0.5}], "edits[0].speed", "must be from 1 to 1000000"),
        ([{"edit": "timelapse", "duration": 86_400}], "edits[0]", "duration must be from 0.1 to 3600"),
        ([{"edit": "timelapse", "duration": 30, "fps": 0}], "edits[0].fps", "must be from 1 to 60"),
        ([{"edit": "speed", "speed": 2}, {"edit": "timelapse", "duration": 3}], "edits", "speed and timelapse"),
        ([{"edit": "freeze", "at": 1, "duration": 0}], "edits[0]", "duration must be from 0.01 to 3600"),
        ([{"edit": "freeze", "at": {"finished": 1}, "duration": 1}], "edits[0]", "not finished"),
        ([{"edit": "loop", "times": 1}], "edits[0].times", "must be at least 2"),
        ([{"edit": "loop", "times": 2, "from": 3, "to": 3}], "edits[0]", "to must be after from"),
        ([{"edit": "reverse"}, {"edit": "loop", "times": 2}], "edits", "reverse and loop contradict each other"),
        ([{"edit": "reverse"}, {"edit": "gain", "db": 2}], "edits", "reverse and gain contradict each other"),
        ([{"edit": "text"}], "edits[0].text", "is missing"),
        ([{"edit": "text", "text": ""}], "edits[0].text", "must have 1 or more characters"),
        ([{"edit": "text", "text": "x" * 201}], "edits[0].text", "must have at most 200 characters"),
        ([{"edit": "text", "text": "a\nb"}], "edits[0].text", "must not contain control characters"),
        ([{"edit": "text", "text": "a", "color": "red"}], "edits[0].color", "must match the pattern"),
        ([{"edit": "text", "text": "a", "duration": 0}], "edits[0]", "duration must not be zero"),
        ([{"edit": "clock", "zone": "Mars/Olympus"}], "edits[0].zone", "is not a time zone"),
        ([{"edit": "clock", "format": "%H:%M"}], "edits[0].format", "needs a field of a moment"),
        ([{"edit": "clock", "format": "{title} {time}"}], "edits[0].format", "{title} is not a field of a clock"),
        ([{"edit": "clock", "format": "{huor}"}], "edits[0].format", "did you mean {hour}?"),
        ([{"edit": "clock", "format": "{time", "show": "time"}], "edits[0].format", "belongs to no field"),
        ([{"edit": "clock", "format": "{time}", "show": "date"}], "edits[0]", "show and format contradict each other"),
        ([{"edit": "crop", "aspec": "9:16"}], "edits[0].aspec", "is not a field; did you mean 'aspect'?"),
        ([{"edit": "mute", "zzz": 1}], "edits[0].zzz", "is not a field; the fields are edit"),
        (
            [{"edit": "speed", "spans": [{"from": 1, "to": 2, "speed": 2, "frm": 1}]}],
            "edits[0].spans[0].frm",
            "is not a field; did you mean 'from'?",
        ),
        ([{"edit": "image"}], "edits[0].asset", "is missing"),
        ([{"edit": "image", "asset": "../secret.png"}], "edits[0].asset", "must be relative"),
        ([{"edit": "image", "asset": "/etc/passwd"}], "edits[0].asset", "must be relative"),
        ([{"edit": "image", "asset": "a\\b.png"}], "edits[0].asset", "must use / between folders"),
        ([{"edit": "image", "asset": "a\0b"}], "edits[0].asset", "must not contain control characters"),
        ([{"edit": "image", "asset": "a.png", "opacity": 2}], "edits[0].opacity", "must be from 0 to 1"),
        ([{"edit": "image", "asset": "a.png", "opacity": 0}], "edits[0]", "opacity must not be zero"),
        ([{"edit": "image", "asset": "a.png", "width": "0%"}], "edits[0]", "width must not be zero"),
        ([{"edit": "fade"}], "edits[0]", "needs in, out or both"),
        ([{"edit": "fade", "in": -1}], "edits[0].in", "must not be negative"),
        ([{"edit": "fade", "out": 1, "color": "red"}], "edits[0].color", "must be 'black' or 'white'"),
        ([{"edit": "mute"}, {"edit": "fade", "out": 1}], "edits", "write them as fade, mute"),
        ([{"edit": "mute"}] * 2, "edits", "mute occurs 2 times; it may occur once"),
        ([{"edit": "mute"}, {"edit": "gain", "db": 1}], "edits", "mute and gain contradict each other"),
        ([{"edit": "mute"}] * 101, "edits", "must have at most 100 items"),
    ],
)  # fmt: skip
def test_a_wrong_edit_is_refused_by_name(edits: list[Any], path: str, problem: str) -> None:
    found = faults(*edits)
    assert problem in found[path]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("edits", "path", "problem"),
    [
        ([{"edit": "text", "text": "a"}] * 10_000, "", "contains more than 5000 values"),
        ([{"edit": "text", "text": "a"}] * 101, "edits", "must have at most 100 items"),
        ([{"edit": "text", "text": "a" * 1_000_000}], "edits[0].text", "must have at most 200 characters"),
        ([{"edit": "text", "text": "a\x1b[31m"}], "edits[0].text", "must not contain control characters"),
        ([{"edit": "text", "text": "a\nb"}], "edits[0].text", "must not contain control characters"),
        ([{"edit": "text", "text": "%{localtime}"}], "edits[0].text", "unknown field {localtime}"),
        ([{"edit": "text", "text": ""}], "edits[0].text", "must have 1 or more characters"),
        ([{"edit": "text", "text": 7}], "edits[0].text", "must be a string"),
        ([{"edit": "text", "text": "a", "color": "red:textfile=/etc/passwd"}], "edits[0].color", "must match"),
        ([{"edit": "text", "text": "a", "font": "x\x00"}], "edits[0].font", "must not contain control characters"),
        ([{"edit": "text", "text": "a", "size": "1e9%"}], "edits[0].size", "expected whole pixels"),
        ([{"edit": "clock", "zone": "../../etc/passwd"}], "edits[0].zone", "is not a time zone"),
        ([{"edit": "fade", "in": float("inf")}], "edits[0].in", "must be"),
        ([{"edit": "speed", "speed": "NaN"}], "edits[0].speed", "must be a number"),
    ],
)
def test_what_an_attacker_would_send_is_refused_by_name(edits: list[Any], path: str, problem: str) -> None:
    found = faults(*edits)
    assert found.keys() == {path}
    assert problem in found[path]
    assert len(found[path]) < 1000


def test_edits_of_pictures_need_exact_clips() -> None:
    content = {"source": {"recording": "a.mp4", "start": 1, "end": 9}, "output": {"precision": "instant"}}
    with pytest.raises(InvalidRequestError) as refused:
        validate_request({**content, "edits": [ACCEPTED["crop"]]})
    assert "crop needs the precision exact" in refused.value.faults[0].problem
    assert validate_request({**content, "edits": [ACCEPTED["mute"]]}).edits


# --- measures and points ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "value"), [(0, 0), (40, 40), ("5%", Percent(Fraction(5))), (" 12.50 %", Percent(Fraction("12.5")))]
)
def test_a_measure_is_pixels_or_percent(written: Any, value: Any) -> None:
    assert parse_measure(written) == value
    assert parse_measure(measure_to_json(value)) == value


@pytest.mark.parametrize("written", [-1, 16_385, "5", "101%", "-5%", 0.5, True, None, "5%%", "%", {}])
def test_other_measures_are_refused(written: Any) -> None:
    with pytest.raises(ValueError, match=r"expected|must be"):
        parse_measure(written)


def test_percent_refer_to_the_whole() -> None:
    assert in_pixels(Percent(Fraction(5)), 720) == 36
    assert in_pixels(40, 720) == 40


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (2.5, Fraction(5, 2)),
        ("00:01:30", Fraction(90)),
        (-5, FromEnd(Fraction(5))),
        ("-5", FromEnd(Fraction(5))),
        ({"finished": 3}, Finished(Fraction(3))),
        ("1970-01-01T00:00:10Z", None),
        ("2000-01-01T00:00:00.5+01:00", AtMoment(Fraction(946_681_200) + Fraction(1, 2))),
    ],
)
def test_a_point_is_in_cut_time_unless_it_says_otherwise(written: Any, value: Any) -> None:
    if value is None:
        with pytest.raises(ValueError, match="1970"):
            parse_point(written)
    else:
        assert parse_point(written) == value


@pytest.mark.parametrize("written", [True, [], {"frame": 3}, {"finished": -1}, "soon", float("nan"), 1e12])
def test_other_points_are_refused(written: Any) -> None:
    with pytest.raises(ValueError, match=r"expected|must|more than"):
        parse_point(written)


def test_edits_of_sound_need_music_where_nothing_else_is_heard() -> None:
    lapse, music = {"edit": "timelapse", "duration": 3}, {"edit": "music", "asset": "song.mp3"}
    loudness = {"edit": "loudness", "lufs": -16}
    assert faults(lapse, loudness) == {"edits": "timelapse and loudness contradict each other; leave one of them out"}
    assert len(request(lapse, music, loudness).edits) == 3
    assert "contradict" in faults({"edit": "mute"}, music)["edits"]
    wrong = {"edit": "music", "asset": "song.mp3", "mode": "replace", "duck": 6}
    assert "duck and the mode replace contradict" in next(iter(faults(wrong).values()))


@pytest.mark.parametrize(
    ("inset", "said"),
    [
        ({}, "needs either camera or recording"),
        ({"camera": "south", "recording": "b.mp4"}, "needs either camera or recording"),
        ({"camera": "south", "start": 2}, "start needs recording"),
        ({"recording": "b.m3u8"}, "must not be a playlist"),
        ({"recording": "b.mp4", "layout": "beside", "width": 80}, "width and the layout beside contradict each other"),
        ({"recording": "b.mp4", "opacity": 0}, "opacity must not be zero"),
    ],
)
def test_an_inset_that_makes_no_sense_is_refused(inset: dict[str, Any], said: str) -> None:
    assert said in next(iter(faults({"edit": "inset", **inset}).values()))


def test_insets_are_few_and_one_of_them_doubles_the_pictures() -> None:
    inset = {"edit": "inset", "recording": "b.mp4"}
    assert "inset occurs 5 times; it may occur 4 times" in faults(*[inset] * 5)["edits"]
    assert "only one inset can be beside or below" in faults(*[inset | {"layout": "below"}] * 2)["edits"]


def test_the_camera_of_an_inset_needs_a_camera_in_the_source() -> None:
    assert "needs a source that names a camera" in faults({"edit": "inset", "camera": "south"})["edits[0].camera"]
    spans = [
        {"camera": "north", "from": f"2026-11-24T10:0{minute}:00Z", "to": "+10s", "gaps": "fail"} for minute in (3, 4)
    ]
    insets = [{"edit": "inset", "camera": name} for name in ("south", "west", "south")]
    made = validate_request({"source": spans, "edits": insets})
    assert [(span.camera, span.start, span.gaps) for span in made.inset_spans] == [
        (name, span.start, "skip") for name in ("south", "west") for span in made.spans
    ]
    assert made.all_spans == (*made.spans, *made.inset_spans)
