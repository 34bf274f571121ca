"""Every edit on every odd kind of source: refused with a reason, or exact, with the right colours."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageChops
from tests.media.cuts import BytesSource
from tests.media.outputs import make_output
from tests.media.recordings import ReferenceRecording
from tests.media.test_edit_deinterlace import interlaced
from tests.media.test_edit_lists import example
from tests.media.test_edit_overlay import CLOCK
from tests.support.decode import decode_presented, decode_warnings
from tests.support.media import MediaSpec, cached_media
from tests.support.sampling import slow_except

from cutback.cutting.assembled import Assembled
from cutback.cutting.codecs.colours import matrix_of, range_of, shows_hdr
from cutback.cutting.codecs.dynamic_range import ToSdr
from cutback.cutting.cut import cut
from cutback.cutting.job import CutJob, CutRange, Facts
from cutback.cutting.output_values import PngStill
from cutback.cutting.preview import preview
from cutback.cutting.spool import Spool
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import Finished
from cutback.domain.requests.edit_list import KINDS
from cutback.domain.requests.request import validate_request
from cutback.reading.edit_values import edits_of

Recordings = Callable[[str], ReferenceRecording]

FULL = MediaSpec(frames=90, pix_fmt="yuvj420p", codec_options={"x264-params": "fullrange=on"})
SMALLER = MediaSpec(width=384, height=288, frames=90, seed=2)
LARGE = MediaSpec(width=1280, height=720, frames=60, seed=3, audio=None, codec_options={"preset": "ultrafast"})
ODD = MediaSpec(
    width=321,
    height=181,
    frames=90,
    codec="libvpx-vp9",
    codec_options={"deadline": "realtime", "cpu-used": "8"},
    pix_fmt="yuv444p",
    suffix=".mkv",
)

SOURCES: dict[str, tuple[str | MediaSpec, ...]] = {
    "odd size": (ODD,),
    "not square": ("anamorphic",),
    "rotated": ("rotated",),
    "unspecified": ("no-vui",),
    "full range": (FULL,),
    "variable rate": ("vfr",),
    "interlaced": ("interlaced",),
    "HDR10": ("hevc-hdr10",),
    "HLG": ("hevc-hlg-mkv",),
    "other size": ("pyramid", SMALLER),
    "HD and SD": (LARGE, "pyramid"),
    "SD and HD": ("pyramid", LARGE),
    "full and limited": (FULL, "pyramid"),
    "HDR and SDR": ("hevc-hdr10", "pyramid"),
    "SDR and HDR": ("pyramid", "hevc-hdr10"),
    "rotated and upright": ("rotated", "pyramid"),
    "not square, square": ("anamorphic", SMALLER),
}
CASES = [(source, kind) for source in SOURCES for kind in KINDS if kind != "inset"]  # it needs a second camera
QUICK = [
    ("odd size", "crop"), ("not square", "blur"), ("rotated", "text"), ("unspecified", "scale"),
    ("full range", "colour"), ("variable rate", "speed"), ("interlaced", "denoise"), ("HDR10", "image"),
    ("full range", "fade"), ("interlaced", "scale"), ("HDR and SDR", "scale"), ("rotated and upright", "crop"),
    ("full and limited", "text"),
]  # fmt: skip
SAME_COLOURS = {
    "rotate", "scale", "sdr", "deinterlace", "denoise", "speed", "freeze", "loop", "mute", "gain", "loudness", "fade",
}  # fmt: skip
"""Edits after which the second picture has the mean colour that it had; `fade` ends before it."""


@pytest.fixture
def files(recording: Recordings, media_folder: Path, tmp_path: Path) -> Callable[[str], list[bytes]]:
    """The recordings of a source."""
    return lambda name: recordings_of(SOURCES[name], recording, media_folder, tmp_path)


def recordings_of(
    names: Sequence[str | MediaSpec], recording: Recordings, media_folder: Path, folder: Path
) -> list[bytes]:
    """Recordings by their names."""
    found = []
    for each in names:
        if isinstance(each, MediaSpec):
            path = cached_media(each, media_folder)
        else:
            path = interlaced(folder, top_first=True) if each == "interlaced" else recording(each).path
        found.append(path.read_bytes())
    return found


def made(files: Sequence[bytes], edits: Sequence[dict[str, Any]], folder: Path) -> tuple[bytes, Facts, dict[str, Any]]:
    """A clip of the first second of each recording, and its plan."""
    request = validate_request(
        {
            "source": {"recording": "a.mp4", "start": 0, "end": 1},
            "edits": list(edits),
            "title": "T",
            "labels": {"rider": "Ana"},
        }
    )
    picture = io.BytesIO()
    Image.new("RGBA", (40, 20), (255, 0, 0, 128)).save(picture, "PNG")
    assets = {name: picture.getvalue() if name.endswith("png") else files[0] for name in request.assets}
    sources = [BytesSource(data) for data in (*files, *assets.values())]
    job = CutJob(
        tuple(source.size for source in sources),
        tuple(CutRange(number, Fraction(0), Fraction(1)) for number in range(len(files))),
        edits=edits_of(request.edits, request.text_field),
        wall_clocks=(CLOCK,) * len(files),
        assets={name: number for number, name in enumerate(assets, len(files))},
    )
    planned = preview(job, sources)
    with (folder / "spool").open("w+b", buffering=0) as file:
        spool = Spool(file)
        done = cut(job, sources, spool, lambda _: None)
        clip = Assembled(done.head, done.extents, sources, spool)
        return clip.read_at(0, clip.size), done.facts, planned


def mean_colour(data: bytes, number: int) -> NDArray[Any]:
    """The mean red, green and blue of a picture, from 0 to 255, as players show it."""
    with av.open(io.BytesIO(data), "r") as container:
        frame = list(container.decode(video=0))[number]
    frame = ToSdr().apply(frame) if shows_hdr(frame) else frame
    shown = frame.reformat(format="rgb24", src_colorspace=matrix_of(frame), src_color_range=range_of(frame))
    mean: NDArray[Any] = shown.to_ndarray().reshape(-1, 3).mean(axis=0)
    return mean


def edit_of(kind: str) -> dict[str, Any]:
    """An edit that fits a clip of a second and pictures of 320 × 180."""
    small: dict[str, dict[str, Any]] = {
        "blur": {"x": "30%", "y": "30%", "width": "30%", "height": "40%"},
        "crop": {"aspect": "1:1"},
        "fade": {"out": 0.3},
        "freeze": {"at": 0.5, "duration": 0.5},
        "loop": {"times": 2},
        "text": {"text": "{camera}", "size": "20%", "from": 0.5, "duration": 0.3},
        "speed": {"spans": [{"from": 0.5, "to": 0.8, "speed": 0.5}]},
        "rotate": {"degrees": 180, "flip": "horizontal"},
        "sound_fade": {"in": 0.2, "out": 0.2},
    }
    return {"edit": kind, **small[kind]} if kind in small else example(kind)


@pytest.mark.parametrize("case", slow_except(CASES, *QUICK, slow_one_in=4), ids=" ".join)
def test_an_edit_of_an_odd_source_is_exact_and_keeps_colours_or_is_refused(
    files: Callable[[str], list[bytes]], tmp_path: Path, case: tuple[str, str]
) -> None:
    source, kind = case
    recordings, edit = files(source), edit_of(kind)
    before, plain, _ = made(recordings, (), tmp_path)
    try:
        after, facts, planned = made(recordings, [edit], tmp_path)
    except EditImpossibleError:
        if kind not in {"audio_track", "channels", "music"}:  # some have no sound
            raise
        return
    assert decode_warnings(after) == []
    assert not facts.remade
    shown = decode_presented(after)
    times = [frame.time for frame in shown.frames]
    assert times == sorted(set(times))
    assert len(times) == facts.frames == facts.frames_copied + facts.frames_encoded
    assert (planned["frames"]["copy"], planned["frames"]["encode"]) == (facts.frames_copied, facts.frames_encoded)
    assert Fraction(planned["clip_duration"]) == pytest.approx(facts.duration, abs=0.001)
    expected = {"timelapse": 10, "loop": 2 * plain.frames}.get(kind, plain.frames)
    assert len(times) == expected
    assert facts.width % 2 == facts.height % 2 == 0
    if kind in SAME_COLOURS:
        for number in (1, -2 if kind in {"rotate", "scale", "sdr"} else 1):
            assert mean_colour(after, number) == pytest.approx(mean_colour(before, number), abs=4)


@pytest.mark.parametrize("source", [name for name, files in SOURCES.items() if len(files) > 1])
def test_recordings_that_differ_keep_their_colours_when_they_are_joined(
    files: Callable[[str], list[bytes]], tmp_path: Path, source: str
) -> None:
    first, second = files(source)
    both, facts, _ = made([first, second], (), tmp_path)
    for number, alone in ((5, first), (facts.frames - 5, second)):
        data, plain, _ = made([alone], (), tmp_path)
        at = number if alone is first else plain.frames - 5
        size, own = shown_upright(both, number).size, shown_upright(data, at).size
        scale = min(size[0] / own[0], size[1] / own[1])
        beside_bars = own[0] * own[1] * scale**2 / (size[0] * size[1])
        assert mean_colour(both, number) == pytest.approx(mean_colour(data, at) * beside_bars, abs=5), (
            "first" if number == 5 else "second"
        )


# --- recordings of different shapes ----------------------------------------------------------------


def shown_upright(data: bytes, number: int) -> Image.Image:
    """A picture as players show it: upright, with square pixels."""
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.video[0]
        frame = list(container.decode(stream))[number]
        aspect = stream.sample_aspect_ratio or Fraction(1)
    picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    return picture.resize((round(frame.width * aspect), frame.height)).rotate(frame.rotation, expand=True)


def between_bars(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """All of a picture within another size, in the middle of black."""
    canvas = Image.new("RGB", size)
    scale = min(size[0] / picture.width, size[1] / picture.height)
    inner = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    canvas.paste(inner, ((size[0] - inner.width) // 2, (size[1] - inner.height) // 2))
    return canvas


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures, from 0 to 255."""
    small = [np.asarray(each.convert("L").resize((40, 40), Image.Resampling.BOX), dtype=float) for each in (one, other)]
    return float(np.abs(small[0] - small[1]).mean())


