"""The oracle: what a player presents of a file, and the errors that FFmpeg reports.

FFmpeg itself applies edit lists (it flags the packets outside and drops their frames after decoding) and skips an
encoder's priming samples; nothing here seeks or filters, so what comes out is what is presented.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from numpy.typing import NDArray
from tests.support.picture import CounterUnreadableError, luma_of, plane_rows, read_luma_counter

Source: TypeAlias = Path | str | bytes | BinaryIO
"""A file's path, its bytes, or a file open for reading."""


@dataclasses.dataclass(frozen=True, slots=True)
class PresentedFrame:
    """One picture a player shows."""

    time: Fraction
    """Seconds from the file's time zero."""
    duration: Fraction
    """Seconds, as the file states it; 0 where it does not."""
    counter: int | None
    """The number in its pixels; None if it is not readable."""
    unreadable: str
    """Why `counter` is None."""
    md5: str
    """Of all its samples; equal for bit-identical pictures."""
    luma: NDArray[np.uint8] | None
    """Rows of 8-bit luma, if requested."""


@dataclasses.dataclass(frozen=True, slots=True)
class Presented:
    """All a player shows and plays of a file's first video and first audio track, in the order it decodes."""

    zero: Fraction
    """The timestamp, in seconds, that counts as time zero; 0 but in MPEG-TS."""
    frames: list[PresentedFrame]
    audio: NDArray[np.float32]
    """Mono, the mean of all channels; a gap in the timestamps is silence. Empty without sound."""
    audio_start: Fraction | None
    """Seconds from time zero of the first sample; None without sound."""
    sample_rate: int
    """Hz; 0 without sound."""
    audio_jumps: list[tuple[Fraction, Fraction]]
    """Where timestamps do not follow on: the time, and the seconds of gap (or, negative, of overlap)."""

    @property
    def times(self) -> list[Fraction]:
        """The frames' times in seconds from time zero."""
        return [frame.time for frame in self.frames]

    @property
    def counters(self) -> list[int]:
        """The numbers in the frames' pixels.

        Raises:
            CounterUnreadableError: a frame carries none, or a damaged one.
        """
        numbers = [frame.counter for frame in self.frames if frame.counter is not None]
        if len(numbers) != len(self.frames):
            n, bad = next((n, frame) for n, frame in enumerate(self.frames) if frame.counter is None)
            raise CounterUnreadableError(f"frame {n} at {float(bad.time):.4f} s: {bad.unreadable}")
        return numbers

    @property
    def audio_end(self) -> Fraction | None:
        """Seconds from time zero at which the sound ends; None without sound.

        FFmpeg plays the last packet whole, although an edit list may end within it.
        """
        if self.audio_start is None:
            return None
        return self.audio_start + Fraction(len(self.audio), self.sample_rate)


def decode_presented(source: Source, *, luma: bool = False, zero: Fraction | None = None) -> Presented:
    """Decode a file the way a player presents it.

    Args:
        source: the file.
        luma: keep every frame's luma, for `psnr`; costs width * height bytes a frame.
        zero: the timestamp that counts as time zero. None: the container's own zero, which is 0 after edit
            lists, and in MPEG-TS, which has none, the first frame's (or, without picture, sample's) time.

    Raises:
        av.FFmpegError: the file does not open, or a packet does not decode at all.
    """
    pictures: list[PresentedFrame] = []
    sounds: list[tuple[Fraction, NDArray[np.float32]]] = []
    rate, tick = 0, Fraction(0)
    with _opened(source) as container:
        videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        for stream in videos[:1]:
            stream.thread_type = "AUTO"
        for packet in container.demux([*videos[:1], *container.streams.audio[:1]]):
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    pictures.append(_picture(frame, keep_luma=luma))
                elif isinstance(frame, av.AudioFrame):
                    rate, tick = frame.sample_rate, frame.time_base or tick
                    sounds.append((_time(frame), _mono(frame)))
        if zero is None:
            starts = [frame.time for frame in pictures] or [at for at, _ in sounds]
            zero = min(starts, default=Fraction(0)) if container.format.name == "mpegts" else Fraction(0)
    audio, jumps = _lay_out([(at - zero, samples) for at, samples in sounds], rate, tick)
    return Presented(
        zero=zero,
        frames=[dataclasses.replace(frame, time=frame.time - zero) for frame in pictures],
        audio=audio,
        audio_start=sounds[0][0] - zero if sounds else None,
        sample_rate=rate,
        audio_jumps=jumps,
    )


@contextmanager
def _opened(source: Source) -> Iterator[InputContainer]:
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    opened: Any = str(source) if isinstance(source, Path) else source
    with av.open(opened, "r") as container:
        yield container


def _time(frame: av.VideoFrame | av.AudioFrame) -> Fraction:
    """Its timestamp in seconds."""
    assert frame.pts is not None
    assert frame.time_base is not None
    return frame.pts * frame.time_base


def _picture(frame: av.VideoFrame, *, keep_luma: bool) -> PresentedFrame:
    rows = luma_of(frame)
    number, why = None, ""
    try:
        number = read_luma_counter(rows)
    except CounterUnreadableError as error:
        why = str(error)
    return PresentedFrame(
        time=_time(frame),
        duration=frame.duration * (frame.time_base or Fraction(0)),
        counter=number,
        unreadable=why,
        md5=frame_md5(frame),
        luma=rows if keep_luma else None,
    )


