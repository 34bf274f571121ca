"""Make a recording of a drawn sea: what a surf camera would have seen, at no camera's cost.

Every frame carries its number and its wall-clock time, for people to read and, as a strip of
cells, for programs; so it can be told from any clip which frames it holds.
"""

from __future__ import annotations

import heapq
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeAlias

import av

from cutback.cli.demo.drawing.canvas import CELL
from cutback.cli.demo.drawing.overlay import CELLS
from cutback.cli.demo.drawing.part import Part
from cutback.cli.demo.drawing.picture import STILL_SECONDS
from cutback.cli.demo.drawing.sound import encode_sound
from cutback.cli.demo.drawing.swell import seed_of, swell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

_PROCESSES = 2
_MIDDLE_GREY = 126
_DRAWING = 0.98
"""The share of drawing in the whole work; the rest is joining the parts."""

Progress: TypeAlias = "Callable[[float], None]"


def make_recording(
    path: Path,
    *,
    seconds: int = 300,
    fps: int = 30,
    size: tuple[int, int] = (1920, 1080),
    camera: str = "north-point",
    start: datetime,
    only: float | None = None,
    scratch: Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Write a recording to `path`: MP4, H.264 High with a closed GOP of 2 s, AAC stereo 48 kHz.

    The same arguments make the same pictures and the same sound. Until it is whole the recording
    is in a folder of its own; whatever is at `path` is then replaced at once.

    Args:
        path: The file to write.
        seconds: How long it is to be, in whole seconds.
        fps: Frames per second.
        size: Width and height in pixels, both even, at least 640 x 360; drawn for 16:9.
        camera: The camera's name, as it is to be read in the picture.
        start: The wall-clock time of the first frame, with a time zone; it is shown in UTC.
        only: The second at which a single wave breaks, with a surfer on it; by default they come in sets.
        scratch: Where that folder is, on the file system of `path`; beside the recording if None.
        progress: Told now and then how much is done, from 0 to 1, in the calling thread.

    Raises:
        ValueError: An argument is out of bounds.
        RuntimeError: A process drawing a part of it failed; its output is the message.
    """
    width, height = size
    if seconds < 1 or fps < 1 or seconds * fps >= 1 << CELLS:
        raise ValueError("seconds and fps must be positive, and the frames fewer than 2**24")
    if width % 2 or height % 2 or width < 640 or height < 360:
        raise ValueError("size must be even and at least 640 x 360")
    if start.tzinfo is None:
        raise ValueError("start must have a time zone")
    frames = seconds * fps
    tell = progress or _nobody
    # An absolute path cannot be taken for one of FFmpeg's protocols.
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=(scratch or path.parent).absolute()) as folder:
        parts = [
            Part(
                str(Path(folder, f"{first}.mp4")),
                width, height, fps, seconds, camera, start.isoformat(), only, first, end,
            )
            for first, end in _shares(frames, STILL_SECONDS * fps)
        ]  # fmt: skip
        sound = Path(folder, "sound.mp4")
        whole = Path(folder, "whole.mp4")
        with ExitStack() as stack:
            done: SimpleQueue[tuple[int, int]] = SimpleQueue()
            workers = [_Worker(part, index, done, stack) for index, part in enumerate(parts)]
            counts = [0] * len(parts)

            def hear(*, wait: bool) -> None:
                while wait or not done.empty():
                    index, count = done.get()
                    if count < 0:
                        workers[index].check()
                        count = parts[index].end - parts[index].first
                    counts[index] = count
                    tell(_DRAWING * sum(counts) / frames)
                    wait = wait and sum(counts) < frames

            for _ in encode_sound(sound, seconds, swell(seed_of(camera), seconds, only), seed_of(camera)):
                hear(wait=False)
            hear(wait=True)
            for worker in workers:
                worker.check()
        _join([Path(part.path) for part in parts], [part.first for part in parts], fps, sound, whole)
        whole.replace(path)
    tell(1.0)


def read_counter(frame: av.VideoFrame) -> int:
    """Return the number that a decoded frame of such a recording carries in its strip of cells.

    Args:
        frame: A frame of the recording's own size, in a planar YUV format.
    """
    plane = frame.planes[0]
    luma = memoryview(plane)
    row = (frame.height - CELL // 2) * plane.line_size
    return sum((luma[row + bit * CELL + CELL // 2] > _MIDDLE_GREY) << bit for bit in range(CELLS))


def _nobody(_: float) -> None:
    pass


def _shares(frames: int, group: int) -> list[tuple[int, int]]:
    """Divide the frames among the processes, at the bounds of groups of pictures."""
    groups = -(-frames // group)
    bounds = sorted({groups * i // _PROCESSES * group for i in range(_PROCESSES)} | {0})
    return list(zip(bounds, [*bounds[1:], frames], strict=True))


class _Worker:
    """A process that draws one part, and a thread that hears from it."""

    def __init__(self, part: Part, index: int, done: SimpleQueue[tuple[int, int]], stack: ExitStack) -> None:
        """Start the process; it ends with `stack` at the latest."""
        # Not multiprocessing: its spawn runs the caller's script again, its fork copies threads.
        self._errors = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (the stack closes it)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-P", "-m", "cutback.cli.demo.drawing.part", part.to_json()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=environment,
                text=True,
            )
        )
        listener = Thread(target=self._listen, args=(index, done), daemon=True)
        listener.start()
        # Undone in reverse: the process ends, so the thread does, so the pipe may be closed.
        stack.callback(listener.join)
        stack.callback(self._process.kill)

    def _listen(self, index: int, done: SimpleQueue[tuple[int, int]]) -> None:
        """Pass on how many frames are done, and at the end -1, whatever happens."""
        try:
            for line in self._process.stdout or ():
                done.put((index, int(line)))
        finally:
            done.put((index, -1))

    def check(self) -> None:
        """Raise an error unless the process has ended well."""
        if self._process.wait() != 0:
            self._errors.seek(0)
            raise RuntimeError(f"Drawing failed. {self._errors.read().decode(errors='replace')}")


_Item: TypeAlias = "tuple[float, int, int, av.Packet[Any]]"


def _join(videos: list[Path], firsts: list[int], fps: int, sound: Path, whole: Path) -> None:
    """Copy the parts' packets one after the other, and the sound's between them, into one file."""
    with ExitStack() as stack:
        pictures = [stack.enter_context(av.open(str(video))) for video in videos]
        noise = stack.enter_context(av.open(str(sound)))
        # The index goes in front, so that a browser or a range reader finds it at once.
        output = stack.enter_context(av.open(str(whole), "w", format="mp4", options={"movflags": "+faststart"}))
        picture_stream = output.add_stream_from_template(pictures[0].streams.video[0])
        sound_stream = output.add_stream_from_template(noise.streams.audio[0])
        tracks = [
            _packets(pictures, [Fraction(first, fps) for first in firsts], 0),
            _packets([noise], [Fraction(0)], 1),
        ]
        for _, track, _, packet in heapq.merge(*tracks):
            packet.stream = (picture_stream, sound_stream)[track]
            output.mux(packet)


def _packets(containers: list[av.container.InputContainer], begins: list[Fraction], track: int) -> Iterator[_Item]:
    """Yield the packets of one track's files, the times of each file shifted to its beginning."""
    number = 0
    for container, begin in zip(containers, begins, strict=True):
        for packet in container.demux(0):
            if packet.size == 0 or packet.dts is None or packet.pts is None:
                continue
            shift = round(begin / packet.time_base)
            packet.pts += shift
            packet.dts += shift
            number += 1
            yield float(packet.dts * packet.time_base), track, number, packet
