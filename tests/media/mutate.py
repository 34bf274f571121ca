"""Cuts recordings with flipped bits, one after another, and prints a line of JSON on each.

A program of its own, because a mutation may crash or hang the process: `python -m tests.media.mutate FILE COUNT SEED`.
"""

from __future__ import annotations

import faulthandler
import json
import random
import signal
import sys
import traceback
from fractions import Fraction
from pathlib import Path
from types import FrameType

import av
from tests.media.cuts import boxes, cut_in_process
from tests.support.decode import decode_presented, decode_warnings

from cutback.domain.errors import CutbackError

SECONDS = 20
"""A single cut that takes longer hangs."""


def _headers(data: bytes) -> list[tuple[int, int]]:
    """The stretches of a file that describe it."""
    if data[4:8] == b"ftyp":
        return [(begin, end) for kind, begin, _, end in boxes(data) if kind in {b"moov", b"moof"}]
    return [(0, 1500), (len(data) - 1500, len(data)), (0, len(data))]


def mutated(data: bytes, seed: int, number: int) -> bytes:
    """The `number`-th mutation: one to eight bytes of its headers are changed."""
    chance = random.Random(seed * 1_000_003 + number)
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4, 8])):
        begin, end = chance.choice(_headers(data))
        at = chance.randrange(begin, end)
        changed[at] = chance.choice([changed[at] ^ 1 << chance.randrange(8), 0, 255, chance.randrange(256)])
    return bytes(changed)


def _give_up(_: int, frame: FrameType | None) -> None:
    raise TimeoutError("".join(traceback.format_stack(frame, 4)))


def outcome(data: bytes) -> dict[str, str]:
    """The outcome of a cut."""
    try:
        clip = cut_in_process([data], (0, Fraction("0.5"), Fraction("1.7")))
    except CutbackError as error:
        return {"error": error.reason}
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        ours = [line for line in traceback.extract_tb(error.__traceback__) if "cutback" in line.filename]
        where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno} ({ours[-1].name})"
        return {"fault": f"{type(error).__name__}: {str(error)[:100]} at {where}"}
    try:
        shown = decode_presented(clip.data)
    except av.FFmpegError as error:
        fault = f"a clip that does not decode: {error.strerror}"
    else:
        if len(shown.frames) == clip.facts.frames:
            return {"clip": str(clip.facts.frames)}
        fault = f"a clip of {len(shown.frames)} frames that claims {clip.facts.frames}"
    # Damage that a player of the recording itself would meet may be copied.
    return {"damaged" if _is_damaged(data) else "fault": fault}


def _is_damaged(data: bytes) -> bool:
    try:
        complaints = decode_warnings(data)
    except (av.FFmpegError, ValueError, AttributeError):  # a track that names no codec has no decoder
        return True
    return bool(complaints)


def main() -> None:
    """See the module."""
    path, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    faulthandler.dump_traceback_later(180, exit=True)
    signal.signal(signal.SIGALRM, _give_up)
    data = path.read_bytes()
    for number in range(count):
        signal.alarm(SECONDS)
        result = {"number": str(number), **outcome(mutated(data, seed, number))}
        signal.alarm(0)
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
