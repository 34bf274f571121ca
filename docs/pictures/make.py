"""Make the pictures of docs/edits.md and docs/request.md: drawn recordings, and clips of them with each edit.

Usage: python docs/pictures/make.py [NAME ...]

The same versions of the libraries make the same files. Names of edits make only their pictures.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageDraw

from cutback.cli.demo.drawing.sea import make_recording
from cutback.cutting.assembled import Assembled
from cutback.cutting.codecs.dynamic_range import ToHdr
from cutback.cutting.codecs.hdr_levels import PQ
from cutback.cutting.cut import cut
from cutback.cutting.job import CutJob, CutRange, InsetRange, WallClock
from cutback.cutting.spool import Spool
from cutback.domain.requests.request import validate_request
from cutback.reading.edit_values import edits_of

HERE = Path(__file__).parent

START = datetime(2026, 11, 24, 10, 3, 0, tzinfo=UTC)
CLOCK = WallClock(Fraction(int(START.timestamp())), Fraction(1), "north-point")
CLIP = (2, 6)
"""Seconds of the recording."""

HEIGHT = 180
"""Of the pictures, in pixels."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Shown:
    """What a picture shows: frames of a clip with edits."""

    edits: Sequence[Mapping[str, Any]] = ()
    at: Sequence[float] = (0.5,)
    """Which frames, as parts of the clip's length."""
    recording: str = "sea"
    before: bool = False
    """Whether the first frame is shown without the edits, too."""
    part: Box = (0, 0, 1, 1)
    """Left, top, right and bottom of what is shown of each frame, as parts of its size."""
    ranges: Sequence[tuple[int, int]] = (CLIP,)
    source: Sequence[Mapping[str, Any]] = field(default=())
    """How the ranges are joined, as in a request."""
    one_by_one: bool = False
    """Whether the frame is shown without edits, with the first one, the first two, and so on."""


NEAR = (0.15, 0.45, 0.4, 0.7)

SHOWN: Mapping[str, Shown] = {
    "original": Shown(),
    "crossfade": Shown(
        at=(0.3, 0.5, 0.7),
        source=(
            {"recording": "sea.mp4", "start": 1, "end": 3},
            {"recording": "sea.mp4", "start": 5, "end": 7, "join": {"crossfade": 1}},
        ),
    ),
    "deinterlace": Shown(({"edit": "deinterlace"},), (0.5,), "interlaced", before=True, part=NEAR),
    "rotate": Shown(({"edit": "rotate", "degrees": 90, "flip": "horizontal"},)),
    "crop": Shown(({"edit": "crop", "aspect": "9:16", "gravity": "center"},)),
    "moving-crop": Shown(
        ({"edit": "crop", "aspect": "9:16", "path": [{"at": 0.5, "x": "5%"}, {"at": 3.5, "x": "65%"}]},),
        (0.1, 0.5, 0.9),
    ),
    "scale": Shown(({"edit": "scale", "width": 320, "height": 320, "mode": "pad"},)),
    "sdr": Shown(({"edit": "sdr"},), recording="hdr", before=True),
    "colour": Shown(({"edit": "colour", "saturation": 60, "temperature": 40},), before=True),
    "denoise": Shown(({"edit": "denoise", "strength": "strong"},), recording="noisy", before=True, part=NEAR),
    "blur": Shown(({"edit": "blur", "x": "30%", "y": "35%", "width": "40%", "height": "30%"},)),
    "speed": Shown(({"edit": "speed", "speed": 2},), (0.1, 0.5, 0.9)),
    "freeze": Shown(({"edit": "freeze", "at": 1, "duration": 2},), (0.0, 0.26, 0.5)),
    "loop": Shown(({"edit": "loop", "times": 2, "from": 0, "to": 2},), (0.0, 0.32, 0.34)),
    "reverse": Shown(({"edit": "reverse"},), (0.1, 0.5, 0.9)),
    "timelapse": Shown(({"edit": "timelapse", "duration": 1, "fps": 10},), (0.1, 0.5, 0.9)),
    "text": Shown(({"edit": "text", "text": "Left at the point", "place": "bottom", "size": "10%", "weight": "bold"},)),
    "clock": Shown(
        ({"edit": "clock", "place": "top-right", "size": "8%", "zone": "Australia/Sydney", "show": "time"},),
        (0.1, 0.5, 0.9),
    ),
    "image": Shown(
        (
            {
                "edit": "image",
                "asset": "logo.png",
                "place": "bottom-right",
                "margin": "5%",
                "width": "20%",
                "opacity": 0.8,
            },
        )
    ),
    "inset": Shown(({"edit": "inset", "recording": "south.mp4", "width": "35%", "margin": "4%"},)),
    "fade": Shown(({"edit": "fade", "in": 1, "out": 1},), (0.05, 0.15, 0.5)),
    "order": Shown(
        (
            {"edit": "crop", "width": "60%", "height": "60%"},
            {"edit": "colour", "saturation": 60, "temperature": 40},
            {"edit": "text", "text": "Left at the point", "size": "12%"},
        ),
        one_by_one=True,
    ),
}
"""For each picture, what it shows. `order` is of docs/request.md, the others of docs/edits.md."""