def changed_box(before: Image.Image, after: Image.Image) -> tuple[float, ...]:
    """Where two pictures differ much: left, top, right and bottom, as parts of the picture."""
    much = ImageChops.difference(before.convert("L"), after.convert("L")).point(lambda level: 255 * (level > 60))
    box = much.getbbox()
    assert box is not None
    return box[0] / after.width, box[1] / after.height, box[2] / after.width, box[3] / after.height


SHAPES = ("pyramid", "rotated", "anamorphic", "interlaced", "hevc-hdr10")
JOINED = [*permutations(SHAPES, 2), *((ODD, each) for each in SHAPES[:3]), *((each, SMALLER) for each in SHAPES[:3])]
TEXT = {"edit": "text", "text": "to the left", "size": "20%", "place": "top-left", "box": False}
EDITS_OF_JOINS: dict[str, dict[str, Any] | None] = {
    "as it is": None,
    "with a text": TEXT,
    "scaled": {"edit": "scale", "height": 90},
}
JOINS = [(*names, edit) for names in JOINED for edit in EDITS_OF_JOINS]
QUICK_JOINS = [("rotated", "pyramid", "as it is"), ("pyramid", "rotated", "with a text")]


def named(case: object) -> str:
    return f"{case.width}x{case.height}" if isinstance(case, MediaSpec) else str(case)


