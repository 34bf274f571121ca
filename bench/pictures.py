"""What sprites, waveforms and previews cost, of an hour of a recording and of a clip, each in a process of its own.

The hour is a minute of the drawn sea, sixty times: 1920 x 1080, as cameras record.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from bench.moments import MEASURED, SCRUBBED_SECONDS, FileSource, drawn, scrubbed
from cutback.cutting.job import CutJob, CutRange, Limits
from cutback.cutting.outputs.clip_pictures import clip_pictures
from cutback.cutting.outputs.make import make_outputs
from cutback.cutting.posters.choose import draw
from cutback.cutting.spool import Spool
from cutback.cutting.sprites import sprites
from cutback.cutting.waveform import waveform

Say = Callable[[str], None]

HOUR = 3600
CLIP = 30
"""Seconds of the clip that is copied."""
MOST = 0.1
"""Of the time of decoding all of an hour."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a piece of work takes."""

    name: str
    seconds: float
    """Of processor time."""
    memory: int
    """Bytes: how much the process grows."""


@dataclass(frozen=True, slots=True)
class PictureFigures:
    """Everything that this section measures."""

    seconds: int
    """Of the recording that stands for an hour: all of it, unless the run is quick."""
    hour: tuple[Cost, ...]
    """The last one is decoding all of it."""
    clip: tuple[Cost, ...]
    """The first one is the clip itself; the others come on top of it."""


def measure_pictures(cache: Path, *, quick: bool = False, say: Say) -> PictureFigures:
    """Draw what is missing, and measure. `quick` takes five minutes for the hour."""
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        hour = Path(folder) / "hour.mp4"
        seconds = HOUR // 12 if quick else HOUR
        _repeat(scrubbed(cache, say), hour, seconds // SCRUBBED_SECONDS)
        hourly = []
        for name, work in (("sprites", _sprites), ("waveform", _waveform), ("decoding all of it", _decode)):
            hourly.append(_cost(name, work, hour))
            say(f"pictures: {hourly[-1]}")
    sea = drawn(cache, MEASURED[0], say)
    clips = []
    for wanted in ("nothing", "poster", "sprites", "preview", "waveform"):
        clips.append(_cost(wanted, _CLIPS[wanted], sea))
        say(f"pictures: {clips[-1]}")
    return PictureFigures(seconds, tuple(hourly), tuple(clips))


def _repeat(sea: Path, path: Path, times: int) -> None:
    """Write a recording several times in a row, as copied packets."""
    with av.open(str(path), "w") as output:
        streams: dict[int, av.stream.Stream] = {}
        for number in range(times):
            with av.open(str(sea)) as source:
                for stream in source.streams:
                    streams.setdefault(stream.index, output.add_stream_from_template(stream) if not number else stream)
                for packet in source.demux():
                    if packet.size and packet.pts is not None and packet.dts is not None:
                        shift = int(
                            Fraction(number * (SCRUBBED_SECONDS + 1)) / packet.time_base
                        )  # the sound is a little longer
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = streams[packet.stream.index]
                        output.mux(packet)


def _cost(name: str, work: Callable[[Path], float], path: Path) -> Cost:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return Cost(name, *process.submit(_grown, work, path).result())


def _grown(work: Callable[[Path], float], path: Path) -> tuple[float, int]:
    before = _peak()
    seconds = work(path)
    return seconds, _peak() - before


def _peak() -> int:
    """Return the peak of this process's memory in bytes; that of `getrusage` includes the parent's."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) * 1024


def _spent(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _sprites(path: Path) -> float:
    return _spent(lambda: sprites(FileSource(path), Limits()))


def _waveform(path: Path) -> float:
    return _spent(lambda: waveform(FileSource(path), Limits()))


def _decode(path: Path) -> float:
    def decode() -> None:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_count = 1
            for _ in container.decode():
                pass

    return _spent(decode)


def _clip(path: Path, wanted: str) -> float:
    """Copy a clip, and return what the pictures of it cost; for "nothing", what the clip costs."""
    source = FileSource(path)
    job = CutJob((source.size,), (CutRange(0, Fraction(61, 2), Fraction(61, 2) + CLIP),))
    with tempfile.TemporaryFile(buffering=0) as file:
        spool = Spool(file)
        began = time.process_time()
        made = make_outputs(job, [source], spool, lambda _: None)
        own = time.process_time() - began
        if wanted == "nothing":
            return own
        if wanted == "poster":
            return _spent(lambda: draw(made.still, spool))
        playable = made.playable
        assert playable is not None
        return _spent(lambda: clip_pictures(playable, [wanted], Limits(), spool, lambda: None))


def _nothing(path: Path) -> float:
    return _clip(path, "nothing")


def _poster(path: Path) -> float:
    return _clip(path, "poster")


def _clip_sprites(path: Path) -> float:
    return _clip(path, "sprites")


def _preview(path: Path) -> float:
    return _clip(path, "preview")


def _clip_waveform(path: Path) -> float:
    return _clip(path, "waveform")


_CLIPS: dict[str, Callable[[Path], float]] = {
    "nothing": _nothing,
    "poster": _poster,
    "sprites": _clip_sprites,
    "preview": _preview,
    "waveform": _clip_waveform,
}
