"""What a recording is, whatever its container."""

from __future__ import annotations

from typing import Any

from cutback.cutting.describe import describe
from cutback.cutting.job import ByteSource, Limits
from cutback.cutting.source.footage import open_media


def probe(source: ByteSource, limits: Limits) -> dict[str, Any]:
    """The recording, as `describe` tells.

    Raises:
        CutbackError: like `open_media`.
    """
    media = open_media(source, limits)
    return describe(media.index, copies=media.copies)