@pytest.mark.parametrize("case", slow_except(JOINS, *QUICK_JOINS), ids=lambda case: " ".join(map(named, case)))
def test_recordings_of_different_shapes_are_shown_upright_and_whole_in_the_shape_of_the_first(
    recording: Recordings, media_folder: Path, tmp_path: Path, case: tuple[str | MediaSpec, str | MediaSpec, str]
) -> None:
    first, second = recordings_of(case[:2], recording, media_folder, tmp_path)
    edit = EDITS_OF_JOINS[case[2]]
    edits = [] if edit is None else [edit]
    both, facts, planned = made([first, second], edits, tmp_path)
    assert decode_warnings(both) == []
    assert (planned["frames"]["copy"], planned["frames"]["encode"]) == (facts.frames_copied, facts.frames_encoded)
    alone = [made([each], [] if edit is TEXT else edits, tmp_path)[0] for each in (first, second)]
    pictures = shown_upright(alone[0], 8), shown_upright(alone[1], -3)
    found = shown_upright(both, 8), shown_upright(both, -3)
    assert found[0].size == found[1].size
    assert found[0].size == pytest.approx(pictures[0].size, abs=2)
    if "hdr" in str(case):
        return  # the first one decides about colours
    if edit is TEXT:  # on both, upright at the place that it has in the clip
        without = made([first, second], [], tmp_path)[0]
        for number in (8, -3):
            changes = changed_box(shown_upright(without, number), shown_upright(both, number))
            assert changes == pytest.approx(changed_box(shown_upright(without, 8), found[0]), abs=0.02)
            assert max(changes[:2]) < 0.1
            assert changes[2] - changes[0] > changes[3] - changes[1]
        return
    assert difference(found[0], pictures[0]) < 16
    # Bars may be a pixel wider. Stretched or lying pictures differ by more than 50.
    assert difference(found[1], between_bars(pictures[1], found[1].size)) < 16


@pytest.mark.parametrize("source", ["rotated and upright", "not square, square", "other size"])
def test_a_still_of_recordings_of_different_shapes_is_what_the_clip_shows(
    files: Callable[[str], list[bytes]], tmp_path: Path, source: str
) -> None:
    recordings = files(source)
    clip, facts, _ = made(recordings, (), tmp_path)
    ranges = tuple(CutRange(number, Fraction(0), Fraction(1)) for number in range(2))
    for number in (8, facts.frames - 3):
        at = Finished(decode_presented(clip).frames[number].time)
        still = Image.open(io.BytesIO(make_output(recordings, ranges, PngStill(at, None)).data))
        shown = shown_upright(clip, number)
        assert still.width / still.height == pytest.approx(shown.width / shown.height, rel=0.03)
        assert difference(still, shown) < 8
