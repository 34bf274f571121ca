"""H.264 in field pictures (PAFF), which no encoder at hand makes: written bit by bit, of raw and skipped macroblocks.

Each frame is two pictures, a top and a bottom field. The first of a group is an IDR picture of raw (I_PCM)
macroblocks, its second field and all that follows P pictures in which only what changed is raw.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from tests.support.picture import draw
from tests.support.spec import MediaSpec

from cutback.cutting.bits import BitWriter, escape

Plane = NDArray[np.uint8]
Field = tuple[Plane, Plane, Plane]

START = b"\0\0\0\1"
I_SLICE, P_SLICE = 7, 5
RAW_IN_I, RAW_IN_P = 25, 30
"""mb_type of I_PCM (ITU-T H.264, tables 7-11 and 7-13)."""


def make_paff(spec: MediaSpec, path: Path) -> Path:
    """An MP4 of `spec.frames` frames in groups of `spec.gop`, without sound, of a still scene with a counter."""
    assert spec.gop is not None
    header = START + _sps(spec) + START + _pps()
    samples = [b"".join(START + unit for unit in _frame(spec, n)) for n in range(spec.frames)]
    with av.open(io.BytesIO(header + samples[0]), format="h264") as raw, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(raw.streams.video[0])
        stream.time_base = 1 / spec.fps
        for n, sample in enumerate(samples):
            packet = av.Packet(header + sample if n % spec.gop == 0 else sample)
            packet.pts = packet.dts = n
            packet.duration, packet.time_base = 1, 1 / spec.fps
            packet.is_keyframe = n % spec.gop == 0
            packet.stream = stream
            out.mux(packet)
    return path


def _se(value: int) -> int:
    return 2 * value - 1 if value > 0 else -2 * value


def _unit(kind: int, reference: int, writer: BitWriter) -> bytes:
    writer.put(1, 1)
    writer.align(0)
    return bytes([reference << 5 | kind]) + escape(writer.bytes())


def _macroblocks(spec: MediaSpec) -> tuple[int, int]:
    """Across, and down in a field."""
    return spec.width // 16, -(-spec.height // 32)


def _sps(spec: MediaSpec) -> bytes:
    across, down = _macroblocks(spec)
    writer = BitWriter()
    for byte in (77, 0, 30):  # Main profile, level 3
        writer.put(byte, 8)
    for value in (0, 4, 0, 4, 2):  # id; frame_num and POC of 8 bits; 2 reference frames
        writer.unsigned(value)
    writer.put(0, 1)
    writer.unsigned(across - 1)
    writer.unsigned(down - 1)
    writer.put(0b001, 3)  # not frames only, no MBAFF, direct_8x8_inference
    cropped = down * 32 - spec.height
    writer.put(1 if cropped else 0, 1)
    if cropped:
        for value in (0, 0, 0, cropped // 4):
            writer.unsigned(value)
    writer.put(0, 1)
    return _unit(7, 3, writer)


def _pps() -> bytes:
    writer = BitWriter()
    writer.unsigned(0)
    writer.unsigned(0)
    writer.put(0b00, 2)  # CAVLC
    for _ in range(3):
        writer.unsigned(0)
    writer.put(0b000, 3)
    for _ in range(3):
        writer.unsigned(_se(0))
    writer.put(0b100, 3)  # slices say whether they are deblocked
    return _unit(8, 3, writer)


def _frame(spec: MediaSpec, n: int) -> Iterator[bytes]:
    """The NAL units of two fields."""
    assert spec.gop is not None
    place = n % spec.gop
    now, before = _picture(spec, n), _picture(spec, n - 1) if place else None
    for bottom in (0, 1):
        field = _field(now, bottom)
        idr = not place and not bottom
        # The second field of the first frame refers to the first one, as nothing else is there.
        reference = _field(before, bottom) if before else None if idr else _field(now, 0)
        yield _slice(spec, field, reference, place, bottom)


def _picture(spec: MediaSpec, n: int) -> Field:
    """The scene as it is at the beginning of a group, and the counter of now; padded to whole macroblocks."""
    assert spec.gop is not None
    scene = draw(spec, spec.first_counter + n - n % spec.gop)
    luma = scene[0].copy()
    strip = spec.width // 20
    counter = draw(spec, spec.first_counter + n)[0]
    luma[:strip], luma[-strip:] = counter[:strip], counter[-strip:]
    missing = _macroblocks(spec)[1] * 32 - spec.height
    padded = [np.pad(plane, ((0, missing), (0, 0)), mode="edge") for plane in (luma, *scene[1:])]
    return padded[0], padded[1][::2, ::2], padded[2][::2, ::2]


def _field(picture: Field, bottom: int) -> Field:
    luma, blue, red = (plane[bottom::2] for plane in picture)
    return luma, blue, red


def _slice(spec: MediaSpec, field: Field, reference: Field | None, place: int, bottom: int) -> bytes:
    writer = BitWriter()
    for value in (0, P_SLICE if reference else I_SLICE, 0):
        writer.unsigned(value)
    writer.put(place, 8)  # frame_num
    writer.put(0b10 | bottom, 2)  # field_pic_flag, bottom_field_flag
    idr = reference is None
    if idr:
        writer.unsigned(0)
    writer.put(2 * place + bottom, 8)  # pic_order_cnt_lsb
    # P: default number of references, no reordering. Marking: two flags for IDR, one else.
    writer.put(0, 2 if idr else 3)
    writer.unsigned(_se(0))
    writer.unsigned(1)  # no deblocking
    _write_macroblocks(writer, spec, field, reference)
    return _unit(5 if idr else 1, 3, writer)


def _write_macroblocks(writer: BitWriter, spec: MediaSpec, field: Field, reference: Field | None) -> None:
    across, down = _macroblocks(spec)
    skipped = 0
    for number in range(across * down):
        block, before = (_block(picture, number, across) if picture else b"" for picture in (field, reference))
        if block == before:
            skipped += 1
            continue
        if reference:
            writer.unsigned(skipped)
            skipped = 0
        writer.unsigned(RAW_IN_P if reference else RAW_IN_I)
        writer.align(0)
        writer.put(int.from_bytes(block), 8 * len(block))
    if skipped:
        writer.unsigned(skipped)


def _block(picture: Field, number: int, across: int) -> bytes:
    row, column = divmod(number, across)
    parts = []
    for plane, size in zip(picture, (16, 8, 8), strict=True):
        parts.append(plane[row * size : (row + 1) * size, column * size : (column + 1) * size].tobytes())
    return b"".join(parts)
