"""Side data of pictures that PyAV does not know is ignored."""

from __future__ import annotations

import io
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.packet import Packet
from PIL import Image
from tests.media.cuts import cut_in_process
from tests.support.decode import decode_presented

from cutback.cutting.codecs.hdr import HdrMetadata, hdr_of


def test_pictures_with_exif_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "camera.mov"
    exif = Image.Exif()
    exif[271] = "Maker"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", 10, width=160, height=120)
        stream.pix_fmt = "yuvj420p"
        for number in range(20):
            file = io.BytesIO()
            Image.new("RGB", (160, 120), (10 * number, 90, 200)).save(file, "JPEG", exif=exif)
            packet = Packet(file.getvalue())
            packet.pts = packet.dts = number
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, 10), stream, True
            out.mux(packet)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        found: Iterable[Any] = frame.side_data  # PyAV alone raises ValueError here
        assert any(data.type.name.startswith("UNKNOWN") for data in found)
        assert hdr_of(frame) == HdrMetadata()
    clip = cut_in_process([path], (0, Fraction("0.5"), Fraction("1.5")))
    assert len(decode_presented(clip.data).frames) == 10
