"""No encoder takes the processors away from everything else."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction

import av
import pytest


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may have real-time priority")
def test_an_encoder_in_this_process_gives_it_no_real_time_priority() -> None:
    encoder = av.CodecContext.create("libsvtav1", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 64, "yuv420p"
    encoder.framerate = Fraction(25)
    encoder.open()
    ask = "import os; print(os.sched_getscheduler(0))"
    started = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout
    assert (os.sched_getscheduler(0), int(started)) == (os.SCHED_OTHER, os.SCHED_OTHER)
