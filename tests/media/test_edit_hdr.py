"""Edits of HDR: white is white and not glaring, colours are right, and the tags stay."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from tests.media.cuts import BytesSource, CutResult, ask, cut_ranges
from tests.media.outputs import bench, make, make_output
from tests.media.recordings import ReferenceRecording

from cutback.cutting.assembled import Assembled
from cutback.cutting.codecs.hdr_levels import HLG, PQ, as_hdr, light_as_hdr, signal_of_white
from cutback.cutting.codecs.pictures import Picture
from cutback.cutting.codecs.tone_map import as_sdr
from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.crop import Crop
from cutback.cutting.edit_values.fade import Fade
from cutback.cutting.edit_values.overlay import TextOverlay
from cutback.cutting.edit_values.rotate import Rotate
from cutback.cutting.edit_values.scale import Scale
from cutback.cutting.edit_values.sdr import Sdr
from cutback.cutting.edit_values.time import Reverse
from cutback.cutting.excerpt import excerpt
from cutback.cutting.job import CutJob, JobOutput, Limits
from cutback.cutting.output_values import Gif, Mp4, OutputValue, PngStill, WebM
from cutback.cutting.outputs.plan import plan_outputs
from cutback.cutting.posters.still import Still
from cutback.cutting.spool import Spool
from cutback.domain.measures import Percent

Recordings = Callable[[str], ReferenceRecording]


def text(color: str) -> TextOverlay:
    return TextOverlay(
        text="\u2588\u2588\u2588",  # blocks
        place="center",
        margin=0,
        size=Percent(Fraction(50)),
        weight="bold",
        color=color,
        box=False,
        start=None,
        duration=None,
        shadow=False,
        fade_in=Fraction(0),
        fade_out=Fraction(0),
    )


def middle(clip: CutResult) -> tuple[float, float, float]:
    """Y, U and V in the middle of the first picture, from 0 to 1 and from -0.5 to 0.5."""
    with av.open(io.BytesIO(clip.data), "r") as container:
        frame = next(container.decode(video=0))
    found = []
    for plane in frame.planes:
        values = np.frombuffer(bytes(plane), "<u2").reshape(plane.height, -1)[:, : plane.width]
        part = values[plane.height // 2 - 2 : plane.height // 2 + 2, plane.width // 2 - 4 : plane.width // 2 + 4]
        found.append(float(part.mean()))
    luma, blue, red = found
    return (luma - 64) / 876, (blue - 512) / 896, (red - 512) / 896


def test_white_is_that_of_bt_2408() -> None:
    assert signal_of_white(PQ) == pytest.approx(0.58, abs=0.005)
    assert signal_of_white(HLG) == pytest.approx(0.75, abs=0.005)
    assert signal_of_white(1) == 1
    assert as_hdr(1, 1, 1, PQ) == pytest.approx((0.58,) * 3, abs=0.005)
    assert as_hdr(0, 0, 0, PQ) == pytest.approx((0, 0, 0), abs=0.001)


@pytest.mark.parametrize("color", ["#ffffff", "#ff8000"])
def test_colours_drawn_on_hdr_are_those_of_sdr(recording: Recordings, color: str) -> None:
    clip = cut_ranges([recording("hevc-hdr10").path], ask((0, Fraction(0), Fraction(1, 2))), edits=[text(color)])
    red, green, blue = as_hdr(*(int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)), PQ)  # type: ignore[call-arg, arg-type]
    luma = 0.2627 * red + 0.678 * green + 0.0593 * blue
    expected = luma, (blue - luma) / 1.8814, (red - luma) / 1.4746
    assert middle(clip) == pytest.approx(expected, abs=0.015)


def test_a_fade_to_white_ends_at_white_and_not_at_the_highest_number(recording: Recordings) -> None:
    fade = Fade(Fraction(1, 2), Fraction(0), "white")
    clip = cut_ranges([recording("hevc-hdr10").path], ask((0, Fraction(0), Fraction(1))), edits=[fade])
    assert middle(clip)[0] == pytest.approx(0.58, abs=0.02)


@pytest.mark.parametrize(
    "edit",
    [
        Crop(Fraction(1), None, None, None, None, None),
        Scale(160, None, "fit", enlarge=False),
        Rotate(90, "horizontal"),
    ],
)
def test_shapes_keep_hdr_and_its_tags(recording: Recordings, edit: Edit) -> None:
    one, wanted = recording("hevc-hdr10").path, ask((0, Fraction(0), Fraction(1, 2)))
    tags, data = [], []
    for clip in (cut_ranges([one], wanted), cut_ranges([one], wanted, edits=[edit])):
        with av.open(io.BytesIO(clip.data), "r") as container:
            frame = next(container.decode(video=0))
        tags.append((frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range, frame.format.name))
        told: Any = frame.side_data
        names = [told[number].type.name for number in range(len(told))]
        data.append({name for name in names if "LIGHT" in name or "MASTER" in name})
        luma = np.frombuffer(bytes(frame.planes[0]), "<u2").reshape(frame.height, -1)[:, : frame.width]
        assert luma.mean() > 64
    assert tags[0] == tags[1]
    assert data[0] == data[1]
    assert data[0], "mastering display and content light"


Planes = tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]


def planes_of(frame: av.VideoFrame) -> Planes:
    """A picture's planes, in its own numbers."""
    depth = "<u2" if frame.format.components[0].bits > 8 else "u1"
    found = [np.frombuffer(bytes(p), depth).reshape(p.height, -1)[:, : p.width].astype(float) for p in frame.planes]
    return found[0], found[1], found[2]


