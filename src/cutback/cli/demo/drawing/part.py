"""One process's share of a recording: some of its frames, drawn and encoded.

Run as `python -m cutback.cli.demo.drawing.part ORDER`, ORDER being JSON (see `Part`). It prints the number of
frames done, one line for each group of pictures.
"""

from __future__ import annotations

import gc
import json
import sys
from dataclasses import asdict, dataclass
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from cutback.cli.demo.drawing.picture import STILL_SECONDS, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

BT709, LIMITED = 1, 1  # the code points of H.273, and AVCOL_RANGE_MPEG


@dataclass(frozen=True, slots=True)
class Part:
    """What to draw, and where to put it."""

    path: str
    width: int
    height: int
    fps: int
    seconds: int
    camera: str
    start: str
    """The first frame's time, as ISO 8601."""
    only: float | None
    """See `swell`."""
    first: int
    """The first frame, which begins a group of pictures."""
    end: int
    """The frame after the last."""

    def to_json(self) -> str:
        """Return the order as a command line argument."""
        return json.dumps(asdict(self))


def encode_part(part: Part) -> Iterator[int]:
    """Draw and encode a part into an MP4 file; yield the frames done after each group."""
    group = STILL_SECONDS * part.fps
    start = datetime.fromisoformat(part.start)
    scene = Scene((part.width, part.height), part.fps, part.seconds, part.camera, start, part.only)
    with av.open(part.path, "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=part.fps)
        stream.width, stream.height, stream.pix_fmt = part.width, part.height, "yuv420p"
        context = stream.codec_context
        # Another process encodes the other half on the other core.
        context.thread_count = 1
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
        stream.options = {
            "preset": "ultrafast",
            "profile": "high",
            # A constant quantiser spares x264 its look at each frame beforehand, a sixth of its
            # time, and gives both processes the same quality without telling each other.
            "qp": "28",
            "x264-params": f"keyint={group}:min-keyint={group}:scenecut=0:open-gop=0:bframes=1"
            ":b-adapt=0:cabac=1:8x8dct=1:deadzone-inter=32:no-dct-decimate=1:deblock=0,0",
        }
        for number in range(part.first, part.end):
            # The encoder copies the picture before it returns, so one frame serves for all.
            frame = scene.draw(number)
            frame.pts, frame.time_base = number - part.first, Fraction(1, part.fps)
            output.mux(stream.encode(frame))
            done = number + 1 - part.first
            if done % group == 0:
                yield done
        output.mux(stream.encode(None))
    yield part.end - part.first


def main() -> None:
    """Carry out the order on the command line."""
    # Drawing makes thousands of objects a second but no cycles of them: searching for cycles would
    # take one part in twenty-five of the time, and find nothing.
    gc.disable()
    for done in encode_part(Part(**json.loads(sys.argv[1]))):
        sys.stdout.write(f"{done}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
