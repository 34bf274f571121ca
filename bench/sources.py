"""The recordings to cut from: ten minutes (or two hours) of 1080p30 H.264 with GOPs of 2 and of 10 seconds."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_PICTURE = (
    "testsrc2=s=1920x1080:r=30,noise=alls=6:allf=t[a];"
    "mandelbrot=s=640x360:r=30[m];"
    "[a][m]overlay=x=200+100*sin(t):y=300+60*cos(t),"
    "drawtext=text=%{n}:fontsize=72:x=60:y=900:fontcolor=white:box=1:boxcolor=black"
)
_SOUND = "anoisesrc=c=pink:a=0.2:r=48000,aformat=channel_layouts=stereo"


class SourcesError(Exception):
    """The recordings to measure with cannot be made; the message says what is lacking."""


@dataclass(frozen=True, slots=True)
class Source:
    """A recording made for measuring."""

    name: str
    path: Path
    frames_per_gop: int
    index_bytes: int
    """Of its container's index."""


def prepare(
    cache: Path, *, with_long: bool, say: Callable[[str], None], names: Sequence[str] = ("g2", "g10")
) -> list[Source]:
    """The recordings, made where they are missing; some 900 MB, and 5 GB more `with_long`.

    Raises:
        SourcesError: there is no `ffmpeg` to make them with, or it failed.
    """
    cache.mkdir(parents=True, exist_ok=True)
    wanted = [each for each in (("g2", 60, 10), ("g10", 300, 10)) if each[0] in names]
    if with_long:
        wanted.append(("g2-2h", 60, 120))
    made = []
    for name, gop, minutes in wanted:
        path = cache / f"{name}.mp4"
        if not path.exists():
            minute = minute_of(cache, name.partition("-")[0], say)
            say(f"making {path.name}: that minute, {minutes} times")
            run_ffmpeg(path, ["-stream_loop", str(minutes - 1), "-i", str(minute), "-c", "copy"])
        made.append(Source(name, path, gop, index_size(path)))
    return made


def minute_of(cache: Path, name: str, say: Callable[[str], None]) -> Path:
    """The minute that `g2` or `g10` repeats, made where it is missing. Raises as `prepare`."""
    preset, gop = {"g2": ("veryfast", 60), "g10": ("superfast", 300)}[name]
    minute = cache / f"{name}-60.mp4"
    if not minute.exists():
        say(f"making {minute.name}: one minute, encoded")
        run_ffmpeg(minute, _encoding(preset, gop))
    return minute


def prepare_hour(cache: Path, *, say: Callable[[str], None]) -> Path:
    """Return a recording of an hour and 640 × 360 pixels, with a keyframe every two seconds; make it if necessary.

    Raises:
        SourcesError: see `run_ffmpeg`.
    """
    hour = cache / "hour.mp4"
    if not hour.exists():
        minute = cache / "small-60.mp4"
        say(f"making {hour.name}: an hour of 640 × 360")
        filters = ["-vf", "scale=640:360", "-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-c:a", "copy"]
        run_ffmpeg(minute, ["-i", str(minute_of(cache, "g2", say)), *filters])
        run_ffmpeg(hour, ["-stream_loop", "59", "-i", str(minute), "-c", "copy"])
        minute.unlink()
    return hour


def _encoding(preset: str, gop: int) -> list[str]:
    return [
        *("-f", "lavfi", "-i", _PICTURE, "-f", "lavfi", "-i", _SOUND, "-t", "60"),
        *("-c:v", "libx264", "-preset", preset, "-b:v", "5M", "-maxrate", "7M", "-bufsize", "10M"),
        *("-g", str(gop), "-keyint_min", str(gop), "-sc_threshold", "0", "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-b:a", "160k"),
    ]


def run_ffmpeg(path: Path, arguments: list[str]) -> None:
    """Make a file, whole or not at all.

    Raises:
        SourcesError: there is no `ffmpeg`, or it failed.
    """
    if shutil.which("ffmpeg") is None:
        raise SourcesError(
            f"{path} is missing, and there is no ffmpeg to make it with: install it (apt-get install ffmpeg), "
            "or name a folder that has the recordings in CUTBACK_BENCH_CACHE."
        )
    part = path.with_suffix(".part.mp4")
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments, str(part)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        part.unlink(missing_ok=True)
        raise SourcesError(f"ffmpeg could not make {path.name}: {done.stderr.strip()[-500:]}")
    part.replace(path)


def index_size(path: Path) -> int:
    """Bytes of an MP4's `moov` box, which is its index.

    Raises:
        SourcesError: it has none.
    """
    with path.open("rb") as file:
        at = 0
        while len(header := file.read(16)) >= 8:
            size = int.from_bytes(header[:4])
            if size == 1:
                size = int.from_bytes(header[8:16])
            if header[4:8] == b"moov":
                return size
            if size < 8:
                break
            at += size
            file.seek(at)
    raise SourcesError(f"{path} is no MP4, or not a whole one. Remove it; it will be made again.")