def pictures_of(clip: CutResult) -> list[av.VideoFrame]:
    with av.open(io.BytesIO(clip.data), "r") as container:
        return list(container.decode(video=0))


def differences(before: Planes, after: Planes) -> list[float]:
    """How far flat squares of an SDR picture are from what each colour of the HDR one should become, from 0 to 1."""
    found = []
    for row in range(8, before[0].shape[0] - 8, 8):
        for column in range(8, before[0].shape[1] - 8, 8):
            square = np.s_[row : row + 4, column : column + 4]
            half = np.s_[row // 2 : row // 2 + 2, column // 2 : column // 2 + 2]
            if np.ptp(before[0][square]) > 40:
                continue  # an edge
            luma = (before[0][square].mean() - 64) / 876
            red = luma + 1.4746 * (before[2][half].mean() - 512) / 896
            blue = luma + 1.8814 * (before[1][half].mean() - 512) / 896
            green = (luma - 0.2627 * red - 0.0593 * blue) / 0.678
            signals = [min(max(float(each), 0.0), 1.0) for each in (red, green, blue)]
            r, g, b = as_sdr(signals[0], signals[1], signals[2], PQ, 1000)
            expected = 0.2126 * r + 0.7152 * g + 0.0722 * b
            found += [
                abs((after[0][square].mean() - 16) / 219 - expected),
                abs((after[1][half].mean() - 128) / 224 - (b - expected) / 1.8556),
                abs((after[2][half].mean() - 128) / 224 - (r - expected) / 1.5748),
            ]
    return found


def test_sdr_maps_each_colour_by_the_curve_and_is_tagged_bt_709(recording: Recordings) -> None:
    one, wanted = recording("hevc-hdr10").path, ask((0, Fraction(0), Fraction(1, 2)))
    clip = cut_ranges([one], wanted, edits=[Sdr()])
    before, made = pictures_of(cut_ranges([one], wanted))[0], pictures_of(clip)[0]
    tags = int(made.color_primaries), int(made.color_trc), int(made.colorspace)
    assert (made.format.name, *tags) == ("yuv420p", 1, 1, 1)
    told: Any = made.side_data
    assert not [name for n in range(len(told)) if "LIGHT" in (name := told[n].type.name) or "MASTER" in name]
    assert clip.facts.edits == ("sdr: HDR is converted to SDR (BT.709, 8 bits)",)
    assert (clip.facts.frames, clip.facts.frames_copied) == (15, 0)
    off = differences(planes_of(before), planes_of(made))
    assert len(off) > 100
    assert np.median(off) < 0.01
    assert np.percentile(off, 90) < 0.03, "edges"


def test_sdr_of_sdr_is_nothing_to_do_and_pictures_are_copied(recording: Recordings) -> None:
    clip = cut_ranges([recording("pyramid").path], ask((0, Fraction(0), Fraction(3))), edits=[Sdr()])
    assert clip.facts.edits == ("sdr: nothing to do, because the pictures are not HDR",)
    assert clip.facts.frames_copied


@pytest.mark.parametrize("value", [Mp4(codec="h264"), WebM(codec="vp9")], ids=["h264", "vp9"])
def test_hdr_becomes_sdr_where_the_codec_of_the_output_has_8_bits(recording: Recordings, value: Mp4 | WebM) -> None:
    one, wanted = recording("hevc-hdr10").path, ask((0, Fraction(0), Fraction(1, 2)))
    found = make_output([one], wanted, value)
    asked_for = pictures_of(cut_ranges([one], wanted, edits=[Sdr()]))
    frames = list(av.open(io.BytesIO(found.data), "r").decode(video=0))
    tags = frames[0].color_primaries, frames[0].color_trc, frames[0].colorspace
    assert (len(frames), frames[0].format.name, *map(int, tags)) == (15, "yuv420p", 1, 1, 1)
    assert np.median(np.abs(planes_of(frames[5])[0] - planes_of(asked_for[5])[0])) < 3, "of 219"
    assert any("converted from HDR to SDR" in note for note in found.facts.notes)


ONE_HDR, HDR_FIRST, SDR_FIRST = ["hevc-hdr10"], ["hevc-hdr10", "pyramid"], ["pyramid", "hevc-hdr10"]


@pytest.mark.parametrize(
    ("names", "value", "edits", "told"),
    [
        (ONE_HDR, Mp4(), [Sdr()], ["sdr: HDR is converted to SDR (BT.709, 8 bits)"]),
        pytest.param(
            ONE_HDR,
            Mp4(codec="h264"),
            [Sdr()],
            ["sdr: HDR is converted to SDR (BT.709, 8 bits)"],
            marks=pytest.mark.slow,
        ),
        (ONE_HDR, Mp4(codec="h264"), [], ["Pictures are converted from HDR to SDR: h264 holds 8 bits."]),
        (ONE_HDR, Mp4(codec="hevc", crf=40), [], []),
        (ONE_HDR, Mp4(), [], []),
        (ONE_HDR, Gif(64, 4, 0, None), [], ["Pictures are converted from HDR to SDR: a GIF holds 8 bits."]),
        (
            ONE_HDR,
            PngStill(Fraction(0), 64),
            [],
            ["Pictures are converted from HDR to SDR: a PNG holds 8 bits."],
        ),
        pytest.param(HDR_FIRST, Mp4(), [], ["Some pictures are converted: SDR to HDR."], marks=pytest.mark.slow),
        (SDR_FIRST, Mp4(), [], ["Some pictures are converted: HDR to SDR."]),
        (SDR_FIRST, Gif(64, 4, 0, None), [], ["Some pictures are converted: HDR to SDR."]),
        pytest.param(
            HDR_FIRST, Mp4(), [Reverse()], ["Some pictures are converted: HDR to SDR."], marks=pytest.mark.slow
        ),
        (["pyramid"], Mp4(codec="h264", crf=40), [], []),
        (["pyramid"], Mp4(), [Sdr()], ["sdr: nothing to do, because the pictures are not HDR"]),
    ],
)
def test_a_plan_announces_what_becomes_of_hdr_as_the_record_says_it(
    recording: Recordings, names: list[str], value: OutputValue, edits: list[Edit], told: list[str]
) -> None:
    paths = [recording(name).path for name in names]
    wanted = ask(*((number, Fraction(0), Fraction(1, 5)) for number in range(len(paths))))
    output = JobOutput("clip", value)
    with bench(paths, wanted, outputs=[output], edits=edits) as planning:
        notes = plan_outputs(planning.job, planning.sources, planning.spool)["notes"]
    facts = make(paths, wanted, output, edits=edits)["clip"].facts
    assert [note for note in notes if "SDR" in note or "HDR" in note] == told
    assert [note for note in (*facts.notes, *facts.edits) if "SDR" in note or "HDR" in note] == told


def test_a_plan_announces_what_becomes_of_hdr_in_any_output(recording: Recordings) -> None:
    one, wanted = recording("hevc-hdr10").path, ask((0, Fraction(0), Fraction(1, 5)))
    outputs = [JobOutput("clip", Mp4()), JobOutput("small", WebM(codec="vp9"))]
    with bench([one], wanted, outputs=outputs) as planning:
        notes = plan_outputs(planning.job, planning.sources, planning.spool)["notes"]
    assert notes == ["Pictures are converted from HDR to SDR: vp9 holds 8 bits."]


def test_what_is_drawn_on_sdr_of_hdr_has_its_own_colour(recording: Recordings) -> None:
    edits: list[Edit] = [Scale(160, None, "fit", enlarge=False), Sdr(), text("#ffffff")]
    clip = cut_ranges([recording("hevc-hdr10").path], ask((0, Fraction(0), Fraction(1, 2))), edits=edits)
    middles = [plane[plane.shape[0] // 2, plane.shape[1] // 2] for plane in planes_of(pictures_of(clip)[0])]
    assert middles == pytest.approx([235, 128, 128], abs=4)


def test_a_range_of_hdr_behind_one_of_sdr_becomes_sdr(recording: Recordings) -> None:
    paths, half = [recording("pyramid").path, recording("hevc-hdr10").path], Fraction(1, 2)
    clip = cut_ranges(paths, ask((0, Fraction(0), half), (1, Fraction(0), half)))
    assert "Some pictures are converted: HDR to SDR." in clip.facts.notes
    frames = pictures_of(clip)
    assert len(frames) == 30
    before = pictures_of(cut_ranges([paths[1]], ask((0, Fraction(0), half))))[0]
    # The first range is small and says no matrix, so the clip has that of BT.601.
    after = frames[15].reformat(src_colorspace=Colorspace.ITU601, dst_colorspace=Colorspace.ITU709)
    assert np.percentile(differences(planes_of(before), planes_of(after)), 90) < 0.04


def test_a_range_of_sdr_behind_one_of_hdr_becomes_hdr(recording: Recordings) -> None:
    paths, half = [recording("hevc-hdr10").path, recording("pyramid").path], Fraction(1, 2)
    clip = cut_ranges(paths, ask((0, Fraction(0), half), (1, Fraction(0), half)))
    assert "Some pictures are converted: SDR to HDR." in clip.facts.notes
    frames = pictures_of(clip)
    assert {(frame.format.name, int(frame.color_trc)) for frame in frames} == {("yuv420p10le", PQ)}
    sdr, hdr = (
        planes_of(each)[0] for each in (pictures_of(cut_ranges([paths[1]], ask((0, Fraction(0), half))))[0], frames[15])
    )
    light = ((np.clip(sdr, 16, 235) - 16) / 219) ** 2.4
    expected = 64 + 876 * np.array([light_as_hdr(each, each, each, PQ)[1] for each in light.ravel()]).reshape(
        light.shape
    )
    assert np.median(np.abs(hdr - expected)) < 12, "of 876"


def test_a_preview_of_hdr_is_sdr(recording: Recordings) -> None:
    """Every browser shows it right: it has 8 bits, and tags of HDR would be wrong."""
    source, wanted = BytesSource(recording("hevc-hdr10").path.read_bytes()), ask((0, Fraction(0), Fraction(1, 2)))
    with tempfile.TemporaryFile() as file:
        spool = Spool(file)
        made = excerpt(CutJob((source.size,), wanted, "exact", Limits()), [source], spool)
        clip = Assembled(made.head, made.extents, [source], spool)
        data = clip.read_at(0, clip.size)
    with av.open(io.BytesIO(data), "r") as container:
        frames = list(container.decode(video=0))
    tags = frames[0].color_primaries, frames[0].color_trc, frames[0].colorspace
    assert (len(frames), frames[0].format.name, *map(int, tags)) == (15, "yuv420p", 1, 1, 1)
    before = pictures_of(cut_ranges([source.data], wanted))[0]
    assert np.median(differences(planes_of(before), planes_of(frames[0]))) < 0.02


def test_a_poster_of_hdr_is_sdr(recording: Recordings) -> None:
    """Its mean is that of the clip in SDR, and not the low one of PQ."""
    one, wanted = recording("hevc-hdr10").path, ask((0, Fraction(0), Fraction(1, 2)))
    frame = pictures_of(cut_ranges([one], wanted))[0]
    still = Still(Picture(frame, None), frame.width, frame.height, ())
    sdr = planes_of(pictures_of(cut_ranges([one], wanted, edits=[Sdr()]))[0])[0]
    assert planes_of(still.scaled(frame.width))[0].mean() == pytest.approx((sdr.mean() - 16) / 219 * 255, abs=3)
