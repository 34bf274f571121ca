"""`cutback moments --confirm`: moments in whose pictures nothing moves are dropped, looked at in the real sandbox."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image, ImageChops
from tests.path.shell import Shell
from tests.support.made_once import made_once

KEY = "north.20261123T100000.mp4"
SPAN = ("--camera", "north", "--from", "2026-11-23T10:00:00Z", "--to", "2026-11-23T10:04:00Z")
WIDTH, HEIGHT, FPS, SECONDS = 640, 360, 5, 240
NOISY, RIDE = range(60, 68), range(150, 158)
"""Seconds in which every pixel changes at random, and in which something small goes across the picture."""


def drawn(gop: int, path: Path) -> None:
    """A camera before a scene that stands still, apart from its noise and a ride."""
    scene = Image.effect_noise((WIDTH // 20, HEIGHT // 20), 30).resize((WIDTH, HEIGHT)).convert("RGB")
    rider = Image.effect_noise((40, 60), 90).convert("RGB")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", FPS, options={"preset": "ultrafast", "qp": "26", "sc_threshold": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = gop
        for number in range(FPS * SECONDS):
            second, shown = number // FPS, scene.copy()
            if second in NOISY:
                noise = Image.effect_noise((WIDTH, HEIGHT), 25).convert("RGB")
                shown = ImageChops.add(scene, noise, 1, -128)  # on average, as bright as it was
            elif second in RIDE:
                x = (number - RIDE.start * FPS) * 15
                shown.paste(rider, (x, 150))
            frame = av.VideoFrame(WIDTH, HEIGHT, "rgb24")
            frame.planes[0].update(shown.tobytes())  # without padding: its width is a multiple of 64
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("gop", [FPS * 2, FPS * 30], ids=["keyframes", "all pictures"])
def test_a_jump_of_sizes_without_motion_is_dropped_and_a_ride_is_kept(
    gop: int, shell: Shell, pytestconfig: pytest.Config
) -> None:
    kept = Path(pytestconfig.cache.mkdir("media"))
    path = made_once(kept / f"confirmed-{gop}.mp4", lambda making: drawn(gop, making))
    folder = shell.folder / "cutback-data" / "recordings"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / KEY).write_bytes(path.read_bytes())
    shell.json("register", KEY)
    every = [each["peak"] for each in shell.json("moments", *SPAN)["moments"]]
    assert [seconds(peak) // 20 for peak in every] == [NOISY.start // 20, RIDE.start // 20], "both are unusual"
    assert [each["peak"] for each in shell.json("moments", *SPAN, "--confirm")["moments"]] == every[1:]


def seconds(moment: str) -> int:
    """Since the recording began."""
    return int(moment[14:16]) * 60 + int(moment[17:19])
