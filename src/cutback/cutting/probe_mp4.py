"""What a recording is, by Cutback's own parser alone: without libavformat, which takes long to load."""

from __future__ import annotations

from typing import Any

from cutback.cutting.describe import describe
from cutback.cutting.job import ByteSource, Limits
from cutback.cutting.job import read_index as read_index_bytes
from cutback.cutting.mp4.read import is_mp4
from cutback.cutting.source.own_index import is_direct, read_own_index, shows_all
from cutback.domain.errors import MediaUnreadableError


def probe_mp4(source: ByteSource, limits: Limits) -> dict[str, Any] | None:
    """As `probe`; None if the recording is no MP4, or an unusual one that libavformat has to read.

    Raises:
        MediaUnreadableError: it is empty or damaged.
        MediaTooLargeError: it exceeds a limit.
        MediaUnsupportedError: it is encrypted.
    """
    if not source.size:
        raise MediaUnreadableError("It is empty.")
    if not is_mp4(read_index_bytes(source, 0, 16)):
        return None
    index = read_own_index(source, limits)
    direct = is_direct(index) and shows_all(source, limits, index)
    return describe(index, copies=True) if direct else None