def main() -> None:
    """Write `edit-NAME.jpg` and `request-NAME.jpg` beside this file."""
    wanted = set(sys.argv[1:] or SHOWN)
    with tempfile.TemporaryDirectory() as folder:
        sea = Path(folder) / "sea.mp4"
        make_recording(sea, seconds=8, size=(640, 360), start=START)
        made = {"sea": sea.read_bytes()}
        for name, shown in SHOWN.items():
            if name not in wanted:
                continue
            if shown.recording not in made:
                made[shown.recording] = RECORDINGS[shown.recording](sea)
            recording = made[shown.recording]
            other = b"" if name != "inset" else drawn("south-point", Path(folder))
            found = frames(clip(recording, shown, other), shown.at)
            if shown.before:
                found = [*frames(clip(recording, Shown()), shown.at), *found]
            if shown.one_by_one:
                parts = (Shown(shown.edits[:count], shown.at) for count in range(len(shown.edits)))
                found = [*(frame for part in parts for frame in frames(clip(recording, part), part.at)), *found]
            row = side_by_side([zoomed(each, shown.part) for each in found])
            row.save(HERE / f"{'request' if shown.one_by_one else 'edit'}-{name}.jpg", quality=72, optimize=True)


class Bytes:
    """A recording in memory."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        """See `ByteSource.read_at`."""
        return self.data[offset : offset + length]

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Nothing to fetch."""


def drawn(camera: str, folder: Path) -> bytes:
    """Return a recording of a camera."""
    path = folder / f"{camera}.mp4"
    make_recording(path, seconds=8, size=(640, 360), start=START, camera=camera)
    return path.read_bytes()


def clip(recording: bytes, shown: Shown, other: bytes = b"") -> bytes:
    """Cut a clip with edits. `other` is the recording that insets show."""
    source = shown.source or [{"recording": "sea.mp4", "start": start, "end": end} for start, end in shown.ranges]
    request = validate_request({"source": list(source), "edits": list(shown.edits)})
    sources = [Bytes(recording), Bytes(logo()), Bytes(other)]
    ranges = tuple(
        CutRange(
            0,
            Fraction(each["start"]),
            Fraction(each["end"]),
            crossfade=Fraction(each.get("join", {}).get("crossfade", 0)),
        )
        for each in source
    )
    job = CutJob(
        tuple(each.size for each in sources),
        ranges,
        edits=edits_of(request.edits, request.text_field),
        wall_clocks=(CLOCK,),
        assets=dict.fromkeys(request.assets, 1),
        insets=tuple(InsetRange(name, 2, Fraction(CLIP[0]), None) for name in request.inset_recordings),
    )
    with tempfile.TemporaryFile() as file:
        spool = Spool(file)
        made = cut(job, sources, spool, lambda _: None)
        assembled = Assembled(made.head, made.extents, sources, spool)
        return assembled.read_at(0, assembled.size)


def logo() -> bytes:
    """Draw a logo: a wave in a circle."""
    size = 400
    picture = Image.new("RGBA", (size, size))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((0, 0, size - 1, size - 1), fill="#0b3c5d")
    draw.ellipse((30, 30, size - 31, size - 31), outline="white", width=10)
    for row in (0, 1, 2):
        points = [(x, 170 + 50 * row + round(28 * _wave(x / 110))) for x in range(75, size - 74)]
        draw.line(points, fill="white", width=18, joint="curve")
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def _wave(x: float) -> float:
    phase = x % 1
    return 4 * phase - 1 if phase < 0.5 else 3 - 4 * phase