def _mono(frame: av.AudioFrame) -> NDArray[np.float32]:
    samples: Any = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    scale = 1.0 if samples.dtype.kind == "f" else float(np.iinfo(samples.dtype).max) + 1
    mono: NDArray[np.float32] = (samples.mean(axis=0, dtype=np.float64) / scale).astype(np.float32)
    return mono


def _lay_out(
    sounds: list[tuple[Fraction, NDArray[np.float32]]], rate: int, tick: Fraction
) -> tuple[NDArray[np.float32], list[tuple[Fraction, Fraction]]]:
    """Put decoded blocks where their timestamps say, and list where these do not follow on."""
    laid: list[NDArray[np.float32]] = []
    jumps: list[tuple[Fraction, Fraction]] = []
    end = Fraction(0)  # of what is laid out, in seconds
    for at, samples in sounds:
        # Containers with coarse ticks (Matroska: 1 ms) round every block's time; that is no jump.
        if laid and abs(at - end) > max(tick, Fraction(1, rate)):
            jumps.append((end, at - end))
            missing = round((at - end) * rate)
            if missing > 0:
                laid.append(np.zeros(missing, np.float32))
            else:
                before = np.concatenate(laid)
                laid = [before[: max(0, len(before) + missing)]]
            end = at
        elif not laid:
            end = at
        laid.append(samples)
        end += Fraction(len(samples), rate)
    return (np.concatenate(laid) if laid else np.zeros(0, np.float32)), jumps


# --- comparing pictures ----------------------------------------------------------------------------


def frame_md5(frame: av.VideoFrame) -> str:
    """A digest of a frame's format, size and samples; padding does not count."""
    digest = hashlib.md5(f"{frame.format.name} {frame.width}x{frame.height}".encode(), usedforsecurity=False)
    for index, plane in enumerate(frame.planes):
        parts = [part for part in frame.format.components if part.plane == index]
        used = sum(part.width * ((part.bits + 7) // 8) for part in parts)
        digest.update(plane_rows(plane)[:, :used].tobytes())
    return digest.hexdigest()


def psnr(a: av.VideoFrame | NDArray[np.uint8], b: av.VideoFrame | NDArray[np.uint8]) -> float:
    """How alike the luma of two pictures is, in dB; infinity if it is identical."""
    rows_a, rows_b = (luma_of(x) if isinstance(x, av.VideoFrame) else x for x in (a, b))
    if rows_a.shape != rows_b.shape:
        raise ValueError(f"pictures of different sizes: {rows_a.shape[::-1]} and {rows_b.shape[::-1]}")
    error = float(np.mean((rows_a.astype(np.float32) - rows_b.astype(np.float32)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


# --- complaints ------------------------------------------------------------------------------------


def decode_warnings(source: Source) -> list[str]:
    """All that FFmpeg logs at warning or worse while it decodes every track whole, then `dts_faults`.

    An error that ends a track's decoding is listed too, as `error: ...`.
    """
    av_level, repeats = av.logging.get_level(), av.logging.get_skip_repeated()
    complaints: list[str] = []
    av.logging.set_level(av.logging.WARNING)
    av.logging.set_skip_repeated(False)
    try:
        with av.logging.Capture(local=False) as logged:
            try:
                with _opened(source) as container:
                    _decode_all(container, complaints)
                if not isinstance(source, str | Path | bytes):
                    source.seek(0)
                complaints += dts_faults(source)
            except (av.FFmpegError, ValueError) as error:
                complaints.append(f"error: {error}")
            return [f"{name}: {text.strip()}" for _, name, text in logged] + complaints
    finally:
        av.logging.set_skip_repeated(repeats)
        av.logging.set_level(av_level)


def _decode_all(container: InputContainer, complaints: list[str]) -> None:
    tracks = [stream for stream in container.streams if stream.type in {"video", "audio"}]
    for stream in tracks:
        # PyAV takes the GIL to log. A codec's own threads, logging while a call that holds the GIL
        # waits for them, would never end: so there are none.
        stream.codec_context.thread_count = 1
    for packet in container.demux(tracks):
        try:
            packet.decode()
        except av.FFmpegError as error:
            complaints.append(f"error: {packet.stream.type} packet at dts {packet.dts}: {error}")


def dts_faults(source: Source) -> list[str]:
    """Packets without a DTS, with one that does not increase within its track, or with one after their PTS."""
    faults: list[str] = []
    last: dict[int, int] = {}
    with _opened(source) as container:
        stores_dts = "matroska" not in container.format.name  # there FFmpeg guesses, at first without success
        for packet in container.demux():
            if not packet.size:
                continue
            name = f"{packet.stream.type} track {packet.stream_index}"
            before = last.get(packet.stream_index)
            if packet.dts is None:
                if stores_dts:
                    faults.append(f"dts: {name}: none at pts {packet.pts}")
                continue
            if before is not None and packet.dts <= before:
                faults.append(f"dts: {name}: {packet.dts} after {before}")
            if packet.pts is not None and packet.pts < packet.dts:
                faults.append(f"dts: {name}: pts {packet.pts} before dts {packet.dts}")
            last[packet.stream_index] = packet.dts
    return faults