def _pictures(path: Path) -> Iterator[av.VideoFrame]:
    with av.open(str(path)) as container:
        yield from container.decode(video=0)


def _encoded(pictures: Iterator[av.VideoFrame], codec: str, options: Mapping[str, str], suffix: str = ".mp4") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"made{suffix}"
        with av.open(str(path), "w") as container:
            stream: Any = None
            for number, picture in enumerate(pictures):
                if stream is None:
                    stream = container.add_stream(codec, rate=30, options=dict(options))
                    stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, picture.format.name
                    stream.codec_context.color_trc = picture.color_trc
                    stream.codec_context.color_primaries = picture.color_primaries
                    stream.codec_context.colorspace = picture.colorspace
                picture.pts, picture.time_base, picture.pict_type = number, Fraction(1, 30), 0
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        return path.read_bytes()


def noisy(sea: Path) -> bytes:
    """The recording as by a camera at night."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=640, height=360, format=av.VideoFormat("yuv420p"), time_base=Fraction(1, 30))
    graph.link_nodes(source, graph.add("noise", "alls=11:allf=t"), graph.add("buffersink")).configure()

    def pictures() -> Iterator[av.VideoFrame]:
        for picture in _pictures(sea):
            graph.push(picture)
            made = graph.pull()
            assert isinstance(made, av.VideoFrame)
            yield made

    return _encoded(pictures(), "libx264", {"preset": "ultrafast", "crf": "12"})


def interlaced(sea: Path) -> bytes:
    """The recording as by an old camera: the rows of each frame are from two moments."""

    def pictures() -> Iterator[av.VideoFrame]:
        graph = av.filter.Graph()
        source = graph.add_buffer(width=640, height=360, format=av.VideoFormat("yuv420p"), time_base=Fraction(1, 30))
        graph.link_nodes(source, graph.add("setfield", "tff"), graph.add("buffersink")).configure()
        found = list(_pictures(sea))
        for number, first in enumerate(found):
            second = found[min(number + 4, len(found) - 1)]
            made = first.to_ndarray(format="yuv420p")
            made[1::2] = second.to_ndarray(format="yuv420p")[1::2]
            frame = av.VideoFrame.from_ndarray(made, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            graph.push(frame)
            woven = graph.pull()
            assert isinstance(woven, av.VideoFrame)
            yield woven

    return _encoded(pictures(), "libx264", {"preset": "ultrafast", "crf": "12", "x264-params": "tff=1"})


def hdr(sea: Path) -> bytes:
    """The recording as by a camera with HDR."""
    to_hdr = ToHdr(PQ)
    return _encoded(
        map(to_hdr.apply, _pictures(sea)),
        "libx265",
        {"preset": "ultrafast", "crf": "8", "x265-params": "log-level=none"},
    )


RECORDINGS = {"noisy": noisy, "interlaced": interlaced, "hdr": hdr}


def frames(made: bytes, shares: Sequence[float]) -> list[Image.Image]:
    """Return frames of a clip that are shown at parts of its length."""
    with av.open(io.BytesIO(made), "r") as container:
        shown = [(float(frame.time or 0), frame.to_image()) for frame in container.decode(video=0)]
        length = float(container.duration or 0) / 1_000_000
    return [[image for time, image in shown if time <= share * length + 0.001][-1] for share in shares]


def zoomed(picture: Image.Image, part: Box) -> Image.Image:
    """Return a part of a picture."""
    left, top, right, bottom = part
    return picture.crop(
        (
            round(left * picture.width),
            round(top * picture.height),
            round(right * picture.width),
            round(bottom * picture.height),
        )
    )


def side_by_side(pictures: Sequence[Image.Image]) -> Image.Image:
    """Return small pictures in one row."""
    small = [
        each.resize((round(each.width * HEIGHT / each.height), HEIGHT), Image.Resampling.LANCZOS) for each in pictures
    ]
    row = Image.new("RGB", (sum(each.width for each in small) + 4 * (len(small) - 1), HEIGHT), "white")
    left = 0
    for each in small:
        row.paste(each, (left, 0))
        left += each.width + 4
    return row


if __name__ == "__main__":
    main()
